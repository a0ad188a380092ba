"""The tolerance of a comparison is the same for Values and Tensors, and in both directions."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygraph import Tensor, Value, compare
from tinygraph.explaining.comparing import differences
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
    found |= {tolerance.equal(np.array(x), np.array(y)), tolerance.equal(np.array(y), np.array(x))}
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


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_equal_nodes_are_compared_without_their_expressions(kind, monkeypatch):
    """The expressions of all nodes take as long as the rest of a comparison."""

    def graph(number):
        x = y = kind(number, "x")
        for _ in range(50):
            y = (y * x).tanh() + 0.5
        return y

    written = []
    monkeypatch.setattr(differences, "called", lambda node: written.append(node) or "y")
    assert compare(graph(0.3), graph(0.3))
    assert not written
    assert not compare(graph(0.3), graph(0.4))
    assert len(written) == 1
