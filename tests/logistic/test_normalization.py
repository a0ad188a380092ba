"""At the start, the cost has the same second derivative in each direction of the normalized parameters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor
from tinygraph.logistic import no_loop
from tinygraph.logistic import normalization as module
from tinygraph.logistic.normalization import normalization
from tinygraph.logistic.objectives import Softmax


def table(seed, m=30, n=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, n)) @ rng.normal(size=(n, n)) * np.array([1e-3, 1.0, 1e4]) + [5.0, 0.0, 1e4]
    return X, rng.integers(0, 2, m).astype(float), rng.uniform(0.1, 3.0, m)


def found_for(X, weights, C=np.inf):
    return normalization(lambda function, *args: function(X, weights, *args), X.shape[1], C)


@given(seed=st.integers(0, 100), C=st.sampled_from([1e-2, 1.0, np.inf]))
def test_the_second_derivatives_are_the_identity(seed, C):
    X, y, weights = table(seed)
    found = found_for(X, weights, C)
    w, b = Tensor(np.zeros((3, 1))), Tensor(0.0)
    rows = []
    for row in np.eye(4):
        J = no_loop(w, b, X.T, y.reshape(1, -1), "cross_entropy_with_logits", sample_weight=weights.reshape(1, -1), C=C)
        dw, db = tinygraph.grad(J, [w, b], create_graph=True)
        direction = found.original(row)
        slope = (dw.reshape(3) * direction[:3]).sum() + db * direction[3]
        second = [np.ravel(x) for x in tinygraph.grad(slope, [w, b])]
        rows.append(found.gradient(np.concatenate(second)))
    np.testing.assert_allclose(rows, np.eye(4), atol=1e-6)


@given(seed=st.integers(0, 100), C=st.sampled_from([1e-2, np.inf]), K=st.integers(2, 4))
def test_the_second_derivatives_of_the_softmax_are_a_projection(seed, C, K):
    """They are the identity in all directions that change the probabilities."""
    X, _, weights = table(seed)
    y = np.random.default_rng(seed).integers(0, K, (1, len(X))).astype(float)
    found = normalization(lambda function, *args: function(X, weights, *args), 3, C, float(K))
    W, b = Softmax().leaves(np.zeros((3, K)), np.zeros(K), "tensor")
    J = Softmax().cost([W, b], X.T, y, weights.reshape(1, -1), C)
    dW, db = tinygraph.grad(J, [W, b], create_graph=True)
    centered = np.eye(K) - 1.0 / K
    for row in np.eye(4):
        normalized = np.outer(row, centered[0])  # the logits change in opposite directions
        direction = found.original(normalized.ravel()).reshape(4, K)
        slope = (dW * direction[:3]).sum() + (db * direction[3:].T).sum()
        second = np.concatenate([np.ravel(x) for x in tinygraph.grad(slope, [W, b])])
        np.testing.assert_allclose(found.gradient(second).reshape(4, K), normalized, atol=1e-6)


def test_the_gradient_is_the_transpose_of_the_change():
    found = found_for(*table(1)[::2])
    change = np.array([found.original(row) for row in np.eye(4)])
    np.testing.assert_allclose([found.gradient(row) for row in np.eye(4)], change.T)


def test_constant_and_repeated_features_are_not_amplified():
    X, _, weights = table(2)
    X = np.column_stack([X, X[:, 0] * 3.0 + X[:, 1], np.full(len(X), 7.0), np.zeros(len(X))])
    M = found_for(X, weights).M
    assert np.isfinite(M).all()
    assert np.linalg.matrix_rank(M, tol=1e-9) == 3


@pytest.mark.parametrize("factor", [1e-250, 1e-9, 1e150, 1e250])
def test_no_scale_overflows(factor):
    X, _, weights = table(3)
    assert np.isfinite(found_for(X / 1e4 * factor, weights).M).all()


def test_many_features_are_only_scaled(monkeypatch):
    X, _, weights = table(4)
    whole = found_for(X, weights, 2.0)
    monkeypatch.setattr(module, "DECORRELATED", 2)
    scaled = found_for(X, weights, 2.0)
    assert scaled.M.shape == (3,)
    assert whole.M.shape == (3, 3)
    centered = X - np.average(X, axis=0, weights=weights)
    curvature = weights @ centered**2 / weights.sum() / 4.0 + 1.0 / (2.0 * weights.sum())
    np.testing.assert_allclose(scaled.M, curvature**-0.5)
    np.testing.assert_allclose(scaled.gradient(np.array([1.0, 2.0, 3.0, 0.0]))[:3], scaled.M * [1.0, 2.0, 3.0])
