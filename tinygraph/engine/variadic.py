"""Ops with any number of operands: a sum and a dot product, each recorded as a single node."""

from __future__ import annotations

from tinygraph.engine.op import _NOTHING, Op, Traced
from tinygraph.kernels.numbers import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class MANY:
    """Marker in the slot `y_partial` of a variadic node.

    The slot `x` then contains the operands, and the slot `y` contains the local derivatives. `y` ends at the last
    operand with a local derivative, so for a dot product with data, `y` is half as long as `x`.
    """


class VariadicOp(Op):
    """An op that takes `arity` lists of operands. Each of its `partials` returns the local derivatives for one list.

    Args:
        name: Name of the op.
        combine: Kernel that takes the lists. The kernel `floats` takes the elements of all lists as separate
            arguments, in the order in which a node stores them.
        joined: Operator between the operands in diagrams and steps, or "" for the notation of a function call.
        **columns: Other arguments of `Op`.

    Examples:
        >>> from tinygraph.engine.ops import dot
        >>> dot([1.0, 2.0], [3.0, 4.0])
        11.0
    """

    __slots__ = ("combine", "joined")
    variadic = True

    def __init__(self, name: str, combine: Callable[..., float], *, joined: str = "", **columns: Any) -> None:
        super().__init__(name, lambda *operands: combine(*self.lists(operands)), **columns)
        self.combine, self.joined = combine, joined
        self.precedence = 1 if joined else 0

    def lists(self, operands: Sequence[Any]) -> list[Sequence[Any]]:
        """Return the lists that contain a node's operands.

        Examples:
            >>> from tinygraph.engine.ops import dot
            >>> dot.lists((1.0, 2.0, 3.0, 4.0))
            [(1.0, 2.0), (3.0, 4.0)]
        """
        size = len(operands) // self.arity
        return [operands[i * size : (i + 1) * size] for i in range(self.arity)]

    def on(self, operands: Sequence[Any]) -> Any:
        """Call the op on a node's operands."""
        return self(*self.lists(operands))

    def partials_at(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """Return the local derivatives up to the last one that is wanted, with None in place of each unwanted one."""
        last = len(wanted) - wanted[::-1].index(True) if True in wanted else 0
        lists = self.lists(operands)
        found = [partial for column in self.partials for partial in column(out, *lists)]
        return tuple([partial if want else None for partial, want in zip(found[:last], wanted, strict=False)])

    def text(self, *operands: str) -> str:
        """Return the op as text. Long lists are shortened.

        Examples:
            >>> from tinygraph.engine.ops import dot, total
            >>> dot.text("w1", "w2", "x1", "x2"), total.text("a", "b", "c", "d")
            ('dot([w1, w2], [x1, x2])', 'total([a, b, …, d])')
        """
        lists = [cut_short(x, 3) for x in self.lists(operands)]
        return f"{self.name}({', '.join('[' + ', '.join(x) + ']' for x in lists)})"

    def __call__(self, xs: Any = _NOTHING, ys: Any = None, *more: Any) -> Any:
        """Compute on lists of plain numbers, or record one node if an element is a node."""
        if self.arity != (1 if ys is None else 2) or more or xs is _NOTHING:
            given = (xs is not _NOTHING) + (ys is not None) + len(more)
            raise TypeError(f"{self.name} takes {self.arity} sequence{'s' * (self.arity > 1)}, got {given}")
        for sequence in (xs,) if ys is None else (xs, ys):
            if not hasattr(sequence, "__iter__") or isinstance(sequence, (str, bytes, type)):
                raise TypeError(f"{self.name} takes sequences of numbers and nodes, not {sequence!r}")
        xs = tuple(xs)
        ys = None if ys is None else tuple(ys)
        if ys is not None and len(xs) != len(ys):
            raise ValueError(f"{self.name} needs sequences of the same length, got {len(xs)} and {len(ys)}")
        lists = (xs,) if ys is None else (xs, ys)
        for elements in lists:
            for element in elements:
                if isinstance(element, Traced):
                    return element._record_lists(self, xs, ys)
        return self.combine(*[[plain_number(x, self.name) for x in elements] for elements in lists])

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join('xy'[: self.arity])}): {self.domain.text}>"


def cut_short(texts: Sequence[Any], most: int, gap: Any = "…") -> Sequence[Any]:
    """Return the given texts. If there are more than `most` texts, return only the first two, a gap and the last.

    Examples:
        >>> cut_short(["a", "b", "c", "d"], 3)
        ('a', 'b', '…', 'd')
    """
    return texts if len(texts) <= most else (*texts[:2], gap, texts[-1])
