"""A calculator for formulas as a textbook prints them, such as "-y/a + (1 - y)/(1 - a)", with 50 digits.

It reads the text that tinygraph shows, and nothing else, so that a missing parenthesis or a wrong exponent is found. A
product sign can be missing: 2x, a(1 - a), σ(z)σ(-z). Derivatives such as ψ′(x) are computed by numerical
differentiation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mpmath import mp, mpf

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:e[+-]?\d+)?)|(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(?P<primes>[′″‴]+|⁽[⁰¹²³⁴⁵⁶⁷⁸⁹,]+⁾)"
    r"|(?P<name>[A-Za-zα-ωΑ-Ω][A-Za-z0-9_₀-₉]*|[√∛∞])|(?P<sign>.))"
)
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "σ": lambda x: 1 / (1 + mp.exp(-x)),
    "√": mp.sqrt,
    "∛": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "log₂": lambda x: mp.log(x, 2),
    "log₁₀": mp.log10,
    "ψ": mp.digamma,
    "Γ": mp.gamma,
    "Φ": mp.ncdf,
    "φ": mp.npdf,
    "max": max,
    "min": min,
    "sinc": mp.sincpi,
    "pow": lambda x, y: x**y,
    "gelu": lambda x: x * mp.ncdf(x),
    "sign": mp.sign,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "rint": mp.nint,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "heaviside": lambda x: mpf(x > 0),
    **{
        name: getattr(mp, name)
        for name in (
            "exp",
            "log",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "asin",
            "acos",
            "atan",
            "asinh",
            "acosh",
            "atanh",
            "atan2",
            "erf",
            "erfc",
        )
    },
}


def evaluated(text: str, names: Mapping[str, Any]) -> list[Any]:
    """Return the values of a formula, one for each side of its equal signs.

    After ", where ", letters are explained: "-y/a + (1 - y)/(1 - a), where y = 1".
    """
    formula, _, notes = text.partition(", where ")
    values = {name: mpf(value) for name, value in names.items()}
    for note in filter(None, notes.split(" and ")):
        letter, _, meaning = note.partition(" = ")
        assert letter not in names, f"{letter} is explained, but it is also the name of an operand"
        values |= {letter: _Reader(meaning, names).everything()}
    sides = [formula] if " if " in formula else formula.split(" = ")
    return [_Reader(side, values).everything() for side in sides]


class _Reader:
    """A recursive descent over the tokens of a formula."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self.text, self.names = text, names
        self.tokens = [(m.lastgroup, m[m.lastgroup]) for m in _TOKEN.finditer(text.strip()) if m.lastgroup]
        self.at = 0

    def everything(self) -> Any:
        value = self.choice()
        assert self.at == len(self.tokens), f"{self.text!r}: unexpected {self.tokens[self.at :]}"
        return value

    def next(self) -> tuple[str | None, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, "")

    def take(self, *texts: str) -> bool:
        if self.next()[1] in texts and self.next()[0]:
            self.at += 1
            return True
        return False

    def need(self, text: str) -> None:
        assert self.take(text), f"{self.text!r}: expected {text!r}, got {self.tokens[self.at :]}"

    def choice(self) -> Any:
        """Read "1 if x > y, 0.5 if x = y, else 0"."""
        value = self.sum()
        if not self.take("if"):
            return value
        true = self.condition()
        self.need(",")
        other = self.sum() if self.take("else") else self.choice()
        return value if true else other

    def condition(self) -> bool:
        found = self.comparison()
        while self.take("or"):
            found = self.comparison() or found
        return found

    def comparison(self) -> bool:
        x = self.sum()
        if self.take("is"):
            return bool(mp.isfinite(x)) if self.take("finite") else (self.need("NaN"), bool(mp.isnan(x)))[1]
        sign = self.next()[1]
        self.at += 1
        y = self.sum()
        return bool({">": x > y, "<": x < y, "≤": x <= y, "=": x == y, "≠": x != y}[sign])

    def sum(self) -> Any:
        value = self.product()
        while self.next()[1] in ("+", "-") and self.next()[0]:
            value = value + self.product() if self.take("+") else (self.need("-"), value - self.product())[1]
        return value

    def product(self) -> Any:
        value = self.signed()
        while True:
            kind, text = self.next()
            if self.take("·", "×", "⊙"):
                value = value * self.signed()
            elif self.take("/"):
                value = value / self.signed()
            elif self.take("%"):
                value = FUNCTIONS["mod"](value, self.signed())
            elif kind == "number" or (kind == "name" and text not in ("if", "or", "is", "else")) or text == "(":
                value = value * self.power()  # the sign is missing
            else:
                return value

    def signed(self) -> Any:
        return -self.signed() if self.take("-") else self.power()

    def power(self) -> Any:
        value = self.atom()
        kind, text = self.next()
        if kind == "raised":
            self.at += 1
            return value ** int(text.translate(_DIGITS))
        return value ** self.atom() if self.take("^") else value

    def atom(self) -> Any:
        kind, text = self.next()
        self.at += 1
        if kind == "number":
            return mpf(text)
        if kind == "name":
            return self.named(text)
        closing = {"(": ")", "|": "|", "⌊": "⌋", "⌈": "⌉"}[text]
        value = self.choice()
        self.need(closing)
        return {"(": lambda x: x, "|": abs, "⌊": mp.floor, "⌈": mp.ceil}[text](value)

    def named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in ("π", "∞"):
            return mp.pi if name == "π" else mp.inf
        function = FUNCTIONS[name]
        kind, text = self.next()
        if kind == "primes":
            self.at += 1
            if text[0] != "⁽":
                return mp.diff(function, self.arguments()[0], 1 + "′″‴".index(text))
            orders = tuple(int(order) for order in text.strip("⁽⁾").translate(_DIGITS).split(","))
            point = tuple(self.arguments())
            return mp.diff(function, point, orders) if len(orders) > 1 else mp.diff(function, point[0], orders[0])
        if kind == "raised":  # tanh²(x)
            self.at += 1
            return function(*self.arguments()) ** int(text.translate(_DIGITS))
        value = function(self.atom()) if name in "√∛" and text != "(" else function(*self.arguments())
        ambiguous = name in "√∛" and (self.next()[0] == "raised" or self.next()[1] == "^")
        assert not ambiguous, f"{self.text!r}: an exponent after a root could belong to its operand"
        return value

    def arguments(self) -> list[Any]:
        self.need("(")
        found = [self.choice()]
        while self.take(","):
            found.append(self.choice())
        self.need(")")
        return found
