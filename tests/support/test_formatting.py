"""`"%f" % x` shows a node, and no other request for a float gets one."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tinygraph import Tensor, Value

NODES = {"Value": lambda: Value(2.5), "Tensor": lambda: Tensor(2.5), "one element": lambda: Tensor([[2.5]])}
nodes = pytest.mark.parametrize("make", NODES.values(), ids=NODES)


@nodes
def test_text_formatting_shows_the_number(make):
    x = make()
    assert "%i: %f" % (3, x) == "3: 2.500000"
    assert "%(cost).2e" % {"cost": x} == "2.50e+00"
    assert b"%.1f" % x == b"2.5"
    text = "%g"
    text %= x
    assert text == "2.5"


@nodes
@pytest.mark.parametrize(
    "convert",
    [
        float, math.exp, math.sqrt, int, complex, lambda x: float(x) % 2.0, lambda x: "%f" % float(x),
        lambda x: np.zeros(1).fill(x), lambda x: "%d" % x, lambda x: math.fmod(7.0, x), lambda x: [1.0].index(x),
    ],
)  # fmt: skip
def test_other_conversions_are_refused(make, convert):
    with pytest.raises((TypeError, ValueError)):
        convert(make())


@nodes
@pytest.mark.parametrize(
    "left", [7, 7.0, True, np.float64(7.0), np.float32(7.0), np.int8(7), Fraction(7), Decimal(7), np.longdouble(7)]
)
def test_the_remainder_of_a_number_is_recorded(make, left):
    """The operator % of a number never asks for a float, because the node decides."""
    remainder = left % make()
    assert remainder.op.name == "mod"
    assert remainder.item() == float(left) % 2.5


def test_an_array_with_several_elements_is_not_a_number():
    with pytest.raises(ValueError, match="size 1"):
        "%f" % Tensor([1.0, 2.0])
