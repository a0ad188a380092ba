"""Losses of floats, and their derivatives with respect to the activation or the logit, as in `floats`."""

from __future__ import annotations

import math
from math import inf, isfinite, nan

from tinygraph.kernels.exact import two_product, two_sum
from tinygraph.kernels.floats import div_partial, exp, log, log1p, pow

_SMALLEST = 2.0**-1022  # smaller numbers are subnormal and have fewer bits


def binary_cross_entropy(a: float, y: float) -> float:
    """Return -(y log a + (1 - y) log(1 - a)), with 0 log 0 = 0.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
    """
    if 0 < a < 1 and (y == 1 or y == 0):  # one term
        return -math.log(a) if y else -math.log1p(-a)
    return _weighted(y, -log(a)) + _weighted(1.0 - y, -log1p(-a))


def binary_cross_entropy_partial(a: float, y: float, n: int) -> float:
    """Return d^n binary_cross_entropy(a, y) / da^n = (n - 1)! ((1 - y) / (1 - a)^n + y / (-a)^n), with 0 / 0 = 0.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
        n: Order of the derivative.
    """
    if n == 1 and 0 < a < 1 and (y == 1 or y == 0):  # one term, so nothing cancels
        return -1.0 / a if y else 1.0 / (1.0 - a)
    if not 0.0 <= a <= 1.0:
        return nan
    a += 0.0  # -0.0 becomes 0.0, whose inverse has the right sign
    if n == 1 and 0 < a < 1 and a != y:  # as one fraction: two fractions would cancel where a is near y
        over, more = two_sum(a, -y)
        rest, error = two_sum(1.0, -a)
        below, missing = two_product(a, rest)
        out = over / below
        return out + out * (more / over - (missing + a * error) / below) if isfinite(out) else out
    return 0.0 - (_share(y, a, n) + _share(1.0 - y, -(1.0 - a), n))


def binary_cross_entropy_partial_of_logit(z: float, y: float, n: int) -> float:
    """Return the n-th derivative of the cross-entropy at the activation sigmoid(z), computed from z.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
        n: Order of the derivative.
    """
    if n == 1 and y != 0 and y != 1:  # as one product: two terms would cancel where sigmoid(z) is near y
        over = sigmoid_minus(z, y) * (1.0 + exp(-abs(z)))
        return over + _times_exp(over, abs(z))
    if n == 1:
        return -1.0 - exp(-z) if y else 1.0 + exp(z)
    yes, no = ((-1.0) ** n * y, -z), (1.0 - y, z)
    return math.factorial(n - 1) * sum([_weighted(weight, pow(1.0 + exp(x), n)) for weight, x in (yes, no)])


def odds_power(x: float, y: float, n: int) -> float:
    """Return y e^x (1 + e^x)^(n - 1), or 0 for a weight y of 0.

    Args:
        x: Logit.
        y: Weight.
        n: Order of the power.
    """
    return _times_exp(y, x) if n == 1 else _weighted(y, exp(x) * pow(1.0 + exp(x), n - 1))


def _times_exp(weight: float, x: float) -> float:
    """Return weight * exp(x), or 0 for a weight of 0, even where exp(x) alone overflows or loses bits."""
    e = exp(x)
    if _SMALLEST <= e < inf or x != x:
        return weight * e
    half = exp(0.5 * x)
    return _weighted(weight, half) * half if weight else 0.0


def _share(weight: float, a: float, n: int) -> float:
    return 0.0 if weight == 0 else div_partial(weight, a, n - 1)


def logit(a: float) -> float:
    """Return log(a / (1 - a)). The result is accurate even near one half, where log(a) and log(1 - a) cancel.

    Args:
        a: Activation, from 0 to 1.
    """
    if 0.25 < a < 0.75:
        return 2.0 * math.atanh(2.0 * a - 1.0)
    return log(a) - log1p(-a)


def binary_cross_entropy_with_logits(z: float, y: float) -> float:
    """Return binary_cross_entropy(sigmoid(z), y), computed from z.

    The result is accurate even where sigmoid rounds to 0 or 1.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    weight = 1.0 - y if z > 0 else y
    return _weighted(weight, abs(z)) + math.log1p(math.exp(-abs(z)))  # two terms of the same sign, and one exp


def sigmoid_minus(z: float, y: float) -> float:
    """Return sigmoid(z) - y. Nothing cancels for y = 0 or y = 1. Otherwise the error is up to 4 ULP of the larger term.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    e = math.exp(-abs(z))
    return (0.5 + math.copysign(0.5, z)) - y - math.copysign(e / (1.0 + e), z)


def _weighted(weight: float, x: float) -> float:
    """Return weight * x, or 0 for a weight of 0, even if x is infinite."""
    return 0.0 if weight == 0 and x == x else weight * x


def squared_error(a: float, y: float) -> float:
    """Return (a - y)^2 / 2.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
    """
    return 0.5 * (a - y) * (a - y)
