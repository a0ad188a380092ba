"""Find a function that computes with single precision (float32) inside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LARGE = 1e3  # the sine of 1e6 loses digits in double precision too


def single_precision(
    value: object, f: Callable[[Sequence[float]], float], numbers: Sequence[float], random: np.random.Generator
) -> list[str]:
    """Report values that were computed in single precision.

    Args:
        value: Value at the point.
        f: Function of the numbers of a point. It returns NaN outside its domain.
        numbers: The point.
        random: Generator of points nearby.

    Returns:
        The description, or none.
    """
    if getattr(value, "dtype", np.dtype(float)) in (np.float32, np.float16):
        return [f"the value has dtype {np.asarray(value).dtype}: compute with float64"]
    points = [[x + float(random.uniform(-0.01, 0.01)) for x in numbers] for _ in range(6)]
    short = set()
    for x in filter(math.isfinite, map(f, points)):
        if not is_single(x) or x == round(x):
            break  # a call can be slow, so none is made after the answer is known
        short.add(x)
    else:
        if len(short) > 3:
            return ["every value has only 24 bits: f computes with float32 inside"]
    if max(map(abs, numbers), default=_LARGE) >= _LARGE:
        return []

    def is_rough(point: Sequence[float]) -> bool:
        direction = random.uniform(0.5, 1.5, len(point)) * np.maximum(1.0, np.abs(point))
        return loses_digits(lambda t: f((np.array(point) + t * direction).tolist()))

    votes = [is_rough(point) for point in points[:2]]
    if all(votes) or (any(votes) and is_rough(points[2])):
        return ["the values have only 8 digits: does f compute with float32 inside?"]
    return []


def is_single(value: float) -> bool:
    """Return whether a value is a number of single precision.

    Args:
        value: The value.

    Returns:
        True if single precision does not round it.

    Examples:
        >>> is_single(0.25), is_single(0.1), is_single(1e150)
        (True, False, False)
    """
    with np.errstate(all="ignore"):  # a large value overflows
        return float(np.float32(value)) == value


def loses_digits(g: Callable[[float], float]) -> bool:
    """Return whether the values of a function jump near 0 like numbers of single precision.

    Near 0, a smooth function is a polynomial up to rounding errors. In double precision, these are far below one part
    in 1e9.

    Args:
        g: Function of one number.

    Returns:
        True if the values are a polynomial only up to an error that single precision explains.

    Examples:
        >>> import math
        >>> loses_digits(lambda t: math.exp(t)), loses_digits(lambda t: float(np.float32(math.exp(t))))
        (False, True)
    """
    times = np.linspace(-1.0, 1.0, 10)
    basis = np.linalg.qr(np.vander(times, 6))[0]  # of the polynomials of degree 5
    for scale in (2.0**-19, 2.0**-22):  # the rounding errors stay, and the curvature becomes small
        values = np.array([g(t * scale) for t in times.tolist()])
        size = float(np.abs(values).max())
        if not (np.isfinite(values).all() and size):
            return False
        error = float(np.abs(values - basis @ (basis.T @ values)).max()) / size
        if not 1e-9 < error < 1e-5:
            return False
    return True
