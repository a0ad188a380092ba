"""Diagrams that show a large graph as a few boxes: one box per group of isomorphic nodes, or one box per scope."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tinygraph.drawing.arrows import Arrow, BackwardArrow, Style
from tinygraph.drawing.diagram import Box, Diagram, role, stored, without_constants
from tinygraph.drawing.folding import Fold, fold, fold_scopes
from tinygraph.drawing.rendering.heatmap import levels
from tinygraph.engine.graph import Node
from tinygraph.engine.ops import add
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Operand, Quantity
from tinygraph.explaining.textbook.shortening import shared_parts
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import counted


def folded(walk: Walk, style: Style, limit: int) -> Diagram:
    """Return a diagram with one box per group of isomorphic nodes. Each box shows the size of its group.

    Args:
        walk: Backward pass that gives the gradients.
        style: Format of numbers and derivatives.
        limit: Maximum number of groups, unless even the coarsest partition has more groups.

    Returns:
        The boxes of the groups, and the arrows between them.
    """
    return _quotient(walk, style, fold(walk.nodes, limit, style.parameters), {})


def folded_scopes(walk: Walk, style: Style) -> Diagram:
    """Return a diagram with one box per outermost scope. The root has its own box, outside the box of its scope.

    Isomorphic nodes outside scopes share a box.

    Args:
        walk: Backward pass that gives the gradients.
        style: Format of numbers and derivatives.

    Returns:
        The boxes of the scopes and groups, and the arrows between them.
    """
    root, found = walk.root, fold_scopes(walk.nodes, style.parameters)
    sizes = Counter(node.scope[0] for node in walk.nodes if node.scope and node is not root)
    scopes = {}
    for i, group in enumerate(found.groups):
        if group[0].scope and group[0] is not root:
            name = group[0].scope[0]
            scopes[i] = Box(f"n{i}", "scope", name, counted(sizes[name], "node"))
    shown = _quotient(walk, style, found, scopes)
    boxes = [box._replace(scope=()) for box in shown.boxes]  # the root's scope has a box: a cluster would repeat it
    return replace(shown, boxes=boxes)


def _quotient(walk: Walk, style: Style, found: Fold, scopes: Mapping[int, Box]) -> Diagram:
    boxes = [
        scopes.get(i) or _box(f"n{i}", group, *_expression(found, group), walk, style)
        for i, group in enumerate(found.groups)
    ]
    # Of each node: the id of its box, and whether the box shows several nodes.
    shown_in = {n: (box.id, len(group) > 1) for box, group in zip(boxes, found.groups, strict=True) for n in group}
    arrows: dict[tuple[str, str, int], list[Any]] = {}  # (tail, head, slot): count, value, red arrow
    plain: dict[tuple[str, int], list[Any]] = {}
    whole = {box.id for box in scopes.values()}
    for operand, node, owner, slot in found.edges:
        head, several = shown_in[node]
        place = -1 if several or node in found.sums else _place(node, slot)
        if isinstance(operand, Node):
            tail, data = shown_in[operand][0], operand.raw
            if tail == head and head in whole:
                continue
        else:
            if head in whole:
                continue
            tail, data = f"c{head}_{place}", operand
            plain.setdefault((head, place), []).append(operand)
        entry = arrows.get((tail, head, place))
        if entry is None:
            entry = arrows[tail, head, place] = [0, data, False]
        entry[0] += 1
        entry[2] = entry[2] or walk.flows(owner, slot)
    for (head, place), operands in plain.items():
        data, _ = _range(operands, style.spec)
        boxes.append(Box(f"c{head}_{place}", "constant", "", data=data, times=len(operands)))
    drawn = [
        Arrow(
            f"e{i}", tail, head, notation.quantity(data, style.spec), BackwardArrow("", "", "") if red else None, times
        )
        for i, ((tail, head, _), (times, data, red)) in enumerate(arrows.items())
    ]
    shown = Diagram(boxes, drawn, walk.root.name, walk.seed is not None)
    return shown if style.constants else without_constants(shown)


def _place(node: Node, slot: int) -> int:
    """Return the position of an operand. For an op over lists, return the index of the operand's list."""
    op = node.op
    assert op is not None
    return slot // (len(node.args) // op.arity) if op.variadic and op.elementwise else slot


def _box(key: str, group: list[Node], name: str, expression: str, walk: Walk, style: Style) -> Box:
    data, spread = _range([node.raw for node in group], style.spec)
    grad: str | None = None
    grad_spread = ""
    found = [walk.gradient(node) for node in group]
    if not all(node.constant for node in group):
        gradients = [gradient for gradient in found if gradient is not None]
        grad, grad_spread = _range(gradients, style.spec) if gradients else ("·", "")
    pairs = zip(group, found, strict=True)
    others = [text for node, gradient in pairs if (text := stored(node, gradient, style.spec))]
    held = "" if not others else others[0] if len(group) == 1 else f"others in {len(others):,}"
    roles = {role(node, walk.root, style) for node in group}
    kind = roles.pop() if len(roles) == 1 else "operation"
    inside = group[0].scope
    for node in group if inside else ():
        while node.scope[: len(inside)] != inside:
            inside = inside[:-1]
    arrays = style.heatmap and len(group) == 1
    return Box(
        key, kind, name, expression, data, spread, grad, grad_spread, (), held, inside, len(group),
        symbol=notation.symbol(group[0]),
        levels=levels(group[0].raw) if arrays else (),
        grad_levels=levels(walk.gradient(group[0])) if arrays else (),
    )  # fmt: skip


def _range(entries: Sequence[Quantity], spec: str) -> tuple[str, str]:
    """Return the text of a group's values, and the spread of the elements if the only value is an array.

    The text is the common value, the range of the values, or the shape of the arrays.
    """
    if len(entries) == 1:
        return notation.quantity(entries[0], spec), notation.spread(entries[0], spec)
    if any(notation.shape(x) is not None for x in entries):
        texts = {notation.quantity(x, spec) if not notation.is_short(x) else notation.dimensions(x) for x in entries}
        return (texts.pop() if len(texts) == 1 else "arrays"), ""
    found = [float(x) for x in entries]
    ends = [notation.number(x, spec) for x in (min(found), max(found))]
    return ends[0] if ends[0] == ends[1] else " … ".join(ends), ""


# --- names of groups ----------------------------------------------------------------------------------


def _names(group: Sequence[Node]) -> str:
    """Return the common name of a group, what its names share, or the first and the last name, such as "w1 … w20"."""
    names = sorted({node.name for node in group if node.name}, key=_by_number)
    if len(names) < 2:
        return "".join(names)
    if shared := shared_parts(names, notation.NAME):
        return shared
    return f"{notation.cut(names[0], notation.SHORT)} … {notation.cut(names[-1], notation.SHORT)}"


def _by_number(name: str) -> list[Any]:
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split("([0-9]+)", name)]


def _expression(found: Fold, group: Sequence[Node]) -> tuple[str, str]:
    first = group[0]
    if first.op is None:
        return _names(group), ""
    if first in found.sums:
        return _names(group), _sum_of(found, first)

    def say(operand: Operand) -> str:
        if isinstance(operand, Node) and operand in found.sums and not operand.name:  # an array has no hash
            return _sum_within(found, operand)
        return notation.label(operand) if len(group) == 1 else _called(found, operand)

    return _names(group), notation.written(first, say)


def _called(found: Fold, operand: Operand) -> str:
    """Return the name of an operand for a whole group, without the numbers that distinguish the group's members."""
    if isinstance(operand, Node) and operand.name:
        name = found.names[found.group_of[operand]]
        return notation.mention(name) if name else "…"
    return "…"


def _sum_within(found: Fold, node: Node) -> str:
    text = _sum_of(found, node)
    return text if node.op is add else f"({text})"  # `written` already puts an addition in parentheses


def _sum_of(found: Fold, node: Node) -> str:
    terms: dict[str, int] = {}
    for edge in found.terms(node):
        text = _called(found, edge.operand)
        if text == "…" and isinstance(edge.operand, Node) and edge.operand.op is not None:
            text = notation.written(edge.operand, lambda inner: _called(found, inner))
        terms[text] = terms.get(text, 0) + 1
    texts = [text if count == 1 else f"Σ {text}" for text, count in reversed(terms.items())]
    return " + ".join(texts if len(texts) <= 3 else [*texts[:2], "…", texts[-1]])
