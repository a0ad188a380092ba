"""What `diagnose` returns: findings, each with the smallest graph that shows it, and how their nodes are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.code import call_code, leaf_code
from tinygraph.explaining.notation import Quantity, called


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, where, with which numbers, and what usually fixes it.

    `slice` is the smallest graph that shows it, on the values that were there; None where there is none to
    show. `line` is where the node was recorded, under `trace_lines`.
    """

    kind: str
    node: Node
    message: str
    fix: str = ""
    slice: Node | None = None

    @property
    def line(self) -> str:
        """Where the node was recorded; "" unless `trace_lines` was active."""
        return self.node.line

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.message}"]
        if self.line:
            lines.append(f"  recorded at {self.line}")
        if self.slice is not None:
            lines.append(f"  the smallest graph that shows it: {_code(self.slice)}")
        if self.fix:
            lines.append(f"  what usually mends it: {self.fix}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found, the forward pass first; `print` it."""

    root: Node
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        if self.healthy:
            return f"{called(self.root)}: every number and every gradient is finite, and a gradient reaches every input"
        return "\n".join(map(str, self.findings))

    def __repr__(self) -> str:
        return str(self)


# --- how nodes are written


def said(node: Node) -> str:
    """Return the op of a node in the names of its operands."""
    return notation.expression(node) or called(node)


def where(node: Node, numbers: Sequence[Quantity]) -> str:
    """Return the values of the operands that are nodes, as in ", where a = 0"; "" if there are none."""
    pairs = [
        f"{called(x)} = {notation.quantity(number)}"
        for x, number in zip(node.args, numbers, strict=False)
        if isinstance(x, Node)
    ]
    return f", where {', '.join(dict.fromkeys(pairs))}" if pairs else ""


def smallest_graph(node: Node, numbers: Sequence[Quantity]) -> Node | None:
    """Return the op recorded again, on inputs with the values and names of its operands; None without values."""
    op, kind = node.op, type(node)
    if op is None or not numbers:
        return None
    make: Callable[..., Node] = kind if not node.constant else kind.__mro__[1]
    twins: dict[Node, Node] = {}
    args: list[Quantity] = []
    for x, number in zip(node.args, numbers, strict=True):
        if not isinstance(x, Node):
            args.append(number)
            continue
        if x not in twins:
            twins[x] = make(number, x.name)
        args.append(twins[x])
    return op.on(args)  # type: ignore[no-any-return]


def own_smallest_graph(node: Node) -> Node | None:
    """Return the same for the values that a node has; None for an array, of which no single element can be shown."""
    return None if hasattr(node.raw, "shape") else smallest_graph(node, node.numbers)


def _code(node: Node) -> str:
    """A node of one op as code to paste."""
    assert node.op is not None
    return call_code(node.op, *[leaf_code(x) if isinstance(x, Node) else repr(x) for x in node.args])
