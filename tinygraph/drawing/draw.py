"""`draw`: how much of a graph is shown, and how; and the drawing that comes of it."""

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
from tinygraph.engine.graph import Node
from tinygraph.explaining.tree import in_text
from tinygraph.explaining.walk import Walk
from tinygraph.support.files import write_whole
from tinygraph.support.messages import one_of

ThemeName = Literal["light", "dark", "auto"]
Detail = Literal["auto", "full", "contributions", "plain", "folded", "scopes"]
Direction = Literal["LR", "TB"]
Notation = Literal["dJ/dv", "dv"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
FULL, CONTRIBUTIONS, LARGEST = 60, 200, 600  # boxes, up to which "auto" shows so much; more are folded
LINES = 60  # of the text tree that a notebook shows where there is no engine


class Drawing:
    """A diagram of a graph, laid out when it is first shown or saved.

    `source` is its DOT text, `digraph` the graphviz package's object. In a notebook it shows itself.
    """

    def __init__(
        self, nodes: Sequence[Node], shown: Diagram, layout: Layout, engine: str | None, timeout: float | None
    ) -> None:
        self._nodes, self._diagram, self._layout = nodes, shown, layout
        self._engine, self._timeout = engine, timeout
        self.digraph: graphviz.Digraph = digraph(shown, layout)

    @property
    def source(self) -> str:
        """The DOT text: the same for the same program."""
        return str(self.digraph.source)

    @cached_property
    def _svg(self) -> str:
        return layout_engines.svg(self.source, self._engine, self._timeout, self._layout.theme == "auto")

    def svg(self) -> str:
        """Return the SVG element as text, to put into a page; its ids are its own.

        Raises:
            EngineNotFoundError: If Graphviz is not installed.
            LayoutError: If it takes too long.
        """
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the diagram to a file, whole or not at all.

        Args:
            path: File to write. Its suffix gives the format: .svg, .png, .pdf, and .dot or .gv, which need no Graphviz.

        Returns:
            The path.

        Raises:
            ValueError: If the file has another suffix.
            EngineNotFoundError: If Graphviz is not installed.
            LayoutError: If it takes too long.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in layout_engines.FORMATS:
            known = ", ".join(f".{name}" for name in layout_engines.FORMATS)
            raise ValueError(f"{path.name!r} does not end in a format to save as: {known}")
        if kind in layout_engines.TEXT_FORMATS:
            data = self.source.encode()
        elif kind == "svg":
            data = b'<?xml version="1.0" encoding="UTF-8"?>\n' + self.svg().encode()
        else:
            data = layout_engines.render(self.source, kind, self._engine, self._timeout)
        write_whole(path, data)
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """What a notebook shows: the diagram, or the text tree if Graphviz cannot draw it."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (EngineNotFoundError, LayoutError) as error:
            text = in_text(self._nodes, LINES, False, lambda node: node.grad)
            return {"text/plain": f"{text}\n\n(no picture: {error})"}

    def __repr__(self) -> str:
        red = sum(arrow.back is not None for arrow in self._diagram.arrows)
        back = f", {red} back" if self._diagram.backward else "; call backward() for the red ones"
        name = f" of {self._diagram.root}" if self._diagram.root else ""
        return f"<drawing{name}: {len(self._diagram.boxes)} cards, {len(self._diagram.arrows)} arrows forward{back}>"


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
    """Draw the graph of a node: values on blue arrows forward, derivatives on red arrows back.

    Before `backward()` there is no red. After it, each red arrow shows upstream × local = contribution, and each box
    the sum: a separate pass from this root, seeded with its gradient. A stored `.grad` that is something else
    (from another root, accumulated, set by hand) is shown beside the sum.

    Args:
        root: Node to draw, with everything that it was computed from.
        theme: Colors; "auto" follows the reader's browser.
        detail: What arrows show: "full" the chain rule, "contributions" its result, "plain" nothing. "folded" makes
            one box of isomorphic parts, "scopes" one of each scope. "auto" depends on the size (60, 200, 600 boxes).
        direction: From left to right ("LR") or from top to bottom ("TB").
        parameters: Nodes that are drawn as parameters.
        title: Text above the diagram.
        legend: Whether the colors are explained above the diagram.
        around: Node; only nodes within `depth` arrows of it are drawn.
        depth: How far the diagram reaches around that node.
        number: Format of floats.
        notation: How derivatives are written: "dJ/dv", or "dv" as in the lecture's code.
        engine: Graphviz executable. By default the first that is found.
        timeout: Seconds that the layout may take; None for no limit.

    Returns:
        The drawing, which a notebook shows; `save` writes it to a file.

    Raises:
        ValueError: If an option has a value that does not exist.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> x = Value(2.0, "x")
        >>> y = x * x
        >>> draw(y)
        <drawing: 2 cards, 2 arrows forward; call backward() for the red ones>
        >>> y.backward()
        >>> draw(y, theme="dark").source.splitlines()[0]
        'digraph tinygraph {'
    """
    if not isinstance(root, Node):
        raise TypeError(f"draw takes a node of a graph (a Value or a Tensor), not {root!r}")
    one_of("theme", theme, get_args(ThemeName))
    one_of("detail", detail, DETAILS)
    one_of("direction", direction, get_args(Direction))
    one_of("notation", notation, get_args(Notation))
    _check_numbers(number, depth, timeout)
    marked = [parameters] if isinstance(parameters, Node) else list(parameters)
    if not all(isinstance(node, Node) for node in marked):
        raise TypeError("parameters are nodes of the graph: parameters=[w, b]")
    walk = Walk(root, root.grad)
    near = None if around is None else neighborhood(walk.nodes, around, depth)
    shown, arrows = _shown(walk, Style(number, notation, set(marked)), detail, near)
    return Drawing(walk.nodes, shown, Layout(theme, arrows, direction, title, legend), engine, timeout)


def _check_numbers(number: str, depth: int, timeout: float | None) -> None:
    try:
        format(1.0, number)
    except (ValueError, TypeError):
        raise ValueError(f"number must be a format of floats such as '.4g', not {number!r}") from None
    if not isinstance(depth, int) or depth < 0:
        raise ValueError(f"depth counts steps from the node, so it is 0 or more, not {depth!r}")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout is a number of seconds, or None for no limit, not {timeout!r}")


def _shown(walk: Walk, style: Style, detail: str, near: Collection[Node] | None) -> tuple[Diagram, str]:
    """The diagram, and what its arrows show."""
    if near is not None and detail in ("folded", "scopes"):
        raise ValueError(f"around= draws nodes as they are, so detail={detail!r} does not go with it")
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
    """Return how much the arrows of so many boxes can show."""
    return "full" if size <= FULL else "contributions" if size <= CONTRIBUTIONS else "plain"
