"""More functions of arrays: the elementwise counterparts of `powers`, `circles`, `steps` and `activations`.

`arrays` lists them among its kernels. Like those, they call only NumPy's ufuncs and `where`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.kernels.more_floats import circles
from tinygraph.kernels.more_floats.powers import LN2, LN10

__all__ = [
    "acosh_partial",
    "asinh_partial",
    "atanh_partial",
    "cbrt_partial",
    "elu",
    "exp2_partial",
    "exp_below_0",
    "float_by_float",
    "fmax",
    "fmin",
    "huber",
    "is_finite",
    "larger_number",
    "leaky_relu",
    "log2_partial",
    "log10_partial",
    "logit",
    "nan_to_num",
    "plane_power",
    "silu",
    "silu_partial",
    "trunc_divide",
]

Array = np.ndarray[Any, np.dtype[np.float64]]  # or another array type that follows NumPy's protocols
_FAR = 708.0  # beyond this size of x, exp(-|x|) can lose bits that x * exp(-|x|) has

Mask = np.ndarray[Any, np.dtype[np.bool]]


def float_by_float(number: Callable[..., float], arity: int) -> Callable[..., Array]:
    """Return a function of arrays that calls `number` for each element.

    The function is slow, but its results are bit-identical to those of `number`.

    Args:
        number: Function of floats.
        arity: Number of operands of the function.

    Returns:
        A function of arrays.
    """
    function = np.frompyfunc(number, arity, 1)
    return lambda *xs: np.asarray(function(*xs), dtype=np.float64)


# --- powers and logarithms ----------------------------------------------------------------------------


def cbrt_partial(x: Array) -> Array:
    """Return the derivative of the cube root, which is inf at 0."""
    root = np.cbrt(x)
    return 1.0 / (3.0 * root * root)


def exp2_partial(x: Array) -> Array:
    """Return the derivative of 2^x. It can be finite where 2^x itself overflows."""
    return np.where(x > 1000.0, 2.0 * LN2 * np.exp2(x - 1.0), LN2 * np.exp2(x))


def log2_partial(x: Array) -> Array:
    """Return the derivative of log2: inf at 0, and NaN below 0."""
    return np.where(x >= 0, 1.0 / LN2 / np.absolute(x), np.nan)


def log10_partial(x: Array) -> Array:
    """Return the derivative of log10: inf at 0, and NaN below 0."""
    return np.where(x >= 0, 1.0 / LN10 / np.absolute(x), np.nan)


# --- circle and hyperbola -----------------------------------------------------------------------------


def atanh_partial(x: Array) -> Array:
    """Return the derivative of atanh: 1 / (1 - x^2), which is inf at -1 and 1, and NaN beyond."""
    below = (1.0 - x) * (1.0 + x)
    return np.where(below >= 0, 1.0 / below, np.nan)


def asinh_partial(x: Array) -> Array:
    """Return the derivative of asinh: 1 / sqrt(1 + x^2)."""
    return 1.0 / np.hypot(1.0, x)


def acosh_partial(x: Array) -> Array:
    """Return the derivative of acosh: 1 / sqrt(x^2 - 1), which is inf at 1 and NaN below."""
    return np.where(x >= 1, 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)), np.nan)


def plane_power(x: Array, y: Array, j: int, k: int, m: int) -> Array:
    """Return x^j y^k / r^m, where r = sqrt(x^2 + y^2), for j + k = 1.

    Elements whose squares leave the range of floats are computed float by float.

    Args:
        x: First coordinate.
        y: Second coordinate.
        j: Power of the first coordinate, 0 or 1.
        k: Power of the second coordinate, 0 or 1.
        m: Power of the distance from the origin, 1 or 2.
    """
    square = x * x + y * y
    out = (x if j else y) / (square if m == 2 else np.sqrt(square))
    safe = (square > 1e-280) & (square < 1e280)
    if type(safe) is np.ndarray and safe.all():
        return out
    slow = float_by_float(lambda x, y: circles.plane_power(x, y, j, k, m), 2)
    if type(safe) is not np.ndarray:
        return np.where(safe, out, slow(x, y))
    rest = ~safe
    x, y = np.broadcast_arrays(x, y)
    out[rest] = slow(x[rest], y[rest])
    return out


# --- remainders and extrema ---------------------------------------------------------------------------


def trunc_divide(x: Array, y: Array) -> Array:
    """Return x / y without its fraction. It is NaN for y = 0 and for infinite x."""
    return np.rint((x - np.fmod(x, y)) / y)


def fmax(x: Array, y: Array) -> Array:
    """Return the larger of two numbers, or the number if the other one is NaN. 0.0 is larger than -0.0."""
    return np.where((x == 0) & (y == 0), x + y, np.fmax(x, y))


def fmin(x: Array, y: Array) -> Array:
    """Return the smaller of two numbers, or the number if the other one is NaN. -0.0 is smaller than 0.0."""
    return -fmax(-x, -y)


def larger_number(x: Array, y: Array) -> Array:
    """Return the derivative of fmax(x, y) with respect to x: like `larger`, but a number is larger than NaN."""
    known = (x > y) | ((x == x) & (y != y))
    return np.where(known, 1.0, np.where(x == y, 0.5, np.where((x != x) & (y != y), np.nan, 0.0)))


# --- activations and losses ---------------------------------------------------------------------------


def logit(a: Array) -> Array:
    """Return log(a / (1 - a)). The result is accurate even near one half, where log(a) and log(1 - a) cancel."""
    middle = (a > 0.25) & (a < 0.75)
    return np.where(middle, 2.0 * np.arctanh(2.0 * np.where(middle, a, 0.5) - 1.0), np.log(a) - np.log1p(-a))


def silu(x: Array) -> Array:
    """Return x * sigmoid(x), which is -0.0 at -inf."""
    e = np.exp(-np.absolute(x))
    return _with_far(x < -_FAR, x, x, np.where(x > 0, x, x * e) / (1.0 + e))


def silu_partial(x: Array) -> Array:
    """Return the derivative of silu: sigmoid(x) + x * sigmoid(x) * sigmoid(-x)."""
    low = -np.absolute(x)
    e = np.exp(low)
    below = 1.0 + e
    out = e * (1.0 + low + e) / below / below
    out = out - out * (2.0 * (e - (below - 1.0)) / below)
    out = _with_far(low < -_FAR, 1.0 + low, low, out)
    return np.where(x > 0, 1.0 - out, out)


def _with_far(far: Mask, factor: Array, x: Array, out: Array) -> Array:
    """Return `out`, but factor * exp(x) where `far` is true, because exp(x) alone loses bits there."""
    if type(far) is np.ndarray and not far.any():
        return out
    half = np.exp(0.5 * x)
    return np.where(far, np.where(half > 0, factor * half * half, np.copysign(0.0, factor)), out)


def leaky_relu(x: Array, factor: float) -> Array:
    """Return x for positive x, and factor * x otherwise."""
    return np.where(x > 0, x, factor * x) if factor else np.maximum(x, 0.0) + 0.0


def elu(x: Array, alpha: float) -> Array:
    """Return x for positive x, and alpha * (exp(x) - 1) otherwise."""
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0.0, x)))


def exp_below_0(x: Array) -> Array:
    """Return 0 for positive x, and exp(x) otherwise."""
    return np.where(x > 0, 0.0, np.exp(np.minimum(x, 0.0)))


def nan_to_num(x: Array, missing: float, posinf: float, neginf: float) -> Array:
    """Return x, or the number that replaces NaN or an infinity."""
    return np.where(x != x, missing, np.where(x == np.inf, posinf, np.where(x == -np.inf, neginf, x)))


def is_finite(x: Array) -> Array:
    """Return 1 for a finite number, and 0 for NaN and the infinities."""
    return np.where(np.absolute(x) < np.inf, 1.0, 0.0)


def huber(x: Array, delta: float) -> Array:
    """Return x^2 / 2 if |x| is at most delta, and otherwise delta * (|x| - delta / 2)."""
    size = np.absolute(x)
    return np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))
