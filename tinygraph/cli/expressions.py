"""Parse expressions such as "J = 3*(a + b*c)" into graphs. The text is never evaluated as Python.

The signs of a textbook, such as × · ² σ −, are replaced by operators first.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
import warnings
from collections.abc import Collection, Mapping

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.explaining.spelling import SUPERSCRIPTS, in_ascii
from tinygraph.support.messages import counted, short

LONGEST = 10_000  # maximum length of an expression, in characters
WIDTH = 100  # maximum length of a quoted line in an error message, in characters
DEEPEST = 200  # maximum depth of nested operations
_BINARY: dict[type[ast.operator], Op] = {
    ast.Add: ops.add,
    ast.Sub: ops.sub,
    ast.Mult: ops.mul,
    ast.Div: ops.div,
    ast.Pow: ops.pow,
}
_ALIASES = {"σ": "sigmoid", "ln": "log"}  # names of functions in textbooks
_HINTS: dict[type[ast.AST], str] = {
    ast.BitXor: "write a power with **",
    ast.MatMult: "write a product with *: an expression contains scalars, not matrices",
    ast.Compare: "an expression cannot contain a comparison; name a step with a single =, and separate steps with ;",
    ast.Call: "write a product with *, and call a function by its name",
    ast.Tuple: "use a comma only between the operands of a function, and a point as the decimal separator",
}
_NESTED = "the expression is too deeply nested: split it into named steps"
_AFTER_POWER = re.compile(
    rf"((?:(?<![^\W{SUPERSCRIPTS}])[^\W{SUPERSCRIPTS}]+|\))[{SUPERSCRIPTS}]+) *([^\W{SUPERSCRIPTS}]+|√)"
)  # as in x²y
_USE = "an expression can contain numbers, names, + - * / **, parentheses, and functions such as exp(x)"


class ExpressionError(ValueError):
    """The text is not a valid expression. The message points to the column of the error.

    Args:
        message: Description of the error, with a fix.
        text: Line with the error, or "" if the error is not on a single line.
        column: Column of the error, counted from 0.
    """

    def __init__(self, message: str, text: str = "", column: int = 0) -> None:
        self.message, self.text, self.column = message, text, column
        start = max(0, column - WIDTH // 2)  # show only a part of a long line
        shown = text[start : start + WIDTH]
        super().__init__(f"{message}\n  {shown}\n  {' ' * (column - start)}^" if text else message)


def parse(text: str, numbers: Mapping[str, float]) -> Value:
    """Return the graph of an expression with named inputs.

    A name on the left of `=`, as in `u = b*c; J = 3*u`, becomes the name of a node. An expression can call only the
    public ops that take one or two operands. The signs × · ÷ − ² σ are read as in a textbook.

    Args:
        text: Expression, or several assignments that are separated by `;` or line breaks.
        numbers: Value of each input, by name.

    Returns:
        The node of the last expression.

    Raises:
        ExpressionError: If the text is not valid, if a name has no value, or if a value or a step is not used.

    Examples:
        >>> J = parse("u = b*c; J = 3*(a + u)", {"a": 5.0, "b": 3.0, "c": 2.0})
        >>> J
        Value(33.0, name='J', op='mul')
        >>> parse("σ(a)·b²", {"a": 0.0, "b": 3.0}).data
        4.5
        >>> parse("3*(a + d)", {"a": 5.0})
        Traceback (most recent call last):
        tinygraph.cli.expressions.ExpressionError: 'd' has no value: pass d=...
          3*(a + d)
                 ^
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text):,} characters, more than the limit of {LONGEST:,}")
    return _Reader(text, numbers).read()


def inputs_of(text: str, known: Collection[str] = ()) -> list[str]:
    """Return the names in an expression that need a value, in the order in which they occur.

    Args:
        text: Expression, or several assignments that are separated by `;` or line breaks.
        known: Names that have a value. A product of known names without `*`, such as "bc", is left out, because
            `parse` then asks whether you mean `b*c`.

    Returns:
        The names.

    Raises:
        ExpressionError: If Python cannot parse the text.

    Examples:
        >>> inputs_of("u = b*c; J = 3*(a + u) + exp(a)")
        ['b', 'c', 'a']
        >>> inputs_of("a + bc", ["b", "c"])
        ['a']
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text):,} characters, more than the limit of {LONGEST:,}")
    reader = _Reader(text, dict.fromkeys(known, 0.0))
    steps: set[str] = set()
    found: dict[str, None] = {}
    for statement in reader.parsed():
        value = getattr(statement, "value", None)
        called = {id(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
        names = [node for node in ast.walk(value) if isinstance(node, ast.Name)] if isinstance(value, ast.expr) else []
        for node in sorted(names, key=lambda node: (node.lineno, node.col_offset)):
            if id(node) not in called and node.id not in steps and (node.id in known or not reader.meant(node.id)):
                found[node.id] = None
        if isinstance(statement, ast.Assign):
            steps |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return list(found)


def _functions() -> dict[str, Op]:
    """Return the public ops with one or two operands, by name, without the aliases of textbooks."""
    return {name: op for name, op in TABLE.items() if op.public and not op.variadic}


def _product(text: str, known: Collection[str]) -> list[str]:
    """Return the known names that a text consists of, such as b and c for "bc", or an empty list."""
    found: dict[int, list[str]] = {0: []}  # factors of the text up to each position
    for end in range(1, len(text) + 1):
        for start in range(end - 1, -1, -1):
            if start in found and text[start:end] in known:
                found.setdefault(end, [*found[start], text[start:end]])
    return found.get(len(text), [])


class _Reader:
    def __init__(self, text: str, numbers: Mapping[str, float]) -> None:
        self.lines = text.split("\n")
        self.read_lines = list(map(in_ascii, self.lines))
        self.leaves = {name: Value(number, name) for name, number in numbers.items()}
        self.steps: dict[str, Value | float] = {}
        self.named_steps: dict[str, ast.stmt] = {}
        self.used: set[str] = set()

    def fail(self, message: str, node: ast.expr | ast.stmt) -> ExpressionError:
        line, columns = self.read_lines[node.lineno - 1]
        column = (
            len(line) - len(line.lstrip()) + len(line.lstrip().encode()[: node.col_offset].decode(errors="replace"))
        )
        return ExpressionError(message, self.lines[node.lineno - 1], columns[column])

    def read(self) -> Value:
        statements = self.parsed()
        result: Value | float = 0.0
        for statement in statements:
            result = self.statement(statement)
        if not isinstance(result, Node):
            raise ExpressionError(
                "the expression contains no name, so it has no graph: for example, write 3*a and pass a=5",
                self.lines[-1],
            )
        self.check_all_used(statements[:-1])
        unused = self.leaves.keys() - self.used
        if unused:
            name = short(min(unused))
            raise ExpressionError(f"{name!r} has a value, but does not occur in the expression: remove {name}=...")
        return result

    def statement(self, statement: ast.stmt) -> Value | float:
        """Return the result of one step, which gets the name on the left of `=`."""
        name = ""
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if len(statement.targets) > 1 or not isinstance(target, ast.Name):
                raise self.fail("give each step one name: name = expression", target)
            name = target.id
            if name in self.steps or name in self.leaves:
                raise self.fail(f"{name!r} already has a value: choose another name", target)
            value = statement.value
        elif isinstance(statement, ast.Expr):
            value = statement.value
        else:
            raise self.fail(f"this is not an expression; {_USE}", statement)
        result = self.value(value, 0)
        if name and isinstance(result, Value) and result.name:
            raise self.fail(f"this node is already named {result.name!r}: remove the second name", value)
        if isinstance(result, Value) and not result.name:
            result.name = name
        if name:
            self.steps[name] = result
            self.named_steps[name] = statement
        return result

    def check_all_used(self, statements: list[ast.stmt]) -> None:
        """Check that each of the steps before the last one is used in a later step."""
        for statement in statements:
            if isinstance(statement, ast.Expr):
                raise self.fail("no later step can use this result: give it a name, or remove it", statement)
        for name, statement in self.named_steps.items():
            if name not in self.used and statement in statements:
                raise self.fail(f"no later step uses {short(name)!r}: use it, or remove it", statement)

    def parsed(self) -> list[ast.stmt]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)  # "1if" also warns, but its error is reported below
                statements = ast.parse("\n".join(line.lstrip() for line, _ in self.read_lines)).body
        except SyntaxError as error:
            number = min((error.lineno or 1) - 1, len(self.lines) - 1)
            line, columns = self.read_lines[number]
            indent = len(line) - len(line.lstrip())
            column = min(max((error.offset or 1) - 1, 0) + indent, len(line))
            raise ExpressionError(self.hint(error.msg or "", number), self.lines[number], columns[column]) from None
        except (RecursionError, MemoryError):
            raise ExpressionError(_NESTED) from None
        except ValueError as error:  # a NUL character, or an integer with thousands of digits
            raise ExpressionError(str(error)) from None
        if not statements:
            raise ExpressionError("the expression is empty")
        return statements

    def hint(self, message: str, number: int) -> str:
        """Return how to fix a line that Python cannot parse."""
        line, written = self.read_lines[number][0], self.lines[number]
        message = message.removesuffix(" Perhaps you forgot a comma?").rstrip(".")
        found = re.search(r"((?:(?<!\w)\w+ *(?:\*\*|\^) *)?(?<![\w.])[\d.]+)([^\W\d]\w*)", line)
        if "decimal literal" in message and found:
            return f"write a product with *: {found[1]}*{short(found[2])}"
        if message.startswith("invalid character"):
            return f"{message.removeprefix('invalid ')} is not supported; {_USE}"
        if message.startswith("cannot assign to"):
            return "only a name can be on the left of =: name = expression"
        if message != "invalid syntax":
            return message
        for word in re.findall(r"[^\W\d]\w*", line):
            if keyword.iskeyword(word) and word != "lambda" * (":" in line):
                return f"{word!r} is a reserved word of Python: choose another name"
        if found := _AFTER_POWER.search(written):
            return f"write a product with *: {short(found[1].replace(')', '(...)'))}*{short(found[2])}"
        if found := re.search(r"([^\W\d]\w*)\s+([^\W\d]\w*)", line):
            first, second = map(short, found.groups())
            if _ALIASES.get(found[1], found[1]) in _functions():
                return f"call the function as {first}({second})"
            return f"write a product with *: {first}*{second}"
        return "something is missing here, or something must be removed"

    def value(self, node: ast.expr, depth: int) -> Value | float:
        """Return the node or the number of an expression."""
        if depth > DEEPEST:
            raise self.fail(_NESTED, node)
        match node:
            case ast.Constant(value=constant) if constant is not ...:
                return self.number(constant, node)
            case ast.Name(id=name):
                return self.named(name, node)
            case ast.BinOp(op=operator) if type(operator) in _BINARY:
                return self.chain(node, depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return ops.neg(self.value(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand, depth + 1)
            case ast.Call(func=ast.Name(id=name), args=operands, keywords=[]):
                return self.call(name, operands, node, depth)
            case _:
                kind = type(node.op) if isinstance(node, ast.BinOp) else type(node)
                raise self.fail(_HINTS.get(kind, f"this is not supported; {_USE}"), node)

    def number(self, constant: object, node: ast.expr) -> float:
        """Return a literal as a float. Raise an error if the literal is not a number."""
        if isinstance(constant, bool) or not isinstance(constant, int | float):
            raise self.fail(f"this is not a number; {_USE}", node)
        try:
            return float(constant)
        except OverflowError:
            raise self.fail("this number is too large for a float", node) from None

    def named(self, name: str, node: ast.expr) -> Value | float:
        """Return the node with the given name: a named expression or an input."""
        if name in self.steps:
            self.used.add(name)
            return self.steps[name]
        if name not in self.leaves:
            raise self.fail(f"{short(name)!r} {self.missing(name)}", node)
        self.used.add(name)
        return self.leaves[name]

    def missing(self, name: str) -> str:
        """Return why a name has no value, and what to write."""
        if self.is_function(name):
            return f"is a function: write {name}(...)"
        text, meant = f"has no value: pass {short(name)}=...", self.meant(name)
        return f"{text}, or write {meant}" if meant else text

    def is_function(self, name: str) -> bool:
        """Return whether a name is the name of a function."""
        return _ALIASES.get(name, name) in _functions()

    def meant(self, name: str) -> str:
        """Return what a name without a value probably means, such as "exp(x)" for expx, or ""."""
        if self.is_function(name):
            return f"{name}(...)"
        known = [*self.leaves, *self.steps]
        if factors := _product(name, known):
            return f"the product {'*'.join(factors)}"
        calls = [f"{first}({name[len(first) :]})" for first in _functions() if name.removeprefix(first) in known]
        return calls[0] if calls else ""

    def chain(self, node: ast.BinOp, depth: int) -> Value | float:
        """Return the result of a chain of binary operations, from left to right.

        A loop collects the right operands of the chain, so that a long sum does not count as deeply nested.
        """
        rest: list[tuple[Op, ast.expr]] = []
        inner: ast.expr = node
        while isinstance(inner, ast.BinOp) and type(inner.op) in _BINARY:
            rest.append((_BINARY[type(inner.op)], inner.right))
            inner = inner.left
        value = self.value(inner, depth + 1)
        for combine, right in reversed(rest):
            value = combine(value, self.value(right, depth + 1))
        return value

    def call(self, name: str, operands: list[ast.expr], node: ast.expr, depth: int) -> Value | float:
        """Call the public op with the given name, and return its result."""
        op = _functions().get(_ALIASES.get(name, name))
        if op is None and (name in self.steps or name in self.leaves):
            raise self.fail(
                f"{short(name)!r} is not a function: write a product with *, as in {short(name)}*(...)", node
            )
        if op is None:
            close = difflib.get_close_matches(name, _functions(), 1)
            known = f"the functions are {', '.join(sorted(_functions()))}"
            hint = f"the most similar name is {close[0]!r}" if close else known
            raise self.fail(f"there is no function {short(name)!r}; {hint}", node)
        if len(operands) != op.arity:
            raise self.fail(f"{name} takes {counted(op.arity, 'operand')}, got {len(operands)}", node)
        return op(*[self.value(operand, depth + 1) for operand in operands])
