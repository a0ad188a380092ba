"""Boxes as nodes of DOT: a name and an expression above, the value and the gradient below."""

from __future__ import annotations

import graphviz

from tinygraph.drawing.diagram import Box
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.heatmap import grid
from tinygraph.drawing.rendering.markup import markup, plain, table
from tinygraph.drawing.rendering.statements import add_node
from tinygraph.explaining import notation
from tinygraph.explaining.textbook.typesetting import typeset, wrapped

_SHAPES = {
    "input": ("rounded,filled", "1.5"),
    "parameter": ("filled", "2.8"),
    "constant": ("filled,dashed", "1.2"),
    "operation": ("rounded,filled", "1.2"),
    "output": ("rounded,filled", "3"),
    "scope": ("rounded,filled", "2"),
}
_LONG = 24  # maximum length of a name and its expression on one line, in characters
_LONGEST_NAME = 400  # maximum length of a name in a tooltip, which also shows the value and the gradient


def add_box(graph: graphviz.Digraph, box: Box, look: Appearance) -> None:
    """Add a box to a graph.

    Args:
        graph: Graph, or cluster of a scope.
        box: Box to add.
        look: Colors, font and text sizes.
    """
    fill, border = getattr(look.theme, box.role)
    style, width = _SHAPES[box.role]
    name, formula = notation.cut(box.name), box.expression
    if not look.options.plain_names:
        name, formula = typeset(name) if name.isidentifier() else name, typeset(formula)
    rows = [f"<TD>{text}</TD>" for text in _box_rows(box, name, wrapped(formula), look)]
    add_node(graph, box.id, table(rows), plain(_tooltip(box, look)), style=style, fillcolor=fill, color=border,
             penwidth=width, **{"class": box.role})  # fmt: skip


def _box_rows(box: Box, title: str, formula: str, look: Appearance) -> list[str]:
    """Return the rows of a box, whose name and expression are given as they are shown."""
    theme = look.theme
    name = markup(title)
    times = " " + look.text(f"× {box.times:,}", theme.muted, "small", bold=True) if box.times > 1 else ""
    alone = bool(name) and not (look.options.compact and box.symbol)
    below = [times] if times and not alone else []  # the count would look like a factor after an expression
    if not name and not formula and box.grad is None and not box.spread:
        return [_value(box, look), *below]  # a literal shows only its value
    if box.role == "scope":
        return [f"<B>{name}</B>", look.text(markup(formula), theme.muted, "small")]
    fits = len(title) + len(formula) <= _LONG
    rows = [*_name_rows(box, name, formula, fits, times if alone else "", look), *below, _numbers(box, look)]
    if box.levels or box.grad_levels:
        grids = ((box.levels, theme.forward), (box.grad_levels, theme.backward))
        cells = "".join(f"<TD>{grid(rows, color, look)}</TD>" for rows, color in grids if rows)
        rows.append(f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0"><TR>{cells}</TR></TABLE>')
    if not look.options.compact:
        rows += [look.text(markup(box.spread), theme.forward, "caption")] if box.spread else []
        rows += [look.text(markup(box.grad_spread), theme.backward, "caption")] if box.grad_spread else []
    rows += [_sum(box, look)] if box.terms else []
    if box.stored:
        stored = look.text(markup(box.stored), look.faint, "small", bold=True)
        rows.append(f"{_caption('.grad is', look.faint, look)} {stored}")
    return rows


def _name_rows(box: Box, name: str, formula: str, fits: bool, times: str, look: Appearance) -> list[str]:
    muted = look.theme.muted
    if look.options.compact:
        symbol = look.text(markup(box.symbol), muted) if box.symbol else ""
        both = "&#160; ".join(filter(None, [f"<B>{name}</B>" if name else "", symbol]))
        return [both + times] if both else []
    if name and formula and not fits:
        return [f"<B>{name}</B>{times}", look.text(markup(formula), muted, "small")]
    if name:
        expression = f" {look.text('= ' + markup(formula), muted)}" if formula else ""
        return [f"<B>{name}</B>{expression}{times}"]
    return [look.text(markup(formula), muted)] if formula else []


def _value(box: Box, look: Appearance) -> str:
    return look.text(markup(box.data), look.theme.forward, bold=True)


def _numbers(box: Box, look: Appearance) -> str:
    """Return the value and the gradient of a box."""
    compact = look.options.compact
    value = _value(box, look) if compact else f"{_caption('data', look.theme.muted, look)} {_value(box, look)}"
    if box.grad is None:
        return value
    grad = look.text(markup(box.grad), look.faint if box.grad == "·" else look.theme.backward, bold=True)
    if compact:
        return f"{value}&#160; {look.text('|', look.faint)}&#160; {grad}"
    return f"{value}&#160; {_caption('grad', look.faint, look)} {grad}"


def _caption(text: str, color: str, look: Appearance) -> str:
    return look.text(text, color, "caption")


def _sum(box: Box, look: Appearance) -> str:
    """Return the contributions that add up to the gradient of a box."""
    several = len(box.terms) > _terms_shown(box) or "(" in box.terms[0]  # a term in parentheses is a shape
    text = f"sum of {len(box.terms):,}" if several else "= " + " + ".join(map(notation.factor, box.terms))
    return look.text(markup(text), look.theme.backward, "caption")


def _terms_shown(box: Box) -> int:
    return 4 if sum(map(len, box.terms)) <= 40 else 2


def _tooltip(box: Box, look: Appearance) -> str:
    head = " = ".join(filter(None, [notation.cut(box.name, _LONGEST_NAME), box.expression, box.data]))
    scope = notation.cut(" / ".join(box.scope), _LONGEST_NAME // 2)
    parts = [
        head,
        f"grad {box.grad}" if box.grad not in (None, "·") and look.options.backward else "",
        scope,
        notation.cut(box.line, _LONGEST_NAME // 2),
    ]
    return "\n".join(filter(None, parts)) or " "
