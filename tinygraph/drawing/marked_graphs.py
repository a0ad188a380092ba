"""The diagram of a comparison: two graphs side by side, with marks at the nodes that differ."""

from __future__ import annotations

from collections.abc import Sequence

from tinygraph.drawing.diagram import diagram, neighborhood
from tinygraph.drawing.draw import LARGEST, detail_for
from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.options import DrawOptions
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.side_by_side import prefix, side_by_side
from tinygraph.engine.graph import Node
from tinygraph.explaining.comparing.entries import Entry
from tinygraph.explaining.walk import Walk

DEPTH = 2  # in a large graph, nodes within this distance from the first difference are drawn


def marked_graphs(
    walks: Sequence[Walk], entries: Sequence[Entry], centers: Sequence[Node], options: DrawOptions
) -> Drawing:
    """Draw two graphs side by side. A node that differs has a double border.

    Args:
        walks: Backward pass of each graph.
        entries: Common nodes of the graphs.
        centers: Node of each graph that has a thick border. Only its neighborhood is drawn in a large graph.
        options: Options of the drawing.

    Returns:
        The drawing.
    """
    large = sum(len(walk.nodes) for walk in walks) > LARGEST
    diagrams = [
        diagram(walk, options.style, neighborhood(walk.nodes, center, DEPTH) if large else None)
        for walk, center in zip(walks, centers, strict=True)
    ]
    shown = side_by_side(diagrams, options.direction)
    detail = detail_for(len(shown.boxes), options) if options.detail == "auto" else str(options.detail)
    look = Appearance(options, detail)
    drawing = Drawing([walk.nodes for walk in walks], shown, look)
    ids = [{node: prefix(k) + key for node, key in part.ids.items()} for k, part in enumerate(diagrams)]
    for entry in entries:
        for k, nodes in enumerate((entry.first, entry.second) if entry.differences else ()):
            for node in nodes:
                if node in ids[k]:
                    width = "4" if node is centers[k] else "2"
                    drawing.digraph.node(ids[k][node], color=options.colors.backward, penwidth=width, peripheries="2")
    return drawing
