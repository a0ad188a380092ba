"""The source text of graphs of Tensors that were recorded directly, not vectorized."""

import numpy as np
import pytest

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value, source


def check(root, *leaves):
    """Compare the value and the gradients of the program with those of the graph."""
    found = source(root).run()
    root.backward()
    np.testing.assert_allclose(found[root.name or "J"], root.data, rtol=1e-14)
    for leaf in leaves:
        np.testing.assert_allclose(found[f"d{leaf.name}"], leaf.grad, rtol=1e-13)


def test_a_layer_and_its_gradients():
    x, w, b = (
        Tensor(np.arange(6.0).reshape(2, 3), "x", constant=True),
        Tensor([[1.0], [2.0], [-1.0]], "w"),
        Tensor(0.5, "b"),
    )
    check(tinygraph.sigmoid(x @ w + b).mean(), w, b)


def test_ops_with_several_operands_and_parameters():
    u, v = Tensor([1.0, -2.0, 3.0], "u"), Tensor([0.5, 2.0, 1.0], "v")
    joined = np.concatenate([u, v * 2.0])
    picked = tinygraph.where(np.array([True, False, True]), u, v)
    check((tinygraph.softmax(joined) ** 2).sum() + np.einsum("i,i,i->", u, v, picked) + np.pad(u, 1)[0:3].prod(), u, v)


def test_elements_that_replace_plain_integers_keep_their_digits():
    u = Tensor([0.25, 0.75, 1.5], "u")
    check((tinygraph.set_at(np.zeros(3) + 0.0 * u[0], slice(0, 2), u[1:]) * u).sum(), u)
    check((tinygraph.set_at(np.zeros(3), slice(0, 2), u[1:]) * u).sum(), u)


def test_transposes_of_scalars_and_vectors_are_left_out():
    u, v, w = Tensor(2.0, "u"), Tensor([1.0, -2.0], "v"), Tensor([[1.0, 4.0]], "w")
    turned = u.T
    turned.name = "t"
    check((turned * v.T * w.T).sum(), u, v, w)
    assert source((turned * v.T).sum()).run()["t"] == 2.0


def test_names_that_are_no_identifiers_or_occur_twice():
    first, second, third = Tensor(2.0, "0.weight"), Tensor(3.0, "0.weight"), Tensor(4.0)
    text = source(first * second * third)
    assert set(text.run()) >= {"v0_weight", "v0_weight1", "x1", "J"}
    assert text.run()["J"] == 24.0


def test_a_root_that_is_not_a_scalar_has_no_gradients():
    w = Tensor([1.0, 2.0], "w")
    with pytest.raises(ValueError, match=r"^the gradients need a scalar root, but this Tensor has shape \(2,\)"):
        source(w * 3.0)
    assert source(w * 3.0, backward=False).run()["J"].tolist() == [3.0, 6.0]


def test_a_stale_graph_and_other_objects_are_refused():
    w = Tensor([1.0, 2.0], "w")
    y = (w * w).sum()
    w.data = [3.0, 4.0]
    with pytest.raises(StaleGraphError):
        source(y)
    with pytest.raises(TypeError, match="root must be the root of a graph, not 3"):
        source(3)
    assert source(Value(2.0, "a") * 3.0).run()["J"] == 6.0
