"""The sentences below a frame, and an estimate of how wide they are."""

from __future__ import annotations

import unicodedata

from tinygraph.explaining import notation
from tinygraph.explaining.step import Step


def sentences(step: Step | None, total: int) -> list[str]:
    """Return a step as the lines of a caption.

    Args:
        step: Step, or None for the start.
        total: Number of steps of the pass.

    Returns:
        The lines.
    """
    if step is None:
        return [f"at the start of {total} steps"]
    head, *rest = (notation.clean(line.strip()) for line in str(step).split("\n"))
    return [head.replace("  ", ": ", 1), *(" ".join(line.split()) for line in rest)]


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in Arial, for the layout of captions.

    Args:
        text: Text.
        size: Size of the font.

    Returns:
        The width, in the unit of the size. It is rather too large than too small.

    Examples:
        >>> text_width("0.5", 10) < text_width("0.25", 10) < text_width("MWMW", 10)
        True
    """
    return size * sum(_advance(sign) for sign in text)


def _advance(sign: str) -> float:
    if sign in " .,:;'|!·()[]{}/-ijltfrI":
        return 0.34
    if unicodedata.east_asian_width(sign) in "WF":
        return 1.0
    return 0.9 if sign in "MWmw→←@%" else 0.72 if sign.isupper() else 0.58


def wrapped(line: str, width: float, size: float) -> list[str]:
    """Return a line as several lines that fit a width, divided at spaces.

    Args:
        line: Text of the line.
        width: Width that is free.
        size: Size of the font.

    Returns:
        The lines. A word that is longer than the width is not divided.

    Examples:
        >>> wrapped("a line of words", 50.0, 10.0)
        ['a line of', 'words']
    """
    lines = [""]
    for word in line.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and text_width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
