"""Templates of ops that all frameworks write in the same way, and formulas of op definitions as such templates."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping

from tinygraph.explaining.textbook.forms import parsed

Template = str | Callable[..., str]  # text with operands {0}, {1}, or a function of an op's parameters that returns one

# A template can contain {library}, the main module of the framework, {all}, the operands, and the shapes {shape} of the
# result and {inner} of the first operand. A function returns "" for parameters that have no counterpart.
SHARED: dict[str, Template] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "positive": "+{0}",
    "pow": "{0} ** {1}",
    "power": lambda exponent: f"{{0}} ** {exponent!r}",
    "squared_error": "({0} - {1}) ** 2 / 2",
    "binary_cross_entropy_with_logits": "{library}.logaddexp({0}, {library}.zeros_like({0})) - {1} * {0}",
    "softplus": "{library}.logaddexp({0}, {library}.zeros_like({0}))",
    "expand": "{library}.broadcast_to({0}, {shape})",
    "reshape": "{0}.reshape({shape})",
    "triangle_of": lambda name, k: f"{{library}}.{name}({{0}}, {k})",
    "einsum": lambda subscripts: f"{{library}}.einsum({subscripts!r}, {{all}})",
    "select": lambda mask: f"{{library}}.where({mask}, {{0}}, {{1}})",
    "masked": lambda mask, fill: f"{{library}}.where({mask}, {{0}}, {{library}}.full_like({{0}}, {number(fill)}))",
    "fill_nan": lambda fill: (
        f"{{library}}.where({{library}}.isnan({{0}}), {{library}}.full_like({{0}}, {number(fill)}), {{0}})"
    ),
    "not_nan": "{library}.where({library}.isnan({0}), {library}.zeros_like({0}), {library}.ones_like({0}))",
    "inv": "{library}.linalg.inv({0})",
    "det": "{library}.linalg.det({0})",
    "solve": "{library}.linalg.solve({0}, {1})",
    "logabsdet": "{library}.linalg.slogdet({0})[1]",
    "signdet": "{library}.linalg.slogdet({0})[0]",
    "eigvalsh": lambda uplo="L": f"{{library}}.linalg.eigvalsh({{0}}, UPLO={uplo!r})",
}


def number(x: float) -> str:
    """Return a number as code, also if it is not finite.

    Args:
        x: Number.

    Returns:
        The code.

    Examples:
        >>> number(0.5), number(float("nan"))
        ('0.5', "float('nan')")
    """
    return repr(x) if math.isfinite(x) else f"float({str(x)!r})"


def formula(form: str, templates: Mapping[str, Template]) -> str:
    """Return the formula of an op definition as a template.

    Args:
        form: Form of an op, a Python expression.
        templates: Templates of the functions in the formula, by name.

    Returns:
        The template, or "" if a function has no template.

    Examples:
        >>> formula("1/(1 + x**2)", SHARED)
        '(1 / (1 + ({0} ** 2)))'
        >>> formula("sqrt(x)", {})
        ''
    """
    found = parsed(form)
    try:
        return _branch(found.formulas[-1], found.letters, templates)
    except (LookupError, ValueError):  # an unknown function or letter
        return ""


_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_TESTS = {ast.Gt: ">", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
_DENSITY = {  # the cumulative distribution and the density of the normal distribution
    "Phi": "erfc(-x*sqrt(0.5))/2",
    "phi": "exp(-x**2/2)/sqrt(2)/sqrt(pi)",
}


def _branch(node: ast.expr, letters: tuple[str, ...], templates: Mapping[str, Template]) -> str:
    """Return the text of an expression as an array, also if it is a number."""
    text = _text(node, letters, templates)
    return text if "{0}" in text or "{1}" in text else f"{{library}}.full_like({{0}}, {text})"


def _text(node: ast.expr, letters: tuple[str, ...], templates: Mapping[str, Template]) -> str:
    """Return the text of an expression. Raise LookupError if a function has no template."""

    def inner(part: ast.expr) -> str:
        return _text(part, letters, templates)

    if isinstance(node, ast.Constant):
        return repr(node.value)
    if isinstance(node, ast.Name):
        return repr(math.pi) if node.id == "pi" else f"{{{letters.index(node.id)}}}"
    if isinstance(node, ast.UnaryOp):
        return f"(-{inner(node.operand)})"
    if isinstance(node, ast.BinOp):
        return f"({inner(node.left)} {_OPERATORS[type(node.op)]} {inner(node.right)})"
    if isinstance(node, ast.BoolOp):
        return f"({' | '.join([f'({inner(value)})' for value in node.values])})"
    if isinstance(node, ast.Compare):
        return f"({inner(node.left)} {_TESTS[type(node.ops[0])]} {inner(node.comparators[0])})"
    if isinstance(node, ast.IfExp):
        branches = [_branch(part, letters, templates) for part in (node.body, node.orelse)]
        return f"{{library}}.where({inner(node.test)}, {', '.join(branches)})"
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Call):  # prime(function, order)(x)
        name, order = map(ast.unparse, node.func.args)
        polygamma = templates[{"digamma": "polygamma"}[name]]
        assert callable(polygamma)
        return polygamma(int(order)).replace("{0}", inner(node.args[0]))
    return _called(ast.unparse(node.func), [inner(part) for part in node.args], templates)


def _called(name: str, args: list[str], templates: Mapping[str, Template]) -> str:
    """Return the text of a function call. A function of a number is computed."""
    if name in _DENSITY:
        return formula(_DENSITY[name], templates).replace("{0}", args[0])
    if name in ("isnan", "isfinite"):
        return f"{{library}}.{name}({args[0]})"
    if "{" not in args[-1]:
        return repr(getattr(math, name)(float(ast.literal_eval(args[-1]))))
    template = templates[name]
    if not isinstance(template, str):
        raise LookupError
    return f"({re.sub('{([01])}', lambda found: args[int(found[1])], template)})"
