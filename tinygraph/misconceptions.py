"""A lab of misconceptions: wrong backward passes, each compared with the correct pass.

The wrong passes are in `practicing.wrong_passes`. Each consists of a few lines that a student could write, and uses
only the public interface of the graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.graph import Node, order, require_node
from tinygraph.engine.value import Value
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import differ, ones
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.practicing import wrong_passes
from tinygraph.practicing.wrong_passes import LIMIT, Contribution, Gradients, WrongPass, correct, told, too_many
from tinygraph.support.arguments import check_function, check_kind
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.tensor import Tensor

__all__ = [
    "DEPTH_FIRST",
    "LAB",
    "NOT_ZEROING",
    "OVERWRITING",
    "TIMES_FOR_DOT",
    "WRONG_SIGN",
    "Comparison",
    "Misconception",
]

Pair = tuple[Step | None, Step | None]  # the correct step and the wrong step
ROWS = 30  # maximum number of rows in a printed table


# --- the wrong program ----------------------------------------------------------------------------


def as_it_is(root: Node) -> dict[Node, Node]:
    """Return a dictionary that maps every node of the program to itself."""
    return {node: node for node in reversed(order(root))}


def times_for_dot(root: Node) -> dict[Node, Node]:
    """Return a dictionary that maps every node to its copy in a program with `*` instead of `@`."""
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


# --- misconceptions -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Misconception:
    """A wrong belief about backpropagation, with a fix and the wrong pass or program that follows from the belief.

    The first three misconceptions of the lab share one graph, so that you can compare their wrong values of dc/da (6,
    1 and 12) with the same correct value (4).

    Args:
        name: Short name of the misconception.
        belief: Sentence that a student may believe.
        fix: Correct rule, or the change that fixes the pass.
        smallest: Function that records the smallest graph that shows the error.
        run: Wrong backward pass: a function that takes a root and a dictionary of gradients, and yields contributions.
            Defaults to the correct pass.
        program: Wrong program: a function that takes a root, and returns a dictionary that maps each node to the
            corresponding node of the wrong program. Defaults to the correct program.
    """

    name: str
    belief: str
    fix: str
    smallest: Callable[[], Node]
    run: Callable[[Node, Gradients], Iterator[Contribution]] = correct
    program: Callable[[Node], dict[Node, Node]] = as_it_is

    def __post_init__(self) -> None:
        for what in ("name", "belief", "fix"):
            check_kind(what, getattr(self, what), str, "a str")
        for what in ("smallest", "run", "program"):
            check_function(what, getattr(self, what))

    @property
    def code(self) -> str:
        """The source code of the wrong pass or of the wrong program."""
        return inspect.getsource(self.program if self.run is correct else self.run).rstrip()

    def compare(self, root: Node | None = None) -> Comparison:
        """Compare the wrong pass with the correct pass on a graph.

        The comparison does not write to any node.

        Args:
            root: Root of the graph. Defaults to the smallest graph that shows the error.

        Returns:
            The comparison, which you can `print`.

        Raises:
            TypeError: If `root` is not a node.
            ValueError: If the wrong pass takes more than 100,000 steps, if the graph is too deep for a recursive pass,
                or if the wrong program has shapes that do not match.

        Examples:
            >>> c = DEPTH_FIRST.smallest()
            >>> comparison = DEPTH_FIRST.compare(c)
            >>> [(called(node), comparison.correct[node], comparison.wrong[node]) for node in comparison.nodes]
            [('c', 1.0, 1.0), ('b', 2.0, 2.0), ('a', 4.0, 6.0)]
        """
        root = self.smallest() if root is None else require_node(root, "compare: root")
        walk = Walk(root, ones(root))
        twins = self.program(root)
        rule, wrong = _right(walk), wrong_passes.result_of(self.run, twins[root])
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


def _right(walk: Walk) -> tuple[Gradients, list[Step]]:
    """Return the gradients and the steps of the correct pass."""
    if len(walk) > LIMIT:
        raise too_many()
    return walk.gradients, list(Steps(walk))[1:]


def _first_fault(twins: dict[Node, Node], steps: list[Step], wrong: list[Step]) -> Pair | None:
    """Return the first step that differs, as a pair (correct step, wrong step), or None if no such step is found."""
    for node, twin in twins.items():
        if differ(node.raw, twin.raw):
            meant, came = (Step(0, 0, "forward", x, after=x.raw, root=x) for x in (node, twin))
            return meant, came
    if any(node is not twin for node, twin in twins.items()):
        return None  # the two programs have different edges, which cannot be compared
    return wrong_passes.first_fault(steps, wrong)


def _off(
    twins: dict[Node, Node], correct: tuple[Gradients, list[Step]], wrong: tuple[Gradients, list[Step]]
) -> dict[Node, Pair]:
    """Return a dictionary that maps each node with a wrong gradient to its last step in each of the two runs.

    The nodes are in reverse topological order. A different order of the same contributions may change the last digits
    of a gradient, but this difference does not count as wrong.
    """
    here, there = ({step.operand: step for step in steps} for _, steps in (correct, wrong))
    largest: dict[Node | None, float] = {}
    for step in correct[1]:
        sizes = np.abs(step.contribution)
        finite = float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))
        largest[step.operand] = max(largest.get(step.operand, 0.0), finite)
    off: dict[Node, Pair] = {}
    for node, twin in reversed(twins.items()):
        x, y = correct[0].get(node), wrong[0].get(twin)
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
    """A printable comparison of a wrong pass with the correct pass.

    `Misconception.compare` creates comparisons.

    Attributes:
        misconception: Misconception behind the wrong pass.
        walk: Correct pass.
        twins: Dictionary that maps each node to the corresponding node of the wrong program.
        correct: Correct gradient of each node, or None if no contribution arrives.
        wrong: Gradient of each node in the wrong run, or None if no contribution arrives.
        off: Nodes whose gradients differ by more than rounding.
        first: First step that differs, as a pair (correct step, wrong step), or None if the runs agree. In the pair, a
            step that does not exist is None.
    """

    misconception: Misconception
    walk: Walk  # the correct pass
    twins: dict[Node, Node]  # from each node to the node of the wrong program
    correct: dict[Node, Quantity]
    wrong: dict[Node, Quantity]
    off: frozenset[Node]
    first: Pair | None

    @property
    def nodes(self) -> list[Node]:
        """The nodes of the graph in reverse topological order, which starts with the root."""
        return self.walk.nodes

    @property
    def root(self) -> Node:
        """The node that both passes start from."""
        return self.walk.root

    @property
    def agrees(self) -> bool:
        """True if every step of the wrong run, and therefore every gradient, is correct."""
        return self.first is None

    def is_wrong(self, node: Node) -> bool:
        """Return whether a node's gradient in the wrong run differs from the correct gradient by more than rounding.

        Args:
            node: Node in the graph.

        Returns:
            True if the gradient is wrong.
        """
        return self.walk.node(node) in self.off

    def __str__(self) -> str:
        lines = [f"{self.misconception.name}: “{self.misconception.belief}”"]
        rows = [("gradient of", "correct", "wrong", "")]
        nodes = self.nodes
        for node in nodes[:ROWS]:
            name, mark = notation.headline(node) or called(node), "<-" if self.is_wrong(node) else ""
            rows.append((name, _text(self.correct[node]), _text(self.wrong[node]), mark))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines += [f"  {r[0]:<{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:>{widths[2]}}  {r[3]}".rstrip() for r in rows]
        if len(nodes) > ROWS:
            lines.append(
                f"  … and {len(nodes) - ROWS:,} more nodes, {len(self.off.difference(nodes[:ROWS])):,} of them wrong"
            )
        if self.first is None:
            return "\n".join([*lines, "  the two passes agree on this graph"])
        should, was = self.first
        lines.append("the first step that differs")
        lines.append(f"  should be  {told(should) if should else 'nothing more'}")
        lines.append(f"  but was    {told(was) if was else 'nothing'}")
        return "\n".join([*lines, f"fix: {self.misconception.fix}"])


def _text(gradient: Quantity) -> str:
    return "·" if gradient is None else notation.quantity(gradient)


# --- the lab --------------------------------------------------------------------------------------


def twice_twice() -> Value:
    """Return the smallest graph that uses an inner node twice: b = a + a and c = b + b.

    Returns:
        The root c.
    """
    a = Value(2.0, "a")
    b = a + a
    c = b + b
    b.name, c.name = "b", "c"
    return c


def difference() -> Value:
    """Return the graph c = a - b.

    Returns:
        The root c.
    """
    c = Value(5.0, "a") - Value(3.0, "b")
    c.name = "c"
    return c


def weighted_sum() -> Tensor:
    """Return the graph J = sum(w.T @ x) for one example with two features.

    Returns:
        The root J.
    """
    w, x = Tensor([[1.0], [2.0]], "w"), Tensor([[3.0], [4.0]], "x", constant=True)
    z = w.T @ x
    J = z.sum()
    z.name, J.name = "z", "J"
    return J


def _of(wrong: WrongPass, smallest: Callable[[], Node]) -> Misconception:
    return Misconception(wrong.name, wrong.belief, wrong.fix, smallest, wrong.run)


DEPTH_FIRST = _of(wrong_passes.DEPTH_FIRST, twice_twice)
"""A pass that visits nodes depth first, without a topological order."""
OVERWRITING = _of(wrong_passes.OVERWRITING, twice_twice)
"""A pass that assigns contributions instead of adding them."""
NOT_ZEROING = _of(wrong_passes.NOT_ZEROING, twice_twice)
"""A second pass that starts with the gradients of the first pass."""
WRONG_SIGN = _of(wrong_passes.WRONG_SIGN, difference)
"""A pass with the wrong sign for the second operand of a subtraction."""
TIMES_FOR_DOT = Misconception(
    wrong_passes.TIMES_FOR_DOT.name,
    wrong_passes.TIMES_FOR_DOT.belief,
    wrong_passes.TIMES_FOR_DOT.fix,
    weighted_sum,
    program=times_for_dot,
)
"""A program that multiplies elementwise where it needs a matrix product."""
LAB = (DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN, TIMES_FOR_DOT)
"""All five misconceptions of the lab."""
