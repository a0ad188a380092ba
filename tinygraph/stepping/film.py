"""`Film`: all steps of a pass in one SVG document, whose elements stay in place and change only their classes.

The graph is laid out once. Every number and every sentence that a step shows is in the document from the start, and
the classes of a frame hide all but those of its step. So the frames of a pass have one canvas, and nothing moves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from tinygraph.drawing.options import DrawOptions
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.svg import PIXEL, canvas
from tinygraph.engine.graph import Node
from tinygraph.explaining.step import Step
from tinygraph.stepping.captions import sentences, text_width, wrapped
from tinygraph.stepping.cursor import Cursor
from tinygraph.stepping.document import add_rules, appearances, gradients, groups_of, marked, outlines, svg_text

# The classes of an element that depend on the step. The style of a class applies to the element itself.
STATES = {
    "off": "visibility:hidden",  # a number or a sentence of another step
    "ahead": "opacity:.3",  # a box that is not computed yet
    "faint": "opacity:.1",  # an arrow that nothing has passed yet
    "gone": "opacity:0",  # the same, if the future is hidden
    "now": "stroke-width:2.8",  # an arrow of the current step
    "written": "stroke-width:4.2",  # the outline of the box that the current step writes
}
LONGEST_LINE = 620  # a diagram narrower than this becomes wider if its captions are longer, in points
MOST_LINES = 4  # lines of a caption


@dataclass
class Track:
    """An element of the document, and its class at each position, from 0 to the number of steps."""

    element: Element
    states: Sequence[str]
    base: str = ""  # the classes that do not change


class Film:
    """All steps of a pass in one SVG document.

    Args:
        cursor: Cursor of the pass. Its position does not matter.
        options: Options of the drawing.
        caption: If true, each frame contains the sentences of its step. Defaults to true.
        hide: If true, what happens later is invisible. By default, it is faint.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
        ValueError: If the diagram has more than 600 boxes, or if `options` folds it.

    Examples:
        >>> from tinygraph.engine.value import Value
        >>> film = Film(Cursor(Value(2.0, "x") * 3.0), DrawOptions())  # doctest: +SKIP
        >>> film.frame(0)[:4]  # doctest: +SKIP
        '<svg'
    """

    def __init__(self, cursor: Cursor, options: DrawOptions, *, caption: bool = True, hide: bool = False) -> None:
        self.steps, self.options, self.hide = cursor.steps.formatted(options.number), options, hide
        self.look = Appearance(options)
        self.root, self.shown = marked(self.steps, options)
        self.groups = groups_of(self.root)
        self.tracks: list[Track] = []
        self._add_boxes()
        self._add_arrows()
        self._add_captions(caption)
        add_rules(self.root, (f".{name}{{{declared}}}" for name, declared in STATES.items()))

    @property
    def positions(self) -> range:
        """The positions that have a frame: 0 is the start, and k is the result of the first k steps."""
        return range(len(self.steps) + 1)

    def frame(self, k: int) -> str:
        """Return the SVG element of a position.

        Args:
            k: Number of steps that have happened.

        Returns:
            The SVG element.
        """
        self.apply(track.states[k] for track in self.tracks)
        return svg_text(self.root)

    def apply(self, states: Iterable[str]) -> None:
        """Set the class of each track.

        Args:
            states: One class per track, or "".
        """
        for track, state in zip(self.tracks, states, strict=True):
            classes = f"{track.base} {state}".strip()
            if classes:
                track.element.set("class", classes)
            else:
                track.element.attrib.pop("class", None)

    # --- the tracks

    def _add(self, element: Element, states: Iterable[str]) -> None:
        """Add an element unless it looks the same at every position."""
        track = Track(element, list(states), element.get("class", ""))
        if any(track.states):
            self.tracks.append(track)

    def _until(self, k: int, state: str) -> list[str]:
        """Return a class that an element has before the position k."""
        return [state if at < k else "" for at in self.positions]

    def _add_boxes(self) -> None:
        computed = {step.result: step.index for step in self._of("forward")}
        writes: dict[Node, list[int]] = {}
        for step in self.steps:
            writes.setdefault(step.node, []).append(step.index)
        ahead = "gone" if self.hide else "ahead"
        for key, k in appearances(self.steps, self.shown).items():
            self._add(self.groups[key], self._until(k, ahead))
        for node, key in self.shown.ids.items():
            group = self.groups[key]
            self._add(group, self._until(computed.get(node, 0), ahead))
            self._add(outlines(group)[0], self._now(writes.get(node, ()), "written"))
            for mark in list(group.iter()):
                kind = mark.get("class")
                if kind == "value":
                    self._add(mark, self._until(computed.get(node, 0), "off"))
                elif kind == "late":
                    self._add(mark, self._until(max(writes.get(node, (0,))), "off"))
                elif kind == "grad":
                    self._add_numbers(group, mark, node)

    def _add_numbers(self, group: Element, text: Element, node: Node) -> None:
        """Put one element per gradient of the node into its box. Each position shows one of them."""
        runs = gradients(self.steps, node, self.options.number)
        parent = next(element for element in group.iter() if text in list(element))
        for i, (start, number) in enumerate(runs):
            stop = runs[i + 1][0] if i + 1 < len(runs) else len(self.positions)
            shown = text if i == 0 else deepcopy(text)
            if i:
                parent.insert(list(parent).index(text) + i, shown)
            shown.text = number
            shown.set("fill", self.look.theme.muted if number == "·" else self.look.theme.backward)
            self._add(shown, ["" if start <= at < stop else "off" for at in self.positions])

    def _add_arrows(self) -> None:
        ids = self.shown.ids  # a node without a box has no id
        computed = {ids[step.result]: step.index for step in self._of("forward") if step.result in ids}
        pulled = {self.shown.arrow_ids[step.result, step.slot]: step.index for step in self._of("backward")}
        faint = "gone" if self.hide else "faint"
        for arrow in self.shown.arrows:
            group = self.groups[arrow.id]
            self._add(group, self._until(computed.get(arrow.head, 0), faint))
            at = [k for k in (computed.get(arrow.head), pulled.get(arrow.id)) if k is not None]
            back = self.groups.get(f"{arrow.id}b")
            if back is not None:
                self._add(back, self._until(pulled.get(arrow.id, 0), faint))
            for shape in outlines(group):
                if back is None and shape.get("stroke") == self.look.theme.backward:
                    states = self._until(pulled.get(arrow.id, 0), faint)
                    self._add(shape, [state or now for state, now in zip(states, self._now(at), strict=True)])
                else:
                    self._add(shape, self._now(at if back is None else at[: arrow.head in computed]))
            for shape in outlines(back) if back is not None else ():
                self._add(shape, self._now([pulled[arrow.id]] if arrow.id in pulled else ()))

    def _of(self, kind: str) -> Iterator[Step]:
        return (step for step in self.steps if step.kind == kind)

    def _now(self, at: Iterable[int], state: str = "now") -> list[str]:
        """Return the class of lines that are highlighted at the given positions."""
        chosen = set(at)
        return [state if k in chosen else "" for k in self.positions]

    # --- captions

    def _add_captions(self, caption: bool) -> None:
        """Add the sentences of each step below the diagram, and make the canvas large enough for the longest."""
        width, height = (float(x) for x in self.root.get("viewBox", "").split()[2:])
        if not caption:
            self._resize(width, height, 0.0)
            return
        size = self.look.size("body")
        leading, margin = 1.4 * size, 1.1 * size
        told = [sentences(None, len(self.steps)), *(sentences(step, len(self.steps)) for step in self.steps)]
        longest = max(text_width(line, size) for lines in told for line in lines) + 2 * margin
        wide = max(width, min(longest, LONGEST_LINE))
        told = [[part for line in lines for part in wrapped(line, wide - 2 * margin, size)] for lines in told]
        below = min(max(map(len, told)), MOST_LINES) * leading + margin
        self._resize(wide, height + below, (wide - width) / 2)
        for k, lines in enumerate(told):
            group = SubElement(self.root, "g")
            for i, line in enumerate(lines[:MOST_LINES]):
                place = {"x": f"{margin:.4g}", "y": f"{height + leading * (i + 0.7):.5g}", "font-size": f"{size:g}"}
                text = SubElement(group, "text", place)
                is_head = not k or (i == 0 and len(lines) > 1)
                text.set("fill", self.look.theme.muted if is_head else self._color_of(k))
                text.text = line
            self._add(group, ["" if at == k else "off" for at in self.positions])

    def _color_of(self, k: int) -> str:
        return self.look.theme.forward if k and self.steps.at(k)[0] == "forward" else self.look.theme.backward

    def _resize(self, width: float, height: float, shift: float) -> None:
        """Enlarge the canvas to a size in points, and move the diagram to its center."""
        graph, theme = self.groups["graph0"], self.look.theme
        natural = [3 * math.ceil(size / 3) for size in (width, height)]  # 3 points are 4 pixels
        across, down, factor = canvas((natural[0], natural[1]), self.look)
        whole = [across * PIXEL / factor, down * PIXEL / factor]
        corner = [(size - all_of_it) / 2 for size, all_of_it in zip(natural, whole, strict=True)]
        view = [f"{x:.6g}" for x in (*corner, *whole)]
        for name, size in (("width", across), ("height", down)):
            self.root.set(name, f"{size:.6g}")
        self.root.set("viewBox", " ".join(view))
        place = list(self.root).index(graph)
        moved = Element("g", {"transform": f"translate({shift:.2f} 0)"})
        moved.append(graph)
        self.root[place] = moved
        if not self.look.transparent:
            ground = dict(zip(("x", "y", "width", "height"), view, strict=True), fill=theme.background)
            self.root.insert(place, Element("rect", ground))
            for shape in list(graph):
                if shape.tag == "polygon" and shape.get("fill") == theme.background:  # that of the smaller canvas
                    graph.remove(shape)
                    break
