"""The error function and its relatives, for floats: the integral of the Gaussian, its tail, and the activation GELU.

A tail is a product of exp(-x^2) and a slowly varying factor. The square is split into two floats, because its rounding
error alone would cost hundreds of ULP in the tails.
"""

from __future__ import annotations

import math

from tinygraph.kernels.exact import two_product, two_sum

_TWO_OVER_ROOT_PI, _TWO_OVER_ROOT_PI_REST = 1.1283791670955126, 1.533545961316588e-17
_DENSITY, _DENSITY_REST = 0.3989422804014327, -2.49232720227773e-17  # 1 / sqrt(2 pi)
_ROOT_HALF, _ROOT_HALF_REST = 0.7071067811865476, -4.833646656726457e-17
_SHIFT, _UNSHIFT = 211.0, math.exp(-211.0)  # of all integers near 211, the exponential of this one is rounded least

# (1 + 2a) exp(a^2) erfc(a) as a polynomial of t = (a - 4) / (a + 4), interpolated at the zeros of a Chebyshev
# polynomial
_TAIL_CENTER, _TAIL_CENTER_REST = 1.2329951186255526, -4.625318921008717e-17
_TAIL = (
    -2.764120233734578e-10, 9.297625263709659e-10, 3.2323973445082033e-09, -1.2338731403798444e-08,
    -2.0725802488181963e-08, 1.0631817593818149e-07, 7.771943241086912e-08, -8.210647933297337e-07,
    2.9173425573089733e-07, 5.70657829924074e-06, -1.1221135665965907e-05, -2.4397731143023292e-05,
    0.00015062142608651945, -0.0001992571524726518, -0.0007577732435942576, 0.005031970069102256,
    -0.01619773406293477, 0.037167515526338006, -0.06633036581186058, 0.09373283499911264,
    -0.10103906603631811, 0.06809705425466839, 0.015379652102619974, -0.13962111684056228,
)  # fmt: skip

erf = math.erf


def erfc(x: float) -> float:
    """Return 1 - erf(x), accurate in the right tail, where the difference would be 0."""
    if x < 0.47 or x != x:
        return 1.0 - math.erf(x)
    if x > 27.5:
        return 0.0
    factor, rest = _scaled_tail(x)
    square, error = two_product(x, x)
    return _times_exp(factor, rest, -square, -error)


def erf_partial(x: float, n: int) -> float:
    """Return the n-th derivative of erf: 2 exp(-x^2) / sqrt(pi) times the Hermite polynomial of order n - 1.

    Near a zero of the polynomial, its terms cancel.

    Args:
        x: Point.
        n: Order of the derivative, at least 1.

    References:
        NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/7.10, equation 7.10.1.
    """
    if abs(x) > 28.0 + 0.2 * n or x != x:
        return x if x != x else 0.0
    before, hermite = 0.0, 1.0
    for k in range(n - 1):
        before, hermite = hermite, -2.0 * (x * hermite + k * before)  # the sign of order k is (-1)^k
    factor, rest = two_product(hermite, _TWO_OVER_ROOT_PI)
    square, error = two_product(x, x)
    return _times_exp(factor, rest + hermite * _TWO_OVER_ROOT_PI_REST, -square, -error)


def gelu(x: float) -> float:
    """Return x times the probability that a standard normal variable is at most x.

    References:
        D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", https://arxiv.org/abs/1606.08415.
    """
    if not -39.0 < x < 9.0 or x == 0:
        return -0.0 if x < 0 else x
    a = abs(x)
    factor, rest = _normal_tail(a)
    if x < 0:
        product, error = two_product(factor, a)
        return -_times_exp(product, error + rest * a, *_half_square(a))
    tail = _times_exp(factor, rest, *_half_square(a))
    below, error = two_sum(1.0, -tail)
    product, more = two_product(x, below)
    return product + (more + x * error)


def gelu_partial(x: float, n: int) -> float:
    """Return the n-th derivative of gelu.

    The first one is the sum of the normal distribution function and x times the normal density. The others are products
    of the density and a polynomial. Near the zeros, two terms cancel.

    Args:
        x: Point.
        n: Order of the derivative, at least 0.
    """
    if n == 0 or x != x:
        return gelu(x)
    a = abs(x)
    if a > 39.0 + 0.25 * n:
        return 1.0 if n == 1 and x > 0 else 0.0
    if n == 1:
        tail, rest = _normal_tail(a)
        product, error = two_product(a, _DENSITY)
        factor, more = two_sum(product, -tail)
        change = _times_exp(factor, more + error + a * _DENSITY_REST - rest, *_half_square(a))
        return 1.0 + change if x > 0 else -change
    before, hermite, lower = 0.0, 1.0, 0.0
    for k in range(n):  # the polynomials He_k of probability theory, with the sign of (-1)^k
        lower = before
        before, hermite = hermite, -(x * hermite + k * before)
    factor, error = two_product(lower - hermite, _DENSITY)
    return _times_exp(factor, error, *_half_square(a))


def _half_square(a: float) -> tuple[float, float]:
    """Return -a^2 / 2 as a float and its rounding error."""
    square, error = two_product(a, a)
    return -0.5 * square, -0.5 * error


def _normal_tail(a: float) -> tuple[float, float]:
    """Return exp(a^2 / 2) times the probability that a standard normal variable is above a, as a float and a rest."""
    argument, error = two_product(a, _ROOT_HALF)
    factor, rest = _scaled_tail(argument, error + a * _ROOT_HALF_REST)
    return 0.5 * factor, 0.5 * rest


def _scaled_tail(a: float, low: float = 0.0) -> tuple[float, float]:
    """Return exp(a^2) erfc(a) for a >= 0, as a float and a rest.

    Args:
        a: Point.
        low: Small number that is added to `a`.

    References:
        M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf",
        Mathematics of Computation 36(153), 249-253, 1981.
    """
    if a == 0:
        return 1.0, 0.0
    over, over_rest = two_sum(a, -4.0)
    below, below_rest = two_sum(a, 4.0)
    t = over / below
    product, error = two_product(t, below)
    # The polynomial belongs to the point a - moved, because t is rounded.
    moved = ((over - product) - error + over_rest - t * below_rest) * below * 0.125
    y = 0.0
    for coefficient in _TAIL:
        y = y * t + coefficient
    value, rest = two_sum(_TAIL_CENTER, t * y)
    divisor, divisor_rest = two_sum(1.0, 2.0 * a)
    out = value / divisor
    product, error = two_product(out, divisor)
    rest = ((value - product) - error + rest + _TAIL_CENTER_REST - out * (divisor_rest - 2.0 * moved)) / divisor
    return out, rest + (moved + low) * (2.0 * a * out - _TWO_OVER_ROOT_PI)


def _times_exp(factor: float, rest: float, high: float, low: float) -> float:
    """Return (factor + rest) * exp(high + low), also where the exponential alone would be subnormal.

    Args:
        factor: Factor.
        rest: Rounding error of the factor.
        high: Exponent.
        low: Rounding error of the exponent.
    """
    shifts = 0
    while high < -600.0:
        high += _SHIFT  # this sum is exact
        shifts += 1
    e = math.exp(high)
    out, error = two_product(e, factor)
    out += error + e * rest + out * low
    for _ in range(shifts):
        out *= _UNSHIFT
    return out
