"""Text in the labels and tooltips of DOT, which shows every name verbatim."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

import graphviz

from tinygraph.explaining import notation

# dot 2.43 reads at most 16,384 bytes at once. A character becomes up to 20 bytes (a backslash in a tooltip).
_LONGEST = 800  # maximum length of a text, in characters
# Text in which only newlines change, as most numbers, names and formulas. A match is faster than all replacements.
_SAFE = re.compile(r"[\w.+*/()=^,|×·⊙∂…-]+(?:[ \n][\w.+*/()=^,|×·⊙∂…-]+)*")


def markup(text: str) -> str:
    r"""Return text that an HTML-like label shows verbatim.

    Graphviz expands backslashes even in an HTML-like label: a single `\N` prints the id of the node. Each backslash is
    therefore doubled. In dot 2.43, a label that consists only of brackets is a syntax error. Closing brackets are
    therefore written as entities. A text of more than 800 characters is shortened.

    Args:
        text: Text to show.

    Returns:
        The text with special characters escaped.

    Examples:
        >>> print(markup('<b> "\\N" & {x|y}'))
        &lt;b&gt; &quot;\\N&quot; &amp; {x|y}
    """
    if len(text) <= _LONGEST and _SAFE.fullmatch(text):
        return text.replace("\n", "<BR/>")
    text = html.escape(_shortened(text)).replace("\\", "\\\\").replace("\n", "<BR/>").replace("]", "&#93;")
    return re.sub("^ | $|(?<= ) ", "&#160;", text)


def plain(text: str) -> Any:
    """Return text that an attribute shows verbatim.

    Tooltips expand entities and backslashes, so each ampersand, newline and backslash is written as an entity. A text
    of more than 800 characters is shortened.

    Args:
        text: Text to show.

    Returns:
        The text in a form that the graphviz package does not change.
    """
    if len(text) <= _LONGEST and _SAFE.fullmatch(text):
        return graphviz.nohtml(text.replace("\n", "&#10;"))
    text = _shortened(text).replace("&", "&amp;").replace("\n", "&#10;").replace("\\", "&#92;" * 4)
    return graphviz.nohtml(text)


def _shortened(text: str) -> str:
    return notation.clean(notation.cut(text, _LONGEST))


def table(rows: Iterable[str], attributes: str = 'CELLPADDING="1"') -> str:
    """Return a label that is a table without borders.

    Args:
        rows: Rows: the cells of each row, as markup.
        attributes: More attributes of the table.

    Returns:
        The label.
    """
    cells = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" {attributes}>{cells}</TABLE>>'
