"""The base class of Value and Tensor: construction, operators, methods, display, and NumPy's protocol."""

from __future__ import annotations

import sys

from tinygraph.engine import backward, contexts, more_ops, ops, replay
from tinygraph.engine.clock import clock
from tinygraph.engine.copies import Copyable
from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.methods import OpMethods
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.messages import described
from tinygraph.support.naming import renamed
from tinygraph.support.other_libraries import OPTIONS, hint_at, without_hints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar, Never, NoReturn, Self, TypeVar

    from tinygraph.engine.op import Op

    S = TypeVar("S", bound="Operators")


def _unknown_option(kind: str, option: str, *_: str) -> str:
    """Return the message for an option that does not exist."""
    hint = OPTIONS.get(option, "the options are name= and constant=")
    return f"{kind} has no option {option}=: {hint}"


def _infix(op: Op, name: str) -> tuple[Callable[[S, object], S], Callable[[S, object], S]]:
    """Return an operator's two methods: one with the node on the left, and one with the node on the right."""

    def left(self: S, other: object) -> S:
        return self._operator(op, self, other)

    def right(self: S, other: object) -> S:
        return self._operator(op, other, self)

    return renamed(left, f"__{name}__", "Operators"), renamed(right, f"__r{name}__", "Operators")


def _nan_to_num(*args: Any, **options: Any) -> Any:
    """Return `np.nan_to_num` of a single node."""
    from tinygraph.engine.more_ops.functions import numpy_nan_to_num

    return numpy_nan_to_num(*args, **options)


def _where(condition: Any, *operands: Any) -> Any:
    """Return `np.where` of single nodes, or NotImplemented for an array of bools."""
    if len(operands) < 2:
        from tinygraph.kernels.options import where_without_operands

        raise where_without_operands(len(operands))
    if getattr(condition, "shape", None) or isinstance(condition, (list, tuple)):
        return NotImplemented
    node = next(x for x in (*operands, condition) if isinstance(x, Operators))
    return node._select(condition, *operands)


def _both(quotient: Any, remainder: Any) -> Any:
    """Return the result of divmod, or NotImplemented if the operators do not accept the operands."""
    return NotImplemented if quotient is NotImplemented or remainder is NotImplemented else (quotient, remainder)


_NO_NAME = ""  # compared by identity, so that None or 0 as a name is refused


class Operators(OpMethods, Copyable):
    """A node that you compute with. For example, `x + y` records the op `add`, and `x.exp()` records the op `exp`."""

    __slots__ = ()
    not_an_array: ClassVar[str]
    not_an_element = (
        "the elements are Values, but an array contains numbers: Values and Tensors cannot be mixed in one graph, so "
        "start from a Tensor, or use the .data of each Value"
    )  # for a node in a list that becomes an array
    family: ClassVar[type[Operators]]  # Value or Tensor, also for a subclass
    numpy_functions: ClassVar[dict[str, Callable[..., Any]]] = {  # NumPy would return a plain number for one node
        "clip": OpMethods.clip,
        "nan_to_num": _nan_to_num,
        "where": _where,
    }
    _wanted = "a number"  # what `.grad` contains
    _plural = ""  # "s" if a node contains several numbers
    _in_place_of_math = "tinygraph.exp(x)"
    _in_place_of_assignment = "collect the Values in a list, and call np.array"
    if TYPE_CHECKING:
        __array_function__: Callable[..., Any]

    def __init__(self, data: object, name: str = "", *, constant: bool = False, **_unknown: Never) -> None:
        if _unknown:
            raise TypeError(_unknown_option(type(self).__name__, *_unknown))
        self.is_constant = bool(constant)
        self.raw = self._accepted(data)
        self.op = self.x = self.y = self.x_partial = self.y_partial = self.raw_grad = self.metadata = None
        self.awaited = self.version = 0
        if name is not _NO_NAME:
            self.name = name
        if clock.watch is not None:
            clock.watch(self)

    def _accepted(self, data: object) -> Any:
        """Return the given data as a leaf's raw value, or raise TypeError for the wrong kind of data."""
        raise NotImplementedError

    def _set_grad(self, gradient: Any) -> None:
        """Check and set `.grad`. The engine itself writes the slot `raw_grad`, which takes less time."""
        if isinstance(gradient, Node):
            raise TypeError(f"grad must be {self._wanted} or None, not {described(gradient)}: use its .data")
        self.raw_grad = None if gradient is None else self._seed(gradient, "grad")

    def detach(self) -> Self:
        """Return a constant with the same value and without operands.

        Examples:
            >>> from tinygraph import Value
            >>> x = Value(2.0)
            >>> y = x * x.detach()
            >>> y.backward(); x.grad
            2.0
        """
        return self._constant(self._snapshot())

    @classmethod
    def _constant(cls, raw: Any) -> Self:
        return cls.family(raw, constant=True)  # type: ignore[return-value]  # of a subclass, perhaps

    def backward(self, *, seed: Any = None, accumulate: bool = False) -> None:
        """Backpropagate: set `.grad` on every node from which this node was computed.

        Each pass starts with gradients of zero, so a second call gives the same values.

        Args:
            seed: Upstream gradient (cotangent) to start from, with the shape of this node. Defaults to 1.
            accumulate: If true, add to the gradients that leaves already have, like `dw +=` in the lecture.

        Raises:
            StaleGraphError: If a leaf was edited after the graph was recorded.
            ValueError: If this is a non-scalar Tensor and there is no seed.

        References:
            D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors",
            Nature 323, 533-536, 1986.

        Examples:
            >>> from tinygraph import Value
            >>> x = Value(3.0)
            >>> y = x**3
            >>> y.backward(); y.backward(); x.grad
            27.0
            >>> y.backward(accumulate=True); x.grad
            54.0
        """
        start = self._seed(seed)
        if accumulate:
            backward.backward_and_add(self, start)
        else:
            self._backpropagate(start)
        if clock.watch is not None:
            contexts.check_gradients(self, start)

    def forward(self) -> Self:
        """Recompute this node's graph in place, after leaves were edited.

        Returns:
            The node itself.

        Raises:
            FrozenBranchError: If a comparison of a node in this graph now has another outcome, so that the program
                would record a different graph. The error is also raised if the outcome is unknown, because
                an edited leaf changes a compared node outside this graph. Comparisons that the program made after it
                recorded this node do not count. If neither the compared nodes nor the leaves below them are in this
                graph, the comparison is not repeated: only you can know whether the graph depends on it.

        Examples:
            >>> from tinygraph import Value
            >>> x = Value(2.0, "x")
            >>> y = x * x if x > 1.0 else x
            >>> x.data = 3.0
            >>> y.forward()
            Value(9.0, op='mul')
        """
        replay.forward(self)
        return self

    @staticmethod
    def _operator(op: Op, x: object, y: object) -> Any:
        """Record an operator, or return NotImplemented to let the other operand decide."""
        raise NotImplementedError

    __add__, __radd__ = _infix(ops.add, "add")
    __sub__, __rsub__ = _infix(ops.sub, "sub")
    __mul__, __rmul__ = _infix(ops.mul, "mul")
    __truediv__, __rtruediv__ = _infix(ops.div, "truediv")
    __pow__, __rpow__ = _infix(ops.pow, "pow")

    def __divmod__(self, other: object) -> Any:
        return _both(self.__floordiv__(other), self.__mod__(other))

    def __rdivmod__(self, other: object) -> Any:
        return _both(self.__rfloordiv__(other), self.__rmod__(other))

    def __mod__(self, other: object) -> Self:
        return self._operator(more_ops.mod, self, other)

    def __rmod__(self, other: object) -> Self:
        return self._operator(more_ops.mod, other, self)

    def __floordiv__(self, other: object) -> Self:
        return self._operator(more_ops.floor_divide, self, other)

    def __rfloordiv__(self, other: object) -> Self:
        return self._operator(more_ops.floor_divide, other, self)

    def __neg__(self) -> Self:
        return ops.neg(self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return ops.abs(self)

    # --- comparisons

    def __eq__(self, other: object) -> Any:
        """Return whether both operands are the same node. Raise TypeError for data, which is never equal to a node."""
        if not isinstance(other, Node) and self._is_data(other):
            raise TypeError(
                f"== and != compare nodes by identity, so they cannot compare a {self._kind()} with data "
                f"of type {type(other).__name__}: compare x.data instead"
            )
        return NotImplemented

    __ne__ = __eq__
    __hash__ = Node.__hash__

    @staticmethod
    def _is_data(other: object) -> bool:
        """Return whether an object is data: a number or an array."""
        return isinstance(other, complex) or hasattr(other, "as_integer_ratio") or hasattr(other, "dtype")

    def __lt__(self, other: object) -> Any:
        return self._compare("<", other)

    def __le__(self, other: object) -> Any:
        return self._compare("<=", other)

    def __gt__(self, other: object) -> Any:
        return self._compare(">", other)

    def __ge__(self, other: object) -> Any:
        return self._compare(">=", other)

    def _compare(self, symbol: str, other: object) -> Any:
        raise NotImplementedError

    # --- conversions that would silently cut the graph

    def _cut(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            f"a {self._kind()} cannot be converted to {'' if self._plural else 'a '}plain number{self._plural}, "
            f"because that would cut the graph: use x.data or x.item() for the number{self._plural}, and "
            f"{self._in_place_of_math} instead of math.exp(x)"
        )

    __int__ = __complex__ = _cut

    def __float__(self) -> float:
        """Return the value for `"%f" % x`, which shows it. `float(x)` would cut the graph, so it raises TypeError."""
        from tinygraph.support.formatting import is_at_assignment, is_at_remainder

        frame = sys._getframe(1)
        if is_at_remainder(frame):
            return self.item()
        if is_at_assignment(frame):
            raise TypeError(
                f"an element of an array of numbers cannot be a {self._kind()}, because that would cut the graph: "
                f"{self._in_place_of_assignment}, or assign x.data"
            )
        return self._cut()

    def __bool__(self) -> NoReturn:
        raise TypeError(f"a {self._kind()} has no truth value: compare it (x > 0), or use x.data")

    # --- NumPy

    @staticmethod
    def _ufuncs() -> dict[str, Callable[..., Any]]:
        """Return the functions for NumPy's ufuncs, by the ufunc's name."""
        from tinygraph.engine.more_ops.ufuncs import UFUNCS

        return UFUNCS

    @classmethod
    def _select(cls, condition: object, x: object, y: object) -> Any:
        """Return x if the condition is true, and y otherwise, as a node."""
        if isinstance(condition, Node):
            raise TypeError(f"where: the condition is a {cls._kind()}: compare it, for example x > 0")
        if getattr(condition, "shape", ()) or isinstance(condition, (list, tuple)):
            raise TypeError(f"where: the condition {described(condition)} must be a single bool for Values")
        for operand in (x, y):
            if isinstance(operand, Operators) and operand.family is not cls.family:
                raise TypeError(f"where: {cls.not_an_array}")
            if not isinstance(operand, Node):
                plain_number(operand, "where")
        chosen = x if plain_number(condition, "where: condition") else y
        if isinstance(chosen, Node):
            return more_ops.positive(chosen)  # a new node, so that `forward` checks the condition of the choice
        return cls._constant(plain_number(chosen, "where"))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: object, **options: object) -> Any:
        """Record expressions such as `np.exp(v)`, `np.float64(2) * v` and `array + t`."""
        if method == "reduce" and not self._plural:  # the sum over no axis, for example
            return self.__array_function__(ufunc.reduce, (), inputs, options)
        function, name = self._ufuncs().get(ufunc.__name__), f"{ufunc.__name__}.{method}".removesuffix(".__call__")
        if options or function is None or method != "__call__":
            from tinygraph.kernels.options import is_default, unknown_function, unknown_option

            if function is None or method != "__call__":
                raise unknown_function(name, self._kind())
            for option, value in options.items():
                if not is_default(option, value):
                    raise unknown_option(name, self._kind(), option, value)
        return self._apply(function, ufunc.__name__, inputs)

    @staticmethod
    def _apply(function: Callable[..., Any], name: str, inputs: Sequence[object]) -> Any:  # noqa: ARG004
        """Apply the function that corresponds to a ufunc."""
        return function(*inputs)

    # --- display

    @classmethod
    def _kind(cls) -> str:
        """Return the name of the public class."""
        return cls.__name__

    def _shown(self) -> str:
        """Return the text of the value for the repr."""
        return repr(self.raw)

    def __repr__(self) -> str:
        parts = [self._shown()]
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.op is not None:
            parts.append(f"op={self.op.name!r}")
        if isinstance(self.grad, float):  # an array would be too long
            parts.append(f"grad={self.grad!r}")
        if self.constant:
            parts.append("constant=True")
        return f"{self._kind()}({', '.join(parts)})"

    def conjugate(self) -> Self:
        """Return this node, because its numbers are real. NumPy's `var` and `vdot` call this method."""
        return self

    conj = conjugate

    def item(self) -> float:
        """Return the value as a float, as in PyTorch."""
        raise NotImplementedError

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __dir__(self) -> list[str]:
        return without_hints(super().__dir__())


hint_at(Operators)
