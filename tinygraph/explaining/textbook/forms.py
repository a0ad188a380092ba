"""Formulas as a textbook prints them: from the forms of op definitions, such as "-y/a + (1 - y)/(1 - a)".

A form is a Python expression, so that a test can evaluate it. Here, a form becomes text: `x**2` becomes x², a call of
`sqrt` becomes √, and the names of the operands replace the letters.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

EXACT = 10  # maximum length of a number that is shown with all digits
HIGHEST = 99  # highest exponent that is written above the line
CHOICE, SUM, PRODUCT, POWER, ATOM = range(5)  # how tightly a formula binds
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAMES = {
    "sigmoid": "σ", "sqrt": "√", "cbrt": "∛", "log2": "log₂", "log10": "log₁₀", "digamma": "ψ", "gamma": "Γ",
    "Phi": "Φ", "phi": "φ", "pi": "π", "inf": "∞",
}  # fmt: skip
_RAISED = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log")  # the exponent follows the name, as in tanh²(x)
_AROUND = {"abs": "||", "floor": "⌊⌋", "ceil": "⌈⌉"}
_TESTS = {"isfinite": "{} is finite", "isnan": "{} is NaN"}
_COMPARISONS = {ast.Gt: ">", ast.Lt: "<", ast.LtE: "≤", ast.Eq: "=", ast.NotEq: "≠"}


class Text(str):
    """The text of a formula.

    Attributes:
        binds: Precedence of the formula: `CHOICE`, `SUM`, `PRODUCT`, `POWER` or `ATOM`.
        terms: Number of terms of the longest sum in the expression of a node. 0 for other texts.
    """

    __slots__ = ("binds", "terms")
    binds: int
    terms: int

    def __new__(cls, text: str, binds: int = ATOM, terms: int = 0) -> Text:
        """Create the text of a formula.

        Args:
            text: Text.
            binds: How tightly the formula binds. Defaults to `ATOM`.
            terms: Number of terms of the longest sum. Defaults to 0.

        Returns:
            The text.
        """
        made = str.__new__(cls, text)  # takes half the time of `super()`
        made.binds, made.terms = binds, terms
        return made

    def within(self, needed: int) -> str:
        """Return the text, in parentheses if it binds less tightly than needed or starts with a minus sign.

        Args:
            needed: Precedence that the surrounding formula requires.

        Returns:
            The text.

        Examples:
            >>> Text("a + b", SUM).within(PRODUCT), Text("a", ATOM).within(POWER)
            ('(a + b)', 'a')
        """
        return f"({self})" if self.binds < needed or (needed > SUM and self.startswith("-")) else str(self)


class Form(NamedTuple):
    """A parsed form: the letters of the operands, and the formulas that are equal."""

    letters: tuple[str, ...]
    formulas: tuple[ast.expr, ...]


@lru_cache(maxsize=1024)
def parsed(form: str) -> Form:
    """Parse the form of an op.

    Args:
        form: Python expression in x and y, or such as "a, y: a - y", with other letters. Equal expressions are joined
            by " = ".

    Returns:
        The letters and the syntax trees of the expressions.

    Examples:
        >>> parsed("a, y: a - y").letters, parsed("x**2").letters
        (('a', 'y'), ('x', 'y'))
    """
    head, colon, body = form.rpartition(": ")
    letters = tuple(head.split(", ")) if colon else ("x", "y")
    return Form(letters, tuple(ast.parse(text, mode="eval").body for text in body.split(" = ")))


@lru_cache(maxsize=1024)
def uses(form: str, slot: int) -> int:
    """Return how often a form contains the letter of an operand.

    Args:
        form: Form of an op.
        slot: Index of the operand.

    Returns:
        The largest number of times in one of its formulas.
    """
    found = parsed(form)
    letter = found.letters[slot]
    return max(
        sum(isinstance(node, ast.Name) and node.id == letter for node in ast.walk(formula))
        for formula in found.formulas
    )


@lru_cache(maxsize=1024)
def operations(form: str) -> int:
    """Return how many operations a form contains.

    Args:
        form: Form of an op.

    Returns:
        The number of operators and function calls.

    Examples:
        >>> operations("sqrt(x)"), operations("log(1 + x)")
        (1, 2)
    """
    kinds = (ast.BinOp, ast.UnaryOp, ast.Call, ast.IfExp)
    return sum(isinstance(node, kinds) for formula in parsed(form).formulas for node in ast.walk(formula))


def names_in(form: str) -> set[str]:
    """Return the names of the variables in a form.

    Args:
        form: Form of an op.

    Returns:
        The names, without those of functions.

    Examples:
        >>> sorted(names_in("a, y: log(1 - a) - y"))
        ['a', 'y']
    """
    names = [node for formula in parsed(form).formulas for node in ast.walk(formula) if isinstance(node, ast.Name)]
    functions = {
        id(node.func) for formula in parsed(form).formulas for node in ast.walk(formula) if isinstance(node, ast.Call)
    }
    return {node.id for node in names if id(node) not in functions}


def fill(form: str, operands: Sequence[str], out: str = "", elementwise: bool = False) -> Text:
    """Return a form as text, with the texts of the operands in place of the letters.

    Args:
        form: Form of an op.
        operands: Text of each operand. A plain string counts as a name.
        out: Text of the result, for a form that contains `out`.
        elementwise: If true, products are of arrays, and are written with ⊙.

    Returns:
        The text. If the form contains equal formulas, they are joined by " = ".

    Examples:
        >>> fill("1/sqrt(1 - x**2)", ["w"]), fill("-2*y/x**3", ["a", Text("b + c", SUM)])
        ('1/√(1 - w²)', '-2(b + c)/a³')
        >>> fill("out*(1 - out) = sigmoid(x)*sigmoid(-x)", ["z"], "a")
        'a(1 - a) = σ(z)σ(-z)'
    """
    letters, formulas = parsed(form)
    given = dict(zip(letters, map(_as_text, operands), strict=False)) | {"out": _as_text(out)}
    texts = [_Printer(given, elementwise).text(formula) for formula in formulas]
    return texts[0] if len(texts) == 1 else Text(" = ".join(texts), CHOICE)


def _as_text(text: str) -> Text:
    return text if isinstance(text, Text) else Text(text)


class _Printer:
    """Prints the syntax tree of a form."""

    def __init__(self, given: dict[str, Text], elementwise: bool) -> None:
        self.given, self.elementwise = given, elementwise

    def text(self, node: ast.expr) -> Text:
        """Return the text of an expression."""
        method: Callable[[ast.expr], Text] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def _constant(self, node: ast.Constant) -> Text:
        assert isinstance(node.value, (int, float))
        value = node.value
        whole = value == value // 1 and value < 1e15
        return Text(str(int(value)) if whole else repr(value) if len(repr(value)) <= EXACT else f"{value:.4g}")

    def _name(self, node: ast.Name) -> Text:
        return self.given.get(node.id) or Text(_NAMES.get(node.id, node.id))

    def _unaryop(self, node: ast.UnaryOp) -> Text:
        return Text(f"-{self.text(node.operand).within(PRODUCT)}", PRODUCT)

    def _ifexp(self, node: ast.IfExp) -> Text:
        return Text(f"{self.text(node.body)} if {self.text(node.test)}, {self._rest(node.orelse)}", CHOICE)

    def _rest(self, node: ast.expr) -> str:
        return str(self.text(node)) if isinstance(node, ast.IfExp) else f"else {self.text(node)}"

    def _compare(self, node: ast.Compare) -> Text:
        sign = _COMPARISONS[type(node.ops[0])]
        return Text(f"{self.text(node.left).within(SUM)} {sign} {self.text(node.comparators[0]).within(SUM)}", CHOICE)

    def _boolop(self, node: ast.BoolOp) -> Text:
        return Text(" or ".join(map(self.text, node.values)), CHOICE)

    def _call(self, node: ast.Call) -> Text:
        texts = [self.text(arg) for arg in node.args]
        if isinstance(node.func, ast.Call):  # prime(f, n)(x) is the n-th derivative of f
            function, *orders = node.func.args
            return Text(f"{self._function(function)}{_primes(*map(_number, orders))}({', '.join(texts)})")
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in _AROUND:
            return Text(f"{_AROUND[name][0]}{texts[0]}{_AROUND[name][1]}")
        if name in _TESTS:
            return Text(_TESTS[name].format(texts[0].within(SUM)), CHOICE)
        listed = ", ".join(texts)
        root = name in ("sqrt", "cbrt")
        bare = root and texts[0].binds == ATOM and re.fullmatch(r"\w+", listed)
        text = f"{self._function(node.func)}{listed if bare else f'({listed})'}"
        return Text(text, POWER if root else ATOM)  # √x³ could be read as √(x³)

    def _function(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Name)
        return _NAMES.get(node.id, node.id)

    def _binop(self, node: ast.BinOp) -> Text:
        left, right = node.left, node.right
        if isinstance(node.op, ast.Pow):
            return self._power(left, _number(right), right)
        if isinstance(node.op, ast.Mult):
            return self._product(left, right)
        x, y = self.text(left), self.text(right)
        if isinstance(node.op, ast.Div):
            return _quotient(x, y)
        sign, needed = ("+", SUM) if isinstance(node.op, ast.Add) else ("-", PRODUCT)
        return Text(f"{x.within(SUM)} {sign} {f'({y})' if y.startswith('-') else y.within(needed)}", SUM)

    def _power(self, base: ast.expr, exponent: float | None, right: ast.expr) -> Text:
        if exponent == 1:
            return self.text(base)
        if exponent == 0:
            return Text("1")
        named = isinstance(base, ast.Call) and isinstance(base.func, ast.Name)
        if exponent is None or exponent != int(exponent) or abs(exponent) > HIGHEST:
            power = self.text(right)
            raised = f"^{power if power.binds == ATOM and not power.startswith('-') else f'({power})'}"
        else:
            if named and base.func.id == "sqrt" and exponent % 2 == 0:  # type: ignore[attr-defined]
                return self._power(base.args[0], exponent / 2, right)  # type: ignore[attr-defined]
            raised = str(int(exponent)).translate(_SUPERSCRIPTS)
            if named and base.func.id in _RAISED:  # type: ignore[attr-defined]
                name, _, rest = self.text(base).partition("(")
                return Text(f"{name}{raised}({rest}", POWER)
        return Text(f"{self.text(base).within(ATOM)}{raised}", POWER)

    def _product(self, left: ast.expr, right: ast.expr) -> Text:
        x, y, power = self.text(left), self.text(right), _exponent(right)
        if "0" in (x, y):
            return Text("0")
        if x == "1":
            return y
        if y == "1":
            return x
        if power < 0:  # c x⁻² is c/x²
            assert isinstance(right, ast.BinOp)
            return _quotient(x, self._power(right.left, -power, ast.Constant(-power)))
        if x == "-1":
            return Text(f"-{y.within(PRODUCT)}", PRODUCT)
        first, second = x if x.binds >= PRODUCT else f"({x})", y.within(POWER)  # the first factor can be negative
        return Text(f"{first}{self._between(left, first, second)}{second}", PRODUCT)

    def _between(self, left: ast.expr, x: str, y: str) -> str:
        """Return the sign of a product, which is often left out: 2x, a(1 - a), σ(z)σ(-z)."""
        if _number(left) is not None:
            return " · " if re.match(r"[0-9]|[eE][0-9]", y) else ""  # 2e1 would be a number
        if self.elementwise:
            return " ⊙ "
        apart = x.endswith(")") and y[0] in "(σΦφψΓπ√∛"
        return "" if apart or (y[0] == "(" and re.search(r"(^|\W)[^\W\d]\d*$", x)) else " · "


def _quotient(x: Text, y: Text) -> Text:
    if y == "1":
        return x
    return Text(f"{x if x.binds >= PRODUCT else f'({x})'}/{y.within(POWER)}", PRODUCT)  # -a/b needs no parentheses


def _number(node: ast.expr) -> float | None:
    """Return a literal number, or None for another expression."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = _number(node.operand)
        return None if found is None else -found
    return float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else None


def _exponent(node: ast.expr) -> float:
    """Return the exponent of a power if it is a literal number, and 1 for other expressions."""
    power = _number(node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else None
    return 1.0 if power is None else power


def _primes(*orders: float | None) -> str:
    """Return the orders of a derivative: f″(x), or f⁽²,¹⁾(x, y) for a function of two variables."""
    counts = [int(order or 0) for order in orders]
    if len(counts) == 1 and counts[0] < 4:
        return ("", "′", "″", "‴")[counts[0]]
    return f"⁽{','.join(map(str, counts)).translate(_SUPERSCRIPTS)}⁾"
