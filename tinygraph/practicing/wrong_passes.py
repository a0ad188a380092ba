"""Wrong backward passes, each written the way a student would write it, and the first step that shows the mistake.

A pass takes a root and a dictionary of gradients. Like the correct pass (`autodiff.propagate`), each wrong pass yields
one contribution at a time. The passes use only the public interface of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tinygraph.engine import ops
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.graph import Node, order
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import differ, ones
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.step import Step

Contribution = tuple[Node, int, Node, Quantity, Quantity, Quantity]  # the same fields as an Edge
Gradients = dict[Node, Quantity]
Run = Callable[[Node, Gradients], Iterator[Contribution]]
LIMIT = 100_000  # maximum number of steps; a pass along all paths can take exponential time


def edges(node: Node) -> list[tuple[int, Node, Quantity]]:
    """Return the operands that a gradient flows to, with their local derivatives.

    Args:
        node: Result of an op.

    Returns:
        A list of tuples (slot, operand, local derivative).

    Examples:
        >>> from tinygraph.engine.value import Value
        >>> a = Value(2.0, "a")
        >>> edges(3.0 * a)
        [(1, Value(2.0, name='a'), 3.0)]
    """
    return [
        (k, x, local) for k, (x, local) in enumerate(zip(node.args, node.partials, strict=False)) if local is not None
    ]


def depth_first(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield contributions depth first, so that a gradient is passed on as soon as a part of it arrives."""
    for slot, operand, local in edges(root):
        contribution = grad[root] * local
        grad[operand] = grad.get(operand, 0.0) + contribution
        yield root, slot, operand, grad[root], local, contribution
        yield from depth_first(operand, grad)  # correct: once grad[operand] is complete


def overwriting(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield contributions, each of which replaces the gradient so far."""
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            contribution = grad[node] * local
            grad[operand] = contribution  # correct: add it to the gradient so far
            yield node, slot, operand, grad[node], local, contribution


def without_zeroing(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield the contributions of a second pass, which starts with the gradients of the first pass."""
    seed = grad[root]
    for _ in propagate(root, seed, grad):
        pass
    grad[root] = seed  # correct: grad = {root: seed}
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def with_a_wrong_sign(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield contributions that pass the upstream gradient of `a - b` to both operands unchanged."""
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            if node.op is ops.sub:
                local = abs(local)  # correct: -1 for the second operand
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def with_all_products(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield contributions that treat w₁x₁ + w₂x₂ as the sum of all products, like `w.T * x` instead of `w.T @ x`."""
    others = factors_of_sums(root)
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            if (node, slot) in others:
                local = sum(others[node, slot])  # correct: the one factor that operand is multiplied by
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def correct(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Return an iterator over the contributions of the correct pass, in reverse topological order."""
    return propagate(root, grad[root], grad)


def by_the_rule(root: Node, grad: Gradients) -> Iterator[Contribution]:
    """Yield the contributions of the correct pass, from the same loop as the wrong passes."""
    for node in order(root):
        for slot, operand, local in edges(node) if node in grad else ():
            contribution = grad[node] * local
            grad[operand] = grad.get(operand, 0.0) + contribution
            yield node, slot, operand, grad[node], local, contribution


def factors_of_sums(root: Node) -> dict[tuple[Node, int], list[float]]:
    """Return the factors that each operand of a sum of products would be multiplied by if all products were added.

    Args:
        root: Root of a graph of scalars.

    Returns:
        For each operand of a product in a sum of at least two products, as a pair (product, slot), the values on the
        other side of all products of the sum. The products of `dot` count too.

    Examples:
        >>> from tinygraph.engine.value import Value
        >>> w, v = Value(1.0, "w"), Value(2.0, "v")
        >>> [factors for factors in factors_of_sums(w * 3.0 + v * 4.0).values()]
        [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]
    """
    nodes = order(root)
    inner = {operand for node in nodes if node.op is ops.add for operand in node.operands}
    found: dict[tuple[Node, int], list[float]] = {}
    for node in nodes:
        if node.op is ops.dot:
            half = len(node.args) // 2
            for slot in range(2 * half):
                found[node, slot] = node.numbers[half:] if slot < half else node.numbers[:half]
        elif node.op is ops.add and node not in inner:
            products = _products(node)
            for product in products if len(products) > 1 else ():
                for slot in (0, 1):
                    found[product, slot] = [other.numbers[1 - slot] for other in products]
    return found


def _products(top: Node) -> list[Node]:
    """Return the products that are terms of a sum, from left to right."""
    found, left = [], [top]
    while left:
        node = left.pop()
        if node.op is ops.mul:
            found.append(node)
        elif node.op is ops.add:
            left += reversed(node.operands)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class WrongPass:
    """A wrong backward pass, with the belief that it follows from.

    Attributes:
        name: Short name of the mistake.
        belief: Sentence that a student may believe.
        fix: Correct rule, or the change that fixes the pass.
        run: Function that takes a root and a dictionary of gradients, and yields contributions.
    """

    name: str
    belief: str
    fix: str
    run: Run

    @property
    def explained(self) -> str:
        """The belief and its fix, as sentences."""
        return f"The misconception is “{self.belief}”. To fix it: {self.fix}."


DEPTH_FIRST = WrongPass(
    "depth first",
    "a gradient can be passed on as soon as it arrives",
    "topological order: a gradient is complete before it is passed on",
    depth_first,
)
OVERWRITING = WrongPass(
    "= for +=",
    "the gradient of a node is the contribution of one consumer",
    "add up the contributions of all consumers: use +=, not =",
    overwriting,
)
NOT_ZEROING = WrongPass(
    "forgetting to zero",
    "each pass starts with gradients of zero",
    "set every gradient to zero before a pass, including those of inner nodes",
    without_zeroing,
)
WRONG_SIGN = WrongPass(
    "a wrong sign",
    "a - b passes its gradient on to both operands",
    "d(a - b)/db is -1: when b grows, the difference falls",
    with_a_wrong_sign,
)
TIMES_FOR_DOT = WrongPass(
    "* for dot",
    "w.T * x multiplies the weights by the inputs",
    "w.T @ x sums the products; also assert z.shape == (1, m)",
    with_all_products,
)
WRONG_PASSES = (DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN, TIMES_FOR_DOT)


# --- running a pass


class _Gradients(dict[Node, Quantity]):
    """A dictionary of gradients. Each assignment stores the overwritten value in `before`."""

    before: Quantity = None

    def __setitem__(self, node: Node, gradient: Quantity) -> None:
        self.before = self.get(node)
        super().__setitem__(node, gradient)


def result_of(run: Run, root: Node, limit: int = LIMIT) -> tuple[Gradients, list[Step]]:
    """Return the gradients and the steps of a pass.

    Args:
        run: Pass to run.
        root: Root of the graph. The pass does not write to any node.
        limit: Maximum number of steps. Defaults to 100,000.

    Returns:
        The gradients at the end, and the contributions as steps. The steps have no numbers.

    Raises:
        ValueError: If the pass takes more steps than the limit, or if the graph is too deep for a recursive pass.
    """
    grad = _Gradients({root: ones(root)})
    steps: list[Step] = []
    try:
        for result, slot, x, upstream, local, contribution in run(root, grad):
            numbers = local, upstream, contribution, grad.before, grad[x]
            steps.append(Step(0, 0, "backward", result, x, slot, *numbers, root))
            if len(steps) > limit:
                raise too_many(limit)
    except RecursionError:
        raise ValueError("the graph is too deep for a recursive pass: try a smaller graph") from None
    return grad, steps


def too_many(limit: int = LIMIT) -> ValueError:
    """Return the error for a pass that takes too many steps.

    Args:
        limit: Maximum number of steps. Defaults to 100,000.

    Returns:
        The error, to raise.
    """
    return ValueError(f"the pass takes more than {limit:,} steps: try a smaller graph")


def first_fault(right: Sequence[Step], wrong: Sequence[Step]) -> tuple[Step | None, Step] | None:
    """Return the first step of a wrong pass that differs from the correct pass.

    Args:
        right: Contributions of the correct pass.
        wrong: Contributions of the wrong pass.

    Returns:
        A pair (correct step, wrong step), or None if no such step is found. The correct step is None if the wrong pass
        repeats a step.
    """
    rule = {(step.result, step.slot): step for step in right}
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


def told(step: Step) -> str:
    """Return a step as a sentence, with the gradient before and after it.

    Args:
        step: Step of a correct or a wrong pass.

    Returns:
        The text, such as "dc/db += dc/dc · ∂c/∂b = 1 × 1 = 1, so b.grad 0 → 1".
    """
    if step.operand is None:
        return step.equation
    before = "0" if step.before is None else notation.quantity(step.before, step.spec)
    return f"{step.equation}, so {called(step.operand)}.grad {before} → {notation.quantity(step.after, step.spec)}"
