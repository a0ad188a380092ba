"""Shared by the tests of saved graphs."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Return the path of the saved graph."""
    return tmp_path / "graph.json"
