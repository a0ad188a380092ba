"""The learning rate that is chosen leads to the minimum, and the cost stays below its largest recent value."""

import numpy as np
import pytest

from tinygraph import Tensor, Value
from tinygraph.logistic.adaptive import REMEMBERED, descend_adaptively
from tinygraph.logistic.normalization import Normalization

PLAIN = Normalization(np.zeros(1), np.eye(1))


def run(cost, start=3.0, iterations=1000, tol=1e-10):
    x, unused = Value(start), Value(0.0)

    def backward():
        J = cost(x) + unused * unused
        J.backward()
        return J.data

    steps, costs = descend_adaptively(backward, [x, unused], PLAIN, iterations, tol), []
    while True:
        try:
            costs.append(next(steps))
        except StopIteration as end:
            return x.data, costs, end.value


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_a_parabola_needs_few_iterations(factor):
    x, costs, converged = run(lambda x: factor * (x - 1.0) * (x - 1.0), tol=factor * 1e-9)
    assert (x, converged) == (pytest.approx(1.0), True)
    assert len(costs) < 15


def test_the_cost_stays_below_the_largest_of_the_last_ten():
    x, costs, converged = run(lambda x: (x * x - 2.0) ** 2 + x)
    assert converged
    for k in range(1, len(costs)):
        assert costs[k] <= max(costs[max(0, k - REMEMBERED) : k])
    assert 4.0 * x * (x * x - 2.0) + 1.0 == pytest.approx(0.0, abs=1e-9)


def test_iterations_without_convergence():
    x, costs, converged = run(lambda x: (-x).exp(), iterations=3)
    assert (len(costs), converged) == (3, False)
    assert x > 3.0


def test_where_the_cost_is_not_finite_the_learning_rate_is_shortened():
    x, _, converged = run(lambda x: x - x.log(), start=1e-3, tol=1e-8)
    assert converged
    assert x == pytest.approx(1.0)


@pytest.mark.parametrize("tol", [None, 1e-3])
def test_a_gradient_of_zero_stops(tol):
    assert run(lambda x: x * 0.0 + 5.0, tol=tol) == (3.0, [5.0], True)


def test_where_no_learning_rate_lowers_the_cost_the_parameters_are_kept():
    x, _, converged = run(lambda x: x * 1e-300 + 1e300, tol=None)
    assert converged
    assert x == 3.0


def test_a_cost_that_is_not_finite_at_the_start_is_an_error():
    with pytest.raises(FloatingPointError, match="the cost is inf at iteration 0"):
        run(lambda x: x * 1e308 * 1e10)


def test_tensors_keep_their_shapes():
    w, b = Tensor([[1.0], [2.0]]), Tensor(0.5)

    def backward():
        J = (w * w).sum() + b * b
        J.backward()
        return J.item()

    list(descend_adaptively(backward, [w, b], Normalization(np.zeros(2), np.eye(2)), 50, 1e-9))
    assert w.shape == (2, 1)
    assert b.shape == ()
    np.testing.assert_allclose([*w.data.ravel(), b.item()], 0.0, atol=1e-8)
