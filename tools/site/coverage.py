"""The tables of the page "NumPy coverage": each NumPy function that works on Tensors, with an example that is run."""

from __future__ import annotations

import json
from functools import cache, reduce
from itertools import groupby
from pathlib import Path

import numpy as np

from tests.tensor.numpy_expressions import EXPRESSIONS, Expression, lifted, pieces
from tests.tensor.pending_expressions import PENDING
from tinygraph.engine.graph import Node, order
from tinygraph.tensor.functions.table import FUNCTIONS, name_of
from tinygraph.tensor.numpy_protocol import TENSOR_UFUNCS

MEASURED = json.loads((Path(__file__).parent / "numpy_coverage.json").read_text("utf-8"))
IDENTITY = ("equal", "not_equal")  # of nodes, not of their elements
PEERS = {"autograd": "autograd", "mygrad": "MyGrad"}


def entries() -> list[str]:
    """Return NumPy's names of the functions that work on Tensors."""
    ufuncs = [name for name in TENSOR_UFUNCS if isinstance(getattr(np, name, None), np.ufunc)]
    return [name for name in (*ufuncs, *FUNCTIONS) if name not in IDENTITY]


def called(expression: Expression) -> list[str]:
    """Return the names of the functions that an expression calls, as the tables spell them."""
    found = [reduce(getattr, name.split("."), np) for name in expression.functions]
    return [f.__name__ if isinstance(f, np.ufunc) else name_of(f) for f in found if hasattr(f, "__name__")]


@cache
def examples() -> dict[str, Expression]:
    """Return the example of each function: an expression that calls it first, or else one that calls it at all."""
    found: dict[str, Expression] = {}
    elsewhere = ("refused", "Values", "pandas")
    ready = [e for e in EXPRESSIONS if e.text not in PENDING and e.group not in elsewhere]
    for first_only in (True, False):
        for e in ready:
            for name in called(e)[: 1 if first_only else None]:
                found.setdefault(name, e)
    return {name: found[name] for name in entries() if name in found}


def recorded(expression: Expression) -> list[str]:
    """Return the names of the ops that an expression records, each once, in the order in which they were recorded."""
    operands = {name: lifted(name, value)[0] for name, value in expression.variables.items()}
    parts = [part for part in pieces(expression.evaluate(operands)) if isinstance(part, Node)]
    nodes = [node for part in parts for node in reversed(order(part))]
    return list(dict.fromkeys(node.op.name for node in nodes if node.op is not None))


def table() -> str:
    """Return one Markdown table per group of functions."""
    rows = sorted(examples().items(), key=lambda entry: list(_groups()).index(entry[1].group))
    text = []
    for group, entries in groupby(rows, key=lambda entry: entry[1].group):
        head = f"## {group[0].upper()}{group[1:]}\n\n| NumPy | example | ops | {' | '.join(PEERS.values())} |\n"
        text.append(head + "|---|---|---|" + "---|" * len(PEERS) + "\n" + "".join(_row(*entry) for entry in entries))
    return "\n".join(text)


def _groups() -> dict[str, None]:
    return dict.fromkeys(e.group for e in EXPRESSIONS)


def _row(name: str, expression: Expression) -> str:
    ops = ", ".join(f"`{op}`" for op in recorded(expression)) or "none, the result is plain"
    right = MEASURED["right"].get(expression.text)
    marks = ["·" if right is None else "yes" if peer in right.split() else "no" for peer in PEERS]
    code = expression.text.replace("|", "\\|")
    return f"| `np.{name}` | `{code}` | {ops} | {' | '.join(marks)} |\n"


def totals() -> str:
    """Return a table with the number of expressions that each library gets right."""
    texts = list(MEASURED["right"])
    counts = {"tinygraph": len([text for text in texts if text not in PENDING])}
    for peer, title in PEERS.items():
        names = [names.split() for names in MEASURED["right"].values()]
        counts[f"{title} {MEASURED['versions'][peer]}"] = sum(peer in found for found in names)
    lines = [f"| {name} | {count} of {len(texts)} |\n" for name, count in counts.items()]
    return "| library | expressions |\n|---|---|\n" + "".join(lines)
