"""`Step`, one step of a forward or backward pass, and `Steps`, the sequence of all steps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal, overload

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.textbook import derivatives
from tinygraph.explaining.textbook.derivatives import derivative_of, formula, partial, times
from tinygraph.explaining.textbook.remembering import remembered_texts
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import counted


@dataclass(frozen=True, repr=False)
class Step:
    """One step of a forward or backward pass.

    A step computes a node ("forward"), sets the gradient of the root ("seed"), or adds a contribution to the gradient
    of an operand ("backward"). Values and gradients are floats for scalars, and arrays for Tensors.

    Attributes:
        index: Number of the step, counted from 1.
        total: Total number of steps.
        kind: "forward", "seed" or "backward".
        result: Computed node (forward), root (seed), or node that passes its gradient on to the operand (backward).
        operand: Node that receives the contribution, or None for a forward or seed step.
        slot: Index of the operand among the operands of `result`.
        local: Local derivative of `result` with respect to `operand`.
        upstream: Gradient of `result`.
        contribution: Product upstream × local.
        before: Gradient of the operand before the step, or None before the first contribution.
        after: Value that a forward step computes. For a seed or backward step, the gradient after the step.
        root: Node that the backward pass starts from.
        seed: Upstream gradient that the pass starts with. Defaults to 1.
        spec: Format of floats in the texts of the step, as for `format`. Defaults to ".4g".
    """

    index: int  # counted from 1
    total: int
    kind: Literal["forward", "seed", "backward"]
    result: Node
    operand: Node | None = None
    slot: int = 0
    local: Quantity = None
    upstream: Quantity = None
    contribution: Quantity = None
    before: Quantity = None  # None before the first contribution
    after: Quantity = None
    root: Node | None = None
    seed: Quantity = 1.0  # upstream gradient of the root
    spec: str = notation.SPEC

    @property
    def op(self) -> Op | None:
        """The op that computed the result, or None for a leaf."""
        return self.result.op

    @property
    def node(self) -> Node:
        """The node whose value or gradient the step writes."""
        return self.operand if self.operand is not None else self.result

    @property
    def line(self) -> str:
        """The source line that recorded the result, or "" if `trace_lines` was not active."""
        return self.result.line

    @property
    def symbol(self) -> str:
        """The step in symbols, such as "dJ/db += dJ/du · ∂u/∂b" or "u = b × c"."""
        if self.kind == "forward":
            return notation.headline(self.result) or "·"
        assert self.root is not None
        if self.operand is None:
            return derivative_of(self.root, self.result, self.seed)
        into, out = (derivative_of(self.root, node, self.seed) for node in (self.operand, self.result))
        if hasattr(self.local, "text"):
            return f"{into} += {derivatives.local(self.result, self.local, upstream=out)}"
        return f"{into} += {times(out, partial(self.result, self.operand), self.result)}"

    @property
    def numbers(self) -> str:
        """The step in numbers, such as "3 × 2 = 6"."""
        if self.kind != "backward":
            return notation.in_line(self.after, self.spec)
        result = notation.in_line(self.contribution, self.spec)
        return " = ".join([self.factors, result] if self.factors else [result])

    @property
    def factors(self) -> str:
        """The product of a backward step in numbers, such as "3 × 2", or "" for a linear map or longer arrays."""
        if self.kind != "backward" or hasattr(self.local, "text"):
            return ""
        if notation.only_shape(self.upstream) or notation.only_shape(
            self.local
        ):  # a product of shapes explains nothing
            return ""
        return notation.product(self.upstream, self.local, self.spec, notation.in_line)

    def why(self, with_number: bool = True) -> str:
        """Return the local derivative as a formula.

        Args:
            with_number: If true, the value follows. Defaults to true.

        Returns:
            The formula, such as "∂u/∂b = c = 2", or "" if there is no formula, or only the number.
        """
        if self.operand is None:
            return ""
        text, where, notes = formula(self.result, self.slot).partition(", where ")
        if not text or text in (
            number := notation.in_line(self.local, self.spec),
            notation.quantity(self.local, self.spec),
        ):
            return ""
        value = f" = {number}" if with_number and not notation.only_shape(self.local) else ""
        return f"{partial(self.result, self.operand)} = {text}{value}{where}{notes}"

    @property
    def equation(self) -> str:
        """The step in symbols and numbers, such as "dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6"."""
        return f"{self.symbol} = {self.numbers}"

    def __repr__(self) -> str:
        return f"<step {self.index}/{self.total}: {self.equation}>"

    @remembered_texts()
    def __str__(self) -> str:
        head = f"step {self.index}/{self.total}"
        if self.kind == "forward":
            return f"{head}  {self.equation}"
        name = notation.headline(self.result) or notation.quantity(self.result.raw, self.spec)
        lines = [f"{head}  {name}", f"  {self.equation}"]
        if self.operand is not None:
            if why := self.why():
                lines[-1] += f"   ({why})"
            before = "0" if self.before is None else notation.in_line(self.before, self.spec)
            lines.append(f"  {called(self.operand)}.grad {before} → {notation.in_line(self.after, self.spec)}")
        return "\n".join(lines)


Phase = Literal["backward", "forward", "both"]


class Steps(Sequence[Step]):
    """The sequence of all steps of a pass. Each step is created when you read it.

    Args:
        walk: Backward pass. A pass without a seed has no backward steps.
        phase: Steps to include: "backward", "forward", or "both" for the forward steps followed by the backward steps.
            Defaults to "backward".
        spec: Format of floats in the texts of the steps. Defaults to ".4g".
    """

    def __init__(self, walk: Walk, phase: Phase = "backward", spec: str = notation.SPEC) -> None:
        self.walk, self.spec = walk, spec
        self.computed: list[Node] = []  # nodes that the forward steps compute
        if phase != "backward":
            self.computed = [node for node in reversed(walk.nodes) if node.op is not None]
        self._first_edge = len(self.computed) + 2  # number of the step along edge 0
        self._total = len(self.computed) + (0 if walk.seed is None else 1 + len(walk))

    def __len__(self) -> int:
        return self._total

    def formatted(self, spec: str) -> Steps:
        """Return the same steps with another format of floats.

        Args:
            spec: Format, as for `format`.

        Returns:
            The steps.

        Examples:
            >>> from tinygraph.engine.value import Value
            >>> steps = Steps(Walk(Value(3.0, "x") * 2.0, 1.0))
            >>> steps[1].numbers, steps.formatted(".2f")[1].numbers
            ('1 × 2 = 2', '1.00 × 2.00 = 2.00')
        """
        other = copy(self)
        other.spec = spec
        return other

    @overload
    def __getitem__(self, k: int) -> Step: ...
    @overload
    def __getitem__(self, k: slice) -> list[Step]: ...
    def __getitem__(self, k: int | slice) -> Step | list[Step]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"step index {k} is out of range: the pass has {counted(len(self), 'step')}")
        return self.step(k % len(self) + 1)

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'step')}>"

    def step(self, k: int) -> Step:
        """Return the step with the given number.

        Args:
            k: Number of the step, counted from 1.

        Returns:
            The step.
        """
        walk, i = self.walk, k - self._first_edge
        if i < 0:
            kind, node = self.at(k)
            if kind == "seed":
                return Step(k, self._total, kind, node, after=walk.seed, root=walk.root, seed=walk.seed, spec=self.spec)
            walk.check_unchanged([node])
            return Step(k, self._total, kind, node, after=node.raw, root=walk.root, spec=self.spec)
        node, slot, operand, upstream, local, contribution = walk.edge(i)
        arrived = self._arrived(operand, k)
        before, after = walk.gradient_after(operand, arrived - 1), walk.gradient_after(operand, arrived)
        numbers = local, upstream, contribution, before, after
        return Step(k, self._total, "backward", node, operand, slot, *numbers, walk.root, walk.seed, self.spec)

    def at(self, k: int) -> tuple[Literal["forward", "seed", "backward"], Node]:
        """Return a step's kind and result, without computing gradients.

        Args:
            k: Number of the step, counted from 1.

        Returns:
            The kind ("forward", "seed" or "backward") and the result node.
        """
        if k <= len(self.computed):
            return "forward", self.computed[k - 1]
        i = k - self._first_edge
        return ("seed", self.walk.root) if i < 0 else ("backward", self.walk.ends(i)[0])

    def into(self, node: Node) -> list[Step]:
        """Return the steps that add to the gradient of the given node.

        Args:
            node: Node in the graph.

        Returns:
            The steps, in order.
        """
        return [self.step(i + self._first_edge) for i in self.walk.into(node)]

    def gradient(self, node: Node, k: int) -> Quantity | None:
        """Return a node's gradient after the first `k` steps.

        Args:
            node: Node in the graph.
            k: Number of steps that have happened.

        Returns:
            The gradient, or None before the first contribution.
        """
        self.walk.check_unchanged()
        if node is self.walk.root:
            return self.walk.seed if k > len(self.computed) else None
        return self.walk.gradient_after(node, self._arrived(node, k))

    def last_write(self, node: Node, k: int) -> Step | None:
        """Return the last of the first `k` steps that wrote a node's gradient.

        Args:
            node: Node in the graph.
            k: Number of steps that have happened.

        Returns:
            The step, or None if no such step has happened.
        """
        if node is self.walk.root:
            return self.step(self._first_edge - 1) if self.gradient(node, k) is not None else None
        arrived = self._arrived(node, k)
        return self.step(self.walk.into(node)[arrived - 1] + self._first_edge) if arrived else None

    def contributed(self, k: int) -> set[tuple[Node, int]]:
        """Return the contributions of the first `k` steps.

        Args:
            k: Number of steps that have happened.

        Returns:
            A set of pairs (result, slot).
        """
        return {self.walk.ends(i)[:2] for i in range(k - self._first_edge + 1)}

    def _arrived(self, node: Node, k: int) -> int:
        """Return how many of the first `k` steps add to the gradient of a node."""
        return bisect_left(self.walk.into(node), k - self._first_edge + 1)
