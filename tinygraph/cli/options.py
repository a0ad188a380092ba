"""Types of command-line arguments that several subcommands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # argparse has no public name


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """Return an argument type that accepts only positive numbers.

    Args:
        kind: `int` or `float`.

    Returns:
        A function that argparse calls with the argument's text.

    Examples:
        >>> positive(int)("3"), positive(float)("0.5")
        (3, 0.5)
    """

    def number_of(text: str) -> float:
        number = kind(text)
        if not (number > 0 and math.isfinite(number)):
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return number

    number_of.__name__ = "positive integer" if kind is int else "positive number"  # argparse shows this name
    return number_of


def binding(text: str) -> tuple[str, float]:
    """Parse an argument such as a=5 into the name and the value of an input.

    Args:
        text: Text of the argument.

    Returns:
        The name and the value.

    Raises:
        argparse.ArgumentTypeError: If the text does not have the form name=number.

    Examples:
        >>> binding("a=5")
        ('a', 5.0)
    """
    name, equals, number = text.partition("=")
    if not (equals and name.strip().isidentifier()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=number")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{number!r} in {text!r} is not a number") from None
