"""The arrows of a diagram: values forward in blue; in red, backward, upstream × local = contribution, from the Walk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import derivative
from tinygraph.explaining.walk import Edge, Walk


@dataclass
class Style:
    """How numbers and derivatives are written."""

    spec: str = ".4g"
    notation: str = "dJ/dv"  # or "dv"
    parameters: Collection[Node] = ()


@dataclass(frozen=True)
class BackwardArrow:
    """What a red arrow shows: upstream × local = contribution."""

    symbol: str
    product: str
    contribution: str
    ahead: bool = False  # it has not come back yet
    now: bool = False


@dataclass(frozen=True)
class Arrow:
    """From an operand to a result, and the derivative that comes back."""

    id: str
    tail: str
    head: str
    value: str
    back: BackwardArrow | None = None
    times: int = 1
    ahead: bool = False  # its result is not computed yet
    now: bool = False


def backward_arrow(walk: Walk, edge: Edge, style: Style, *, ahead: bool, now: bool) -> BackwardArrow:
    """Return what the red arrow of an edge shows. A seed other than 1 multiplies every derivative, and is shown."""
    node, _, operand, upstream, local, contribution = edge
    root, spec = walk.root, style.spec
    final = notation.quantity(contribution, spec)
    named = bool(node.name and operand.name and (root.name or style.notation == "dv"))
    named = named and notation.shape(walk.seed) is None and node.args.count(operand) == 1
    seed = notation.seed_factor(walk.seed, spec) if named else ""
    total = derivative(root, node, style.notation)
    if node is root:
        total = seed or "1"
    elif seed:
        total = f"{seed} · {total}"
    if hasattr(local, "text"):  # a shape or reduction op: a linear map, in words
        before = total if named else notation.quantity(upstream, spec)
        return BackwardArrow("", notation.mapped(notation.local(node, local, spec), before), final, ahead, now)
    alone = len(walk.into(operand)) == 1
    if node is root and named and not seed and alone:  # d root / d root is 1
        return BackwardArrow(derivative(root, operand, style.notation), "", final, ahead, now)
    product = " × ".join(notation.factor(notation.quantity(x, spec)) for x in (upstream, local))
    sign = "d" if alone and style.notation != "dv" else "∂"  # where there are other paths, this is a part of it
    part = f"{sign}{notation.mention(node.name)}/{sign}{notation.mention(operand.name)}"
    return BackwardArrow(f"{total} · {part}" if named else "", product, final, ahead, now)
