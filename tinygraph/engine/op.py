"""The class of ops. An op computes on numbers and arrays, records nodes, and has local derivatives."""

from __future__ import annotations

from tinygraph.engine.acceleration import Caller
from tinygraph.engine.domain import ANY, Domain
from tinygraph.kernels.numbers import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar, overload

    from tinygraph.engine.variadic import VariadicOp

    T = TypeVar("T", bound="Traced")

_NOTHING = object()  # marks an operand that was not given
_PRECEDENCE = {"+": 1, "-": 1, "×": 2, "/": 2, "·": 2, "%": 2, "//": 2, "**": 3}

TABLE: dict[str, Op] = {}  # the loaded ops of the library, by name (all are in `more_ops.table`)
REGISTERED: dict[str, Op] = {}  # the ops that users registered, by name


class Traced:
    """An operand that records ops: the base class of every node."""

    __slots__ = ()
    not_a_number = "this is already a node: use it directly, or call .detach() for a copy"

    @staticmethod
    def _record(op: Op, x: Any, y: Any = None) -> Any:
        """Record an op with one or two operands."""
        raise NotImplementedError

    @staticmethod
    def _record_lists(op: VariadicOp, xs: tuple[Any, ...], ys: tuple[Any, ...] | None) -> Any:
        """Record an op with any number of operands."""
        raise NotImplementedError


class Op(Caller):
    """An op, called like a function. It computes on numbers and arrays, or records a node if an operand is a node.

    Args:
        name: Name of the op, a Python identifier.
        floats: Kernel for floats. As in IEEE 754, the kernel returns NaN or infinity instead of raising an error.
        partials: Local derivatives, one per operand: functions of (out, x) or (out, x, y) that use only
            `+ - * /` and other ops.
        symbol: Notation of the op: an infix operator, a function name, or a template with `{}`.
        form: Formula of the value as a textbook prints it: an expression in x and y, or "a, y: …" for other letters.
        partial_forms: The same for the local derivatives, or "" for one that `partials` shows. `out` is the result.
        code: Template for Python code, with `{}` for an operand and `{parameters[0]}` for a parameter. Defaults
            to a function call.
        arrays: Kernel for arrays: the name of a function in `kernels.arrays` or NumPy, or a function of (m, x) or
            (m, x, y), where m is `kernels.arrays`. Without a kernel, the op computes arrays float by float.
        with_partial: Name of a function in `kernels.arrays` that returns the value and the first local derivative.
        domain: Domain where the op is differentiable.
        analytic: Definition for complex numbers: a function of (m, x) or (m, x, y), where m is `cmath` or `mpmath`.
            None means that the op is not analytic.
        linear: If true, the op is linear in its operands.
        adds_terms: If true, the result is a sum of terms, and its rounding error is relative to the size of the terms.
        with_plain: Function that takes a plain number as the second operand and returns an op of the first operand.
        maker: Function that created a parametrized op.
        parameters: Arguments of `maker`.

    Examples:
        >>> from tinygraph.engine.ops import exp, log
        >>> exp(0.0)
        1.0
        >>> log
        <op log(x): x > 0>
    """

    __slots__ = (
        "adds_terms", "analytic", "arity", "array_functions", "array_source", "code", "detour", "domain", "floats",
        "form", "linear", "maker", "name", "parameters", "partial_forms", "partials", "precedence", "public", "symbol",
        "with_partial", "with_plain",
    )  # fmt: skip
    variadic = False  # whether the op takes any number of operands
    elementwise = True  # whether each element of the result comes from one element of each operand
    moves = False  # whether the op only moves or repeats the elements of its operand

    def __init__(
        self,
        name: str,
        floats: Callable[..., float],
        *,
        partials: tuple[Callable[..., Any], ...],
        symbol: str = "",
        form: str = "",
        partial_forms: tuple[str, ...] = (),
        code: str = "",
        arrays: str | Callable[..., Any] | None = None,
        with_partial: str = "",
        domain: Domain = ANY,
        analytic: Callable[..., Any] | None = None,
        linear: bool = False,
        adds_terms: bool = False,
        with_plain: Callable[[float], Op] | None = None,
        maker: Callable[..., Op] | None = None,
        parameters: tuple[Any, ...] = (),
    ) -> None:
        self.name, self.floats, self.partials, self.arity = name, floats, partials, len(partials)
        self.symbol = symbol or name
        self.form, self.partial_forms, self.code = form, partial_forms, code
        self.array_source, self.with_partial, self.domain = arrays, with_partial, domain
        self.array_functions: tuple[Callable[..., Any], ...] | None = None  # filled by `resolve`
        self.analytic, self.linear, self.with_plain = analytic, linear, with_plain
        self.adds_terms = adds_terms
        self.detour: Callable[..., Any] | None = with_plain  # what some operands turn the op into
        self.maker, self.parameters = maker, parameters
        self.precedence = self._precedence()
        self.public = False  # set by `ops` for the ops in its `__all__`

    def partials_at(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """Return the local derivatives at the given operands. Unwanted local derivatives are None and are not computed.

        Examples:
            >>> from tinygraph.engine.ops import mul
            >>> mul.partials_at(6.0, (2.0, 3.0), [True, False])
            (3.0, None)
        """
        return tuple([f(out, *operands) if want else None for f, want in zip(self.partials, wanted, strict=True)])

    def resolve(self) -> tuple[Callable[..., Any], ...]:
        """Return the functions for arrays: the kernel and the local derivatives. The first call loads NumPy."""
        if self.array_functions is None:
            rebound_partials = [rebound(partial, Op._array_kernel) for partial in self.partials]
            self.array_functions = (self._array_kernel(), *rebound_partials)
        return self.array_functions

    def _array_kernel(self) -> Callable[..., Any]:
        from tinygraph.kernels import arrays

        return arrays.kernel(self.array_source) or arrays.float_by_float(self.floats, self.arity)

    @property
    def arrays(self) -> Callable[..., Any]:
        """The kernel for arrays."""
        return self.resolve()[0]

    def array_partials(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """Return the local derivatives at the given arrays, like `partials_at`."""
        functions = self.resolve()[1:]
        return tuple([f(out, *operands) if want else None for f, want in zip(functions, wanted, strict=True)])

    def result_shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the shape that the result will have, or None if the result is not larger than the operands.

        Raises:
            ValueError: If the op does not accept operands of these shapes.

        Examples:
            >>> from tinygraph.engine.ops import add
            >>> add.result_shape((3, 1), (4,))
            (3, 4)
        """
        from numpy import broadcast_shapes

        return broadcast_shapes(*shapes)

    def _plain(self, *operands: Any) -> Any:
        """Compute on numbers of any type or on arrays."""
        if any(getattr(operand, "shape", ()) for operand in operands):
            from tinygraph.kernels.arrays import computed

            return computed(self.arrays, operands, self.name)
        return self.floats(*[plain_number(operand, self.name) for operand in operands])

    def on(self, operands: Sequence[Any]) -> Any:
        """Call the op on a node's operands. A variadic op splits the operands into lists."""
        return self(*operands)

    def text(self, *operands: str) -> str:
        """Return the op as text, given its operands as text.

        Examples:
            >>> from tinygraph.engine.ops import log, mul, neg, power
            >>> mul.text("b", "c"), neg.text("b"), power(3).text("x"), log.text("a")
            ('b × c', '-b', 'x**3', 'log(a)')
        """
        if "{" in self.symbol:
            return self.symbol.format(*operands)
        if self.symbol.isidentifier():
            return f"{self.symbol}({', '.join(operands)})"
        return f"{operands[0]} {self.symbol} {operands[1]}"

    def _precedence(self) -> int:
        """Return how tightly the op binds, or 0 for function notation, which needs no further parentheses."""
        if "{" in self.symbol:
            return 0 if "({" in self.symbol or "|{" in self.symbol else 3
        return _PRECEDENCE.get(self.symbol, 0 if self.symbol.isidentifier() else 1)

    if TYPE_CHECKING:

        @overload
        def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
        @overload
        def __call__(self, *operands: T | float) -> T: ...
        @overload
        def __call__(self, *operands: Any) -> Any: ...
        def __call__(self, *operands: Any) -> Any: ...  # noqa: D102

    def _call(self, x: Any = _NOTHING, y: Any = None, *more: Any) -> Any:
        """Compute on plain numbers and arrays, or record a node if an operand is a node."""
        if y is None:
            if self.arity == 1 and x is not _NOTHING:
                if type(x) is float:
                    return self.floats(x)
                return x._record(self, x) if isinstance(x, Traced) else self._plain(x)
        elif self.arity == 2 and not more:
            if type(x) is type(y) is float:
                return self.floats(x, y)
            if self.with_plain and not isinstance(y, Traced) and isinstance(x, Traced) and not getattr(y, "shape", ()):
                return self.with_plain(plain_number(y, self.name))(x)
            if isinstance(x, Traced):
                return x._record(self, x, y)
            return y._record(self, x, y) if isinstance(y, Traced) else self._plain(x, y)
        given = (x is not _NOTHING) + (y is not None) + len(more)
        raise TypeError(f"{self.name} takes {self.arity} operand{'s' * (self.arity > 1)}, got {given}")

    def __repr__(self) -> str:
        return f"<op {self.text(*'xy'[: self.arity])}: {self.domain.text}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.maker, self.parameters) if self.maker else (op_named, (self.name, self.partials[0].__module__))


def op_named(name: str, module: str = "") -> Op:
    """Return the op with the given name (from `ops`, or registered by a user), or raise LookupError."""
    if name not in TABLE and module.startswith("tinygraph."):
        __import__(module)  # defines the op
    found = TABLE.get(name) or REGISTERED.get(name)
    if found is None:
        raise LookupError(f"no op is named {name!r}: import the module that registers it before loading the graph")
    return found


def define(names: dict[str, Any]) -> None:
    """Add the ops among a module's names to the table. The module's `__all__` lists the public ones."""
    _OP_MODULES.add(names["__name__"])
    for op in list(names.values()):
        if isinstance(op, Op) and op.name not in TABLE:  # a module can also import ops from another module
            TABLE[op.name] = op
            op.public = op.name in names["__all__"]


def rebound(partial: Any, kernel_of: Callable[[Op], Any]) -> Any:
    """Return a copy of a local derivative in which calls, such as `sigmoid(-x)`, run kernels instead of ops.

    Without `Op.__call__`, a call takes half the time. Functions from other modules are returned unchanged.
    """
    names = getattr(partial, "__globals__", {})
    module = names.get("__name__")
    if module not in _OP_MODULES:
        return partial
    if (kernel_of, module) not in _REBOUND:
        kernels = {name: kernel_of(x) for name, x in names.items() if isinstance(x, Op) and not x.variadic}
        _REBOUND[kernel_of, module] = names | kernels
    return type(partial)(partial.__code__, _REBOUND[kernel_of, module], partial.__name__, None, partial.__closure__)


_OP_MODULES: set[str] = set()  # the names of the modules that define ops
_REBOUND: dict[tuple[Callable[[Op], Any], str], dict[str, Any]] = {}  # a module's names, with kernels instead of ops
