"""The special functions against mpmath, where they are hard to compute: tails, zeros, poles and borders of formulas."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from tests.oracles.references import REFERENCES, around, ulp_error
from tinygraph.kernels.more_floats import gaussian, special


def error(computed, exact):
    return ulp_error(computed, exact)


def near(*points):
    """Return the points, the floats next to them, and points at distances down to 1e-15."""
    distances = [sign * 10.0**-n for n in range(1, 16) for sign in (1, -1)]
    return [x for point in points for x in (*around(point), *[point + by for by in distances])]


@pytest.mark.parametrize("x", [*near(0.47, 1.0, 5.0, 25.9, 26.0, 26.5, 27.0), math.nextafter(27.226, 0), 27.3])
def test_the_tail_of_the_error_function_keeps_its_digits(x):
    assert error(gaussian.erfc(x), mp.erfc(mpf(x))) <= 2.0


@pytest.mark.parametrize("x", near(-0.25, -5.0, -30.0, -34.6, -37.5, -38.4, 0.0, 1.0, 8.9, 9.0))
def test_the_tail_of_gelu_keeps_its_digits(x):
    assert error(gaussian.gelu(x), REFERENCES["gelu"].expected((x,))) <= 2.0


@pytest.mark.parametrize("x", [*near(0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 10.0, 17.0), 1e17, 2e17, 2.5e305])
def test_the_logarithm_of_the_gamma_function_keeps_its_digits_near_its_zeros(x):
    assert error(special.lgamma(x), mp.re(mp.loggamma(mpf(x)))) <= 2.0


@pytest.mark.parametrize("n", range(1, 30))
def test_the_logarithm_of_a_factorial(n):
    """The reference is the factorial itself, an integer."""
    assert error(special.lgamma(n + 1.0), mp.log(math.factorial(n))) <= 1.0


@pytest.mark.parametrize("x", near(0.5, 1.0, 1.4616321449683622, 2.0, 3.0, 9.0, 10.0))
def test_digamma_keeps_its_digits_near_its_positive_root(x):
    assert error(special.digamma(x), mp.psi(0, mpf(x))) <= 2.0


@pytest.mark.parametrize("x", [*near(1.0, -1.0, 2.0, 3.0, 100.0, 2.0**40), 0.5, 1e-09, 1e-08])
def test_sinc_keeps_its_digits_near_integers(x):
    assert error(special.sinc(x), mp.sincpi(mpf(x))) <= 2.0


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("x", [0.0, -0.0, 1e-300, -1e-9, 0.25, 0.6366, 0.6367, -1.5, 1.9, 2.6, 6.3])
def test_derivatives_of_sinc_are_power_series(n, x):
    u, first = mp.pi * mpf(x), (n + 1) // 2
    terms = [(-1) ** k * u ** (2 * k - n) / (mp.factorial(2 * k - n) * (2 * k + 1)) for k in range(first, first + 60)]
    exact = mp.pi**n * mp.fsum(terms)
    assert special.sinc_partial(x, n) == pytest.approx(float(exact), rel=1e-13, abs=1e-14 * math.pi**n / (n + 1))


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@settings(max_examples=10)
@given(x=st.floats(1e-3, 1e3))
def test_polygamma_is_a_sum_of_powers(n, x):
    exact = (-1) ** (n + 1) * mp.factorial(n) * mp.zeta(n + 1, mpf(x))
    assert special.polygamma(x, n) == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("n", range(1, 6))
@pytest.mark.parametrize("x", [-1e-5, -0.3, -0.75, -2.2, -17.6, -300.25])
def test_polygamma_of_negative_numbers(n, x):
    assert special.polygamma(x, n) == pytest.approx(float(mp.psi(n, mpf(x))), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
@settings(max_examples=15)
@given(x=st.floats(-12.0, 12.0))
def test_derivatives_of_the_error_function_and_of_gelu(n, x):
    """The reference is the Hermite polynomial; the scale is that of the polynomial with positive terms."""
    z = mpf(x)
    weight, scale = mp.exp(-z * z), abs(mp.hermite(n - 1, 1j * abs(z)))
    exact = 2 / mp.sqrt(mp.pi) * (-1) ** (n - 1) * mp.hermite(n - 1, z) * weight
    assert abs(gaussian.erf_partial(x, n) - exact) <= 1e-14 * scale * weight + mpf(2) ** -1060
    if n < 2:
        return
    he = lambda k, t: mp.mpf(2) ** (-mpf(k) / 2) * mp.hermite(k, t / mp.sqrt(2))  # noqa: E731
    density = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
    exact = (-1) ** (n - 1) * density * (he(n, z) - he(n - 2, z))
    scale = abs(he(n, 1j * abs(z))) + abs(he(n - 2, 1j * abs(z)))
    assert abs(gaussian.gelu_partial(x, n) - exact) <= 1e-14 * scale * density + mpf(2) ** -1060


INF, NAN = math.inf, math.nan
TO_0 = (0.0, -0.0, -1.0, INF, -INF, NAN)
SPECIAL = [
    (gaussian.erf, (-0.0, INF, -INF, NAN), (-0.0, 1.0, -1.0, NAN)),
    (gaussian.erfc, (0.0, INF, -INF, NAN, 28.0), (1.0, 0.0, 2.0, NAN, 0.0)),
    (gaussian.gelu, (0.0, -0.0, INF, -INF, NAN, -1e308), (0.0, -0.0, INF, -0.0, NAN, -0.0)),
    (special.lgamma, (*TO_0, 1.0, 2.0, 1.7e308), (INF, INF, INF, INF, INF, NAN, 0.0, 0.0, INF)),
    (special.digamma, TO_0, (-INF, INF, NAN, INF, NAN, NAN)),
    (special.sinc, (*TO_0, 5e-324, -3.0, 1e308), (1.0, 1.0, 0.0, 0.0, 0.0, NAN, 1.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("function", "at", "expected"), SPECIAL, ids=[function.__name__ for function, *_ in SPECIAL])
def test_special_values(function, at, expected):
    assert repr(tuple(map(function, at))) == repr(expected)


@pytest.mark.parametrize("x", [NAN, INF, -INF, -0.0, -1.0])
def test_derivatives_of_order_0_are_the_functions(x):
    for function, partial in ((gaussian.gelu, gaussian.gelu_partial), (special.digamma, special.polygamma),
                              (special.sinc, special.sinc_partial)):  # fmt: skip
        assert repr(partial(x, 0)) == repr(function(x))
