"""Fast recording. It gives the same results as `value.record`, so you can skip this file at first.

The arithmetic operators and their local derivatives are written out, because these operators make up nine tenths of
the ops in a program. `value.record` takes three times as long as this written-out code. A test checks that these
operators and `value.record` give the same bits.
"""

from __future__ import annotations

import gc
import sys
from itertools import repeat
from math import isfinite
from operator import attrgetter

from tinygraph.engine import graph, ops
from tinygraph.engine.op import rebound
from tinygraph.engine.operators import Operators
from tinygraph.engine.value import Value, record
from tinygraph.kernels.numbers import plain_number
from tinygraph.support import clock
from tinygraph.support.naming import own_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tinygraph.engine.logits import ActivationOp
    from tinygraph.engine.op import Op
    from tinygraph.engine.variadic import VariadicOp

_new, _SMALLEST = object.__new__, sys.float_info.min
_add, _sub, _mul, _div, _total, _dot = ops.add, ops.sub, ops.mul, ops.div, ops.total, ops.dot


class _Fast:
    """Methods that replace the corresponding methods of Value."""

    @staticmethod
    def _record(op: Op, x: Any, y: Any = None) -> Value:
        now = clock.edits  # read before the operands: see `clock`
        try:
            if type(x) is Value and y is None:
                number = op.floats(x.raw)
                dx = (_x_partials.get(op) or _x_partial(op))(number, x.raw)
            elif type(x) is Value and type(y) is float:
                number = op.floats(x.raw, y)
                dx = (_x_partials.get(op) or _x_partial(op))(number, x.raw, y)
            else:
                return record(op, (x,) if y is None else (x, y))
        except ZeroDivisionError:
            return record(op, (x,) if y is None else (x, y))
        try:  # `_node` is written out, because calling it would take 6% of the time of recording a sigmoid
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = op
        out.x = x
        out.y = y
        out.x_partial = dx
        out.y_partial = None
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    @staticmethod
    def _record_activation(op: ActivationOp, x: Any, y: Any = None) -> Value:
        now = clock.edits
        if type(x) is Value and type(y) is float and (numbers := op.numbers_at(x, y)):
            return _node(op, numbers[0], x, y, numbers[1], None, now)
        return record(op, (x,) if y is None else (x, y))

    @staticmethod
    def _record_lists(op: VariadicOp, xs: tuple[Any, ...], ys: tuple[Any, ...] | None) -> Value:
        now = clock.edits
        if op is _total:
            numbers = [x.raw for x in xs if type(x) is Value]
            if len(numbers) == len(xs):
                number = op.combine(numbers)
                return _node(op, number, xs, op.partials[0](number, numbers), None, graph.MANY, now)
        elif op is _dot and ys is not None:  # dot(weights, data): the data are the local derivatives
            products = [x.raw * y for x, y in zip(xs, ys) if type(x) is Value and type(y) is float]  # noqa: B905
            if len(products) == len(xs):
                number = _total.combine(products)
                if isfinite(number):
                    return _node(op, number, xs + ys, ys, None, graph.MANY, now)
        return record(op, xs if ys is None else xs + ys)

    def __add__(self: Any, other: Any) -> Any:
        now = clock.edits
        kind = type(other)
        if kind is Value:
            number = self.raw + other.raw
            dy = 1.0
        elif kind is float:
            number = self.raw + other
            dy = None
        elif kind is int:
            return self + plain_number(other)
        else:
            return self._operator(_add, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _add
        out.x = self
        out.y = other
        out.x_partial = 1.0
        out.y_partial = dy
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __sub__(self: Any, other: Any) -> Any:
        now = clock.edits
        kind = type(other)
        if kind is Value:
            number = self.raw - other.raw
            dy = -1.0
        elif kind is float:
            number = self.raw - other
            dy = None
        elif kind is int:
            return self - plain_number(other)
        else:
            return self._operator(_sub, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _sub
        out.x = self
        out.y = other
        out.x_partial = 1.0
        out.y_partial = dy
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __mul__(self: Any, other: Any) -> Any:
        now = clock.edits
        kind = type(other)
        if kind is Value:
            dy = self.raw
            dx = other.raw
            number = dy * dx
        elif kind is float:
            number = self.raw * other
            dx = other
            dy = None
        elif kind is int:
            return self * plain_number(other)
        else:
            return self._operator(_mul, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _mul
        out.x = self
        out.y = other
        out.x_partial = dx
        out.y_partial = dy
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __rmul__(self: Any, other: Any) -> Any:
        now = clock.edits
        if type(other) is int:
            other = plain_number(other)
        elif type(other) is not float:
            return self._operator(_mul, other, self)
        number = other * self.raw
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _mul
        out.x = other
        out.y = self
        out.x_partial = None
        out.y_partial = other
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __truediv__(self: Any, other: Any) -> Any:
        now = clock.edits
        kind = type(other)
        try:
            if kind is Value:
                y = other.raw
                number = self.raw / y
                if number and -_SMALLEST < number < _SMALLEST:  # the quotient lost bits, but its derivative must not
                    return self._operator(_div, self, other)
                dx = 1.0 / y
                dy = -number / y
            elif kind is float:
                number = self.raw / other
                dx = 1.0 / other
                dy = None
            else:
                return self._operator(_div, self, other)
        except ZeroDivisionError:
            return self._operator(_div, self, other)
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _div
        out.x = self
        out.y = other
        out.x_partial = dx
        out.y_partial = dy
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out

    def __radd__(self: Any, other: Any) -> Any:
        now = clock.edits
        if type(other) is int:  # for example the 0 that sum() starts with
            other = plain_number(other)
        elif type(other) is not float:
            return self._operator(_add, other, self)
        number = other + self.raw
        try:
            out = _take()
        except IndexError:
            out = _allocate()
        out.raw = number
        out.op = _add
        out.x = other
        out.y = self
        out.x_partial = None
        out.y_partial = 1.0
        out.raw_grad = out.metadata = None
        out.awaited = 0
        out.version = now
        if graph.watch is not None:
            graph.watch(out)
        return out


# These functions call kernels instead of ops, which saves a fifth of the time of recording a sigmoid.
_x_partials: dict[Op, Callable[..., Any]] = {}
_floats = attrgetter("floats")


def _x_partial(op: Op) -> Callable[..., Any]:
    """Return an op's first local derivative, with kernels for floats instead of ops.

    The local derivative is created once per op.
    """
    _x_partials[op] = found = rebound(op.partials[0], _floats)
    return found  # type: ignore[no-any-return]


_blank: list[Value] = []
_take = _blank.pop
_block = 256


def _allocate() -> Value:
    """Allocate a block of nodes with garbage collection paused, and return one of the nodes.

    Nodes do not form reference cycles, so the collector would find nothing to free. The collector runs once per block
    instead of once per 700 nodes, so it does not traverse a chain of a million nodes eight times while the chain grows.
    The collector runs right after the allocation, because traversing a blank block takes a third of the time that a
    filled block takes. In total, recording and backpropagation take two fifths less time than without the pause.
    """
    global _block
    collecting = gc.isenabled()
    try:
        gc.disable()  # inside `try`, because Ctrl-C can interrupt right after this call
        _blank.extend(map(_new, repeat(Value, _block)))
    finally:
        if collecting:
            gc.enable()
            gc.collect(0)
    _block = min(2 * _block, 4096)
    return _new(Value)  # never in the pool, where other threads could take it


def _node(op: Op, number: float, x: Any, y: Any, dx: Any, dy: Any, now: int) -> Value:
    try:
        out = _take()
    except IndexError:
        out = _allocate()
    out.raw = number
    out.op = op
    out.x = x
    out.y = y
    out.x_partial = dx
    out.y_partial = dy
    out.raw_grad = out.metadata = None
    out.awaited = 0
    out.version = now
    if graph.watch is not None:
        graph.watch(out)
    return out


_OPERATORS = ("__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__truediv__")
_NAMES = ("_record", "_record_activation", "_record_lists", *_OPERATORS)
# A test compares these readable methods with the fast methods.
CLEAR = {name: (vars(Value).get(name) or vars(Operators)[name]) for name in _NAMES}
own_methods(Value)
for _name in _NAMES:
    setattr(Value, _name, vars(_Fast)[_name])
    getattr(Value, _name).__qualname__ = f"Value.{_name}"
    if _name.startswith("__"):  # constants have no gradient, so they keep the original methods of Value
        setattr(Value.constant_class, _name, CLEAR[_name])
