"""Patterns of wrong gradients: each is named, and a right gradient has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph.testing.patterns import error_pattern, shape_pattern

RIGHT = np.random.default_rng(0).normal(size=(3, 3))


@given(factor=st.floats(-9.0, 9.0).filter(lambda x: abs(x) > 0.01 and abs(x - 1.0) > 1e-3))
def test_a_factor_is_named(factor):
    found = error_pattern(factor * RIGHT, RIGHT, {})
    assert "wrong sign" in found if abs(factor + 1.0) < 1e-5 else f"{factor:.6g} times"[:4] in found


@pytest.mark.parametrize(
    ("ours", "text"),
    [
        (RIGHT.T, "transposed"),
        (RIGHT[::-1], "in other places"),
        (RIGHT + 0.25, "same amount, 0.25"),
        (RIGHT * np.nan, "NaN"),
        (RIGHT * 0.0, "every element is 0"),
        (np.full((3, 3), 2.0), "every element is the same"),
        (RIGHT * 7.0, "a sum where a mean is right"),
        (RIGHT / 7.0, "a mean where a sum is right"),
        (RIGHT * -7.0, "-7 times"),
    ],
)
def test_a_pattern_is_named(ours, text):
    assert text in error_pattern(ours, RIGHT, {"the batch": 7})


@given(seed=st.integers(1, 1000))
def test_a_gradient_with_random_errors_has_no_pattern(seed):
    ours = RIGHT + np.random.default_rng(seed).normal(size=(3, 3))
    assert not error_pattern(ours, RIGHT, {"the batch": 7})


@pytest.mark.parametrize(
    ("found", "wanted", "text"),
    [((3, 2), (2, 3), "transposed"), ((6,), (2, 3), "reshape"), ((5, 3), (3,), "broadcast"), ((4,), (3,), "")],
)
def test_a_wrong_shape_is_explained(found, wanted, text):
    assert text in shape_pattern(found, wanted)
    assert bool(shape_pattern(found, wanted)) is bool(text)
