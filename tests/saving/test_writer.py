"""A saved graph is restored completely: values, names, shared nodes, and comparisons."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.saving.examples import described, lecture, vectorized
from tinygraph import FrozenBranchError, StaleGraphError, Stepper, Tensor, Value, draw, load, save, scope, trace_lines
from tinygraph.testing import graphs, tensor_programs


@given(program=graphs(), passes=st.integers(0, 2))
def test_a_graph_of_numbers_comes_back_to_the_bit(program, passes, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root, _ = program.record()
    for _ in range(passes):
        root.backward(accumulate=True)
    loaded = load(save(root, path), verify=True)
    assert described(loaded) == described(root)
    text = path.read_bytes()
    assert save(loaded, path).read_bytes() == text
    loaded.backward(), root.backward()
    assert described(loaded) == described(root)
    assert [str(step) for step in Stepper(loaded).steps] == [str(step) for step in Stepper(root).steps]
    assert draw(loaded).source == draw(root).source


@given(program=tensor_programs())
def test_a_graph_of_arrays_comes_back_to_the_bit(program, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "graph.json"
    root, _ = program.record()
    seed = None if not root.shape else np.random.default_rng(0).normal(size=root.shape)
    root.backward(seed=seed)
    loaded = load(save(root, path), verify=True)
    assert described(loaded) == described(root)
    loaded.backward(seed=seed)
    assert described(loaded) == described(root)


def test_several_roots_keep_what_they_share(path):
    x = Value(2.0, "x")
    s = x * x
    y, z = load(save([s + 1.0, s * 3.0], path), verify=True)
    assert y.args[0] is z.args[0]
    assert y.args[0].args[0].name == "x"
    (only,) = load(save([s], path))
    assert only.data == 4.0


def test_names_scopes_lines_and_constants_come_back(path):
    with scope("neuron"), scope("inner\n\ud800"), trace_lines():
        y = tinygraph.tanh(Value(0.5, "‘w’ \u0000") * Value(2.0, "x", constant=True))
    loaded = load(save(y, path))
    assert described(loaded) == described(y)
    assert loaded.line.endswith(y.line.rpartition("/")[2])
    assert loaded.args[0].args[1].constant


def test_comparisons_are_asked_again(path):
    x, limit = Value(2.0, "x"), Value(1.0, "limit")
    y = x * x if x > limit and x < 5.0 else -x
    loaded = load(save(y, path))
    x = loaded.args[0]
    x.data = 3.0
    assert loaded.forward().data == 9.0
    x.data = 6.0
    with pytest.raises(FrozenBranchError, match="x < 5"):
        loaded.forward()


def test_a_loaded_graph_can_be_edited_and_is_then_stale(path):
    J = load(save(lecture(), path))
    a = J.args[1].args[0]
    a.data = 6.0
    with pytest.raises(StaleGraphError):
        J.backward()
    with pytest.raises(StaleGraphError):
        save(J, path)
    assert J.forward().data == 36.0


def test_a_deep_graph_needs_no_recursion(path):
    y = Value(1.0, "x")
    for _ in range(50_000):
        y = y * 1.0001
    assert load(save(y, path)).data == y.data


@pytest.mark.parametrize("what", [3.0, "J", [], [Value(1.0), 2.0]])
def test_what_is_no_graph_is_refused(what, path):
    with pytest.raises(TypeError, match="save: "):
        save(what, path)
    assert not path.exists()


def test_lazy_arrays_are_not_computed_behind_ones_back(path):
    da = pytest.importorskip("dask.array", reason="no dask: pip install '.[dask]'")
    with pytest.raises(TypeError, match=r"lazy array of dask.*compute it first"):
        save(Tensor(da.ones((4, 2), chunks=2), "X", constant=True).sum(), path)


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_an_interrupted_save_leaves_the_old_file(at, path, monkeypatch):
    before = save(lecture(), path).read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, at, interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(vectorized(), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
