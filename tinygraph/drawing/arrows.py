"""The arrows of a diagram.

Blue arrows carry values forward. Red arrows show upstream × local = contribution, with the numbers from a `Walk`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import derivative
from tinygraph.explaining.walk import Edge, Walk


@dataclass
class Style:
    """Format of numbers and derivatives, and what the boxes show."""

    spec: str = ".4g"
    notation: str = "dJ/dv"  # or "dv"
    parameters: Collection[Node] = ()
    constants: bool = True  # false to leave out constants
    heatmap: bool = False  # true to draw small arrays as grids


@dataclass(frozen=True)
class BackwardArrow:
    """Text of a red arrow: upstream × local = contribution."""

    symbol: str
    product: str
    contribution: str
    ahead: bool = False  # true if the contribution has not happened yet
    now: bool = False


@dataclass(frozen=True)
class Arrow:
    """An arrow from an operand to a result, with the derivative that flows back."""

    id: str
    tail: str
    head: str
    value: str
    back: BackwardArrow | None = None
    times: int = 1
    ahead: bool = False  # true if the result is not computed yet
    now: bool = False


def backward_arrow(walk: Walk, edge: Edge, style: Style, *, ahead: bool, now: bool) -> BackwardArrow:
    """Return the text of an edge's red arrow.

    If the seed is not 1, it multiplies every derivative, so the arrow shows the seed.

    Args:
        walk: Backward pass that contains the edge.
        edge: Edge to describe.
        style: Format of numbers and derivatives.
        ahead: If true, the contribution has not happened yet.
        now: If true, the contribution happens at the current step.

    Returns:
        The text of the arrow, in symbols and in numbers.
    """
    node, _, operand, upstream, local, contribution = edge
    root, spec = walk.root, style.spec
    final = notation.quantity(contribution, spec)
    named = bool(node.name and operand.name and (root.name or style.notation == "dv"))
    named = named and notation.shape(walk.seed) is None and node.operands.count(operand) == 1
    seed = notation.seed_factor(walk.seed, spec) if named else ""
    total = derivative(root, node, style.notation)
    if node is root:
        total = seed or "1"
    elif seed:
        total = f"{seed} · {total}"
    if hasattr(local, "text"):  # shape and reduction ops describe their linear map in words
        before = total if named else notation.quantity(upstream, spec)
        return BackwardArrow("", notation.mapped(notation.local(node, local, spec), before), final, ahead, now)
    alone = len(walk.into(operand)) == 1
    if node is root and named and not seed and alone:  # the derivative of the root with respect to itself is 1
        return BackwardArrow(derivative(root, operand, style.notation), "", final, ahead, now)
    product = " × ".join(notation.factor(notation.quantity(x, spec)) for x in (upstream, local))
    sign = "d" if alone and style.notation != "dv" else "∂"  # otherwise, this edge gives only one of several terms
    part = f"{sign}{notation.mention(node.name)}/{sign}{notation.mention(operand.name)}"
    return BackwardArrow(f"{total} · {part}" if named else "", product, final, ahead, now)
