"""Ops, nodes, numbers and arrays as Python code that you can paste."""

from __future__ import annotations

import ast
import math
from functools import lru_cache

from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.variadic import VariadicOp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeGuard

    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)  # precedence levels
_OPERATORS: dict[type[ast.AST], int] = {
    ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.MatMult: PRODUCT, ast.USub: SIGN,
    ast.Mod: PRODUCT, ast.FloorDiv: PRODUCT, ast.UAdd: SIGN, ast.Pow: POWER,
}  # fmt: skip
_OPERAND = "_operand"


# --- ops --------------------------------------------------------------------------------------------


def call_code(op: Op, *operands: str) -> str:
    """Return the code that calls the given op.

    Args:
        op: Op to call.
        *operands: Code of each operand, in the order in which a node stores its operands. Parentheses are added where
            needed.

    Returns:
        The code, which uses the names `tinygraph` and `np`.

    Examples:
        >>> from tinygraph.engine.ops import dot, log, log_partial, mul, power
        >>> call_code(mul, "b + 1", "c"), call_code(log, "a"), call_code(power(3), "-x"), call_code(dot, "w", "x")
        ('(b + 1) * c', 'tinygraph.log(a)', '(-x) ** 3', 'tinygraph.dot([w], [x])')
        >>> call_code(log_partial, "a")
        'tinygraph.engine.ops.log_partial(a)'
    """
    if op.code:
        template = template_of(op)
        needed = template.needs if len(template.needs) == len(operands) else (0,) * len(operands)
        return fill(op, [in_parentheses(x, binding(x), need) for x, need in zip(operands, needed, strict=True)])
    if isinstance(op, VariadicOp):
        operands = tuple(f"[{', '.join(elements)}]" for elements in op.lists(operands))
    if op.maker:
        function = f"{op.maker.__module__}.{maker_code(op)}"
    else:
        function = f"{module_of(op) if op.name in TABLE else 'tinygraph'}.{op.name}"
    return f"{function}({', '.join(operands)})"


def module_of(op: Op) -> str:
    """Return the name of the module from which code imports an op of the table.

    Args:
        op: Op of the table.

    Returns:
        The package for a public op, otherwise the module that defines the op.

    Examples:
        >>> from tinygraph.engine.ops import log, log_partial
        >>> module_of(log), module_of(log_partial)
        ('tinygraph', 'tinygraph.engine.ops')
    """
    return "tinygraph" if op.public else op.partials[0].__globals__["__name__"]


def fill(op: Op, operands: Sequence[str], array: Callable[[Array], str] | None = None) -> str:
    """Return an op's template with the operands and parameters filled in.

    Args:
        op: Op whose `code` is a template.
        operands: Code of each operand, in parentheses where the template needs them.
        array: Function that converts an array parameter to code. Defaults to `array_code`.

    Returns:
        The code.
    """
    parameters = [_Parameter(value, array or array_code) for value in op.parameters]
    if op.variadic:
        operands = [", ".join(operands)]
    return op.code.format(*operands, parameters=parameters)


def maker_code(op: Op, array: Callable[[Array], str] | None = None) -> str:
    """Return the code of the call that creates a parametrized op.

    Args:
        op: Parametrized op.
        array: Function that converts an array parameter to code. Defaults to `array_code`.

    Returns:
        The code, without the module name.

    Examples:
        >>> from tinygraph.engine.ops import power_partial
        >>> maker_code(power_partial(3))
        'power_partial(3)'
    """
    assert op.maker is not None
    return f"{op.maker.__name__}({', '.join([value_code(value, array or array_code) for value in op.parameters])})"


class _Parameter:
    """A parameter of an op.

    A template refers to the first parameter as `{parameters[0]}`, or as `{parameters[0]:index}` if it is an index.
    """

    def __init__(self, value: object, array: Callable[[Array], str]) -> None:
        self.value, self.array = value, array

    def __format__(self, spec: str) -> str:
        return index_code(self.value, self.array) if spec == "index" else value_code(self.value, self.array)


class Template:
    """An op's template, parsed as an expression.

    Args:
        code: Code of the expression, in which each operand is a name.

    Attributes:
        binds: Precedence of the expression.
        needs: Minimum precedence at which each operand needs no parentheses.
        operator: Name of the outermost operator, such as "Add", or "" for a call, an attribute or an index.
    """

    def __init__(self, code: str) -> None:
        root = ast.parse(code, mode="eval").body
        self.binds = _binding(root)
        self.operator = type(root.op).__name__ if isinstance(root, (ast.BinOp, ast.UnaryOp)) else ""
        found = {}
        for parent in ast.walk(root):
            for child in ast.iter_child_nodes(parent):
                if isinstance(child, ast.Name) and child.id.startswith(_OPERAND):
                    found[int(child.id.removeprefix(_OPERAND))] = _needed(parent, child)
        self.needs = tuple([found[i] for i in sorted(found)])

    @property
    def associative(self) -> bool:
        """True if the order of evaluation changes the result of a chain of this operator only by rounding."""
        return self.operator in ("Add", "Mult")


def template_of(op: Op) -> Template:
    """Return the parsed template of the given op.

    Args:
        op: Op whose `code` is a template.

    Returns:
        The template. Equal templates share one object.
    """
    return _template(op.code, op.arity)


@lru_cache(maxsize=1024)
def _template(code: str, arity: int) -> Template:
    return Template(code.format(*[f"{_OPERAND}{i}" for i in range(arity)], parameters=[_AnyParameter()] * 9))


class _AnyParameter:
    """A placeholder for a parameter, used when only the structure of a template matters."""

    def __format__(self, spec: str) -> str:
        return "(0)"


def _binding(node: ast.expr) -> int:
    """Return the precedence of an expression."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return _OPERATORS.get(type(node.op), 0)
    return ATOM


def _needed(parent: ast.AST, child: ast.expr) -> int:
    """Return the minimum precedence at which an operand of the given expression needs no parentheses."""
    if isinstance(parent, ast.BinOp):
        binds = _OPERATORS[type(parent.op)]
        if isinstance(parent.op, ast.Pow):
            return ATOM if child is parent.left else SIGN
        return binds if child is parent.left else binds + 1
    if isinstance(parent, ast.UnaryOp):
        return SIGN
    inside = isinstance(parent, (ast.Attribute, ast.Subscript)) and child is parent.value
    return ATOM if inside else 0


@lru_cache(maxsize=4096)
def binding(code: str) -> int:
    """Return the precedence of an expression.

    Args:
        code: Code of the expression.

    Returns:
        `SUM`, `PRODUCT`, `SIGN`, `POWER` or `ATOM`, or 0 for another arithmetic operator. An expression
        with a higher precedence binds more tightly.

    Examples:
        >>> binding("a + b") == SUM, binding("f(a)") == ATOM
        (True, True)
    """
    return _binding(ast.parse(code, mode="eval").body)


def in_parentheses(code: str, binds: int, needed: int) -> str:
    """Return an expression, in parentheses if the expression binds less tightly than needed.

    Args:
        code: Code of the expression.
        binds: Precedence of the expression.
        needed: Precedence that the surrounding expression requires.

    Returns:
        The code.
    """
    return code if binds >= needed else f"({code})"


# --- values -----------------------------------------------------------------------------------------


def number_code(x: float) -> str:
    """Return a number as code.

    Args:
        x: Number; NaN and infinities are allowed.

    Returns:
        The code. An integer has no decimal point.

    Examples:
        >>> number_code(3.0), number_code(0.1), number_code(-math.inf), number_code(-0.0)
        ('3', '0.1', '-np.inf', '-0.0')
    """
    if not math.isfinite(x):
        return f"np.{x}".replace("np.-", "-np.")
    if x == x // 1 and abs(x) < 1e15:
        return repr(int(x)) if x or math.copysign(1.0, x) > 0 else "-0.0"
    return repr(float(x))


def array_code(array: Array) -> str:
    """Return an array as code.

    Args:
        array: NumPy array.

    Returns:
        The code, which refers to NumPy as `np`.
    """
    return f"np.array({array.tolist()!r})" if array.size else f"np.zeros({array.shape})"


def value_code(value: object, array: Callable[[Array], str] = array_code) -> str:
    """Return a number, a shape, an index or another parameter of an op as code.

    Args:
        value: Parameter to write.
        array: Function that converts an array in `value` to code. Defaults to `array_code`.

    Returns:
        The code.

    Examples:
        >>> value_code((2, 3)), value_code(3.0), value_code((slice(1, None), 0))
        ('(2, 3)', '3', '(slice(1, None, None), 0)')
    """
    if isinstance(value, tuple):
        return f"({', '.join([value_code(x, array) for x in value])}{',' if len(value) == 1 else ''})"
    if isinstance(value, float):
        return number_code(value)
    return array(value) if _is_array(value) else "..." if value is ... else repr(value)


def index_code(key: object, array: Callable[[Array], str] = array_code) -> str:
    """Return the code of an index, as it appears between brackets.

    Args:
        key: Integer, slice, ellipsis, array, None, or a tuple of these.
        array: Function that converts an array in `key` to code. Defaults to `array_code`.

    Returns:
        The code, without the brackets.

    Examples:
        >>> index_code((slice(1, None), ..., 0)), index_code(slice(None, None, -1))
        ('1:, ..., 0', '::-1')
    """
    if isinstance(key, tuple) and key:
        return ", ".join([index_code(k, array) for k in key])
    if isinstance(key, slice):
        ends = ["" if end is None else str(end) for end in (key.start, key.stop)]
        return ":".join([*ends, str(key.step)] if key.step is not None else ends)
    return value_code(key, array)


def _is_array(value: object) -> TypeGuard[Array]:
    return hasattr(value, "tolist") and hasattr(value, "shape")


def leaf_code(node: Node) -> str:
    """Return the code that creates a leaf with the value and the name of a scalar node.

    Args:
        node: Scalar node.

    Returns:
        The code.

    Examples:
        >>> from tinygraph import Value
        >>> leaf_code(Value(2.0, "x"))
        "Value(2.0, 'x')"
    """
    kind = "Value" if isinstance(node.raw, float) else "Tensor"
    number = float(node.raw)
    text = repr(number) if math.isfinite(number) else f"float('{number}')"
    return f"{kind}({text}{f', {node.name!r}' if node.name else ''})"
