"""Recording of Values and floats, in most cases without the detour over `Op.__call__` and `value.record`.

Nine tenths of the nodes of a program come from the four operators, so their rules are repeated here. A test checks that
they record the same bits as `value.record`.
"""

from __future__ import annotations

import sys
from math import isfinite

from tinygraph.engine import graph, ops
from tinygraph.engine.acceleration import TWINS, accelerated, tell_accelerator
from tinygraph.engine.clock import clock
from tinygraph.engine.logits import PLAIN_LIMIT
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.naming import renamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tinygraph.engine.logits import ActivationOp
    from tinygraph.engine.op import Op
    from tinygraph.engine.value import Value
    from tinygraph.engine.variadic import VariadicOp

    _Method = Callable[[Any, Any], Value]

_SMALLEST = sys.float_info.min
_kind: Any  # the class Value, which inherits from this file
_general: Callable[..., Any]  # `value.record`, which records every other case


def introduce(kind: type[Value], general: Callable[..., Any]) -> None:
    """Tell this file, and the accelerator, about the class Value and the function that records all other cases."""
    global _general, _kind
    _kind, _general = kind, general
    operators = ops.add, ops.sub, ops.mul, ops.div
    tell_accelerator(kind, clock, graph.MANY, *operators, ops.sigmoid, PLAIN_LIMIT, TWINS)


@accelerated
def node(op: Op, raw: Any, x: Any, y: Any, dx: Any, dy: Any, now: int, kind: Any = None) -> Value:
    """Return a new Value, or a node of the given kind, whose operands were read at the time `now`.

    Nodes of another kind have more slots. The caller fills these slots, and calls the contexts.
    """
    kind_of_node = kind or _kind
    out: Value = kind_of_node.__new__(kind_of_node)
    out.raw = raw
    out.op = op
    out.x = x
    out.y = y
    out.x_partial = dx
    out.y_partial = dy
    out.raw_grad = out.metadata = None
    out.is_constant = False
    out.awaited = 0
    out.version = now
    if clock.watch is not None and kind is None:
        clock.watch(out)
    return out


def _divide(x: float, y: float) -> tuple[float, float, float]:
    quotient = x / y
    if quotient and -_SMALLEST < quotient < _SMALLEST:
        raise ZeroDivisionError  # the quotient lost bits, but its derivative must not
    return quotient, 1.0 / y, -quotient / y


def _operator(op: Op, name: str, rule: Callable[[float, float], tuple[float, float, float]]) -> tuple[_Method, _Method]:
    """Return an operator's two methods. The rule returns the value and both local derivatives."""

    def left(self: Any, other: Any) -> Any:
        now = clock.edits  # read before the operands: see `clock`
        kind = type(other)
        if kind is int and not self.is_constant:
            other = plain_number(other, op.name)
        elif self.is_constant or (kind is not float and (kind is not _kind or other.is_constant)):
            return self._operator(op, self, other)
        try:
            number, dx, dy = rule(self.raw, other.raw if kind is _kind else other)
        except ZeroDivisionError:
            return self._operator(op, self, other)
        return node(op, number, self, other, dx, dy if kind is _kind else None, now)

    def right(self: Any, other: Any) -> Any:
        now = clock.edits
        if type(other) is int and not self.is_constant:
            other = plain_number(other, op.name)
        elif self.is_constant or type(other) is not float:
            return self._operator(op, other, self)
        try:
            number, _, dy = rule(other, self.raw)
        except ZeroDivisionError:
            return self._operator(op, other, self)
        return node(op, number, other, self, None, dy, now)

    return renamed(left, f"__{name}__", "Arithmetic"), renamed(right, f"__r{name}__", "Arithmetic")


@accelerated
class Arithmetic:
    """The four operators of Value. For other operands than Values, floats and ints, `Operators` decides."""

    __slots__ = ()
    __add__, __radd__ = _operator(ops.add, "add", lambda x, y: (x + y, 1.0, 1.0))
    __sub__, __rsub__ = _operator(ops.sub, "sub", lambda x, y: (x - y, 1.0, -1.0))
    __mul__, __rmul__ = _operator(ops.mul, "mul", lambda x, y: (x * y, y, x))
    __truediv__, __rtruediv__ = _operator(ops.div, "truediv", _divide)


def record_op(op: Op, x: Any, y: Any = None) -> Value:
    """Record an op with one or two operands."""
    now = clock.edits
    if type(x) is _kind and (y is None or type(y) is float) and not x.is_constant:
        numbers = (x.raw,) if y is None else (x.raw, y)
        try:
            out = op.floats(*numbers)
            return node(op, out, x, y, op.partials[0](out, *numbers), None, now)
        except ZeroDivisionError:
            pass
    return _general(op, (x,) if y is None else (x, y))  # type: ignore[no-any-return]


def record_activation(op: ActivationOp, x: Any, y: Any = None) -> Value:
    """Record an op of an activation whose logit is known."""
    now = clock.edits
    if type(x) is _kind and type(y) is float and not x.is_constant and (numbers := op.numbers_at(x, y)):
        return node(op, numbers[0], x, y, numbers[1], None, now)
    return _general(op, (x,) if y is None else (x, y))  # type: ignore[no-any-return]


def record_lists(op: VariadicOp, xs: tuple[Any, ...], ys: tuple[Any, ...] | None) -> Value:
    """Record an op with any number of operands."""
    now = clock.edits
    if op is ops.total:
        numbers = [x.raw for x in xs if type(x) is _kind and not x.is_constant]
        if len(numbers) == len(xs):
            number = op.combine(numbers)
            return node(op, number, xs, op.partials[0](number, numbers), None, graph.MANY, now)
    elif op is ops.dot and ys is not None:  # dot(weights, data): the data are the local derivatives
        pairs = zip(xs, ys, strict=True)
        products = [x.raw * y for x, y in pairs if type(x) is _kind and type(y) is float and not x.is_constant]
        if len(products) == len(xs):
            number = ops.total.combine(products)
            if isfinite(number):
                return node(op, number, xs + ys, ys, None, graph.MANY, now)
    return _general(op, xs if ys is None else xs + ys)  # type: ignore[no-any-return]
