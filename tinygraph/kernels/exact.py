"""Sums and products without rounding errors, or with a single rounding error."""

from __future__ import annotations

import math
from math import inf, isfinite, nan
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def two_sum(x: float, y: float) -> tuple[float, float]:
    """Return the rounded sum of two floats and its rounding error.

    Args:
        x: First term.
        y: Second term.

    Returns:
        The rounded sum and the error. If the sum is not finite, the error is 0.

    References:
        D. E. Knuth, The Art of Computer Programming, volume 2: Seminumerical Algorithms, section 4.2.2.

    Examples:
        >>> two_sum(1.0, 2.0**-60)
        (1.0, 8.673617379884035e-19)
    """
    out = x + y
    back = out - x
    error = (x - (out - back)) + (y - back)
    return out, error if error == error else 0.0


def two_product(x: float, y: float) -> tuple[float, float]:
    """Return the rounded product of two floats and its rounding error.

    Args:
        x: First factor, with an absolute value of at most 1e150.
        y: Second factor, with an absolute value of at most 1e150.

    Returns:
        The rounded product and the error.

    References:
        T. J. Dekker, "A floating-point technique for extending the available precision", Numerische Mathematik 18,
        224-242, 1971.
    """
    out = x * y
    (a, b), (c, d) = _halves(x), _halves(y)
    return out, a * c - out + a * d + b * c + b * d


def _halves(x: float) -> tuple[float, float]:
    """Split x by Veltkamp's method into two floats, each with half of the bits. Products of such floats are exact."""
    shifted = 134217729.0 * x  # 2^27 + 1
    high = shifted - (shifted - x)
    return high, x - high


def total(xs: Sequence[float]) -> float:
    """Return the sum of floats, rounded once.

    Args:
        xs: Terms.

    Returns:
        The sum, or NaN for infinities of opposite sign.

    References:
        `math.fsum` uses the method of J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust
        geometric predicates", Discrete & Computational Geometry 18(3), 305-363, 1997.
    """
    try:
        return math.fsum(xs)
    except ValueError:  # inf - inf
        return nan
    except OverflowError:  # a partial sum overflowed, but the sum may be finite
        return _exact_dot(xs, (1.0,) * len(xs))


def dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return x1 * y1 + x2 * y2 + ...: each product is rounded, and the sum is rounded once.

    The error is at most 2 ULP of the sum of all |x * y|. If products cancel, the error can exceed 2 ULP of the result.

    Args:
        xs: First factors.
        ys: Second factors, one per first factor.

    Returns:
        The sum of the products.
    """
    try:
        out = math.fsum(map(mul, xs, ys))
    except (OverflowError, ValueError):
        out = nan
    return out if isfinite(out) else _exact_dot(xs, ys)


def _exact_dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the sum of products, computed with integers in units of 2^-2148, because partial sums can overflow."""
    if not all(map(isfinite, (*xs, *ys))):
        return sum(x * y for x, y in zip(xs, ys, strict=True) if not isfinite(x * y))
    exact = sum(_units(x) * _units(y) for x, y in zip(xs, ys, strict=True))
    try:
        return exact / 2**2148  # Python rounds the quotient of two integers once
    except OverflowError:
        return inf if exact > 0 else -inf


def _units(x: float) -> int:
    """Return x in units of 2^-1074. Every finite float is an integer multiple of this unit."""
    numerator, denominator = x.as_integer_ratio()
    return numerator * (2**1074 // denominator)
