"""`Drawing`: a diagram that you can show, embed and save."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import graphviz

from tinygraph.drawing import layout_engines
from tinygraph.drawing.diagram import Diagram
from tinygraph.drawing.layout_engines import EngineNotFoundError, FormatError, LayoutError
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.dot import digraph
from tinygraph.drawing.rendering.glyphs import with_all_glyphs
from tinygraph.drawing.rendering.svg import PIXEL, canvas, finished, natural_size
from tinygraph.engine.graph import Node, StaleGraphError, check_fresh
from tinygraph.explaining.tree import in_text
from tinygraph.support.arguments import as_path
from tinygraph.support.files import write_whole
from tinygraph.support.messages import counted

LINES = 60  # lines of the text tree that a notebook shows without Graphviz
_RESOLUTION = 192.0  # dots per inch of a .png file, unless an option determines its size


class Drawing:
    """A diagram of a graph. Graphviz lays out the diagram when you first show or save it.

    A notebook displays a drawing automatically. `draw` returns drawings, so you rarely create one with this class.

    Args:
        nodes: Nodes of each graph, in reverse topological order.
        shown: Boxes and arrows to lay out.
        look: Options, with the level of detail of the arrows.

    Attributes:
        digraph: The diagram as an object of the graphviz package.
    """

    def __init__(self, nodes: Sequence[Sequence[Node]], shown: Diagram, look: Appearance) -> None:
        self._nodes, self._diagram, self._look = nodes, shown, look
        self.digraph: graphviz.Digraph = digraph(shown, look)

    @property
    def source(self) -> str:
        """The DOT text. The same program always produces the same DOT text."""
        return str(self.digraph.source)

    @cached_property
    def _layout(self) -> tuple[str, tuple[str, ...]]:
        return layout_engines.svg(self.source, self._look.options.engine, self._look.options.timeout)

    @cached_property
    def _svg(self) -> str:
        return finished(self._layout[0], self.source, self._look)

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

        An existing file is replaced only when the new content is complete. Missing folders are created.

        Args:
            path: File to write. The suffix selects the format: .svg, .png or .pdf. The suffixes .dot and .gv select
                the DOT text, which needs no Graphviz. If the layout engine cannot write .png or .pdf, the package
                cairosvg writes it.

        Returns:
            The path.

        Raises:
            ValueError: If the suffix of `path` does not select a format, or if a .png file would be too large.
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
            data = self._image(kind)
        write_whole(path, data)
        return path

    def show(self) -> Path:
        """Open the diagram in the default viewer of SVG files, usually the browser.

        The diagram is written to a temporary file, which stays on the disk until the system removes it.

        Returns:
            The path of the temporary file.

        Raises:
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
            RuntimeError: If the system has no viewer.
        """
        path = self.save(Path(tempfile.mkdtemp(prefix="tinygraph-")) / "diagram.svg")
        if not webbrowser.open(path.as_uri()):
            raise RuntimeError(f"no viewer was found: open {path} yourself, or call save with a path of your choice")
        return path

    def _image(self, kind: str) -> bytes:
        """Return the diagram as a .png or .pdf file."""
        options = self._look.options
        resolution = options.dpi or (1 / PIXEL * 72 if options.resizes else _RESOLUTION)
        resizes = options.resizes or resolution > _RESOLUTION  # otherwise, the size of the layout is not needed
        if kind == "png" and resizes:
            width, height, _ = canvas(natural_size(self._layout[0]), self._look)
            layout_engines.check_pixels(width * PIXEL / 72 * resolution, height * PIXEL / 72 * resolution)
        engine = layout_engines.chosen_engine(options.engine)
        if engine is None or isinstance(engine, str):
            # Without a margin of 0, Graphviz adds half an inch on each side of a page.
            settings = [f"-Gdpi={resolution:g}" if kind == "png" else "-Gmargin=0"]
            if options.resizes:
                layout, used = self._layout
                width, height, factor = canvas(natural_size(layout), self._look)
                settings += [f"-Gviewport={width * PIXEL:.4f},{height * PIXEL:.4f},{factor:.6f}", *used]
            try:
                return layout_engines.lay_out(self.source, kind, engine, options.timeout, settings)[0]
            except FormatError as error:
                refused = str(error)
        else:
            refused = f"the layout engine is a function, which cannot write {kind}: save as .svg"
        return layout_engines.from_svg(with_all_glyphs(self.svg()), kind, resolution, refused)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """Return the output of a notebook cell: the diagram, or the text tree if Graphviz cannot draw the diagram."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (EngineNotFoundError, LayoutError) as error:
            try:
                text = "\n\n".join(map(_tree, self._nodes))
            except StaleGraphError as stale:
                text = str(stale)
            return {"text/plain": f"{text}\n\n(no diagram: {error})"}

    def __repr__(self) -> str:
        red = "" if self._diagram.backward else "; call backward() to draw the gradients"
        name = f" of {self._diagram.root}" if self._diagram.root else ""
        nodes, edges = counted(len(self._diagram.boxes), "node"), counted(len(self._diagram.arrows), "edge")
        return f"<drawing{name}: {nodes}, {edges}{red}>"


def _tree(nodes: Sequence[Node]) -> str:
    check_fresh(nodes)
    return in_text(nodes, LINES, False, lambda node: node.grad)
