"""What all tests share: Hypothesis without deadlines (the machines are noisy), and skips on demand refused."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "tinygraph", database=None, max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tinygraph")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With TINYGRAPH_REFUSE_SKIPS set, a skipped test fails the run: there, nothing may be missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TINYGRAPH_REFUSE_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 1
