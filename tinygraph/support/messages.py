"""Parts of messages: invalid options, counts, shortened text, values, how to install an extra. Warnings."""

from __future__ import annotations

import sys

_NOT_OF_THE_USER = (__name__.partition(".")[0] + ".", "dataclasses")  # beginnings of the names of modules
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def one_of(what: str, given: object, known: Collection[object]) -> None:
    """Check that an option has one of its allowed values.

    Args:
        what: Name of the option.
        given: Value of the option.
        known: Allowed values.

    Raises:
        ValueError: If the value is not allowed. The message lists the allowed values.

    Examples:
        >>> one_of("theme", "pink", ("light", "dark"))
        Traceback (most recent call last):
        ValueError: theme must be one of 'light', 'dark', not 'pink'
    """
    if not any(isinstance(given, type(x)) and given == x for x in known):
        raise ValueError(f"{what} must be one of {', '.join(map(repr, known))}, not {given!r}")


def counted(number: int, noun: str) -> str:
    """Return a number and a noun, which is in the plural unless the number is 1.

    Args:
        number: Count.
        noun: Noun in the singular, whose plural ends in s.

    Returns:
        The number, with commas as thousands separators, and the noun.

    Examples:
        >>> counted(1, "edge"), counted(2500, "edge"), counted(0, "edge")
        ('1 edge', '2,500 edges', '0 edges')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(text: str, length: int = 40) -> str:
    """Return the given text, shortened if it is too long.

    Args:
        text: Text to shorten.
        length: Maximum number of characters, including the three dots. Defaults to 40.

    Returns:
        The text, or its beginning followed by three dots.

    Examples:
        >>> short("radius"), short("abcdefghijkl", 8)
        ('radius', 'abcde...')
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."


def described(value: object) -> str:
    """Return the repr of a value on one line, shortened, and the name of its type.

    Args:
        value: Value that a message rejects.

    Returns:
        The text, such as "'3' (str)".

    Examples:
        >>> described("3"), described([1.0])
        ("'3' (str)", '[1.0] (list)')
    """
    return f"{short(' '.join(repr(value).split()))} ({type(value).__name__})"


def install_command(extra: str) -> str:
    """Return an instruction that installs an extra of the package, which is not published.

    Args:
        extra: Name of the extra.

    Returns:
        The instruction, without a period.

    Examples:
        >>> install_command("test")
        "run `pip install '.[test]'` in your clone of tinygraph"
    """
    return f"run `pip install '.[{extra}]'` in your clone of tinygraph"


def warn(message: str) -> None:
    """Issue a warning that names the line of the user's program, however deep in the package the call is.

    Args:
        message: Text of the warning, without a period.

    Examples:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn("the contrast is too low")
        ...
        >>> print(caught[0].message, caught[0].category.__name__)
        the contrast is too low UserWarning
    """
    import warnings  # the import of the package must be fast

    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith(_NOT_OF_THE_USER):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
