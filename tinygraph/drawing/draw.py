"""`draw`: a drawing of a graph, with the options that you choose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import Diagram, diagram, neighborhood, ranks_crossed
from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.folded import folded, folded_scopes
from tinygraph.drawing.folding import sums
from tinygraph.drawing.layout_engines import TIME_LIMIT
from tinygraph.drawing.options import BODY, Detail, Direction, DrawOptions, Engine, Notation, ThemeName
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.side_by_side import side_by_side
from tinygraph.drawing.themes import FONT
from tinygraph.engine.graph import Node
from tinygraph.explaining.textbook.remembering import remembered_texts
from tinygraph.explaining.walk import Walk
from tinygraph.support.arguments import check_integer, listed
from tinygraph.support.collector import collector_paused

FULL, CONTRIBUTIONS, LARGEST = 60, 200, 600  # maximum number of boxes for "full", "contributions" and "plain"
MOST_RANKS = 12_000  # maximum number of ranks that all arrows cross, which determines the time of a layout
_WITH_TEXT = 12  # factor for arrows with text, which need four times the places and a layout without shortcuts


def draw(
    root: Node | Sequence[Node],
    *,
    theme: ThemeName | Mapping[str, object] = "light",
    detail: Detail = "auto",
    direction: Direction = "LR",
    parameters: Iterable[Node] = (),
    title: str = "",
    legend: bool = True,
    around: Node | None = None,
    depth: int = 2,
    number: str = ".4g",
    notation: Notation = "dJ/dv",
    compact: bool = False,
    constants: bool = True,
    backward: bool = True,
    heatmap: bool = False,
    width: float | None = None,
    height: float | None = None,
    scale: float = 1.0,
    font: str = FONT,
    font_size: float = BODY,
    background: str | None = None,
    dpi: float | None = None,
    fold_sums: bool | None = None,
    plain_names: bool = False,
    engine: Engine = None,
    timeout: float | None = TIME_LIMIT,
) -> Drawing:
    """Draw a node's computational graph: blue arrows carry values forward, and red arrows carry derivatives back.

    Before `backward()`, there are no red arrows. Afterward, each red arrow shows upstream × local = contribution, and
    each box shows the sum of its contributions. The contributions and sums come from a separate pass, whose seed is the
    stored gradient of `root`. A stored `.grad` can differ from the sum, for example after a manual edit, after
    `backward()` from another root, or with `accumulate=True`. The box then shows the stored gradient and the sum.

    Args:
        root: Node to draw, together with all nodes that it was computed from. A sequence of nodes is drawn side by side
            (with the direction "LR", one below the other), and boxes with the same name or expression are aligned.
        theme: Colors: "light", "dark", or "auto", which follows the setting of the browser. A dictionary replaces
            colors of the theme under its key "base", for example {"base": "dark", "forward": "#ffcc00"}. Its other keys
            are "background", "ink", "muted", "forward" and "backward", each with a color, and "operation", "input",
            "parameter", "constant", "output" and "scope", each with a pair (fill, border). A warning names a text that
            is hard to read on its background. Defaults to "light".
        detail: Text on the arrows: "full" shows the chain rule in symbols and numbers, "contributions" shows only the
            numbers, and "plain" shows no text. "folded" draws isomorphic parts as one box, and "scopes" draws each
            scope as one box. "auto", the default, uses "full" for up to 60 boxes, "contributions" for up to 200 boxes,
            "plain" for up to 600 boxes, and otherwise "folded". It shows less if many long arrows, such as those from
            the weights of a recurrence, would make the layout slow.
        direction: "LR" for left to right, or "TB" for top to bottom. Defaults to "LR".
        parameters: Nodes to draw in the color of parameters.
        title: Text above the diagram.
        legend: If true, a legend above the diagram explains the colors.
        around: Center of a partial diagram, which contains only nodes within `depth` arrows of the center. By default,
            the whole graph is drawn.
        depth: Maximum number of arrows between `around` and a drawn node. Defaults to 2.
        number: Format of floats, as for `format`. Defaults to ".4g".
        notation: Notation of derivatives: "dJ/dv", or "dv", as in the lecture's code. Defaults to "dJ/dv".
        compact: If true, a box shows the symbol of its op instead of an expression, and its value and its gradient
            without captions. With `detail="auto"`, arrows have no text. Defaults to false.
        constants: If false, literals and constant nodes are not drawn. Defaults to true.
        backward: If false, the drawing shows only the forward pass, at the same positions as the whole drawing.
            Defaults to true.
        heatmap: If true, arrays with up to 100 elements are also drawn as grids, in which larger elements have a
            stronger color. Defaults to false.
        width: Width of the drawing in pixels, 96 per inch. The text grows with the drawing.
        height: Height of the drawing in pixels. With `width` and `height`, for example 1920 and 1080 for a slide, the
            diagram is as large as possible, in the center.
        scale: Factor that enlarges the drawing. Defaults to 1.
        font: Name of a font that is installed. Defaults to "Arial".
        font_size: Size of names and values in points. All other text grows in proportion. Defaults to 13.
        background: Color of the background, or "transparent". Defaults to the background of the theme.
        dpi: Dots per inch of a .png file. Defaults to 96 with `width`, `height` or `scale`, so that a pixel of the
            drawing is a pixel of the file, and otherwise to 192.
        fold_sums: If true, draw a chain of additions as one box. If false, draw each addition. By default, additions
            without a name become part of the sum that uses them.
        plain_names: If true, show names as they are. By default, an index is set below the line and a Greek word as a
            letter: `w_1` and `w1` as w₁, and `sigma` as σ.
        engine: Graphviz executable, or a function from DOT text to SVG text. Defaults to the first executable that is
            found.
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
    options = DrawOptions(
        theme=theme, detail=detail, direction=direction, parameters=parameters, title=title, legend=legend,
        number=number, notation=notation, compact=compact, constants=constants, backward=backward, heatmap=heatmap,
        width=width, height=height, scale=scale, font=font, font_size=font_size, background=background, dpi=dpi,
        fold_sums=fold_sums, plain_names=plain_names, engine=engine, timeout=timeout,
    )  # fmt: skip
    check_integer("depth", depth, least=0)
    roots = listed("root", root, Node, "a node of a graph")
    if not roots:
        raise ValueError("root must be a node of a graph or a sequence of them, not an empty sequence")
    return drawing_of([Walk(x, x.grad) for x in roots], options, around, depth)


@collector_paused()
def drawing_of(walks: Sequence[Walk], options: DrawOptions, around: Node | None = None, depth: int = 2) -> Drawing:
    """Return the drawing of one or several backward passes.

    Args:
        walks: Backward passes that give the gradients.
        options: Options of the drawing.
        around: Center of a partial diagram, or None for the whole graph.
        depth: Maximum number of arrows between `around` and a drawn node.

    Returns:
        The drawing.

    Raises:
        ValueError: If `around` is not in the graph, or is given with several graphs.
    """
    near: Collection[Node] | None = None
    if around is not None:
        if len(walks) > 1:
            raise ValueError("around= cannot be combined with several roots: draw one root")
        near = neighborhood(walks[0].nodes, walks[0].node(around, "around"), depth)
        if options.detail in ("folded", "scopes"):
            raise ValueError(f"detail={options.detail!r} cannot be combined with around=")
    detail = str(options.detail) if options.detail != "auto" else _level(walks, near, options)
    with remembered_texts():
        diagrams = [_shown(walk, options.style, detail, near, options.fold_sums) for walk in walks]
    shown = diagrams[0] if len(diagrams) == 1 else side_by_side(diagrams, options.direction)
    text = "plain" if detail in ("folded", "scopes") else detail
    return Drawing([walk.nodes for walk in walks], shown, Appearance(options, text))


def _shown(walk: Walk, style: Style, detail: str, near: Collection[Node] | None, fold_sums: bool | None) -> Diagram:
    if detail == "folded":
        return folded(walk, style, FULL)
    if detail == "scopes":
        return folded_scopes(walk, style)
    within = {} if near is not None or fold_sums is False else sums(walk.nodes, named=bool(fold_sums))
    return diagram(walk, style, near, within=within)


def _level(walks: Sequence[Walk], near: Collection[Node] | None, options: DrawOptions) -> str:
    """Return the level of detail that "auto" stands for."""
    size = ranks = 0
    for walk in walks:
        nodes = walk.nodes if near is None else near
        size += len(nodes) + sum(len(node.args) - len(node.operands) for node in nodes)
        ranks += ranks_crossed(walk.nodes, nodes)
    if near is None and (size > LARGEST or ranks > MOST_RANKS):
        return "folded"
    if ranks > MOST_RANKS / _WITH_TEXT:
        return "plain"
    return detail_for(size, options)


def detail_for(size: int, options: DrawOptions) -> str:
    """Return the level of detail that "auto" uses for the given number of boxes.

    Args:
        size: Number of boxes.
        options: Options of the drawing.

    Returns:
        "full", "contributions", "arrows" or "plain".
    """
    if options.compact and size <= CONTRIBUTIONS:
        return "arrows"
    return "full" if size <= FULL else "contributions" if size <= CONTRIBUTIONS else "plain"
