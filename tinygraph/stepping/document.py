"""The SVG document of a pass: the graph is laid out once, and the texts that depend on the step are marked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tinygraph.drawing.diagram import Box, Diagram, diagram
from tinygraph.drawing.draw import LARGEST, detail_for
from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.options import EVERY_NODE, DrawOptions
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.dot import scope_ids
from tinygraph.drawing.rendering.heatmap import Levels
from tinygraph.drawing.themes import Theme
from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.step import Steps
from tinygraph.stepping.captions import text_width
from tinygraph.support.messages import one_of

XMLNS = ' xmlns="http://www.w3.org/2000/svg"'


def marked(steps: Steps, options: DrawOptions) -> tuple[Element, Diagram]:
    """Lay out the graph of a pass, and mark the texts of each box that depend on the step.

    A gradient gets as much space as the longest number that it shows. The document has no tooltips, which would show
    the results of later steps.

    Args:
        steps: Steps of the pass.
        options: Options of the drawing, except for its size.

    Returns:
        The SVG document in its natural size, and the diagram.
        Texts have the class "value", "grad", or "late" for a note that is correct only after all contributions.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
        ValueError: If the diagram has more than 600 boxes, or if `options` folds it or hides the pass.
    """
    drawing, shown, boxes = drawing_of(steps, options)
    colors = Appearance(options).theme
    root = ElementTree.fromstring(drawing.svg().replace(XMLNS, "", 1))  # without it, the names of tags are short
    _simplify(root)
    groups = groups_of(root)
    ids = set(shown.ids.values())
    for box in boxes:
        if box.id in ids:
            _mark(list(groups[box.id].iter("text")), box, colors)
            _mark_grids(outlines(groups[box.id])[1:], box.levels)
    _keep_used_rules(root, {colors.background, colors.muted, colors.forward, colors.backward})
    return root, shown


def drawing_of(steps: Steps, options: DrawOptions) -> tuple[Drawing, Diagram, list[Box]]:
    """Return the drawing of a pass before its layout, with space for every gradient that a box shows.

    Args:
        steps: Steps of the pass.
        options: Options of the drawing, except for its size.

    Returns:
        The drawing, the diagram, and the boxes as the drawing shows them.

    Raises:
        ValueError: If the diagram has more than 600 boxes, or if `options` folds it or hides the pass.
    """
    if not options.backward and steps.walk.seed is not None:
        raise ValueError("backward=False cannot be combined with the steps of a backward pass: use phase='forward'")
    if options.fold_sums:
        raise ValueError("fold_sums=True cannot be combined with a walkthrough, in which each addition is a step")
    if options.detail not in EVERY_NODE:
        one_of("the detail of a walkthrough, which shows every node,", options.detail, EVERY_NODE)
    walk = steps.walk
    shown = diagram(walk, options.style)
    if len(shown.boxes) > LARGEST:
        raise ValueError(
            f"a player shows at most {LARGEST} nodes, got {len(shown.boxes):,}: step through a smaller "
            "graph, or use repl() in the terminal"
        )
    nodes = {key: node for node, key in shown.ids.items()}
    widest = {key: _widest(steps, node, options.number) for key, node in nodes.items() if not node.constant}
    # A stored `.grad` belongs to another pass than the one that is shown.
    boxes = [box._replace(grad=widest.get(box.id, box.grad), stored="") for box in shown.boxes]
    natural = replace(options, width=None, height=None, scale=1.0)
    detail = detail_for(len(boxes), options) if options.detail == "auto" else options.detail
    return Drawing([walk.nodes], replace(shown, boxes=boxes), Appearance(natural, detail)), shown, boxes


def appearances(steps: Steps, shown: Diagram) -> dict[str, int]:
    """Return when the literals and the scopes of a diagram appear during a forward pass.

    A literal appears with the node that it is an operand of, and a scope with its first box.

    Args:
        steps: Steps of the pass.
        shown: Diagram of the pass.

    Returns:
        The number of the step, by the id of the box or of the scope. What is there from the start is left out.
    """
    at = dict.fromkeys(shown.ids.values(), 0)
    at.update({shown.ids[node]: k for k, node in enumerate(steps.computed, 1) if node in shown.ids})
    literals = {arrow.tail: at.get(arrow.head, 0) for arrow in shown.arrows if arrow.tail not in at}
    at |= literals
    scopes = scope_ids(shown.boxes)
    first: dict[str, int] = {}
    for box in shown.boxes:
        for depth in range(1, len(box.scope) + 1):
            if (path := box.scope[:depth]) in scopes:
                key = scopes[path]
                first[key] = min(first.get(key, len(steps)), at.get(box.id, 0))
    return {key: k for key, k in (literals | first).items() if k}


def _mark(texts: list[Element], box: Box, colors: Theme) -> None:
    """Mark the value, the gradient and the notes of a box, in the order in which the box shows them."""
    data, spread, grad = (notation.clean(text or "") for text in (box.data, box.spread, box.grad))
    passed: set[str] = set()  # the marks so far: the colors alone do not tell them apart, since two can be the same
    for text in texts:
        fill, content = text.get("fill"), (text.text or "").strip()
        if fill == colors.forward and "value" not in passed and content == data:
            mark = "value"
        elif "value" in passed and "grad" not in passed and box.grad is not None and content == grad:
            mark = "grad"
        elif fill == colors.forward and content == spread:
            mark = "value"
        elif fill == colors.backward and "grad" in passed:
            mark = "late"
        else:
            continue
        passed.add(mark)
        text.set("class", mark)


def _mark_grids(cells: list[Element], levels: Levels) -> None:
    """Mark the cells of the grids of a box: first those of the value, and then those of the gradient."""
    values = sum(1 if level is None else 2 for row in levels for level in row)  # a cell is its area and its border
    for i, cell in enumerate(cells):
        cell.set("class", "value" if i < values else "late")


def gradients(steps: Steps, node: Node, spec: str) -> list[tuple[int, str]]:
    """Return the gradients that a box shows during a pass.

    Args:
        steps: Steps of the pass.
        node: Node of the box.
        spec: Format of numbers, as for `format`.

    Returns:
        Pairs of a position and the text that the box shows from this position on.
    """
    runs = [(0, "·")]
    if node is steps.walk.root:
        at = [len(steps.computed) + 1] if steps.walk.seed is not None else []
    else:
        at = [step.index for step in steps.into(node)]
    for k in at:
        number = notation.clean(notation.quantity(steps.gradient(node, k), spec))
        if number != runs[-1][1]:
            runs.append((k, number))
    return runs


def _widest(steps: Steps, node: Node, spec: str) -> str:
    return max((number for _, number in gradients(steps, node, spec)), key=lambda number: text_width(number, 1))


# --- the SVG document


def groups_of(root: Element) -> dict[str, Element]:
    """Return the groups of an SVG document by the ids of their boxes and arrows.

    Args:
        root: SVG element.

    Returns:
        The groups. The ids are those of the diagram, without the prefix that makes them unique on a page.
    """
    prefix = f"{root.get('id')}-"
    return {group.get("id", "").removeprefix(prefix): group for group in root.iter("g")}


def add_rules(root: Element, rules: Iterable[str]) -> None:
    """Add rules to the style sheet of an SVG document.

    Args:
        root: SVG element.
        rules: Rules in CSS.
    """
    style = next(root.iter("style"))
    style.text = "\n".join([style.text or "", *rules])


def svg_text(root: Element) -> str:
    """Return an SVG document as text, without an XML declaration.

    Args:
        root: SVG element.

    Returns:
        The text.
    """
    text = ElementTree.tostring(root, encoding="unicode")
    return text.replace("<svg", f"<svg{XMLNS}", 1)


def outlines(group: Element) -> list[Element]:
    """Return the lines and areas of a group.

    Args:
        group: Group of a box or an arrow.

    Returns:
        The elements. The outline of a box is the first of them.
    """
    return [shape for shape in group.iter() if shape.tag in ("path", "polygon", "polyline", "ellipse")]


def _keep_used_rules(root: Element, also: set[str]) -> None:
    """Remove the rules of the dark theme for colors that neither the document nor `also` contains."""
    used = also.union(*({element.get("fill", ""), element.get("stroke", "")} for element in root.iter()))
    style = next(root.iter("style"))
    rules = (style.text or "").split("\n")
    colors = [re.match(r'#\S+ \[(?:fill|stroke)="([^"]+)"\]', rule) for rule in rules]
    style.text = "\n".join(rule for rule, found in zip(rules, colors, strict=True) if not found or found[1] in used)


def _simplify(element: Element) -> None:
    """Remove tooltips, the titles of boxes and arrows, which contain ids, and digits that no screen shows."""
    for name in ("d", "points", "font-size"):
        if name in element.attrib:
            element.set(name, re.sub(r"\d+\.\d+", _rounded, element.attrib[name]))
    children: list[Element] = []
    for child in element:
        _simplify(child)
        if child.tag == "a" or (child.tag == "g" and child.get("id", "").rpartition("-")[2].startswith("a_")):
            children += child
        elif child.tag != "title":
            children.append(child)
    element[:] = children
    element.tail = "\n"
    if children:
        element.text = None


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
