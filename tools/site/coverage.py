"""The tables of the page "NumPy coverage": each NumPy function that works on Tensors, with an example that is run.

Update them in docs/reference/numpy-coverage.md and docs/limits.md: `python -m tools.site.coverage`.
"""

from __future__ import annotations

import json
import re
from functools import cache, reduce
from itertools import groupby
from pathlib import Path
from textwrap import fill

import numpy as np

from tests.tensor.numpy_expressions import EXPRESSIONS, Expression, lifted, pieces
from tests.tensor.pending_expressions import PENDING
from tinygraph.engine.graph import Node, order
from tinygraph.tensor.functions.table import FUNCTIONS, name_of
from tinygraph.tensor.numpy_protocol import TENSOR_UFUNCS

DOCS = Path(__file__).parents[2] / "docs"
MEASURED = json.loads((Path(__file__).parent / "numpy_coverage.json").read_text("utf-8"))
NOT_OF_ARRAYS = (
    "array2string",
    "array_repr",
    "array_str",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
    "can_cast",
    "common_type",
    "min_scalar_type",
    "result_type",
    "may_share_memory",
    "shares_memory",
    "einsum_path",
    "busday_count",
    "busday_offset",
    "datetime_as_string",
    "is_busday",
    "isnat",
    "bitwise_and",
    "bitwise_count",
    "bitwise_or",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
    "packbits",
    "unpackbits",
)  # functions of text, files, types, memory, dates and bits
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


def missing() -> list[str]:
    """Return NumPy's names of the functions on arrays that do not work on Tensors."""
    functions = [f for module in (np, np.linalg) for name, f in vars(module).items() if not name.startswith("_")]
    found = [f.__name__ for f in functions if isinstance(f, np.ufunc)]
    found += [name_of(f) for f in functions if hasattr(f, "_implementation")]  # NumPy asks its operands about these
    return sorted(set(found) - set(entries()) - {*NOT_OF_ARRAYS, *IDENTITY})


def blocks() -> dict[Path, dict[str, str]]:
    """Return the generated texts by page and by name."""
    shown = fill(", ".join(f"`np.{name}`" for name in missing()), 150)
    return {
        DOCS / "reference" / "numpy-coverage.md": {"totals": totals(), "table": table()},
        DOCS / "limits.md": {"missing": shown + "\n"},
    }


def block(page: str, name: str) -> re.Match[str]:
    """Return the generated text with a name in a page, between two comments."""
    found = re.search(rf"(?<=<!-- numpy coverage: {name} -->\n\n).*?(?=\n<!-- end -->)", page, re.DOTALL)
    assert found is not None, name
    return found


def main() -> None:
    """Write the generated texts into the pages."""
    for path, texts in blocks().items():
        page = path.read_text("utf-8")
        for name, text in texts.items():
            found = block(page, name)
            page = page[: found.start()] + text + page[found.end() :]
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
