"""What somebody else has written, short enough for a sentence."""

from __future__ import annotations


def short(text: str, length: int = 40) -> str:
    """A text, its end left out where it is longer.

    >>> short("radius"), short("abcdefghijkl", 8)
    ('radius', 'abcde...')
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."
