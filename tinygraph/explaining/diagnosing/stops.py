"""The edges where a gradient stops on its way to a leaf, for all leaves in one pass over the graph."""

from __future__ import annotations

from typing import NamedTuple

from tinygraph.engine.graph import Node
from tinygraph.explaining.arrays import size
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.walk import Walk

MOST_STOPS = 100  # maximum number of edges that are kept per node, because several nodes can share all of them


class Stop(NamedTuple):
    """An edge from a node that has a gradient, which passes nothing on to its operand."""

    node: Node
    operand: Node
    local: Quantity


Stops = dict[Node, list[Stop]]  # for each leaf, the edges where a gradient stops on its way to the leaf


def stops_of(walk: Walk) -> Stops:
    """Return where the gradients of the leaves stop.

    On a path from the root to a leaf without a gradient, the gradient stops at the last node that has a gradient.

    Args:
        walk: Backward pass.

    Returns:
        For each leaf, up to `MOST_STOPS` edges. The edge nearest to the leaf is the first.

    Examples:
        >>> from tinygraph import Value, relu
        >>> w, x = Value(2.0, "w"), Value(-3.0, "x")
        >>> h = relu(w * x)
        >>> (stop,) = stops_of(Walk(h * 5.0, 1.0))[w]
        >>> stop.node is h, stop.local
        (True, 0.0)
    """
    found: dict[Node, dict[tuple[int, int], Stop]] = {}
    gradients = walk.gradients
    for place, node in enumerate(walk.nodes):
        gradient = gradients.get(node)
        if gradient is None or not size(gradient):
            above = found.get(node, {})  # complete, because each node comes after the nodes above it
            for operand in node.operands:
                found[operand] = _nearest(found[operand], above) if operand in found else above
            continue
        for slot, (operand, local) in enumerate(zip(node.args, node.partials, strict=False)):
            if isinstance(operand, Node) and (local is None or not size(gradient * local)):
                stop = {(-place, slot): Stop(node, operand, local)}
                found[operand] = _nearest(found[operand], stop) if operand in found else stop
    return {node: list(stops.values()) for node, stops in found.items() if node.op is None}


def _nearest(stops: dict[tuple[int, int], Stop], others: dict[tuple[int, int], Stop]) -> dict[tuple[int, int], Stop]:
    """Return the union of two sets of edges, in order, without the edges that are too far away."""
    if others is stops or not others:
        return stops
    union = stops | others
    return {key: union[key] for key in sorted(union)[:MOST_STOPS]}
