"""`worksheet`: the diagram of a graph with blanks to fill in, and its answer key."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tinygraph.drawing.diagram import diagram
from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.options import DrawOptions
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining.step import Steps
from tinygraph.explaining.walk import Walk
from tinygraph.support.arguments import as_path
from tinygraph.support.files import PAGES, write_whole
from tinygraph.support.messages import counted, one_of
from tinygraph.worksheets.blanks import BLANKS, Blanks, Question, filled, questions_of, texts_of
from tinygraph.worksheets.html_page import page


class Worksheet:
    """A diagram with blanks to fill in, from `worksheet`. A notebook displays the diagram.

    Args:
        root: Root of the graph.
        blanks: What to fill in: "values", "gradients" or "both".
        options: Options of the drawing.

    Attributes:
        questions: Blanks, each with its answer.
    """

    def __init__(self, root: Node, blanks: Blanks, options: DrawOptions) -> None:
        self._steps = Steps(Walk(root, None if blanks == "values" else 1.0), "both")
        self._blanks, self._options = blanks, options
        self.questions: tuple[Question, ...] = tuple(questions_of(self._steps, blanks))

    def _drawing(self, options: DrawOptions, *, with_answers: bool) -> Drawing:
        walk = self._steps.walk
        answers = texts_of(self.questions, options.number) if with_answers else {}
        shown = filled(diagram(walk, options.style), self.questions, self._blanks, answers)
        return Drawing([walk.nodes], shown, Appearance(options, "plain"))

    @property
    def drawing(self) -> Drawing:
        """The diagram with blanks, without the answers."""
        return self._drawing(self._options, with_answers=False)

    @property
    def key(self) -> Drawing:
        """The answer key: the same diagram with the answers. Call its `save` to write it to a file."""
        return self._drawing(self._options, with_answers=True)

    def page(self) -> str:
        """Return the worksheet as an HTML page that checks the answers.

        The page needs no other file and no network access. The answers are in its source text, but are not shown.

        Returns:
            The page as text.

        Raises:
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        drawing = self._drawing(replace(self._options, title=""), with_answers=False)  # the page has a heading
        return page(drawing, self.questions, self._steps, self._options)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the worksheet to a file, without the answers. Missing folders are created.

        Args:
            path: File to write. The suffix selects the format: .html or .htm for a page that checks the answers, or a
                format of `Drawing.save`, such as .svg, .png or .pdf, for paper.

        Returns:
            The path.

        Raises:
            ValueError: If the suffix of `path` does not select a format.
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        path = as_path("path", path)
        if path.suffix.lower() not in PAGES:
            return self.drawing.save(path)
        write_whole(path, self.page().encode())
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """Return the output of a notebook cell. Without Graphviz, it is the repr, since a text tree has the answers."""
        found = self.drawing._repr_mimebundle_()
        return found if "image/svg+xml" in found else {"text/plain": repr(self)}

    def __repr__(self) -> str:
        name = self._steps.walk.root.name
        return f"<worksheet{f' of {name}' if name else ''}: {counted(len(self.questions), 'blank')}>"


def worksheet(root: Node, blanks: Blanks = "both", **options: object) -> Worksheet:
    """Return a worksheet: the diagram of a graph with blanks to fill in, and a separate answer key.

    The inputs are given, and so is the gradient of the root, which is 1. `.grad` is neither read nor written.
    `worksheets.exercise` draws graphs of small integers for worksheets.

    Args:
        root: Root of a graph of scalars.
        blanks: What to fill in: the forward "values", the "gradients", or "both". Defaults to "both".
        **options: Options of `draw`, such as `title`, `theme`, `direction` and `width`.

    Returns:
        A `Worksheet`. Its `save` method writes an SVG, PDF or HTML file, and its attribute `key` is the answer key.

    Raises:
        TypeError: If `root` is not a node, or if an option is unknown or has the wrong type.
        ValueError: If an option has an invalid value, if a node is not a scalar, or if there is nothing to fill in.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> b, c = Value(3.0, "b"), Value(2.0, "c")
        >>> u = b * c
        >>> u.name = "u"
        >>> sheet = worksheet(u)
        >>> [(question.number, question.symbol, question.answer) for question in sheet.questions]
        [(1, 'u', 6.0), (2, 'du/db', 2.0), (3, 'du/dc', 3.0)]
        >>> sheet.key.save("key.svg")  # doctest: +SKIP
    """
    require_node(root, "worksheet: root")
    one_of("blanks", blanks, BLANKS)
    chosen = DrawOptions(**{"legend": False, **options})  # type: ignore[arg-type]
    return Worksheet(root, blanks, chosen)
