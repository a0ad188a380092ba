"""The inputs of an expression or a program: the numbers that the page shows as sliders."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinygraph.cli.expressions import inputs_of

FIRST = 1.0  # value of an input before the reader sets it
_SPAN = 10.0  # a slider reaches from -10 to 10, or twice as far as the number


@dataclass(frozen=True)
class Input:
    """An input with its value, and the range of its slider."""

    name: str
    value: float
    least: float
    most: float
    step: float


@dataclass(frozen=True)
class Literal:
    """A number in the text of a program, such as the 5 in `a = Value(5)`."""

    name: str
    value: float
    start: int  # position in the text
    end: int


def as_input(name: str, value: float) -> Input:
    """Return an input with a range for its slider.

    Args:
        name: Name of the input.
        value: Value of the input.

    Returns:
        The input. Its range contains the value, and the step is a round number.

    Examples:
        >>> as_input("b", 3.0)
        Input(name='b', value=3.0, least=-10.0, most=10.0, step=0.1)
        >>> as_input("x", -250.0)
        Input(name='x', value=-250.0, least=-1000.0, most=1000.0, step=10.0)
    """
    span = _SPAN
    if math.isfinite(value) and value:
        while span < abs(value):
            span *= 10
        while span > _SPAN / 1000 and span > 100 * abs(value):
            span /= 10
    return Input(name, value, -span, span, float(f"{span / 100:.0e}"))


def numbers_of(text: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """Return a value for each input of an expression.

    Args:
        text: Expression.
        numbers: Values that the page has, by name. Those of names that do not occur are left out.

    Returns:
        The values, by name. An input without a value gets the value 1, unless it looks like a product without `*`,
        such as "bc". `parse` then asks whether you mean `b*c`.

    Raises:
        ExpressionError: If Python cannot parse the text.

    Examples:
        >>> numbers_of("J = 3*(a + b)", {"b": 3.0, "q": 7.0})
        {'a': 1.0, 'b': 3.0}
    """
    names = inputs_of(text, numbers)
    found = {name: numbers.get(name, FIRST) for name in names}
    return found if set(names) == set(inputs_of(text)) else {**numbers, **found}


def literals_of(program: str) -> list[Literal]:
    r"""Return the numbers of a program that the page shows as sliders: those of `name = Value(number)`.

    Args:
        program: Text of a program that Python can parse.

    Returns:
        The numbers, in the order of the text. A name that is assigned several times is left out.

    Examples:
        >>> [(x.name, x.value) for x in literals_of("a, b = Value(5), Value(-2.5)\nu = Value(a.data)")]
        [('a', 5.0), ('b', -2.5)]
    """
    lines = program.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def position(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    tree = ast.parse(program)
    found = [
        Literal(name, value, position(at.lineno, at.col_offset), position(at.end_lineno or 1, at.end_col_offset or 0))
        for statement in tree.body
        for name, at, value in _values(statement)
    ]
    stores = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return [literal for literal in found if stores.count(literal.name) == 1]


def _values(statement: ast.stmt) -> Iterator[tuple[str, ast.expr, float]]:
    """Yield the name, the expression and the value of each `name = Value(number)`."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    target, value = statement.targets[0], statement.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = list(zip(target.elts, value.elts, strict=True))
    for name, call in pairs:
        if isinstance(name, ast.Name) and isinstance(call, ast.Call) and call.args:
            function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            number = _number(call.args[0])
            if function == "Value" and number is not None:
                yield name.id, call.args[0], number


def _number(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        try:
            return float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            return None
    return None


def with_numbers(program: str, numbers: Mapping[str, float]) -> str:
    """Return a program with other numbers in `name = Value(number)`.

    Args:
        program: Text of a program that Python can parse.
        numbers: New values, by name.

    Returns:
        The program.

    Examples:
        >>> with_numbers("a, b = Value(5), Value(-2.5)  # two inputs", {"b": 4.0})
        'a, b = Value(5), Value(4)  # two inputs'
    """
    for literal in reversed(literals_of(program)):
        value = numbers.get(literal.name, literal.value)
        if value != literal.value:
            program = program[: literal.start] + written(value) + program[literal.end :]
    return program


def written(value: float) -> str:
    """Return a number as a person writes it in a program.

    Args:
        value: Number.

    Returns:
        The text. An integer has no point.

    Examples:
        >>> written(3.0), written(-0.5), written(1e300)
        ('3', '-0.5', '1e+300')
    """
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
