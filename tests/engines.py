"""Tests that draw need a layout engine, which the extra `test` does not install."""

import pytest

from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.layout_engines import find_engine


def needed_engine() -> str:
    """Return a layout engine, or skip the test."""
    try:
        return find_engine()
    except EngineNotFoundError:
        pytest.skip("no Graphviz engine: pip install '.[render]'")
