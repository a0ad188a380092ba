"""A lab of misconceptions: backward passes as one writes them wrongly, run beside the right one.

Each wrong pass is written over the public graph, in the few lines a student would write; the engine knows nothing of
it. It takes a dictionary of gradients and yields the same events as `graph.propagate`, which is the right pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygraph import ops
from tinygraph.drawing import words
from tinygraph.graph import Node, order, propagate
from tinygraph.stepping import Step, called
from tinygraph.tensor import Tensor
from tinygraph.value import Value
from tinygraph.wiring import matmul

Event = tuple[Node, int, Node, Any, Any, Any]  # result, slot, operand, upstream, slope, contribution
Gradients = dict[Node, Any]
LIMIT = 100_000  # events: passing on by paths can take more than anyone waits for


# --- the wrong passes -----------------------------------------------------------------------------


def edges(node: Node) -> list[tuple[int, Node, Any]]:
    """The operands of a node that a gradient flows to, each with its slot and its slope.

    >>> a = Value(2.0, "a")
    >>> edges(3.0 * a)
    [(1, Value(2.0, name='a'), 3.0)]
    """
    return [
        (k, x, slope) for k, (x, slope) in enumerate(zip(node.args, node.slopes, strict=False)) if slope is not None
    ]


def depth_first(root: Node, grad: Gradients) -> Iterator[Event]:
    """Pass a gradient on as soon as something of it has arrived."""
    for slot, operand, slope in edges(root):
        contribution = grad[root] * slope
        grad[operand] = grad.get(operand, 0.0) + contribution
        yield root, slot, operand, grad[root], slope, contribution
        yield from depth_first(operand, grad)  # right: when the last contribution to the operand is in


def overwriting(root: Node, grad: Gradients) -> Iterator[Event]:
    """Write each contribution over the one before."""
    for node in order(root):
        for slot, operand, slope in edges(node) if node in grad else ():
            contribution = grad[node] * slope
            grad[operand] = contribution  # right: add it to what is there
            yield node, slot, operand, grad[node], slope, contribution


def without_zeroing(root: Node, grad: Gradients) -> Iterator[Event]:
    """Go through the graph a second time, on top of the gradients of the first."""
    seed = grad[root]
    for _ in propagate(root, seed, grad):
        pass
    grad[root] = seed  # right: grad = {root: seed}
    for node in order(root):
        for slot, operand, slope in edges(node) if node in grad else ():
            contribution = grad[node] * slope
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], slope, contribution


def with_a_wrong_sign(root: Node, grad: Gradients) -> Iterator[Event]:
    """Give both operands of a - b the upstream gradient as it is."""
    for node in order(root):
        for slot, operand, slope in edges(node) if node in grad else ():
            if node.op is ops.sub:
                slope = abs(slope)  # right: -1 for the second operand
            contribution = grad[node] * slope
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], slope, contribution


def right(root: Node, grad: Gradients) -> Iterator[Event]:
    """The chain rule in topological order."""
    return propagate(root, grad[root], grad)


# --- the wrong program ----------------------------------------------------------------------------


def as_it_is(root: Node) -> dict[Node, Node]:
    """The program that was written: every node stands for itself."""
    return {node: node for node in reversed(order(root))}


def times_for_dot(root: Node) -> dict[Node, Node]:
    """The same program with `*` where `@` was written: for each node what comes out instead."""
    twins: dict[Node, Node] = {}
    for node in reversed(order(root)):
        args = [twins.get(x, x) if isinstance(x, Node) else x for x in node.args]
        op = ops.mul if node.op is matmul else node.op
        if op is None:
            twins[node] = node
        else:
            twins[node] = op(*(op.lists(args) if hasattr(op, "lists") else args))
            twins[node].name = node.name
    return twins


# --- what a misconception is ----------------------------------------------------------------------


@dataclass(frozen=True)
class Misconception:
    """A belief about backpropagation, the pass (or the program) that it leads to, and what mends it.

    `smallest()` makes the smallest graph on which it shows.
    """

    name: str
    belief: str
    mend: str
    smallest: Callable[[], Node]
    walk: Callable[[Node, Gradients], Iterator[Event]] = right
    program: Callable[[Node], dict[Node, Node]] = as_it_is

    @property
    def code(self) -> str:
        """The wrong pass, or the wrong program, as it stands in this file."""
        return inspect.getsource(self.program if self.walk is right else self.walk).rstrip()

    def compare(self, root: Node | None = None) -> Comparison:
        """Run the wrong pass beside the right one, on a graph of your own or on the smallest one.

        No node is written to. Raises ValueError where the wrong pass takes more than 100,000 events, and where the
        wrong program cannot be run at all, because shapes do not fit.

        >>> c = DEPTH_FIRST.smallest()
        >>> comparison = DEPTH_FIRST.compare(c)
        >>> [(called(node), comparison.right[node], comparison.wrong[node]) for node in comparison.nodes]
        [('c', 1.0, 1.0), ('b', 2.0, 2.0), ('a', 4.0, 6.0)]
        """
        root = self.smallest() if root is None else root
        twins = self.program(root)
        gradients, steps = _run(right, root)
        other, wrong = _run(self.walk, twins[root])
        return Comparison(
            self,
            root,
            twins,
            {node: gradients.get(node) for node in twins},
            {node: other.get(twin) for node, twin in twins.items()},
            _first_fault(twins, steps, wrong),
        )


def _run(walk: Callable[[Node, Gradients], Iterator[Event]], root: Node) -> tuple[Gradients, list[Step]]:
    """The gradients after a pass, and its events as a Stepper tells them."""
    grad: Gradients = {root: np.ones_like(root._data) if hasattr(root._data, "shape") else 1.0}
    before: Gradients = {}
    steps: list[Step] = []
    try:
        for result, slot, operand, upstream, slope, contribution in walk(root, grad):
            after = grad[operand]
            left_over = after - contribution if _differs(after, contribution) else None  # from a pass before
            had = before.get(operand, left_over)
            steps.append(Step(0, 0, "backward", result, operand, slot, slope, upstream, contribution, had, after, root))
            before[operand] = after
            if len(steps) > LIMIT:
                raise ValueError(f"more than {LIMIT:,} events: try it on a smaller graph")
    except RecursionError:
        raise ValueError("the graph is too deep for a pass that calls itself: try it on a smaller one") from None
    return grad, steps


def _first_fault(
    twins: dict[Node, Node], steps: list[Step], wrong: list[Step]
) -> tuple[Step | None, Step | None] | None:
    """The first event of the wrong run that should not be, beside the right one; None where all are right."""
    for node, twin in twins.items():
        if _differs(node._data, twin._data):
            meant, came = (Step(0, 0, "forward", x, after=x._data, root=x) for x in (node, twin))
            return meant, came
    rule = {(step.result, step.slot): step for step in steps}
    backwards = {twin: node for node, twin in twins.items()}
    so_far: Gradients = {}
    for step in wrong:
        assert step.operand is not None
        so_far[step.operand] = so_far.get(step.operand, 0.0) + step.contribution
        expected = rule.get((backwards[step.result], step.slot))
        if (
            expected is None
            or _differs(step.contribution, expected.contribution)
            or _differs(step.upstream, expected.upstream)
            or _differs(step.after, so_far[step.operand])
        ):
            return expected, step
    return None


def _differs(x: Any, y: Any) -> bool:
    return not np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)


@dataclass(frozen=True)
class Comparison:
    """A wrong pass beside the right one; `print` it.

    `right` and `wrong` hold the gradient of each node, None where none arrived; `first` the first event that should not
    be, as (what should happen, what happens), or None where the two agree.
    """

    misconception: Misconception
    root: Node
    twins: dict[Node, Node]  # for each node that of the wrong program
    right: dict[Node, Any]
    wrong: dict[Node, Any]
    first: tuple[Step | None, Step | None] | None

    @property
    def nodes(self) -> list[Node]:
        """The nodes, the root first."""
        return order(self.root)

    @property
    def agrees(self) -> bool:
        """Whether every number and every gradient came out right."""
        return self.first is None and not any(map(self.is_wrong, self.nodes))

    def is_wrong(self, node: Node) -> bool:
        """Whether the wrong run has another gradient for this node."""
        x, y = self.right[node], self.wrong[node]
        return (x is None) != (y is None) or (x is not None and _differs(x, y))

    def __str__(self) -> str:
        lines = [f"{self.misconception.name}: “{self.misconception.belief}”"]
        rows = [("gradient of", "right", "wrong", "")]
        for node in self.nodes:
            name, mark = words.headline(node) or called(node), "<-" if self.is_wrong(node) else ""
            rows.append((name, _text(self.right[node]), _text(self.wrong[node]), mark))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines += [f"  {r[0]:<{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:>{widths[2]}}  {r[3]}".rstrip() for r in rows]
        if self.first is None:
            return "\n".join([*lines, "  on this graph they agree"])
        said = [("should be", self.first[0]), ("but was", self.first[1])]
        lines.append("the first event that differs")
        lines += [f"  {what:<9}  {_event(step)}" for what, step in said if step is not None]
        return "\n".join([*lines, f"what mends it: {self.misconception.mend}"])


def _text(gradient: Any) -> str:
    return "·" if gradient is None else words.quantity(gradient)


def _event(step: Step) -> str:
    if step.operand is None:
        return step.equation
    before = "0" if step.before is None else words.quantity(step.before)
    return f"{step.equation}, so {called(step.operand)}.grad {before} → {words.quantity(step.after)}"


# --- the lab --------------------------------------------------------------------------------------


def twice_twice() -> Value:
    """b = a + a; c = b + b: the smallest graph in which an inner node is used twice."""
    a = Value(2.0, "a")
    b = a + a
    c = b + b
    b.name, c.name = "b", "c"
    return c


def difference() -> Value:
    """c = a - b."""
    c = Value(5.0, "a") - Value(3.0, "b")
    c.name = "c"
    return c


def weighted_sum() -> Tensor:
    """J = sum(w.T @ x), for one example of two features."""
    w, x = Tensor([[1.0], [2.0]], "w"), Tensor([[3.0], [4.0]], "x", constant=True)
    z = w.T @ x
    J = z.sum()
    z.name, J.name = "z", "J"
    return J


DEPTH_FIRST = Misconception(
    "depth first",
    "a gradient can be passed on as soon as it arrives",
    "go through the nodes in topological order, so that a gradient is complete before it is passed on",
    twice_twice,
    depth_first,
)
OVERWRITING = Misconception(
    "= for +=",
    "the gradient of a node is what its consumer hands back",
    "add up the contributions of all consumers: += and not =",
    twice_twice,
    overwriting,
)
NOT_ZEROING = Misconception(
    "forgetting to zero",
    "the next pass begins where this one ended",
    "set every gradient to zero before a pass, those of inner nodes too",
    twice_twice,
    without_zeroing,
)
WRONG_SIGN = Misconception(
    "a wrong sign",
    "a - b passes its gradient on to both",
    "d(a - b)/db is -1: when b grows, the difference falls",
    difference,
    with_a_wrong_sign,
)
TIMES_FOR_DOT = Misconception(
    "* for dot",
    "w.T * x multiplies the weights with the inputs",
    "w.T @ x, or np.dot(w.T, x): products that are also summed; assert z.shape == (1, m)",
    weighted_sum,
    program=times_for_dot,
)
LAB = (DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN, TIMES_FOR_DOT)
