"""The cost of the softmax: its formula and gradient, with loops and without, and its relation to the sigmoid."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.logistic.problems import close
from tinygraph import Tensor, Value
from tinygraph.engine.graph import order
from tinygraph.logistic.objectives import Sigmoid, Softmax


def problem(seed, K=3, m=6, n=2):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.0, 2.0, m)
    return rng.normal(size=(m, n)), rng.integers(0, K, m), rng.normal(size=(n, K)), rng.normal(size=K), weights


def numbers(objective, backend, X, y, w, b, weights, C):
    """Return the cost, and its derivatives as a matrix (n + 1, outputs)."""
    parameters = objective.leaves(w, b, backend)
    if backend == "tensor":
        data = (X.T, y.reshape(1, -1).astype(float), None if weights is None else weights.reshape(1, -1))
    else:
        data = (X.tolist(), y.astype(float).tolist(), None if weights is None else weights.tolist())
    J = objective.cost(parameters, *data, C)
    J.backward()
    return J.item(), np.concatenate([np.ravel(p.grad) for p in parameters]).reshape(len(w) + 1, -1)


def closed_form(X, y, w, b, weights, C):
    """Return the cost and its derivatives: the probabilities minus the one-hot labels, times the features."""
    weights = np.ones(len(y)) if weights is None else weights
    Z = X @ w + b
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    J = -(weights @ np.log(P[np.arange(len(y)), y])) / weights.sum() + (w * w).sum() / (2.0 * C * weights.sum())
    dZ = (P - np.eye(len(b))[y]) * weights[:, None] / weights.sum()
    return J, np.vstack([X.T @ dZ + w / (C * weights.sum()), dZ.sum(axis=0)])


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
@given(seed=st.integers(0, 10**6), K=st.integers(2, 5), weighted=st.booleans(), C=st.sampled_from([0.5, math.inf]))
def test_cost_and_gradient_are_those_of_the_closed_form(backend, seed, K, weighted, C):
    *data, weights = problem(seed, K)
    data = (*data, weights if weighted else None, C)
    J, gradient = numbers(Softmax(), backend, *data)
    expected, slopes = closed_form(*data)
    assert close(J, expected, 10.0)
    assert close(gradient, slopes, 10.0)


def test_the_cost_is_that_of_pytorch():
    torch = pytest.importorskip("torch", reason="needs the dependency group oracles")
    X, y, w, b, weights = problem(7, 4, 20, 3)
    ours, gradient = numbers(Softmax(), "tensor", X, y, w, b, weights, math.inf)
    rows = torch.tensor(np.vstack([w, b]), requires_grad=True)
    losses = torch.nn.functional.cross_entropy(
        torch.tensor(np.column_stack([X, np.ones(20)])) @ rows, torch.tensor(y), reduction="none"
    )
    theirs = (losses * torch.tensor(weights)).sum() / weights.sum()
    theirs.backward()
    assert ours == pytest.approx(theirs.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, rows.grad.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
@given(seed=st.integers(0, 10**6), C=st.sampled_from([0.5, math.inf]))
def test_two_classes_are_logistic_regression(backend, seed, C):
    """The softmax of -z / 2 and z / 2 is the sigmoid of z, and the penalty of these two logits is half as large."""
    X, y, w, b, weights = problem(seed, 2)
    w, b = w[:, :1], b[:1]
    softmax, slopes = numbers(
        Softmax(), backend, X, y, np.hstack([-w, w]) / 2.0, np.hstack([-b, b]) / 2.0, weights, C / 2.0
    )
    sigmoid, gradient = numbers(Sigmoid("cross_entropy_with_logits"), backend, X, y, w, b, weights, C)
    assert close(softmax, sigmoid, 10.0)
    assert close((slopes[:, 1:] - slopes[:, :1]) / 2.0, gradient, 10.0)


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_large_logits_neither_overflow_nor_lose_the_loss(backend):
    X, w = np.array([[1.0], [1.0]]), np.array([[1000.0, 0.0, -1000.0]])
    for y, expected in (([0, 0], 0.0), ([1, 2], 1500.0)):
        J, gradient = numbers(Softmax(), backend, X, np.array(y), w, np.zeros(3), None, math.inf)
        assert expected == J
        assert np.isfinite(gradient).all()


def test_with_scalars_a_small_loss_keeps_its_digits():
    w = np.array([[50.0, 0.0, 1.0]])
    J, _ = numbers(Softmax(), "scalar", np.array([[1.0]]), np.array([0]), w, np.zeros(3), None, math.inf)
    assert pytest.approx(math.log1p(math.exp(-50.0) + math.exp(-49.0)), rel=1e-13) == J


def test_the_nodes_have_names():
    w, b = np.zeros((2, 3)), np.zeros(3)
    scalars, tensors = (Softmax().leaves(w, b, backend) for backend in ("scalar", "tensor"))
    J = Softmax().cost(scalars, [[1.0, 2.0]], [1.0], None, 2.0)
    names = {node.name for node in order(J) if node.name}
    leaves = {f"W[{j},{k}]" for j in range(2) for k in range(3)} | {f"b[{k}]" for k in range(3)}
    assert names == {"J", "loss", "regularization", "z[0]", "z[1]", "z[2]", *leaves}
    J = Softmax().cost(tensors, np.ones((2, 4)), np.zeros((1, 4)), None, 2.0)
    assert {node.name for node in order(J) if node.name} == {"J", "loss", "regularization", "Z", "W", "b"}
    assert all(isinstance(x, Value) for x in scalars)
    assert all(isinstance(x, Tensor) for x in tensors)


def test_the_loops_are_vectorized():
    X, y, w, b, _ = problem(3, 3, 8)
    parameters = Softmax().leaves(w, b, "scalar")
    J = Softmax().cost(parameters, X.tolist(), y.tolist())
    value, (slopes,) = tinygraph.compile(J, [parameters])([p.data for p in parameters])
    expected, gradient = closed_form(X, y, w, b, None, math.inf)
    assert close(value, expected, 10.0)
    assert close(slopes, gradient.ravel(), 10.0)
