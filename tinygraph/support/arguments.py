"""Checks of arguments. Each check names the parameter and shows the argument in one sentence."""

from __future__ import annotations

import math
import os
from numbers import Real
from operator import index

from tinygraph.support.messages import described, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path
    from typing import Any


def check_integer(what: str, given: Any, least: int | None = None) -> int:
    """Return an argument as an int.

    Args:
        what: Name of the parameter.
        given: Argument: an int, or another integer such as NumPy's.
        least: Smallest allowed integer, or None for no limit.

    Returns:
        The int.

    Raises:
        TypeError: If the argument is not an integer.
        ValueError: If the integer is too small.

    Examples:
        >>> check_integer("depth", -1, least=0)
        Traceback (most recent call last):
        ValueError: depth must be an integer of at least 0, not -1
    """
    wanted = f"{what} must be an integer{'' if least is None else f' of at least {least}'}"
    try:
        found = index(given)
    except TypeError:
        raise TypeError(f"{wanted}, not {described(given)}") from None
    if least is not None and found < least:
        raise ValueError(f"{wanted}, not {found}")
    return found


def check_positive(what: str, given: Any, *, zero: bool = False, infinite: bool = True) -> None:
    """Check that an argument is a positive number.

    Args:
        what: Name of the parameter.
        given: Argument.
        zero: If true, 0 is allowed too. Defaults to false.
        infinite: If true, infinity is allowed. Defaults to true.

    Raises:
        TypeError: If the argument is not a real number. A bool is refused too.
        ValueError: If the number is NaN, too small or, where it is not allowed, infinite.

    Examples:
        >>> check_positive("step", 0.0)
        Traceback (most recent call last):
        ValueError: step must be a positive number, not 0.0
    """
    wanted = f"{what} must be a {'number of at least 0' if zero else 'positive number'}"
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(f"{wanted}, not {described(given)}")
    number = float(given)
    if not (number >= 0 if zero else number > 0) or (number == math.inf and not infinite):
        raise ValueError(f"{wanted}, not {given!r}")


def check_function(what: str, given: object) -> None:
    """Check that an argument can be called.

    Args:
        what: Name of the parameter.
        given: Argument.

    Raises:
        TypeError: If the argument cannot be called.

    Examples:
        >>> check_function("f", 3)
        Traceback (most recent call last):
        TypeError: f must be a function, not 3 (int)
    """
    if not callable(given):
        raise TypeError(f"{what} must be a function, not {described(given)}")


def check_kind(what: str, given: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Check that an argument belongs to a class.

    Args:
        what: Name of the parameter.
        given: Argument.
        kind: The class, or a tuple of classes.
        wanted: The class in words, with an article.

    Raises:
        TypeError: If the argument is not an instance of the class.

    Examples:
        >>> check_kind("title", 3, str, "a str")
        Traceback (most recent call last):
        TypeError: title must be a str, not 3 (int)
    """
    if not isinstance(given, kind):
        raise TypeError(f"{what} must be {wanted}, not {described(given)}")


def listed(what: str, given: Any, kind: type, wanted: str) -> list[Any]:
    """Return the elements of an argument as a list. A single element counts as a sequence of one.

    Args:
        what: Name of the parameter.
        given: Argument: an element, or an iterable of elements.
        kind: The class of the elements.
        wanted: The class in words, with an article.

    Returns:
        The elements.

    Raises:
        TypeError: If the argument is neither an element nor an iterable of elements. A dict is refused too, because
            a result in the form of a list would lose its keys.

    Examples:
        >>> listed("names", {"a": "x"}, str, "a str")
        Traceback (most recent call last):
        TypeError: names must be a str or a sequence of them, not {'a': 'x'} (dict): pass its values
    """
    if isinstance(given, kind):  # an element may itself be iterable
        return [given]
    is_dict = hasattr(given, "keys") and not isinstance(given, type)
    if isinstance(given, (str, bytes, type)) or is_dict or not hasattr(given, "__iter__"):
        hint = ": pass its values" if is_dict else ""
        raise TypeError(f"{what} must be {wanted} or a sequence of them, not {described(given)}{hint}")
    elements = list(given)
    for element in elements:
        check_kind(f"each element of {what}", element, kind, wanted)
    return elements


def like(given: Any, results: Iterable[Any]) -> Any:
    """Return results as a namedtuple of the class of an argument, or as a list if the argument is not a namedtuple.

    Args:
        given: Sequence.
        results: One result per element of the sequence.

    Returns:
        The namedtuple or the list.

    Examples:
        >>> like((1, 2), [3, 4])
        [3, 4]
    """
    return type(given)(*results) if hasattr(given, "_fields") else list(results)


def check_mapping(what: str, given: object, wanted: str) -> None:
    """Check that an argument is a mapping.

    Args:
        what: Name of the parameter.
        given: Argument.
        wanted: The mapping in words, with an article.

    Raises:
        TypeError: If the argument is not a mapping.

    Examples:
        >>> check_mapping("namespace", [1], "a mapping from names to values")
        Traceback (most recent call last):
        TypeError: namespace must be a mapping from names to values, not [1] (list)
    """
    if isinstance(given, type) or not hasattr(given, "items"):
        raise TypeError(f"{what} must be {wanted}, not {described(given)}")


def check_choices(what: str, given: Any, known: Collection[str]) -> None:
    """Check that an argument is a sequence of allowed values.

    Args:
        what: Name of the parameter.
        given: Argument.
        known: Allowed values.

    Raises:
        TypeError: If the argument is not a list or a tuple.
        ValueError: If one of its elements is not allowed.

    Examples:
        >>> check_choices("moves", "sum", ("sum", "mean"))
        Traceback (most recent call last):
        TypeError: moves must be a list of names, not 'sum' (str)
    """
    check_kind(what, given, (list, tuple), "a list of names")
    for name in given:
        one_of(f"each of the {what}", name, known)


def as_path(what: str, given: object) -> Path:
    """Return an argument as a path.

    Args:
        what: Name of the parameter.
        given: Argument: a str or a path.

    Returns:
        The path.

    Raises:
        TypeError: If the argument is neither a str nor a path.
        ValueError: If the path is empty or contains a null character, which no file name does.

    Examples:
        >>> as_path("path", b"graph.json")
        Traceback (most recent call last):
        TypeError: path must be a str or a path, not b'graph.json' (bytes)
    """
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str or a path, not {described(given)}")
    if not text or "\0" in text:
        raise ValueError(f"{what} must be the name of a file, not {given!r}")
    from pathlib import Path  # imported here because a program without files does not need it

    return Path(text)
