"""The table: an op is one row, and nothing about it is written anywhere else.

A row says how floats compute the op, which NumPy function computes it on arrays, and its local
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

from tinygraph import ieee

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar, overload

    from tinygraph.graph import Node

    N = TypeVar("N", bound=Node)


class Domain:
    """Where an op is smooth: a union of boxes of floats, less the kinks.

    A box holds one closed interval (low, high) per operand, or one for all of them; a third entry
    `int` keeps it to whole numbers. `kink` is a function of the operands that is zero just where a kink or a pole stands.

    >>> POSITIVE.contains(2.0), POSITIVE.contains(-2.0)
    (True, False)
    >>> KINK_AT_0.contains(0.0)
    False
    """

    __slots__ = ("boxes", "kink", "text")

    def __init__(
        self,
        text: str,
        *boxes: tuple[tuple[Any, ...], ...],
        kink: Callable[..., float] | None = None,
    ) -> None:
        self.text, self.boxes, self.kink = text, boxes, kink

    def contains(self, *operands: float) -> bool:
        """Whether the op is smooth at these operands."""
        return self.holds(operands) and (self.kink is None or self.kink(*operands) != 0)

    def holds(self, *points: Sequence[float]) -> bool:
        """Whether one box holds all these points: there is then no gap, no pole between them."""
        return any(
            all(_inside(x, *bounds) for point in points for x, bounds in zip(point, box * len(point), strict=False))
            for box in self.boxes
        )

    def __repr__(self) -> str:
        return f"Domain({self.text!r})"


def _inside(x: float, low: float, high: float, whole: type | None = None) -> bool:
    return low <= x <= high and (whole is None or x == x // 1)


_TINY, _EPS, _HUGE = 5e-324, 2.0**-53, 1.7976931348623157e308
_REAL = (-_HUGE, _HUGE)
_UNIT = (0.0, 1.0)
_OPEN_UNIT = (_TINY, 1.0 - _EPS)

ANY = Domain("all reals", (_REAL,))
POSITIVE = Domain("x > 0", ((_TINY, _HUGE),))
KINK_AT_0 = Domain("x ≠ 0", (_REAL,), kink=lambda x: x)
BETWEEN_POLES = Domain("cos(x) ≠ 0", (_REAL,), kink=ieee.cos)
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


_FLOATS: dict[str, Any] = {}  # filled when the table is complete


def _of_floats(slope: Any) -> Any:
    """A slope of the table, its text compiled for floats: `sigmoid(-x)` calls the row's float function.

    It takes a fifth off the time of recording a sigmoid. A slope from outside the table stays as it is.
    """
    if slope is None or slope.__globals__ is not globals():
        return slope
    return type(slope)(slope.__code__, _FLOATS, slope.__name__, None, slope.__closure__)


class Op:
    """One row of the table: called on floats it computes, on nodes it records.

    `symbol` writes it out (a sign between two operands, a name before them, or a template with
    `{}`); `array` names the NumPy function; `analytic` computes it on complex numbers from a module
    it is given, cmath or mpmath, and is None where the op is not analytic. `family` gives the row of one operand
    for a plain number as second operand.

    >>> exp(0.0)
    1.0
    >>> log
    <op log(x): x > 0>
    """

    __slots__ = (
        "analytic",
        "arity",
        "array",
        "domain",
        "dx",
        "dx_of_floats",
        "dy",
        "dy_of_floats",
        "family",
        "linear",
        "made_by",
        "name",
        "number",
        "symbol",
    )
    variadic = False

    def __init__(
        self,
        name: str,
        number: Callable[..., float],
        *,
        dx: Callable[..., Any],
        dy: Callable[..., Any] | None = None,
        symbol: str = "",
        array: str | None = None,
        domain: Domain = ANY,
        analytic: Callable[..., Any] | None = None,
        linear: bool = False,
        family: Callable[[float], Op] | None = None,
        made_by: tuple[Any, ...] | None = None,
    ) -> None:
        self.name, self.number, self.dx, self.dy = name, number, dx, dy
        self.dx_of_floats, self.dy_of_floats = _of_floats(dx), _of_floats(dy)
        self.arity = 1 if dy is None else 2
        self.symbol, self.array, self.domain = symbol or name, array, domain
        self.analytic, self.linear, self.family, self.made_by = analytic, linear, family, made_by

    def slopes(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """The local derivatives at these operands; one that is not wanted is None and costs nothing.

        >>> mul.slopes(6.0, (2.0, 3.0), [True, False])
        (3.0, None)
        """
        dx = self.dx(out, *operands) if wanted[0] else None
        if self.dy is None:
            return (dx,)
        return dx, self.dy(out, *operands) if wanted[1] else None

    def text(self, *operands: str) -> str:
        """The op written out for operands that are written out.

        >>> mul.text("b", "c"), neg.text("b"), power(3).text("x"), log.text("a")
        ('b × c', '-b', 'x**3', 'log(a)')
        """
        if "{}" in self.symbol:
            return self.symbol.format(*operands)
        if self.symbol.isidentifier():
            return f"{self.symbol}({', '.join(operands)})"
        return f"{operands[0]} {self.symbol} {operands[1]}"

    if TYPE_CHECKING:

        @overload
        def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
        @overload
        def __call__(self, *operands: N | float) -> N: ...
        def __call__(self, *operands: Any) -> Any:
            """Compute on plain numbers; let the first node among the operands record."""

    else:

        def __call__(self, x, y=None, *more):
            """Compute on plain numbers; let the first node among the operands record."""
            if y is None:
                if self.arity == 1:
                    if type(x) is float:
                        return self.number(x)
                    record = getattr(type(x), "_record", None)
                    return self.number(plain_number(x, self.name)) if record is None else record(self, x)
            elif self.arity == 2 and not more:
                if type(x) is type(y) is float:
                    return self.number(x, y)
                record = getattr(type(x), "_record", None) or getattr(type(y), "_record", None)
                if record is None:
                    return self.number(plain_number(x, self.name), plain_number(y, self.name))
                if self.family and not hasattr(type(y), "_record"):
                    return self.family(plain_number(y, self.name))(x)
                return record(self, x, y)
            given = 1 + (y is not None) + len(more)
            raise TypeError(f"{self.name} takes {self.arity} operand(s), but {given} were given")

    def __repr__(self) -> str:
        return f"<op {self.text(*'xy'[: self.arity])}: {self.domain.text}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.made_by[0], self.made_by[1:]) if self.made_by else (_row, (self.name,))


class VariadicOp(Op):
    """A row whose operands are `arity` lists of numbers; a slope is then a sequence, one for each entry.

    `combine` computes it on the lists, `number` on all their entries one after the other, as a node holds them.

    >>> dot([1.0, 2.0], [3.0, 4.0])
    11.0
    """

    __slots__ = ("combine",)
    variadic = True

    def __init__(self, name: str, combine: Callable[..., float], **columns: Any) -> None:
        super().__init__(name, lambda *operands: combine(*self.lists(operands)), **columns)
        self.combine = combine

    def lists(self, operands: Sequence[Any]) -> list[Sequence[Any]]:
        """The lists that operands one after the other come from.

        >>> dot.lists((1.0, 2.0, 3.0, 4.0))
        [(1.0, 2.0), (3.0, 4.0)]
        """
        size = len(operands) // self.arity
        return [operands[i * size : (i + 1) * size] for i in range(self.arity)]

    def slopes(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """The local derivatives up to the last that is wanted; one that is not wanted is None."""
        last = len(wanted) - wanted[::-1].index(True) if True in wanted else 0
        lists = self.lists(operands)
        slopes = [slope for column in (self.dx, self.dy) if column for slope in column(out, *lists)]
        return tuple([slope if want else None for slope, want in zip(slopes[:last], wanted, strict=False)])

    def text(self, *operands: str) -> str:
        """The op written out, long lists cut short.

        >>> dot.text("w1", "w2", "x1", "x2"), total.text("a", "b", "c", "d")
        ('dot([w1, w2], [x1, x2])', 'total([a, b, …, d])')
        """
        lists = self.lists(operands)
        short = [x if len(x) <= 3 else (*x[:2], "…", x[-1]) for x in lists]
        return f"{self.name}({', '.join('[' + ', '.join(x) + ']' for x in short)})"

    if not TYPE_CHECKING:

        def __call__(self, xs, ys=None, *more):
            """Compute on lists of plain numbers; where one entry is a node, record one node."""
            if self.arity != (1 if ys is None else 2) or more:
                given = 1 + (ys is not None) + len(more)
                raise TypeError(f"{self.name} takes {self.arity} sequence(s), but {given} were given")
            try:
                xs = tuple(xs)
                ys = None if ys is None else tuple(ys)
            except TypeError:
                for sequence in (xs, ys or ()):
                    if not hasattr(sequence, "__iter__"):
                        message = f"{self.name} takes sequences of numbers and nodes, not {sequence!r}"
                        raise TypeError(message) from None
                raise
            if ys is not None and len(xs) != len(ys):
                raise ValueError(f"{self.name} needs sequences of one length, got {len(xs)} and {len(ys)}")
            record = getattr(type(xs[0]), "_record_lists", None) if xs else None
            if record is not None:
                return record(self, xs, ys)
            lists = (xs,) if ys is None else (xs, ys)
            for entries in lists:
                for entry in entries:
                    record = getattr(type(entry), "_record_lists", None)
                    if record is not None:
                        return record(self, xs, ys)
            return self.combine(*[[plain_number(x, self.name) for x in entries] for entries in lists])

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join('xy'[: self.arity])}): {self.domain.text}>"


def plain_number(value: Any, op: str = "Value") -> float:
    """The float of a plain number, or an error that says what to do.

    int, bool, NumPy scalars and 0-d arrays, Fraction and Decimal are numbers.

    >>> plain_number(True)
    1.0
    """
    if isinstance(value, (float, int)):
        try:
            return float(value)
        except OverflowError:
            size = int(value).bit_length()
            raise OverflowError(f"{op}: an int of {size} bits is too large for a float") from None
    kind = type(value)
    if hasattr(kind, "_record"):
        raise TypeError(f"{op}: this is a {kind.__name__} already; use it as it is, or .detach() for a constant copy")
    if getattr(value, "shape", None) == () and kind.__module__.partition(".")[0] == "numpy":
        return plain_number(value.item(), op)
    # Fraction and Decimal say how to become a float, and are no text, container or complex number.
    if hasattr(kind, "__float__") and hasattr(kind, "as_integer_ratio"):
        return float(value)
    raise TypeError(f"{op}: {_short(value)} is not a real number; {_remedy(value)}")


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"


def _remedy(value: Any) -> str:
    if isinstance(value, (str, bytes)):
        return "convert text with float(...) first"
    if isinstance(value, complex):
        return "take its .real or .imag part"
    if hasattr(value, "__len__") or hasattr(value, "shape"):
        return "make one Value per entry: [Value(x) for x in entries]"
    return "pass an int or a float"


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
div: Op = Op("div", ieee.divide, symbol="/", array="divide", domain=NONZERO_DIVISOR, analytic=lambda m, x, y: x / y,
             dx=lambda out, x, y: 1.0 / y,
             dy=lambda out, x, y: div_dy(x, y))
neg: Op = Op("neg", operator.neg, symbol="-{}", array="negative", analytic=lambda m, x: -x, linear=True,
             dx=lambda out, x: -1.0)
pow: Op = Op("pow", ieee.pow, symbol="**", array="power", domain=POWERS, analytic=lambda m, x, y: x**y,
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
    return Op(f"power({c!r})", lambda x: ieee.pow(x, c), symbol=f"{{}}**{c:g}", domain=_power_domain(c),
              analytic=lambda m, x: x**c, made_by=(power, c),
              dx=lambda out, x: power_slope(c)(x))


@lru_cache(maxsize=1024)
def power_slope(exponent: float, n: int = 1) -> Op:
    """The n-th derivative of `power(exponent)`, a row that stays exact where exponent - n is no float."""
    c = plain_number(exponent, "power_slope")
    factor = ieee.falling(c, n)
    made_by = (power_slope, c, n) if n > 1 else (power_slope, c)  # as it was called: one row, one key
    return Op(f"power_slope({c!r}{f', {n}' if n > 1 else ''})", lambda x: ieee.lowered_pow(x, c, n, factor),
              symbol=f"{factor:g}·{{}}**{c - n:g}", domain=_power_domain(c), made_by=made_by,
              dx=lambda out, x: power_slope(c, n + 1)(x))


def _power_domain(c: float) -> Domain:
    if c != c // 1:
        return POSITIVE
    return ANY if c >= 0 else NONZERO


# --- exponentials and logarithms ------------------------------------------------------------------

exp: Op = Op("exp", ieee.exp, array="exp", analytic=lambda m, x: m.exp(x), dx=lambda out, x: out)
expm1: Op = Op("expm1", ieee.expm1, array="expm1", analytic=lambda m, x: m.exp(x) - 1.0, dx=lambda out, x: exp(x))
log: Op = Op("log", ieee.log, array="log", domain=POSITIVE, analytic=lambda m, x: m.log(x), dx=lambda out, x: log_slope(x))
log1p: Op = Op("log1p", ieee.log1p, array="log1p", domain=ABOVE_MINUS_1, analytic=lambda m, x: m.log(1.0 + x),
               dx=lambda out, x: log_slope(1.0 + x))
sqrt: Op = Op("sqrt", ieee.sqrt, array="sqrt", domain=POSITIVE, analytic=lambda m, x: m.sqrt(x), dx=lambda out, x: power_slope(0.5)(x))
logaddexp: Op = Op("logaddexp", ieee.logaddexp, array="logaddexp",
                   analytic=lambda m, x, y: m.log(m.exp(x) + m.exp(y)),
                   dx=lambda out, x, y: sigmoid_difference(x, y),
                   dy=lambda out, x, y: sigmoid_difference(y, x))

# --- circle and hyperbola -------------------------------------------------------------------------

sin: Op = Op("sin", ieee.sin, array="sin", analytic=lambda m, x: m.sin(x), dx=lambda out, x: cos(x))
cos: Op = Op("cos", ieee.cos, array="cos", analytic=lambda m, x: m.cos(x), dx=lambda out, x: -sin(x))
tan: Op = Op("tan", ieee.tan, array="tan", domain=BETWEEN_POLES, analytic=lambda m, x: m.tan(x), dx=lambda out, x: 1.0 + out * out)
asin: Op = Op("asin", ieee.asin, array="arcsin", domain=INSIDE_1, analytic=lambda m, x: m.asin(x),
              dx=lambda out, x: 1.0 / sqrt((1.0 - x) * (1.0 + x)))
acos: Op = Op("acos", ieee.acos, array="arccos", domain=INSIDE_1, analytic=lambda m, x: m.acos(x),
              dx=lambda out, x: -1.0 / sqrt((1.0 - x) * (1.0 + x)))
atan: Op = Op("atan", math.atan, array="arctan", analytic=lambda m, x: m.atan(x), dx=lambda out, x: atan_slope(x))
sinh: Op = Op("sinh", ieee.sinh, array="sinh", analytic=lambda m, x: m.sinh(x), dx=lambda out, x: cosh(x))
cosh: Op = Op("cosh", ieee.cosh, array="cosh", analytic=lambda m, x: m.cosh(x), dx=lambda out, x: sinh(x))
tanh: Op = Op("tanh", ieee.tanh, array="tanh", analytic=lambda m, x: m.tanh(x),
              dx=lambda out, x: 4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x))  # 1 - out * out has no tails

# --- the neuron -----------------------------------------------------------------------------------

sigmoid: Op = Op("sigmoid", ieee.sigmoid, analytic=lambda m, x: 1.0 / (1.0 + m.exp(-x)),
                 dx=lambda out, x: out * sigmoid(-x))  # out * (1 - out) has no right tail
log_sigmoid: Op = Op("log_sigmoid", ieee.log_sigmoid, analytic=lambda m, x: -m.log(1.0 + m.exp(-x)),
                     dx=lambda out, x: sigmoid(-x))
softplus: Op = Op("softplus", ieee.softplus, analytic=lambda m, x: m.log(1.0 + m.exp(x)),
                  dx=lambda out, x: sigmoid(x))

# --- kinks and steps ------------------------------------------------------------------------------

abs: Op = Op("abs", operator.abs, symbol="|{}|", array="absolute", domain=KINK_AT_0, dx=lambda out, x: sign(x))
sign: Op = Op("sign", ieee.sign, array="sign", domain=KINK_AT_0, dx=lambda out, x: flat(x))
relu: Op = Op("relu", ieee.relu, domain=KINK_AT_0, dx=lambda out, x: heaviside(x))
heaviside: Op = Op("heaviside", ieee.heaviside, domain=KINK_AT_0, dx=lambda out, x: flat(x))
maximum: Op = Op("maximum", ieee.maximum, array="maximum", domain=KINK_AT_TIE,
                 dx=lambda out, x, y: larger(x, y),
                 dy=lambda out, x, y: larger(y, x))
minimum: Op = Op("minimum", ieee.minimum, array="minimum", domain=KINK_AT_TIE,
                 dx=lambda out, x, y: larger(y, x),
                 dy=lambda out, x, y: larger(x, y))

# --- losses ---------------------------------------------------------------------------------------

binary_cross_entropy: Op = Op("binary_cross_entropy", ieee.binary_cross_entropy, domain=PROBABILITIES,
                              analytic=lambda m, a, y: -(y * m.log(a) + (1.0 - y) * m.log(1.0 - a)),
                              dx=lambda out, x, y: binary_cross_entropy_da(x, y),
                              dy=lambda out, x, y: -logit(x))
binary_cross_entropy_with_logits: Op = Op(
    "binary_cross_entropy_with_logits", ieee.binary_cross_entropy_with_logits, domain=LOGITS,
    analytic=lambda m, z, y: m.log(1.0 + m.exp(z)) - y * z,
    dx=lambda out, x, y: sigmoid_minus(x, y),
    dy=lambda out, x, y: -x)
squared_error: Op = Op("squared_error", ieee.squared_error, analytic=lambda m, a, y: 0.5 * (a - y) ** 2,
                       dx=lambda out, x, y: x - y,
                       dy=lambda out, x, y: y - x)

# --- any number of operands -----------------------------------------------------------------------

total: VariadicOp = VariadicOp("total", ieee.total, analytic=lambda m, *xs: sum(xs), linear=True,
                               dx=lambda out, xs: (1.0,) * len(xs))
dot: VariadicOp = VariadicOp("dot", ieee.dot, analytic=lambda m, *xs: sum(map(operator.mul, xs, xs[len(xs) // 2 :])),
                             dx=lambda out, xs, ys: ys,
                             dy=lambda out, xs, ys: xs)

# --- private rows: slopes that need a branch ------------------------------------------------------

flat: Op = Op("flat", ieee.flat, domain=KINK_AT_0, dx=lambda out, x: flat(x))
larger: Op = Op("larger", ieee.larger, domain=KINK_AT_TIE,
                dx=lambda out, x, y: flat(x),
                dy=lambda out, x, y: flat(y))
log_slope: Op = Op("log_slope", ieee.log_slope, domain=POSITIVE, analytic=lambda m, x: 1.0 / x,
                   dx=lambda out, x: -out * out)
atan_slope: Op = Op("atan_slope", ieee.atan_slope, analytic=lambda m, x: 1.0 / (1.0 + x * x),
                    dx=lambda out, x: -2.0 * (x * out) * out)
sigmoid_difference: Op = Op("sigmoid_difference", ieee.sigmoid_difference,
                            analytic=lambda m, x, y: 1.0 / (1.0 + m.exp(y - x)),
                            dx=lambda out, x, y: out * sigmoid_difference(y, x),
                            dy=lambda out, x, y: -out * sigmoid_difference(y, x))
sigmoid_minus: Op = Op("sigmoid_minus", ieee.sigmoid_minus, domain=LOGITS,
                       analytic=lambda m, z, y: 1.0 / (1.0 + m.exp(-z)) - y,
                       dx=lambda out, x, y: sigmoid(x) * sigmoid(-x),
                       dy=lambda out, x, y: -1.0)
logit: Op = Op("logit", ieee.logit, domain=INSIDE_0_1, analytic=lambda m, a: m.log(a / (1.0 - a)),
               dx=lambda out, x: log_slope(x) + log_slope(1.0 - x))

# Families: partial derivatives of any order, whose slopes are the next in the family.


@lru_cache(maxsize=64)
def pow_slope(n: int, k: int) -> Op:
    """The row d^(n+k) pow(x, y) / dx^n dy^k."""
    return Op("pow_" + "dx" * n + "dy" * k, lambda x, y: ieee.pow_slope(x, y, n, k),
              domain=POSITIVE_BASE if k else POWERS, made_by=(pow_slope, n, k),
              dx=lambda out, x, y: pow_slope(n + 1, k)(x, y),
              dy=lambda out, x, y: pow_slope(n, k + 1)(x, y))


@lru_cache(maxsize=64)
def div_slope(n: int) -> Op:
    """The row d^n (x / y) / dy^n."""
    return Op("div_" + "dy" * n, lambda x, y: ieee.div_slope(x, y, n), domain=NONZERO_DIVISOR,
              made_by=(div_slope, n),
              dx=lambda out, x, y: div_slope(n)(1.0, y),
              dy=lambda out, x, y: div_slope(n + 1)(x, y))


@lru_cache(maxsize=64)
def binary_cross_entropy_slope(n: int) -> Op:
    """The row d^n binary_cross_entropy(a, y) / da^n; it is linear in y."""
    return Op("binary_cross_entropy_" + "da" * n, lambda a, y: ieee.binary_cross_entropy_slope(a, y, n),
              domain=PROBABILITIES, made_by=(binary_cross_entropy_slope, n),
              dx=lambda out, x, y: binary_cross_entropy_slope(n + 1)(x, y),
              dy=lambda out, x, y: binary_cross_entropy_slope(n)(x, 1.0) - binary_cross_entropy_slope(n)(x, 0.0))


pow_dx: Op = pow_slope(1, 0)
pow_dy: Op = pow_slope(0, 1)
div_dy: Op = div_slope(1)
binary_cross_entropy_da: Op = binary_cross_entropy_slope(1)

# fmt: on

# The table as the slopes of floats see it: rows without the detour over what they record.
_FLOATS |= globals() | {name: row.number for name, row in list(globals().items()) if type(row) is Op}

TABLE: dict[str, Op] = {row.name: row for row in list(globals().values()) if isinstance(row, Op)}


_OUTSIDE: dict[str, Op] = {}


def op(
    name: str,
    number: Callable[..., float],
    *,
    dx: Callable[..., Any],
    dy: Callable[..., Any] | None = None,
    symbol: str = "",
    domain: Domain = ANY,
    analytic: Callable[..., Any] | None = None,
    linear: bool = False,
) -> Op:
    """Register a row of your own: the op then computes on floats, records on nodes, and is differentiated.

    `number` computes it on floats (by IEEE: nan or infinity rather than an exception). `dx` and `dy`
    are its slopes, functions of (out, x) or (out, x, y) that use + - * / and rows only, so that there
    are derivatives of every order. `analytic`, if it is: a function of (m, x), where m is cmath or
    mpmath. `domain` says where it is smooth. A taken name, or one that is no identifier, is a
    ValueError; `tinygraph.testing.op_test(row)` tests the row.

    >>> from tinygraph import Value, grad
    >>> cube = op("cube", lambda x: x * x * x, dx=lambda out, x: 3.0 * x * x, analytic=lambda m, x: x**3)
    >>> cube(2.0)
    8.0
    >>> x = Value(2.0)
    >>> grad(grad(cube(x), x, create_graph=True), x)
    12.0
    """
    if not name.isidentifier():
        raise ValueError(f"an op's name must be a Python identifier, not {name!r}")
    if name in TABLE:
        raise ValueError(f"there is an op {name!r} in the table already: choose another name")
    for column, function in (("number", number), ("dx", dx), *((("dy", dy),) if dy else ())):
        if not callable(function):
            raise TypeError(f"{column} of op {name!r} must be a function, not {function!r}")
    row = Op(name, number, dx=dx, dy=dy, symbol=symbol, domain=domain, analytic=analytic, linear=linear)
    _OUTSIDE[name] = row  # by this name it is found again when a graph is unpickled
    return row


def _row(name: str) -> Op:
    row = TABLE.get(name) or _OUTSIDE.get(name)
    if row is None:
        raise LookupError(f"no op is called {name!r}: import the module that registers it before loading the graph")
    return row
