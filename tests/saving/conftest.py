"""What the tests of saved graphs share."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Where a graph is saved."""
    return tmp_path / "graph.json"
