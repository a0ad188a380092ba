"""Every op is accurate to 2 ULP in its value and 4 ULP in its local derivatives, wherever it is defined.

The reference is mpmath (`references`). This file also tests derivatives of order 2 and 3, and the special values of
IEEE 754.
"""

from __future__ import annotations

import itertools
import math
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from tests.oracles.references import (
    HUGE,
    REFERENCES,
    ROWS,
    TINY,
    Reference,
    call,
    points,
    row_partial,
    row_value,
    ulp_error,
)
from tinygraph import Tensor, Value, grad
from tinygraph.engine import graph, ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.kernels import arrays, floats

VALUE_ULPS, SLOPE_ULPS = 2.0, 4.0
every_row = pytest.mark.parametrize("name", ROWS)


def names(table: list[tuple[Op, tuple[float, ...], tuple[float, ...]]]) -> list[str]:
    return [f"{row.name}{point}" for row, point, _ in table]


def test_every_row_has_a_reference():
    assert set(TABLE) == set(REFERENCES)


# --- first order ----------------------------------------------------------------------------------


def check_value(row: Op, truth: Reference, point: tuple[float, ...]) -> None:
    number = row_value(row, point)
    exact = truth.expected(point)
    error = ulp_error(number, exact, truth.size(point))
    assert error <= VALUE_ULPS, f"{row.name}{point} is {number}, not {mp.nstr(exact, 20)}: {error:.2f} ULP"


def check_partials(row: Op, truth: Reference, point: tuple[float, ...]) -> None:
    for slot in range(len(point)):
        local = row_partial(row, point, slot)
        exact = truth.expected(point, slot)
        error = ulp_error(local, exact, truth.size(point, slot))
        assert error <= SLOPE_ULPS, (
            f"slope {slot} of {row.name}{point} is {local}, not {mp.nstr(exact, 20)}: {error:.2f} ULP"
        )


def drawn(row: Op) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw points from the domain of the op, both extreme ones and ones in the lecture's range."""

    def number(low: float, high: float, whole: type | None = None) -> st.SearchStrategy[float]:
        near = st.floats(max(low, -1000.0), min(high, 1000.0)) if low < 1000.0 and high > -1000.0 else st.nothing()
        if whole is not None:
            return st.integers(-1000, 1000).map(float) | st.floats(low, high).map(lambda x: float(round(x)))
        return near | st.floats(low, high)

    if row.variadic:
        any_number = st.floats(-HUGE, HUGE) | st.floats(-1000.0, 1000.0)
        return st.integers(1, 3).flatmap(lambda n: st.tuples(*[any_number] * (row.arity * n)))
    boxes = [box * row.arity if len(box) < row.arity else box for box in row.domain.boxes]
    return st.one_of([st.tuples(*[number(*bounds) for bounds in box]) for box in boxes]).filter(
        lambda point: row.domain.contains(*point)
    )


@every_row
def test_values_are_within_2_ulp(name):
    row, truth = ROWS[name]
    for point in points(row, 150):
        check_value(row, truth, point)


@every_row
def test_slopes_are_within_4_ulp(name):
    row, truth = ROWS[name]
    for point in points(row, 100):
        check_partials(row, truth, point)


@every_row
def test_values_and_slopes_hold_wherever_hypothesis_looks(name):
    row, truth = ROWS[name]

    @settings(max_examples=30)
    @given(drawn(row))
    def hold(point):
        check_value(row, truth, point)
        check_partials(row, truth, point)

    hold()


@given(st.floats(1e-300, 1e300).filter(lambda x: not 0.9 < x < 1.1), st.floats(-1079, -1010) | st.floats(1014, 1026))
@example(1.7976931348623157e308, -1023.9897)
def test_powers_are_accurate_where_the_power_itself_leaves_the_normal_range(x, binary_exponent):
    """The power is subnormal or infinite there, but its product with the logarithm or with a factor can be normal."""
    y = float(np.float32(binary_exponent / math.log2(x)))  # so that y - 1 is exact
    check_value(ops.pow_dy, REFERENCES["pow_dy"], (x, y))
    with np.errstate(all="ignore"):  # as where Tensors call the kernels
        of_array = float(arrays.lowered_power(np.array([x]), y, 1, y)[0])
    for number in (floats.lowered_pow(x, y, 1, y), of_array):
        exact = mpf(y) * mpf(x) ** (mpf(y) - 1)
        assert ulp_error(number, exact, abs(exact)) <= VALUE_ULPS


# --- orders 2 and 3 -------------------------------------------------------------------------------


def derivative(row: Op, point: tuple[float, ...], slots: tuple[int, ...]) -> tuple[float, float]:
    """Return the derivative with respect to these slots, one after the other, and the sum of its absolute terms."""
    leaves = [Value(x) for x in point]
    node = call(row, leaves)
    for slot in slots[:-1]:
        node = grad(node, leaves[slot], create_graph=True)
    paths: dict[Any, float] = {node: 1.0}
    for at in graph.order(node):
        for arg, local in zip(at.args, at.partials, strict=True):
            if local is not None and at in paths:
                paths[arg] = paths.get(arg, 0.0) + paths[at] * abs(local)
    last = leaves[slots[-1]]
    return float(grad(node, last)), paths.get(last, 0.0)


def exact_derivative(truth: Reference, point: tuple[float, ...], slots: tuple[int, ...]) -> Any:
    """Return this derivative by differences of the reference at 700 digits; every digit of float64 is correct."""
    with mp.workdps(700):
        h = mpf(10) ** -120
        at = [mpf(x) for x in point]

        def moved(f: Any, slot: int) -> Any:
            def difference(xs: list[Any]) -> Any:
                right, left = ([x + by * (i == slot) for i, x in enumerate(xs)] for by in (h, -h))
                return (f(right) - f(left)) / (2 * h)

            return difference

        f: Any = lambda xs: truth.partials[slots[0]](*xs)  # noqa: E731
        for slot in slots[1:]:
            f = moved(f, slot)
        return mpf(f(at))


TAME = (0.7, -1.3, 2.0, 0.25, 0.5, -0.4, 3.0, 0.001, -7.5, 30.0, -30.0, 300.0, -300.0, 0.0)


def tame_points(row: Op) -> list[tuple[float, ...]]:
    if row.variadic:
        return [TAME[: 2 * row.arity]]
    grid = itertools.product(TAME, repeat=row.arity)
    inside = [point for point in grid if row.domain.contains(*point)]
    return inside if row.arity == 1 else inside[:: max(1, len(inside) // 12)]


# If terms of these ops cancel within one private op, the graph does not show the terms.
CANCELLING = ("atan2", "pow", "pow_dx", "pow_dy", "binary_cross_entropy", "binary_cross_entropy_da", "gelu", "gelu_dx")


@every_row
@pytest.mark.parametrize("order", [2, 3])
def test_derivatives_of_higher_order_are_right(name, order):
    row, truth = ROWS[name]
    for point in tame_points(row):
        for slots in itertools.combinations_with_replacement(range(len(point)), order):
            exact = exact_derivative(truth, point, slots)
            if mp.isnan(exact):  # a negative base, differentiated with respect to the exponent
                continue
            computed, terms = derivative(row, point, slots)
            if name in CANCELLING:
                terms += abs(row_partial(row, point, slots[0]))
            close = abs(mpf(computed) - exact) <= 1e-12 * max(terms, abs(exact)) + mpf(2) ** -1060
            assert close, f"{row.name}{point} by {slots}: {computed}, not {mp.nstr(exact, 20)} ({terms})"


NEAR_ZERO = [  # op, and the first term of the even derivatives: x, times the derivative of the next order at 0
    (ops.asin, {2: 1.0, 4: 9.0}),
    (ops.acos, {2: -1.0, 4: -9.0}),
    (ops.tanh, {2: -2.0, 4: 16.0}),
    (ops.atan, {2: -2.0, 4: 24.0}),
    (ops.sin, {2: -1.0, 4: 1.0}),
    (ops.sinh, {2: 1.0, 4: 1.0}),
    (ops.tan, {2: 2.0, 4: 16.0}),
    (ops.sigmoid, {2: -0.125, 4: 0.25}),
    (ops.log_sigmoid, {3: 0.125}),
    (ops.softplus, {3: -0.125}),
]


@pytest.mark.parametrize(("row", "terms"), NEAR_ZERO, ids=[row.name for row, _ in NEAR_ZERO])
@pytest.mark.parametrize("kind", [Value, Tensor])
@pytest.mark.parametrize("x", [1e-9, -3e-12, 1e-100])
def test_even_derivatives_keep_their_digits_near_0(row, terms, kind, x):
    leaf = kind(x)
    node = row(leaf)
    for order in range(1, 5):
        node = grad(node, leaf, create_graph=True)
        if order in terms:
            assert float(node.data) == pytest.approx(terms[order] * x, rel=1e-14)


AT_ZERO = [  # op, operands, and the derivatives of order 1, 2 and 3 with respect to the first operand
    (ops.power(2), (0.0,), (0.0, 2.0, 0.0)),
    (ops.power(3), (0.0,), (0.0, 0.0, 6.0)),
    (ops.power(1), (0.0,), (1.0, 0.0, 0.0)),
    (ops.power(0), (0.0,), (0.0, 0.0, 0.0)),
    (ops.power(2.5), (0.0,), (0.0, 0.0, inf)),
    (ops.power(-1), (0.0,), (-inf, inf, -inf)),
    (ops.power(-1), (-0.0,), (-inf, -inf, -inf)),
    (ops.power(-2), (-0.0,), (inf, inf, inf)),
    (ops.atan, (inf,), (0.0, 0.0, 0.0)),
    (ops.pow, (0.0, 2.0), (0.0, 2.0, 0.0)),
    (ops.pow, (0.0, 1.0), (1.0, 0.0, 0.0)),
    (ops.pow, (0.0, 0.0), (0.0, 0.0, 0.0)),
    (ops.pow, (-2.0, 3.0), (12.0, -12.0, 6.0)),
    (ops.abs, (0.0,), (0.0, 0.0, 0.0)),
    (ops.relu, (0.0,), (0.0, 0.0, 0.0)),
    (ops.sign, (0.0,), (0.0, 0.0, 0.0)),
    (ops.maximum, (0.0, 0.0), (0.5, 0.0, 0.0)),
    (ops.sqrt, (0.0,), (inf, -inf, inf)),
    (ops.log, (0.0,), (inf, -inf, inf)),
    (ops.binary_cross_entropy, (0.0, 0.0), (1.0, 1.0, 2.0)),
    (ops.binary_cross_entropy, (1.0, 1.0), (-1.0, 1.0, -2.0)),
    (ops.div, (0.0, 2.0), (0.5, 0.0, 0.0)),
    (ops.squared_error, (0.0, 0.0), (0.0, 1.0, 0.0)),
    (ops.asin, (1.0,), (inf, inf, inf)),
    (ops.asin, (-1.0,), (inf, -inf, inf)),
    (ops.acos, (1.0,), (-inf, -inf, -inf)),
    (ops.binary_cross_entropy, (-0.0, 1.0), (-inf, inf, -inf)),
]


@pytest.mark.parametrize(("row", "point", "expected"), AT_ZERO, ids=names(AT_ZERO))
def test_derivatives_at_zero_and_at_kinks(row, point, expected):
    x, *others = (Value(number) for number in point)
    node, found = row(x, *others), []
    for _ in expected:
        node = grad(node, x, create_graph=True)
        found.append(node.data)
    assert tuple(found) == expected


def test_all_derivatives_of_a_power_of_zero():
    """At 0^2, terms such as x^2 log x go to 0, and the other terms go to their limits."""
    expected = {"xx": 2.0, "xy": 0.0, "yy": 0.0, "xxx": 0.0, "xxy": -inf, "xyy": 0.0, "yyy": 0.0}
    for letters, number in expected.items():
        for order in set(itertools.permutations(letters)):
            leaves = {"x": Value(0.0), "y": Value(2.0)}
            node = leaves["x"] ** leaves["y"]
            for letter in order:
                node = grad(node, leaves[letter], create_graph=True)
            assert node.data == number, order


# --- special values -------------------------------------------------------------------------------

SPECIAL = [  # op, operands, and the value followed by the local derivatives
    (ops.add, (inf, -inf), (nan, 1.0, 1.0)),
    (ops.mul, (inf, 0.0), (nan, 0.0, inf)),
    (ops.neg, (nan,), (nan, -1.0)),
    (ops.div, (1.0, 0.0), (inf, inf, -inf)),
    (ops.div, (1.0, -0.0), (-inf, -inf, -inf)),
    (ops.div, (-1.0, 0.0), (-inf, inf, inf)),
    (ops.div, (0.0, 0.0), (nan, inf, nan)),
    (ops.div, (1.0, inf), (0.0, 0.0, -0.0)),
    (ops.pow, (0.0, 0.0), (1.0, 0.0, 0.0)),
    (ops.pow, (0.0, 2.0), (0.0, 0.0, 0.0)),
    (ops.pow, (0.0, -1.0), (inf, -inf, -inf)),
    (ops.pow, (-0.0, -1.0), (-inf, -inf, -inf)),
    (ops.pow, (-2.0, 0.5), (nan, nan, nan)),
    (ops.pow, (-2.0, 2.0), (4.0, -4.0, nan)),
    (ops.pow, (inf, 2.0), (inf, inf, inf)),
    (ops.pow, (inf, -1.0), (0.0, -0.0, 0.0)),
    (ops.pow, (0.5, inf), (0.0, 0.0, -0.0)),
    (ops.power(0.5), (-2.0,), (nan, nan)),
    (ops.power(0.5), (0.0,), (0.0, inf)),
    (ops.power(-1.0), (0.0,), (inf, -inf)),
    (ops.power(-1.0), (-0.0,), (-inf, -inf)),
    (ops.power(2.0), (-0.0,), (0.0, -0.0)),
    (ops.exp, (1000.0,), (inf, inf)),
    (ops.exp, (-inf,), (0.0, 0.0)),
    (ops.expm1, (-inf,), (-1.0, 0.0)),
    (ops.log, (0.0,), (-inf, inf)),
    (ops.log, (-0.0,), (-inf, inf)),
    (ops.log, (-1.0,), (nan, nan)),
    (ops.log, (inf,), (inf, 0.0)),
    (ops.log1p, (-1.0,), (-inf, inf)),
    (ops.log1p, (-2.0,), (nan, nan)),
    (ops.log1p, (-0.0,), (-0.0, 1.0)),
    (ops.sqrt, (0.0,), (0.0, inf)),
    (ops.sqrt, (-0.0,), (-0.0, inf)),
    (ops.sqrt, (-1.0,), (nan, nan)),
    (ops.sqrt, (inf,), (inf, 0.0)),
    (ops.logaddexp, (inf, -inf), (inf, 1.0, 0.0)),
    (ops.logaddexp, (-inf, -inf), (-inf, 0.5, 0.5)),
    (ops.logaddexp, (nan, 0.0), (nan, nan, nan)),
    (ops.sin, (inf,), (nan, nan)),
    (ops.cos, (-inf,), (nan, nan)),
    (ops.tan, (inf,), (nan, nan)),
    (ops.asin, (1.0,), (math.pi / 2, inf)),
    (ops.asin, (2.0,), (nan, nan)),
    (ops.acos, (-1.0,), (math.pi, -inf)),
    (ops.acos, (inf,), (nan, nan)),
    (ops.atan, (inf,), (math.pi / 2, 0.0)),
    (ops.sinh, (-1000.0,), (-inf, inf)),
    (ops.cosh, (-1000.0,), (inf, -inf)),
    (ops.tanh, (inf,), (1.0, 0.0)),
    (ops.tanh, (-0.0,), (-0.0, 1.0)),
    (ops.tanh, (nan,), (nan, nan)),
    (ops.sigmoid, (-inf,), (0.0, 0.0)),
    (ops.sigmoid, (1000.0,), (1.0, 0.0)),
    (ops.log_sigmoid, (-inf,), (-inf, 1.0)),
    (ops.softplus, (inf,), (inf, 1.0)),
    (ops.softplus, (-inf,), (0.0, 0.0)),
    (ops.softplus, (nan,), (nan, nan)),
    (ops.abs, (-0.0,), (0.0, 0.0)),
    (ops.abs, (nan,), (nan, nan)),
    (ops.sign, (nan,), (nan, nan)),
    (ops.relu, (nan,), (nan, nan)),
    (ops.relu, (-inf,), (0.0, 0.0)),
    (ops.heaviside, (0.0,), (0.0, 0.0)),
    (ops.maximum, (nan, 1.0), (nan, nan, nan)),
    (ops.maximum, (inf, inf), (inf, 0.5, 0.5)),
    (ops.minimum, (1.0, nan), (nan, nan, nan)),
    (ops.minimum, (3.0, 3.0), (3.0, 0.5, 0.5)),
    (ops.binary_cross_entropy, (1.0, 1.0), (0.0, -1.0, -inf)),
    (ops.binary_cross_entropy, (0.0, 1.0), (inf, -inf, inf)),
    (ops.binary_cross_entropy, (0.0, 0.0), (0.0, 1.0, inf)),
    (ops.binary_cross_entropy, (1.0, 0.5), (inf, inf, -inf)),
    (ops.binary_cross_entropy, (1.5, 1.0), (nan, nan, nan)),
    (ops.binary_cross_entropy, (-0.5, 0.0), (nan, nan, nan)),
    (ops.binary_cross_entropy_with_logits, (inf, 1.0), (0.0, 0.0, -inf)),
    (ops.binary_cross_entropy_with_logits, (-inf, 1.0), (inf, -1.0, inf)),
    (ops.binary_cross_entropy_with_logits, (1000.0, 0.0), (1000.0, 1.0, -1000.0)),
    (ops.squared_error, (1e200, -1e200), (inf, 2e200, -2e200)),
    (ops.squared_error, (inf, inf), (nan, nan, nan)),
    (TABLE["logit"], (2.0,), (nan, nan)),
    (TABLE["log_partial"], (-1.0,), (nan, nan)),
    (ops.total, (1e308, 1e308, -1e308), (1e308, 1.0, 1.0, 1.0)),
    (ops.total, (HUGE, HUGE, -HUGE, -HUGE, TINY), (TINY, 1.0, 1.0, 1.0, 1.0, 1.0)),
    (ops.total, (1e308, 1e308, -inf), (-inf, 1.0, 1.0, 1.0)),
    (ops.total, (inf, -inf), (nan, 1.0, 1.0)),
    (ops.dot, (1e200, 1e200, 1e200, -1e200), (0.0, 1e200, -1e200, 1e200, 1e200)),
    (ops.dot, (1e200, 1e200), (inf, 1e200, 1e200)),
    (ops.dot, (inf, 0.0), (nan, 0.0, inf)),
]


@pytest.mark.parametrize(("row", "point", "expected"), SPECIAL, ids=names(SPECIAL))
def test_special_values_follow_ieee(row, point, expected):
    found = [row_value(row, point), *(row_partial(row, point, slot) for slot in range(len(point)))]
    assert list(map(repr, found)) == list(map(repr, expected))


EDGES = (nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, TINY, -TINY, 1e-310, HUGE, -HUGE, 1000.0, 1.0 - 2.0**-53)


@every_row
def test_nothing_raises_and_nothing_turns_complex(name):
    row, _ = ROWS[name]
    for point in itertools.product(EDGES, repeat=row.arity):
        assert type(row_value(row, point)) is float
        leaves = [Value(x) for x in point]
        first = grad(call(row, leaves), leaves, create_graph=True)
        for derivative in first:
            assert type(derivative.data) is float
            grad(derivative, leaves, create_graph=True)


CONSTANT = {"power(0.0)", "power_partial(0.0)", "power_partial(1.0)"}  # by IEEE 754, `pow(nan, 0)` is 1
CONSTANT |= {"is_finite", *[name for name in ROWS if name.startswith("nan_to_num")]}  # they are made for NaN


@pytest.mark.parametrize("name", [name for name in ROWS if name not in CONSTANT])
def test_nan_comes_through(name):
    row, _ = ROWS[name]
    assert math.isnan(row_value(row, (nan,) * row.arity))
