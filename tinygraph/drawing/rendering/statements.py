"""Statements of DOT for boxes and arrows, which differ only in ids, labels and tooltips.

The graphviz package quotes each attribute of each statement, which would take half of the time of a drawing. Therefore,
it writes one statement of each kind, with gaps. The other statements of this kind fill the gaps.
"""

from __future__ import annotations

import re
from functools import lru_cache

import graphviz

_ID = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*|-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)")  # needs no quotes in DOT
_KEYWORDS = {"node", "edge", "graph", "digraph", "subgraph", "strict"}
_GAPS = ("gap_tail", "gap_head", "gap_label", "gap_id", "gap_tooltip")


def add_node(graph: graphviz.Digraph, key: str, label: str, tooltip: str, **attributes: str) -> None:
    r"""Add a node to a graph.

    Args:
        graph: Graph, or cluster of a scope.
        key: Name of the node, which is also its id.
        label: Text of the node as an HTML-like label.
        tooltip: Tooltip, from `markup.plain`.
        **attributes: Attributes that many nodes share.

    Examples:
        >>> graph = graphviz.Digraph()
        >>> add_node(graph, "n0", "<<B>x</B>>", "x = 2", color="blue")
        >>> graph.body
        ['\tn0 [label=<<B>x</B>> color=blue id=n0 tooltip="x = 2"]\n']
    """
    gaps = {"gap_tail": quoted(key), "gap_label": label, "gap_id": quoted(key), "gap_tooltip": quoted(tooltip)}
    graph.body.append(_node(tuple(attributes.items())) % gaps)


def add_edge(
    graph: graphviz.Digraph, tail: str, head: str, label: str, key: str, tooltip: str, **attributes: str
) -> None:
    r"""Add an edge to a graph.

    Args:
        graph: Graph that contains both nodes.
        tail: Name of the first node.
        head: Name of the second node.
        label: Text of the edge as an HTML-like label, or "".
        key: Id of the edge.
        tooltip: Tooltip, from `markup.plain`.
        **attributes: Attributes that many edges share.

    Examples:
        >>> graph = graphviz.Digraph()
        >>> add_edge(graph, "n0", "n1", "", "e0", "2", color="blue")
        >>> graph.body
        ['\tn0 -> n1 [label="" color=blue id=e0 tooltip=2]\n']
    """
    gaps = {
        "gap_tail": quoted(tail), "gap_head": quoted(head), "gap_label": label or '""', "gap_id": quoted(key),
        "gap_tooltip": quoted(tooltip),
    }  # fmt: skip
    graph.body.append(_edge(tuple(attributes.items())) % gaps)


@lru_cache(maxsize=4096)  # each box has several arrows, and many numbers are equal
def quoted(text: str) -> str:
    r"""Return text without backslashes as an attribute of DOT.

    Args:
        text: Text, for example a tooltip, in which `markup.plain` replaced the backslashes.

    Returns:
        The text, in quotes unless DOT reads it as a number or a name.

    Examples:
        >>> print(quoted("n0"), quoted('a "b"'), quoted("-2.5"), quoted("node"))
        n0 "a \"b\"" -2.5 "node"
    """
    if _ID.fullmatch(text) and text.lower() not in _KEYWORDS:
        return text
    return '"' + text.replace('"', '\\"') + '"'


@lru_cache(maxsize=256)
def _node(attributes: tuple[tuple[str, str], ...]) -> str:
    graph = graphviz.Digraph()
    graph.node("gap_tail", "gap_label", id="gap_id", tooltip="gap_tooltip", **dict(attributes))
    return _with_gaps(graph)


@lru_cache(maxsize=256)
def _edge(attributes: tuple[tuple[str, str], ...]) -> str:
    graph = graphviz.Digraph()
    graph.edge("gap_tail", "gap_head", "gap_label", id="gap_id", tooltip="gap_tooltip", **dict(attributes))
    return _with_gaps(graph)


def _with_gaps(graph: graphviz.Digraph) -> str:
    """Return the only statement of a graph, in which `%` fills the gaps."""
    text = str(graph.body[0]).replace("%", "%%")
    for gap in _GAPS:
        text = text.replace(gap, f"%({gap})s")
    return text
