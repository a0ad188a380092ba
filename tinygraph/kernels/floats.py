"""Elementary functions of floats that follow IEEE 754, where Python's `math` raises.

`math.log(0)`, `math.exp(1000)`, `1 / 0` and `(-2) ** 0.5` raise or turn complex; here they are
-inf, inf, inf and nan. Each function is within 2 units in the last place (ulp) of the true value, unless its docstring
names what cancels; docs/accuracy.md has the numbers.
"""

from __future__ import annotations

import math
from math import copysign, inf, isfinite, isnan, nan

from tinygraph.kernels.exact import two_product, two_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _quiet(function: Callable[[float], float], overflow: float = nan) -> Callable[[float], float]:
    """Return `function` with nan for a domain error of `math`, and the signed `overflow` past the range."""

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


_SMALLEST = 2.0**-1022  # below are the subnormals, with fewer bits the smaller they are


def _scaled(x: float, power: int) -> float:
    """x * 2^power, rounded once."""
    try:
        return math.ldexp(x, power)
    except OverflowError:
        return copysign(inf, x)


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


def falling(y: float, n: int) -> float:
    """y (y - 1) ... (y - n + 1)."""
    return y if n == 1 else math.prod([y - i for i in range(n)], start=1.0)


def lowered_pow(x: float, y: float, n: int, factor: float) -> float:
    """factor * pow(x, y - n), where y - n is not rounded, and a factor 0 wins over any power."""
    if factor == 0:
        return 0.0
    if x < 0:
        x, factor = -x, factor * pow(-1.0, y) * (-1.0) ** n
    exponent, error = two_sum(y, -n)
    power = pow(x, exponent)
    if _SMALLEST <= power < inf:
        out = factor * power
    elif exponent == -n:  # y is tiny, and so may be the factor
        out = factor
        for _ in range(n):
            out = divide(out, x)
    else:  # the power left the range of floats, the product perhaps not
        power = pow(x, 0.5 * exponent)
        out = power * factor * power if power or isnan(factor) else 0.0
    if error and out and isfinite(out):  # x to the rounded exponent is off by up to 370 ulp
        out += out * (error * log(x))
    return out


def pow_partial(x: float, y: float, n: int, k: int) -> float:
    """d^(n+k) pow(x, y) / dx^n dy^k: x^(y - n) times a polynomial in log(x); at x = 0 its limit from the right.

    Where the terms of the polynomial cancel (for both n and k above 0), ulp of the largest term.
    """
    if k == 0:
        return lowered_pow(x, y, n, falling(y, n))
    if n == 0 and x != 0:
        return lowered_pow(x, y, 0, log(x) ** k)
    partials = [1.0] + [0.0] * k  # of falling(y, n) by y: itself, the first, ... the k-th
    for i in range(n):
        partials = [(y - i) * partials[j] + (j and j * partials[j - 1]) for j in range(k + 1)]
    terms = [(math.comb(k, j) * partials[j], k - j) for j in range(k + 1)]  # with the powers of log(x)
    if x != 0:
        return lowered_pow(x, y, n, sum([weight * log(x) ** power for weight, power in terms]))
    if y > n or y == n == 0:  # a power beats any logarithm; 0 to a power stays 0
        return 0.0
    return pow(0.0, y - n) * next((weight * (-inf) ** power for weight, power in terms if weight), 0.0)


def div_partial(x: float, y: float, n: int) -> float:
    """d^n (x / y) / dy^n = (-1)^n n! x / y^(n + 1)."""
    factor = float((-1) ** n * math.factorial(n))
    out = divide(x, y)
    if abs(out) < _SMALLEST:  # x / y has lost bits, which a small y would make large: 6,000 ulp
        (x, up), (y, down) = math.frexp(x), math.frexp(y)
        return _scaled(factor * x / y ** (n + 1), up - (n + 1) * down)
    for _ in range(n):
        out = divide(out, y)
    return factor * out


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
    """The derivative of a step: 0 everywhere, nan for nan."""
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


def tanh(x: float) -> float:
    """Hyperbolic tangent; the C library's is off by up to 2.2 ulp."""
    a = abs(x)
    if a < 0.55:  # Lambert's continued fraction: what is taken from x is small, and so are its errors
        z = a * a
        w = z / (3.0 + z / (5.0 + z / (7.0 + z / (9.0 + z / (11.0 + z / (13.0 + z / (15.0 + z / 17.0)))))))
        return copysign(a - a * w / (1.0 + w), x)
    if a < 20.0:
        return copysign(1.0 - 2.0 / (math.exp(2.0 * a) + 1.0), x)
    return x if x != x else copysign(1.0, x)


def softplus(x: float) -> float:
    """log(1 + exp(x)) without a threshold."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x))."""
    return -softplus(-x)


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y)); near 0, where its two terms cancel, within 4 ulp of max(|x|, |y|, 1)."""
    if x == y:  # the infinities too, whose difference would be nan
        return x + math.log(2.0)
    return maximum(x, y) + math.log1p(math.exp(-abs(x - y)))


def sigmoid_difference(x: float, y: float) -> float:
    """sigmoid(x - y) with the difference taken exactly: rounding it costs 250 ulp in the tails."""
    if x == y:  # the infinities too, whose difference would be nan
        return 0.5
    d, error = two_sum(x, -y)
    e = math.exp(-abs(d))
    below, more = two_sum(1.0, e)
    over, rest = (1.0, e) if d > 0 else (e, 1.0)
    out = over / below
    return out + out * ((error * rest - more) / below)  # without `more`, 2.1 ulp, and its derivative 4.4


def log_partial(x: float) -> float:
    """The derivative of log: 1 / x, inf at 0, and nan below, where log is not defined."""
    return 1.0 / x if x > 0 else inf if x == 0 else nan


def atan_partial(x: float) -> float:
    """The derivative of atan: 1 / (1 + x^2), also where x^2 overflows."""
    if abs(x) >= 1e150:
        return 1.0 / x / x
    square, error = two_product(x, x)
    below, more = two_sum(1.0, square)
    out = 1.0 / below
    return out - out * ((error + more) * out)  # without this, its own derivative is off by 4.1 ulp


def binary_cross_entropy(a: float, y: float) -> float:
    """-(y log a + (1 - y) log(1 - a)), where 0 log 0 is 0."""
    if 0 < a < 1 and (y == 1 or y == 0):  # one term
        return -math.log(a) if y else -math.log1p(-a)
    return _weighted(y, -log(a)) + _weighted(1.0 - y, -log1p(-a))


def binary_cross_entropy_partial(a: float, y: float, n: int) -> float:
    """d^n binary_cross_entropy(a, y) / da^n = (n - 1)! ((1 - y) / (1 - a)^n + y / (-a)^n), where 0 / 0 is 0."""
    if n == 1 and 0 < a < 1 and (y == 1 or y == 0):  # one term, and nothing to cancel
        return -1.0 / a if y else 1.0 / (1.0 - a)
    if not 0.0 <= a <= 1.0:
        return nan
    if n == 1 and 0 < a < 1 and a != y:  # as one fraction: of two, no digit is left where a is near y
        over, more = two_sum(a, -y)
        rest, error = two_sum(1.0, -a)
        below, missing = two_product(a, rest)
        out = over / below
        return out + out * (more / over - (missing + a * error) / below) if isfinite(out) else out
    return -(_share(y, a, n) + _share(1.0 - y, -(1.0 - a), n))


def _share(weight: float, a: float, n: int) -> float:
    return 0.0 if weight == 0 else div_partial(weight, a, n - 1)


def logit(a: float) -> float:
    """log(a / (1 - a)), accurate near one half where both logarithms cancel."""
    if 0.25 < a < 0.75:
        return 2.0 * math.atanh(2.0 * a - 1.0)
    return log(a) - log1p(-a)


def binary_cross_entropy_with_logits(z: float, y: float) -> float:
    """binary_cross_entropy(sigmoid(z), y), computed from z: exact where sigmoid rounds to 0 or 1."""
    weight = 1.0 - y if z > 0 else y
    return _weighted(weight, abs(z)) + math.log1p(math.exp(-abs(z)))  # two terms of one sign, and one exp


def sigmoid_minus(z: float, y: float) -> float:
    """sigmoid(z) - y from both tails: for y = 0 and 1 nothing cancels, in between 4 ulp of the larger term."""
    e = math.exp(-abs(z))
    return (0.5 + math.copysign(0.5, z)) - y - math.copysign(e / (1.0 + e), z)


def _weighted(weight: float, x: float) -> float:
    """weight * x, where weight 0 leaves nothing of an infinity."""
    return 0.0 if weight == 0 and x == x else weight * x


def squared_error(a: float, y: float) -> float:
    """(a - y)^2 / 2."""
    return 0.5 * (a - y) * (a - y)
