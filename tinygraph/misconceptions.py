"""A lab of misconceptions: backward passes as one writes them wrongly, run beside the right one.

Each wrong pass is written over the public graph, in the few lines a student would write; the engine knows nothing of
it. It takes a dictionary of gradients and yields the same steps as `autodiff.propagate`, which is the right pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.graph import Node, order, require_node
from tinygraph.engine.value import Value
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import differ, ones
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.tensor import Tensor

Contribution = tuple[Node, int, Node, Quantity, Quantity, Quantity]  # the same fields as an Edge
Gradients = dict[Node, Quantity]
Run = tuple[Gradients, list[Step]]
Pair = tuple[Step | None, Step | None]  # what should happen, what happens
LIMIT = 100_000  # steps: passing on by paths can take more than anyone waits for
ROWS = 30  # of a table


# --- the wrong passes -----------------------------------------------------------------------------


def edges(node: Node) -> list[tuple[int, Node, Quantity]]:
    """The operands of a node that a gradient flows to, each with its slot and its slope.

    >>> a = Value(2.0, "a")
    >>> edges(3.0 * a)
    [(1, Value(2.0, name='a'), 3.0)]
    """
    return [
        (k, x, local) for k, (x, local) in enumerate(zip(node.args, node.partials, strict=False)) if local is not None
    ]


def depth_first(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Pass a gradient on as soon as something of it has arrived."""
    for slot, operand, local in edges(root):
        contribution = grad[root] * local
        grad[operand] = grad.get(operand, 0.0) + contribution
        yield root, slot, operand, grad[root], local, contribution
        yield from depth_first(operand, grad)  # right: once grad[operand] is complete


def overwriting(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Write each contribution over the one before."""
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            contribution = grad[node] * local
            grad[operand] = contribution  # right: add it to what is there
            yield node, slot, operand, grad[node], local, contribution


def without_zeroing(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Go through the graph a second time, on top of the gradients of the first."""
    seed = grad[root]
    for _ in propagate(root, seed, grad):
        pass
    grad[root] = seed  # right: grad = {root: seed}
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def with_a_wrong_sign(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Give both operands of a - b the upstream gradient as it is."""
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            if node.op is ops.sub:
                local = abs(local)  # right: -1 for the second operand
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def right(root: Node, grad: Gradients) -> Iterator[Contribution]:
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
            twins[node] = op.on(args)
            twins[node].name = node.name
    return twins


# --- what a misconception is ----------------------------------------------------------------------


@dataclass(frozen=True)
class Misconception:
    """A belief about backpropagation, the pass (or the program) that it leads to, and what mends it.

    `smallest()` makes the smallest graph that shows it; the first three share one, so that 6, 1 and 12 stand beside
    the same 4.
    """

    name: str
    belief: str
    fix: str
    smallest: Callable[[], Node]
    run: Callable[[Node, Gradients], Iterator[Contribution]] = right
    program: Callable[[Node], dict[Node, Node]] = as_it_is

    @property
    def code(self) -> str:
        """The wrong pass, or the wrong program, as it stands in this file."""
        return inspect.getsource(self.program if self.run is right else self.run).rstrip()

    def compare(self, root: Node | None = None) -> Comparison:
        """Run the wrong pass beside the right one, on a graph of your own or on the smallest one.

        No node is written to. Raises ValueError where the wrong pass takes more than 100,000 steps, and where the
        wrong program cannot be run at all, because shapes do not fit.

        >>> c = DEPTH_FIRST.smallest()
        >>> comparison = DEPTH_FIRST.compare(c)
        >>> [(called(node), comparison.right[node], comparison.wrong[node]) for node in comparison.nodes]
        [('c', 1.0, 1.0), ('b', 2.0, 2.0), ('a', 4.0, 6.0)]
        """
        root = self.smallest() if root is None else require_node(root, "compare: root")
        walk = Walk(root, ones(root))
        twins = self.program(root)
        rule, wrong = _right(walk), _wrong(self.run, twins[root])
        off = _off(twins, rule, wrong)
        return Comparison(
            self,
            walk,
            twins,
            {node: rule[0].get(node) for node in twins},
            {node: wrong[0].get(twin) for node, twin in twins.items()},
            frozenset(off),
            _first_fault(twins, rule[1], wrong[1]) or next(iter(off.values()), None),
        )


class _Gradients(dict[Node, Quantity]):
    """Gradients that know what was written over last."""

    before: Quantity = None

    def __setitem__(self, node: Node, gradient: Quantity) -> None:
        self.before = self.get(node)
        super().__setitem__(node, gradient)


def _right(walk: Walk) -> Run:
    """The gradients and the steps of the right pass."""
    if len(walk) > LIMIT:
        raise _too_many()
    return walk.gradients, list(Steps(walk))[1:]


def _wrong(run: Callable[[Node, Gradients], Iterator[Contribution]], root: Node) -> Run:
    """The gradients after a pass, and its steps as a Stepper shows them."""
    grad = _Gradients({root: ones(root)})
    steps: list[Step] = []
    try:
        for result, slot, x, upstream, local, contribution in run(root, grad):
            numbers = local, upstream, contribution, grad.before, grad[x]
            steps.append(Step(0, 0, "backward", result, x, slot, *numbers, root))
            if len(steps) > LIMIT:
                raise _too_many()
    except RecursionError:
        raise ValueError("the graph is too deep for a pass that calls itself: try it on a smaller one") from None
    return grad, steps


def _too_many() -> ValueError:
    return ValueError(f"more than {LIMIT:,} events: try it on a smaller graph")


def _first_fault(twins: dict[Node, Node], steps: list[Step], wrong: list[Step]) -> Pair | None:
    """The first value or step of the wrong run that should not be, beside the right one on the same edge."""
    for node, twin in twins.items():
        if differ(node.raw, twin.raw):
            meant, came = (Step(0, 0, "forward", x, after=x.raw, root=x) for x in (node, twin))
            return meant, came
    if any(node is not twin for node, twin in twins.items()):
        return None  # another program with the same values has edges of its own
    rule = {(step.result, step.slot): step for step in steps}
    walked = set()
    so_far: Gradients = {}
    for step in wrong:
        assert step.operand is not None
        so_far[step.operand] = so_far.get(step.operand, 0.0) + step.contribution
        edge = step.result, step.slot
        expected = None if edge in walked else rule.get(edge)
        walked.add(edge)
        if (
            expected is None
            or differ(step.contribution, expected.contribution)
            or differ(step.upstream, expected.upstream)
            or differ(step.after, so_far[step.operand])
        ):
            return expected, step
    return None


def _off(twins: dict[Node, Node], right: Run, wrong: Run) -> dict[Node, Pair]:
    """The nodes with a wrong gradient, the root first, each with the last step at it in either run.

    The same contributions added in another order may differ in their last digits, and are not wrong.
    """
    here, there = ({step.operand: step for step in steps} for _, steps in (right, wrong))
    largest: dict[Node | None, float] = {}
    for step in right[1]:
        sizes = np.abs(step.contribution)
        finite = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
        largest[step.operand] = max(largest.get(step.operand, 0.0), finite)
    off: dict[Node, Pair] = {}
    for node, twin in reversed(twins.items()):
        x, y = right[0].get(node), wrong[0].get(twin)
        if x is None or y is None:
            same = x is y
        else:
            slack = 1e-9 * largest.get(node, 0.0)
            same = np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=1e-9, atol=slack, equal_nan=True)
        if not same:
            off[node] = here.get(node), there.get(twin)
    return off


@dataclass(frozen=True)
class Comparison:
    """A wrong pass beside the right one; `print` it.

    `right` and `wrong` hold the gradient of each node, None where none arrived, and `off` the nodes where they differ
    by more than rounding. `first` is the first step that should not be, as (what should happen, what happens), one of
    them None where nothing does; it is None where the two agree.
    """

    misconception: Misconception
    walk: Walk  # the right pass
    twins: dict[Node, Node]  # for each node that of the wrong program
    right: dict[Node, Quantity]
    wrong: dict[Node, Quantity]
    off: frozenset[Node]
    first: Pair | None

    @property
    def nodes(self) -> list[Node]:
        """The nodes, the root first."""
        return self.walk.nodes

    @property
    def root(self) -> Node:
        """The node that both passes start from."""
        return self.walk.root

    @property
    def agrees(self) -> bool:
        """Whether every step of the wrong run, and so every gradient, is right."""
        return self.first is None

    def is_wrong(self, node: Node) -> bool:
        """Whether the wrong run has another gradient for this node, rounding aside."""
        return node in self.off

    def __str__(self) -> str:
        lines = [f"{self.misconception.name}: “{self.misconception.belief}”"]
        rows = [("gradient of", "right", "wrong", "")]
        nodes = self.nodes
        for node in nodes[:ROWS]:
            name, mark = notation.headline(node) or called(node), "<-" if self.is_wrong(node) else ""
            rows.append((name, _text(self.right[node]), _text(self.wrong[node]), mark))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines += [f"  {r[0]:<{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:>{widths[2]}}  {r[3]}".rstrip() for r in rows]
        if len(nodes) > ROWS:
            lines.append(
                f"  … and {len(nodes) - ROWS:,} more, {len(self.off.difference(nodes[:ROWS])):,} of them wrong"
            )
        if self.first is None:
            return "\n".join([*lines, "  on this graph they agree"])
        should, was = self.first
        lines.append("the first event that differs")
        lines.append(f"  should be  {_text_of(should) if should else 'nothing more'}")
        lines.append(f"  but was    {_text_of(was) if was else 'nothing'}")
        return "\n".join([*lines, f"what mends it: {self.misconception.fix}"])


def _text(gradient: Quantity) -> str:
    return "·" if gradient is None else notation.quantity(gradient)


def _text_of(step: Step) -> str:
    if step.operand is None:
        return step.equation
    before = "0" if step.before is None else notation.quantity(step.before)
    return f"{step.equation}, so {called(step.operand)}.grad {before} → {notation.quantity(step.after)}"


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
    "topological order: a gradient is complete before it is passed on",
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
    "w.T @ x sums the products; and assert z.shape == (1, m)",
    weighted_sum,
    program=times_for_dot,
)
LAB = (DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN, TIMES_FOR_DOT)
