"""Rounding to integers, and remainders, for floats: Python's functions, extended to infinity, NaN and -0.0.

Like NumPy's, they return NaN or an infinity where Python raises an error. The functions that compare also ignore NaN.
"""

from __future__ import annotations

import math
from math import nan

from tinygraph.kernels.floats import divide, larger, maximum, minimum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_WHOLE = 2.0**52  # floats of at least this size are integers


def _on_all_floats(rounded: Callable[[float], int], x: float) -> float:
    return math.copysign(float(rounded(x)), x) if -_WHOLE < x < _WHOLE else x


def floor(x: float) -> float:
    """Return the largest integer that is at most x. Infinity and NaN stay what they are."""
    return _on_all_floats(math.floor, x)


def ceil(x: float) -> float:
    """Return the smallest integer that is at least x. Infinity and NaN stay what they are."""
    return _on_all_floats(math.ceil, x)


def trunc(x: float) -> float:
    """Return x without its fraction. Infinity and NaN stay what they are."""
    return _on_all_floats(math.trunc, x)


def rint(x: float) -> float:
    """Return the integer next to x, and the even one of two. Infinity and NaN stay what they are."""
    return _on_all_floats(round, x)


def from_integer(x: float) -> float:
    """Return the signed distance from x to the nearest integer. It is 0 at infinity, as at all large floats."""
    return x if x != x else 0.0 if math.isinf(x) else math.remainder(x, 1.0)


def mod(x: float, y: float) -> float:
    """Return the remainder of x / y with the sign of y, as `%` in Python. It is NaN for y = 0 and for infinite x.

    Args:
        x: Dividend.
        y: Divisor.
    """
    return x % y if y != 0 else nan


def fmod(x: float, y: float) -> float:
    """Return the remainder of x / y with the sign of x, as `fmod` in C. It is NaN for y = 0 and for infinite x.

    Args:
        x: Dividend.
        y: Divisor.
    """
    try:
        return math.fmod(x, y)
    except ValueError:
        return nan


def floor_divide(x: float, y: float) -> float:
    """Return the largest integer that is at most x / y, as `//` in Python. A zero divisor gives x / y.

    Args:
        x: Dividend.
        y: Divisor.
    """
    return x // y if y != 0 else divide(x, y)


def trunc_divide(x: float, y: float) -> float:
    """Return x / y without its fraction. It is NaN for y = 0 and for infinite x.

    Args:
        x: Dividend.
        y: Divisor.
    """
    return rint(divide(x - fmod(x, y), y))


def from_multiple(x: float, y: float) -> float:
    """Return the signed distance from x to the nearest multiple of y, or 0 if there is none.

    Args:
        x: Number.
        y: Divisor.
    """
    return math.remainder(x, y) if y != 0 and not math.isinf(x) else 0.0


def fmax(x: float, y: float) -> float:
    """Return the larger of two numbers, or the number if the other one is NaN."""
    return y if x != x else x if y != y else maximum(x, y)


def fmin(x: float, y: float) -> float:
    """Return the smaller of two numbers, or the number if the other one is NaN."""
    return y if x != x else x if y != y else minimum(x, y)


def larger_number(x: float, y: float) -> float:
    """Return the derivative of fmax(x, y) with respect to x: 1, 0 or one half. A number counts as larger than NaN."""
    return larger(x, y) if (x != x) is (y != y) else float(y != y)
