"""Parts of error messages: an option that must be one of a few, and quoted text that is cut short."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def one_of(what: str, given: object, known: Collection[object]) -> None:
    """Raise ValueError, with the list of what is known, unless an option is one of those known.

    Args:
        what: The name of the option.
        given: Its value.
        known: The values that it may have.

    Raises:
        ValueError: If the value is not among them.

    Examples:
        >>> one_of("theme", "pink", ("light", "dark"))
        Traceback (most recent call last):
        ValueError: theme must be one of 'light', 'dark', not 'pink'
    """
    if given not in known:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, known))}, not {given!r}")


def short(text: str, length: int = 40) -> str:
    """Return a text, cut short if it is longer than `length` characters.

    Args:
        text: The text.
        length: The most characters to return, the three dots included.

    Returns:
        The text, or its beginning followed by three dots.

    Examples:
        >>> short("radius"), short("abcdefghijkl", 8)
        ('radius', 'abcde...')
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."
