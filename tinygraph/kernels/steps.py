"""Rounding to integers, for floats: the functions of the library `math`, extended to infinity, NaN and -0.0."""

from __future__ import annotations

import math

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
