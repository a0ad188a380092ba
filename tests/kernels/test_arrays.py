"""Ops on arrays give the results of the ops on floats, elementwise; and the data that an array accepts."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tinygraph
from tests.oracles.references import OPTIONS, REFERENCES, row_partial
from tinygraph import Tensor
from tinygraph.engine import domain, ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.kernels.arrays import as_array, float_by_float
from tinygraph.testing import points

ROWS = [
    *[row for row in TABLE.values() if not row.variadic],
    *[ops.power(c) for c in (0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 2.7)],
    *[ops.power_partial(c) for c in (0.0, 1.0, 2.0, 3.0, -1.0, 0.5)],
    *[row for row, _ in OPTIONS],
]
SHIFT = {row: 1.0 if row.domain is domain.ABOVE_1 else 0.0 for row in ROWS}  # moves the points below into the domain
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-320, 1000.0, -1000.0, math.inf, -math.inf, math.nan]


def ulps(x, y, size=0.0):
    """Return the distance of two floats, in units in the last place of the second, or of a larger size."""
    if x == y or (x != x and y != y):
        return 0.0
    return abs(x - y) / math.ulp(max(abs(y), size)) if math.isfinite(x) and math.isfinite(y) else math.inf


def size_of(row, point, slot=None):
    """Return the size that errors are relative to if a difference cancels, as the references define it."""
    size = REFERENCES[row.name].size(point, slot) if row.name in REFERENCES else None
    return 0.0 if size is None else float(size)


def tensor_partials(row, operands):
    leaves = [Tensor(x) for x in operands]
    y = row(*leaves)
    partials = tinygraph.grad(y, leaves, seed=np.ones(y.shape))
    return y.data, partials


@rows
@settings(max_examples=15)
@given(data=st.data())
def test_values_and_slopes_are_those_of_floats_within_4_ulp(row, data):
    drawn = data.draw(st.lists(points(row, limit=1000.0, clear=0.0), min_size=1, max_size=4))
    value, partials = tensor_partials(row, [np.array(x) for x in zip(*drawn, strict=True)])
    for i, point in enumerate(drawn):
        assert ulps(value[i], row.floats(*point), size_of(row, point)) <= 4.0, point
        for slot, local in enumerate(partials):
            assert ulps(local[i], row_partial(row, point, slot), size_of(row, point, slot)) <= 4.0, (point, slot)


@rows
def test_special_values_go_by_ieee_without_a_warning(row):
    grid = list(itertools.product(SPECIAL, repeat=row.arity))
    value, partials = tensor_partials(row, [np.array(x) for x in zip(*grid, strict=True)])
    wrong = []
    for i, point in enumerate(grid):
        pairs = [(value[i], row.floats(*point)), *[(s[i], row_partial(row, point, k)) for k, s in enumerate(partials)]]
        wrong += [(point, k, float(x), y) for k, (x, y) in enumerate(pairs) if ulps(x, y) > 4.0]
    assert not wrong


@rows
def test_arrays_of_every_shape_keep_it(row):
    for shape in ((), (1,), (0,), (2, 0), (2, 1, 3)):
        value, partials = tensor_partials(row, [np.full(shape, 0.25 + SHIFT[row])] * row.arity)
        assert type(value) is np.ndarray
        assert value.shape == shape
        assert all(type(local) is np.ndarray and local.shape == shape for local in partials)
        assert np.all(value == value.ravel()[:1]) if value.size else True


@rows
def test_a_slope_of_a_slope_is_the_same_on_arrays(row):
    leaves = [Tensor(np.full(2, 0.375 + 0.25 * i + SHIFT[row])) for i in range(row.arity)]
    y = row(*leaves)
    first = tinygraph.grad(y, leaves, seed=np.ones(2), create_graph=True)
    values = [tinygraph.Value(0.375 + 0.25 * i + SHIFT[row]) for i in range(row.arity)]
    expected = tinygraph.hessian(row(*values), values)
    for local, row_of_hessian in zip(first, expected, strict=True):
        for second, number in zip(tinygraph.grad(local, leaves, seed=np.ones(2)), row_of_hessian, strict=True):
            assert second.tolist() == pytest.approx([number] * 2, rel=1e-13, abs=1e-15)


@rows
def test_a_row_on_plain_arrays_is_an_array(row):
    operands = [np.array([0.25, 0.5]) + SHIFT[row]] * row.arity
    assert np.array_equal(row(*operands), row.arrays(*operands))
    assert [type(row(*[0.25] * row.arity)), type(row(*[np.float64(0.25)] * row.arity))] == [float, float]


def test_a_function_of_floats_is_mapped_bit_by_bit():
    slow = float_by_float(lambda x, y: math.atan2(x, y), 2)
    x, y = np.array([[1.0], [2.0]]), np.array([3.0, 4.0])
    assert slow(x, y).tolist() == [[math.atan2(a, b) for b in y] for a in x.ravel()]
    assert slow(np.zeros((0, 2)), 1.0).shape == (0, 2)
    assert slow(np.array(1.0), 2.0).shape == ()


@pytest.mark.parametrize(
    "data",
    [
        1,
        True,
        2.5,
        [1, 2],
        ((1.0,), (2.0,)),
        range(3),
        np.float32(1.5),
        np.arange(4, dtype=np.int8),
        Fraction(3, 4),
        [Fraction(1, 2), Decimal("0.25")],
        np.array([1, Fraction(1, 2)], dtype=object),
        np.array([True]),
        [],
    ],
)
def test_real_numbers_of_any_kind_become_float64(data):
    array = as_array(data, "Tensor")
    assert type(array) is np.ndarray
    assert array.dtype == np.float64
    assert array.tolist() == np.array(data, dtype=np.float64).tolist()


def test_an_array_of_float64_is_itself_and_a_subclass_a_plain_view():
    x = np.ones((2, 3))
    assert as_array(x, "Tensor") is x
    for view in (x.T, x[::-1], x[:0]):
        assert as_array(view, "Tensor") is view
    assert type(as_array(np.ones(2).view(np.recarray), "Tensor")) is np.ndarray
    big = x.astype(">f8")
    assert Tensor(big).data.dtype == np.dtype(np.float64)
    assert Tensor(big).data.dtype.isnative


@given(
    c=st.sampled_from([-2.0, -0.5, 0.5, 1.5, 3.0, 7.0]),
    xs=st.lists(st.floats(5e-324, 1e308), min_size=1, max_size=4),
    ys=st.lists(st.floats(5e-324, 1e308), min_size=4, max_size=4),
)
@example(c=-0.5, xs=[2.457414933207485e-206], ys=[1.0] * 4)
@example(c=-2.0, xs=[1e-310], ys=[1e-5] * 4)
def test_slopes_hold_where_something_on_their_way_leaves_the_range_of_floats(c, xs, ys):
    for row, operands in ((ops.power(c), [xs]), (ops.div, [xs, ys[: len(xs)]])):
        _, partials = tensor_partials(row, [np.array(x) for x in operands])
        for i, point in enumerate(zip(*operands, strict=True)):
            for slot, local in enumerate(partials):
                assert ulps(local[i], row_partial(row, point, slot)) <= 4.0, (row, point, slot)
