"""`Cursor`: a movable position in a backward pass, with breakpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Literal, TypeAlias

from tinygraph.engine.backward import as_gradient, seed_of
from tinygraph.engine.graph import Node, require_node
from tinygraph.engine.op import Op
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.step import Phase, Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import counted, described, one_of

Target: TypeAlias = Node | str | Op | Callable[[Step], object]  # a node, its name, an op, or a function of a Step


class Cursor:
    """A position among the steps of a backward pass. `Stepper` adds the methods that display the pass.

    Every upstream gradient that a step reads is complete at that step. One backward pass therefore gives the upstream
    gradient and the local derivative of every step, and each step can be created independently of the other steps. A
    move to any step is cheap, and a move back restores the gradients bit for bit. The cursor stores separate gradients,
    so the graph does not change until you call `apply()`.

    Args:
        root: Node that the pass starts from.
        seed: Upstream gradient, with the shape of the root. Defaults to 1.
        phase: Steps to include: "backward", "forward", or "both" for the forward steps followed by the backward steps.
            Defaults to "backward".
        granularity: Size of a move: "edge" for one contribution, or "node" for all contributions that come from the
            same node. Defaults to "edge".

    Raises:
        TypeError: If `root` is not a node.
        ValueError: If an option has an invalid value, or if `root` is not a scalar and `seed` is missing.
        StaleGraphError: If a leaf was edited after the graph was recorded.
    """

    def __init__(
        self,
        root: Node,
        *,
        seed: Quantity | None = None,
        phase: Phase = "backward",
        granularity: Literal["edge", "node"] = "edge",
    ) -> None:
        require_node(root, "Stepper: root")
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
        """The upstream gradient that the pass starts with, or None if the phase is "forward"."""
        return self.walk.seed

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def current(self) -> Step | None:
        """The step that happened last, or None at the start."""
        return self.steps.step(self.index) if self.index else None

    # --- moving

    def __iter__(self) -> Iterator[Step]:
        while self.index < len(self):
            self.index += 1
            yield self.steps.step(self.index)

    def step(self, n: int = 1) -> Step | None:
        """Move forward by `n` steps, or by `n` nodes if the granularity is "node".

        Args:
            n: Number of steps or nodes. Defaults to 1.

        Returns:
            The last step that happened, or None if the cursor was already at the end.
        """
        left = len(self) - self.index
        for _ in range(min(check_integer("n", n, least=0), left)):
            self.index += 1
            while self.index < len(self) and self._goes_on(self.index):
                self.index += 1
            if self.index == len(self):
                break
        return self.current if left else None

    def back(self, n: int = 1) -> Step | None:
        """Move back by `n` steps, or by `n` nodes if the granularity is "node".

        Args:
            n: Number of steps or nodes. Defaults to 1.

        Returns:
            The last step before the new position, or None at the start.
        """
        for _ in range(min(check_integer("n", n, least=0), self.index)):
            self.index -= 1
            while self.index and self._goes_on(self.index):
                self.index -= 1
            if not self.index:
                break
        return self.current

    def _goes_on(self, k: int) -> bool:
        """Return whether a move continues after step `k`, because step `k + 1` belongs to the same node."""
        return self.granularity == "node" and self.steps.at(k) == self.steps.at(k + 1)

    def goto(self, k: int) -> Step | None:
        """Move forward or back to the position where `k` steps have happened.

        Args:
            k: Number of steps, from 0 to the total number of steps.

        Returns:
            The last step that has happened, or None at the start.

        Raises:
            IndexError: If `k` is out of range.
        """
        if not 0 <= check_integer("k", k) <= len(self):
            raise IndexError(f"the position k must be from 0 to {len(self)} (the number of steps), not {k}")
        self.index = k
        return self.current

    def start(self) -> None:
        """Move to the start, where no step has happened."""
        self.goto(0)

    def end(self) -> Step | None:
        """Move to the end, where all steps have happened.

        Returns:
            The last step, or None if the pass has no steps.
        """
        return self.goto(len(self))

    def run_until(self, target: Target) -> Step | None:
        """Move forward to the next step that matches the target.

        Args:
            target: Node whose value or gradient the step writes, the node's name, an op, or a function that takes a
                `Step` and returns true for a match.

        Returns:
            The step, or None if no step matches. Without a match, the cursor moves to the end.

        Raises:
            KeyError: If no node has this name.
            ValueError: If the node is not in the graph.
        """
        test = self._test(target)
        return next(filter(test, self), None)

    def run_back_until(self, target: Target) -> Step | None:
        """Move back to the previous step that matches the target.

        Args:
            target: Node whose value or gradient the step writes, the node's name, an op, or a function that takes a
                `Step` and returns true for a match.

        Returns:
            The step, or None if no step matches. Without a match, the cursor moves to the start.

        Raises:
            KeyError: If no node has this name.
            ValueError: If the node is not in the graph.
        """
        test = self._test(target)
        while self.index:
            step = self.back()
            if step is not None and test(step):
                return step
        return None

    # --- breakpoints

    def break_on(self, target: Target) -> int:
        """Set a breakpoint at which `continue_` stops.

        Args:
            target: Node whose value or gradient the step writes, the node's name, an op, or a function that takes a
                `Step` and returns true for a match.

        Returns:
            The number of the breakpoint, which `delete` accepts.

        Raises:
            TypeError: If `target` is not a node, a name, an op or a function.
            KeyError: If no node has this name.
            ValueError: If the node is not in the graph.
        """
        return self._add("break", target)

    def watch(self, target: Node | str) -> int:
        """Set a breakpoint at which `continue_` stops when a step writes the gradient of a node.

        Args:
            target: Node, or name of a node.

        Returns:
            The number of the breakpoint, which `delete` accepts.

        Raises:
            KeyError: If no node has this name.
            ValueError: If the node is not in the graph.
        """
        return self._add("watch", self.walk.node(target, "target") if not isinstance(target, str) else target)

    def _add(self, kind: str, target: Target) -> int:
        self._test(target)
        number = self._next_breakpoint
        self.breakpoints[number] = (kind, target)
        self._next_breakpoint += 1
        return number

    def delete(self, number: int) -> None:
        """Delete a breakpoint.

        Args:
            number: Number of the breakpoint, from `break_on` or `watch`.

        Raises:
            KeyError: If no breakpoint has this number.
        """
        if check_integer("the number of a breakpoint", number) not in self.breakpoints:
            raise KeyError(f"there is no breakpoint with the number {number}")
        del self.breakpoints[number]

    def continue_(self) -> Step | None:
        """Move forward to the next breakpoint, or to the end.

        Returns:
            The step, or None if no breakpoint comes before the end.
        """
        return self.run_until(self._stop())

    def reverse_continue(self) -> Step | None:
        """Move back to the previous breakpoint, or to the start.

        Returns:
            The step, or None if no breakpoint comes before the start.
        """
        return self.run_back_until(self._stop())

    def _stop(self) -> Callable[[Step], bool]:
        tests = [(kind, self._test(target)) for kind, target in self.breakpoints.values()]
        return lambda step: any(test(step) and (kind == "break" or step.kind != "forward") for kind, test in tests)

    def _test(self, target: Target) -> Callable[[Step], bool]:
        """Return a function that checks whether a step matches the target."""
        if isinstance(target, (str, Node)):
            node = self.walk.node(target, "target")
            return lambda step: step.node is node
        if isinstance(target, Op):
            return lambda step: step.op is target
        if callable(target):
            return lambda step: bool(target(step))
        raise TypeError(f"the target must be a node, a name, an op or a function of a Step, not {described(target)}")

    # --- looking

    def find(self, name: str) -> Node:
        """Return the node with the given name.

        Args:
            name: Name to look for.

        Returns:
            The node.

        Raises:
            KeyError: If no node has this name. The message lists all names.
        """
        return self.walk.find(name)

    def grad(self, node: Node | str) -> Quantity | None:
        """Return a node's gradient at the current step.

        Args:
            node: Node, or name of a node.

        Returns:
            The gradient so far, or None before the first contribution.
        """
        return copy(self.steps.gradient(self.walk.node(node), self.index))

    def last_write(self, node: Node | str) -> Step | None:
        """Return the last step so far that wrote a node's gradient.

        Args:
            node: Node, or name of a node.

        Returns:
            The step, or None if no step so far wrote the gradient.
        """
        return self.steps.last_write(self.walk.node(node), self.index)

    @property
    def final(self) -> dict[Node, Quantity]:
        """A dictionary of the gradients at the end of the pass, for all nodes that the pass reaches."""
        return dict(self.walk.gradients)

    def contributions(self, node: Node | str) -> list[Step]:
        """Return all steps that add to a node's gradient, including steps that have not happened yet.

        Args:
            node: Node, or name of a node.

        Returns:
            The steps, in order.
        """
        return self.steps.into(self.walk.node(node))

    def apply(self) -> None:
        """Write the gradients at the current step into `.grad`.

        A node's `.grad` becomes None if no contribution has arrived.
        """
        for node in self.walk.nodes:
            gradient = self.grad(node)
            node.grad = None if gradient is None else as_gradient(node, gradient)

    def __str__(self) -> str:
        if not self.index:
            text = f"at the start of {len(self)} steps"
        else:
            text = str(self.current)
        following = self.steps.step(self.index + 1).symbol if self.index < len(self) else ""
        return f"{text}\n  next: {following}" if following else f"{text}\n  this was the last step"

    def __repr__(self) -> str:
        name = f" of {self.root.name}" if self.root.name else ""
        return f"<stepper{name}: {self.index} of {counted(len(self), 'step')}>"
