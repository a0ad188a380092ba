"""Hypothesis loads the plugin by its entry point, and then draws Values and Tensors by their types."""

import json
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from tinygraph import Tensor, Value
from tinygraph.hypothesis_plugin import register, tensors, values

ROOT = Path(__file__).parents[1]
register()


class Parameter(Value):
    """A subclass, as a user would write it."""


@given(x=st.from_type(Value), t=st.from_type(Tensor))
def test_types_give_leaves(x, t):
    assert type(x) is Value
    assert x.op is None
    assert np.isfinite(x.data)
    assert type(t) is Tensor
    assert t.op is None
    assert np.isfinite(t.data).all()


@given(data=st.data())
def test_annotations_are_resolved(data):
    def product(x: Value, y: Value, t: Tensor):
        return x * y, t

    y, t = data.draw(st.builds(product))
    assert y.op.name == "mul"
    assert type(t) is Tensor


def test_shapes_and_sizes_differ():
    once = settings(max_examples=2000)
    for condition in (lambda t: t.shape == (), lambda t: t.ndim == 2 and 0 in t.shape, lambda t: t.size > 4):
        assert isinstance(find(tensors(Tensor), condition, settings=once), Tensor)
    assert find(values(Value), lambda x: 0.0 < abs(x.data) < 1e-100, settings=once).data
    assert type(find(values(Parameter), lambda x: True)) is Parameter


PROGRAMS = {
    "Hypothesis first": "from hypothesis import strategies as st; from tinygraph import Tensor, Value",
    "tinygraph first": "from tinygraph import Tensor, Value; from hypothesis import strategies as st",
}


@pytest.mark.parametrize("order", PROGRAMS)
def test_the_entry_point_registers_the_types(order, tmp_path):
    """Run Hypothesis where the metadata of an installed tinygraph contains the entry points of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    metadata = tmp_path / "tinygraph_of_the_test-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tinygraph-of-the-test\nVersion: 1.0\n")
    entries = "".join(f"{name} = {place}\n" for name, place in project["entry-points"]["hypothesis"].items())
    (metadata / "entry_points.txt").write_text(f"[hypothesis]\n{entries}")
    program = f"""
        import json, sys
        sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]
        import hypothesis
        early = [name for name in ("numpy", "tinygraph.testing") if name in sys.modules]
        {PROGRAMS[order]}
        from hypothesis import find
        drawn = find(st.from_type(Value), lambda x: x.data > 0.0), find(st.from_type(Tensor), lambda x: x.size > 0)
        print(json.dumps([early, *map(repr, drawn)]))
        """
    if order == "tinygraph first":
        program = program.replace("import hypothesis\n", "\n")
    command = [sys.executable, "-c", textwrap.dedent(program)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    early, x, t = json.loads(out)
    assert early == []
    assert x == "Value(1.0)"
    assert t.startswith("Tensor(")
