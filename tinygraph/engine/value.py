"""Value: a graph of floats, recorded by readable code.

Each op is recorded as one node with its value, its operands, and its local derivatives at these operands. `recording`
is a faster version for operators and floats. A test checks that the two modules record the same bits.
"""

from __future__ import annotations

from contextvars import Context

from tinygraph.engine import backward, graph, recording, replay
from tinygraph.engine.acceleration import untracked
from tinygraph.engine.clock import clock
from tinygraph.engine.logits import ActivationOp, plain
from tinygraph.engine.op import Op
from tinygraph.engine.operators import Operators
from tinygraph.kernels.numbers import is_plain, plain_number
from tinygraph.support.naming import own_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


@untracked
class Value(recording.Arithmetic, Operators):
    """A number that records how it was computed.

    Args:
        data: Value of the node: an int, a float, or another real number.
        name: Name of the node in diagrams and text output. Defaults to "".
        constant: If true, no gradient is computed for the node. Defaults to false.

    Raises:
        TypeError: If `data` is not a real number. The message shows what to do.

    Examples:
        >>> a, b, c = Value(5, name="a"), Value(3, name="b"), Value(2, name="c")
        >>> J = 3 * (a + b * c)
        >>> J.data
        33.0
        >>> J.backward()
        >>> a.grad, b.grad, c.grad
        (3.0, 6.0, 9.0)
    """

    __slots__ = ()
    not_a_number = "this is already a Value: use it directly, or call .detach() for a constant copy"
    not_an_array = "a Value and a Tensor cannot be mixed in one graph: use the .data of one of them"
    raw: float
    grad: float | None
    """The gradient that the last backward pass set, or None before the first pass."""

    def _accepted(self, data: object) -> float:
        return plain_number(data)

    @property
    def data(self) -> float:
        """The value. If you assign a new value to a leaf, graphs that were recorded earlier become stale."""
        return self.raw

    @data.setter
    def data(self, number: Any) -> None:
        graph.edit(self, plain_number(number))

    def item(self) -> float:
        """Return the value as a float, as in PyTorch.

        Examples:
            >>> Value(2.0).item()
            2.0
        """
        return self.raw

    def _seed(self, seed: Any, what: str = "seed") -> float:
        return 1.0 if seed is None else plain_number(seed, what)

    def _backpropagate(self, seed: float) -> None:
        backward.backward(self, seed)

    # --- recording

    _record = staticmethod(recording.record_op)
    _record_activation = staticmethod(recording.record_activation)
    _record_lists = staticmethod(recording.record_lists)

    @staticmethod
    def _operator(op: Op, x: object, y: object) -> Value:
        if all(isinstance(side, Value) or is_plain(side, op.name) for side in (x, y)):
            return op(x, y)  # type: ignore[no-any-return]
        return NotImplemented  # type: ignore[no-any-return]

    def _recompute(self) -> None:
        assert self.op is not None
        wanted = [partial is not None for partial in self.stored_partials]
        raw, partials = _evaluate(self.op, self.args, wanted)
        graph.write(self, raw)
        self._link(self.op, self.args, partials)

    def _compare(self, symbol: str, other: object) -> bool:
        """Return the outcome of a comparison, and remember it, so that `forward()` can check it again."""
        if not isinstance(other, Value):
            if not is_plain(other, symbol):
                return NotImplemented  # type: ignore[no-any-return]
            other = plain_number(other)
        if any(number != number for number in _numbers((self, other))):
            replay.check_written_out()
        return replay.compare(symbol, self, other)  # type: ignore[no-any-return]

    @staticmethod
    def _apply(function: Callable[..., Any], name: str, inputs: Sequence[object]) -> Any:
        """Apply the function of a ufunc to Values and numbers, or elementwise to an array of Values."""
        from tinygraph.kernels import objects

        if any(getattr(x, "shape", ()) for x in inputs):
            out = objects.elementwise(function, inputs, Value)
            return out if isinstance(function, Op) else out.astype(bool)
        items = map(objects.item, inputs)
        return function(*[x if isinstance(x, Value) else plain_number(x, name) for x in items])

    def __array_function__(self, function: Any, _: object, args: Sequence[object], options: Any) -> Any:
        """Call NumPy functions such as `np.squeeze(v)` and `np.stack([v, w])`."""
        from tinygraph.kernels import objects

        return objects.call(function, args, options, Value)


Value.family = Value
own_methods(Value)


def record(op: Op, operands: tuple[Any, ...]) -> Value:
    """Return the node for an op on the given operands (Values, or plain numbers of any type)."""
    now = clock.edits  # read before the operands: see `clock`
    for x in operands:
        if isinstance(x, Operators) and not isinstance(x, Value):
            raise TypeError(f"{op.name}: {Value.not_an_array}")
    operands = tuple([x if isinstance(x, Value) else plain_number(x, op.name) for x in operands])
    wanted = [isinstance(x, Value) and not x.constant for x in operands]
    out: Value = Value.__new__(Value)
    out.is_constant = True not in wanted
    out.raw, partials = _evaluate(op, operands, wanted)
    out._link(op, operands, partials)
    graph.complete(out, now)
    return out


recording.introduce(Value, record)


def _numbers(operands: Sequence[Any]) -> list[float]:
    return [x if type(x) is float else x.raw for x in operands]


def _evaluate(op: Op, args: Sequence[Any], wanted: list[bool]) -> tuple[float, tuple[Any, ...]]:
    """Return the op's value and local derivatives at the given operands."""
    if type(op) is ActivationOp and (out := op.value_at(args)) is not None:
        return out, tuple(map(plain, op.pairs_at(out, args, wanted) or ()))
    numbers = _numbers(args)
    out = op.floats(*numbers)
    try:
        return out, op.partials_at(out, numbers, wanted)
    except ZeroDivisionError:
        return out, _partials_of_nodes(op, out, numbers, wanted)


def _partials_of_nodes(op: Op, out: float, numbers: Sequence[float], wanted: list[bool]) -> tuple[Any, ...]:
    """Return the local derivatives, computed on constants instead of floats.

    The division 1 / 0 raises an error for floats, but gives infinity for constants. The computation runs in an empty
    context, in which neither strict() nor trace_lines() is active.
    """
    nodes = [Value(x, constant=True) for x in (out, *numbers)]
    partials = Context().run(op.partials_at, nodes[0], nodes[1:], wanted)
    return tuple(partial.raw if isinstance(partial, Value) else partial for partial in partials)
