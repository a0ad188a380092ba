"""Find the place where a graph is cut: a constant in the graph that changes with an input."""

from __future__ import annotations

from itertools import zip_longest

from tinygraph.checking.flat import FlatFunction
from tinygraph.engine.contexts import trace_lines
from tinygraph.engine.graph import Node, order


def cut_of(function: FlatFunction, i: int, name: str) -> str:
    """Describe the constant in the graph that changes with an input, or return "" if there is none.

    `x.data`, `x.item()` and `x.detach()` turn a part of a program into a constant, so no gradient flows through it.

    Args:
        function: Function that records the graph.
        i: Index of the input.
        name: Name of the input.

    Returns:
        The description, with the source line.
    """
    with trace_lines():
        root, leaves = function.record(function.numbers)
        by = 2.0**-10 * max(1.0, abs(function.numbers[i]))
        try:
            other, others = function.record(function.moved(i, by))
        except (ArithmeticError, ValueError):  # the point is outside the domain of a function of `math`
            return ""
    inputs = {id(leaf) for leaf in (*leaves, *others)}
    here, there = list(reversed(order(root))), list(reversed(order(other)))
    for node, moved in zip_longest(here, there):
        if node is None or moved is None or node.op is not moved.op:
            return ""  # the program takes another branch
        if node.op is None:
            if id(node) not in inputs and _differ(node.raw, moved.raw):
                return f"the constant {_text(node.raw)} changes with {name}{_at(node)}"
            continue
        for x, y in zip(node.args, moved.args, strict=True):
            if not isinstance(x, Node) and not isinstance(y, Node) and _differ(x, y):
                return f"the constant {_text(x)} in {node.op.name} changes with {name}{_at(node)}"
    return ""


def _at(node: Node) -> str:
    return f", at {node.line}" if node.line else ""


def _text(x: object) -> str:
    shape = getattr(x, "shape", ())
    return f"array of shape {shape}" if shape else f"{x:.6g}"


def _differ(x: object, y: object) -> bool:
    """Return whether two constants have different elements."""
    if getattr(x, "shape", ()) != getattr(y, "shape", ()):
        return True
    if not getattr(x, "shape", ()):
        return x != y and not (x != x and y != y)
    from numpy import array_equal

    return not array_equal(x, y, equal_nan=True)  # type: ignore[arg-type]
