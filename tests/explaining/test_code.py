"""The code of an op computes the same value as the op, with parentheses where they are needed."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph.engine import ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining.code import array_code, call_code, index_code, number_code, template_of, value_code
from tinygraph.tensor.indexing import concatenate, index, scatter_add
from tinygraph.tensor.reductions import indicator, sum_over
from tinygraph.tensor.shapes import expand, reshape, sum_to, transpose
from tinygraph.testing import points

PARAMETRIZED = [ops.power(3), ops.power(-0.5), ops.power_partial(2), ops.power_partial(3), ops.power_partial(2.5, 2)]
NAMES = {"tinygraph": tinygraph, "np": np}


@pytest.mark.parametrize("op", [*TABLE.values(), *PARAMETRIZED], ids=lambda op: op.name)
@settings(max_examples=20)
@given(data=st.data())
def test_the_code_of_an_op_computes_the_op(op, data):
    point = data.draw(points(op, limit=20.0))
    value = op.on(point)
    assume(math.isfinite(value))  # if the value is not finite, Python's ** and / raise
    assert eval(call_code(op, *map(repr, point)), NAMES) == pytest.approx(value, rel=1e-14)


ARRAY_OPS = [
    *(reshape((3, 2)), reshape((6,)), transpose((1, 0)), expand((2, 2, 3)), sum_to((1, 3)), sum_over(None)),
    *(sum_over((0, 1)), sum_over(1, True), indicator("max", 0), index(1), index((slice(None), [0, 2])), index((0,))),
    *(index((np.array([0, 1, 1]), slice(None, None, -1))), index(...), index(())),
]


@pytest.mark.parametrize("op", ARRAY_OPS, ids=repr)
def test_the_code_of_an_array_op_computes_the_op(op):
    x = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(eval(call_code(op, "x"), {**NAMES, "x": x}), op(x))


def test_arrays_among_the_parameters_are_written_out():
    x, key = np.array([1.0, 2.0, 3.0]), np.array([0, 0, 2])
    code = call_code(scatter_add(key, (3,)), "x")
    assert code == "tinygraph.tensor.indexing.scatter_add(np.array([0, 0, 2]), (3,))(x)"
    assert eval(code, {**NAMES, "x": x}).tolist() == [3.0, 0.0, 3.0]
    assert call_code(concatenate(0), "a", "b", "c") == "np.concatenate([a, b, c], axis=0)"


@pytest.mark.parametrize(
    ("op", "operands", "code"),
    [
        (ops.add, ["a + b", "c + d"], "a + b + (c + d)"),
        (ops.sub, ["a - b", "c - d"], "a - b - (c - d)"),
        (ops.mul, ["a + b", "-c"], "(a + b) * -c"),
        (ops.div, ["a * b", "c * d"], "a * b / (c * d)"),
        (ops.pow, ["-a", "-b"], "(-a) ** -b"),
        (ops.neg, ["a * b"], "-(a * b)"),
        (ops.power(2), ["a ** b"], "(a ** b) ** 2"),
        (ops.power_partial(2), ["a + b"], "2 * (a + b)"),
        (ops.exp, ["a + b"], "tinygraph.exp(a + b)"),
        (transpose((1, 0)), ["a @ b"], "(a @ b).T"),
        (index(0), ["a + b"], "(a + b)[0]"),
        (sum_over(0), ["a + b"], "np.sum(a + b, axis=0)"),
    ],
)
def test_parentheses_are_where_they_are_needed(op, operands, code):
    assert call_code(op, *operands) == code


def test_templates_know_their_operator():
    assert template_of(ops.add).associative
    assert template_of(ops.mul).associative
    assert not template_of(ops.sub).associative
    assert template_of(ops.div).operator == "Div"
    assert template_of(transpose((1, 0))).operator == ""


@given(x=st.floats())
def test_numbers_are_written_as_they_are(x):
    again = eval(number_code(x), NAMES)
    assert (again == x and math.copysign(1.0, again) == math.copysign(1.0, x)) or (again != again and x != x)


@given(
    key=st.tuples(st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9), st.none() | st.integers(1, 3)).map(
        lambda ends: slice(*ends)
    )
)
def test_slices_are_written_as_they_are(key):
    class Reader:
        def __getitem__(self, key):
            return key

    for written in (key, (key, 0), (..., key, None)):
        assert eval(f"reader[{index_code(written)}]", {"reader": Reader()}) == written
        assert eval(value_code(written)) == written


@pytest.mark.parametrize("x", [np.array(1.5), np.zeros((0, 2)), np.array([[1.0, -0.0]])])
def test_arrays_are_written_as_they_are(x):
    again = eval(array_code(x), NAMES)
    assert again.shape == x.shape
    assert again.tobytes() == x.tobytes()
