"""The functions of the course's second week, written with NumPy calls, run on Tensors and give the course's numbers."""

import numpy as np
import pytest

from tests.tensor.pending_expressions import PENDING
from tinygraph import Tensor

WAITS = pytest.mark.xfail(
    bool(PENDING & {'"%i: %f" % (3, s)'}), strict=True, reason="needs expressions that are in PENDING"
)

# --- the lines of the assignment: nothing here knows of Tensors


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = 1 / m * np.dot(X, (A - Y).T)
    db = 1 / m * np.sum(A - Y)
    cost = np.squeeze(cost)
    return {"dw": dw, "db": db}, cost


def optimize(w, b, X, Y, num_iterations, learning_rate, print_cost=False):
    costs = []
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate * grads["dw"]
        b = b - learning_rate * grads["db"]
        if i % 100 == 0:
            costs.append(cost)
        if print_cost and i % 100 == 0:
            print("Cost after iteration %i: %f" % (i, cost))  # noqa: UP031  (the course's line)
    return {"w": w, "b": b}, grads, costs


def predict(w, b, X):
    m = X.shape[1]
    Y_prediction = np.zeros((1, m))
    w = w.reshape(X.shape[0], 1)
    A = sigmoid(np.dot(w.T, X) + b)
    for i in range(A.shape[1]):
        Y_prediction[0, i] = 1 if A[0, i] > 0.5 else 0
    return Y_prediction


# --- the course's numbers

W, B = np.array([[1.0], [2.0]]), 2.0
X = np.array([[1.0, 2.0, -1.0], [3.0, 4.0, -3.2]])
Y = np.array([[1, 0, 1]])
KINDS = {"arrays": lambda x: x, "Tensors": Tensor}


def plain(x):
    return x.data if isinstance(x, Tensor) else x


@pytest.mark.parametrize("kind", KINDS)
def test_propagate(kind):
    w, b = KINDS[kind](W), KINDS[kind](B)
    grads, cost = propagate(w, b, X, Y)
    np.testing.assert_allclose(plain(grads["dw"]), [[0.99845601], [2.39507239]], rtol=0, atol=5e-9)
    np.testing.assert_allclose(plain(grads["db"]), 0.00145557813678, rtol=1e-11)
    np.testing.assert_allclose(plain(cost), 5.801545319394553, rtol=1e-14)
    assert np.shape(plain(cost)) == ()


def test_backward_gives_the_gradients_that_the_lines_compute():
    w, b = Tensor(W, "w"), Tensor(B, "b")
    grads, cost = propagate(w, b, X, Y)
    cost.backward()
    np.testing.assert_allclose(w.grad, grads["dw"].data, rtol=1e-12)
    np.testing.assert_allclose(b.grad, grads["db"].data, rtol=1e-9)  # a difference of nearly equal numbers


@pytest.mark.parametrize("kind", [pytest.param("arrays"), pytest.param("Tensors", marks=WAITS)])
def test_optimize_and_predict(kind, capsys):
    make = KINDS[kind]
    params, grads, costs = optimize(make(W), make(B), X, Y, num_iterations=100, learning_rate=0.009, print_cost=True)
    np.testing.assert_allclose(plain(params["w"]), [[0.19033591], [0.12259159]], rtol=0, atol=5e-9)
    np.testing.assert_allclose(plain(params["b"]), 1.92535983008, rtol=1e-11)
    np.testing.assert_allclose(plain(grads["dw"]), [[0.67752042], [1.41625495]], rtol=0, atol=5e-9)
    np.testing.assert_allclose(plain(grads["db"]), 0.219194504541, rtol=1e-11)
    assert capsys.readouterr().out == "Cost after iteration 0: 5.801545\n"
    assert len(costs) == 1
    w, b = make(np.array([[0.1124579], [0.23106775]])), make(-0.3)
    assert predict(w, b, np.array([[1.0, -1.1, -3.2], [1.2, 2.0, 0.1]])).tolist() == [[1.0, 1.0, 0.0]]
