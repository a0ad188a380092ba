"""Comparisons in compiled functions."""

import math

import pytest

import tinygraph
from tinygraph import FrozenBranchError, Value


@pytest.mark.parametrize("m", [1, 5])
def test_a_comparison_that_flips_is_noticed(m):
    """forward() and the compiled function raise at the same numbers."""
    w = Value(1.0, "w")
    J = Value(0.0)
    for i in range(m):
        z = w * float(i + 1)
        J = J + (z * z if z > 0.5 else -z)
    f = tinygraph.compile(J, w)
    for number in (1.0, 0.6, 0.4, 2.0, -1.0):
        w.data = number
        if number > 0.5:
            assert f(number)[0] == pytest.approx(J.forward().data, rel=1e-14)
        else:
            for use in (lambda number: J.forward(), f):
                with pytest.raises(FrozenBranchError, match=r"> 0\.5 was True when it was recorded and no longer is"):
                    use(number)


def test_comparisons_of_two_nodes_are_noticed_too():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    J = (a if a < b else b).exp() + a * b
    f = tinygraph.compile(J, [a, b])
    assert f(1.5, 1.6)[0] == pytest.approx(math.exp(1.5) + 1.5 * 1.6)
    with pytest.raises(FrozenBranchError, match="a < b"):
        f(3.0, 2.0)
