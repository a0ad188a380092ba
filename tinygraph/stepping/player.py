"""The HTML page that plays the steps of a pass, the interactive player in a notebook, and the output of a cell."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files

from tinygraph.drawing.diagram import Diagram
from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError
from tinygraph.drawing.options import DrawOptions
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.themes import BASE, DARK, LIGHT, Theme
from tinygraph.engine.graph import Node, StaleGraphError
from tinygraph.explaining import notation
from tinygraph.explaining.breakdown import Explanation, breakdown, contribution
from tinygraph.explaining.notation import called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.textbook.derivatives import derivative_of
from tinygraph.explaining.textbook.typesetting import typeset
from tinygraph.practicing import asset as practicing_asset
from tinygraph.stepping.by_hand import about, exercises, questions_of
from tinygraph.stepping.cursor import Cursor
from tinygraph.stepping.document import appearances, marked, svg_text
from tinygraph.stepping.film import Film


@dataclass(frozen=True)
class Action:
    """The changes on the page at one step: a value or a gradient in a box, and highlighted arrows."""

    kind: str
    box: str  # id of the box that is written
    source: str  # id of the box of the result
    arrow: str  # id of the arrow of a contribution
    after: str


@dataclass(frozen=True)
class Contents:
    """What a page tells about the steps of a pass."""

    actions: list[Action]
    told: list[str]  # the sentences of each step, as HTML
    breakdowns: dict[str, Breakdown]  # by the id of the box


@dataclass(frozen=True)
class Breakdown:
    """The explanation that the page shows for a box: the contributions, and their sum up to the current step."""

    name: str  # name and expression
    flows: bool  # true if the box shows a gradient
    derivative: str  # "" if there is no backward pass
    none: str  # reason why there is no gradient, or ""
    terms: list[tuple[int, str]]  # step number and text of each term
    way: str


def page(cursor: Cursor, options: DrawOptions, *, hide: bool = False, by_hand: bool = False) -> str:
    """Return the HTML page of a pass. The page starts at the cursor's current step.

    Args:
        cursor: Cursor at the step where the page starts.
        options: Options of the drawing. The title is that of the page, and defaults to the root's name and expression.
            The diagram fits its window, so its size does not matter.
        hide: If true, the page hides later steps completely until the reader shows them.
        by_hand: If true, the page asks for each gradient before it shows it. Defaults to false.

    Returns:
        The page as text. The page needs no other file and no network access.

    Raises:
        EngineNotFoundError: If no Graphviz executable is installed.
        LayoutError: If the layout fails or exceeds the time limit.
        ValueError: If the diagram has more than 600 boxes, if `options` folds it, or if there is nothing to ask.
    """
    return page_of(cursor, options, hide=hide, by_hand=by_hand)[0]


def page_of(cursor: Cursor, options: DrawOptions, *, hide: bool = False, by_hand: bool = False) -> tuple[str, Diagram]:
    """Return the HTML page of a pass, and its diagram.

    Args:
        cursor: Cursor at the step where the page starts.
        options: Options of the drawing.
        hide: If true, the page hides later steps completely until the reader shows them.
        by_hand: If true, the page asks for each gradient before it shows it. Defaults to false.

    Returns:
        The page as text, and the diagram with the ids of its boxes.
    """
    steps = cursor.steps.formatted(options.number)
    if by_hand:
        questions_of(steps)  # before the layout, which takes longer
    svg, shown = marked(steps, replace(options, title=""))
    told = contents(steps, shown, options.number)
    colors = options.colors
    data = {
        "start": cursor.index,
        "steps": [asdict(action) for action in told.actions],
        "breakdowns": {key: asdict(breakdown) for key, breakdown in told.breakdowns.items()},
        "arrows": [{"id": x.id, "tail": x.tail, "head": x.head, "back": x.back is not None} for x in shown.arrows],
        "colors": {"forward": colors.forward, "backward": colors.backward},
        "appear": appearances(steps, shown),
        "hide": hide,
        "hand": _hand(steps, shown, options.number) if by_hand else None,
    }
    scripts = [practicing_asset("answers.js"), _asset("by_hand.js")] if by_hand else []
    texts = {
        "title": html.escape(notation.clean(options.title or notation.headline(cursor.root) or "a value")),
        "colors": _colors(options),
        "style": _asset("page.css"),
        "svg": svg_text(svg),
        "width": svg.get("width", "100%"),
        "steps": "\n".join(f'<li><a href="#step={k}">{text}</a></li>' for k, text in enumerate(told.told, 1)),
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "hand": _asset("by_hand.html") if by_hand else "",
        "script": "\n".join([*scripts, _asset("page.js")]),
    }
    return _filled(_asset("page.html"), texts), shown


def _hand(steps: Steps, shown: Diagram, spec: str) -> dict[str, object]:
    """Return the exercises of the page as data."""
    data, found = exercises(steps, shown, _set)
    passes = []
    for opponent in found:
        actions, told = _actions(opponent.steps, shown, spec)
        steps_of_it = {"steps": [asdict(action) for action in actions], "told": told}
        passes.append(about(opponent, _set) | steps_of_it)
    return data | {"opponents": passes}


def _filled(template: str, texts: Mapping[str, str]) -> str:
    """Return the template with each placeholder replaced by its text."""
    first, *parts = template.split("{{")
    pieces = [first]
    for part in parts:  # the template is split only once, so placeholders inside a text are not replaced
        name, _, rest = part.partition("}}")
        pieces += [texts[name], rest]
    return "".join(pieces)


def contents(steps: Steps, shown: Diagram, spec: str) -> Contents:
    """Return what a page tells about the steps of a pass.

    Args:
        steps: Steps of the pass.
        shown: Diagram of the pass.
        spec: Format of numbers, as for `format`.

    Returns:
        The actions, the sentences of each step, and the breakdowns.
    """
    actions, told = _actions(steps, shown, spec)
    return Contents(actions, told, {key: _breakdown(steps, node) for node, key in shown.ids.items()})


def _actions(steps: Sequence[Step], shown: Diagram, spec: str) -> tuple[list[Action], list[str]]:
    actions, told = [], []
    for step in steps:
        actions.append(
            Action(
                step.kind,
                shown.ids.get(step.node, ""),  # a constant without a box
                shown.ids.get(step.result, ""),
                shown.arrow_ids[step.result, step.slot] if step.kind == "backward" else "",
                notation.quantity(step.after, spec),
            )
        )
        head, *rest = map(_told, str(step).split("\n"))
        head = head.partition("  ")[2]
        line = f'<span class="line">{_told(step.line)}</span>' if step.line else ""
        told.append("".join([f"<b>{head}</b>", *[f"<span>{text.strip()}</span>" for text in rest], line]))
    return actions, told


def _told(text: str) -> str:
    return html.escape(_set(text))


def _set(text: str) -> str:
    """Return a text of the page, with its names set as in the diagram."""
    return notation.clean(typeset(text))


def _breakdown(steps: Steps, node: Node) -> Breakdown:
    walk = steps.walk
    told = breakdown(steps, len(steps), node)
    name = " = ".join(filter(None, [node.name, notation.expression(node)])) or called(node)
    derivative = derivative_of(walk.root, node, walk.seed) if walk.seed is not None else ""
    nothing = "" if told.contributions or node is walk.root or walk.seed is None else told.heading
    terms = [(step.index, _set(contribution(step))) for step in told.contributions]
    return Breakdown(_set(name), not node.constant, _set(derivative), _set(nothing), terms, _set(_way(told)))


def _way(told: Explanation) -> str:
    if told.contributions:
        return f"{told.way}; {told.together}" if told.together else told.way
    return "the backward pass starts here" if told.node is told.root else ""


def _colors(options: DrawOptions) -> str:
    """Return the colors of a theme as CSS variables. For "auto", return the colors of both themes."""

    def sheet(colors: Theme) -> str:
        pairs = {
            "ground": colors.background, "ink": colors.ink, "muted": colors.muted, "forward": colors.forward,
            "backward": colors.backward, "box": colors.operation[0], "border": colors.operation[1],
            "now": colors.output[0],
        }  # fmt: skip
        return f":root {{ {' '.join(f'--{name}: {color};' for name, color in pairs.items())} }}"

    if options.theme == "auto":
        both = f":root {{ color-scheme: light dark }}\n{sheet(LIGHT)}"
        return f"{both}\n@media (prefers-color-scheme: dark) {{ {sheet(DARK)} }}"
    base = options.theme if isinstance(options.theme, str) else options.theme.get(BASE, "light")
    return f":root {{ color-scheme: {base} }}\n{sheet(Appearance(options).theme)}"


@cache
def _asset(name: str) -> str:
    return files("tinygraph.stepping").joinpath("assets", name).read_text(encoding="utf-8")


def shown_in_a_cell(cursor: Cursor, options: DrawOptions) -> dict[str, str]:
    """Return the output of a notebook cell for a cursor.

    Args:
        cursor: Cursor to show.
        options: Options of the drawing.

    Returns:
        A dictionary from MIME types to contents. The HTML content shows the diagram and the text of the current step.
        The plain text shows only the text of the step. If the diagram cannot be drawn, there is only plain text.
    """
    text = repr(cursor)
    try:
        text += f"\n{cursor}"
        svg = Film(cursor, options, caption=False).frame(cursor.index)
    except (StaleGraphError, EngineNotFoundError, LayoutError, ValueError) as error:
        return {"text/plain": f"{text}\n\n(no diagram: {error})"}
    words_of_it = html.escape(notation.clean(str(cursor)))
    return {"text/html": f'{svg}\n<pre style="white-space:pre-wrap">{words_of_it}</pre>', "text/plain": text}


class Player:
    """An interactive player for a notebook cell.

    Each player runs in a separate frame, so that several players do not interfere with each other.

    Args:
        cursor: Cursor at the step where the player starts.
        options: Options of the drawing.
        height: Height in pixels. Defaults to 640.
        hide: If true, the player hides later steps completely until the reader shows them.
        by_hand: If true, the player asks for each gradient before it shows it. Defaults to false.
    """

    def __init__(
        self,
        cursor: Cursor,
        options: DrawOptions,
        height: int = 640,
        *,
        hide: bool = False,
        by_hand: bool = False,
    ) -> None:
        self._name = repr(cursor)
        self._page = page(cursor, options, hide=hide, by_hand=by_hand)
        self.height = height

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="{html.escape(self._name)}" srcdoc="{html.escape(self._page)}" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<player of {self._name[1:-1]}>"
