"""Draw the loops of a course for random programs: recurrences, sums over the inputs, and nested sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tinygraph.engine.ops import add, mul

if TYPE_CHECKING:
    from tinygraph.engine.op import Op

    Operand = int | float
    Append = Callable[[Op, tuple[Operand, ...]], int | None]  # appends a step that fits, and returns its index

_LOOPS: dict[str, tuple[Op, ...]] = {
    "recurrence": (),
    "sum": (add,),
    "nested sums": (add, mul),
}  # the ops that each needs
_SLOTS = ("a new constant", "one input", "the next input")


class LoopDrawer:
    """Draws loops, which it appends to a program as steps.

    Args:
        draw: Function that draws from a strategy.
        ops: Ops that can occur.
        inputs: Number of inputs of the program.
        append: Function of (op, operands) that appends a step and returns the index of its result, or None if the step
            does not fit.
        numbers: Strategy for constants.
    """

    def __init__(
        self, draw: st.DrawFn, ops: Sequence[Op], inputs: int, append: Append, numbers: st.SearchStrategy[float]
    ) -> None:
        self.draw, self.inputs, self.append, self.numbers = draw, inputs, append, numbers
        self.simple = [op for op in ops if not op.variadic]
        self.kinds = [kind for kind, needed in _LOOPS.items() if set(needed).issubset(ops)] if self.simple else []

    def loop(self, newest: int) -> None:
        """Append the steps of one loop with two to four iterations.

        Args:
            newest: Index of the result that a recurrence starts with.
        """
        kind = self.draw(st.sampled_from(self.kinds))
        body = self.draw(
            st.lists(st.tuples(st.sampled_from(self.simple), st.sampled_from(_SLOTS)), min_size=1, max_size=2)
        )
        chosen = self.draw(st.integers(0, self.inputs - 1))  # the input that all iterations share
        state: int | None = newest
        result: int | None = None
        for k in range(self.draw(st.integers(2, 4))):
            if kind == "recurrence":
                state = self._body(state, body, chosen, k)
                continue
            start = self._weighted_sum() if kind == "nested sums" else k % self.inputs
            term = self._body(start, body, chosen, k)
            if term is not None and term >= self.inputs:  # a step, not an input
                result = term if result is None else self._appended(add, result, term)

    def _body(self, x: int | None, body: Sequence[tuple[Op, str]], chosen: int, k: int) -> int | None:
        """Append the ops of one iteration to the result `x`, without those that do not fit."""
        for op, slot in body:
            if x is None:
                return None
            if op.arity == 1:
                x = self._appended(op, x)
            else:
                others = {"one input": chosen, "the next input": k % self.inputs}
                x = self._appended(op, x, others[slot] if slot in others else self.draw(self.numbers))
        return x

    def _weighted_sum(self) -> int | None:
        """Append the inner loop of nested sums: the sum of the inputs with weights."""
        total: int | None = None
        for j in range(self.inputs):
            term = self.append(mul, (j, self.draw(self.numbers)))
            if term is not None:
                total = term if total is None else self._appended(add, total, term)
        return total

    def _appended(self, op: Op, x: int, *others: Operand) -> int:
        """Append a step and return its result, or return `x` if the step does not fit."""
        found = self.append(op, (x, *others))
        return x if found is None else found
