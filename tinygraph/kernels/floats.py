"""Elementary functions of floats that follow IEEE 754 where Python's `math` raises an error.

`math.log(0)`, `math.exp(1000)`, `1 / 0` and `(-2) ** 0.5` raise an error or return a complex number. For these
expressions, the functions in this file return -inf, inf, inf and NaN, respectively. Each function is accurate to 2
units in the last place (ULP), unless its docstring shows which terms cancel. docs/accuracy.md lists the measured
errors.
"""

from __future__ import annotations

import math
from math import copysign, inf, isfinite, isnan, nan

from tinygraph.kernels.exact import two_product, two_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _quiet(function: Callable[[float], float], overflow: float = nan) -> Callable[[float], float]:
    """Return a function that returns NaN for a domain error of `function`, and ±`overflow` for an overflow."""

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


_SMALLEST = 2.0**-1022  # smaller numbers are subnormal and have fewer bits


def scaled(x: float, power: int) -> float:
    """Return x * 2^power, rounded once."""
    try:
        return math.ldexp(x, power)
    except OverflowError:
        return copysign(inf, x)


def divide(x: float, y: float) -> float:
    """Return x / y. A zero divisor gives a signed infinity, or NaN for 0 / 0."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0 or x != x else copysign(inf, x) * copysign(1.0, y)


def pow(x: float, y: float) -> float:
    """Return x to the power y. A negative base with a fractional exponent gives NaN, not a complex number."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    except ValueError:
        if x:
            return nan
        return copysign(inf, x) if y % 2 == 1 else inf


def falling(y: float, n: int) -> float:
    """Return the falling factorial y (y - 1) ... (y - n + 1).

    Args:
        y: First factor.
        n: Number of factors, at least 0.
    """
    return y if n == 1 else math.prod([y - i for i in range(n)], start=1.0)


def lowered_pow(x: float, y: float, n: int, factor: float) -> float:
    """Return factor * pow(x, y - n) without rounding y - n. The result is 0 if the factor is 0.

    Args:
        x: Base.
        y: Exponent.
        n: Integer that is subtracted from the exponent.
        factor: Factor of the power.
    """
    if factor == 0:
        return 0.0
    if x <= 0 and copysign(1.0, x) < 0:
        sign = pow(-1.0, y) * (-1.0) ** n
        if x or sign == sign:  # a fractional power of -0.0 is that of 0.0
            factor *= sign
        x = -x
    exponent, error = two_sum(y, -n)
    power = pow(x, exponent)
    if _SMALLEST <= power < inf:
        out = factor * power
    elif exponent == -n:  # y is tiny, and the factor may be tiny too
        out = factor
        for _ in range(n):
            out = divide(out, x)
    elif 0 < x < inf and isfinite(exponent) and isfinite(factor):
        return _scaled_power(x, y, n, factor)
    else:
        out = factor * power if power or isnan(factor) else copysign(0.0, factor)
    if error and out and isfinite(out):  # the rounded exponent alone would cost up to 370 ULP
        out += out * (error * log(x))
    return out


def _scaled_power(x: float, y: float, n: int, factor: float) -> float:
    """Return factor * x^(y - n) where the power is subnormal or infinite, but the product may be normal.

    Two floats whose product is the power would have more than 2 ULP of error together. The exponents of `decimal` have
    no such limit.
    """
    size = (y - n) * math.log2(x) + math.log2(abs(factor))
    if size > 1030.0 or size < -1080.0:  # far outside the range of floats
        return copysign(inf if size > 0 else 0.0, factor)
    import decimal  # here, because few programs need it

    context = decimal.Context(prec=40, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[])
    base, exponent, weight = map(context.create_decimal, (x, y, factor))
    power = context.power(base, context.subtract(exponent, n))
    return float(context.multiply(weight, power))


def pow_partial(x: float, y: float, n: int, k: int) -> float:
    """Return d^(n+k) pow(x, y) / dx^n dy^k, which is x^(y - n) times a polynomial in log(x).

    At 0 and infinity, return the limit. If n and k are positive, terms of the polynomial can cancel. The error is
    then measured in ULP of the largest term.

    Args:
        x: Base.
        y: Exponent.
        n: Order of the derivative with respect to x.
        k: Order of the derivative with respect to y.

    Returns:
        The partial derivative.
    """
    if k == 0:
        return lowered_pow(x, y, n, falling(y, n))
    if n == 0 and x != 0:
        return lowered_pow(x, y, 0, log(x) ** k)
    partials = [1.0] + [0.0] * k  # derivatives of falling(y, n) with respect to y, of order 0 to k
    for i in range(n):
        partials = [(y - i) * partials[j] + (j and j * partials[j - 1]) for j in range(k + 1)]
    terms = [(math.comb(k, j) * partials[j], k - j) for j in range(k + 1)]  # (weight, power of log(x))
    if 0 < x < inf and abs(y) == inf:  # x^y dominates the polynomial, whose first term dominates the others
        return lowered_pow(x, y, n, copysign(1.0, y) ** n * log(x) ** k)
    if x != 0 and x != inf:
        return lowered_pow(x, y, n, sum([weight * log(x) ** power for weight, power in terms]))
    if y < n if x else y > n or y == n == 0:  # the power of x dominates the logarithm
        return 0.0
    return pow(abs(x), y - n) * next((weight * log(x) ** power for weight, power in terms if weight), 0.0)


def div_partial(x: float, y: float, n: int) -> float:
    """Return d^n (x / y) / dy^n = (-1)^n n! x / y^(n + 1).

    Args:
        x: Dividend.
        y: Divisor.
        n: Order of the derivative.
    """
    factor = float((-1) ** n * math.factorial(n))
    out = divide(x, y)
    if abs(out) < _SMALLEST:  # x / y lost bits, and a small y would amplify the error to 6,000 ULP
        (x, up), (y, down) = math.frexp(x), math.frexp(y)
        return scaled(factor * x / y ** (n + 1), up - (n + 1) * down)
    for _ in range(n):
        out = divide(out, y)
    return factor * out


def log(x: float) -> float:
    """Return the natural logarithm, which is -inf at 0 and NaN below 0."""
    return math.log(x) if x > 0 else -inf if x == 0 else nan


def log1p(x: float) -> float:
    """Return log(1 + x), accurate near 0. The result is -inf at -1 and NaN below -1."""
    return math.log1p(x) if x > -1 else -inf if x == -1 else nan


def sign(x: float) -> float:
    """Return the sign of x: -1, 0 or 1. NaN stays NaN."""
    return x if x != x else float((x > 0) - (x < 0))


def heaviside(x: float) -> float:
    """Return 1 for positive x and 0 otherwise, including at 0. NaN stays NaN."""
    return x if x != x else float(x > 0)


def flat(x: float) -> float:
    """Return 0, which is the derivative of a step function everywhere. NaN stays NaN."""
    return x if x != x else 0.0


def relu(x: float) -> float:
    """Return max(x, 0). NaN stays NaN."""
    return 0.0 if x <= 0 else x


def maximum(x: float, y: float) -> float:
    """Return the larger of two numbers, or NaN if either number is NaN. 0.0 is larger than -0.0, as in IEEE 754."""
    if x == y == 0:
        return x + y
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """Return the smaller of two numbers, or NaN if either number is NaN. -0.0 is smaller than 0.0, as in IEEE 754."""
    if x == y == 0:
        return -(-x - y)
    return x if x <= y or x != x else y


def larger(x: float, y: float) -> float:
    """Return the derivative of maximum(x, y) with respect to x: 1, 0, or one half if x and y are equal."""
    return x - y if x != x or y != y else 0.5 if x == y else float(x > y)


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)). The result is accurate in both tails, because only exp(-|x|) is computed."""
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def tanh(x: float) -> float:
    """Return the hyperbolic tangent. `math.tanh` would call the C library, which is accurate only to 2.2 ULP.

    References:
        Lambert's continued fraction: NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov/4.39,
        equation 4.39.1.
    """
    a = abs(x)
    if a < 0.55:  # Lambert's continued fraction: the correction to x is small, and so is its error
        z = a * a
        w = z / (3.0 + z / (5.0 + z / (7.0 + z / (9.0 + z / (11.0 + z / (13.0 + z / (15.0 + z / 17.0)))))))
        return copysign(a - a * w / (1.0 + w), x)
    if a < 20.0:
        return copysign(1.0 - 2.0 / (math.exp(2.0 * a) + 1.0), x)
    return x if x != x else copysign(1.0, x)


def softplus(x: float) -> float:
    """Return log(1 + exp(x)), computed by the same formula for all x. The result equals `logaddexp(x, 0)`.

    References:
        See `logaddexp`.
    """
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """Return log(sigmoid(x))."""
    return -softplus(-x)


def logaddexp(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y)).

    If the result is near 0, two terms cancel, and the error is up to 4 ULP of max(|x|, |y|, 1).

    References:
        P. Blanchard, D. J. Higham and N. J. Higham, "Accurately computing the log-sum-exp and softmax functions",
        IMA Journal of Numerical Analysis 41(4), 2311-2330, 2021.
    """
    if x == y:  # including infinities, whose difference would be NaN
        return x + math.log(2.0)
    return maximum(x, y) + math.log1p(math.exp(-abs(x - y)))


def sigmoid_difference(x: float, y: float) -> float:
    """Return sigmoid(x - y), computed from the exact difference x - y.

    A rounded difference would cause an error of 250 ULP in the tails.
    """
    return share(x, y, math.exp, 1.0)


def share(x: float, y: float, power: Callable[[float], float], rate: float) -> float:
    """Return power(x) / (power(x) + power(y)), computed from the exact difference x - y.

    Args:
        x: Exponent of the first power.
        y: Exponent of the second power.
        power: Exponential function with some base.
        rate: Natural logarithm of the base.
    """
    if x == y:  # including infinities, whose difference would be NaN
        return 0.5
    d, error = two_sum(x, -y)
    e = power(-abs(d))
    below, more = two_sum(1.0, e)
    over, rest = (1.0, e) if d > 0 else (e, 1.0)
    out = over / below
    return out + out * ((rate * error * rest - more) / below)  # without `more`: 2.1 ULP (4.4 in the derivative)


def log_partial(x: float) -> float:
    """Return the derivative of log: 1 / x, inf at 0, and NaN below 0, where log is not defined."""
    return 1.0 / x if x > 0 else inf if x == 0 else nan


def atan_partial(x: float) -> float:
    """Return the derivative of atan: 1 / (1 + x^2), even where x^2 overflows."""
    if abs(x) >= 1e150:
        return 1.0 / x / x
    square, error = two_product(x, x)
    below, more = two_sum(1.0, square)
    out = 1.0 / below
    return out - out * ((error + more) * out)  # without this correction, the second derivative would be off by 4.1 ULP


def circle_ratio(x: float) -> float:
    """Return x / (1 + x^2), even where x^2 overflows."""
    return 1.0 / x if abs(x) >= 1e150 else x * atan_partial(x)


def cosine_power(x: float, n: int) -> float:
    """Return (1 - x^2)^(-n / 2), which is inf at -1 and 1, and NaN beyond.

    Args:
        x: Number from -1 to 1.
        n: Order of the power, at least 1.
    """
    if n == 1:
        below = (1.0 - x) * (1.0 + x)
        return 1.0 / math.sqrt(below) if below > 0 else nan if below else inf
    square, error = two_product(x, x)
    below, more = two_sum(1.0, -square)
    out = pow(below, -0.5 * n) if below >= 0 else nan
    return out - out * (0.5 * n * (more - error) / below) if isfinite(out) else out


def tanh_partial(x: float) -> float:
    """Return the derivative of tanh, accurate in both tails, where 1 - tanh(x)^2 would be 0."""
    e = exp(-2.0 * abs(x))
    if e < _SMALLEST:
        half = 2.0 * exp(-abs(x))
        return half * half
    below, more = two_sum(1.0, e)
    out = 4.0 * e / below / below
    return out - out * (2.0 * more / below)
