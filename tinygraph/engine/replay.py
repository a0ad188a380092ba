"""Replay: recompute a graph after its leaves were edited, and repeat the comparisons of its nodes.

A graph contains only the branches that the program took. Each comparison of a node is therefore a guard: if its outcome
changes, the program would record another graph, and `forward` raises `FrozenBranchError`.

A comparison advances the edit clock, so that the versions of nodes show which comparisons came before. Comparisons that
came after the root did not influence the root's graph, so they do not count.
"""

from __future__ import annotations

from tinygraph.engine import graph
from tinygraph.engine.graph import Node, order
from tinygraph.engine.metadata import FrozenBranchError, Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def compare(function: Callable[[Any, Any], Any], symbol: str, pair: Sequence[Any], texts: Sequence[str]) -> Any:
    """Compare nodes or data, remember the comparison on the nodes, and return its outcome.

    Args:
        function: Comparison of two numbers or arrays.
        symbol: Notation of the comparison.
        pair: The left and the right side: nodes, numbers or arrays. At least one side is a node.
        texts: The two sides as text, for messages.

    Returns:
        The outcome: a bool, or an array of bools.
    """
    numbers = [side.raw if isinstance(side, Node) else side for side in pair]
    tokens = [side.annotate().token if isinstance(side, Node) else None for side in pair]
    guard = Guard(function, f" {symbol} ".join(texts), *numbers, time=graph.tick())
    guard.computed = [
        token if isinstance(side, Node) and side.op is not None else None
        for side, token in zip(pair, tokens, strict=True)
    ]
    for slot, side in enumerate(pair):
        if isinstance(side, Node):
            partner = pair[1 - slot]
            key = tokens[1 - slot] or (partner if isinstance(partner, float) else object())  # arrays are never equal
            side.annotate().remember((symbol, slot, key), guard, slot)
    return guard.outcome


def recorded(root: Node) -> int:
    """Return the edit clock at which a root was recorded.

    Args:
        root: Root of a graph.

    Returns:
        The edit clock.
    """
    known = root.metadata.recorded if root.metadata else None
    return root.version if known is None else known


def guards(root: Node, nodes: Sequence[Node]) -> dict[Guard, dict[int, Node]]:
    """Return the comparisons on which a graph depends: those of its nodes that came before its root.

    Args:
        root: Root of the graph.
        nodes: All nodes of the graph.

    Returns:
        A dict from guards to the compared nodes of the graph, by slot (0 for the left side, 1 for the right side).
    """
    until = recorded(root)
    found: dict[Guard, dict[int, Node]] = {}
    for node in nodes:
        for guard, slot in node.metadata.guards.values() if node.metadata else ():
            if guard.time <= until:
                found.setdefault(guard, {})[slot] = node
    return found


def check_known(found: dict[Guard, dict[int, Node]], root: Node) -> None:
    """Raise FrozenBranchError for a comparison with a computed node that is not in the graph.

    The graph does not recompute such a node, so the outcome is unknown. An example is `max(x * 2, x * x)`, which
    returns one of its operands, while the other operand is not in the graph.

    Args:
        found: Comparisons, as returned by `guards`.
        root: Root of the graph.

    Raises:
        FrozenBranchError: If a compared node is not in the graph.
    """
    until = recorded(root)
    for guard, nodes in found.items():
        outside = [slot for slot in (0, 1) if guard.computed[slot] is not None and slot not in nodes]
        if outside and (guard.expired is None or until < guard.expired):
            raise guard.unknown()


def forward(root: Node) -> None:
    """Recompute a graph in place, and repeat the comparisons of its nodes.

    Args:
        root: Root of the graph.

    Raises:
        FrozenBranchError: If a comparison now has another outcome, or if the outcome is unknown.
    """
    nodes = order(root)
    found = guards(root, nodes)
    if any(node.metadata and node.metadata.guards for node in nodes):
        root.annotate().recorded = recorded(root)
    now = 0
    for node in reversed(nodes):
        if any(operand.version > node.version for operand in node.operands):
            node._recompute()
            now = now or graph.tick()
            node.version = now  # set last, so that a node whose update is interrupted stays stale
    try:
        for guard in found:
            guard.check()
        if now:
            check_known(found, root)
    except FrozenBranchError:
        root.version = -1
        raise
