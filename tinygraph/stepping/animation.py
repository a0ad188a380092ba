"""An SVG that plays the steps of a pass without a script, also as the `<img>` of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy

from tinygraph.stepping.document import add_rules, svg_text
from tinygraph.stepping.film import STATES, Film

HOLD = 3  # length of the last position, in steps, before the animation starts again
NORMAL = {"visibility": "visible", "opacity": "1"}  # the look of an element without a class
HIGHLIGHTS = ("now", "written")


def animated(film: Film, seconds: float = 1.2) -> str:
    """Return an SVG element that plays all steps again and again.

    Style sheets move the animation: each element that depends on the step has an animation that changes its look at
    the right percentages. Without animations, such as on paper or if the reader's system reduces motion, the SVG shows
    the end of the pass.

    Args:
        film: Steps of the pass in one document.
        seconds: Time per step. Defaults to 1.2.

    Returns:
        The SVG element.
    """
    slots = len(film.steps) + HOLD
    resting = ["" if track.states[-1] in HIGHLIGHTS else track.states[-1] for track in film.tracks]
    numbers: dict[tuple[str, ...], int] = {}  # the numbers of the different courses of classes
    frames: dict[tuple[str, str, int, int], str] = {}
    classes, rules = [], []
    for track, rest in zip(film.tracks, resting, strict=True):
        key = (*track.states, rest)
        if key not in numbers:
            numbers[key] = len(numbers)
            names = [frames.setdefault(run, f"k{len(frames)}") for run in _runs(track.states, rest)]
            rules.append(f".t{numbers[key]}{{animation-name:{','.join(names)}}}")
        classes.append(f"{rest} t t{numbers[key]}".strip())
    film.apply(classes)
    root = deepcopy(film.root)
    add_rules(
        root,
        [
            f".t{{animation:{slots * seconds:g}s step-end infinite}}",
            *rules,
            *(f"@keyframes {name}{{{_stops(*run, slots)}}}" for run, name in frames.items()),
            "@media print,(prefers-reduced-motion:reduce){.t{animation:none}}",
        ],
    )
    return svg_text(root)


def _runs(states: Sequence[str], rest: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield each class that differs from the one at rest, the one at rest, and where the class begins and ends."""
    start = 0
    for k in range(1, len(states) + 1):
        if k == len(states) or states[k] != states[start]:
            if states[start] != rest:
                yield states[start], rest, start, k
            start = k


def _stops(state: str, rest: str, start: int, stop: int, slots: int) -> str:
    """Return the keyframes of a class that an element has from one position up to another.

    Where the first or the last keyframe is missing, the element looks as it does at rest.
    """
    begin, end = (f"{100 * at / slots:.4g}%" for at in (start, stop))
    name, _, there = STATES[state or rest].partition(":")
    look = f"{name}:{there if state else NORMAL[name]}"
    if stop > slots - HOLD:
        return f"{begin},to{{{look}}}"
    if name in NORMAL:
        return f"{begin}{{{look}}}{end}{{{name}:{there if rest else NORMAL[name]}}}"
    # The lines of each box have their own width at rest, which the last keyframe jumps to.
    return f"{begin}{{{look}}}{end}{{{look};animation-timing-function:step-start}}"
