"""Arithmetic: the operators and methods of a node, each through its row of the table."""

from __future__ import annotations

from tinygraph.engine import contexts, graph, ops
from tinygraph.engine.graph import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self

    from tinygraph.engine.op import Op


def _method(row: Op) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return row(self)

    method.__doc__ = f"`tinygraph.{row.name}` of this node."
    method.__name__ = row.name
    return method


class Arithmetic(Node):
    """A node that is computed with: `x + y` records the row `add`, `x.exp()` the row `exp`."""

    __slots__ = ()

    def backward(self, *, seed: Any = None, accumulate: bool = False) -> None:
        """Backpropagate: set `.grad` of every node this one came from to d self / d node, times `seed` (1).

        Each pass starts from zero, so doing it twice gives the same numbers. With `accumulate`, a
        leaf adds the pass to the gradient it had (the lecture's `dw +=`). Raises StaleGraphError
        if a leaf was edited since the graph was recorded, and ValueError for a Tensor of many entries
        without a seed of its shape.

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
            self._accumulate(start)
        else:
            self._backpropagate(start)
        if graph.watch is not None:
            contexts.check_gradients(self, start)

    def _accumulate(self, seed: Any) -> None:
        """Backpropagate, and give each leaf what it had besides; where that is left, what it had."""
        leaves = [node for node in graph.order(self) if node.op is None]
        held = [leaf.grad for leaf in leaves]
        try:
            self._backpropagate(seed)
        except BaseException:
            for leaf, old in zip(leaves, held, strict=True):
                leaf.grad = old
            raise
        for leaf, old in zip(leaves, held, strict=True):
            if old is not None and not leaf.constant:
                leaf.grad = leaf._gradient(leaf.grad + old)

    def _backpropagate(self, seed: Any, nodes: Sequence[Node] | None = None) -> list[Any] | None:
        """Set the gradients of one pass; where it is left, None rather than half sums.

        With `nodes`, all that a gradient reaches, return theirs instead, and leave `.grad` as it was.
        """
        raise NotImplementedError

    @staticmethod
    def _infix(op: Op, x: Any, y: Any) -> Any:
        """Record an operator, or return NotImplemented to let the other operand have its say."""
        raise NotImplementedError

    def __add__(self, other: Any) -> Self:
        return self._infix(ops.add, self, other)

    def __radd__(self, other: Any) -> Self:
        return self._infix(ops.add, other, self)

    def __sub__(self, other: Any) -> Self:
        return self._infix(ops.sub, self, other)

    def __rsub__(self, other: Any) -> Self:
        return self._infix(ops.sub, other, self)

    def __mul__(self, other: Any) -> Self:
        return self._infix(ops.mul, self, other)

    def __rmul__(self, other: Any) -> Self:
        return self._infix(ops.mul, other, self)

    def __truediv__(self, other: Any) -> Self:
        return self._infix(ops.div, self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._infix(ops.div, other, self)

    def __pow__(self, other: Any) -> Self:
        return self._infix(ops.pow, self, other)

    def __rpow__(self, other: Any) -> Self:
        return self._infix(ops.pow, other, self)

    def __neg__(self) -> Self:
        return ops.neg(self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return ops.abs(self)

    # The rows as methods, for people who come from micrograd and PyTorch, and for NumPy.

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
