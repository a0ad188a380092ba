"""Gradients at kinks: combinations of the gradients around the point are valid choices, and others are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph.checking.kink_choices import is_choice, is_kink, points_around


def around(gradient, at):
    """Return the gradients of a function at the points around a point, and at the closer points."""
    return [np.array([gradient(np.array(point)) for point in points]) for points in points_around(at)]


@given(n=st.integers(2, 4), weights=st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4))
def test_a_tie_shares_the_gradient_of_max(n, weights):
    rows, shares = around(lambda point: np.eye(n)[np.argmax(point)], [0.5] * n), np.array(weights[:n])
    assert is_kink(*rows)
    assert is_choice(shares / shares.sum() * rows[1].max(axis=0), *rows)
    assert not is_choice(np.ones(n), *rows)
    assert not is_choice(2.0 * np.eye(n)[0], *rows)
    assert not is_choice(np.full(n, np.nan), *rows)


def test_0_is_a_choice_at_a_kink_only():
    at_kink = around(lambda x: 1.0 + (x > 0.0), [0.0])  # relu(x) + relu(2 x - x) and the like
    assert is_choice(np.array([0.0]), *at_kink)
    assert not is_choice(np.array([-0.5]), *at_kink)
    smooth = around(np.exp, [0.0])
    assert not is_kink(*smooth)
    assert is_choice(np.array([1.0]), *smooth)
    assert not is_choice(np.array([0.0]), *smooth)


@given(x=st.floats(-2.0, 2.0), error=st.floats(1e-4, 1.0))
def test_a_smooth_gradient_near_0_is_no_kink(x, error):
    smooth = around(lambda x: 2.0 * x, [x, 0.0])
    assert not is_kink(*smooth)
    assert is_choice(np.array([2.0 * x, 0.0]), *smooth)
    assert not is_choice(np.array([2.0 * x, error]), *smooth)


@given(jump=st.floats(1e-6, 1e3))
def test_a_small_jump_beside_a_large_gradient_is_a_kink(jump):
    at_kink = around(lambda point: np.array([jump * (point[0] > 0.0), np.exp(point[1])]), [0.0, 0.0])
    assert is_kink(*at_kink)
    for share in (0.0, 0.5, 1.0):
        assert is_choice(np.array([share * jump, 1.0]), *at_kink)
    for wrong in ([1.01 * jump, 1.0], [-0.01 * jump, 1.0], [0.5 * jump, 1.0001]):
        assert not is_choice(np.array(wrong), *at_kink)


def test_0_is_no_choice_for_the_smooth_elements():
    at_kink = around(lambda point: np.array([np.sign(point[0]), 6.0 + point[1], 1.0]), [0.0, 0.0, 0.0])
    assert is_choice(np.array([0.0, 6.0, 1.0]), *at_kink)
    for wrong in ([0.0, 0.0, 1.0], [0.0, 6.0, 0.0], [0.0, 0.0, 0.0], [0.0, 6.01, 1.0], [0.0, 6.0, 1.0 + 1e-6]):
        assert not is_choice(np.array(wrong), *at_kink)


@given(scale=st.sampled_from([1e-4, 1e-2, 1.0, 100.0]), units=st.integers(1, 5))
def test_each_unit_of_relu_may_be_off_at_its_kink_whatever_the_scale(scale, units):
    weights = np.where(np.arange(units) == 0, 1.0, scale)
    at_kink = around(lambda point: np.append((point > 0.0) * weights, 1.0), [0.0] * units)  # beside a bias
    assert is_choice(np.append(np.zeros(units), 1.0), *at_kink)
    assert not is_choice(np.append(np.zeros(units), 0.0), *at_kink)
    assert not is_choice(np.append(np.zeros(units), 0.99), *at_kink)


@pytest.mark.parametrize("at", [[0.0, 3.0], [1e6, -1e-9]])
def test_the_points_are_close_and_different(at):
    for points in points_around(at):
        assert len({tuple(point) for point in points}) == len(points)
        assert all(abs(x - y) <= 1e-3 * max(1.0, abs(y)) for point in points for x, y in zip(point, at, strict=True))
