"""Boxes and arrows as DOT, written with the `graphviz` package.

The blue arrow and the red arrow of an edge are both written as operand → result, so that they never overlap. The red
arrow has its arrowhead at the operand. Ids, such as n0, do not contain the names of nodes. Names appear only in labels
and tooltips.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import graphviz

from tinygraph.drawing.arrows import Arrow, BackwardArrow
from tinygraph.drawing.diagram import Box, Diagram
from tinygraph.drawing.themes import FONT, THEMES, Theme
from tinygraph.explaining import notation

LEGEND = {
    "input": 'BORDER="1" STYLE="ROUNDED"',
    "parameter": 'BORDER="3"',
    "constant": 'BORDER="1" STYLE="DASHED"',
    "operation": 'BORDER="1" STYLE="ROUNDED"',
    "output": 'BORDER="3" STYLE="ROUNDED"',
}
_SHAPES = {
    "input": ("rounded,filled", "1.5"),
    "parameter": ("filled", "2.8"),
    "constant": ("filled,dashed", "1.2"),
    "operation": ("rounded,filled", "1.2"),
    "output": ("rounded,filled", "3"),
    "scope": ("rounded,filled", "2"),
}
_HIDDEN = "not drawn here"
_NOW = "3.5"  # line width of the current step
_DEEPEST = 50  # maximum number of nested scopes that are drawn as clusters
_LONG = 24  # maximum length of a name and its expression on one line, in characters
# dot 2.43 reads at most 16,384 bytes at once. A character becomes up to 20 bytes (a backslash in a tooltip).
_LONGEST = 800  # maximum length of a text, in characters
_LONGEST_NAME = 400  # maximum length of a name in a tooltip, which also shows the value and the gradient


@dataclass(frozen=True)
class Layout:
    """Theme, text on the arrows, arrangement of the boxes, title and legend."""

    theme: str = "light"
    detail: str = "full"  # "full", "contributions" or "plain"
    direction: str = "LR"
    title: str = ""
    legend: bool = True


def digraph(diagram: Diagram, layout: Layout) -> graphviz.Digraph:
    """Return a diagram as a `graphviz.Digraph`, whose `.source` is the DOT text.

    Args:
        diagram: Boxes and arrows.
        layout: Arrangement, theme, title and legend.

    Returns:
        The graph as an object of the graphviz package.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.drawing.arrows import Style
        >>> from tinygraph.drawing.diagram import diagram
        >>> from tinygraph.explaining.walk import Walk
        >>> x = Value(2.0, "x")
        >>> digraph(diagram(Walk(x), Style()), Layout()).source.splitlines()[0]
        'digraph tinygraph {'
    """
    theme = THEMES[layout.theme]
    graph = graphviz.Digraph("tinygraph")
    graph.attr("graph", rankdir=layout.direction, ordering="in", nodesep="0.3", ranksep="0.5", pad="0.2",
               splines="spline", outputorder="edgesfirst", bgcolor=theme.background, fontname=FONT,
               fontcolor=theme.ink, fontsize="12", tooltip=" ")  # fmt: skip
    # Without `newrank`, dot 2.43 puts a chain through several scopes into one rank and draws an arrow twice.
    graph.attr("graph", newrank="true")
    graph.attr("node", shape="box", fontname=FONT, fontsize="13", fontcolor=theme.ink, margin="0.1,0.05", height="0.4")
    graph.attr("edge", fontname=FONT, fontsize="10", penwidth="1.4", arrowsize="0.8")
    heading = _heading(diagram, layout, theme)
    if heading:
        graph.attr("graph", label=heading, labelloc="t")
    _add_boxes(graph, diagram, theme)
    for arrow in diagram.arrows:
        _add_arrow(graph, arrow, layout, theme)
    # Dotted lines lead to nodes outside the diagram.
    for keys, ends in ((diagram.before, ("{}_more", "{}")), (diagram.after, ("{}", "{}_on"))):
        for key in keys:
            tail, head = (end.format(key) for end in ends)
            graph.node(tail if tail != key else head, "…", shape="plaintext", fontcolor=theme.muted, tooltip=_HIDDEN)
            graph.edge(tail, head, style="dotted", color=theme.muted, dir="none", tooltip=_HIDDEN)
    return graph


# --- text -------------------------------------------------------------------------------------------


def markup(text: str) -> str:
    r"""Return text that an HTML-like label shows verbatim.

    Graphviz expands backslashes even in an HTML-like label: a single `\N` prints the id of the node. Each backslash is
    therefore doubled. In dot 2.43, a label that consists only of brackets is a syntax error. Closing brackets are
    therefore written as entities. A text of more than 800 characters is shortened.

    Args:
        text: Text to show.

    Returns:
        The text with special characters escaped.

    Examples:
        >>> print(markup('<b> "\\N" & {x|y}'))
        &lt;b&gt; &quot;\\N&quot; &amp; {x|y}
    """
    text = html.escape(_shortened(text)).replace("\\", "\\\\").replace("\n", "<BR/>").replace("]", "&#93;")
    return re.sub("^ | $|(?<= ) ", "&#160;", text)


def plain(text: str) -> Any:
    """Return text that an attribute shows verbatim.

    Tooltips expand entities and backslashes, so each ampersand, newline and backslash is written as an entity. A text
    of more than 800 characters is shortened.

    Args:
        text: Text to show.

    Returns:
        The text in a form that the graphviz package does not change.
    """
    text = _shortened(text).replace("&", "&amp;").replace("\n", "&#10;").replace("\\", "&#92;" * 4)
    return graphviz.nohtml(text)


def _shortened(text: str) -> str:
    return notation.clean(notation.cut(text, _LONGEST))


def _font(text: str, color: str, size: float | None = None, bold: bool = False) -> str:
    points = f' POINT-SIZE="{size:g}"' if size else ""
    return f'<FONT COLOR="{color}"{points}>{f"<B>{text}</B>" if bold else text}</FONT>'


def _table(rows: Iterable[str], attributes: str = 'CELLPADDING="1"') -> str:
    cells = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" {attributes}>{cells}</TABLE>>'


# --- boxes ------------------------------------------------------------------------------------------


def _add_boxes(graph: graphviz.Digraph, diagram: Diagram, theme: Theme) -> None:
    """Add all boxes, each inside the clusters of its scope. A scope that is entered again remains one cluster."""
    inside: dict[tuple[str, ...], list[Box]] = {}
    paths: dict[tuple[str, ...], None] = {}
    for box in diagram.boxes:
        scope = box.scope[:_DEEPEST]
        inside.setdefault(scope, []).append(box)
        paths.update((scope[:depth], None) for depth in range(1, len(scope) + 1))
    numbers = {path: i for i, path in enumerate(paths)}
    nested: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for path in paths:
        nested.setdefault(path[:-1], []).append(path)

    def fill(into: graphviz.Digraph, path: tuple[str, ...]) -> None:
        for box in inside.get(path, ()):
            _add_box(into, box, theme)
        for inner in nested.get(path, ()):
            with into.subgraph(name=f"cluster_{numbers[inner]}") as cluster:
                fill_color, border = theme.scope
                name = markup(notation.cut(inner[-1])) or " "
                cluster.attr(label=f"<{_font(name, theme.muted, 11)}>", labeljust="l", labelloc="t", margin="10",
                                 style="rounded,filled", fillcolor=fill_color, color=border, penwidth="1",
                                 tooltip=plain(" / ".join(inner)), id=f"s{numbers[inner]}")  # fmt: skip
                cluster.attr(**{"class": "scope"})
                fill(cluster, inner)

    fill(graph, ())


def _add_box(graph: graphviz.Digraph, box: Box, theme: Theme) -> None:
    fill, border = getattr(theme, box.role)
    style, width = _SHAPES[box.role]
    rows = [f"<TD>{text}</TD>" for text in _box_rows(box, theme)]
    graph.node(box.id, _table(rows), style=style, fillcolor=fill, color=border, penwidth=width, id=box.id,
               tooltip=plain(_tooltip(box)), **{"class": box.role})  # fmt: skip


def _box_rows(box: Box, theme: Theme) -> list[str]:
    name = markup(notation.cut(box.name))
    times = f" {_font(f'× {box.times:,}', theme.muted, 11, bold=True)}" if box.times > 1 else ""
    below = [times] if times and not name else []  # the count would look like a factor after an expression
    data = _font(markup(box.data), theme.forward, None, bold=True)
    if not name and not box.expression and box.grad is None and not box.spread:
        return [data, *below]  # a literal shows only its value
    if box.role == "scope":
        return [f"<B>{name}</B>", _font(markup(box.expression), theme.muted, 11)]
    rows = []
    if name and box.expression and len(box.name) + len(box.expression) > _LONG:
        rows += [f"<B>{name}</B>{times}", _font(markup(box.expression), theme.muted, 11)]
    elif name:
        expression = f" {_font('= ' + markup(box.expression), theme.muted)}" if box.expression else ""
        rows.append(f"<B>{name}</B>{expression}{times}")
    elif box.expression:
        rows.append(_font(markup(box.expression), theme.muted))
    rows += below
    data_row = f"{_small('data', theme)} {data}"
    if box.grad is None:
        rows.append(data_row)
    else:
        grad = _font(markup(box.grad), theme.muted if box.grad == "·" else theme.backward, None, bold=True)
        rows.append(f"{data_row}&#160; {_small('grad', theme)} {grad}")
    rows += [_font(markup(box.spread), theme.forward, 10)] if box.spread else []
    rows += [_font(markup(box.grad_spread), theme.backward, 10)] if box.grad_spread else []
    if box.terms:
        several = len(box.terms) > _terms_shown(box) or "(" in box.terms[0]  # a term in parentheses is a shape
        text = f"sum of {len(box.terms):,}" if several else "= " + " + ".join(map(notation.factor, box.terms))
        rows.append(_font(markup(text), theme.backward, 10))
    if box.stored:
        rows.append(f"{_small('.grad is', theme)} {_font(markup(box.stored), theme.muted, 11, bold=True)}")
    return rows


def _terms_shown(box: Box) -> int:
    return 4 if sum(map(len, box.terms)) <= 40 else 2


def _small(text: str, theme: Theme) -> str:
    return _font(text, theme.muted, 10)


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


# --- arrows -----------------------------------------------------------------------------------------


def _add_arrow(graph: graphviz.Digraph, arrow: Arrow, layout: Layout, theme: Theme) -> None:
    said = layout.detail != "plain"
    back = arrow.back
    count = f"<{_font(f'× {arrow.times:,}', theme.muted, 10)}>" if arrow.times > 1 else ""
    if back is not None and not said and not back.ahead:
        graph.edge(arrow.tail, arrow.head, label=count, color=f"{theme.forward}:{theme.backward}", dir="both",
                   arrowtail="vee", weight="3", id=arrow.id, tooltip=" ", penwidth=_NOW if back.now else None,
                   **{"class": "forward backward"})  # fmt: skip
        return
    graph.edge(
        arrow.tail,
        arrow.head,
        label=count or (f"<{_font(markup(arrow.value), theme.forward)}>" if said else ""),
        color=theme.forward,
        weight="3",
        style="invis" if arrow.ahead else None,  # an invisible arrow still takes up space
        penwidth=_NOW if arrow.now else None,
        id=arrow.id,
        tooltip=plain(arrow.value),
        **{"class": "forward"},
    )
    if back is not None and said:
        _add_backward_arrow(graph, arrow, back, layout, theme)


def _add_backward_arrow(
    graph: graphviz.Digraph, arrow: Arrow, back: BackwardArrow, layout: Layout, theme: Theme
) -> None:
    lines = [back.symbol, back.product] if layout.detail == "full" else [back.product]
    *above, last = [line for line in lines if line] or [""]
    gap = "&#160;&#160;" if "(-" in last else "&#160;"  # parentheses are wider than Graphviz assumes
    pad = "&#160;&#160;" if layout.direction == "TB" else ""  # from top to bottom, the arrow passes beside its text
    sum_up = f"{markup(last)} ={gap}" if last else ""
    text = "<BR/>".join([*map(markup, above), f"{sum_up}<B>{markup(back.contribution)}</B>"])
    graph.edge(
        arrow.tail,
        arrow.head,
        label=f"<{_font(pad + text.replace('<BR/>', f'{pad}<BR/>{pad}') + pad, theme.backward)}>",
        color=theme.backward,
        dir="back",
        arrowtail="vee",
        style="invis" if back.ahead else "dashed",
        weight="0",
        penwidth=_NOW if back.now else None,
        id=f"{arrow.id}b",
        tooltip=plain(" = ".join(filter(None, [back.symbol, back.product, back.contribution]))),
        **{"class": "backward"},
    )


# --- title and legend -------------------------------------------------------------------------------


def _heading(diagram: Diagram, layout: Layout, theme: Theme) -> str:
    """Return the title and the legend as part of the graph's label, so that they cannot change the layout."""
    rows = []
    if layout.title:
        rows.append(f"<TD>{_font(markup(layout.title), theme.ink, 16, bold=True)}</TD>")
    if layout.legend:
        rows.append(f"<TD>{_legend(diagram, layout, theme)}</TD>")
    return _table([*rows, '<TD HEIGHT="6"></TD>'], 'CELLPADDING="3"') if rows else ""


def _legend(diagram: Diagram, layout: Layout, theme: Theme) -> str:
    present = {box.role for box in diagram.boxes}
    cells = []
    for kind, style in LEGEND.items():
        if kind in present:
            fill, border = getattr(theme, kind)
            cells.append(f'<TD {style} COLOR="{border}" BGCOLOR="{fill}" WIDTH="22" HEIGHT="14" FIXEDSIZE="TRUE"></TD>')
            cells.append(f"<TD>{_font(kind, theme.muted, 11)}&#160;&#160;</TD>")
    if layout.detail == "plain":
        forward, backward = "→ forward: values", "← backward: derivatives"
    else:
        forward, backward = "→ forward: value", "← backward: upstream × local = contribution"
    cells.append(f"<TD>{_font(forward, theme.forward, 11)}&#160;&#160;</TD>")
    if any(arrow.back for arrow in diagram.arrows):
        cells.append(f"<TD>{_font(backward, theme.backward, 11)}</TD>")
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0"><TR>{"".join(cells)}</TR></TABLE>'
