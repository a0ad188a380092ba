"""Boxes and arrows as DOT, written with the `graphviz` package.

The blue arrow and the red arrow of an edge are both written as operand → result, so that they never overlap. The red
arrow has its arrowhead at the operand. Ids, such as n0, do not contain the names of nodes. Names appear only in labels
and tooltips.
"""

from __future__ import annotations

from collections.abc import Iterable

import graphviz

from tinygraph.drawing.arrows import Arrow, BackwardArrow
from tinygraph.drawing.diagram import Box, Diagram
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.boxes import add_box
from tinygraph.drawing.rendering.heading import heading
from tinygraph.drawing.rendering.markup import markup, plain, table
from tinygraph.drawing.rendering.statements import add_edge
from tinygraph.explaining import notation
from tinygraph.explaining.textbook.typesetting import typeset

_HIDDEN = "not drawn here"
_BESIDE = "&#160;&#160;&#160;"  # space between an arrow and its text
_AROUND = 'CELLPADDING="2"'  # space in points above and below the text of an arrow, which other arrows keep free
_MANY = 60  # number of boxes above which positions are balanced less; see `digraph`
_DEEPEST = 50  # maximum number of nested scopes that are drawn as clusters


def digraph(diagram: Diagram, look: Appearance) -> graphviz.Digraph:
    """Return a diagram as a `graphviz.Digraph`, whose `.source` is the DOT text.

    Args:
        diagram: Boxes and arrows.
        look: Options, with the level of detail of the arrows.

    Returns:
        The graph as an object of the graphviz package.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.drawing.arrows import Style
        >>> from tinygraph.drawing.diagram import diagram
        >>> from tinygraph.drawing.options import DrawOptions
        >>> from tinygraph.explaining.walk import Walk
        >>> x = Value(2.0, "x")
        >>> digraph(diagram(Walk(x), Style()), Appearance(DrawOptions())).source.splitlines()[0]
        'digraph tinygraph {'
    """
    theme, font = look.theme, look.options.font
    gap, rank_gap = ("0.2", "0.35") if look.options.compact else ("0.3", "0.5")  # in inches
    graph = graphviz.Digraph("tinygraph")
    graph.attr("graph", rankdir=look.options.direction, ordering="in", nodesep=gap, ranksep=rank_gap, pad="0.2",
               splines="spline", outputorder="edgesfirst", bgcolor=theme.background, fontname=font,
               fontcolor=theme.ink, fontsize="12", tooltip=" ")  # fmt: skip
    # Without `newrank`, dot 2.43 puts a chain through several scopes into one rank and draws an arrow twice.
    graph.attr("graph", newrank="true")
    if look.detail == "plain" and len(diagram.boxes) > _MANY:
        # Balancing the places of long arrows takes most of the time: 25 s instead of 1 s for 60 Newton steps, for
        # arrows that are at most a tenth shorter. With text on the arrows, the balance saves time in the next phase.
        graph.attr("graph", nslimit="2")
    graph.attr("node", shape="box", fontname=font, fontsize=f"{look.size('body'):g}", fontcolor=theme.ink,
               margin="0.1,0.05", height="0.4")  # fmt: skip
    graph.attr("edge", fontname=font, fontsize=f"{look.size('caption'):g}", penwidth="1.4", arrowsize="0.8")
    label = heading(diagram, look)
    if label:
        graph.attr("graph", label=label, labelloc="t")
    _add_boxes(graph, diagram, look)
    for arrow in diagram.arrows:
        _add_arrow(graph, arrow, look)
    for pair in diagram.aligned:
        with graph.subgraph() as same:
            same.attr(rank="same")
            for key in pair:
                same.node(key)
    # Dotted lines lead to nodes outside the diagram.
    for keys, ends in ((diagram.before, ("{}_more", "{}")), (diagram.after, ("{}", "{}_on"))):
        for key in keys:
            tail, head = (end.format(key) for end in ends)
            graph.node(tail if tail != key else head, "…", shape="plaintext", fontcolor=theme.muted, tooltip=_HIDDEN)
            graph.edge(tail, head, style="dotted", color=theme.muted, dir="none", tooltip=_HIDDEN)
    return graph


def scope_ids(boxes: Iterable[Box]) -> dict[tuple[str, ...], str]:
    """Return the ids of the scopes of a diagram.

    Args:
        boxes: Boxes of the diagram.

    Returns:
        The id of each scope, by its path: the names of the scopes around it, and its own name.
    """
    paths: dict[tuple[str, ...], None] = {}
    for box in boxes:
        scope = box.scope[:_DEEPEST]
        paths.update((scope[:depth], None) for depth in range(1, len(scope) + 1))
    return {path: f"s{i}" for i, path in enumerate(paths)}


def _add_boxes(graph: graphviz.Digraph, diagram: Diagram, look: Appearance) -> None:
    """Add all boxes, each inside the clusters of its scope. A scope that is entered again remains one cluster."""
    inside: dict[tuple[str, ...], list[Box]] = {}
    for box in diagram.boxes:
        inside.setdefault(box.scope[:_DEEPEST], []).append(box)
    ids = scope_ids(diagram.boxes)
    nested: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for path in ids:
        nested.setdefault(path[:-1], []).append(path)

    def fill(into: graphviz.Digraph, path: tuple[str, ...]) -> None:
        for box in inside.get(path, ()):
            add_box(into, box, look)
        for inner in nested.get(path, ()):
            with into.subgraph(name=f"cluster_{ids[inner].removeprefix('s')}") as cluster:
                fill_color, border = look.theme.scope
                name = markup(notation.cut(inner[-1])) or " "
                label = look.text(name, look.theme.muted, "small")
                # From top to bottom, most arrows enter a scope at the top, and only its results leave it at the bottom.
                place = "b" if look.options.direction == "TB" else "t"
                cluster.attr(label=f"<{label}>", labeljust="l", labelloc=place, margin="10",
                                 style="rounded,filled", fillcolor=fill_color, color=border, penwidth="1",
                                 tooltip=plain(" / ".join(inner)), id=ids[inner])  # fmt: skip
                cluster.attr(**{"class": "scope"})
                fill(cluster, inner)

    fill(graph, ())


# --- arrows -----------------------------------------------------------------------------------------


def _add_arrow(graph: graphviz.Digraph, arrow: Arrow, look: Appearance) -> None:
    theme, back, backward = look.theme, arrow.back, look.options.backward
    count = _label([f"× {arrow.times:,}"], theme.muted, look) if arrow.times > 1 else ""
    if back is not None and look.detail == "plain":
        both = f"{theme.forward}:{theme.backward}" if backward else theme.forward
        add_edge(graph, arrow.tail, arrow.head, count, arrow.id, " ", color=both,
                 dir="both" if backward else "forward", arrowtail="vee", weight="3",
                 **{"class": "forward backward" if backward else "forward"})  # fmt: skip
        return
    says = look.detail in ("full", "contributions")
    label = count or (_label([markup(arrow.value)], theme.forward, look) if says else "")
    add_edge(graph, arrow.tail, arrow.head, label, arrow.id, plain(arrow.value), color=theme.forward, weight="3",
             **{"class": "forward"})  # fmt: skip
    if back is not None and look.detail != "plain":
        _add_backward_arrow(graph, arrow, back, look)


def _add_backward_arrow(graph: graphviz.Digraph, arrow: Arrow, back: BackwardArrow, look: Appearance) -> None:
    label = _label(_chain_rule(back, look), look.theme.backward, look)
    tooltip = plain(" = ".join(filter(None, [back.symbol, back.product, back.contribution])))
    add_edge(graph, arrow.tail, arrow.head, label, f"{arrow.id}b", tooltip, color=look.theme.backward, dir="back",
             arrowtail="vee", style="dashed" if look.options.backward else "invis", weight="0",
             **{"class": "backward"})  # fmt: skip


def _chain_rule(back: BackwardArrow, look: Appearance) -> list[str]:
    """Return the lines on a red arrow, as markup."""
    contribution = f"<B>{markup(back.contribution)}</B>"
    if look.detail == "arrows":
        return []
    symbol = back.symbol if look.detail == "full" or not back.product else ""
    above = [markup(symbol if look.options.plain_names else typeset(symbol))] if symbol else []
    gap = "&#160;&#160;" if "(-" in back.product else "&#160;"  # parentheses are wider than Graphviz assumes
    if back.product:
        return [*above, f"{markup(back.product)} ={gap}{contribution}"]
    if above and " " not in symbol and not back.is_shape:
        return [f"{above[0]} =&#160;{contribution}"]
    return [*above, f"=&#160;{contribution}"] if above else [contribution]


def _label(lines: list[str], color: str, look: Appearance) -> str:
    """Return lines of markup as the label of an arrow."""
    if not lines:
        return ""
    if look.options.direction == "TB":  # from top to bottom, the arrow passes beside its text
        lines = [f"{_BESIDE}{line}{_BESIDE}" for line in lines]
    return table([f"<TD>{look.text('<BR/>'.join(lines), color)}</TD>"], _AROUND)
