"""The op definitions. Each op is defined only here.

A definition contains a kernel for floats, a kernel for arrays, and one local derivative per operand (`partials`). The
arguments of local derivatives always have the same names: `out` is the result, and `x` and `y` are the operands.

Local derivatives use only `+ - * /` and other ops, so their type depends on the inputs: floats give floats, arrays give
arrays, and nodes give the graph of the derivative. Local derivatives never use comparisons or `**`. If accuracy or a
special value requires a branch, the local derivative is a separate private op (in the second half of this file). A
private op has a kernel in `kernels`, and its own local derivatives. `__all__` lists the public ops.

These are the ops of the lecture and of calculus. The folder `more_ops` contains those that NumPy and PyTorch also have.
"""

from __future__ import annotations

import math
import operator
from functools import lru_cache

from tinygraph.engine import domain
from tinygraph.engine.logits import ActivationOp
from tinygraph.engine.op import Op, define
from tinygraph.engine.registry import is_number, is_order, of_a_number, parametrized
from tinygraph.engine.variadic import VariadicOp
from tinygraph.kernels import exact, floats, losses
from tinygraph.kernels.numbers import plain_number

# fmt: off

__all__ = [
    "abs", "acos", "add", "asin", "atan", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cos", "cosh", "div",
    "dot", "exp", "expm1", "heaviside", "log", "log1p", "log_sigmoid", "logaddexp", "logit", "maximum", "minimum", "mul", "neg",
    "pow", "power", "relu", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "squared_error", "sub", "tan", "tanh",
    "total",
]

# --- arithmetic -----------------------------------------------------------------------------------

add: Op = Op("add", operator.add, symbol="+", code="{} + {}", arrays="add", analytic=lambda m, x, y: x + y, linear=True,
             partials=(lambda out, x, y: 1.0,
                       lambda out, x, y: 1.0))
sub: Op = Op("sub", operator.sub, symbol="-", code="{} - {}", arrays="subtract", analytic=lambda m, x, y: x - y, linear=True,
             partials=(lambda out, x, y: 1.0,
                       lambda out, x, y: -1.0))
mul: Op = Op("mul", operator.mul, symbol="×", code="{} * {}", arrays="multiply", analytic=lambda m, x, y: x * y,
             partials=(lambda out, x, y: y,
                       lambda out, x, y: x))
div: Op = Op("div", floats.divide, form="x/y", symbol="/", code="{} / {}", arrays="divide", domain=domain.NONZERO_DIVISOR,
             analytic=lambda m, x, y: x / y,
             partials=(lambda out, x, y: div(1.0, y),  # the op, because a plain 1.0 / 0.0 would raise an error
                       lambda out, x, y: div_dy(x, y)))
neg: Op = Op("neg", operator.neg, symbol="-{}", code="-{}", arrays="negative", analytic=lambda m, x: -x, linear=True,
             partials=(lambda out, x: -1.0,))
pow: Op = Op("pow", floats.pow, form="x**y", symbol="**", code="{} ** {}", arrays="power", domain=domain.POWERS, analytic=lambda m, x, y: x**y,
             with_plain=lambda c: power.__wrapped__(c),  # type: ignore[attr-defined]
             partials=(lambda out, x, y: pow_dx(x, y),
                       lambda out, x, y: pow_dy(x, y)))


@of_a_number
@lru_cache(maxsize=1024)  # one op per exponent; an evicted op is created again
def power(exponent: float) -> Op:
    """Return the op `x ** exponent` for an exponent that is a plain number. The op never computes a logarithm.

    Args:
        exponent: Any real number.

    Returns:
        An op with one operand.

    Examples:
        >>> power(3)(2.0), power(0.5)(-2.0)
        (8.0, nan)
    """
    c = plain_number(exponent, "power")
    return Op(f"power({c!r})", lambda x: floats.pow(x, c), symbol=f"{{}}**{c:g}", form=f"x**{c!r}", code="{} ** {parameters[0]}", domain=domain.of_power(c),
              arrays=lambda m, x: m.power_of_plain(x, c), analytic=lambda m, x: x**c, maker=power, parameters=(c,),
              partials=(lambda out, x: power_partial(c)(x),))


@parametrized(is_number, is_order)
@lru_cache(maxsize=1024)
def power_partial(exponent: float, n: int = 1) -> Op:
    """Return the op for the n-th derivative of `power(exponent)`. The op does not round `exponent - n` to a float."""
    c = plain_number(exponent, "power_partial")
    factor = floats.falling(c, n)
    parameters = (c, n) if n > 1 else (c,)  # the same arguments as in a call, so that each op has only one cache key
    return Op(f"power_partial({c!r}{f', {n}' if n > 1 else ''})", lambda x: floats.lowered_pow(x, c, n, factor),
              arrays=(lambda m, x: m.lowered_power(x, c, n, factor)) if exact.two_sum(c, -n)[1] == 0 and math.isfinite(factor) else None,
              symbol=f"{factor:g}·{{}}**{c - n:g}", form=f"{factor!r}*x**{c - n!r}", code=_power_partial_code(c) if n == 1 else "", domain=domain.of_power(c),
              maker=power_partial, parameters=parameters,
              partials=(lambda out, x: power_partial(c, n + 1)(x),))


def _power_partial_code(c: float) -> str:
    """Return the code template for an integer exponent of at least 2 and less than 1e15, or "" for other exponents."""
    if c == 2:
        return "2 * {}"
    return f"{int(c)} * {{}} ** {int(c) - 1}" if 2 < c < 1e15 and c == c // 1 else ""

# --- exponentials and logarithms ------------------------------------------------------------------

exp: Op = Op("exp", floats.exp, arrays="exp", analytic=lambda m, x: m.exp(x), partials=(lambda out, x: out,))
expm1: Op = Op("expm1", floats.expm1, form="exp(x) - 1", arrays="expm1", analytic=lambda m, x: m.exp(x) - 1.0, partials=(lambda out, x: exp(x),))
log: Op = Op("log", floats.log, arrays="log", domain=domain.POSITIVE, analytic=lambda m, x: m.log(x), partials=(lambda out, x: log_partial(x),))
log1p: Op = Op("log1p", floats.log1p, form="log(1 + x)", arrays="log1p", domain=domain.ABOVE_MINUS_1, analytic=lambda m, x: m.log(1.0 + x),
               partials=(lambda out, x: log_partial(1.0 + x),))
sqrt: Op = Op("sqrt", floats.sqrt, form="sqrt(x)", partial_forms=("1/(2*sqrt(x))",), arrays="sqrt", domain=domain.POSITIVE, analytic=lambda m, x: m.sqrt(x), partials=(lambda out, x: power_partial(0.5)(x),))
logaddexp: Op = Op("logaddexp", floats.logaddexp, form="log(exp(x) + exp(y))", arrays="logaddexp",
                   analytic=lambda m, x, y: m.log(m.exp(x) + m.exp(y)),
                   partials=(lambda out, x, y: sigmoid_difference(x, y),
                             lambda out, x, y: sigmoid_difference(y, x)))

# --- circle and hyperbola -------------------------------------------------------------------------

sin: Op = Op("sin", floats.sin, arrays="sin", analytic=lambda m, x: m.sin(x), partials=(lambda out, x: cos(x),))
cos: Op = Op("cos", floats.cos, arrays="cos", analytic=lambda m, x: m.cos(x), partials=(lambda out, x: -sin(x),))
tan: Op = Op("tan", floats.tan, partial_forms=("1 + tan(x)**2",), arrays="tan", domain=domain.BETWEEN_POLES, analytic=lambda m, x: m.tan(x), partials=(lambda out, x: 1.0 + out * out,))
asin: Op = Op("asin", floats.asin, arrays="arcsin", domain=domain.INSIDE_1, analytic=lambda m, x: m.asin(x),
              partials=(lambda out, x: asin_partial(x),))
acos: Op = Op("acos", floats.acos, partial_forms=("-1/sqrt(1 - x**2)",), arrays="arccos", domain=domain.INSIDE_1, analytic=lambda m, x: m.acos(x),
              partials=(lambda out, x: -asin_partial(x),))
atan: Op = Op("atan", math.atan, arrays="arctan", analytic=lambda m, x: m.atan(x), partials=(lambda out, x: atan_partial(x),))
sinh: Op = Op("sinh", floats.sinh, arrays="sinh", analytic=lambda m, x: m.sinh(x), partials=(lambda out, x: cosh(x),))
cosh: Op = Op("cosh", floats.cosh, arrays="cosh", analytic=lambda m, x: m.cosh(x), partials=(lambda out, x: sinh(x),))
tanh: Op = Op("tanh", floats.tanh, arrays="tanh", analytic=lambda m, x: m.tanh(x),
              partials=(lambda out, x: tanh_partial(x),))

# --- the neuron -----------------------------------------------------------------------------------

sigmoid: Op = Op("sigmoid", floats.sigmoid, form="z: sigmoid(z)", partial_forms=("z: out*(1 - out) = sigmoid(z)*sigmoid(-z)",), arrays="sigmoid", analytic=lambda m, x: 1.0 / (1.0 + m.exp(-x)),
                 partials=(lambda out, x: out * sigmoid(-x),))  # out * (1 - out) would be 0 in the right tail
log_sigmoid: Op = Op("log_sigmoid", floats.log_sigmoid, form="z: log(sigmoid(z))", arrays="log_sigmoid", analytic=lambda m, x: -m.log(1.0 + m.exp(-x)),
                     partials=(lambda out, x: sigmoid(-x),))
softplus: Op = Op("softplus", floats.softplus, form="z: log(1 + exp(z))", arrays="softplus", analytic=lambda m, x: m.log(1.0 + m.exp(x)),
                  partials=(lambda out, x: sigmoid(x),))

# --- kinks and steps ------------------------------------------------------------------------------

abs: Op = Op("abs", operator.abs, form="abs(x)", symbol="|{}|", arrays="absolute", domain=domain.KINK_AT_0, partials=(lambda out, x: sign(x),))
sign: Op = Op("sign", floats.sign, arrays="sign", domain=domain.KINK_AT_0, partials=(lambda out, x: flat(x),))
relu: Op = Op("relu", floats.relu, form="max(0, x)", partial_forms=("1 if x > 0 else 0",), arrays="relu", domain=domain.KINK_AT_0, partials=(lambda out, x: heaviside(x),))
heaviside: Op = Op("heaviside", floats.heaviside, form="1 if x > 0 else 0", arrays="heaviside", domain=domain.KINK_AT_0, partials=(lambda out, x: flat(x),))
maximum: Op = Op("maximum", floats.maximum, form="max(x, y)", arrays="maximum", domain=domain.KINK_AT_TIE,
                 partials=(lambda out, x, y: larger(x, y),
                           lambda out, x, y: larger(y, x)))
minimum: Op = Op("minimum", floats.minimum, form="min(x, y)", arrays="minimum", domain=domain.KINK_AT_TIE,
                 partials=(lambda out, x, y: larger(y, x),
                           lambda out, x, y: larger(x, y)))

# --- losses ---------------------------------------------------------------------------------------

binary_cross_entropy_with_logits: Op = Op(
    "binary_cross_entropy_with_logits", losses.binary_cross_entropy_with_logits, form="z, y: log(1 + exp(z)) - y*z", arrays="binary_cross_entropy_with_logits",
    with_partial="binary_cross_entropy_with_logits_and_partial", domain=domain.LOGITS,
    analytic=lambda m, z, y: m.log(1.0 + m.exp(z)) - y * z,
    partials=(lambda out, x, y: sigmoid_minus(x, y),
              lambda out, x, y: -x))
binary_cross_entropy: Op = ActivationOp("binary_cross_entropy", losses.binary_cross_entropy, form="a, y: -(y*log(a) + (1 - y)*log(1 - a))", partial_forms=("", "a, y: log(1 - a) - log(a)"), of_logit=binary_cross_entropy_with_logits,
                                        arrays="binary_cross_entropy", domain=domain.PROBABILITIES,
                                        analytic=lambda m, a, y: -(y * m.log(a) + (1.0 - y) * m.log(1.0 - a)),
                                        partials=(lambda out, x, y: binary_cross_entropy_da(x, y),
                                                  lambda out, x, y: -logit(x)))
squared_error: Op = Op("squared_error", losses.squared_error, form="a, y: (a - y)**2/2", arrays="squared_error", analytic=lambda m, a, y: 0.5 * (a - y) ** 2,
                       partials=(lambda out, x, y: x - y,
                                 lambda out, x, y: y - x))

# --- any number of operands -----------------------------------------------------------------------

total: VariadicOp = VariadicOp("total", exact.total, joined=" + ", analytic=lambda m, *xs: sum(xs), linear=True, adds_terms=True,
                               partials=(lambda out, xs: (1.0,) * len(xs),))
dot: VariadicOp = VariadicOp("dot", exact.dot, analytic=lambda m, *xs: sum(map(operator.mul, xs, xs[len(xs) // 2 :])), adds_terms=True,
                             partials=(lambda out, xs, ys: ys,
                                       lambda out, xs, ys: xs))

# --- private ops: local derivatives that need a branch ---------------------------------------------

flat: Op = Op("flat", floats.flat, form="0", arrays="flat", domain=domain.KINK_AT_0, partials=(lambda out, x: flat(x),))
larger: Op = Op("larger", floats.larger, form="1 if x > y else 0.5 if x == y else 0", arrays="larger", domain=domain.KINK_AT_TIE,
                partials=(lambda out, x, y: flat(x),
                          lambda out, x, y: flat(y)))
log_partial: Op = Op("log_partial", floats.log_partial, form="1/x", partial_forms=("-1/x**2",), arrays="log_partial", domain=domain.POSITIVE, analytic=lambda m, x: 1.0 / x, partials=(lambda out, x: -out * out,))
atan_partial: Op = Op("atan_partial", floats.atan_partial, form="1/(1 + x**2)", partial_forms=("-2*x/(1 + x**2)**2",), analytic=lambda m, x: 1.0 / (1.0 + x * x), partials=(lambda out, x: -2.0 * out * circle_ratio(x),))
circle_ratio: Op = Op("circle_ratio", floats.circle_ratio, form="x/(1 + x**2)", partial_forms=("(1 - x**2)/(1 + x**2)**2",), analytic=lambda m, x: x / (1.0 + x * x),
                      partials=(lambda out, x: atan_partial(x) - 2.0 * out * out,))  # x * atan_partial(x) would be NaN at infinity
tanh_partial: Op = Op("tanh_partial", floats.tanh_partial, form="z: 1 - tanh(z)**2", partial_forms=("z: -2*tanh(z)*(1 - tanh(z)**2)",), arrays="tanh_partial", analytic=lambda m, x: 1.0 / m.cosh(x) ** 2, partials=(lambda out, x: -2.0 * tanh(x) * out,))
sigmoid_difference: Op = Op("sigmoid_difference", floats.sigmoid_difference, form="exp(x)/(exp(x) + exp(y))", partial_forms=("exp(x)*exp(y)/(exp(x) + exp(y))**2", "-exp(x)*exp(y)/(exp(x) + exp(y))**2"),
                            analytic=lambda m, x, y: 1.0 / (1.0 + m.exp(y - x)),
                            partials=(lambda out, x, y: out * sigmoid_difference(y, x),
                                      lambda out, x, y: -out * sigmoid_difference(y, x)))
sigmoid_minus: Op = Op("sigmoid_minus", losses.sigmoid_minus, form="z, y: sigmoid(z) - y", partial_forms=("z, y: sigmoid(z)*(1 - sigmoid(z)) = sigmoid(z)*sigmoid(-z)", ""), arrays="sigmoid_minus", domain=domain.LOGITS,
                       analytic=lambda m, z, y: 1.0 / (1.0 + m.exp(-z)) - y,
                       partials=(lambda out, x, y: sigmoid(x) * sigmoid(-x),
                                 lambda out, x, y: -1.0))
logit: Op = ActivationOp("logit", losses.logit, form="log(x/(1 - x))", partial_forms=("1/(x*(1 - x))",), of_logit=power(1), domain=domain.INSIDE_0_1, arrays="logit", analytic=lambda m, a: m.log(a / (1.0 - a)),
                         partials=(lambda out, x: binary_cross_entropy_da(x, 0.0) - binary_cross_entropy_da(x, 1.0),))  # both have one sign

# Parametrized ops: partial derivatives of any order. Their local derivatives are the partial derivatives of the next order.


@parametrized(is_order, is_order)
@lru_cache(maxsize=64)
def pow_partial(n: int, k: int) -> Op:
    """Return the op d^(n+k) pow(x, y) / dx^n dy^k."""
    form = {(0, 0): "x**y", (1, 0): "y*x**(y - 1)", (0, 1): "x**y*log(x)"}.get((n, k), f"prime(pow, {n}, {k})(x, y)")
    return Op("pow_" + "dx" * n + "dy" * k, lambda x, y: floats.pow_partial(x, y, n, k), form=form,
              domain=domain.POSITIVE_BASE if k else domain.POWERS, maker=pow_partial, parameters=(n, k),
              partials=(lambda out, x, y: pow_partial(n + 1, k)(x, y),
                        lambda out, x, y: pow_partial(n, k + 1)(x, y)))


@parametrized(is_order)
@lru_cache(maxsize=64)
def cosine_power(n: int) -> Op:
    """Return the op (1 - x^2)^(-n / 2): cos(asin(x)) to the power -n. For n = 1, it is the derivative of asin."""
    return Op(f"cosine_power({n})" if n > 1 else "asin_partial", lambda x: floats.cosine_power(x, n), form=f"1/sqrt(1 - x**2)**{n}", partial_forms=(f"{n}*x/sqrt(1 - x**2)**{n + 2}",), domain=domain.INSIDE_1,
              symbol=f"(1 - {{}}**2)**{-0.5 * n:g}" if n > 1 else "", arrays={1: "asin_partial", 2: "atanh_partial"}.get(n), maker=cosine_power, parameters=(n,),
              partials=(lambda out, x: float(n) * x * cosine_power(n + 2)(x),))


@parametrized(is_order)
@lru_cache(maxsize=64)
def div_partial(n: int) -> Op:
    """Return the op d^n (x / y) / dy^n."""
    return Op("div_" + "dy" * n, lambda x, y: floats.div_partial(x, y, n), form=f"{(-1) ** n * math.factorial(n)}*x/y**{n + 1}", domain=domain.NONZERO_DIVISOR,
              arrays="div_dy" if n == 1 else None, maker=div_partial, parameters=(n,),
              partials=(lambda out, x, y: div_partial(n)(1.0, y),
                        lambda out, x, y: div_partial(n + 1)(x, y)))


@parametrized(is_order)
@lru_cache(maxsize=64)
def binary_cross_entropy_partial(n: int) -> Op:
    """Return the op d^n binary_cross_entropy(a, y) / da^n. The op is linear in y."""
    return ActivationOp("binary_cross_entropy_" + "da" * n, lambda a, y: losses.binary_cross_entropy_partial(a, y, n),
                        form=f"a, y: {math.factorial(n - 1)}*({(-1) ** n}*y/a**{n} + (1 - y)/(1 - a)**{n})" if n else "", partial_forms=("", f"a, y: {math.factorial(n - 1)}*({(-1) ** n}/a**{n} - 1/(1 - a)**{n})") if n else (), of_logit=binary_cross_entropy_partial_of_logit(n), arrays="binary_cross_entropy_da" if n == 1 else None,
                        domain=domain.PROBABILITIES, maker=binary_cross_entropy_partial, parameters=(n,),
                        partials=(lambda out, x, y: binary_cross_entropy_partial(n + 1)(x, y),
                                  lambda out, x, y: binary_cross_entropy_partial(n)(x, 1.0) - binary_cross_entropy_partial(n)(x, 0.0)))


@parametrized(is_order)
@lru_cache(maxsize=64)
def binary_cross_entropy_partial_of_logit(n: int) -> Op:
    """Return the op `binary_cross_entropy_partial(n)` of the activation sigmoid(z), computed from z."""
    f, g, sign = binary_cross_entropy_partial_of_logit, float(math.factorial(n)), (-1.0) ** n
    return Op("binary_cross_entropy_" + "da" * n + "_of_logit", lambda z, y: losses.binary_cross_entropy_partial_of_logit(z, y, n),
              form=f"z, y: {math.factorial(n - 1)}*({(-1) ** n}*y/sigmoid(z)**{n} + (1 - y)/(1 - sigmoid(z))**{n})" if n else "", partial_forms=("", f"z, y: {math.factorial(n - 1)}*({(-1) ** n}/sigmoid(z)**{n} - 1/(1 - sigmoid(z))**{n})") if n else (), arrays="binary_cross_entropy_da_of_logit" if n == 1 else None, domain=domain.LOGITS, maker=f, parameters=(n,),
              partials=(lambda out, x, y: g * (odds_power(n)(x, 1.0 - y) - sign * odds_power(n)(-x, y)),
                        lambda out, x, y: binary_cross_entropy_partial_of_logit(n)(x, 1.0) - binary_cross_entropy_partial_of_logit(n)(x, 0.0)))


@parametrized(is_order)
@lru_cache(maxsize=64)
def odds_power(n: int) -> Op:
    """Return the op y e^x (1 + e^x)^(n - 1), which is y / n times the derivative of (1 + e^x)^n, and 0 if y is 0."""
    return Op(f"odds_power({n})", lambda x, y: losses.odds_power(x, y, n), form=f"y*exp(x)*(1 + exp(x))**{n - 1}", symbol=f"odds_power({n})({{}}, {{}})", maker=odds_power, parameters=(n,),
              partials=(lambda out, x, y: out * (1.0 + (n - 1.0) * sigmoid(x)), lambda out, x, y: odds_power(n)(x, 1.0)))


pow_dx: Op = pow_partial(1, 0)
pow_dy: Op = pow_partial(0, 1)
div_dy: Op = div_partial(1)
asin_partial: Op = cosine_power(1)
binary_cross_entropy_da: Op = binary_cross_entropy_partial(1)
binary_cross_entropy_da_of_logit: Op = binary_cross_entropy_partial_of_logit(1)

# fmt: on

define(globals())
