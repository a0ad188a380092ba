"""The table: an op is one row, and nothing about it is written anywhere else.

A row says how floats compute the op, which function computes it on arrays, and its local
derivatives ("slopes"), one per operand: `dx=` with respect to the first, `dy=` the second. The
letters are always the same: `out` is the result, `x` and `y` are the operands.

Slopes use `+ - * /` and other rows only, so what they are fed decides what they mean: floats give
numbers, arrays give arrays, nodes give the graph of the derivative. They never compare and never
take `**`: where accuracy or a special value needs a branch, the slope is a private row of its own
(the second half of the table), computed in `ieee` and with slopes again.
"""

from __future__ import annotations

import math
import operator
from functools import lru_cache

from tinygraph.engine.domain import ANY, Domain
from tinygraph.engine.op import FLOATS, Op, VariadicOp
from tinygraph.engine.op import TABLE as TABLE
from tinygraph.kernels import floats
from tinygraph.kernels.numbers import plain_number

_TINY, _EPS, _HUGE = 5e-324, 2.0**-53, 1.7976931348623157e308
_REAL = (-_HUGE, _HUGE)
_UNIT = (0.0, 1.0)
_OPEN_UNIT = (_TINY, 1.0 - _EPS)

POSITIVE = Domain("x > 0", ((_TINY, _HUGE),))
KINK_AT_0 = Domain("x ≠ 0", (_REAL,), kink=lambda x: x)
BETWEEN_POLES = Domain("cos(x) ≠ 0", (_REAL,), kink=floats.cos)
KINK_AT_TIE = Domain("x ≠ y", (_REAL, _REAL), kink=lambda x, y: x - y)
NONZERO_DIVISOR = Domain("y ≠ 0", (_REAL, (_TINY, _HUGE)), (_REAL, (-_HUGE, -_TINY)))
ABOVE_MINUS_1 = Domain("x > -1", ((-1.0 + _EPS, _HUGE),))
NONZERO = Domain("x ≠ 0", ((_TINY, _HUGE),), ((-_HUGE, -_TINY),))
INSIDE_0_1 = Domain("0 < x < 1", (_OPEN_UNIT,))
INSIDE_1 = Domain("-1 < x < 1", ((-1.0 + _EPS, 1.0 - _EPS),))
POWERS = Domain("x > 0, or y whole", ((_TINY, _HUGE), _REAL), ((-_HUGE, -_TINY), (*_REAL, int)))
POSITIVE_BASE = Domain("x > 0", ((_TINY, _HUGE), _REAL))
PROBABILITIES = Domain("0 < a < 1, 0 ≤ y ≤ 1", (_OPEN_UNIT, _UNIT))
LOGITS = Domain("0 ≤ y ≤ 1", (_REAL, _UNIT))

# fmt: off

# --- arithmetic -----------------------------------------------------------------------------------

add: Op = Op("add", operator.add, symbol="+", array="add", analytic=lambda m, x, y: x + y, linear=True,
             dx=lambda out, x, y: 1.0,
             dy=lambda out, x, y: 1.0)
sub: Op = Op("sub", operator.sub, symbol="-", array="subtract", analytic=lambda m, x, y: x - y, linear=True,
             dx=lambda out, x, y: 1.0,
             dy=lambda out, x, y: -1.0)
mul: Op = Op("mul", operator.mul, symbol="×", array="multiply", analytic=lambda m, x, y: x * y,
             dx=lambda out, x, y: y,
             dy=lambda out, x, y: x)
div: Op = Op("div", floats.divide, symbol="/", array="divide", domain=NONZERO_DIVISOR, analytic=lambda m, x, y: x / y,
             dx=lambda out, x, y: div(1.0, y),  # a row, for which a plain 0.0 is no exception
             dy=lambda out, x, y: div_dy(x, y))
neg: Op = Op("neg", operator.neg, symbol="-{}", array="negative", analytic=lambda m, x: -x, linear=True,
             dx=lambda out, x: -1.0)
pow: Op = Op("pow", floats.pow, symbol="**", array="power", domain=POWERS, analytic=lambda m, x, y: x**y,
             family=lambda c: power(c),  # type: ignore[has-type]
             dx=lambda out, x, y: pow_dx(x, y),
             dy=lambda out, x, y: pow_dy(x, y))


@lru_cache(maxsize=1024)  # one row per exponent that a program uses; a forgotten one is made again
def power(exponent: float) -> Op:
    """The row `x ** exponent` for a plain number as exponent: it never computes a logarithm.

    >>> power(3)(2.0), power(0.5)(-2.0)
    (8.0, nan)
    """
    c = plain_number(exponent, "power")
    return Op(f"power({c!r})", lambda x: floats.pow(x, c), symbol=f"{{}}**{c:g}", domain=_power_domain(c),
              array=lambda m, x: m.power_of_plain(x, c), analytic=lambda m, x: x**c, made_by=(power, c),
              dx=lambda out, x: power_slope(c)(x))


@lru_cache(maxsize=1024)
def power_slope(exponent: float, n: int = 1) -> Op:
    """The n-th derivative of `power(exponent)`, a row that stays exact where exponent - n is no float."""
    c = plain_number(exponent, "power_slope")
    factor = floats.falling(c, n)
    made_by = (power_slope, c, n) if n > 1 else (power_slope, c)  # as it was called: one row, one key
    return Op(f"power_slope({c!r}{f', {n}' if n > 1 else ''})", lambda x: floats.lowered_pow(x, c, n, factor),
              array=(lambda m, x: m.lowered_power(x, c, n, factor)) if c - n + n == c else None,
              symbol=f"{factor:g}·{{}}**{c - n:g}", domain=_power_domain(c), made_by=made_by,
              dx=lambda out, x: power_slope(c, n + 1)(x))


def _power_domain(c: float) -> Domain:
    if c != c // 1:
        return POSITIVE
    return ANY if c >= 0 else NONZERO


# --- exponentials and logarithms ------------------------------------------------------------------

exp: Op = Op("exp", floats.exp, array="exp", analytic=lambda m, x: m.exp(x), dx=lambda out, x: out)
expm1: Op = Op("expm1", floats.expm1, array="expm1", analytic=lambda m, x: m.exp(x) - 1.0, dx=lambda out, x: exp(x))
log: Op = Op("log", floats.log, array="log", domain=POSITIVE, analytic=lambda m, x: m.log(x), dx=lambda out, x: log_slope(x))
log1p: Op = Op("log1p", floats.log1p, array="log1p", domain=ABOVE_MINUS_1, analytic=lambda m, x: m.log(1.0 + x),
               dx=lambda out, x: log_slope(1.0 + x))
sqrt: Op = Op("sqrt", floats.sqrt, array="sqrt", domain=POSITIVE, analytic=lambda m, x: m.sqrt(x), dx=lambda out, x: power_slope(0.5)(x))
logaddexp: Op = Op("logaddexp", floats.logaddexp, array="logaddexp",
                   analytic=lambda m, x, y: m.log(m.exp(x) + m.exp(y)),
                   dx=lambda out, x, y: sigmoid_difference(x, y),
                   dy=lambda out, x, y: sigmoid_difference(y, x))

# --- circle and hyperbola -------------------------------------------------------------------------

sin: Op = Op("sin", floats.sin, array="sin", analytic=lambda m, x: m.sin(x), dx=lambda out, x: cos(x))
cos: Op = Op("cos", floats.cos, array="cos", analytic=lambda m, x: m.cos(x), dx=lambda out, x: -sin(x))
tan: Op = Op("tan", floats.tan, array="tan", domain=BETWEEN_POLES, analytic=lambda m, x: m.tan(x), dx=lambda out, x: 1.0 + out * out)
asin: Op = Op("asin", floats.asin, array="arcsin", domain=INSIDE_1, analytic=lambda m, x: m.asin(x),
              dx=lambda out, x: 1.0 / sqrt((1.0 - x) * (1.0 + x)))
acos: Op = Op("acos", floats.acos, array="arccos", domain=INSIDE_1, analytic=lambda m, x: m.acos(x),
              dx=lambda out, x: -1.0 / sqrt((1.0 - x) * (1.0 + x)))
atan: Op = Op("atan", math.atan, array="arctan", analytic=lambda m, x: m.atan(x), dx=lambda out, x: atan_slope(x))
sinh: Op = Op("sinh", floats.sinh, array="sinh", analytic=lambda m, x: m.sinh(x), dx=lambda out, x: cosh(x))
cosh: Op = Op("cosh", floats.cosh, array="cosh", analytic=lambda m, x: m.cosh(x), dx=lambda out, x: sinh(x))
tanh: Op = Op("tanh", floats.tanh, array="tanh", analytic=lambda m, x: m.tanh(x),
              dx=lambda out, x: 4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x))  # 1 - out * out has no tails

# --- the neuron -----------------------------------------------------------------------------------

sigmoid: Op = Op("sigmoid", floats.sigmoid, array="sigmoid", analytic=lambda m, x: 1.0 / (1.0 + m.exp(-x)),
                 dx=lambda out, x: out * sigmoid(-x))  # out * (1 - out) has no right tail
log_sigmoid: Op = Op("log_sigmoid", floats.log_sigmoid, array="log_sigmoid", analytic=lambda m, x: -m.log(1.0 + m.exp(-x)),
                     dx=lambda out, x: sigmoid(-x))
softplus: Op = Op("softplus", floats.softplus, array="softplus", analytic=lambda m, x: m.log(1.0 + m.exp(x)),
                  dx=lambda out, x: sigmoid(x))

# --- kinks and steps ------------------------------------------------------------------------------

abs: Op = Op("abs", operator.abs, symbol="|{}|", array="absolute", domain=KINK_AT_0, dx=lambda out, x: sign(x))
sign: Op = Op("sign", floats.sign, array="sign", domain=KINK_AT_0, dx=lambda out, x: flat(x))
relu: Op = Op("relu", floats.relu, array="relu", domain=KINK_AT_0, dx=lambda out, x: heaviside(x))
heaviside: Op = Op("heaviside", floats.heaviside, array="heaviside", domain=KINK_AT_0, dx=lambda out, x: flat(x))
maximum: Op = Op("maximum", floats.maximum, array="maximum", domain=KINK_AT_TIE,
                 dx=lambda out, x, y: larger(x, y),
                 dy=lambda out, x, y: larger(y, x))
minimum: Op = Op("minimum", floats.minimum, array="minimum", domain=KINK_AT_TIE,
                 dx=lambda out, x, y: larger(y, x),
                 dy=lambda out, x, y: larger(x, y))

# --- losses ---------------------------------------------------------------------------------------

binary_cross_entropy: Op = Op("binary_cross_entropy", floats.binary_cross_entropy, array="binary_cross_entropy", domain=PROBABILITIES,
                              analytic=lambda m, a, y: -(y * m.log(a) + (1.0 - y) * m.log(1.0 - a)),
                              dx=lambda out, x, y: binary_cross_entropy_da(x, y),
                              dy=lambda out, x, y: -logit(x))
binary_cross_entropy_with_logits: Op = Op(
    "binary_cross_entropy_with_logits", floats.binary_cross_entropy_with_logits, array="binary_cross_entropy_with_logits",
    with_slope="binary_cross_entropy_with_logits_and_slope", domain=LOGITS,
    analytic=lambda m, z, y: m.log(1.0 + m.exp(z)) - y * z,
    dx=lambda out, x, y: sigmoid_minus(x, y),
    dy=lambda out, x, y: -x)
squared_error: Op = Op("squared_error", floats.squared_error, array="squared_error", analytic=lambda m, a, y: 0.5 * (a - y) ** 2,
                       dx=lambda out, x, y: x - y,
                       dy=lambda out, x, y: y - x)

# --- any number of operands -----------------------------------------------------------------------

total: VariadicOp = VariadicOp("total", floats.total, analytic=lambda m, *xs: sum(xs), linear=True,
                               dx=lambda out, xs: (1.0,) * len(xs))
dot: VariadicOp = VariadicOp("dot", floats.dot, analytic=lambda m, *xs: sum(map(operator.mul, xs, xs[len(xs) // 2 :])),
                             dx=lambda out, xs, ys: ys,
                             dy=lambda out, xs, ys: xs)

# --- private rows: slopes that need a branch ------------------------------------------------------

flat: Op = Op("flat", floats.flat, array="flat", domain=KINK_AT_0, dx=lambda out, x: flat(x))
larger: Op = Op("larger", floats.larger, array="larger", domain=KINK_AT_TIE,
                dx=lambda out, x, y: flat(x),
                dy=lambda out, x, y: flat(y))
log_slope: Op = Op("log_slope", floats.log_slope, array="log_slope", domain=POSITIVE, analytic=lambda m, x: 1.0 / x,
                   dx=lambda out, x: -out * out)
atan_slope: Op = Op("atan_slope", floats.atan_slope, analytic=lambda m, x: 1.0 / (1.0 + x * x),
                    dx=lambda out, x: -2.0 * (x * out) * out)
sigmoid_difference: Op = Op("sigmoid_difference", floats.sigmoid_difference,
                            analytic=lambda m, x, y: 1.0 / (1.0 + m.exp(y - x)),
                            dx=lambda out, x, y: out * sigmoid_difference(y, x),
                            dy=lambda out, x, y: -out * sigmoid_difference(y, x))
sigmoid_minus: Op = Op("sigmoid_minus", floats.sigmoid_minus, array="sigmoid_minus", domain=LOGITS,
                       analytic=lambda m, z, y: 1.0 / (1.0 + m.exp(-z)) - y,
                       dx=lambda out, x, y: sigmoid(x) * sigmoid(-x),
                       dy=lambda out, x, y: -1.0)
logit: Op = Op("logit", floats.logit, domain=INSIDE_0_1, analytic=lambda m, a: m.log(a / (1.0 - a)),
               dx=lambda out, x: log_slope(x) + log_slope(1.0 - x))

# Families: partial derivatives of any order, whose slopes are the next in the family.


@lru_cache(maxsize=64)
def pow_slope(n: int, k: int) -> Op:
    """The row d^(n+k) pow(x, y) / dx^n dy^k."""
    return Op("pow_" + "dx" * n + "dy" * k, lambda x, y: floats.pow_slope(x, y, n, k),
              domain=POSITIVE_BASE if k else POWERS, made_by=(pow_slope, n, k),
              dx=lambda out, x, y: pow_slope(n + 1, k)(x, y),
              dy=lambda out, x, y: pow_slope(n, k + 1)(x, y))


@lru_cache(maxsize=64)
def div_slope(n: int) -> Op:
    """The row d^n (x / y) / dy^n."""
    return Op("div_" + "dy" * n, lambda x, y: floats.div_slope(x, y, n), domain=NONZERO_DIVISOR,
              array="div_dy" if n == 1 else None, made_by=(div_slope, n),
              dx=lambda out, x, y: div_slope(n)(1.0, y),
              dy=lambda out, x, y: div_slope(n + 1)(x, y))


@lru_cache(maxsize=64)
def binary_cross_entropy_slope(n: int) -> Op:
    """The row d^n binary_cross_entropy(a, y) / da^n; it is linear in y."""
    return Op("binary_cross_entropy_" + "da" * n, lambda a, y: floats.binary_cross_entropy_slope(a, y, n),
              array="binary_cross_entropy_da" if n == 1 else None,
              domain=PROBABILITIES, made_by=(binary_cross_entropy_slope, n),
              dx=lambda out, x, y: binary_cross_entropy_slope(n + 1)(x, y),
              dy=lambda out, x, y: binary_cross_entropy_slope(n)(x, 1.0) - binary_cross_entropy_slope(n)(x, 0.0))


pow_dx: Op = pow_slope(1, 0)
pow_dy: Op = pow_slope(0, 1)
div_dy: Op = div_slope(1)
binary_cross_entropy_da: Op = binary_cross_entropy_slope(1)

# fmt: on

FLOATS |= globals() | {name: row.number for name, row in list(globals().items()) if type(row) is Op}

TABLE |= {row.name: row for row in list(globals().values()) if isinstance(row, Op)}
