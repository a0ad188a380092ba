"""The result of `diagnose`: findings, each with the smallest graph that reproduces the problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinygraph.engine.contexts import finite
from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import size
from tinygraph.explaining.code import call_code, leaf_code
from tinygraph.explaining.notation import Quantity, called
from tinygraph.support.messages import counted

MOST_OPERANDS = 8  # maximum number of operands whose values are shown
MOST_FINDINGS = 20  # maximum number of findings of one kind that are printed


@dataclass(frozen=True)
class Finding:
    """One problem that `diagnose` found, with its kind, its node, a description and a common fix.

    Attributes:
        kind: Kind of problem, such as "log of 0" or "vanishing gradient".
        node: Node where the problem occurs.
        message: Description with the values of the operands.
        fix: Common fix, or "" if no fix is known.
        slice: Smallest graph that reproduces the problem with the same values, or None if no such graph exists.
    """

    kind: str
    node: Node
    message: str
    fix: str = ""
    slice: Node | None = None

    @property
    def line(self) -> str:
        """The source line that recorded the node, or "" if `trace_lines` was not active."""
        return self.node.line

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.message}"]
        if self.line or self.node.scope:
            place = [f"at {self.line}"] if self.line else []
            place += [f"in the scope {'.'.join(self.node.scope)}"] if self.node.scope else []
            lines.append(f"  recorded {' '.join(place)}")
        if self.slice is not None:
            lines.append(f"  the smallest graph that reproduces the problem: {_code(self.slice)}")
        if self.fix:
            lines.append(f"  suggestion: {self.fix}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Diagnosis:
    """The problems that `diagnose` found.

    You can `print` a `Diagnosis`. If the forward pass contains a problem, the backward pass is not checked.

    Attributes:
        root: Node that was diagnosed.
        findings: Problems that were found.
    """

    root: Node
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """True if `diagnose` found no problems."""
        return not self.findings

    def __str__(self) -> str:
        if self.healthy:
            return f"{called(self.root)}: every value and every gradient is finite, and a gradient reaches every input"
        kinds = Counter(finding.kind for finding in self.findings)
        shown: Counter[str] = Counter()
        lines = []
        for finding in self.findings:
            shown[finding.kind] += 1
            if shown[finding.kind] <= MOST_FINDINGS:
                lines.append(str(finding))
        for kind, count in kinds.items():
            if count > MOST_FINDINGS:
                others = counted(count - MOST_FINDINGS, "other finding")
                lines.append(f"{kind}: {others} of this kind, in the attribute `findings`")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


# --- nodes as text


def said(node: Node) -> str:
    """Return a node's op as an expression with the names of the operands.

    Args:
        node: Node that is not a leaf.

    Returns:
        The expression as text.
    """
    return notation.expression(node, by_name=True) or called(node)


def where(node: Node, numbers: Sequence[Quantity]) -> str:
    """Return the values of the operands that are nodes, as in ", where a = 0".

    An op with many operands shows `MOST_OPERANDS` of them, first those that are not finite, and then zeros.

    Args:
        node: Node that is not a leaf.
        numbers: Values of the node's operands.

    Returns:
        The text, or "" if no operand is a node.
    """
    pairs = [(x, number) for x, number in zip(node.args, numbers, strict=False) if isinstance(x, Node)]
    shown, more = pairs, ""
    if len(pairs) > MOST_OPERANDS:
        shown, more = sorted(pairs, key=_rank)[:MOST_OPERANDS], f", … ({len(pairs):,} operands)"
    texts = [f"{called(x)} = {notation.quantity(number)}" for x, number in shown]
    return f", where {', '.join(dict.fromkeys(texts))}{more}" if texts else ""


def _rank(pair: tuple[Node, Quantity]) -> int:
    """Return the order in which operands are shown: first those that are not finite, then zeros, then the others."""
    return 0 if not finite(pair[1]) else 1 if not size(pair[1]) else 2


def smallest_graph(node: Node, numbers: Sequence[Quantity]) -> Node | None:
    """Record a node's op again, on new inputs that have the given values and the names of the operands.

    Args:
        node: Node whose op is recorded.
        numbers: Values of the node's operands.

    Returns:
        The new node, or None if the node is a leaf or `numbers` is empty.
    """
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
    """Record a node's op again, on new inputs that have the current values of the operands.

    Args:
        node: Node whose op is recorded.

    Returns:
        The new node, or None if the node is a leaf or a Tensor.
    """
    return None if hasattr(node.raw, "shape") else smallest_graph(node, node.numbers)


def _code(node: Node) -> str:
    """Return a graph with one op as code that you can paste, or where to find it if the op has many operands."""
    assert node.op is not None
    if len(node.args) > 2 * MOST_OPERANDS:
        return f"the attribute `slice`, an op with {len(node.args):,} operands"
    return call_code(node.op, *[leaf_code(x) if isinstance(x, Node) else repr(x) for x in node.args])
