"""New numbers for a page whose graph was laid out with other numbers: the same boxes, the same arrows, other texts.

A reader who drags an input sees every value and gradient change at once. A new layout would take longer than a frame of
the screen, and would move the boxes.
"""

from __future__ import annotations

import html
import re
from dataclasses import asdict
from typing import Any

from tinygraph.drawing.options import DrawOptions
from tinygraph.explaining.notation import clean
from tinygraph.stepping.cursor import Cursor
from tinygraph.stepping.document import drawing_of
from tinygraph.stepping.player import contents

_ID = re.compile(r"\bid=\"?([\w-]+)")
_LABEL = "label=<"
_TAG = re.compile(r"<[^>]*>")


def renumbered(cursor: Cursor, options: DrawOptions) -> dict[str, Any]:
    """Return the numbers of a pass for a page that shows the same graph with other numbers.

    Args:
        cursor: Cursor of the pass with the new numbers.
        options: Options of the drawing on the page.

    Returns:
        A message for the page, which JSON can represent: the texts of the diagram, the steps and the breakdowns. The
        page applies it only if the graph has the same boxes, arrows, steps and lines of text.

    Raises:
        StaleGraphError: If a leaf was edited and the graph was not recomputed.
    """
    steps = cursor.steps.formatted(options.number)
    drawing, shown, _ = drawing_of(steps, options)
    told = contents(steps, shown, options.number)
    return {
        "texts": label_texts(drawing.source),
        "steps": [asdict(action) for action in told.actions],
        "told": told.told,
        "breakdowns": {key: asdict(breakdown) for key, breakdown in told.breakdowns.items()},
    }


def label_texts(source: str) -> dict[str, list[str]]:
    """Return the texts of the labels of a DOT text, in the order in which Graphviz writes them into an SVG element.

    Args:
        source: DOT text of a drawing.

    Returns:
        The texts of each box and arrow, by its id. Blank texts are left out.

    Examples:
        >>> label_texts("digraph { n0 [label=<<TABLE><TR><TD><B>a</B> = b &lt; c</TD></TR></TABLE>> id=n0] }")
        {'n0': ['a', '= b < c']}
    """
    found = {}
    for line in source.split("\n"):
        key, start = _ID.search(line), line.find(_LABEL)
        if key and start >= 0:
            runs = _TAG.split(_balanced(line, start + len(_LABEL)))
            texts = [clean(html.unescape(run)).replace("\\\\", "\\").strip() for run in runs]
            found[key[1]] = [text for text in texts if text]
    return found


def _balanced(line: str, start: int) -> str:
    """Return the text up to the bracket that closes the one before `start`."""
    depth, end = 1, start
    while depth:
        depth += {"<": 1, ">": -1}.get(line[end], 0)
        end += 1
    return line[start : end - 1]
