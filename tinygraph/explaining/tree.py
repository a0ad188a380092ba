"""The graph as text, for a terminal: exact, diffable, and in need of nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tinygraph.engine.graph import Node, order
from tinygraph.explaining import notation

DEEPEST = 16  # levels of indentation; what is deeper starts again at the margin
_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "·": ".", "×": "*", "…": "~", "→": ">", "◄": "<"})


class Tree(str):
    """The text of a tree; in the REPL it shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree(root: Node, *, lines: int | None = None, ascii: bool | None = None) -> Tree:
    """The graph as text: one node a line, a shared node written once and named afterwards.

    Each line holds the number, the gradient (`·` before any backward) and the slope of the node above with
    respect to this one. `lines` cuts it short; `ascii` does without box characters, by default where the terminal
    has none.

    >>> from tinygraph import Value
    >>> a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
    >>> u = b * c; u.name = "u"
    >>> J = (a + u) * u; J.name = "J"
    >>> J.backward()
    >>> tree(J)
    J = (a + u) × u   data 66.0   grad 1.0
    ├─ a + u   data 11.0   grad 6.0   slope 6.0
    │  ├─ a   data 5.0   grad 6.0   slope 1.0
    │  └─ u = b × c   data 6.0   grad 17.0   slope 1.0
    │     ├─ b   data 3.0   grad 34.0   slope 2.0
    │     └─ c   data 2.0   grad 51.0   slope 3.0
    └─ ··· see u   slope 11.0
    """
    return in_text(root, lines, ascii, lambda node: node.grad)


def in_text(
    root: Node, lines: int | None, ascii: bool | None, grad: Callable[[Node], Any], here: Node | None = None
) -> Tree:
    """The tree with gradients from elsewhere, and a mark at one node."""
    if ascii is None:
        try:
            "├└│─·×…".encode(sys.stdout.encoding or "utf-8")  # none: a StringIO, which takes everything
            ascii = False
        except UnicodeEncodeError:
            ascii = True
    found = _lines(root, lines, grad, here)
    text = "\n".join(notation.clean(line).replace("\n", "\\n") for line in found)
    return Tree(text.translate(_ASCII).encode("ascii", "backslashreplace").decode() if ascii else text)


def _lines(root: Node, limit: int | None, grad: Callable[[Node], Any], here: Node | None) -> list[str]:
    nodes = order(root)
    consumers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for operand in node.operands:
            consumers[operand] += 1
    numbers: dict[Node, str] = {}  # how nameless nodes are called that are written of twice
    names: dict[str, int] = {}
    for node in nodes:
        names[node.name] = names.get(node.name, 0) + 1

    def call(node: Node) -> str:
        if node.name and names[node.name] == 1:
            return notation.cut(node.name)
        return numbers.setdefault(node, f"#{len(numbers) + 1}")

    out: list[str] = []
    written: set[Node] = set()
    later: dict[Node, None] = {root: None}  # what starts at the margin, in this order
    while later:
        start = next(iter(later))
        del later[start]
        # (node, slope, the indentation of its line, that of its operands, how deep)
        stack: list[tuple[Node, Any, str, str, int]] = [(start, None, "", "", 0)]
        while stack:
            node, local, before, under, depth = stack.pop()
            tail = f"   slope {local}" if local is not None else ""
            if node in written:
                out.append(f"{before}··· see {call(node)}{tail}")
                continue
            if depth > DEEPEST and node.op is not None:
                out.append(f"{before}··· {call(node)} is below{tail}")
                later[node] = None
                continue
            if limit is not None and len(out) >= limit:
                left = len(nodes) - len(written)
                return [*out, f"··· {left:,} more node{'s' * (left > 1)}"]
            written.add(node)
            mark = call(node) if consumers[node] > 1 or node in numbers else notation.cut(node.name)
            out.append(f"{before}{_line(node, mark, grad(node))}{tail}{'   ◄' if node is here else ''}")
            operands = [
                (x, None if s is None else notation.local(node, s) if hasattr(s, "text") else _exact(s))
                for x, s in zip(node.args, node.partials, strict=True)
                if isinstance(x, Node)
            ]
            for i, (operand, pull) in reversed(list(enumerate(operands))):
                last = i == len(operands) - 1
                stack.append(
                    (operand, pull, under + ("└─ " if last else "├─ "), under + ("   " if last else "│  "), depth + 1)
                )
    return out


def _line(node: Node, mark: str, gradient: Any) -> str:
    expression = notation.expression(node, "g") if node.op is not None else ""
    head = " = ".join(filter(None, [mark, expression]))
    grad = "" if node.constant else f"   grad {'·' if gradient is None else _exact(gradient)}"
    line = f"   at {node.line}" if node.line else ""
    return f"{head}{'   ' * bool(head)}data {_exact(node.raw)}{grad}{line}"


def _exact(x: Any) -> str:
    if notation.shape(x) is None:
        return repr(float(x))
    return str(x.tolist()) if notation.is_short(x) else notation.quantity(x)
