"""Boxes as nodes of DOT: a name and an expression above, the value and the gradient below."""

from __future__ import annotations

import graphviz

from tinygraph.drawing.diagram import Box
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.markup import markup, plain, table
from tinygraph.explaining import notation

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
    theme = look.theme
    fill, border = getattr(theme, box.role)
    style, width = _SHAPES[box.role]
    rows = [f"<TD>{text}</TD>" for text in _box_rows(box, look)]
    graph.node(box.id, table(rows), style=style, fillcolor=fill, color=border, penwidth=width, id=box.id,
               tooltip=plain(_tooltip(box)), **{"class": box.role})  # fmt: skip


def _box_rows(box: Box, look: Appearance) -> list[str]:
    theme = look.theme
    name = markup(notation.cut(box.name))
    times = " " + look.text(f"× {box.times:,}", theme.muted, "small", bold=True) if box.times > 1 else ""
    below = [times] if times and not name else []  # the count would look like a factor after an expression
    data = look.text(markup(box.data), theme.forward, bold=True)
    if not name and not box.expression and box.grad is None and not box.spread:
        return [data, *below]  # a literal shows only its value
    if box.role == "scope":
        return [f"<B>{name}</B>", look.text(markup(box.expression), theme.muted, "small")]
    rows = []
    if name and box.expression and len(box.name) + len(box.expression) > _LONG:
        rows += [f"<B>{name}</B>{times}", look.text(markup(box.expression), theme.muted, "small")]
    elif name:
        expression = f" {look.text('= ' + markup(box.expression), theme.muted)}" if box.expression else ""
        rows.append(f"<B>{name}</B>{expression}{times}")
    elif box.expression:
        rows.append(look.text(markup(box.expression), theme.muted))
    rows += below
    data_row = f"{_small('data', look)} {data}"
    if box.grad is None:
        rows.append(data_row)
    else:
        grad = look.text(markup(box.grad), theme.muted if box.grad == "·" else theme.backward, bold=True)
        rows.append(f"{data_row}&#160; {_small('grad', look)} {grad}")
    rows += [look.text(markup(box.spread), theme.forward, "caption")] if box.spread else []
    rows += [look.text(markup(box.grad_spread), theme.backward, "caption")] if box.grad_spread else []
    if box.terms:
        several = len(box.terms) > _terms_shown(box) or "(" in box.terms[0]  # a term in parentheses is a shape
        text = f"sum of {len(box.terms):,}" if several else "= " + " + ".join(map(notation.factor, box.terms))
        rows.append(look.text(markup(text), theme.backward, "caption"))
    if box.stored:
        stored = look.text(markup(box.stored), theme.muted, "small", bold=True)
        rows.append(f"{_small('.grad is', look)} {stored}")
    return rows


def _terms_shown(box: Box) -> int:
    return 4 if sum(map(len, box.terms)) <= 40 else 2


def _small(text: str, look: Appearance) -> str:
    return look.text(text, look.theme.muted, "caption")


def _tooltip(box: Box) -> str:
    head = " = ".join(filter(None, [notation.cut(box.name, _LONGEST_NAME), box.expression, box.data]))
    scope = notation.cut(" / ".join(box.scope), _LONGEST_NAME // 2)
    parts = [
        head,
        f"grad {box.grad}" if box.grad not in (None, "·") else "",
        scope,
        notation.cut(box.line, _LONGEST_NAME // 2),
    ]
    return "\n".join(filter(None, parts)) or " "
