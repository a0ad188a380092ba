"""Graphs as functions of PyTorch: values and gradients, and a round trip of every program."""

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value, from_torch, to_torch
from tinygraph.bridges import named_leaves

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from tests.bridges.pytorch.programs import PROGRAMS  # noqa: E402


def compare(root):
    """Compare the value and the gradients of a scalar graph with those of its function."""
    f, leaves = to_torch(root), named_leaves(root)
    root.backward()
    given = {name: f.leaves[name].clone().requires_grad_() for name in f.leaves if not leaves[name].constant}
    y = f(given)
    assert y.item() == pytest.approx(root.item(), rel=1e-12)
    found = torch.autograd.grad(y, list(given.values()), allow_unused=True)
    for name, gradient in zip(given, found, strict=True):
        wanted = np.zeros(leaves[name].shape) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(leaves[name].grad, wanted, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_was_imported_is_exported_again(name):
    f, args = PROGRAMS[name]()
    root = from_torch(f, *args, check=False)
    compare(root.sum() if root.shape else root)


def test_the_function_can_be_trained():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 2)), (rng.normal(size=8) > 0) * 1.0
    w = Tensor([0.1, -0.2], "w")
    f = to_torch(tinygraph.binary_cross_entropy_with_logits(X @ w, y).mean())
    v = f.leaves["w"].clone().requires_grad_()
    before = f({"w": v}).item()
    for _ in range(5):
        (gradient,) = torch.autograd.grad(f({"w": v}), v)
        v = (v - 0.5 * gradient).detach().requires_grad_()
    assert f({"w": v}).item() < before
    assert f().item() == pytest.approx(before)


def test_a_graph_of_values_becomes_a_function_of_arrays():
    w = [Value(0.5, "w1"), Value(-0.5, "w2")]
    root = (w[0] * 3.0 + w[1] * 4.0).tanh()
    f = to_torch(root)
    assert f().item() == pytest.approx(root.data)


def test_errors():
    x = Tensor([1.0, 2.0], "x")
    with pytest.raises(TypeError, match="root must be the root of a graph, not 3"):
        to_torch(3)
    with pytest.raises(KeyError, match="the graph has no leaf 'y': its leaves are x"):
        to_torch(x.sum())({"y": torch.ones(2)})
    cube = tinygraph.op("cube", lambda x: x**3, partials=(lambda out, x: 3.0 * x * x,))
    with pytest.raises(NotImplementedError, match=r"the op cube\(x0\) has no counterpart in PyTorch"):
        to_torch(cube(x).sum())
