"""Step: one step of a backward pass, or of the forward pass before it, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.notation import called, derivative_of, formula


@dataclass(frozen=True, repr=False)
class Step:
    """One event: a node is computed, the root's gradient is set, or a contribution is added to an operand's.

    `kind` is "forward", "seed" or "backward". A seed and a forward event have no operand; numbers are floats or arrays.
    """

    index: int  # counted from 1
    total: int
    kind: Literal["forward", "seed", "backward"]
    result: Node
    operand: Node | None = None
    slot: int = 0
    local: Any = None
    upstream: Any = None
    contribution: Any = None
    before: Any = None  # the gradient, or the number, before the event; None where there was none
    after: Any = None
    root: Node | None = None
    seed: Any = 1.0  # the gradient that the pass starts with

    @property
    def op(self) -> Op | None:
        """The op of the result."""
        return self.result.op

    @property
    def node(self) -> Node:
        """The node whose number or gradient the event writes."""
        return self.operand if self.operand is not None else self.result

    @property
    def line(self) -> str:
        """Where the result was recorded, under `trace_lines`."""
        return self.result.line

    @property
    def symbol(self) -> str:
        """What happens, in symbols: "dJ/db += dJ/du · du/db", or "u = b × c"."""
        if self.kind == "forward":
            return notation.headline(self.result) or "·"
        assert self.root is not None
        if self.operand is None:
            return derivative_of(self.root, self.result, self.seed)
        into, out = (derivative_of(self.root, node, self.seed) for node in (self.operand, self.result))
        if hasattr(self.local, "text"):
            return f"{into} += {notation.mapped(notation.local(self.result, self.local), out)}"
        return f"{into} += {out} · d{called(self.result)}/d{called(self.operand)}"

    @property
    def numbers(self) -> str:
        """The same in numbers: "3 × 2 = 6"."""
        if self.kind != "backward":
            return notation.quantity(self.after)
        if hasattr(self.local, "text"):
            return notation.quantity(self.contribution)
        factors = " × ".join(notation.factor(notation.quantity(x)) for x in (self.upstream, self.local))
        return f"{factors} = {notation.quantity(self.contribution)}"

    @property
    def equation(self) -> str:
        """Both: "dJ/db += dJ/du · du/db = 3 × 2 = 6"."""
        return f"{self.symbol} = {self.numbers}"

    def __repr__(self) -> str:
        return f"<step {self.index}/{self.total}: {self.equation}>"

    def __str__(self) -> str:
        head = f"step {self.index}/{self.total}"
        if self.kind == "forward":
            return f"{head}  {self.equation}"
        name = notation.headline(self.result) or notation.quantity(self.result.raw)
        lines = [f"{head}  {name}", f"  {self.equation}"]
        if self.operand is not None:
            why = formula(self.result, self.slot)
            if why and why != notation.quantity(self.local):
                local = f"d{called(self.result)}/d{called(self.operand)}"
                lines[-1] += f"   ({local} = {why} = {notation.quantity(self.local)})"
            before = "0" if self.before is None else notation.quantity(self.before)
            lines.append(f"  {called(self.operand)}.grad {before} → {notation.quantity(self.after)}")
        return "\n".join(lines)
