"""Special functions of floats: the logarithm of the gamma function with all its derivatives, and NumPy's sinc.

Python's `math.lgamma` loses all digits near 1 and 2, so it is not used. Terms that cancel are computed with more bits
than a float has, and are added with a single rounding error.
"""

from __future__ import annotations

import math
from math import copysign, inf, nan

from tinygraph.kernels.exact import total, two_product, two_sum
from tinygraph.kernels.floats import divide, lowered_pow

_PI_REST = 1.2246467991473532e-16
_PI_SQUARED, _PI_SQUARED_REST = 9.869604401089358, 6.265295508739711e-16
_LOG_2, _LOG_2_REST = 0.6931471805598903, 5.497923018708371e-14  # the first has 42 bits, so its multiples are exact
_LOG_PI, _LOG_PI_REST = 1.1447298858494002, 1.0265951162707826e-17
_HALF_LOG_2_PI, _HALF_LOG_2_PI_REST = 0.9189385332046728, -3.8782941580672414e-17
_EULER = 0.5772156649015329
_AT_2, _AT_2_REST = 0.42278433509846713, 4.942915152430645e-18  # digamma(2)
_ROOT, _ROOT_REST = 0.46163214496836236, -1.5522348162858677e-17  # digamma(1 + _ROOT) = 0
_TINY = 1e-17  # below this size, 1 + x is 1
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)  # B_2, B_4, ...

# (lgamma(2 + z) / z - digamma(2)) / z for |z| <= 1/2, interpolated at the zeros of a Chebyshev polynomial
_NEAR_2 = (
    -3.0412068327913675e-08, 6.379047507619774e-08, -9.611311217528077e-08, 2.0304806751615227e-07,
    -4.505513901600013e-07, 9.578663334114758e-07, -2.038980289606216e-06, 4.374374916915131e-06,
    -9.439514433031234e-06, 2.050726741605779e-05, -4.49262349749866e-05, 9.945750909889392e-05,
    -0.00022315475852168894, 0.0005096695248853096, -0.001192753911701927, 0.002890510330738737,
    -0.007385551028673995, 0.02058080842778457, -0.0673523010531981, 0.3224670334241132,
)  # fmt: skip
# digamma(1 + z) / (z - _ROOT) for 0 <= z <= 1 as a polynomial of 2z - 1, interpolated in the same way
_BY_ROOT_CENTER, _BY_ROOT_CENTER_REST = 0.9510558760318328, 4.330743078649653e-17
_BY_ROOT = (
    2.832706668021759e-11, -8.498137230186096e-11, 9.206434499177992e-11, -2.7619635330317715e-10,
    1.2358072433984831e-09, -3.7075072647122386e-09, 1.0542687624027994e-08, -3.163020268955334e-08,
    9.542050972688906e-08, -2.86315275846934e-07, 8.589127353033379e-07, -2.57809436305308e-06,
    7.741232223504057e-06, -2.325824239445257e-05, 6.995018873950506e-05, -0.00021074841140458636,
    0.0006368880303257201, -0.0019350666648590097, 0.005936795278305649, -0.018550615381735115,
    0.060135621060196744, -0.2118137106407303,
)  # fmt: skip


def lgamma(x: float) -> float:
    """Return the logarithm of the absolute value of the gamma function, which is inf at 0, -1, -2 and so on.

    For negative x, three terms can cancel. The error is then measured in ULP of the largest one.

    References:
        - The series at infinity: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/5.11,
          equation 5.11.1.
        - Negative numbers: https://dlmf.nist.gov/5.5, equation 5.5.3.
    """
    a = abs(x)
    if x != x or a == inf:
        return a
    if a < _TINY:
        return -math.log(a) if a else inf
    if x > 0:
        return total(_log_gamma_terms(x))
    r = math.remainder(a, 1.0)
    if r == 0:
        return inf
    sine, rest = _sin_pi(abs(r))
    terms = [*_log(sine), rest / sine, *_log(a), *_log_gamma_terms(a)]
    return total([_LOG_PI, _LOG_PI_REST, *[-term for term in terms]])


def _log_gamma_terms(x: float) -> list[float]:
    """Return terms whose sum is lgamma(x), for x > 0."""
    if x < 0.5:
        more, rest = two_sum(1.0, x)
        return [*_log_gamma_near_2(x), *[-term for term in (*_log(x), *_log(more), rest / more)]]
    if x < 1.5:
        return [*_log_gamma_near_2(x - 1.0), *[-term for term in _log(x)]]
    if x < 10.0:
        n = round(x - 2.0)
        factor, rest = 1.0, 0.0
        for i in range(1, n + 1):
            product, error = two_product(factor, x - i)
            factor, rest = product, error + rest * (x - i)
        return [*_log_gamma_near_2(x - n - 2.0), *_log(factor), rest / factor]
    log, low = _log(x)
    if x > 1e17:
        less, rest = two_sum(log, -1.0)
        return [x * less, x * (rest + low)]
    series = _even_series(x, [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)])
    product, error = two_product(x, log)
    return [product, error, (x - 0.5) * low, -0.5 * log, -x, _HALF_LOG_2_PI, _HALF_LOG_2_PI_REST, series * x]


def _log_gamma_near_2(z: float) -> list[float]:
    """Return terms whose sum is lgamma(2 + z), for |z| <= 1/2."""
    y = 0.0
    for coefficient in _NEAR_2:
        y = y * z + coefficient
    return [*two_product(z, _AT_2), z * _AT_2_REST, z * z * y]


def _even_series(x: float, coefficients: list[float]) -> float:
    """Return the sum of coefficients[k - 1] / x^(2k) over k = 1, 2, and so on."""
    z, out = 1.0 / (x * x), 0.0
    for coefficient in reversed(coefficients):
        out = (out + coefficient) * z
    return out


def digamma(x: float) -> float:
    """Return the derivative of lgamma, which is ∓inf at ±0.0 and NaN at -1, -2 and so on.

    For negative x, two terms can cancel. The error is then measured in ULP of the larger one.

    References:
        - The series at infinity: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/5.11,
          equation 5.11.2.
        - Negative numbers: https://dlmf.nist.gov/5.5, equation 5.5.4.
    """
    a = abs(x)
    if x != x or a == inf:
        return x if x > 0 else nan
    if a < _TINY:
        return divide(-1.0, x) - _EULER
    if x > 0:
        return total(_digamma_terms(x))
    r = math.remainder(x, 1.0)
    if r == 0:
        return nan
    return total([*(_digamma_after_1(a) if a < 1 else [*_digamma_terms(a), 1.0 / a]), *_minus_pi_cotangent(r)])


def _digamma_terms(x: float) -> list[float]:
    """Return terms whose sum is digamma(x), for x > 0."""
    if x >= 10.0:
        return [math.log(x), -0.5 / x, -_even_series(x, [b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)])]
    if x < 1.0:
        return [*_digamma_after_1(x), *[-term for term in _inverse(x)]]
    n = int(x)
    return [*_digamma_after_1(x - n), *[term for i in range(1, n) for term in _inverse(x - i)]]


def _digamma_after_1(z: float) -> list[float]:
    """Return terms whose sum is digamma(1 + z), for 0 <= z <= 1."""
    t, y = 2.0 * z - 1.0, 0.0
    for coefficient in _BY_ROOT:
        y = y * t + coefficient
    factor, rest = two_sum(_BY_ROOT_CENTER, t * y)
    distance, error = two_sum(z, -_ROOT)
    return [*two_product(distance, factor), distance * (rest + _BY_ROOT_CENTER_REST), (error - _ROOT_REST) * factor]


def _inverse(x: float) -> tuple[float, float]:
    """Return 1 / x and its rounding error."""
    out = 1.0 / x
    product, error = two_product(out, x)
    return out, ((1.0 - product) - error) * out


def _minus_pi_cotangent(r: float) -> list[float]:
    """Return terms whose sum is -pi cot(pi r), for 0 < |r| <= 1/2."""
    (sine, s), (cosine, c) = _sin_pi(r), _sin_pi(0.5 - abs(r))
    ratio = -cosine / sine
    product, error = two_product(ratio, sine)
    rest = ((-cosine - product) - error - c - ratio * s) / sine
    return [*two_product(ratio, math.pi), ratio * _PI_REST + rest * math.pi]


def polygamma(x: float, n: int) -> float:
    """Return the n-th derivative of digamma.

    At 0, -1, -2 and so on, the limit from both sides is inf for an odd n. For an even n, the result is NaN, except at
    zeros with a sign. For negative x and an even n, terms can cancel.

    Args:
        x: Point.
        n: Order of the derivative, at least 0.

    References:
        - NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/5.15, equation 5.15.1.
        - Negative numbers: the sum of (x + k)^-(n + 1) over all integers k has the period 1.
    """
    if n == 0:
        return digamma(x)
    sign = 1.0 if n % 2 else -1.0
    factor = float(math.factorial(n))
    if x == inf:
        return sign * 0.0
    if x > 0:
        return sign * total(_zeta_terms(x, n + 1, factor))
    if x == 0:
        return lowered_pow(x, 0.0, n + 1, sign * factor)
    if x != x or x == -inf:
        return nan
    r = math.remainder(x, 1.0)
    if r == 0:
        return inf if n % 2 else nan
    right, left = _zeta_terms(1.0 + r, n + 1, factor), _zeta_terms(1.0 - r, n + 1, factor)
    terms = [sign * lowered_pow(r, 0.0, n + 1, factor), *[sign * term for term in right], *left]
    return total([*terms, *[-term for term in _zeta_terms(1.0 - x, n + 1, factor)]])


def _zeta_terms(x: float, s: int, factor: float) -> list[float]:
    """Return terms whose sum is the factor times the sum of (x + k)^-s over k = 0, 1, 2 and so on, for x > 0.

    Args:
        x: First base.
        s: Exponent, at least 2.
        factor: Factor of the sum.

    References:
        The Euler-Maclaurin formula: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/25.11,
        equation 25.11.5.
    """
    count = max(0, math.ceil(10.0 + 1.5 * s - x))
    y = x + count
    start = lowered_pow(y, 0.0, s - 1, factor / (s - 1))
    coefficients, rising = [], 1.0  # the second is (s - 1) s (s + 1) ... (s + 2k - 2) / (2k)!
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        rising *= (s + 2 * k - 3) * (s + 2 * k - 2) / ((2 * k - 1) * (2 * k))
        coefficients.append(bernoulli * rising)
    terms = [lowered_pow(x + k, 0.0, s, factor) for k in range(count)]
    return [*terms, start, start * (0.5 * (s - 1) / y + _even_series(y, coefficients))]


def sinc(x: float) -> float:
    """Return sin(pi x) / (pi x), which is 1 at 0 and 0 at all other integers and at infinity."""
    if abs(x) < 1e-9 or x != x:
        return x if x != x else 1.0
    sine, rest = _sin_of_pi_times(x)
    if sine == 0:
        return 0.0
    divisor, error = two_product(x, math.pi) if abs(x) < 1e100 else (x * math.pi, 0.0)
    out = sine / divisor
    product, more = two_product(out, divisor)
    return out + ((sine - product) - more + rest - out * (error + x * _PI_REST)) / divisor


def sinc_partial(x: float, n: int) -> float:
    """Return the n-th derivative of sinc.

    Near 0, the result is a power series. Elsewhere, it is the difference of a sine or cosine and n times the derivative
    of the order before, divided by x. These two terms can cancel.

    Args:
        x: Point.
        n: Order of the derivative, at least 0.
    """
    if n == 0 or x != x:
        return sinc(x)
    if abs(x) == inf:
        return 0.0
    size = math.pi * abs(x)
    if size < 2.0:
        return _sinc_series(x, n)
    if size < n:
        return _sinc_downward(x, n)
    out, power = sinc(x), 1.0
    for k in range(1, n + 1):
        sine, rest = _shifted_sine(x, k)
        out = math.fsum((power * sine, power * rest, -k * out)) / x
        power *= math.pi
    return out


def _sinc_series(x: float, n: int) -> float:
    """Return the n-th derivative of sinc as a power series, for |x| < 2/3."""
    odd = n % 2
    k = (n + odd) // 2
    z = _PI_SQUARED * x * x
    terms, term, i = [], (-1.0) ** k, odd
    while abs(term) > 1e-20:
        terms.append(term / (n + i + 1))
        term *= -z / ((i + 1) * (i + 2))
        i += 2
    out = total(terms)
    scale = x if odd else 1.0
    factor, rest = two_product(scale, _PI_SQUARED**k)
    rest += scale * k * _PI_SQUARED ** (k - 1) * _PI_SQUARED_REST
    product, error = two_product(out, factor)
    return product + (error + out * rest)


def _sinc_downward(x: float, n: int) -> float:
    """Return the n-th derivative of sinc from those of higher orders, for pi |x| < n. Each step divides errors by n."""
    u, order, error = math.pi * x, n, 1.0
    while error > 1e-20:
        order += 1
        error *= abs(u) / order
    out = 0.0
    for k in range(order, n, -1):
        out = math.fsum((*_shifted_sine(x, k), -u * out)) / k
    return out * math.pi**n


def _shifted_sine(x: float, n: int) -> tuple[float, float]:
    """Return the n-th derivative of sin at pi x, as a float and a rest."""
    half = x if n % 2 == 0 else 0.5 - abs(math.remainder(x, 2.0))  # the cosine is the sine of this times pi
    out, rest = _sin_of_pi_times(half)
    return (-out, -rest) if n % 4 in (2, 3) else (out, rest)


def _sin_of_pi_times(x: float) -> tuple[float, float]:
    """Return sin(pi x) as a float and a rest. The sine of an integer is 0."""
    if abs(x) == inf:
        return 0.0, 0.0
    r = math.remainder(x, 2.0)
    if abs(r) > 0.5:
        r = copysign(1.0, r) - r  # exact
    return _sin_pi(r)


def _sin_pi(r: float) -> tuple[float, float]:
    """Return sin(pi r) as a float and a rest, for |r| <= 1/2."""
    angle, error = two_product(r, math.pi)
    return math.sin(angle), (error + r * _PI_REST) * math.cos(angle)


def _log(x: float) -> tuple[float, float]:
    """Return the logarithm of a positive float as a float and a rest."""
    m, exponent = math.frexp(x)
    if m < 0.7071:
        m, exponent = 2.0 * m, exponent - 1
    over = m - 1.0  # exact
    below, error = two_sum(m, 1.0)
    s = over / below
    product, more = two_product(s, below)
    z, y = s * s, 0.0
    for k in range(23, 1, -2):
        y = (y + 2.0 / k) * z
    rest = 2.0 * ((over - product) - more - s * error) / below + s * y
    out, low = two_sum(exponent * _LOG_2, 2.0 * s)
    return two_sum(out, low + (rest + exponent * _LOG_2_REST))
