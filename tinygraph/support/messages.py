"""Parts of error messages: an option that is one of a few, and quoted text cut short."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any


def one_of(what: str, given: Any, known: Collection[Any]) -> None:
    """Raise ValueError, which says what there is, unless the option is one of those known.

    >>> one_of("theme", "pink", ("light", "dark"))
    Traceback (most recent call last):
    ValueError: theme must be one of 'light', 'dark', not 'pink'
    """
    if given not in known:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, known))}, not {given!r}")


def short(text: str, length: int = 40) -> str:
    """A text, its end left out where it is longer.

    >>> short("radius"), short("abcdefghijkl", 8)
    ('radius', 'abcde...')
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."
