"""Replay: recompute a graph after its leaves were edited, and repeat the comparisons of its nodes.

A graph contains only the branches that the program took. Each comparison of a node is therefore a guard: if its outcome
changes, the program would record another graph, and `forward` raises `FrozenBranchError`.

A comparison advances the edit clock, so that the versions of nodes show which comparisons came before. Comparisons that
came after the root did not influence the root's graph, so they do not count.
"""

from __future__ import annotations

import operator

from tinygraph.engine.graph import Node, order
from tinygraph.engine.metadata import FrozenBranchError, Guard
from tinygraph.support import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SYMBOLS: dict[Callable[..., Any], str] = {function: symbol for symbol, function in COMPARISONS.items()}


def compare(symbol: str, *pair: Any) -> Any:
    """Compare nodes or data, remember the comparison on the nodes, and return its outcome.

    Args:
        symbol: Key of `COMPARISONS`.
        *pair: The left and the right side: nodes, numbers or arrays. At least one side is a node.

    Returns:
        The outcome: a bool, or an array of bools.
    """
    with clock.guard_lock:
        for side in pair:
            if isinstance(side, Node):
                side.annotate()  # exists before the value is read, so that an edit from now on updates the guard
        text = f" {symbol} ".join(map(_text, pair))
        numbers = [side.raw if isinstance(side, Node) else side for side in pair]
        guard = Guard(COMPARISONS[symbol], text, *numbers, time=clock.tick())
        guard.computed = [isinstance(side, Node) and side.op is not None for side in pair]
        remember(guard, pair)
    return guard.outcome


def remember(guard: Guard, pair: Sequence[Any]) -> None:
    """Store a comparison on the nodes that it compares.

    Args:
        guard: Comparison.
        pair: The left and the right side. A side that is not a node can be None.
    """
    for slot, side in enumerate(pair):
        if isinstance(side, Node):
            partner, number = pair[1 - slot], guard.numbers[1 - slot]
            if isinstance(partner, Node):
                key: object = partner.annotate().token
            else:
                key = number if isinstance(number, float) else object()  # each array is another partner
            side.annotate().remember((guard.compare, slot, key), guard, slot)


def _text(side: Any) -> str:
    """Return one side of a comparison as text. A lazy array stays lazy."""
    name = side.name if isinstance(side, Node) else ""
    raw = side.raw if isinstance(side, Node) else side
    kind = "a Tensor" if isinstance(side, Node) else "an array"
    shape = getattr(raw, "shape", ())
    scalar = hasattr(raw, "item") or isinstance(raw, float)
    return name or (f"{raw:g}" if scalar and not shape else f"{kind} of shape {shape}")


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
        nodes: The nodes of the graph, or those that took part in comparisons.

    Returns:
        A dict from guards to the compared nodes of the graph, by slot (0 for the left side, 1 for the right side).
    """
    until = recorded(root)
    found: dict[Guard, dict[int, Node]] = {}
    with clock.guard_lock:  # another thread may compare
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
        outside = any(computed and slot not in nodes for slot, computed in enumerate(guard.computed))
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
    with clock.lock:
        compared = [node for node in nodes if node.metadata and node.metadata.guards]
        found = guards(root, compared)
        if compared:
            root.annotate().recorded = recorded(root)
        changed = _recompute(nodes)
        try:
            for guard in found:
                guard.check()
            if changed:
                check_known(found, root)
        except FrozenBranchError:
            root.version = -1
            raise


def _recompute(nodes: Sequence[Node]) -> bool:
    """Recompute the nodes that are stale. Return whether there are any.

    The versions are set at the end. Until then, the nodes stay stale, so that an interrupt leaves no half-updated graph
    unnoticed, and so that a node which another thread records from old values is older than its operands. A leaf that
    this thread edits meanwhile (an op can call Python code) stays newer than the nodes.
    """
    stale: set[Node] = set()
    begun = clock.edits
    for node in reversed(nodes):
        if any(operand.version > node.version or operand in stale for operand in node.operands):
            node._recompute()
            stale.add(node)
    now = clock.tick() if stale else 0
    for node in nodes:
        if node.op is None and node.version > begun:
            node.version = clock.tick()
    for node in reversed(nodes):
        if node in stale:
            node.version = now
    return bool(stale)
