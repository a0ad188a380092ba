"""Tables of operators and methods for the reference: each expression is evaluated, and the op of its result is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine import ops
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.more_ops.ufuncs import UFUNCS

OPERATORS = {
    "__add__": ["x + y"],
    "__sub__": ["x - y"],
    "__mul__": ["x * y"],
    "__truediv__": ["x / y"],
    "__floordiv__": ["x // y"],
    "__mod__": ["x % y"],
    "__pow__": ["x ** y", "x ** 3"],
    "__matmul__": ["x @ y"],
    "__neg__": ["-x"],
    "__pos__": ["+x"],
    "__abs__": ["abs(x)"],
    "__getitem__": ["x[0]"],
    "__setitem__": [],  # raises an error that names `set_at`
    "__lt__": ["x < y"],
    "__le__": ["x <= y"],
    "__gt__": ["x > y"],
    "__ge__": ["x >= y"],
    "__eq__": ["x == y"],
    "__len__": ["len(x)"],
    "__iter__": ["list(x)"],
}  # by special method: expressions that call it
EXAMPLES: dict[str, Callable[[], list[Any]]] = {
    "Value": lambda: [Value(0.6, "x"), Value(0.3, "y")],
    "Tensor": lambda: [Tensor([0.6, 0.7], "x"), Tensor([0.3, 0.4], "y")],
}


def operators(kind: str) -> str:
    """Return the operators of Value or Tensor as a Markdown table."""
    x, y = EXAMPLES[kind]()
    lines = ["| expression | op | result |", "|---|---|---|"]
    for method, expressions in OPERATORS.items():
        for expression in expressions if hasattr(x, method) else ():
            result = eval(expression, {"x": x, "y": y})
            op = "" if result is x else _link(getattr(result, "op", None))
            lines.append(f"| `{expression}` | {op} | {'`x`' if result is x else _type(result)} |")
    return "\n".join(lines)


def methods(kind: str) -> str:
    """Return the methods of Value or Tensor that record an op with one operand, as a Markdown table."""
    lines = ["| method | function | NumPy function |", "|---|---|---|"]
    for op, names in recording(kind).items():
        calls = ", ".join(f"`x.{name}()`" for name in names)
        ufuncs = [name for name, found in UFUNCS.items() if found is op and getattr(np, name, np.add).nin == 1]
        numpy = ", ".join(f"`np.{name}(x)`" for name in ufuncs)
        lines.append(f"| {calls} | {_link(op, f'tinygraph.{op.name}(x)')} | {numpy} |")
    return "\n".join(lines)


def functions(kind: str) -> str:
    """Return the reference entries of the functions that are methods of Tensor, except those with another section."""
    found = []
    for base in type(EXAMPLES[kind]()[0]).__mro__:
        for name, method in vars(base).items():
            path = f"{getattr(method, '__module__', '')}.{getattr(method, '__name__', '')}"
            folder, _, module = path.rpartition(".")[0].rpartition(".")
            if folder == "tinygraph.tensor.functions" and module != "probabilities" and not name.startswith("_"):
                found.append(path)
    return "\n\n".join([f"::: {path}" for path in dict.fromkeys(found)])


def recording(kind: str) -> dict[ops.Op, list[str]]:
    """Return the ops with one operand that are methods, with the names of these methods."""
    (x, _), found = EXAMPLES[kind](), {}
    for base in reversed(type(x).__mro__):
        for name, method in vars(base).items():
            if inspect.isfunction(method) and not name.startswith("_") and method.__name__ in TABLE:
                op = TABLE[method.__name__]
                if getattr(tinygraph, op.name, None) is op and op.arity == 1 and not op.variadic:
                    found.setdefault(op, []).append(name)
    return found


def _link(op: ops.Op | None, text: str = "") -> str:
    if op is None:
        return ""
    if op.maker is ops.power:
        return f"[`{op.name}`](ops.md#tinygraph.engine.ops.power)"
    return f"[`{text or op.name}`](ops.md#{op.name})" if op.name in TABLE else f"`{text or op.name}`"


def _type(result: Any) -> str:
    if isinstance(result, np.ndarray):
        return f"array of `{result.dtype}`"
    if isinstance(result, list):
        return f"list, each element a {_type(result[0])}"
    return f"`{type(result).__name__}`"
