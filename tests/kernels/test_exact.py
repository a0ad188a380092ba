"""Error-free sums and products, against fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinygraph.kernels.exact import dot, total, two_product, two_sum

numbers = st.floats(-1e140, 1e140).filter(lambda x: x == 0 or abs(x) > 1e-140)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(numbers, numbers)
def test_a_sum_and_its_error_are_exact(x, y):
    out, error = two_sum(x, y)
    assert out == x + y
    assert Fraction(out) + Fraction(error) == Fraction(x) + Fraction(y)


@given(numbers, numbers)
def test_a_product_and_its_error_are_exact(x, y):
    out, error = two_product(x, y)
    assert out == x * y
    if out == 0 or abs(out) > 1e-280:  # otherwise the error may be too small for a float
        assert Fraction(out) + Fraction(error) == Fraction(x) * Fraction(y)


def test_where_there_is_no_finite_sum_the_error_is_0():
    assert two_sum(1.7e308, 1.7e308) == (math.inf, 0.0)


@given(st.lists(finite, max_size=6))
@example([1e308, 1e308])
@example([-1e308, -1e308])
def test_a_total_is_rounded_once(xs):
    exact = sum(map(Fraction, xs), Fraction(0))
    try:
        wanted = float(exact)
    except OverflowError:
        wanted = math.inf if exact > 0 else -math.inf
    assert total(xs) == wanted


@pytest.mark.parametrize(
    ("xs", "ys", "wanted"),
    [
        ([1e308, 1e308, -1e308], [10.0, -10.0, 1.0], -1e308),  # the products overflow, but the sum does not
        ([1e200, 1e200], [1e200, 1e200], math.inf),
        ([math.inf, 1.0], [1.0, 1.0], math.inf),
        ([math.inf, -math.inf], [1.0, 1.0], math.nan),
    ],
)
def test_a_dot_product_whose_terms_leave_the_range(xs, ys, wanted):
    assert dot(xs, ys) == pytest.approx(wanted, rel=0, nan_ok=True)
