"""Gradients at kinks: combinations of the gradients around the point are valid choices, and others are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph.checking.kink_choices import is_choice, is_kink, points_around


def gradients_of_max(numbers):
    return np.array([np.eye(len(point))[np.argmax(point)] for point in points_around(numbers)])


@given(n=st.integers(2, 4), weights=st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4))
def test_a_tie_shares_the_gradient_of_max(n, weights):
    around, shares = gradients_of_max([0.5] * n), np.array(weights[:n])
    assert is_kink(around)
    assert is_choice(shares / shares.sum() * around.max(axis=0), around)
    assert not is_choice(np.ones(n), around)
    assert not is_choice(2.0 * np.eye(n)[0], around)
    assert not is_choice(np.full(n, np.nan), around)


def test_0_is_a_choice_at_a_kink_only():
    at_kink = np.array([[1.0], [2.0]])  # relu(x) + relu(2 x - x) and the like
    assert is_choice(np.array([0.0]), at_kink)
    assert not is_choice(np.array([-0.5]), at_kink)
    smooth = np.array([[1.0], [1.001]])
    assert not is_kink(smooth)
    assert is_choice(np.array([1.0]), smooth)
    assert not is_choice(np.array([0.0]), smooth)


def test_0_is_no_choice_for_the_smooth_elements():
    random = np.random.default_rng(0)
    at_kink = np.column_stack([np.sign(random.normal(size=12)), 6.0 + random.uniform(-2e-4, 2e-4, 12), np.ones(12)])
    assert is_choice(np.array([0.0, 6.0, 1.0]), at_kink)
    for wrong in ([0.0, 0.0, 1.0], [0.0, 6.0, 0.0], [0.0, 0.0, 0.0], [0.0, 6.01, 1.0], [0.0, 6.0, 1.0 + 1e-6]):
        assert not is_choice(np.array(wrong), at_kink)


@given(scale=st.sampled_from([1e-4, 1e-2, 1.0, 100.0]), units=st.integers(1, 5))
def test_each_unit_of_relu_may_be_off_at_its_kink_whatever_the_scale(scale, units):
    masks = np.array([[x > 0.0 for x in point] for point in points_around([0.0] * units)])
    weights = np.where(np.arange(units) == 0, 1.0, scale)
    at_kink = np.column_stack([masks * weights, np.ones(len(masks))])  # beside a bias, which has the gradient 1
    assert is_choice(np.append(np.zeros(units), 1.0), at_kink)
    assert not is_choice(np.append(np.zeros(units), 0.0), at_kink)
    assert not is_choice(np.append(np.zeros(units), 0.99), at_kink)


@pytest.mark.parametrize("at", [[0.0, 3.0], [1e6, -1e-9]])
def test_the_points_are_close_and_different(at):
    points = points_around(at)
    assert len({tuple(point) for point in points}) == len(points)
    assert all(abs(x - y) <= 1e-3 * max(1.0, abs(y)) for point in points for x, y in zip(point, at, strict=True))
