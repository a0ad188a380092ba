"""The table of ops for the reference page, read from the op definitions or computed with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Value
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.textbook.derivatives import formula
from tools.site import plots

ACCURACY = Path(__file__).parents[2] / "docs" / "accuracy.md"
SECOND = {"pow": 2.5, "binary_cross_entropy": 1.0, "binary_cross_entropy_with_logits": 1.0}  # y in a plot; else 0.5
WIDTH = 200  # maximum length of a formula, in characters


def table(which: str, show: Callable[[plots.Plot, str, str], str]) -> str:
    """Return the public or the private ops as Markdown; `show` puts a named plot on the page."""
    errors, entries = _errors(), []
    for name, row in TABLE.items():
        if (name in tinygraph.__all__) != (which == "public"):
            continue
        second = SECOND.get(name, 0.5)
        public = which == "public"
        texts = dict.fromkeys(
            [*([_text(row)] if public and row.symbol == row.name else []), *_forms(row), *_formula(row)]
        )
        lines = [("formula", " = ".join(texts))]
        lines += [(f"local derivative in {x}", local) for x, local in zip("xy", _partials(row), strict=False)]
        lines += [("computed", text) for text in _computed(row)]
        facts = [f"<dt>{what}</dt><dd>{_marked(what, text)}</dd>" for what, text in lines]
        facts.append(f"<dt>differentiable where</dt><dd>{escape(row.domain.text)}</dd>")
        if name in errors:
            facts.append("<dt>worst error</dt><dd>value {} ULP, local derivative {} ULP</dd>".format(*errors[name]))
        of = f", where y = {second:g}" if row.arity == 2 else ""
        curve = (
            ""
            if row.variadic
            else show(
                plots.row(row, second, size=(2, 1.3)), name, f"{name} and its local derivative with respect to x{of}"
            )
        )
        entries.append(
            f'### `{name if public else next(iter(texts))}`\n\n<div class="op"><dl>{"".join(facts)}</dl>{curve}</div>'
        )
    return "\n\n".join(entries)


def _operands(row: Op) -> list[Value]:
    return [Value(0.6, "x"), Value(0.3, "y")][: row.arity]


def _text(row: Op) -> str:
    return row.text(*"xy"[: row.arity]) if not row.variadic else f"{row.name}({', '.join(['x', 'y'][: row.arity])})"


def _formula(row: Op) -> list[str]:
    """Return the definition for complex numbers, recorded with named Values."""
    if row.variadic:
        return ["x₁ + x₂ + …" if row.arity == 1 else "x₁y₁ + x₂y₂ + …"]
    try:
        return [notation.label(row.analytic(tinygraph, *_operands(row)), width=WIDTH)] if row.analytic else []
    except AttributeError:  # a function of mpmath that is not an op
        return []


def _forms(row: Op) -> list[str]:
    """Return the formula that a textbook prints for the op."""
    return [] if row.variadic else [notation.expression(row(*_operands(row)), width=WIDTH)]


def _partials(row: Op) -> list[str]:
    """Return the formulas that a textbook prints for the local derivatives."""
    if row.variadic:
        return ["1, 1, …"] if row.arity == 1 else ["y₁, y₂, …", "x₁, x₂, …"]
    node = row(*_operands(row))
    return [formula(node, slot) for slot in range(row.arity)]


def _computed(row: Op) -> list[str]:
    """Return how an op for a local derivative is computed, and why: the beginning of its kernel's docstring."""
    if row.public:
        return []
    text = " ".join((_kernel(row).__doc__ or "").split("\n\n    Args:")[0].split())
    return [text.removeprefix("Return ")] if text else []


def _kernel(row: Op) -> Callable[..., float]:
    """Return the kernel for floats, also if the definition passes parameters to it in a lambda."""
    function = row.floats
    if function.__name__ != "<lambda>":
        return function
    module, name, *_ = function.__code__.co_names
    kernel: Callable[..., float] = getattr(function.__globals__[module], name)
    return kernel


def _marked(what: str, text: str) -> str:
    return escape(text) if what == "computed" else f"<code>{escape(text)}</code>"


def _errors() -> dict[str, tuple[str, str]]:
    """Return the worst errors of the value and of a local derivative, from the page on accuracy."""
    found = re.finditer(
        r"^\| `(\w+)` \| [^|]* \| ([\d.]+) \| [^|]* \| ([\d.]+) ", ACCURACY.read_text("utf-8"), re.MULTILINE
    )
    return {match[1]: (match[2], match[3]) for match in found}


def curve(row: Op, second: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, the value and the local derivative between -3 and 3; NaN where the op is not differentiable."""
    x = np.linspace(-3.0, 3.0, 481)
    operands = [x, np.full_like(x, second)][: row.arity]
    smooth = np.array([row.domain.contains(*point) for point in zip(*operands, strict=True)])
    leaf = tinygraph.Tensor(np.where(smooth, x, 0.5))
    out = row(leaf, *operands[1:])
    local = tinygraph.grad(out.sum(), leaf)
    return x, np.where(smooth, out.data, np.nan), np.where(smooth, local, np.nan)
