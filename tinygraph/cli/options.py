"""Types of command-line arguments that several subcommands share."""

from __future__ import annotations

import argparse
import keyword
import math
from collections.abc import Callable
from typing import NoReturn

from tinygraph.explaining.spelling import in_ascii, normalized
from tinygraph.support.messages import short
from tinygraph.support.terminal import fail


class Parser(argparse.ArgumentParser):
    """A parser that reports each wrong argument in one sentence, instead of a summary of all arguments."""

    def error(self, message: str) -> NoReturn:
        """Print an error message, and exit with code 2.

        Args:
            message: Description of the error.
        """
        self.exit(fail(f"{message}; `{self.prog} --help` explains the arguments"))


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
        >>> binding("a=5"), binding("w₁=−2")
        (('a', 5.0), ('w1', -2.0))
    """
    name, _, number = in_ascii(text)[0].partition("=")
    name = normalized(name.strip())
    example = f"write {short(name)}=..., for example {short(name)}=5"
    if name.isidentifier() and not number.strip():
        raise argparse.ArgumentTypeError(f"{short(text)!r} is not of the form name=number: {example}")
    if not name.isidentifier():
        hint = "put the expression in quotes, and write the values after it"
        raise argparse.ArgumentTypeError(f"{short(text)!r} is not of the form name=number: {hint}")
    if keyword.iskeyword(name):
        raise argparse.ArgumentTypeError(f"{name!r} is a reserved word of Python: choose another name")
    try:
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{short(number)!r} in {short(text)!r} is not a number") from None
