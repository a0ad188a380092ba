"""Cursor: a place in a backward pass, which moves forwards and back, and stops at breakpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Literal, TypeAlias

from tinygraph.engine.backward import as_gradient, seed_of
from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.step import Phase, Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import one_of

Target: TypeAlias = Node | str | Op | Callable[[Step], object]  # a node, the name of one, an op, a test of a Step


class Cursor:
    """A place among the steps of a backward pass; see `Stepper`, which adds what shows it.

    Every gradient that a step reads is complete by then, so one backward pass gives all factors, and each step can be
    made without the others. Going to any of them costs nothing, and going back restores the same bits. The gradients
    are the cursor's own: the graph is left as it was, until `apply()`.
    """

    def __init__(
        self,
        root: Node,
        *,
        seed: Quantity | None = None,
        phase: Phase = "backward",
        granularity: Literal["edge", "node"] = "edge",
    ) -> None:
        if not isinstance(root, Node):
            raise TypeError(f"Stepper takes a node of a graph (a Value or a Tensor), not {root!r}")
        one_of("phase", phase, ("backward", "forward", "both"))
        one_of("granularity", granularity, ("edge", "node"))
        self.granularity = granularity
        self.walk = Walk(root, None if phase == "forward" else seed_of(root, seed))
        self.steps = Steps(self.walk, phase)
        self.index = 0
        self.breakpoints: dict[int, tuple[str, Target]] = {}
        self._next_breakpoint = 1

    @property
    def root(self) -> Node:
        """The node that the pass starts from."""
        return self.walk.root

    @property
    def seed(self) -> Quantity | None:
        """The gradient that the pass starts with; None in a forward phase."""
        return self.walk.seed

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def current(self) -> Step | None:
        """The step that happened last; None at the start."""
        return self.steps.step(self.index) if self.index else None

    # --- moving

    def __iter__(self) -> Iterator[Step]:
        while self.index < len(self):
            self.index += 1
            yield self.steps.step(self.index)

    def step(self, n: int = 1) -> Step | None:
        """Go on by n steps (or nodes); return the last that happened, None if there was none left."""
        left = len(self) - self.index
        for _ in range(min(n, left)):
            self.index += 1
            while self.index < len(self) and self._goes_on(self.index):
                self.index += 1
            if self.index == len(self):
                break
        return self.current if left else None

    def back(self, n: int = 1) -> Step | None:
        """Go back by n steps (or nodes); return the one that happened last before, None at the start."""
        for _ in range(min(n, self.index)):
            self.index -= 1
            while self.index and self._goes_on(self.index):
                self.index -= 1
            if not self.index:
                break
        return self.current

    def _goes_on(self, k: int) -> bool:
        """Whether a move does not stop after step k, because step k + 1 belongs to the same node."""
        return self.granularity == "node" and self.steps.at(k) == self.steps.at(k + 1)

    def goto(self, k: int) -> Step | None:
        """Go to where k steps have happened, forwards or back."""
        if not 0 <= k <= len(self):
            raise IndexError(f"there are {len(self)} events: go to 0 up to {len(self)}, not {k}")
        self.index = k
        return self.current

    def start(self) -> None:
        """Go back to where nothing has happened."""
        self.goto(0)

    def end(self) -> Step | None:
        """Go to where everything has happened."""
        return self.goto(len(self))

    def run_until(self, target: Target) -> Step | None:
        """Go on to the next step at a node, a name or an op, or where a function of the Step is true.

        None where there is none: everything has happened then.
        """
        test = self._test(target)
        return next(filter(test, self), None)

    def run_back_until(self, target: Target) -> Step | None:
        """Go back to the last step before this one at a node, a name or an op, or where a function is true.

        None where there is none: nothing has happened then.
        """
        test = self._test(target)
        while self.index:
            step = self.back()
            if step is not None and test(step):
                return step
        return None

    # --- breakpoints

    def break_on(self, target: Target) -> int:
        """Let `continue_` stop at steps of a node, a name or an op, or where a function of the Step is true.

        Returns:
            The number of the breakpoint, for `delete`.
        """
        return self._add("break", target)

    def watch(self, target: Node | str) -> int:
        """Let `continue_` stop where the gradient of a node is written; return the number of the breakpoint."""
        return self._add("watch", target)

    def _add(self, kind: str, target: Target) -> int:
        self._test(target)
        number = self._next_breakpoint
        self.breakpoints[number] = (kind, target)
        self._next_breakpoint += 1
        return number

    def delete(self, number: int) -> None:
        """Take a breakpoint away."""
        if number not in self.breakpoints:
            raise KeyError(f"there is no breakpoint {number}")
        del self.breakpoints[number]

    def continue_(self) -> Step | None:
        """Go on to the next breakpoint; None where the end came first."""
        return self.run_until(self._stop())

    def reverse_continue(self) -> Step | None:
        """Go back to the last breakpoint; None where the start came first."""
        return self.run_back_until(self._stop())

    def _stop(self) -> Callable[[Step], bool]:
        tests = [(kind, self._test(target)) for kind, target in self.breakpoints.values()]
        return lambda step: any(test(step) and (kind == "break" or step.kind != "forward") for kind, test in tests)

    def _test(self, target: Target) -> Callable[[Step], bool]:
        """What is true of the steps that a target means: those that write the number or gradient of its node."""
        if isinstance(target, str):
            node = self.find(target)
            return lambda step: step.node is node
        if isinstance(target, Node):
            if target not in self.walk:
                raise ValueError(f"{target!r} is no node of this graph")
            return lambda step: step.node is target
        if isinstance(target, Op):
            return lambda step: step.op is target
        if callable(target):
            return lambda step: bool(target(step))
        raise TypeError(f"a node, a name, an op or a function of a Step is meant, not {target!r}")

    # --- looking

    def find(self, name: str) -> Node:
        """Return the node of this name; a KeyError lists the names that there are."""
        return self.walk.find(name)

    def _node(self, node: Node | str) -> Node:
        return self.find(node) if isinstance(node, str) else node

    def grad(self, node: Node | str) -> Quantity | None:
        """Return the gradient so far; None where nothing has arrived."""
        return copy(self.steps.gradient(self._node(node), self.index))

    def last_write(self, node: Node | str) -> Step | None:
        """Return the step, of those that happened, that last wrote the gradient of this node; None if none did."""
        return self.steps.last_write(self._node(node), self.index)

    @property
    def final(self) -> dict[Node, Quantity]:
        """The gradients at the end, of all nodes that one reaches."""
        return dict(self.walk.gradients)

    def contributions(self, node: Node | str) -> list[Step]:
        """Return all steps that add to the gradient of a node, those to come, too."""
        return self.steps.into(self._node(node))

    def apply(self) -> None:
        """Write the gradients as they are now into `.grad`; where nothing has arrived it becomes None."""
        for node in self.walk.nodes:
            gradient = self.grad(node)
            node.grad = None if gradient is None else as_gradient(node, gradient)

    def __str__(self) -> str:
        if not self.index:
            text = f"at the start of {len(self)} events"
        else:
            text = str(self.current)
        following = self.steps.step(self.index + 1).symbol if self.index < len(self) else ""
        return f"{text}\n  next: {following}" if following else f"{text}\n  this was the last"

    def __repr__(self) -> str:
        name = f" of {self.root.name}" if self.root.name else ""
        return f"<stepper{name}: {self.index} of {len(self)} events>"
