"""Nested arguments as a flat list: numbers, arrays, nodes and namedtuples keep their places."""

from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygraph import Tensor, Value, numeric_grad
from tinygraph.checking.flat import FlatFunction, cotangent

Pair = namedtuple("Pair", "w b")
LEAVES = st.floats(-5, 5) | hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=3), elements=st.floats(-5, 5))
TREES = st.recursive(
    LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.sampled_from("ab"), t) | st.builds(Pair, t, t)
)


def same_tree(x, y):
    """Return whether two trees have the same structure and the same elements."""
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(same_tree(x[key], y[key]) for key in x)
    if isinstance(x, (list, tuple)):
        return type(x) is type(y) and len(x) == len(y) and all(map(same_tree, x, y))
    return np.shape(x) == np.shape(y) and np.array_equal(x, y)


@given(trees=st.lists(TREES, max_size=3))
def test_restoring_the_numbers_gives_the_arguments(trees):
    function = FlatFunction(lambda *args: 0.0, trees, values=False)
    assert same_tree(function.restore(function.numbers), trees)
    names = list(function.element_names([str(i) for i in range(len(function.shapes))]))
    assert len(names) == len(set(names)) == len(function.numbers)


def test_a_function_gets_nodes_of_one_class():
    kinds = []
    f = lambda *args: kinds.append({issubclass(type(x), Tensor) for x in args}) or 1.0  # noqa: E731
    for args in ([1.0, Value(2.0)], [1.0, np.ones(2)], [Value(1.0), Tensor([1.0])]):
        function = FlatFunction(f, args, values=True)
        function.record(function.numbers)
        function(function.numbers)
    assert kinds == [{False}] * 2 + [{True}] * 4


def test_an_array_is_projected_on_a_cotangent_that_the_seed_repeats():
    x = np.arange(6.0).reshape(2, 3)
    for values in (False, True):
        function = FlatFunction(lambda x: x * x, [x], values=values, seed=3)
        assert function(function.numbers) == pytest.approx((x * x * cotangent((2, 3), 3)).sum())
        assert "default_rng(3)" in function.projection
    with pytest.raises(TypeError, match=r"must return a scalar at this point, but the result has shape \(2, 3\)"):
        FlatFunction(lambda x: x * x, [x], values=False)([0.0] * 6)


def test_numeric_gradients_of_arrays_have_the_form_of_the_argument():
    x = np.arange(6.0).reshape(2, 3)
    for given_x in (x, Tensor(x)):
        found = numeric_grad(lambda x: (x * x).sum(), given_x, method="six-point")
        np.testing.assert_allclose(found, 2.0 * x, atol=1e-9)
    found = numeric_grad(lambda p, k: (p["w"] * k).sum(), [{"w": x}, 2.0])
    np.testing.assert_allclose(found[0]["w"], np.full((2, 3), 2.0), atol=1e-8)
    assert found[1] == pytest.approx(15.0)
    for method in ("complex", "mpmath"):
        with pytest.raises(ValueError, match=f"'{method}' needs scalar inputs"):
            numeric_grad(lambda x: x.sum(), x, method=method)
