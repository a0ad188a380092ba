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


@pytest.mark.parametrize("at", [[0.0, 3.0], [1e6, -1e-9]])
def test_the_points_are_close_and_different(at):
    points = points_around(at)
    assert len({tuple(point) for point in points}) == len(points)
    assert all(abs(x - y) <= 1e-3 * max(1.0, abs(y)) for point in points for x, y in zip(point, at, strict=True))
