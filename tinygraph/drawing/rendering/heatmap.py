"""Small arrays as grids of colored cells."""

from __future__ import annotations

import math
from typing import Any

from tinygraph.drawing.rendering.appearance import HIDDEN, Appearance
from tinygraph.drawing.themes import DARK, LIGHT
from tinygraph.explaining.notation import is_here

LARGEST = 100  # maximum number of elements; dot 2.43 reads at most 16,384 bytes of a label
LONGEST = 20  # maximum number of rows or columns
_PALEST = 0.08  # part of the full color in the cell of the smallest element
_SHADES = 255  # number of steps from the palest to the strongest color
Levels = tuple[tuple[float | None, ...], ...]  # from 0 (smallest) to 1 (largest); None for NaN and infinities


def levels(data: Any) -> Levels:
    """Return the position of each element between the smallest and the largest element.

    Args:
        data: Float or array.

    Returns:
        The rows of the grid, or () for a float and for an array that is too large for a grid. A 1-D array is one row.

    Examples:
        >>> import numpy as np
        >>> levels(np.array([[0.0, 1.0], [4.0, np.nan]]))
        ((0.0, 0.25), (1.0, None))
        >>> levels(3.0)
        ()
    """
    shape: tuple[int, ...] = getattr(data, "shape", ())
    if not is_here(data) or not 1 <= len(shape) <= 2 or not 2 <= data.size <= LARGEST or max(shape) > LONGEST:
        return ()
    rows = data.reshape(-1, shape[-1]).tolist()
    finite = [x for row in rows for x in row if math.isfinite(x)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    half = high / 2 - low / 2  # a difference of large numbers can overflow
    return tuple(tuple(_level(x, low, half) for x in row) for row in rows)


def _level(x: float, low: float, half: float) -> float | None:
    if not math.isfinite(x):
        return None
    return (x / 2 - low / 2) / half if half else 0.5


def grid(rows: Levels, color: str, look: Appearance) -> str:
    """Return a grid as a table, in which a larger element has a stronger color.

    Args:
        rows: Levels of the elements.
        color: Color of the largest element.
        look: Colors, font and text sizes.

    Returns:
        The table as markup.
    """
    side = f'WIDTH="{look.size("caption"):.0f}" HEIGHT="{look.size("caption"):.0f}"'
    lines = "".join(f"<TR>{''.join(_cell(level, color, side, look) for level in row)}</TR>" for row in rows)
    border = f'COLOR="{HIDDEN if color == HIDDEN else look.theme.muted}"'
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="0" {border}>{lines}</TABLE>'


def _cell(level: float | None, color: str, side: str, look: Appearance) -> str:
    if level is None:
        return f"<TD {side}>{look.text('?', HIDDEN if color == HIDDEN else look.theme.muted, 'caption')}</TD>"
    if color == HIDDEN:
        return f'<TD {side} BGCOLOR="{HIDDEN}"></TD>'
    return f'<TD {side} BGCOLOR="{_shade(look.theme.operation[0], color, round(level * _SHADES))}"></TD>'


def darker_shades() -> dict[str, str]:
    """Return the dark color for each light color of a cell, for a drawing that follows the theme of the browser.

    Returns:
        The colors.

    Examples:
        >>> from tinygraph.drawing.themes import DARK, LIGHT
        >>> darker_shades()[LIGHT.forward] == DARK.forward
        True
    """
    sides = [(getattr(LIGHT, side), getattr(DARK, side)) for side in ("forward", "backward")]
    return {
        _shade(LIGHT.operation[0], light, k): _shade(DARK.operation[0], dark, k)
        for light, dark in sides
        for k in range(_SHADES + 1)
    }


def _shade(palest: str, strongest: str, k: int) -> str:
    return _mixed(palest, strongest, _PALEST + (1 - _PALEST) * k / _SHADES)


def _mixed(start: str, end: str, part: float) -> str:
    """Return the color between two colors."""
    channels = [(int(start[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in channels)
