"""Shared by all tests: Hypothesis without deadlines (machines are noisy), a browser, notebooks, a check of skips."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

from tinygraph.engine.clock import clock

# Without the line about @reproduce_failure, which Hypothesis prints on CI only: pages show the same text everywhere.
settings.register_profile(
    "tinygraph",
    database=None,
    max_examples=25,
    deadline=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tinygraph")


@pytest.fixture(autouse=True)
def no_lock_stays_acquired():
    """Fail a test that leaves a lock acquired: later tests would work in this thread, and hang in others."""
    yield
    for name in ("lock", "guard_lock", "_tick_lock"):
        lock = getattr(clock, name)
        assert not lock._is_owned(), f"the test thread still owns clock.{name}"
        assert lock.acquire(timeout=30.0), f"another thread still owns clock.{name}"
        lock.release()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a test was skipped and TINYGRAPH_REFUSE_SKIPS is set, because then everything is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TINYGRAPH_REFUSE_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 1


@pytest.fixture(scope="module")
def browser():
    """Start Chromium without a window, and log its console and its requests."""
    selenium = pytest.importorskip("selenium.webdriver", reason="no selenium: pip install --group oracles")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no browser: apt-get install chromium chromium-driver")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1200,900", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield running
    running.quit()


@pytest.fixture
def execute():
    """Return a function that executes a notebook in a folder and returns the outputs of each code cell."""
    nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install --group oracles")
    pytest.importorskip("ipykernel", reason="no ipykernel: pip install --group oracles")
    import nbformat

    def run(path, folder):
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": os.fspath(folder)}}
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
        return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]

    return run
