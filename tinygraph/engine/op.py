"""What a row of the table is: an op on floats, on arrays and on nodes, with its slopes and its domain."""

from __future__ import annotations

from tinygraph.engine.domain import ANY, Domain
from tinygraph.kernels.numbers import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar, overload

    from tinygraph.engine.graph import Node

    N = TypeVar("N", bound=Node)


_NOTHING = object()  # an operand that was not given
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}

TABLE: dict[str, Op] = {}  # the rows of `ops`, by name
OUTSIDE: dict[str, Op] = {}  # those of users

# The table as the slopes of floats and of arrays see it: rows without the detour over what they record.
FLOATS: dict[str, Any] = {}  # filled when the table is complete
ARRAYS: dict[str, Any] = {}  # filled when arrays are first computed with


def _compiled(slope: Any, names: dict[str, Any]) -> Any:
    """A slope of the table, its code over other names: `sigmoid(-x)` then calls the row's function of floats.

    It takes a fifth off the time of recording a sigmoid. A slope from outside the table stays as it is.
    """
    if slope.__module__ != "tinygraph.engine.ops":
        return slope
    return type(slope)(slope.__code__, names, slope.__name__, None, slope.__closure__)


class Op:
    """One row of the table: called on floats it computes, on nodes it records.

    `symbol` writes it out (a sign between two operands, a name before them, or a template with
    `{}`); `array` names the function of arrays, in `arrays` or NumPy (or is one, given that module), without
    which they are computed float by float; `with_slope` names one in `arrays` that computes value and first
    slope at once, where they share an exponential; `analytic` computes it on complex numbers from a module
    it is given, cmath or mpmath, and is None where the op is not analytic. `family` gives the row of one operand
    for a plain number as second operand.

    >>> from tinygraph.engine.ops import exp, log
    >>> exp(0.0)
    1.0
    >>> log
    <op log(x): x > 0>
    """

    __slots__ = (
        "_of_arrays",
        "analytic",
        "arity",
        "array",
        "domain",
        "dx",
        "dx_of_floats",
        "dy",
        "family",
        "linear",
        "made_by",
        "name",
        "number",
        "symbol",
        "with_slope",
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
        array: str | Callable[..., Any] | None = None,
        with_slope: str = "",
        domain: Domain = ANY,
        analytic: Callable[..., Any] | None = None,
        linear: bool = False,
        family: Callable[[float], Op] | None = None,
        made_by: tuple[Any, ...] | None = None,
    ) -> None:
        self.name, self.number, self.dx, self.dy = name, number, dx, dy
        self.dx_of_floats = _compiled(dx, FLOATS)
        self.with_slope = with_slope
        self._of_arrays: tuple[Callable[..., Any], ...] | None = None
        self.arity = 1 if dy is None else 2
        self.symbol, self.array, self.domain = symbol or name, array, domain
        self.analytic, self.linear, self.family, self.made_by = analytic, linear, family, made_by

    def slopes(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """The local derivatives at these operands; one that is not wanted is None and costs nothing.

        >>> from tinygraph.engine.ops import mul
        >>> mul.slopes(6.0, (2.0, 3.0), [True, False])
        (3.0, None)
        """
        dx = self.dx(out, *operands) if wanted[0] else None
        if self.dy is None:
            return (dx,)
        return dx, self.dy(out, *operands) if wanted[1] else None

    def of_arrays(self) -> tuple[Callable[..., Any], ...]:
        """The functions that compute the op on arrays, and its slopes from the result and the operands.

        >>> import numpy as np
        >>> from tinygraph.engine.ops import sqrt
        >>> value, slope = sqrt.of_arrays()
        >>> value(np.array([4.0, 9.0])), slope(np.array([2.0, 3.0]), np.array([4.0, 9.0]))
        (array([2., 3.]), array([0.25      , 0.16666667]))
        """
        if self._of_arrays is None:
            from functools import partial

            import numpy

            from tinygraph.kernels import arrays

            if not ARRAYS:
                ARRAYS.update(FLOATS)
                ARRAYS.update({row.name: row.of_arrays()[0] for row in TABLE.values() if not row.variadic})
            function: Any = partial(self.array, arrays) if callable(self.array) else None
            if isinstance(self.array, str):
                function = getattr(arrays, self.array, None) or getattr(numpy, self.array)
            slopes = [_compiled(slope, ARRAYS) for slope in (self.dx, self.dy) if slope]
            self._of_arrays = (function or arrays.float_by_float(self.number, self.arity), *slopes)
        return self._of_arrays

    def _plain(self, *operands: Any) -> Any:
        """Compute on numbers of any type, or on arrays."""
        if any(getattr(operand, "shape", ()) for operand in operands):
            from tinygraph.kernels.arrays import quietly

            return quietly(self.of_arrays()[0], *operands)
        return self.number(*[plain_number(operand, self.name) for operand in operands])

    def on(self, operands: Sequence[Any]) -> Any:
        """Call it on operands one after the other, as a node holds them.

        >>> from tinygraph.engine.ops import dot, mul
        >>> mul.on((2.0, 3.0)), dot.on((1.0, 2.0, 3.0, 4.0))
        (6.0, 11.0)
        """
        return self(*operands)

    def code(self, *operands: str) -> str:
        """The call as code to paste, for operands that are written out.

        >>> from tinygraph.engine.ops import dot, log, log_slope, mul, power
        >>> mul.code("b", "c"), log.code("a"), power(3).code("x"), dot.code("w", "x")
        ('b * c', 'tinygraph.log(a)', 'x ** 3.0', 'tinygraph.dot([w], [x])')
        >>> log_slope.code("a")
        'tinygraph.engine.ops.log_slope(a)'
        """
        if self.name in _INFIX:
            return f"{operands[0]} {_INFIX[self.name]} {operands[1]}"
        family, *parameters = self.made_by or ("",)
        if family:
            of = ", ".join(map(repr, parameters))
            if family.__name__ == "power":
                return f"{operands[0]} ** {of}"
            return f"tinygraph.engine.ops.{family.__name__}({of})({', '.join(operands)})"
        from tinygraph import __all__ as public

        room = "engine.ops." if self.name in TABLE and self.name not in public else ""
        return f"tinygraph.{room}{self.name}({', '.join(operands)})"

    def text(self, *operands: str) -> str:
        """The op written out for operands that are written out.

        >>> from tinygraph.engine.ops import log, mul, neg, power
        >>> mul.text("b", "c"), neg.text("b"), power(3).text("x"), log.text("a")
        ('b × c', '-b', 'x**3', 'log(a)')
        """
        if "{" in self.symbol:
            return self.symbol.format(*operands)
        if self.symbol.isidentifier():
            return f"{self.symbol}({', '.join(operands)})"
        return f"{operands[0]} {self.symbol} {operands[1]}"

    if TYPE_CHECKING:

        @overload
        def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
        @overload
        def __call__(self, *operands: N | float) -> N: ...
        @overload
        def __call__(self, *operands: Any) -> Any: ...
        def __call__(self, *operands: Any) -> Any:
            """Compute on plain numbers; let the first node among the operands record."""

    else:

        def __call__(self, x=_NOTHING, y=None, *more):
            """Compute on plain numbers; let the first node among the operands record."""
            if y is None:
                if not self.dy and x is not _NOTHING:
                    if type(x) is float:
                        return self.number(x)
                    record = getattr(type(x), "_record", None)
                    return self._plain(x) if record is None else record(self, x)
            elif self.dy and not more:
                if type(x) is type(y) is float:
                    return self.number(x, y)
                record = getattr(type(x), "_record", None) or getattr(type(y), "_record", None)
                if record is None:
                    return self._plain(x, y)
                if self.family and not hasattr(type(y), "_record") and not getattr(y, "shape", ()):
                    return self.family(plain_number(y, self.name))(x)
                return record(self, x, y)
            given = (x is not _NOTHING) + (y is not None) + len(more)
            raise TypeError(f"{self.name} takes {self.arity} operand(s), but {given} were given")

    def __repr__(self) -> str:
        return f"<op {self.text(*'xy'[: self.arity])}: {self.domain.text}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.made_by[0], self.made_by[1:]) if self.made_by else (_row, (self.name,))


class VariadicOp(Op):
    """A row whose operands are `arity` lists of numbers; a slope is then a sequence, one for each entry.

    `combine` computes it on the lists, `number` on all their entries one after the other, as a node holds them.

    >>> from tinygraph.engine.ops import dot
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

        >>> from tinygraph.engine.ops import dot
        >>> dot.lists((1.0, 2.0, 3.0, 4.0))
        [(1.0, 2.0), (3.0, 4.0)]
        """
        size = len(operands) // self.arity
        return [operands[i * size : (i + 1) * size] for i in range(self.arity)]

    def on(self, operands: Sequence[Any]) -> Any:
        """Call it on operands one after the other, as a node holds them."""
        return self(*self.lists(operands))

    def code(self, *operands: str) -> str:
        """The call as code to paste, for operands that are written out."""
        return super().code(*[f"[{', '.join(entries)}]" for entries in self.lists(operands)])

    def slopes(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """The local derivatives up to the last that is wanted; one that is not wanted is None."""
        last = len(wanted) - wanted[::-1].index(True) if True in wanted else 0
        lists = self.lists(operands)
        slopes = [slope for column in (self.dx, self.dy) if column for slope in column(out, *lists)]
        return tuple([slope if want else None for slope, want in zip(slopes[:last], wanted, strict=False)])

    def text(self, *operands: str) -> str:
        """The op written out, long lists cut short.

        >>> from tinygraph.engine.ops import dot, total
        >>> dot.text("w1", "w2", "x1", "x2"), total.text("a", "b", "c", "d")
        ('dot([w1, w2], [x1, x2])', 'total([a, b, …, d])')
        """
        lists = self.lists(operands)
        short = [x if len(x) <= 3 else (*x[:2], "…", x[-1]) for x in lists]
        return f"{self.name}({', '.join('[' + ', '.join(x) + ']' for x in short)})"

    if not TYPE_CHECKING:

        def __call__(self, xs=_NOTHING, ys=None, *more):
            """Compute on lists of plain numbers; where one entry is a node, record one node."""
            if self.arity != (1 if ys is None else 2) or more or xs is _NOTHING:
                given = (xs is not _NOTHING) + (ys is not None) + len(more)
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
            lists = (xs,) if ys is None else (xs, ys)
            for entries in lists:
                for entry in entries:
                    record = getattr(type(entry), "_record_lists", None)
                    if record is not None:
                        return record(self, xs, ys)
            return self.combine(*[[plain_number(x, self.name) for x in entries] for entries in lists])

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join('xy'[: self.arity])}): {self.domain.text}>"


def op(
    name: str,
    number: Callable[..., float],
    *,
    dx: Callable[..., Any],
    dy: Callable[..., Any] | None = None,
    symbol: str = "",
    array: Callable[..., Any] | None = None,
    domain: Domain = ANY,
    analytic: Callable[..., Any] | None = None,
    linear: bool = False,
) -> Op:
    """Register a row of your own: the op then computes on floats, records on nodes, and is differentiated.

    `number` computes it on floats (by IEEE: nan or infinity rather than an exception). `dx` and `dy`
    are its slopes, functions of (out, x) or (out, x, y) that use + - * / and rows only, so that there
    are derivatives of every order. `array` computes it on arrays: a function of (m, x), where m is
    `tinygraph.arrays`; without it that goes float by float. `analytic`, if it is: a function of (m, x),
    where m is cmath or mpmath. `domain` says where it is smooth. A taken name, or one that is no identifier, is a
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
    row = Op(name, number, dx=dx, dy=dy, symbol=symbol, array=array, domain=domain, analytic=analytic, linear=linear)
    OUTSIDE[name] = row  # by this name it is found again when a graph is unpickled
    return row


def _row(name: str) -> Op:
    row = TABLE.get(name) or OUTSIDE.get(name)
    if row is None:
        raise LookupError(f"no op is called {name!r}: import the module that registers it before loading the graph")
    return row
