"""The tolerance of a comparison is the same for Values and Tensors, and in both directions."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygraph.explaining.comparing.entries import Tolerance

NUMBERS = st.floats() | st.sampled_from([100.0, 110.0, 111.0, 112.0, 0.0, -0.0, 1.0])


@given(x=NUMBERS, y=NUMBERS, rtol=st.sampled_from([0.0, 1e-9, 0.1]), atol=st.sampled_from([0.0, 1e-12, 1.0]))
@example(x=100.0, y=111.0, rtol=0.1, atol=0.0)  # 11 is more than 10% of 100, but less than 10% of 111
@example(x=100.0, y=112.0, rtol=0.1, atol=1.0)
def test_scalars_and_arrays_have_the_same_symmetric_tolerance(x, y, rtol, atol):
    tolerance = Tolerance(rtol, atol)
    found = {tolerance.equal(x, y), tolerance.equal(y, x)}
    arrays = np.array([x, 1.0]), np.array([y, 1.0])
    found |= {tolerance.equal(*arrays), tolerance.equal(*arrays[::-1])}
    assert len(found) == 1


@pytest.mark.parametrize(
    ("x", "y", "equal"),
    [
        (100.0, 111.0, True),
        (100.0, 112.0, True),  # 12 is at most 1 + 11.2
        (100.0, 112.3, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e308, False),
    ],
)
def test_what_counts_as_equal(x, y, equal):
    assert Tolerance(0.1, 1.0).equal(x, y) is equal
    assert Tolerance(0.1, 1.0).equal(np.array([x]), np.array([y])) is equal
