"""Functions of the circle and the hyperbola, of floats: polar coordinates, and inverse hyperbolic functions."""

from __future__ import annotations

import math
from math import copysign, inf, isinf, nan, sqrt

from tinygraph.kernels.exact import two_product, two_sum
from tinygraph.kernels.floats import scaled

# --- inverse hyperbolic functions -------------------------------------------------------------------


def acosh(x: float) -> float:
    """Return the inverse hyperbolic cosine, which is NaN below 1."""
    return math.acosh(x) if x >= 1 else nan


def atanh(x: float) -> float:
    """Return the inverse hyperbolic tangent, which is ±inf at ±1 and NaN beyond."""
    return math.atanh(x) if -1 < x < 1 else copysign(inf, x) if abs(x) == 1 else nan


def asinh_partial(x: float) -> float:
    """Return the derivative of asinh: 1 / sqrt(1 + x^2)."""
    return 1.0 / math.hypot(1.0, x)


def acosh_partial(x: float) -> float:
    """Return the derivative of acosh: 1 / sqrt(x^2 - 1), which is inf at 1 and NaN below."""
    if not 1 < x < 1e150:
        return 1.0 / x if x > 1 else inf if x == 1 else nan
    below, more = _square_minus_1(x)
    out = 1.0 / sqrt(below)
    return out - out * (0.5 * more / below)


def acosh_ratio(x: float) -> float:
    """Return x / (x^2 - 1), which is inf at 1 and NaN below."""
    return _over_square_minus_1(x, x)


def acosh_square(x: float) -> float:
    """Return 1 / (x^2 - 1), which is inf at 1 and NaN below."""
    return _over_square_minus_1(1.0, x)


def _over_square_minus_1(over: float, x: float) -> float:
    if not 1 < x < 1e150:
        return over / x / x if 1 < x < inf else 0.0 if x > 1 else inf if x == 1 else nan
    below, more = _square_minus_1(x)
    out = over / below
    return out - out * (more / below)


def _square_minus_1(x: float) -> tuple[float, float]:
    """Return x^2 - 1 and its rounding error."""
    square, error = two_product(x, x)
    below, more = two_sum(square, -1.0)
    return below, more + error


# --- polar coordinates --------------------------------------------------------------------------------


def plane_power(x: float, y: float, j: int, k: int, m: int) -> float:
    """Return x^j y^k / r^m, where r = sqrt(x^2 + y^2). No intermediate result leaves the range of floats.

    At infinity, return the limit. If both operands are infinite, they count as equal, as in `atan2`. At the origin, the
    result is 0 if it has the same size at every distance from the origin (j + k = m), and NaN otherwise.

    Args:
        x: First coordinate.
        y: Second coordinate.
        j: Power of the first coordinate.
        k: Power of the second coordinate.
        m: Power of the distance from the origin, at least j + k.
    """
    if x != x or y != y:
        return nan
    if isinf(x) or isinf(y):
        if j + k < m:
            return 0.0
        x, y = (copysign(1.0, a) if isinf(a) else copysign(0.0, a) for a in (x, y))
    if x == 0 and y == 0:
        return 0.0 if j + k == m else nan
    (a, up), (b, right) = math.frexp(x), math.frexp(y)
    shift = max([power for part, power in ((a, up), (b, right)) if part])
    (s, first), (t, second) = [two_product(part, part) for part in (math.ldexp(x, -shift), math.ldexp(y, -shift))]
    square, more = two_sum(s, t)
    below = square ** (m // 2) * (sqrt(square) if m % 2 else 1.0)
    out = a**j * b**k / below
    if out:  # -0.0 keeps its sign
        out -= out * (0.5 * m * (more + first + second) / square)
    return scaled(out, j * up + k * right - m * shift)
