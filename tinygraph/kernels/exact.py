"""Sums and products without rounding errors, or with a single one."""

from __future__ import annotations

import math
from math import inf, isfinite, nan
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def two_sum(x: float, y: float) -> tuple[float, float]:
    """Return x + y rounded, and the rounding error (Knuth), which is 0 if the sum is not finite.

    Examples:
        >>> two_sum(1.0, 2.0**-60)
        (1.0, 8.673617379884035e-19)
    """
    out = x + y
    back = out - x
    error = (x - (out - back)) + (y - back)
    return out, error if error == error else 0.0


def two_product(x: float, y: float) -> tuple[float, float]:
    """Return x * y rounded, and the rounding error (Dekker), for factors up to 1e150."""
    out = x * y
    (a, b), (c, d) = _halves(x), _halves(y)
    return out, a * c - out + a * d + b * c + b * d


def _halves(x: float) -> tuple[float, float]:
    """Split x into two floats with half the bits each, whose products are exact (Veltkamp)."""
    shifted = 134217729.0 * x  # 2^27 + 1
    high = shifted - (shifted - x)
    return high, x - high


def total(xs: Sequence[float]) -> float:
    """Return the sum, rounded once."""
    try:
        return math.fsum(xs)
    except ValueError:  # inf - inf
        return nan
    except OverflowError:  # a partial sum left the range of floats, the sum perhaps not
        return _exact_dot(xs, (1.0,) * len(xs))


def dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return x1 * y1 + x2 * y2 + ...: the products rounded, their sum rounded once.

    The error is within 2 ulp of the sum of all |x * y|, which may be more than its own where products cancel.
    """
    try:
        out = math.fsum(map(mul, xs, ys))
    except (OverflowError, ValueError):
        out = nan
    return out if isfinite(out) else _exact_dot(xs, ys)


def _exact_dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the sum of products in integers of 2^-2148: partial sums may leave the range of floats."""
    if not all(map(isfinite, (*xs, *ys))):
        return sum(x * y for x, y in zip(xs, ys, strict=True) if not isfinite(x * y))
    exact = sum(_units(x) * _units(y) for x, y in zip(xs, ys, strict=True))
    try:
        return exact / 2**2148  # Python rounds the quotient of two integers once
    except OverflowError:
        return inf if exact > 0 else -inf


def _units(x: float) -> int:
    """Return x in units of 2^-1074, of which every float is an integer multiple."""
    numerator, denominator = x.as_integer_ratio()
    return numerator * (2**1074 // denominator)
