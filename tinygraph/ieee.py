"""Elementary functions of floats that answer as IEEE 754 says, where Python's `math` raises.

`math.log(0)`, `math.exp(1000)`, `1 / 0` and `(-2) ** 0.5` raise or turn complex; here they are
-inf, inf, inf and nan. Each function is within 2 units in the last place of the true value.
"""

from __future__ import annotations

import math
from math import copysign, inf, nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _quiet(function: Callable[[float], float], overflow: float = nan) -> Callable[[float], float]:
    """`function` with nan where `math` says domain error, and the signed `overflow` past the range."""

    def quiet(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return nan
        except OverflowError:
            return overflow if x > 0 or function is math.cosh else -overflow

    return quiet


exp = _quiet(math.exp, overflow=inf)
expm1 = _quiet(math.expm1, overflow=inf)
sinh = _quiet(math.sinh, overflow=inf)
cosh = _quiet(math.cosh, overflow=inf)
sqrt = _quiet(math.sqrt)
sin = _quiet(math.sin)
cos = _quiet(math.cos)
tan = _quiet(math.tan)
asin = _quiet(math.asin)
acos = _quiet(math.acos)


def divide(x: float, y: float) -> float:
    """x / y, where a zero divisor gives a signed infinity, or nan for 0 / 0."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0 or x != x else copysign(inf, x) * copysign(1.0, y)


def pow(x: float, y: float) -> float:
    """x to the power y, never complex: nan for a negative base with a fractional exponent."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    except ValueError:
        if x:
            return nan
        return copysign(inf, x) if y % 2 == 1 else inf


def log(x: float) -> float:
    """Natural logarithm; -inf at 0 and nan below."""
    return math.log(x) if x > 0 else -inf if x == 0 else nan


def log1p(x: float) -> float:
    """log(1 + x), accurate near 0; -inf at -1 and nan below."""
    return math.log1p(x) if x > -1 else -inf if x == -1 else nan


def sign(x: float) -> float:
    """-1, 0 or 1; nan for nan."""
    return x if x != x else float((x > 0) - (x < 0))


def heaviside(x: float) -> float:
    """1 for positive x and 0 otherwise, 0 itself included; nan for nan."""
    return x if x != x else float(x > 0)


def flat(x: float) -> float:
    """The slope of a step: 0 everywhere, nan for nan."""
    return x if x != x else 0.0


def relu(x: float) -> float:
    """max(x, 0), where nan stays nan."""
    return 0.0 if x <= 0 else x


def maximum(x: float, y: float) -> float:
    """The larger of two numbers; nan as soon as one is nan."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """The smaller of two numbers; nan as soon as one is nan."""
    return x if x <= y or x != x else y


def larger(x: float, y: float) -> float:
    """The share of x in maximum(x, y): 1, 0, or one half where they tie."""
    return x - y if x != x or y != y else 0.5 if x == y else float(x > y)


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), accurate in both tails because exp is only ever given -|x|."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """log(1 + exp(x)) without a threshold."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x))."""
    return -softplus(-x)


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y))."""
    if x == y:  # the infinities too, whose difference would be nan
        return x + math.log(2.0)
    return maximum(x, y) + math.log1p(math.exp(-abs(x - y)))


def sigmoid_difference(x: float, y: float) -> float:
    """sigmoid(x - y) with the difference taken exactly: rounding it costs 250 ulp in the tails."""
    if x == y:
        return 0.5
    d = x - y
    s = sigmoid(d)
    if abs(d) > 800.0 or d != d:  # sigmoid is 0 or 1 there, and the error below may be nan
        return s
    back = x - d
    error = (x - (d + back)) + (back - y)  # Knuth's two-sum: x - y == d + error
    return s + error * s * sigmoid(-d)


def div0(x: float, y: float) -> float:
    """x / y, but 0 where x is 0, whatever y is."""
    return 0.0 if x == 0 and y == y else divide(x, y)


def log_slope(x: float) -> float:
    """The slope of log: 1 / x, inf at 0, and nan below, where log is not defined."""
    return 1.0 / x if x > 0 else inf if x == 0 else nan


def atan_slope(x: float) -> float:
    """The slope of atan: 1 / (1 + x^2), also where x^2 overflows."""
    return 1.0 / (1.0 + x * x) if abs(x) < 1e150 else 1.0 / x / x


def pow_dx(x: float, y: float) -> float:
    """d pow(x, y) / dx = y * x^(y - 1), by way of out / x because y - 1 may not be exact."""
    if y == 0:
        return 0.0
    if x == 0:
        return y * pow(x, y - 1.0)
    out = pow(x, y)
    if 1e-290 < abs(out) < inf:
        return y * (out / x)
    return y * pow(x, y - 1.0)  # out left the range of floats, its slope perhaps not


def pow_dy(x: float, y: float) -> float:
    """d pow(x, y) / dy = pow(x, y) * log(x), and 0 where 0 to a power stays 0."""
    if x == 0 and y >= 0:
        return 0.0
    return pow(x, y) * log(x)


def binary_cross_entropy(a: float, y: float) -> float:
    """-(y log a + (1 - y) log(1 - a)), where 0 log 0 is 0."""
    return -(_weighted(y, log(a)) + _weighted(1.0 - y, log1p(-a)))


def logit(a: float) -> float:
    """log(a / (1 - a)), accurate near one half where both logarithms cancel."""
    if 0.25 < a < 0.75:
        return 2.0 * math.atanh(2.0 * a - 1.0)
    return log(a) - log1p(-a)


def binary_cross_entropy_with_logits(z: float, y: float) -> float:
    """binary_cross_entropy(sigmoid(z), y), computed from z: exact where sigmoid rounds to 0 or 1."""
    return _weighted(1.0 - y, softplus(z)) + _weighted(y, softplus(-z))


def sigmoid_minus(z: float, y: float) -> float:
    """sigmoid(z) - y without cancellation: a weighted difference of both tails."""
    return _weighted(1.0 - y, sigmoid(z)) - _weighted(y, sigmoid(-z))


def _weighted(weight: float, x: float) -> float:
    """weight * x, where weight 0 leaves nothing of an infinity."""
    return 0.0 if weight == 0 and x == x else weight * x


def squared_error(a: float, y: float) -> float:
    """(a - y)^2 / 2."""
    return 0.5 * (a - y) * (a - y)


def total(*xs: float) -> float:
    """The sum, rounded once."""
    try:
        return math.fsum(xs)
    except ValueError:  # inf - inf
        return nan
    except OverflowError:  # a partial sum left the range of floats, the sum perhaps not
        return math.fsum([x * 2.0**-64 for x in xs]) * 2.0**64


def dot(*operands: float) -> float:
    """x1 * y1 + x2 * y2 + ..., given all x and then all y: products rounded, their sum rounded once."""
    n = len(operands) // 2
    return total(*[x * y for x, y in zip(operands[:n], operands[n:], strict=True)])
