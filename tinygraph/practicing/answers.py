"""Answers of a student: reading a number, and deciding whether it is near enough.

The script `answers.js` does the same in a browser.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from tinygraph.explaining import notation
from tinygraph.support.messages import short

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(?:e([+-]?[0-9]+))?", re.IGNORECASE)
INFINITE = re.compile("[+-]?(inf|infinity|∞|nan)", re.IGNORECASE)
LONG = 30  # characters of a number whose last digit is not looked at
COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
EXACT, ROUNDED, SHOWN = 1e-9, 5e-3, 1e-3  # relative errors: of floats, of three digits, and of numbers with four digits


class Given(NamedTuple):
    """A number that a student typed.

    Attributes:
        number: The number.
        unit: Half a unit of the last digit, which is the largest error of a rounded number, or 0.0 for a fraction.
    """

    number: float
    unit: float


def read(text: str) -> Given:
    """Return the number that a text means.

    Args:
        text: Number with a decimal point, or fraction of two numbers. Spaces and any minus sign are allowed.

    Returns:
        The number.

    Raises:
        ValueError: If the text is not a number.

    Examples:
        >>> read("2/3").number, read("-1.905"), read(" − 4 ").number
        (0.6666666666666666, Given(number=-1.905, unit=0.0005), -4.0)
        >>> read("1,5")
        Traceback (most recent call last):
        ValueError: the answer needs a decimal point instead of a comma, such as 1.5, not '1,5'
    """
    told = short(text.strip())
    parts = "".join(re.sub("[−–]", "-", text).split()).split("/")
    if any(COMMA.fullmatch(part) for part in parts):
        raise ValueError(f"the answer needs a decimal point instead of a comma, such as 1.5, not {told!r}")
    read_parts = [_part(part) for part in parts]
    if len(parts) > 2 or None in read_parts:
        raise ValueError(f"the answer {told!r} is not a number: write a number such as 6, -0.5 or 1/3")
    (x, unit), *rest = [part for part in read_parts if part is not None]
    if not rest:
        return Given(x, unit)
    y = rest[0].number
    if y:
        return Given(x / y, 0.0)
    return Given(math.copysign(math.inf, x) * math.copysign(1.0, y) if x else math.nan, 0.0)


def _part(text: str) -> Given | None:
    infinite = INFINITE.fullmatch(text)
    if infinite:
        return Given(float(text.replace("∞", "inf")), 0.0)
    found = NUMBER.fullmatch(text)
    if found is None:
        return None
    digits, exponent = found.groups()
    decimals = len(digits.partition(".")[2])
    unit = float(f"5e{int(exponent or 0) - decimals - 1}") if len(text) < LONG else 0.0
    return Given(float(text), unit)


def slack(answer: float, scale: float = 0.0, *, exact: bool = True) -> float:
    """Return how far from an answer a number may be.

    An integer must be exact, and another number can be rounded to three digits.

    Args:
        answer: Right or wrong answer.
        scale: Size of the terms that are added up to the answer. Defaults to 0.0.
        exact: If false, the numbers that the answer is computed from are shown with fewer digits than they have, and
            an answer that is computed from the shown numbers counts. Defaults to true.

    Returns:
        The largest difference.

    Examples:
        >>> slack(1.0), slack(4.0), round(slack(0.5), 6), round(slack(6.0, 9.0, exact=False), 6)
        (1e-09, 4e-09, 0.0025, 0.039)
    """
    if not math.isfinite(answer):
        return 0.0
    size = abs(answer)
    free = 0.0 if exact and size == round(size) else ROUNDED * size
    return free + EXACT * max(size, scale) + (0.0 if exact else SHOWN * scale)


def fits(number: float, answer: float, slack: float) -> bool:
    """Return whether a number is near enough to an answer. NaN and infinities must be equal.

    Args:
        number: Number that a student typed.
        answer: Right or wrong answer.
        slack: Largest difference.

    Returns:
        True if the number fits.

    Examples:
        >>> fits(0.333, 1 / 3, 0.005), fits(float("nan"), float("nan"), 0.0)
        (True, True)
    """
    if math.isnan(answer) or math.isnan(number):
        return math.isnan(answer) and math.isnan(number)
    return number == answer or abs(number - answer) <= slack


def is_shown(number: float, spec: str) -> bool:
    """Return whether a number is shown with all its digits.

    Args:
        number: Number.
        spec: Format of numbers, as for `format`.

    Returns:
        True if the shown text is the number.

    Examples:
        >>> is_shown(0.25, ".4g"), is_shown(1 / 3, ".4g")
        (True, False)
    """
    try:
        return float(notation.number(number, spec)) == number
    except ValueError:  # a format such as ",.2f" or ".1%"
        return False
