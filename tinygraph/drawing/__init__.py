"""Diagrams of a graph: blue arrows carry values forward, and red arrows carry derivatives back.

Examples:
    >>> from tinygraph import Value, draw
    >>> a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
    >>> J = 3 * (a + b * c)
    >>> J.name = "J"
    >>> J.backward()
    >>> draw(J)  # .save("J.svg"), or J.png, J.pdf, J.dot
    <drawing of J: 7 nodes, 6 edges>
"""

from __future__ import annotations

from tinygraph.drawing.comparison import GraphComparison, compare
from tinygraph.drawing.draw import draw
from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError, use_engine
from tinygraph.drawing.options import DrawOptions
from tinygraph.explaining.tree import Tree, tree

__all__ = [
    "DrawOptions",
    "Drawing",
    "EngineNotFoundError",
    "GraphComparison",
    "LayoutError",
    "Tree",
    "compare",
    "draw",
    "tree",
    "use_engine",
]
