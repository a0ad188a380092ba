"""Describe why a function of Values is not differentiable near a point."""

from __future__ import annotations

from collections.abc import Sequence

from tinygraph.checking.flat import FlatFunction
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op


def kink_near(function: FlatFunction, nodes: Sequence[Node], i: int, step: float) -> str:
    """Describe why a function is not differentiable within the step of a numerical derivative.

    Args:
        function: Function to examine.
        nodes: Nodes of the function's graph, in reverse topological order.
        i: Index of the input that the step changes.
        step: Step size of the numerical derivative.

    Returns:
        The description, or "" if no reason is found.
    """
    for by in (-step, step):
        try:
            there = order(function.record(function.moved(i, by))[0])
        except (ArithmeticError, ValueError) as error:  # for example a function of `math` outside its domain
            return f"f raises {type(error).__name__} within the step"
        if [node.op for node in nodes] != [node.op for node in there]:
            return "the program takes another branch within the step"
        for node, moved in zip(nodes, there, strict=True):
            if node.op is not None and (kink := _kink_of(node.op, node, moved)):
                return kink
    return ""


def _kink_of(op: Op, node: Node, moved: Node) -> str:
    """Describe a kink or an edge of the op's domain between the operands of `node` and those of `moved`.

    Return "" if there is neither.
    """
    domain, points = op.domain, [node.numbers, moved.numbers]
    text = op.text(*[x.name if isinstance(x, Node) and x.name else f"{x:g}" for x in node.args])
    if domain.holds(points[0]) and not domain.holds(*points):
        return f"{text} leaves its domain, {domain.text}, within the step"
    if domain.kink is not None:
        at, after = (domain.kink(*point) for point in points)
        if at == 0 and after != 0:  # if both are 0, the operand did not move, as in relu(0 * x)
            return f"{text} is at a kink, at {', '.join(f'{x:g}' for x in points[0])}"
        if at * after < 0:
            return f"{text} has a kink or a pole within the step"
    return ""
