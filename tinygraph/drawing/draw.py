"""`draw`: how much of a graph is shown, and how; and the drawing that comes of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tinygraph.drawing import layout_engines
from tinygraph.drawing.diagram import Picture, Style, neighbourhood, picture
from tinygraph.drawing.dot import Layout, digraph
from tinygraph.drawing.folded import folded, folded_scopes
from tinygraph.drawing.layout_engines import TIME_LIMIT, EngineNotFoundError, LayoutError
from tinygraph.engine.graph import Node, order
from tinygraph.explaining.tree import tree
from tinygraph.support.messages import one_of

DETAILS = ("auto", "full", "contributions", "plain", "folded", "scopes")
FULL, CONTRIBUTIONS, LARGEST = 60, 200, 600  # cards, up to which "auto" shows so much; more are folded
LINES = 60  # of the text tree that a notebook shows where there is no engine


class Drawing:
    """A picture of a graph, laid out when it is first shown or saved.

    `source` is its DOT text, `digraph` the graphviz package's object. In a notebook it shows itself.
    """

    def __init__(self, root: Node, shown: Picture, layout: Layout, engine: str | None, timeout: float | None) -> None:
        self._root, self._picture, self._layout = root, shown, layout
        self._engine, self._timeout = engine, timeout
        self.digraph: Any = digraph(shown, layout)

    @property
    def source(self) -> str:
        """The DOT text: the same for the same program."""
        return str(self.digraph.source)

    @cached_property
    def _svg(self) -> str:
        return layout_engines.svg(self.source, self._engine, self._timeout, self._layout.theme == "auto")

    def svg(self) -> str:
        """The SVG element as text, to put into a page; its ids are its own.

        Raises EngineNotFoundError where there is no Graphviz, LayoutError where it takes too long.
        """
        return self._svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; the suffix says the format: .svg, .png, .pdf, and .dot or .gv, which need no engine.

        The file is written whole or not at all. Raises ValueError for another suffix, and as `svg`.
        """
        from tinygraph.support.files import write_whole

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

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """What a notebook shows: the picture, or where none can be made the text tree."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (EngineNotFoundError, LayoutError) as error:
            return {"text/plain": f"{tree(self._root, lines=LINES, ascii=False)}\n\n(no picture: {error})"}

    def __repr__(self) -> str:
        red = sum(arrow.back is not None for arrow in self._picture.arrows)
        back = f", {red} back" if self._picture.backward else "; call backward() for the red ones"
        name = f" of {self._picture.root}" if self._picture.root else ""
        return f"<drawing{name}: {len(self._picture.cards)} cards, {len(self._picture.arrows)} arrows forward{back}>"


def draw(
    root: Node,
    *,
    theme: Literal["light", "dark", "auto"] = "light",
    detail: Literal["auto", "full", "contributions", "plain", "folded", "scopes"] = "auto",
    direction: Literal["LR", "TB"] = "LR",
    parameters: Iterable[Node] = (),
    title: str = "",
    legend: bool = True,
    around: Node | None = None,
    depth: int = 2,
    number: str = ".4g",
    notation: Literal["dJ/dv", "dv"] = "dJ/dv",
    engine: str | None = None,
    timeout: float | None = TIME_LIMIT,
) -> Drawing:
    """Draw the graph of a node: values on blue arrows forward, derivatives on red arrows back.

    Before `backward()` there is no red. After it, each red arrow says upstream × local = contribution, and each card
    the sum: a pass of its own from this root, seeded with its gradient. A stored `.grad` that is something else
    (from another root, accumulated, set by hand) stands beside the sum.

    `detail` is how much arrows say: "full" the chain rule, "contributions" its result, "plain" nothing. "folded" makes
    one card of isomorphic parts, "scopes" one of each scope. "auto" goes by size (60, 200 and 600 cards).
    `parameters` are drawn as such. `around` draws the nodes within `depth` steps of one. `number` is a format of
    floats, `notation` how derivatives are called: "dJ/dv", or "dv" as in the lecture's code. `engine` is the program
    that lays out, for `timeout` seconds at most. Raises ValueError for an option that does not exist, StaleGraphError
    like `backward`.

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
    one_of("theme", theme, ("light", "dark", "auto"))
    one_of("detail", detail, DETAILS)
    one_of("direction", direction, ("LR", "TB"))
    one_of("notation", notation, ("dJ/dv", "dv"))
    try:
        format(1.0, number)
    except (ValueError, TypeError):
        raise ValueError(f"number must be a format of floats such as '.4g', not {number!r}") from None
    if not isinstance(depth, int) or depth < 0:
        raise ValueError(f"depth counts steps from the node, so it is 0 or more, not {depth!r}")
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout is a number of seconds, or None for no limit, not {timeout!r}")
    marked = [parameters] if isinstance(parameters, Node) else list(parameters)
    if not all(isinstance(node, Node) for node in marked):
        raise TypeError("parameters are nodes of the graph: parameters=[w, b]")
    style = Style(number, notation, set(marked))
    near = None if around is None else neighbourhood(root, around, depth)
    shown, detail = _shown(root, style, detail, near)
    return Drawing(root, shown, Layout(theme, detail, direction, title, legend), engine, timeout)


def _shown(root: Node, style: Style, detail: Any, near: Collection[Node] | None) -> tuple[Picture, Any]:
    if near is not None and detail in ("folded", "scopes"):
        raise ValueError(f"around= draws nodes as they are, so detail={detail!r} does not go with it")
    if detail == "folded":
        return folded(root, style, FULL), "plain"
    if detail == "scopes":
        return folded_scopes(root, style), "plain"
    if detail == "auto":
        nodes = order(root) if near is None else near
        size = len(nodes) + sum(len(node.args) - len(node.operands) for node in nodes)
        if size > LARGEST and near is None:
            return folded(root, style, FULL), "plain"
        detail = detail_for(size)
    return picture(root, style, near), detail


def detail_for(size: int) -> str:
    """How much the arrows of so many cards can say."""
    return "full" if size <= FULL else "contributions" if size <= CONTRIBUTIONS else "plain"
