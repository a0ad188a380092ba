"""Value: a graph of floats.

The arithmetic operators are written out by hand, slopes and all, because they are nine tenths of
any program and recording through the row takes three times as long; a test holds each to its row.
"""

from __future__ import annotations

import operator
import sys
from contextvars import Context

from tinygraph import graph, ops, watching
from tinygraph.graph import Node
from tinygraph.notes import Branch
from tinygraph.ops import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from tinygraph.ops import Op

_new = object.__new__
_number_of = operator.attrgetter("_data")
_add, _sub, _mul, _div = ops.add, ops.sub, ops.mul, ops.div
_SMALLEST = sys.float_info.min
_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_UFUNCS: dict[str, Callable[..., Any]] = {
    **{row.array: row for row in ops.TABLE.values() if row.array},
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.is_,
    "not_equal": operator.is_not,
}


def _method(row: Op) -> Callable[[Value], Value]:
    def method(self: Value) -> Value:
        return row(self)

    method.__doc__ = f"`tinygraph.{row.name}` of this node."
    method.__name__ = row.name
    return method


class Value(Node):
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

    def backward(self, *, seed: float = 1.0, accumulate: bool = False) -> None:
        """Backpropagate: set `.grad` of every node this one came from to d self / d node, times `seed`.

        Each pass starts from zero, so doing it twice gives the same numbers. With `accumulate`, a
        leaf adds the pass to the gradient it had (the lecture's `dw +=`). Raises StaleGraphError
        if a leaf was edited since the graph was recorded.

        >>> x = Value(3.0)
        >>> y = x**3
        >>> y.backward(); y.backward(); x.grad
        27.0
        >>> y.backward(accumulate=True); x.grad
        54.0
        """
        seed = plain_number(seed, "seed")
        leaves = [node for node in graph.order(self) if node.op is None] if accumulate else []
        held = [leaf.grad for leaf in leaves]
        try:
            graph.backward(self, seed)
        except BaseException:
            for leaf, old in zip(leaves, held, strict=True):
                leaf.grad = old
            raise
        for leaf, old in zip(leaves, held, strict=True):
            if old is not None and not leaf.constant:
                leaf.grad += old
        if graph.watch is not None:
            watching.check_gradients(self, seed)

    # --- recording: a node through its row

    @staticmethod
    def _record(op: Op, operands: Sequence[Any]) -> Value:
        kinds = [*map(type, operands)]
        nodes = kinds.count(Value)
        if nodes == 1 == len(kinds):
            wanted, numbers = [True], [operands[0]._data]
        elif nodes + kinds.count(float) < len(kinds):
            operands = [x if isinstance(x, Value) else plain_number(x, op.name) for x in operands]
            wanted = [isinstance(x, Value) and not x.constant for x in operands]
            numbers = _numbers(operands)
            nodes = wanted.count(True)
        elif kinds[:nodes].count(Value) == nodes:
            # First nodes, then plain numbers, as in dot(weights, data): no loop over either.
            wanted = [True] * nodes + [False] * (len(kinds) - nodes)
            numbers = [*map(_number_of, operands[:nodes]), *operands[nodes:]]
        else:
            wanted = [kind is Value for kind in kinds]
            numbers = _numbers(operands)
        out = _new(Value if nodes else _Constant)
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        out._data, slopes = _evaluate(op, numbers, wanted)
        out._link(op, operands, slopes)
        if graph.constant_clock:
            graph.check_constants(out)
        if graph.watch is not None:
            graph.watch(out)
        return out

    def _recompute(self) -> None:
        assert self.op is not None
        number, slopes = _evaluate(self.op, _numbers(self.args), [slope is not None for slope in self.slopes])
        if self.dy is graph.MANY:
            self.y = slopes
        else:
            self.dx, self.dy = slopes if len(slopes) == 2 else (*slopes, None)
        self._write(number)

    @classmethod
    def _constant(cls, number: float) -> Value:
        return Value(number, constant=True)

    # --- recording: arithmetic, written out

    def __add__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            out = _new(Value)
            out._data = self._data + other._data
            out.dy = 1.0
        elif kind is float:
            out = _new(Value)
            out._data = self._data + other
            out.dy = None
        elif kind is int:
            return self + plain_number(other)
        else:
            return _infix(ops.add, self, other)
        out.op = _add
        out.x = self
        out.y = other
        out.dx = 1.0
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __sub__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            out = _new(Value)
            out._data = self._data - other._data
            out.dy = -1.0
        elif kind is float:
            out = _new(Value)
            out._data = self._data - other
            out.dy = None
        elif kind is int:
            return self - plain_number(other)
        else:
            return _infix(ops.sub, self, other)
        out.op = _sub
        out.x = self
        out.y = other
        out.dx = 1.0
        out.grad = out.notes = None
        out.pending = 0
        out.stamp = graph.clock
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __mul__(self, other: Any) -> Value:
        kind = type(other)
        if kind is Value:
            out = _new(Value)
            out.dy = x = self._data
            out.dx = y = other._data
            out._data = x * y
        elif kind is float:
            out = _new(Value)
            out._data = self._data * other
            out.dx = other
            out.dy = None
        elif kind is int:
            return self * plain_number(other)
        else:
            return _infix(ops.mul, self, other)
        out.op = _mul
        out.x = self
        out.y = other
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
            return _infix(ops.mul, other, self)
        out = _new(Value)
        out._data = other * self._data
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
                    return _infix(ops.div, self, other)
                out = _new(Value)
                out._data = number
                out.dx = 1.0 / y
                out.dy = -number / y
            elif kind is float:
                out = _new(Value)
                out._data = self._data / other
                out.dx = 1.0 / other
                out.dy = None
            else:
                return _infix(ops.div, self, other)
        except ZeroDivisionError:
            return _infix(ops.div, self, other)
        out.op = _div
        out.x = self
        out.y = other
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
            return _infix(ops.add, other, self)
        out = _new(Value)
        out._data = other + self._data
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

    def __rsub__(self, other: Any) -> Value:
        return _infix(ops.sub, other, self)

    def __rtruediv__(self, other: Any) -> Value:
        return _infix(ops.div, other, self)

    def __pow__(self, other: Any) -> Value:
        return _infix(ops.pow, self, other)

    def __rpow__(self, other: Any) -> Value:
        return _infix(ops.pow, other, self)

    def __neg__(self) -> Value:
        return ops.neg(self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return ops.abs(self)

    # --- the rows as methods, for people who come from micrograd and PyTorch, and for NumPy

    exp = _method(ops.exp)
    expm1 = _method(ops.expm1)
    log = _method(ops.log)
    log1p = _method(ops.log1p)
    sqrt = _method(ops.sqrt)
    sin = _method(ops.sin)
    cos = _method(ops.cos)
    tan = _method(ops.tan)
    asin = arcsin = _method(ops.asin)
    acos = arccos = _method(ops.acos)
    atan = arctan = _method(ops.atan)
    sinh = _method(ops.sinh)
    cosh = _method(ops.cosh)
    tanh = _method(ops.tanh)
    sigmoid = _method(ops.sigmoid)
    log_sigmoid = _method(ops.log_sigmoid)
    softplus = _method(ops.softplus)
    relu = _method(ops.relu)
    heaviside = _method(ops.heaviside)
    abs = _method(ops.abs)
    sign = _method(ops.sign)

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
        branch = Branch(_COMPARISONS[symbol], f" {symbol} ".join(texts), *numbers)
        for slot, side in enumerate(pair):
            if isinstance(side, Value):
                partner = pair[1 - slot]
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
            name = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
            raise TypeError(f"np.{name} with these arguments does not work on a Value: use tinygraph's functions")
        if all(getattr(x, "shape", ()) == () for x in inputs):
            return function(*[x if isinstance(x, Value) else plain_number(x, ufunc.__name__) for x in inputs])
        import numpy as np

        boxes = [np.array(x, dtype=object) if isinstance(x, Value) else x for x in inputs]
        out = np.frompyfunc(function, len(inputs), 1)(*boxes)
        return out if isinstance(function, ops.Op) else out.astype(bool)

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


class _Constant(Value):
    """A Value that no gradient flows to. Being another class, it takes no fast path of the operators."""

    __slots__ = ()

    @property
    def constant(self) -> bool:
        """Whether no gradient ever flows to this node."""
        return True

    def __add__(self, other: Any) -> Value:
        return _infix(ops.add, self, other)

    def __sub__(self, other: Any) -> Value:
        return _infix(ops.sub, self, other)

    def __mul__(self, other: Any) -> Value:
        return _infix(ops.mul, self, other)

    def __truediv__(self, other: Any) -> Value:
        return _infix(ops.div, self, other)

    def __rmul__(self, other: Any) -> Value:
        return _infix(ops.mul, other, self)

    def __radd__(self, other: Any) -> Value:
        return _infix(ops.add, other, self)


def _numbers(operands: Sequence[Any]) -> list[float]:
    return [x if type(x) is float else x._data for x in operands]


def _evaluate(op: Op, numbers: Sequence[float], wanted: list[bool]) -> tuple[float, tuple[Any, ...]]:
    """The op's number and its slopes at these operands."""
    number = op.number(*numbers)
    try:
        return number, op.slopes(number, numbers, wanted)
    except ZeroDivisionError:
        # Floats raise at 1 / 0, rows answer with an infinity: so the same slopes, on constants,
        # and in an empty context, where no strict() or trace_lines() sees them.
        nodes = [Value(x, constant=True) for x in (number, *numbers)]
        slopes = Context().run(op.slopes, nodes[0], nodes[1:], wanted)
        return number, tuple(s._data if isinstance(s, Value) else s for s in slopes)


def _infix(op: Op, x: Any, y: Any) -> Value:
    """An operator whose fast path does not apply: plain numbers of other types, constants, arrays."""
    if all(isinstance(side, Value) or _is_plain(side, op.name) for side in (x, y)):
        out: Value = op(x, y)
        return out
    return NotImplemented  # type: ignore[no-any-return]


def _is_plain(other: Any, what: str) -> bool:
    """Whether it is a plain number; False lets the other operand have its say, where it may have one."""
    try:
        plain_number(other, what)
    except TypeError:
        if isinstance(other, (str, bytes, complex, list, tuple, dict, set, type(None))):
            raise
        return False
    return True


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Turn f into a function that returns its value and its gradient, in autograd's and jax's words.

    `argnums` says by which arguments to differentiate; each is a number, or a list, tuple or dict
    of them at any depth, and its gradient has the same form. f is called with Values.

    >>> value_and_grad(lambda w, x: w[0] * x + w[1])([2.0, 1.0], 5.0)
    (11.0, [5.0, 1.0])
    """

    def wrapped(*args: Any, **options: Any) -> tuple[float, Any]:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if not all(0 <= i < len(args) for i in chosen):
            raise ValueError(f"argnums is {argnums!r}, but there are {len(args)} positional argument(s), from 0 on")
        leaves: list[Value] = []

        def leaf(number: Any) -> Value:
            leaves.append(number if isinstance(number, Value) else Value(number))
            return leaves[-1]

        inputs = {i: map_numbers(leaf, args[i]) for i in chosen}
        y = f(*(inputs.get(i, arg) for i, arg in enumerate(args)), **options)
        if not isinstance(y, Value):  # f does not depend on its inputs
            y = Value(y, constant=True)
        slopes = dict(zip(leaves, graph.grad(y, leaves), strict=True))
        gradients = tuple(map_numbers(slopes.__getitem__, inputs[i]) for i in chosen)
        return y.data, gradients[0] if isinstance(argnums, int) else gradients

    return wrapped


def map_numbers(f: Callable[[Any], Any], tree: Any) -> Any:
    """f on every number of a nested list, tuple or dict, which keeps its form."""
    if isinstance(tree, dict):
        return {key: map_numbers(f, branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_numbers(f, branch) for branch in tree)
    return f(tree)
