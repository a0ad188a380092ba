"""The definition of every op in mpmath: its value and its local derivatives.

Nothing here comes from `kernels`. A reference is the textbook formula with 50 digits, arranged so that it loses no
digits in a tail (`log1p`, `expm1`, a product in place of `1 - tiny`). This file also measures the error of a float in
units in the last place (ULP), and selects the points of the tests.
"""

from __future__ import annotations

import cmath
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf

from tinygraph import Value, grad
from tinygraph.engine import ops
from tinygraph.engine.more_ops import activations, circles
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op

mp.dps = 50

HUGE = 1.7976931348623157e308
TINY = 5e-324
NAN = mp.nan


@dataclass(frozen=True)
class Reference:
    """The definition of one op.

    Attributes:
        value: Function of mpmath numbers.
        partials: Local derivatives, functions of mpmath numbers.
        terms: For the value and each local derivative, a function that returns the scale of the error, or None for the
            result itself. It is used where the result is a difference that cancels.
        exception: Description of `terms` for the accuracy page.
    """

    value: Callable[..., Any]
    partials: tuple[Callable[..., Any], ...]
    terms: tuple[Callable[..., Any] | None, ...] = ()
    exception: str = ""

    def expected(self, operands: Sequence[float], slot: int | None = None) -> Any:
        """Return the value, or the local derivative in a slot, at these floats."""
        function = self.value if slot is None else self.partials[slot]
        return mpf(function(*map(mpf, operands)))

    def size(self, operands: Sequence[float], slot: int | None = None) -> Any:
        """Return the scale of the error of `expected`; None means the expected number itself."""
        index = 0 if slot is None else slot + 1
        terms = self.terms[index] if index < len(self.terms) else None
        return None if terms is None else mpf(terms(*map(mpf, operands)))


# --- distance -------------------------------------------------------------------------------------


def ulp(x: Any) -> Any:
    """Return the spacing of floats at x in mpmath: 5e-324 for subnormals, and 2^971 from the largest float on."""
    exponent = mp.frexp(x)[1] if x and mp.isfinite(x) else (1024 if x else -1073)
    return mpf(2) ** (min(max(exponent, -1021), 1024) - 53)


def ulp_error(computed: float, exact: Any, size: Any = None) -> float:
    """Return |computed - exact| in ULP of `size`, by default in ULP of the exact number.

    Beyond the range of floats, the infinity of the right sign is exact.
    """
    if mp.isnan(exact) or computed != computed:
        return 0.0 if mp.isnan(exact) and computed != computed else math.inf
    edge = mpf(2) ** 1024  # the float that would follow the largest one
    exact = min(max(exact, -edge), edge)
    got = min(max(mpf(computed), -edge), edge)
    unit = ulp(exact) if size is None else ulp(max(size, abs(exact)))
    return float(abs(got - exact) / unit)


def row_value(row: Op, operands: Sequence[float]) -> float:
    """Return the value of the op at these floats."""
    return row.floats(*operands)


def row_partial(row: Op, operands: Sequence[float], slot: int) -> float:
    """Return the local derivative of the op in a slot, computed through nodes, as users get it."""
    nodes = [Value(x) for x in operands]
    return float(grad(call(row, nodes), nodes[slot]))


def call(row: Op, operands: Sequence[Any]) -> Any:
    """Call the op with these operands, in as many sequences as it needs."""
    if not row.variadic:
        return row(*operands)
    size = len(operands) // row.arity
    return row(*(operands[i * size : (i + 1) * size] for i in range(row.arity)))


def cmath_has(row: Op) -> bool:
    """Return whether the module cmath has the functions in the definition of an analytic op."""
    try:
        row.analytic(cmath, *[0.5 + 0j] * (2 * row.arity if row.variadic else row.arity))  # type: ignore[misc]
    except AttributeError:
        return False
    return True


# --- definitions ----------------------------------------------------------------------------------


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x)) if x > -(10**6) else mp.exp(max(x, -(10**9)))


def softplus(x: Any) -> Any:
    return max(x, mpf(0)) + mp.log1p(tail(abs(x)))


def tail(x: Any) -> Any:
    """Return exp(-x) for x >= 0, without an exponent of a billion digits."""
    return mp.exp(-min(x, mpf(10**9)))


def growth(x: Any) -> Any:
    """Return exp(x); beyond a billion it is infinite or zero for any float."""
    return mp.exp(min(max(x, mpf(-(10**9))), mpf(10**9)))


def sigmoid_partial(x: Any) -> Any:
    return sigmoid(x) * sigmoid(-x)


def logit(a: Any) -> Any:
    return mp.log(a / (1 - a))


def sech2(x: Any) -> Any:
    e = tail(2 * abs(x))
    return 4 * e / (1 + e) ** 2


def hyperbolic(x: Any, sign: int) -> Any:
    """Return (exp(x) + sign exp(-x)) / 2."""
    if sign < 0 and abs(x) < 1:
        return mp.expm1(x) - mp.expm1(x) ** 2 / (2 * mp.exp(x))
    return (growth(x) + sign * growth(-x)) / 2


def power(x: Any, y: Any) -> Any:
    """Return x to the power y: real, or NaN."""
    if y == 0:
        return mpf(1)
    if x == 0:
        return mpf(0) if y > 0 else mp.inf
    if x < 0 and not mp.isint(y):
        return NAN
    sign = -1 if x < 0 and int(y) % 2 else 1
    return sign * growth(y * mp.log(abs(x)))


def falling(y: Any, n: int) -> Any:
    """Return y (y - 1) ... (y - n + 1)."""
    return mp.fprod(y - i for i in range(n))


def power_partial(x: Any, y: Any, n: int = 1) -> Any:
    """Return the n-th derivative of x^y with respect to x; it is 0 if a factor is 0."""
    factor = falling(y, n)
    return factor * power(x, exactly(y, n)) if factor else mpf(0)


def power_log(x: Any, y: Any, k: int = 1) -> Any:
    """Return the k-th derivative of x^y with respect to y: 0 for x = 0, and NaN for negative x."""
    if x == 0 and y >= 0:
        return mpf(0)
    return power(x, y) * mp.log(x) ** k if x > 0 else NAN


def mixed(x: Any, y: Any) -> Any:
    """Return the mixed derivative of x^y: x^(y - 1) (1 + y log x)."""
    return power(x, exactly(y, 1)) * (1 + y * mp.log(x)) if x > 0 else NAN


def mixed_terms(x: Any, y: Any) -> Any:
    return power(x, y - 1) * max(mpf(1), abs(y * mp.log(x))) if x > 0 else mpf(0)


def step(x: Any) -> Any:
    return mpf(x > 0)


def sign(x: Any) -> Any:
    return mp.sign(x)


def share(x: Any, y: Any) -> Any:
    return mpf(x > y) if x != y else mpf(1) / 2


def zero(*_: Any) -> Any:
    return mpf(0)


def one(*_: Any) -> Any:
    return mpf(1)


def difference(x: Any, y: Any) -> Any:
    """Return sigmoid(x - y) without rounding the difference."""
    return sigmoid(exactly(x, y))


def exactly(x: Any, y: Any) -> Any:
    """Return x - y with all bits of two floats."""
    return mp.fsub(x, y, exact=True)


def cross_entropy(a: Any, y: Any) -> Any:
    return -(y * mp.log(a) + (1 - y) * mp.log1p(-a))


def cross_entropy_partial(a: Any, y: Any) -> Any:
    return (a - y) / (a * (1 - a))


def logit_loss(z: Any, y: Any) -> Any:
    return (1 - y) * softplus(z) + y * softplus(-z)


def logit_loss_partial(z: Any, y: Any) -> Any:
    return sigmoid(z) - y if y != 1 else -sigmoid(-z)


def logit_loss_terms(z: Any, y: Any) -> Any:
    return max((1 - y) * sigmoid(z), y * sigmoid(-z))


def weighted(weight: Any, x: Any) -> Any:
    return weight * x if weight else mpf(0)


def of_logit_partial(z: Any, y: Any) -> Any:
    return weighted(1 - y, 1 + growth(z)) - weighted(y, 1 + growth(-z))


def of_logit_terms(z: Any, y: Any) -> Any:
    return max(weighted(1 - y, 1 + growth(z)), weighted(y, 1 + growth(-z)))


def pairs(xs: Sequence[Any]) -> list[tuple[Any, Any]]:
    middle = len(xs) // 2
    return list(zip(xs[:middle], xs[middle:], strict=True))


def exact_dot(*xs: Any) -> Any:
    with mp.workdps(2000):
        return mp.fsum(x * y for x, y in pairs(xs))


def dot_terms(*xs: Any) -> Any:
    return mp.fsum(abs(x * y) for x, y in pairs(xs))


def exact_total(*xs: Any) -> Any:
    with mp.workdps(2000):
        return mp.fsum(xs)


class _Every(tuple):  # type: ignore[type-arg]
    """The local derivatives of a variadic op: slot i calls one rule with i."""

    def __new__(cls, rule: Callable[[int, Sequence[Any]], Any]) -> _Every:
        self = super().__new__(cls)
        self.rule = rule  # type: ignore[attr-defined]
        return self

    def __getitem__(self, slot: Any) -> Any:
        return lambda *xs: self.rule(slot, xs)  # type: ignore[attr-defined]


ROOT_PI = mp.sqrt(mp.pi)


def erfc(x: Any) -> Any:
    return mp.erfc(x) if abs(x) < 10**5 else tail(x * x) / (x * ROOT_PI) if x > 0 else mpf(2)


def erf_partial(x: Any) -> Any:
    return 2 * tail(x * x) / mp.sqrt(mp.pi)


def normal(x: Any) -> Any:
    """Return the probability that a standard normal variable is at most x."""
    return erfc(-x / mp.sqrt(2)) / 2


def density(x: Any) -> Any:
    return tail(x * x / 2) / mp.sqrt(2 * mp.pi)


def gelu_partial(x: Any) -> Any:
    return normal(x) + x * density(x)


def gelu_terms(x: Any) -> Any:
    return max(normal(x), abs(x) * density(x))


def sinc(x: Any) -> Any:
    return mp.sincpi(x)


def sinc_partial(x: Any) -> Any:
    """Return (cos(pi x) - sinc(x)) / x, with as many digits as its terms lose near 0."""
    if x == 0:
        return mpf(0)
    with mp.workdps(mp.dps + 20 + max(0, -3 * int(mp.floor(mp.log10(abs(x)))))):
        out = (mp.cospi(x) - mp.sincpi(x)) / x
    return +out


def sinc_second(x: Any) -> Any:
    if x == 0:
        return -(mp.pi**2) / 3
    with mp.workdps(mp.dps + 20):
        out = -(mp.pi * mp.sinpi(x) + 2 * sinc_partial(x)) / x
    return +out


def sinc_terms(x: Any) -> Any:
    """Return the scale of the error of the derivative. Near 0 it is a power series, in which nothing cancels."""
    return max(abs(mp.cospi(x)), abs(mp.sincpi(x))) / abs(x) if abs(x) > 0.3 else mpf(0)


def sinc_second_terms(x: Any) -> Any:
    return max(mp.pi * abs(mp.sinpi(x)), 2 * sinc_terms(x)) / abs(x) if abs(x) > 0.3 else mpf(0)


def log_gamma(x: Any) -> Any:
    return mp.re(mp.loggamma(x))


def log_gamma_terms(x: Any) -> Any:
    return max(abs(log_gamma(-x)), abs(mp.log(abs(x * mp.sinpi(x)) / mp.pi))) if x < 0 else mpf(0)


def polygamma(n: int) -> Callable[[Any], Any]:
    """Return the n-th derivative of digamma. For x < 0, mpmath would take as many steps as x has, so reflect n < 3."""
    reflected = [
        lambda x: mp.psi(0, 1 - x) - mp.pi * mp.cospi(x) / mp.sinpi(x),
        lambda x: mp.pi**2 / mp.sinpi(x) ** 2 - mp.psi(1, 1 - x),
        lambda x: mp.psi(2, 1 - x) - 2 * mp.pi**3 * mp.cospi(x) / mp.sinpi(x) ** 3,
    ]

    def value(x: Any) -> Any:
        if x > 0 or x == mp.nint(x) or n >= len(reflected):
            return mp.psi(n, x)
        with mp.workdps(mp.dps + 40):
            return reflected[n](x)

    return value


def digamma_terms(x: Any) -> Any:
    return max(abs(mp.psi(0, 1 - x)), mp.pi * abs(mp.cospi(x) / mp.sinpi(x))) if x < 0 else mpf(0)


def trigamma_partial_terms(x: Any) -> Any:
    return 2 / abs(x - mp.nint(x)) ** 3 if x < 0 else mpf(0)


LOGADDEXP = "the value near 0, where two terms cancel: 4 ULP of max(abs x, abs y, 1)"
LARGER_TERM = "where two terms cancel: ULP of the larger term"


def logaddexp(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(tail(abs(exactly(x, y))))


def logaddexp_terms(x: Any, y: Any) -> Any:
    """Return the scale of the error: two terms cancel only near 0, and 4 ULP are 2 ULP of twice the size."""
    value, size = abs(logaddexp(x, y)), max(abs(x), abs(y), mpf(1))
    return value if 2 * value >= size else 2 * size


def real_cbrt(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def growth2(x: Any) -> Any:
    """Return 2^x; beyond a billion it is infinite or zero for any float."""
    return mp.power(2, min(max(x, mpf(-(10**9))), mpf(10**9)))


def logaddexp2(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(growth2(-abs(exactly(x, y)))) / mp.ln2


def logaddexp2_terms(x: Any, y: Any) -> Any:
    """Return the scale of the error, as for `logaddexp`."""
    value, size = abs(logaddexp2(x, y)), max(abs(x), abs(y), mpf(1))
    return value if 2 * value >= size else 2 * size


def difference2(x: Any, y: Any) -> Any:
    """Return 2^x / (2^x + 2^y) without rounding the difference."""
    return sigmoid(exactly(x, y) * mp.ln2)


def squares(x: Any, y: Any) -> Any:
    return mp.fadd(x * x, y * y, exact=True)


def plane_power(x: Any, y: Any, j: int, k: int, m: int) -> Any:
    return x**j * y**k / squares(x, y) ** (mpf(m) / 2)


def remainder(x: Any, y: Any) -> Any:
    """Return x modulo y without rounding: both are floats, or numbers of finitely many digits."""
    with mp.workdps(3000):
        return x - y * mp.floor(x / y)


def remainder_of_c(x: Any, y: Any) -> Any:
    return mp.sign(x) * remainder(abs(x), abs(y))


def quotient(x: Any, y: Any) -> Any:
    with mp.workdps(3000):
        return mp.floor(x / y)


def quotient_of_c(x: Any, y: Any) -> Any:
    return mp.sign(x) * mp.sign(y) * quotient(abs(x), abs(y))


def bump(x: Any) -> Any:
    return x * sigmoid_partial(x)


def silu_partial(x: Any) -> Any:
    return sigmoid(x) + bump(x)


def turn(x: Any) -> Any:
    """Return tanh(x / 2)."""
    return mp.tanh(x / 2) if abs(x) < 1000 else mp.sign(x)


REFERENCES: dict[str, Reference] = {
    "add": Reference(lambda x, y: exact_total(x, y), (one, one)),
    "sub": Reference(lambda x, y: exactly(x, y), (one, lambda x, y: mpf(-1))),
    "mul": Reference(lambda x, y: x * y, (lambda x, y: y, lambda x, y: x)),
    "div": Reference(lambda x, y: x / y, (lambda x, y: 1 / y, lambda x, y: -x / y**2)),
    "neg": Reference(lambda x: -x, (lambda x: mpf(-1),)),
    "pow": Reference(power, (power_partial, power_log)),
    "exp": Reference(growth, (growth,)),
    "expm1": Reference(lambda x: mp.expm1(x) if abs(x) < 1000 else growth(x) - 1, (growth,)),
    "log": Reference(mp.log, (lambda x: 1 / x,)),
    "log1p": Reference(mp.log1p, (lambda x: 1 / (1 + x),)),
    "sqrt": Reference(mp.sqrt, (lambda x: 1 / (2 * mp.sqrt(x)),)),
    "logaddexp": Reference(logaddexp, (difference, lambda x, y: difference(y, x)), (logaddexp_terms,), LOGADDEXP),
    "sin": Reference(mp.sin, (mp.cos,)),
    "cos": Reference(mp.cos, (lambda x: -mp.sin(x),)),
    "tan": Reference(mp.tan, (lambda x: mp.sec(x) ** 2,)),
    "asin": Reference(mp.asin, (lambda x: 1 / mp.sqrt(1 - x**2),)),
    "acos": Reference(mp.acos, (lambda x: -1 / mp.sqrt(1 - x**2),)),
    "atan": Reference(mp.atan, (lambda x: 1 / (1 + x**2),)),
    "sinh": Reference(lambda x: hyperbolic(x, -1), (lambda x: hyperbolic(x, 1),)),
    "cosh": Reference(lambda x: hyperbolic(x, 1), (lambda x: hyperbolic(x, -1),)),
    "tanh": Reference(lambda x: mp.tanh(x) if abs(x) < 1000 else mp.sign(x), (sech2,)),
    "sigmoid": Reference(sigmoid, (sigmoid_partial,)),
    "log_sigmoid": Reference(lambda x: -softplus(-x), (lambda x: sigmoid(-x),)),
    "softplus": Reference(softplus, (sigmoid,)),
    "abs": Reference(abs, (sign,)),
    "sign": Reference(sign, (zero,)),
    "relu": Reference(lambda x: max(x, mpf(0)), (step,)),
    "heaviside": Reference(step, (zero,)),
    "floor": Reference(mp.floor, (zero,)),
    "ceil": Reference(mp.ceil, (zero,)),
    "trunc": Reference(lambda x: mp.sign(x) * mp.floor(abs(x)), (zero,)),
    "rint": Reference(mp.nint, (zero,)),
    "positive": Reference(lambda x: x, (one,)),
    "square": Reference(lambda x: x * x, (lambda x: 2 * x,)),
    "reciprocal": Reference(lambda x: 1 / x, (lambda x: -1 / x**2,)),
    "cbrt": Reference(real_cbrt, (lambda x: 1 / (3 * real_cbrt(x) ** 2),)),
    "exp2": Reference(growth2, (lambda x: mp.ln2 * growth2(x),)),
    "log2": Reference(lambda x: mp.log(x) / mp.ln2, (lambda x: 1 / (x * mp.ln2),)),
    "log10": Reference(lambda x: mp.log(x) / mp.ln10, (lambda x: 1 / (x * mp.ln10),)),
    "logaddexp2": Reference(logaddexp2, (difference2, lambda x, y: difference2(y, x)), (logaddexp2_terms,), LOGADDEXP),
    "deg2rad": Reference(lambda x: x * mp.pi / 180, (lambda x: mp.pi / 180,)),
    "rad2deg": Reference(lambda x: x * 180 / mp.pi, (lambda x: 180 / mp.pi,)),
    "asinh": Reference(mp.asinh, (lambda x: 1 / mp.sqrt(1 + x**2),)),
    "acosh": Reference(mp.acosh, (lambda x: 1 / mp.sqrt(x**2 - 1),)),
    "atanh": Reference(mp.atanh, (lambda x: 1 / (1 - x**2),)),
    "hypot": Reference(
        lambda x, y: mp.sqrt(squares(x, y)),
        (lambda x, y: plane_power(x, y, 1, 0, 1), lambda x, y: plane_power(x, y, 0, 1, 1)),
    ),
    "atan2": Reference(
        lambda y, x: mp.atan2(y, x),
        (lambda y, x: plane_power(x, y, 1, 0, 2), lambda y, x: -plane_power(x, y, 0, 1, 2)),
    ),
    "mod": Reference(remainder, (one, lambda x, y: -quotient(x, y))),
    "fmod": Reference(remainder_of_c, (one, lambda x, y: -quotient_of_c(x, y))),
    "floor_divide": Reference(quotient, (zero, zero)),
    "fmax": Reference(max, (share, lambda x, y: share(y, x))),
    "fmin": Reference(min, (lambda x, y: share(y, x), share)),
    "silu": Reference(
        lambda x: x * sigmoid(x),
        (silu_partial,),
        (None, lambda x: max(sigmoid(x), abs(bump(x))) if -2 < x < 0 else abs(silu_partial(x))),
        "the local derivative near the minimum at -1.278, " + LARGER_TERM,
    ),
    "erf": Reference(mp.erf, (erf_partial,)),
    "erfc": Reference(erfc, (lambda x: -erf_partial(x),)),
    "erf_dx": Reference(erf_partial, (lambda x: -2 * x * erf_partial(x),)),
    "gelu": Reference(
        lambda x: x * normal(x), (gelu_partial,), (None, gelu_terms), "the local derivative, " + LARGER_TERM
    ),
    "gelu_dx": Reference(
        gelu_partial,
        (lambda x: (2 - x * x) * density(x),),
        (gelu_terms, lambda x: max(2, x * x) * density(x)),
        "the value and the local derivative, " + LARGER_TERM,
    ),
    "sinc": Reference(
        sinc, (sinc_partial,), (None, sinc_terms), "the local derivative for abs x > 0.3, " + LARGER_TERM
    ),
    "sinc_dx": Reference(
        sinc_partial,
        (sinc_second,),
        (sinc_terms, sinc_second_terms),
        "the value and the local derivative for abs x > 0.3, " + LARGER_TERM,
    ),
    "lgamma": Reference(
        log_gamma,
        (polygamma(0),),
        (log_gamma_terms, digamma_terms),
        "the value and the local derivative for x < 0, " + LARGER_TERM,
    ),
    "digamma": Reference(polygamma(0), (polygamma(1),), (digamma_terms,), "the value for x < 0, " + LARGER_TERM),
    "trigamma": Reference(
        polygamma(1), (polygamma(2),), (None, trigamma_partial_terms), "the local derivative for x < 0, " + LARGER_TERM
    ),
    "maximum": Reference(max, (share, lambda x, y: share(y, x))),
    "minimum": Reference(min, (lambda x, y: share(y, x), share)),
    "binary_cross_entropy": Reference(cross_entropy, (cross_entropy_partial, lambda a, y: -logit(a))),
    "binary_cross_entropy_with_logits": Reference(
        logit_loss,
        (logit_loss_partial, lambda z, y: -z),
        (None, logit_loss_terms),
        "the local derivative for 0 < y < 1, " + LARGER_TERM,
    ),
    "squared_error": Reference(lambda a, y: exactly(a, y) ** 2 / 2, (exactly, lambda a, y: exactly(y, a))),
    "total": Reference(exact_total, _Every(lambda slot, xs: mpf(1))),
    "dot": Reference(
        exact_dot,
        _Every(lambda slot, xs: xs[slot - len(xs) // 2]),
        (dot_terms,),
        "the value: ULP of the sum of all abs(x y)",
    ),
    "flat": Reference(zero, (zero,)),
    "log2_partial": Reference(lambda x: 1 / (x * mp.ln2), (lambda x: -1 / (x**2 * mp.ln2),)),
    "log10_partial": Reference(lambda x: 1 / (x * mp.ln10), (lambda x: -1 / (x**2 * mp.ln10),)),
    "logaddexp2_partial": Reference(
        difference2,
        (
            lambda x, y: mp.ln2 * sigmoid_partial(exactly(x, y) * mp.ln2),
            lambda x, y: -mp.ln2 * sigmoid_partial(exactly(x, y) * mp.ln2),
        ),
    ),
    "cbrt_partial": Reference(lambda x: 1 / (3 * real_cbrt(x) ** 2), (lambda x: mpf(-2) / (9 * real_cbrt(x) ** 5),)),
    "exp2_partial": Reference(lambda x: mp.ln2 * growth2(x), (lambda x: mp.ln2**2 * growth2(x),)),
    "asinh_partial": Reference(lambda x: 1 / mp.sqrt(1 + x**2), (lambda x: -x / (1 + x**2) ** mpf("1.5"),)),
    "acosh_partial": Reference(lambda x: 1 / mp.sqrt(x**2 - 1), (lambda x: -x / (x**2 - 1) ** mpf("1.5"),)),
    "acosh_ratio": Reference(lambda x: x / (x**2 - 1), (lambda x: -(x**2 + 1) / (x**2 - 1) ** 2,)),
    "acosh_square": Reference(lambda x: 1 / (x**2 - 1), (lambda x: -2 * x / (x**2 - 1) ** 2,)),
    "trunc_divide": Reference(quotient_of_c, (zero, zero)),
    "larger_number": Reference(share, (zero, zero)),
    "silu_partial": Reference(
        silu_partial,
        (lambda x: sigmoid_partial(x) * (2 - x * turn(x)),),
        (
            lambda x: max(sigmoid(x), abs(bump(x))) if -2 < x < 0 else abs(silu_partial(x)),
            lambda x: sigmoid_partial(x) * max(2, abs(x)),
        ),
        "the value near -1.278 and the local derivative near ±2.4, " + LARGER_TERM,
    ),
    "sigmoid_bump": Reference(
        bump,
        (lambda x: sigmoid_partial(x) * (1 - x * turn(x)),),
        (None, lambda x: sigmoid_partial(x) * max(1, abs(x))),
        "the local derivative near ±1.54, " + LARGER_TERM,
    ),
    "exp_below_0": Reference(lambda x: growth(x) if x <= 0 else mpf(0), (lambda x: growth(x) if x <= 0 else mpf(0),)),
    "is_finite": Reference(one, (zero,)),
    "larger": Reference(share, (zero, zero)),
    "log_partial": Reference(lambda x: 1 / x, (lambda x: -1 / x**2,)),
    "atan_partial": Reference(lambda x: 1 / (1 + x**2), (lambda x: -2 * x / (1 + x**2) ** 2,)),
    "circle_ratio": Reference(
        lambda x: x / (1 + x**2),
        (lambda x: (1 - x**2) / (1 + x**2) ** 2,),
        (None, lambda x: max(1, 2 * x**2 / (1 + x**2)) / (1 + x**2)),
        "the local derivative, " + LARGER_TERM,
    ),
    "asin_partial": Reference(lambda x: 1 / mp.sqrt(1 - x**2), (lambda x: x / (1 - x**2) ** mpf("1.5"),)),
    "tanh_partial": Reference(sech2, (lambda x: -2 * (mp.tanh(x) if abs(x) < 1000 else mp.sign(x)) * sech2(x),)),
    "sigmoid_difference": Reference(
        difference,
        (lambda x, y: sigmoid_partial(exactly(x, y)), lambda x, y: -sigmoid_partial(exactly(x, y))),
    ),
    "sigmoid_minus": Reference(
        logit_loss_partial,
        (lambda z, y: sigmoid_partial(z), lambda z, y: mpf(-1)),
        (lambda z, y: 2 * logit_loss_terms(z, y) if 0 < y < 1 else abs(logit_loss_partial(z, y)),),
        "the value for 0 < y < 1 (it is a local derivative): 4 ULP of the larger term",
    ),
    "logit": Reference(logit, (lambda a: 1 / (a * (1 - a)),)),
    "pow_dx": Reference(
        power_partial,
        (lambda x, y: power_partial(x, y, 2), mixed),
        (None, None, mixed_terms),
        "the local derivative with respect to y, " + LARGER_TERM,
    ),
    "pow_dy": Reference(
        power_log,
        (mixed, lambda x, y: power_log(x, y, 2)),
        (None, mixed_terms),
        "the local derivative with respect to x, " + LARGER_TERM,
    ),
    "div_dy": Reference(lambda x, y: -x / y**2, (lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3)),
    "binary_cross_entropy_da": Reference(
        cross_entropy_partial,
        (lambda a, y: y / a**2 + (1 - y) / (1 - a) ** 2, lambda a, y: -1 / (a * (1 - a))),
    ),
    "binary_cross_entropy_da_of_logit": Reference(
        of_logit_partial,
        (
            lambda z, y: weighted(1 - y, growth(z)) + weighted(y, growth(-z)),
            lambda z, y: -(1 + growth(z)) - (1 + growth(-z)),
        ),
        (lambda z, y: 2 * of_logit_terms(z, y) if 0 < y < 1 else abs(of_logit_partial(z, y)),),
        "the value for 0 < y < 1 (it is a local derivative): 4 ULP of the larger term",
    ),
}

EXPONENTS = (2.0, 3.0, 0.5, 1.0, 0.0, -1.0, -2.0, -0.5, 0.3, 2.7, -0.9, 1e-20, 7.0, -123.4, 1e15 / 3)


def direction_reference(j: int, k: int) -> Reference:
    """Return the reference of x / r or y / r, where r is the distance from the origin."""
    sign = j - k
    return Reference(
        lambda x, y: plane_power(x, y, j, k, 1),
        (
            lambda x, y: sign * (plane_power(x, y, 0, 2, 3) if j else plane_power(x, y, 1, 1, 3)),
            lambda x, y: -sign * (plane_power(x, y, 1, 1, 3) if j else plane_power(x, y, 2, 0, 3)),
        ),
    )


def leaky_relu_reference(c: float) -> Reference:
    return Reference(lambda x: x if x > 0 else c * x, (lambda x: mpf(1 if x > 0 else c),))


def elu_reference(c: float) -> Reference:
    return Reference(
        lambda x: x if x > 0 else c * (mp.expm1(x) if x > -1000 else -1), (lambda x: 1 if x > 0 else c * growth(x),)
    )


def huber_reference(c: float) -> Reference:
    return Reference(
        lambda x: x * x / 2 if abs(x) <= c else c * (abs(x) - mpf(c) / 2), (lambda x: min(max(x, -mpf(c)), mpf(c)),)
    )


OPTIONS: list[tuple[Op, Reference]] = [
    *[(circles.plane_power(j, k, 1), direction_reference(j, k)) for j, k in ((1, 0), (0, 1))],
    *[(activations.leaky_relu_of(c), leaky_relu_reference(c)) for c in (0.01, 0.0, 2.5, -0.3)],
    *[(activations.elu_of(c), elu_reference(c)) for c in (1.0, 0.5, 1.67326)],
    *[(activations.huber_of(c), huber_reference(c)) for c in (1.0, 0.6, 1e-2)],
    (activations.nan_to_num_of(0.0, HUGE, -HUGE), Reference(lambda x: x, (one,))),
]


def power_reference(c: float) -> Reference:
    return Reference(lambda x: power(x, mpf(c)), (lambda x: power_partial(x, mpf(c)),))


def power_slope_reference(c: float) -> Reference:
    return Reference(lambda x: power_partial(x, mpf(c)), (lambda x: power_partial(x, mpf(c), 2),))


ROWS: dict[str, tuple[Op, Reference]] = {name: (TABLE[name], truth) for name, truth in REFERENCES.items()}
ROWS |= {ops.power(c).name: (ops.power(c), power_reference(c)) for c in EXPONENTS}
ROWS |= {ops.power_partial(c).name: (ops.power_partial(c), power_slope_reference(c)) for c in EXPONENTS}
ROWS |= {
    f"{op.maker.__name__}({', '.join(map(repr, op.parameters))})": (op, truth) for op, truth in OPTIONS if op.maker
}


# --- points ---------------------------------------------------------------------------------------


def around(x: float, steps: int = 3) -> list[float]:
    """Return x and the floats next to it."""
    near, up, down = [x], x, x
    for _ in range(steps):
        up, down = math.nextafter(up, math.inf), math.nextafter(down, -math.inf)
        near += [up, down]
    return near


LANDMARKS = [
    *[x for landmark in (0.0, 0.25, 0.5, 1.0, 2.0, math.pi / 2, math.pi, math.e) for x in around(landmark)],
    *[x for landmark in (36.7, 37.5, 709.78, 710.47, 745.13, 745.2, 372.5) for x in around(landmark, 1)],
    *[2.2250738585072014e-308, 2.0**-1030, 1e-300, 1e-160, 1e-155, 1e-20, 1e-10],
    *[2.0**53, 1e20, 1e154, 1e160, 1e300, HUGE],
]


def numbers(rng: random.Random, low: float, high: float, whole: type | None = None) -> Iterator[float]:
    """Yield floats between low and high endlessly: landmarks first, then the lecture's range and the extremes."""

    def fits(x: float) -> bool:
        return low <= x <= high and (whole is None or x == x // 1)

    yield from filter(fits, [*around(low), *around(high)])
    yield from filter(fits, itertools.chain.from_iterable((x, -x) for x in LANDMARKS))
    draws = [
        lambda: rng.uniform(-1000.0, 1000.0),
        lambda: rng.uniform(-40.0, 40.0),
        lambda: rng.uniform(-2.0, 2.0),
        lambda: rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-20.0, 20.0),
        lambda: rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-323.0, 308.0),
        lambda: rng.uniform(max(low, -1e3), min(high, 1e3)),
        lambda: low + (min(high, 1.0) - low) * 10.0 ** rng.uniform(-17.0, 0.0),
        lambda: high - (high - max(low, -1.0)) * 10.0 ** rng.uniform(-17.0, 0.0),
    ]
    while True:
        x = rng.choice(draws)()
        if whole is not None:
            x = float(round(x)) if abs(x) < HUGE else 0.0
        if fits(x):
            yield x


def points(row: Op, count: int, seed: int = 0) -> list[tuple[float, ...]]:
    """Return `count` points of the op's domain, always the same: borders, neighbors, the bulk and the extremes."""
    rng = random.Random(f"{row.name} {seed}")
    if row.variadic:
        any_number = numbers(rng, -HUGE, HUGE)
        return [
            tuple(rng.choice((rng.gauss(0.0, 10.0), next(any_number))) for _ in range(row.arity * rng.randint(1, 4)))
            for _ in range(count)
        ]
    boxes = [box * row.arity if len(box) < row.arity else box for box in row.domain.boxes]
    found: list[tuple[float, ...]] = []
    streams = [[numbers(rng, *bounds) for bounds in box] for box in boxes]
    for i in itertools.count():
        stream = streams[i % len(streams)]
        point = tuple(next(numbers_) for numbers_ in stream)
        if row.arity == 2 and i // len(streams) % 4:
            point = _related(rng, point, i // len(streams) % 4)
        if row.domain.contains(*point) and all(map(math.isfinite, point)):
            found.append(point)
        if len(found) >= count:
            return found
        if i > 50 * count:
            raise AssertionError(f"no {count} points found in the domain of {row}")
    raise AssertionError


def _related(rng: random.Random, point: tuple[float, ...], kind: int) -> tuple[float, ...]:
    """Return a point with related operands: close to each other, or a power at the edge of the range of floats."""
    x, y = point
    if kind == 1:
        return x, x + rng.choice((1e-16, 1e-8, 1.0, 30.0, 700.0)) * rng.uniform(-1.0, 1.0) * (abs(x) or 1.0)
    if kind == 2 and x > 0 and x != 1 and y != y // 1:
        return x, rng.uniform(-1.0, 1.0) * rng.choice((1.0, 700.0, 745.0)) / math.log(x)
    if kind == 3:
        return x, rng.uniform(0.0, 1.0) if rng.random() < 0.5 else y
    return point
