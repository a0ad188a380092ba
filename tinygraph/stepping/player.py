"""The page that plays a walk: one file, offline, and the same in a cell of a notebook; and a picture of one moment."""

from __future__ import annotations

import html
import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

from tinygraph.drawing import layout_engines
from tinygraph.drawing.diagram import Moment, Numbers, Picture, Style, picture
from tinygraph.drawing.dot import Layout
from tinygraph.drawing.draw import LARGEST, Drawing, detail_for
from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError
from tinygraph.drawing.themes import DARK, LIGHT, THEMES, Theme
from tinygraph.engine.graph import StaleGraphError, order
from tinygraph.explaining import notation
from tinygraph.explaining.breakdown import contribution, ledger, paths
from tinygraph.explaining.notation import called, derivative_of
from tinygraph.explaining.step import Step
from tinygraph.stepping.stepper import Stepper
from tinygraph.support.messages import one_of


@dataclass(frozen=True)
class Event:
    """What the page does at one event: it writes a number or a gradient on a card, and lights arrows."""

    kind: str
    card: str  # the one that is written on
    source: str  # the card of the result
    arrow: str  # of a contribution
    after: str


@dataclass(frozen=True)
class Ledger:
    """What the page says of a card: its `explain`, whose sum goes with the event."""

    name: str  # and how it was computed
    flows: bool  # whether the card has a place for a gradient
    derivative: str  # "" where the walk has no backward pass
    none: str  # why there is no gradient, or ""
    terms: list[tuple[int, str]]  # each with its event
    way: str


def moment(stepper: Stepper, *, theme: str = "light") -> Drawing:
    """The picture of a graph where a stepper stands: what has happened, and in bold what happens now.

    >>> from tinygraph import Value
    >>> x = Value(2.0, "x")
    >>> stepper = Stepper(x * x)
    >>> stepper.step(2).symbol
    'd(x × x)/dx += d(x × x)/d(x × x) · d(x × x)/dx'
    >>> moment(stepper)
    <drawing: 2 cards, 2 arrows forward, 2 back>
    """
    here, nodes = stepper.current, order(stepper.root)
    computed = {*nodes} - {step.result for step in stepper.events[stepper.index : stepper.computing]}
    arrived = {(step.result, step.slot) for step in stepper.events[stepper.computing + 1 : stepper.index]}
    backward = here is not None and here.kind == "backward"
    now = Moment(
        {node: stepper.grad(node) for node in nodes},
        computed,
        arrived,
        (here.result, here.slot) if here is not None and backward else None,
        here.result if here is not None and here.kind == "forward" else None,
    )
    return _drawing(stepper, now, theme, legend=False)[0]


def _drawing(stepper: Stepper, now: Moment, theme: str, *, legend: bool) -> tuple[Drawing, Picture]:
    root = stepper.root
    shown = picture(root, Style(), numbers=Numbers(root, stepper.seed, now))
    if len(shown.cards) > LARGEST:
        raise ValueError(
            f"{len(shown.cards):,} cards on a page cannot be read, {LARGEST} are the most: step through a smaller "
            "graph, or in the terminal with repl()"
        )
    layout = Layout(theme, detail_for(len(shown.cards)), legend=legend)
    return Drawing(root, shown, layout, None, layout_engines.TIME_LIMIT), shown


def page(stepper: Stepper, *, theme: str = "auto", title: str = "") -> str:
    """The page as text: HTML with everything in it, at the event where the stepper stands.

    Raises EngineNotFoundError where there is no Graphviz, ValueError for a graph that no page can show.
    """
    one_of("theme", theme, tuple(THEMES))
    steps = list(stepper.events)
    every = {(step.result, step.slot) for step in steps if step.kind == "backward"}
    drawing, shown = _drawing(stepper, Moment(stepper.final, set(order(stepper.root)), every), theme, legend=True)
    events, told = _events(steps, shown)
    if not title:
        root = stepper.root
        title = notation.headline(root) or "a number"
    theme_drawn = THEMES[theme]
    data = {
        "start": stepper.index,
        "events": [asdict(event) for event in events],
        "ledgers": {key: asdict(ledger) for key, ledger in _ledgers(stepper, shown).items()},
        "arrows": [{"id": x.id, "tail": x.tail, "head": x.head, "back": x.back is not None} for x in shown.arrows],
        "colours": {"forward": theme_drawn.forward, "backward": theme_drawn.backward},
    }
    svg = drawing.svg()
    width = re.search(r'\bwidth="([\d.]+pt)"', svg)
    texts = {
        "title": html.escape(notation.clean(title)),
        "colours": _colours(theme),
        "style": _asset("page.css"),
        "svg": svg,
        "width": width[1] if width else "100%",
        "events": "\n".join(f'<li><a href="#step={k}">{text}</a></li>' for k, text in enumerate(told, 1)),
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "script": _asset("page.js"),
    }
    text = _asset("page.html")
    first, *parts = text.split("{{")
    pieces = [first]
    for part in parts:  # each in its place, once: what a text contains is never looked at
        name, _, rest = part.partition("}}")
        pieces += [texts[name], rest]
    return "".join(pieces)


def _events(steps: list[Step], shown: Picture) -> tuple[list[Event], list[str]]:
    events, told = [], []
    for step in steps:
        events.append(
            Event(
                step.kind,
                shown.ids[step.node],
                shown.ids[step.result],
                shown.arrow_ids[step.result, step.slot] if step.kind == "backward" else "",
                notation.quantity(step.after),
            )
        )
        head, *rest = map(_told, str(step).split("\n"))
        head = head.partition("  ")[2]
        line = f'<span class="line">{_told(step.line)}</span>' if step.line else ""
        told.append("".join([f"<b>{head}</b>", *[f"<span>{text.strip()}</span>" for text in rest], line]))
    return events, told


def _told(text: str) -> str:
    return html.escape(notation.clean(text))


def _ledgers(stepper: Stepper, shown: Picture) -> dict[str, Ledger]:
    nodes = order(stepper.root)
    count = paths(nodes)
    ledgers = {}
    for node in nodes:
        told = ledger(stepper, node, count)
        ledgers[shown.ids[node]] = Ledger(
            notation.clean(" = ".join(filter(None, [node.name, notation.expression(node)])) or called(node)),
            not node.constant,
            notation.clean(derivative_of(stepper.root, node, stepper.seed)) if stepper.seed is not None else "",
            "" if told.contributions or node is stepper.root or stepper.seed is None else notation.clean(told.heading),
            [(step.index, notation.clean(contribution(step))) for step in told.contributions],
            notation.clean(told.way)
            if told.contributions
            else "where the backward pass starts"
            if node is stepper.root
            else "",
        )
    return ledgers


def _colours(theme: str) -> str:
    """The colours of a theme as variables of the style sheet; for "auto" those of both."""

    def sheet(colours: Theme) -> str:
        pairs = {
            "ground": colours.background, "ink": colours.ink, "muted": colours.muted, "forward": colours.forward,
            "backward": colours.backward, "card": colours.operation[0], "border": colours.operation[1],
            "now": colours.output[0],
        }  # fmt: skip
        return f":root {{ {' '.join(f'--{name}: {colour};' for name, colour in pairs.items())} }}"

    if theme != "auto":
        return f":root {{ color-scheme: {theme} }}\n{sheet(THEMES[theme])}"
    both = f":root {{ color-scheme: light dark }}\n{sheet(LIGHT)}"
    return f"{both}\n@media (prefers-color-scheme: dark) {{ {sheet(DARK)} }}"


@cache
def _asset(name: str) -> str:
    return files("tinygraph.stepping").joinpath(name).read_text(encoding="utf-8")


def shown_in_a_cell(stepper: Stepper) -> dict[str, str]:
    """A stepper in a notebook: the picture of the moment and the event in words; only these without an engine."""
    text = repr(stepper)
    try:
        text += f"\n{stepper}"
        svg = moment(stepper).svg()
    except (StaleGraphError, EngineNotFoundError, LayoutError, ValueError) as error:
        return {"text/plain": f"{text}\n\n(no picture: {error})"}
    words_of_it = html.escape(notation.clean(str(stepper)))
    return {"text/html": f'{svg}\n<pre style="white-space:pre-wrap">{words_of_it}</pre>', "text/plain": text}


class Player:
    """The page in a cell of a notebook: in a frame of its own, so that several do not disturb each other."""

    def __init__(self, stepper: Stepper, height: int = 640) -> None:
        self._name = repr(stepper)
        self._page = page(stepper)
        self.height = height

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="{html.escape(self._name)}" srcdoc="{html.escape(self._page)}" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<player of {self._name[1:-1]}>"
