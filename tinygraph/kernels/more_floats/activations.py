"""Activations of floats that are more than one step of arithmetic, and their derivatives, as in `floats`."""

from __future__ import annotations

from math import copysign, inf

from tinygraph.kernels.exact import two_product, two_sum
from tinygraph.kernels.floats import exp, expm1, relu

_FAR = 708.0  # beyond this size of x, exp(-|x|) can lose bits that x * exp(-|x|) has


def silu(x: float) -> float:
    """Return x * sigmoid(x), which is -0.0 at -inf."""
    if x < -_FAR:
        return _times_exp(x, x)
    e = exp(-abs(x))
    return (x if x > 0 else x * e) / (1.0 + e)


def silu_partial(x: float) -> float:
    """Return the derivative of silu: sigmoid(x) + x * sigmoid(x) * sigmoid(-x).

    The terms cancel near -1.278, where silu has its minimum. The derivatives at x and -x add up to 1.
    """
    if x > 0:
        return 1.0 - silu_partial(-x)
    if x < -_FAR:
        return _times_exp(1.0 + x, x)
    e = exp(x)
    factor, rest = two_sum(1.0, x)
    factor, more = two_sum(factor, rest + e)
    return _over_square(factor, more, e)


def sigmoid_bump(x: float) -> float:
    """Return x * sigmoid(x) * sigmoid(-x), which is 0 at ±inf."""
    return _times_exp(x, -abs(x)) if abs(x) > _FAR else _over_square(x, 0.0, exp(-abs(x)))


def _over_square(factor: float, rest: float, e: float) -> float:
    """Return (factor + rest) * e / (1 + e)^2, with only the rounding errors of the quotient."""
    over, error = two_product(factor, e)
    below, more = two_sum(1.0, e)
    square, missing = two_product(below, below)
    out = over / square
    return out + out * ((error + rest * e) / over - (missing + 2.0 * more * below) / square) if out else out


def _times_exp(factor: float, x: float) -> float:
    """Return factor * exp(x) for a large negative x, even where exp(x) alone loses bits."""
    half = exp(0.5 * x)
    return factor * half * half if half else copysign(0.0, factor)


def leaky_relu(x: float, factor: float) -> float:
    """Return x for positive x, and factor * x otherwise. With the factor 0, this is `relu`.

    Args:
        x: Number.
        factor: Factor for negative numbers.
    """
    return x if x > 0 else factor * x if factor else relu(x)


def elu(x: float, alpha: float) -> float:
    """Return x for positive x, and alpha * (exp(x) - 1) otherwise.

    Args:
        x: Number.
        alpha: Distance of the lower limit from 0.
    """
    return x if x > 0 else alpha * expm1(x)


def exp_below_0(x: float) -> float:
    """Return 0 for positive x, and exp(x) otherwise."""
    return 0.0 if x > 0 else exp(x)


def nan_to_num(x: float, missing: float, posinf: float, neginf: float) -> float:
    """Return x, or the number that replaces NaN or an infinity.

    Args:
        x: Number.
        missing: Number that replaces NaN.
        posinf: Number that replaces infinity.
        neginf: Number that replaces -infinity.
    """
    return missing if x != x else posinf if x == inf else neginf if x == -inf else x


def is_finite(x: float) -> float:
    """Return 1 for a finite number, and 0 for NaN and the infinities."""
    return float(-inf < x < inf)


def huber(x: float, delta: float) -> float:
    """Return x^2 / 2 if |x| is at most delta, and otherwise delta * (|x| - delta / 2).

    Args:
        x: Residual.
        delta: Size from which the loss grows linearly.
    """
    size = abs(x)
    return 0.5 * size * size if size <= delta else delta * (size - 0.5 * delta)
