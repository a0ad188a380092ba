"""The arrows of a diagram.

Blue arrows carry values forward. Red arrows show upstream × local = contribution, with the numbers from a `Walk`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.textbook import derivatives
from tinygraph.explaining.textbook.derivatives import derivative
from tinygraph.explaining.walk import Edge, Walk

UPSTREAM = "upstream"  # what an arrow between arrays calls a gradient that has no short name
_LONG = 24  # maximum length of the formula of a local derivative on an arrow between arrays
_INNER = re.compile(r"\([^()]*\)")
_MOST = 64  # maximum number of sums between a term and a named sum that has the same gradient


@dataclass
class Style:
    """Format of numbers and derivatives, and what the boxes show."""

    spec: str = ".4g"
    notation: str = "dJ/dv"  # or "dv"
    parameters: Collection[Node] = ()
    constants: bool = True  # false to leave out constants
    heatmap: bool = False  # true to draw small arrays as grids


class BackwardArrow(NamedTuple):
    """Text of a red arrow: upstream × local = contribution."""

    symbol: str
    product: str
    contribution: str
    is_shape: bool = False  # true if the contribution is a long array, of which only the shape is shown


class Arrow(NamedTuple):
    """An arrow from an operand to a result, with the derivative that flows back."""

    id: str
    tail: str
    head: str
    value: str
    back: BackwardArrow | None = None
    times: int = 1


def backward_arrow(walk: Walk, edge: Edge, style: Style, *, once: bool = True) -> BackwardArrow:
    """Return the text of an edge's red arrow.

    Between long arrays, the arrow shows names and formulas instead of numbers. If the seed is not 1, it multiplies
    every derivative, so the arrow shows the seed.

    Args:
        walk: Backward pass that contains the edge.
        edge: Edge to describe.
        style: Format of numbers and derivatives.
        once: If true, the operand occurs once among the operands of the node. Defaults to true.

    Returns:
        The text of the arrow, in symbols and in numbers.
    """
    node, slot, operand, upstream, local, contribution = edge
    spec = style.spec
    final, is_shape = notation.quantity(contribution, spec), _is_shape(contribution)
    total = _upstream(walk, node, style)
    named = bool(total and node.name and operand.name and once)
    if hasattr(local, "text") or _is_shape(upstream) or _is_shape(local):
        before = total or _of_expression(walk, node, style)
        before = before or (UPSTREAM if _is_shape(upstream) else notation.quantity(upstream, spec))
        if hasattr(local, "text"):  # shape and reduction ops describe their linear map in words
            return BackwardArrow(derivatives.local(node, local, spec, before), "", final, is_shape)
        return BackwardArrow(_of_arrays(node, slot, before, operand.name if named else ""), "", final, is_shape)
    if node is walk.root and named and total == "1" and len(walk.into(operand)) == 1:  # the root's own derivative is 1
        return BackwardArrow(derivative(walk.root, operand, style.notation), "", final)
    part = f"∂{notation.mention(node.name)}/∂{notation.mention(operand.name)}" if named else ""
    if total and not named and node is not walk.root:
        part = _short_formula(node, slot)
    symbol = derivatives.times(total, part, node) if part else ""
    return BackwardArrow(symbol, notation.product(upstream, local, spec), final)


def _is_shape(data: Quantity) -> bool:
    return notation.shape(data) is not None and not notation.is_short(data)


def _of_arrays(node: Node, slot: int, upstream: str, operand: str) -> str:
    """Return an elementwise product of arrays in names and formulas, such as "dJ/dA ⊙ A ⊙ (1 - A)".

    Args:
        node: Node whose gradient flows back.
        slot: Index of the operand.
        upstream: Gradient of the node in symbols.
        operand: Name of the operand, or "" if a partial derivative such as ∂A/∂Z cannot be written.

    Returns:
        The text. A long formula is replaced by the symbol of the local derivative.
    """
    text = derivatives.formula(node, slot).partition(" = ")[0]
    if text == "1":
        return upstream
    if not text or len(text) > _LONG or ", where" in text or " if " in text:
        text = f"∂{notation.mention(node.name)}/∂{notation.mention(operand)}" if operand else "local"
    is_number = re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", text)
    rest = text
    while (inner := _INNER.sub("", rest)) != rest:
        rest = inner
    if text.startswith("-") or re.search(r" [-+] ", rest):
        text = f"({text})"
    return f"{upstream} {'×' if is_number else '⊙'} {text}"


def _upstream(walk: Walk, node: Node, style: Style) -> str:
    """Return the gradient of a node in symbols, or "" if it has no short name.

    A sum passes its gradient on to its terms, so an unnamed term has the gradient of the sum. A seed that is not 1
    multiplies every derivative.
    """
    root = walk.root
    if not (root.name or style.notation == "dv") or notation.shape(walk.seed) is not None:
        return ""
    for _ in range(_MOST):
        if node.name or node is root:
            break
        edges = walk.into(node)
        if len(edges) > 1:
            return ""
        consumer, slot, _ = walk.ends(edges[0])
        local = consumer.partials[slot]
        if hasattr(local, "text") or notation.shape(local) is not None or local != 1.0:
            return ""
        node = consumer
    if not node.name:
        return ""
    seed = derivatives.seed_factor(walk.seed, style.spec)
    if node is root:
        return seed or "1"
    return f"{seed} · {derivative(root, node, style.notation)}" if seed else derivative(root, node, style.notation)


def _of_expression(walk: Walk, node: Node, style: Style) -> str:
    """Return the gradient of an unnamed node in symbols, such as "dJ/d(wᵀ)", or "" if this would be long."""
    text = notation.label(node)
    if node.name or len(text) > notation.BRIEF or not walk.root.name or derivatives.seed_factor(walk.seed, style.spec):
        return ""
    return f"d({text})" if style.notation == "dv" else derivatives.derivative_of(walk.root, node)


def _short_formula(node: Node, slot: int) -> str:
    """Return the local derivative as a factor, or "" if it is a number, an expression of several terms, or long."""
    text = derivatives.formula(node, slot)
    plain = re.fullmatch(r"[^\W\d_][^\s+*/=|-]*", text)
    return text if plain and len(text) <= notation.SHORT else ""
