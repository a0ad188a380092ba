"""Gradient descent lowers the cost, edits in place, and stops before a parameter becomes NaN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.logistic.problems import examples
from tinygraph import Tensor, Value
from tinygraph.cli.main import build_parser
from tinygraph.logistic import LogisticRegression, gradient_descent, two_loops


@given(drawn=examples(), rate=st.floats(0.001, 0.1))
def test_a_small_step_descends(drawn, rate):
    X, Y, w, b = drawn
    ws, bv = [Value(x) for x in w], Value(b)
    first, second = gradient_descent(ws, bv, X, Y, loss="cross_entropy_with_logits", learning_rate=rate, iterations=2)
    assert second <= first + 1e-12


def test_one_step_is_w_minus_alpha_dw():
    w, b = [Value(1.0)], Value(0.0)
    J = two_loops(w, b, [[1.0]], [0])
    J.backward()
    dw, db = w[0].grad, b.grad
    list(gradient_descent(w, b, [[1.0]], [0], learning_rate=0.5, iterations=1))
    assert (w[0].data, b.data) == (1.0 - 0.5 * dw, -0.5 * db)


def test_divergence_is_said_and_the_last_parameters_are_kept():
    w, b = [Value(40.0)], Value(0.0)
    with pytest.raises(
        FloatingPointError, match="the cost is inf at iteration 0: standardize the features, or lower the learning rate"
    ):
        list(gradient_descent(w, b, [[1e307]], [0]))
    assert (w[0].data, b.data) == (40.0, 0.0)
    assert next(gradient_descent([Value(40.0)], Value(0.0), [[1.0]], [0], iterations=1)) == 40.0
    w, b = [Value(40.0)], Value(0.0)
    costs = list(gradient_descent(w, b, [[1.0]], [0], loss="cross_entropy_with_logits", iterations=3))
    assert costs[0] == pytest.approx(40.0)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_parameter_that_would_overflow_in_the_last_iteration_is_an_error(kind):
    """It used to become infinite without an error, and NumPy warned about a Tensor."""
    w, b = ([Value(0.0)], Value(0.0)) if kind is Value else (Tensor([[0.0]]), Tensor(0.0))
    X, Y = ([[1e3], [2e5]], [0, 1]) if kind is Value else ([[1e3, 2e5]], [[0, 1]])
    with pytest.raises(FloatingPointError, match="a parameter overflows at iteration 0"):
        list(gradient_descent(w, b, X, Y, learning_rate=1e308, iterations=1))
    assert b.data == 0.0
    assert (w[0] if kind is Value else w).item() == 0.0


def test_class_and_command_have_the_same_defaults():
    model = LogisticRegression().get_params()
    options = build_parser().parse_args(["fit", "table.csv", "--target", "y"])
    for name in ("backend", "loss", "learning_rate", "iterations", "C", "tol"):
        assert getattr(options, name) == model[name]
