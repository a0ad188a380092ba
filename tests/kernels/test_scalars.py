"""A float and its array without axes are the same operand."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import Tensor
from tinygraph.engine import ops
from tinygraph.kernels.scalars import LARGEST, scalars

floats = st.floats(width=64)


@given(st.lists(floats, min_size=1, max_size=5), floats)
def test_a_float_and_its_array_give_the_same_bits(elements, number):
    x = np.array(elements)
    with np.errstate(all="ignore"):
        for ufunc in (np.add, np.subtract, np.multiply, np.divide):
            assert ufunc(x, scalars[number]).tobytes() == ufunc(x, number).tobytes()
            assert ufunc(scalars[number], x).tobytes() == ufunc(number, x).tobytes()


@given(st.permutations([0.0, -0.0, 1.0, -1.0]))
def test_each_zero_keeps_its_sign(numbers):
    for number in numbers:
        assert np.copysign(1.0, scalars[number]) == np.copysign(1.0, number)
        assert np.copysign(1.0, (Tensor([1.0]) * number).data[0]) == np.copysign(1.0, number)


def test_few_floats_are_kept_and_none_can_be_edited():
    for k in range(3 * LARGEST):
        assert scalars[k + 0.5] == k + 0.5
    assert 0 < len(scalars) <= LARGEST
    assert np.isnan(scalars[float("nan")])
    with pytest.raises(ValueError, match="read-only"):
        scalars[1.5][...] = 2.0


@given(st.lists(floats, min_size=1, max_size=5), floats, st.sampled_from(["add", "sub", "mul", "div"]))
def test_an_operator_with_a_float_records_what_the_op_records(elements, number, name):
    op, operator_of = getattr(ops, name), getattr(operator, name.replace("div", "truediv"))
    found = []
    for record in (operator_of, op):
        t = Tensor(elements)
        y = record(t, number)
        y.sum().backward()
        content = [array.tobytes() for array in (y.data, y.grad, t.grad)]
        found.append((content, y.op, y.x is t, repr(y.y), y.constant, y.scope))
    assert found[0] == found[1]
    assert found[0][1:3] == (op, True)
