"""Replay: recompute a graph after its leaves were edited, and repeat the comparisons of its nodes.

A graph contains only the branches that the program took. Each comparison of a node is therefore a guard: if its outcome
changes, the program would record another graph, and `forward` raises `FrozenBranchError`.

A comparison advances the edit clock, so that the versions of nodes show which comparisons came before. Comparisons that
came after the root did not influence the root's graph, so they do not count.
"""

from __future__ import annotations

import operator

from tinygraph.engine import contexts
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import MANY, Node, edited, order
from tinygraph.engine.metadata import Dependents, FrozenBranchError, Guard, Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Side = tuple[Trace, int]  # a comparison, and 0 for its left side or 1 for its right side

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
    return ask(COMPARISONS[symbol], f"{{}} {symbol} {{}}", pair)


def ask(compare: Callable[[Any, Any], Any], text: str, pair: Sequence[Any]) -> Any:
    """Call a function that compares two sides, remember the comparison on the nodes, and return its outcome.

    Args:
        compare: Function of the numbers or arrays of both sides.
        text: Template for the text of the comparison in messages, with `{}` for one or both sides.
        pair: The left and the right side: nodes, numbers or arrays. At least one side is a node.

    Returns:
        The outcome.
    """
    with clock.guard_lock:
        for side in pair:
            if isinstance(side, Node):
                side.annotate()  # exists before the value is read, so that an edit from now on updates the guard
        numbers = [side.raw if isinstance(side, Node) else side for side in pair]
        guard = Guard(compare, text.format(*map(_text, pair)), *numbers, time=clock.tick_of_comparison())
        remember(guard, pair)
        for slot, side in enumerate(pair):
            if isinstance(side, Node) and side.op is not None:
                _dependents(side).add(guard.trace, slot)
    return guard.outcome


def depend(leaf: Node, guard: Guard, slot: int) -> None:
    """Store on a leaf that a comparison depends on it through a computed node.

    Args:
        leaf: Leaf.
        guard: Comparison.
        slot: The side that depends on the leaf: 0 for the left side, 1 for the right side.
    """
    _of_leaf(leaf).add(guard.trace, slot)


def _of_leaf(leaf: Node) -> Dependents:
    metadata = leaf.annotate()
    metadata.dependents = metadata.dependents or Dependents(of_leaf=True, time=clock.edits)
    return metadata.dependents


def _dependents(node: Node) -> Dependents:
    """Return the record of the comparisons that depend on a computed node. The nodes below it lead to this record."""
    metadata = node.annotate()
    found = metadata.dependents
    if found is None or found.time < clock.changed:  # the leaves that were edited no longer lead to this record
        found = metadata.dependents = Dependents(of_leaf=False, time=clock.edits)
        for below in _nearest(node):
            below.consumers.append(found)
    return found


def _nearest(node: Node) -> list[Dependents]:
    """Return the records of the leaves below a computed node. A compared node on the way stands for those below it."""
    found, seen, stack = [], {node}, [node]
    while stack:
        node = stack.pop()
        for operand in node.x if node.y_partial is MANY else (node.x, node.y):  # `operands` takes twice as long
            if isinstance(operand, Node) and operand not in seen:
                seen.add(operand)
                if operand.op is None:
                    found.append(_of_leaf(operand))
                elif operand.metadata and (known := operand.metadata.dependents) and known.time >= clock.changed:
                    found.append(known)
                else:
                    stack.append(operand)
    return found


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
    if name or not scalar or shape:
        return name or f"{kind} of shape {shape}"
    if not isinstance(side, Node):
        return f"{raw:g}"
    op = f", op={side.op.name!r}" if side.op is not None else ""
    return f"{'Tensor' if hasattr(raw, 'shape') else 'Value'}({raw:g}{op})"  # as in the repr of a node without a name


def check_written_out() -> None:
    """Raise ValueError for a comparison with NaN that your code does not contain as an operator, such as `x < y`.

    Every comparison with NaN is false. Functions such as `max`, `sorted` and `np.max` call comparisons, and conclude
    from a false one that the other value is larger. So they would drop the NaN or return the wrong order.

    Raises:
        ValueError: If a function that is not written in Python called the comparison.
    """
    from opcode import opmap  # imported here because only a comparison with NaN needs it

    frame = contexts.calling_frame()
    if frame.f_code.co_code[frame.f_lasti] != opmap["COMPARE_OP"]:
        raise ValueError(
            "a function such as max, sorted or np.max cannot order Values if one of them is NaN: find the NaN with "
            "tinygraph.strict(), or use tinygraph.maximum or tinygraph.minimum, which return NaN"
        )


def recorded(root: Node) -> list[int]:
    """Return the times at which the nodes of a graph were recorded.

    Args:
        root: Root of a graph.

    Returns:
        The times on the edit clock, in order. There are several if your code compared or edited nodes while it recorded
        the graph. `forward` stores the times before it recomputes the nodes.
    """
    return _stored_times(root) or sorted(
        {min(node.version, root.version) for node in order(root) if node.op or node is root}
    )


def _until(root: Node) -> int:
    """Return the time at which a root was recorded."""
    return (_stored_times(root) or [root.version])[-1]


def _stored_times(root: Node) -> list[int]:
    """Return what `forward` has stored of the times of a graph."""
    return root.metadata.recorded if root.metadata else []


def guards(root: Node, nodes: Sequence[Node]) -> dict[Guard, dict[int, Node]]:
    """Return the comparisons on which a graph depends: those of its nodes that came before its root.

    Args:
        root: Root of the graph.
        nodes: The nodes of the graph, or those that took part in comparisons.

    Returns:
        A dict from guards to the compared nodes of the graph, by slot (0 for the left side, 1 for the right side).
    """
    until = _until(root)
    found: dict[Guard, dict[int, Node]] = {}
    with clock.guard_lock:  # another thread may compare
        for node in nodes:
            for guard, slot in node.metadata.guards.values() if node.metadata else ():
                if guard.trace.time <= until:
                    found.setdefault(guard, {})[slot] = node
    return found


def unknown_sides(found: dict[Guard, dict[int, Node]], root: Node, leaves: Iterable[Node]) -> dict[Side, list[Node]]:
    """Return the sides of comparisons that a graph depends on, but does not recompute.

    Such a side is a computed node that is not in the graph. Examples are `max(x * 2, x * x)`, which returns one of its
    operands, and `max(0.0, z)`, which returns the plain number 0.0 if z is negative.

    Args:
        found: Comparisons of the nodes in the graph, as returned by `guards`.
        root: Root of the graph.
        leaves: Leaves that can get another value.

    Returns:
        A dict from sides, which are pairs (comparison, slot), to those of the leaves on which the side depends.
    """
    until = _until(root)
    known = {guard.trace: nodes for guard, nodes in found.items()}
    sides: dict[Side, list[Node]] = {(trace, slot): [] for trace in known for slot in (0, 1)}
    for leaf in leaves:
        for side in leaf.metadata.dependent() if leaf.metadata else ():
            sides.setdefault(side, []).append(leaf)
    return {
        (trace, slot): below
        for (trace, slot), below in sides.items()
        if (below or trace.expired[slot]) and trace.time <= until and slot not in known.get(trace, ())
    }


def check_known(
    found: dict[Guard, dict[int, Node]], root: Node, leaves: Iterable[Node], will_change: bool = False
) -> None:
    """Raise FrozenBranchError if a leaf changes a compared node that is not in the graph: the outcome is unknown.

    Args:
        found: Comparisons of the nodes in the graph, as returned by `guards`.
        root: Root of the graph.
        leaves: The leaves to check.
        will_change: Whether the leaves will get other values. Past edits are known.

    Raises:
        FrozenBranchError: If a comparison depends on a leaf through a node that is not in the graph.
    """
    sides = unknown_sides(found, root, leaves)
    times = recorded(root) if sides else []  # because the search takes as long as the graph
    for (trace, slot), below in sides.items():
        expired = trace.expired[slot]
        # A node that was recorded before the edit could depend on the outcome, also if the root was recorded after it.
        if will_change and below if expired is None else any(trace.time <= time < expired for time in times):
            raise trace.unknown()


def forward(root: Node) -> None:
    """Recompute a graph in place, and repeat the comparisons of its nodes.

    Args:
        root: Root of the graph.

    Raises:
        FrozenBranchError: If a comparison now has another outcome, or if the outcome is unknown.
    """
    nodes = order(root)
    with clock.lock:
        compared = [node for node in nodes if node.metadata and node.metadata.compared]
        found = guards(root, compared)
        if compared:
            root.annotate().recorded = recorded(root)
        _recompute(nodes)
        try:
            for guard in found:
                guard.check()
            check_known(found, root, [node for node in compared if node.op is None])
        except FrozenBranchError:
            root.version = -1
            raise


def _recompute(nodes: Sequence[Node]) -> None:
    """Recompute the nodes that are stale.

    The versions are set at the end. Until then, the nodes stay stale, so that an interrupt leaves no half-updated graph
    unnoticed, and so that a node which another thread records from old values is older than its operands. A leaf that
    this thread edits meanwhile (an op can call Python code) stays newer than the nodes.
    """
    changed = set(edited(nodes))
    stale: set[Node] = set()
    begun = clock.edits
    for node in reversed(nodes):
        if node in changed or any(operand.version > node.version or operand in stale for operand in node.operands):
            node._recompute()
            stale.add(node)
    now = clock.tick() if stale else 0
    for node in nodes:
        if node.op is None and node.version > begun:
            node.version = clock.tick()
    for node in reversed(nodes):
        if node in stale:
            node.version = now


def recomputed(node: Node) -> Node:
    """Return a copy of a computed node, with its value and local derivatives recomputed from its operands."""
    copy = node.__copy__()
    copy.metadata = None
    copy._recompute()
    return copy
