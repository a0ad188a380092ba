"""`draw`, and the `Drawing` that it returns."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import graphviz

from tinygraph.drawing import layout_engines
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import Diagram, diagram, neighborhood
from tinygraph.drawing.dot import Layout, digraph
from tinygraph.drawing.folded import folded, folded_scopes
from tinygraph.drawing.layout_engines import TIME_LIMIT, EngineNotFoundError, LayoutError
from tinygraph.engine.graph import Node, StaleGraphError, check_fresh, require_node
from tinygraph.explaining.tree import in_text
from tinygraph.explaining.walk import Walk
from tinygraph.support.arguments import as_path, check_integer, check_kind, check_positive, listed
from tinygraph.support.files import write_whole
from tinygraph.support.messages import counted, one_of

ThemeName = Literal["light", "dark", "auto"]
Detail = Literal["auto", "full", "contributions", "plain", "folded", "scopes"]
Direction = Literal["LR", "TB"]
Notation = Literal["dJ/dv", "dv"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
FULL, CONTRIBUTIONS, LARGEST = 60, 200, 600  # maximum number of boxes for "full", "contributions" and "plain"
LINES = 60  # lines of the text tree that a notebook shows without Graphviz


class Drawing:
    """A diagram of a graph. Graphviz lays out the diagram when you first show or save it.

    A notebook displays a drawing automatically. `draw` returns drawings, so you rarely create one with this class.

    Args:
        nodes: Nodes of the graph, in reverse topological order.
        shown: Boxes and arrows to lay out.
        layout: Arrangement, theme, title and legend.
        engine: Graphviz executable. Defaults to the first executable that is found.
        timeout: Time limit for the layout, in seconds; None for no limit.

    Attributes:
        digraph: The diagram as an object of the graphviz package.
    """

    def __init__(
        self, nodes: Sequence[Node], shown: Diagram, layout: Layout, engine: str | None, timeout: float | None
    ) -> None:
        self._nodes, self._diagram, self._layout = nodes, shown, layout
        self._engine, self._timeout = engine, timeout
        self.digraph: graphviz.Digraph = digraph(shown, layout)

    @property
    def source(self) -> str:
        """The DOT text. The same program always produces the same DOT text."""
        return str(self.digraph.source)

    @cached_property
    def _svg(self) -> str:
        return layout_engines.svg(self.source, self._engine, self._timeout, self._layout.theme == "auto")

    def svg(self) -> str:
        """Return the SVG element as text, which you can embed in an HTML page.

        Each drawing has unique ids, so that one page can contain several drawings.

        Returns:
            The SVG element.

        Raises:
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the diagram to a file.

        An existing file is replaced only when the new content is complete.

        Args:
            path: File to write. The suffix selects the format: .svg, .png or .pdf. The suffixes .dot and .gv select
                the DOT text, which needs no Graphviz.

        Returns:
            The path.

        Raises:
            ValueError: If the suffix of `path` does not select a format.
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        path = as_path("path", path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in layout_engines.FORMATS:
            known = ", ".join(f".{name}" for name in layout_engines.FORMATS)
            raise ValueError(f"cannot save {path.name!r}: the path must end in one of {known}")
        if kind in layout_engines.TEXT_FORMATS:
            data = self.source.encode()
        elif kind == "svg":
            data = b'<?xml version="1.0" encoding="UTF-8"?>\n' + self.svg().encode()
        else:
            data = layout_engines.render(self.source, kind, self._engine, self._timeout)
        write_whole(path, data)
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """Return the output of a notebook cell: the diagram, or the text tree if Graphviz cannot draw the diagram."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (EngineNotFoundError, LayoutError) as error:
            try:
                check_fresh(self._nodes)
                text: str = in_text(self._nodes, LINES, False, lambda node: node.grad)
            except StaleGraphError as stale:
                text = str(stale)
            return {"text/plain": f"{text}\n\n(no diagram: {error})"}

    def __repr__(self) -> str:
        red = "" if self._diagram.backward else "; call backward() to draw the gradients"
        name = f" of {self._diagram.root}" if self._diagram.root else ""
        nodes, edges = counted(len(self._diagram.boxes), "node"), counted(len(self._diagram.arrows), "edge")
        return f"<drawing{name}: {nodes}, {edges}{red}>"


def draw(
    root: Node,
    *,
    theme: ThemeName = "light",
    detail: Detail = "auto",
    direction: Direction = "LR",
    parameters: Iterable[Node] = (),
    title: str = "",
    legend: bool = True,
    around: Node | None = None,
    depth: int = 2,
    number: str = ".4g",
    notation: Notation = "dJ/dv",
    engine: str | None = None,
    timeout: float | None = TIME_LIMIT,
) -> Drawing:
    """Draw a node's computational graph: blue arrows carry values forward, and red arrows carry derivatives back.

    Before `backward()`, there are no red arrows. Afterward, each red arrow shows upstream × local = contribution, and
    each box shows the sum of its contributions. The contributions and sums come from a separate pass, whose seed is the
    stored gradient of `root`. A stored `.grad` can differ from the sum, for example after a manual edit, after
    `backward()` from another root, or with `accumulate=True`. The box then shows the stored gradient and the sum.

    Args:
        root: Node to draw, together with all nodes that it was computed from.
        theme: Colors: "light", "dark", or "auto", which follows the setting of the browser. Defaults to "light".
        detail: Text on the arrows: "full" shows the chain rule in symbols and numbers, "contributions" shows only the
            numbers, and "plain" shows no text. "folded" draws isomorphic parts as one box, and "scopes" draws each
            scope as one box. "auto", the default, uses "full" for up to 60 boxes, "contributions" for up to 200 boxes,
            "plain" for up to 600 boxes, and otherwise "folded".
        direction: "LR" for left to right, or "TB" for top to bottom. Defaults to "LR".
        parameters: Nodes to draw in the color of parameters.
        title: Text above the diagram.
        legend: If true, a legend above the diagram explains the colors.
        around: Center of a partial diagram, which contains only nodes within `depth` arrows of the center. By default,
            the whole graph is drawn.
        depth: Maximum number of arrows between `around` and a drawn node. Defaults to 2.
        number: Format of floats, as for `format`. Defaults to ".4g".
        notation: Notation of derivatives: "dJ/dv", or "dv", as in the lecture's code. Defaults to "dJ/dv".
        engine: Graphviz executable. Defaults to the first executable that is found.
        timeout: Time limit for the layout, in seconds; None for no limit. Defaults to 30.

    Returns:
        A `Drawing`, which a notebook displays automatically. Its `save` method writes the diagram to a file.

    Raises:
        TypeError: If `root` or one of `parameters` is not a node, or if `title` is not a string.
        ValueError: If an option has an invalid value, or if `around` is not in the graph.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> x = Value(2.0, "x")
        >>> y = x * x
        >>> draw(y)
        <drawing: 2 nodes, 2 edges; call backward() to draw the gradients>
        >>> y.backward()
        >>> draw(y, theme="dark").source.splitlines()[0]
        'digraph tinygraph {'
    """
    require_node(root, "draw: root")
    one_of("theme", theme, get_args(ThemeName))
    one_of("detail", detail, DETAILS)
    one_of("direction", direction, get_args(Direction))
    one_of("notation", notation, get_args(Notation))
    check_kind("title", title, str, "a str")
    if engine is not None:
        check_kind("engine", engine, str, "a str or None")
        if "\0" in engine:
            raise ValueError(f"engine must be the name of a program, not {engine!r}")
    _check_numbers(number, depth, timeout)
    marked = listed("parameters", parameters, Node, "a node of a graph")
    walk = Walk(root, root.grad)
    near = None if around is None else neighborhood(walk.nodes, walk.node(around, "around"), depth)
    shown, arrows = _shown(walk, Style(number, notation, set(marked)), detail, near)
    return Drawing(walk.nodes, shown, Layout(theme, arrows, direction, title, legend), engine, timeout)


def _check_numbers(number: str, depth: int, timeout: float | None) -> None:
    try:
        format(1.0, number)
    except (ValueError, TypeError):
        raise ValueError(f"number must be a format for floats, such as '.4g', not {number!r}") from None
    check_integer("depth", depth, least=0)
    if timeout is not None:
        check_positive("timeout", timeout)


def _shown(walk: Walk, style: Style, detail: str, near: Collection[Node] | None) -> tuple[Diagram, str]:
    """Return the diagram, and the level of detail of its arrows."""
    if near is not None and detail in ("folded", "scopes"):
        raise ValueError(f"detail={detail!r} cannot be combined with around=")
    if detail == "folded":
        return folded(walk, style, FULL), "plain"
    if detail == "scopes":
        return folded_scopes(walk, style), "plain"
    if detail == "auto":
        nodes = walk.nodes if near is None else near
        size = len(nodes) + sum(len(node.args) - len(node.operands) for node in nodes)
        if size > LARGEST and near is None:
            return folded(walk, style, FULL), "plain"
        detail = detail_for(size)
    return diagram(walk, style, near), detail


def detail_for(size: int) -> str:
    """Return the level of detail that "auto" uses for the given number of boxes.

    Args:
        size: Number of boxes.

    Returns:
        "full", "contributions" or "plain".
    """
    return "full" if size <= FULL else "contributions" if size <= CONTRIBUTIONS else "plain"
