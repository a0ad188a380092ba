"""Value: a graph of floats.

The arithmetic operators are written out by hand, slopes and all, because they are nine tenths of
any program and recording through the row takes three times as long; a test holds each to its row.
"""

from __future__ import annotations

import gc
import operator
import sys
from contextvars import Context
from itertools import repeat
from math import isfinite

from tinygraph.engine import backward, graph, ops
from tinygraph.engine.graph import Node
from tinygraph.engine.metadata import Branch
from tinygraph.engine.op import Op
from tinygraph.engine.operators import Arithmetic
from tinygraph.kernels.numbers import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from tinygraph.engine.op import VariadicOp

_new = object.__new__
_add, _sub, _mul, _div = ops.add, ops.sub, ops.mul, ops.div
_total, _dot = ops.total, ops.dot
_SMALLEST = sys.float_info.min
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_UFUNCS: dict[str, Callable[..., Any]] = {
    **{row.array: row for row in ops.TABLE.values() if isinstance(row.array, str)},
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.is_,
    "not_equal": operator.is_not,
}


class Value(Arithmetic):
    """A number that remembers where it came from.

    `data` is the number, `grad` the derivative that the last `backward()` left there (None before
    any). Takes whatever is a real number; TypeError says what to do with anything else.

    >>> a, b, c = Value(5, name="a"), Value(3, name="b"), Value(2, name="c")
    >>> J = 3 * (a + b * c)
    >>> J.data
    33.0
    >>> J.backward()
    >>> a.grad, b.grad, c.grad
    (3.0, 6.0, 9.0)
    """

    __slots__ = ()
    _data: float
    grad: float | None

    def __init__(self, data: Any, name: str = "", *, constant: bool = False) -> None:
        if constant:
            self.__class__ = _Constant  # the class is the mark: operators need not look for another
        self._data = plain_number(data)
        self.op = self.x = self.y = self.dx = self.dy = self.grad = self.notes = None
        self.pending = self.stamp = 0
        if name:
            self.name = name
        if graph.watch is not None:
            graph.watch(self)

    @property
    def data(self) -> float:
        """The number; a leaf's can be written, and graphs recorded before are then stale."""
        return self._data

    @data.setter
    def data(self, number: Any) -> None:
        self._edit(plain_number(number))

    @property
    def constant(self) -> bool:
        """Whether no gradient ever flows to this node."""
        return False

    def item(self) -> float:
        """The number, as in PyTorch.

        >>> Value(2.0).item()
        2.0
        """
        return self._data

    def detach(self) -> Value:
        """A constant of the same number, without a past.

        >>> x = Value(2.0)
        >>> y = x * x.detach()
        >>> y.backward(); x.grad
        2.0
        """
        return Value(self._data, constant=True)

    def _seed(self, seed: Any, what: str = "seed") -> float:
        return 1.0 if seed is None else plain_number(seed, what)

    def _backpropagate(self, seed: float, nodes: Sequence[Node] | None = None) -> list[Any] | None:
        return backward.backward(self, seed, None, nodes)

    # --- recording: a node through its row

    @staticmethod
    def _record(op: Op, x: Any, y: Any = None) -> Value:
        try:
            if type(x) is Value and y is None:
                number = op.number(x._data)
                dx = op.dx_of_floats(number, x._data)
            elif type(x) is Value and type(y) is float:
                number = op.number(x._data, y)
                dx = op.dx_of_floats(number, x._data, y)
            else:
                return _record_any(op, (x,) if y is None else (x, y))
        except ZeroDivisionError:
            return _record_any(op, (x,) if y is None else (x, y))
        try:  # `_node`, written out: its call takes 6 % of recording a sigmoid
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = op
        out.x = x
        out.y = y
        out.dx = dx
        out.dy = None
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    @staticmethod
    def _record_lists(op: VariadicOp, xs: tuple[Any, ...], ys: tuple[Any, ...] | None) -> Value:
        if op is _total:
            numbers = [x._data for x in xs if type(x) is Value]
            if len(numbers) == len(xs):
                number = op.combine(numbers)
                return _node(op, number, xs, op.dx(number, numbers), None, graph.MANY)
        elif op is _dot and ys is not None:  # of weights and data, whose slopes are the data
            products = [x._data * y for x, y in zip(xs, ys) if type(x) is Value and type(y) is float]  # noqa: B905
            if len(products) == len(xs):
                number = _total.combine(products)
                if isfinite(number):
                    return _node(op, number, xs + ys, ys, None, graph.MANY)
        return _record_any(op, xs if ys is None else xs + ys)

    def _recompute(self) -> None:
        assert self.op is not None
        number, slopes = _evaluate(self.op, _numbers(self.args), [slope is not None for slope in self.slopes])
        if self.dy is graph.MANY:
            self.y = slopes
        else:
            self.dx, self.dy = slopes if self.op.dy else (*slopes, None)
        self._write(number)

    @staticmethod
    def _infix(op: Op, x: Any, y: Any) -> Value:
        if all(isinstance(side, Value) or _is_plain(side, op.name) for side in (x, y)):
            return op(x, y)  # type: ignore[no-any-return]
        return NotImplemented  # type: ignore[no-any-return]

    @classmethod
    def _constant(cls, number: float) -> Value:
        return Value(number, constant=True)

    # --- recording: arithmetic, written out

    def __add__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            number = self._data + other._data
            dy = 1.0
        elif kind is float:
            number = self._data + other
            dy = None
        elif kind is int:
            return self + plain_number(other)
        else:
            return self._infix(_add, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _add
        out.x = self
        out.y = other
        out.dx = 1.0
        out.dy = dy
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __sub__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            number = self._data - other._data
            dy = -1.0
        elif kind is float:
            number = self._data - other
            dy = None
        elif kind is int:
            return self - plain_number(other)
        else:
            return self._infix(_sub, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _sub
        out.x = self
        out.y = other
        out.dx = 1.0
        out.dy = dy
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __mul__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            dy = self._data
            dx = other._data
            number = dy * dx
        elif kind is float:
            number = self._data * other
            dx = other
            dy = None
        elif kind is int:
            return self * plain_number(other)
        else:
            return self._infix(_mul, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _mul
        out.x = self
        out.y = other
        out.dx = dx
        out.dy = dy
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __rmul__(self, other: Any) -> Value:
        if type(other) is int:
            other = plain_number(other)
        elif type(other) is not float:
            return self._infix(_mul, other, self)
        number = other * self._data
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _mul
        out.x = other
        out.y = self
        out.dx = None
        out.dy = other
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __truediv__(self, other: Any) -> Value:
        kind = type(other)
        try:
            if kind is Value:
                y = other._data
                number = self._data / y
                if number and -_SMALLEST < number < _SMALLEST:  # it lost bits, which its slope must not
                    return self._infix(_div, self, other)
                dx = 1.0 / y
                dy = -number / y
            elif kind is float:
                number = self._data / other
                dx = 1.0 / other
                dy = None
            else:
                return self._infix(_div, self, other)
        except ZeroDivisionError:
            return self._infix(_div, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _div
        out.x = self
        out.y = other
        out.dx = dx
        out.dy = dy
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __radd__(self, other: Any) -> Value:
        if type(other) is int:  # above all the 0 that sum() begins with
            other = plain_number(other)
        elif type(other) is not float:
            return self._infix(_add, other, self)
        number = other + self._data
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out._data = number
        out.op = _add
        out.x = other
        out.y = self
        out.dx = None
        out.dy = 1.0
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    # --- comparisons (== and hash are identity)

    def __lt__(self, other: Any) -> bool:
        return self._compare("<", other)

    def __le__(self, other: Any) -> bool:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> bool:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> bool:
        return self._compare(">=", other)

    def _compare(self, symbol: str, other: Any) -> bool:
        """Compare, and let both sides remember it: `forward()` looks whether it still holds."""
        if not isinstance(other, Value):
            if not _is_plain(other, symbol):
                return NotImplemented  # type: ignore[no-any-return]
            other = plain_number(other)
        pair = (self, other)
        texts = [side.name or f"{side._data:g}" if isinstance(side, Value) else f"{side:g}" for side in pair]
        numbers = [side._data if isinstance(side, Value) else side for side in pair]
        branch = Branch(COMPARISONS[symbol], f" {symbol} ".join(texts), *numbers)
        for slot, side in enumerate(pair):
            if isinstance(side, Value):
                partner = (other, self)[slot]
                key = id(partner) if isinstance(partner, Value) else partner
                side.note().remember((symbol, slot, key), branch, slot)
        return branch.outcome

    # --- what would cut the graph in silence

    def _cut(self, *_: Any) -> NoReturn:
        raise TypeError(
            "a Value does not turn into a plain number by itself, because that would cut the graph: "
            "take x.data or x.item() for the number, and tinygraph.exp(x) in place of math.exp(x)"
        )

    __float__ = __int__ = __complex__ = _cut

    def __bool__(self) -> NoReturn:
        raise TypeError("a Value is neither true nor false: compare it (x > 0), or look at x.data")

    # --- NumPy

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Let `np.exp(v)` and `np.float64(2) * v` record, and map over arrays to arrays of Values."""
        function = _UFUNCS.get(ufunc.__name__)
        if function is None or method != "__call__" or options:
            name = f"{ufunc.__name__}.{method}".removesuffix(".__call__")
            raise TypeError(f"np.{name} with these arguments does not work on a Value: use tinygraph's functions")
        if not any(getattr(x, "shape", ()) for x in inputs):
            return function(*[x if isinstance(x, Value) else plain_number(x, ufunc.__name__) for x in inputs])
        import numpy as np

        boxes = [np.array(x, dtype=object) if isinstance(x, Value) else x for x in inputs]
        out = np.frompyfunc(function, len(inputs), 1)(*boxes)
        return out if isinstance(function, Op) else out.astype(bool)

    # --- display

    def __repr__(self) -> str:
        parts = [repr(self._data)]
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.op is not None:
            parts.append(f"op={self.op.name!r}")
        if self.grad is not None:
            parts.append(f"grad={self.grad!r}")
        if self.constant:
            parts.append("constant=True")
        return f"Value({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else str(self)


_blank: list[Value] = []
_take = _blank.pop
_block = 256


def _allocate() -> Value:
    """A new node of a new block, with the collector paused: nodes tie no cycles, so it would find none.

    It is then called once a block, not once in 700 nodes, and a chain of a million is not gone through
    eight times while it grows; and at once, for a block that is still blank is gone through in a third
    of the time. Together that is two fifths of the time of recording and backpropagation.
    """
    global _block
    collecting = gc.isenabled()
    gc.disable()
    try:
        _blank.extend(map(_new, repeat(Value, _block)))
    finally:
        if collecting:
            gc.enable()
            gc.collect(0)
    _block = min(2 * _block, 4096)
    return _blank.pop()


class _Constant(Value):
    """A Value that no gradient flows to. Being another class, it takes no fast path of the operators."""

    __slots__ = ()

    @property
    def constant(self) -> bool:
        """Whether no gradient ever flows to this node."""
        return True

    __add__ = Arithmetic.__add__
    __radd__ = Arithmetic.__radd__
    __sub__ = Arithmetic.__sub__
    __mul__ = Arithmetic.__mul__
    __rmul__ = Arithmetic.__rmul__
    __truediv__ = Arithmetic.__truediv__


def _node(op: Op, number: float, x: Any, y: Any, dx: Any, dy: Any, constant: bool = False) -> Value:
    try:
        out = _new(_Constant) if constant else _take()
    except IndexError:
        out = _allocate()
    out._data = number
    out.op = op
    out.x = x
    out.y = y
    out.dx = dx
    out.dy = dy
    out.grad = out.notes = None
    out.pending = 0
    out.stamp = graph.clock
    if graph.constant_clock:
        graph.check_constants(out)
    if graph.watch is not None:
        graph.watch(out)
    return out


def _record_any(op: Op, operands: tuple[Any, ...]) -> Value:
    """A node of any operands: constants, and plain numbers of any type, too."""
    for x in operands:
        if isinstance(x, Node) and not isinstance(x, Value):
            raise TypeError(f"{op.name}: a Value and a {type(x).__name__} cannot be mixed in one graph: take its .data")
    operands = tuple([x if isinstance(x, Value) else plain_number(x, op.name) for x in operands])
    wanted = [isinstance(x, Value) and not x.constant for x in operands]
    number, slopes = _evaluate(op, _numbers(operands), wanted)
    constant = True not in wanted
    if op.variadic:
        return _node(op, number, operands, slopes, None, graph.MANY, constant)
    x, y = operands if op.dy else (*operands, None)
    dx, dy = slopes if op.dy else (*slopes, None)
    return _node(op, number, x, y, dx, dy, constant)


def _numbers(operands: Sequence[Any]) -> list[float]:
    return [x if type(x) is float else x._data for x in operands]


def _evaluate(op: Op, numbers: Sequence[float], wanted: list[bool]) -> tuple[float, tuple[Any, ...]]:
    """The op's number and its slopes at these operands."""
    number = op.number(*numbers)
    try:
        return number, op.slopes(number, numbers, wanted)
    except ZeroDivisionError:
        return number, _slopes_of_nodes(op, number, numbers, wanted)


def _slopes_of_nodes(op: Op, number: float, numbers: Sequence[float], wanted: list[bool]) -> tuple[Any, ...]:
    """The slopes where floats raise at 1 / 0 and rows answer with an infinity: the same slopes, on constants.

    They are recorded in an empty context, where no strict() or trace_lines() sees them.
    """
    nodes = [Value(x, constant=True) for x in (number, *numbers)]
    slopes = Context().run(op.slopes, nodes[0], nodes[1:], wanted)
    return tuple(s._data if isinstance(s, Value) else s for s in slopes)


def _is_plain(other: Any, what: str) -> bool:
    """Whether it is a plain number; False lets the other operand have its say, where it may have one."""
    try:
        plain_number(other, what)
    except TypeError:
        if isinstance(other, (str, bytes, complex, list, tuple, dict, set, type(None))):
            raise
        return False
    return True
