"""Gradient descent lowers the cost, edits in place, and stops before a parameter becomes NaN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.logistic.problems import examples
from tinygraph import Value
from tinygraph.logistic import gradient_descent, two_loops


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
    with pytest.raises(FloatingPointError, match="cross_entropy_with_logits"):
        list(gradient_descent(w, b, [[1.0]], [0]))
    assert (w[0].data, b.data) == (40.0, 0.0)
    costs = list(gradient_descent(w, b, [[1.0]], [0], loss="cross_entropy_with_logits", iterations=3))
    assert costs[0] == pytest.approx(40.0)
