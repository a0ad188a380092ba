"""Derivatives from values alone: within their own error of mpmath, one-sided at kinks, and no excuse elsewhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from tinygraph.checking.slopes import kink_at, side_slope, slope_of

SMOOTH = {
    "exp": (math.exp, mp.exp),
    "sin": (math.sin, mp.sin),
    "tanh": (math.tanh, mp.tanh),
    "steep": (lambda x: math.exp(50.0 * x), lambda x: mp.exp(50 * x)),
    "small": (lambda x: 1e-200 * x**3, lambda x: mp.mpf(1e-200) * x**3),
}


@pytest.mark.parametrize("name", SMOOTH)
@given(x=st.floats(-3.0, 3.0))
def test_the_derivative_is_within_its_own_error(name, x):
    floats, exact = SMOOTH[name]
    found = slope_of(floats, x)
    with mp.workdps(60):
        right = float(mp.diff(exact, mp.mpf(x)))
    assert abs(found.derivative - right) <= found.error
    assert found.error <= 1e-6 * abs(right) + 1e-10 * abs(floats(x)) + 1e-215


@given(left=st.floats(-5.0, 5.0), right=st.floats(-5.0, 5.0), x=st.floats(-10.0, 10.0))
def test_one_sided_derivatives_at_a_kink(left, right, x):
    g = lambda t: (t - x) * (left if t < x else right) + 0.5 * (t - x) ** 2  # noqa: E731
    assert side_slope(g, x, -1).derivative == pytest.approx(left, abs=1e-6)
    assert side_slope(g, x, 1).derivative == pytest.approx(right, abs=1e-6)
    if abs(left - right) > 1e-3:
        assert "kink" in kink_at(g, x, (left + right) / 2.0)
        assert not kink_at(g, x, max(left, right) + 1e-3)
        assert not kink_at(g, x, min(left, right) - 1e-3)


@given(x=st.floats(-3.0, 3.0), error=st.floats(1e-12, 1.0))
def test_no_smooth_function_has_an_excuse(x, error):
    assert not kink_at(math.exp, x, math.exp(x) * (1.0 + error))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_kink_explains_no_number_that_is_not_finite(value):
    assert not kink_at(abs, 0.0, value)


def test_a_jump_and_the_end_of_a_domain():
    assert "jump" in kink_at(lambda x: float(x >= 0.0), 0.0, 0.0)
    assert not kink_at(lambda x: float(x >= 0.0), 0.0, 1.0)
    root = lambda x: math.sqrt(x) if x >= 0.0 else math.nan  # noqa: E731
    assert side_slope(root, 0.0, 1).derivative == math.inf
    assert math.isnan(side_slope(root, 0.0, -1).derivative)
    assert math.isnan(slope_of(root, 0.0).derivative)
    assert slope_of(root, 1e-9).derivative == pytest.approx(0.5e9**0.5 / 2**0.5, rel=1e-7)


@given(x=st.floats(1e-12, 1.0), sign=st.sampled_from([-1.0, 1.0]))
def test_a_step_across_a_pole_is_not_believed(x, sign):
    assert slope_of(lambda t: 1.0 / t if t else math.inf, sign * x).derivative == pytest.approx(-1.0 / x**2, rel=1e-6)
    assert slope_of(lambda t: math.log(abs(t)) if t else -math.inf, sign * x).derivative == pytest.approx(
        sign / x, rel=1e-6
    )


@given(exponent=st.floats(-90.0, 0.0), sign=st.sampled_from([-1.0, 1.0]))
def test_a_kink_at_0_does_not_change_the_derivative_beside_it(exponent, sign):
    x = sign * 10.0**exponent
    assert slope_of(lambda t: max(t, 0.0), x).derivative == pytest.approx(float(x > 0.0), abs=1e-9)
    assert slope_of(abs, x).derivative == pytest.approx(sign, abs=1e-9)


@given(x=st.floats(-3.0, 3.0, width=16), rise=st.floats(-5.0, 5.0, width=16), gap=st.floats(-4.0, 4.0))
def test_a_central_difference_hides_no_kink(x, rise, gap):
    g = lambda t: rise * (t - x) + abs(t - x) + 0.1 * (t - x) ** 2  # noqa: E731
    central = slope_of(g, x)
    assert bool(kink_at(g, x, rise + gap, central)) == (abs(gap) <= 1.0 + 1e-4) or abs(abs(gap) - 1.0) < 1e-4
    smooth = lambda t: rise * (t - x) + 0.1 * (t - x) ** 2  # noqa: E731
    assert "jump" in kink_at(lambda t: smooth(t) + (t == x), x, rise, slope_of(smooth, x))
    assert not kink_at(smooth, x, rise + gap, slope_of(smooth, x)) or abs(gap) < 1e-5


@given(x=st.floats(-3.0, 3.0), exponent=st.floats(-11.0, -3.0))
def test_smaller_steps_are_tried_until_the_error_is_small_enough(x, exponent):
    g = lambda t: math.sin(20.0 * t) + 2.0  # noqa: E731
    found = slope_of(g, x, 10.0**exponent)
    assert abs(found.derivative - 20.0 * math.cos(20.0 * x)) <= found.error
    assert found.error <= max(10.0**exponent, 5e-9)
