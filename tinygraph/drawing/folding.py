"""Isomorphic parts of a graph: nodes that are computed in the same way and used in the same way.

The algorithm is color refinement by B. Weisfeiler and A. Leman ("The reduction of a graph to canonical form and the
algebra which appears therein", 1968). Two nodes get the same color if their ops, the colors of their operands and the
colors of their consumers are the same. Before the refinement, each sum becomes one node, regardless of the order of the
additions. In a loop such as `J = J + loss`, the losses of all examples therefore have the same position in the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tinygraph.engine.graph import Node
from tinygraph.engine.ops import add, total
from tinygraph.explaining.notation import Operand, shared_name, stem

SCOPES = 12  # with more scopes, groups ignore the numbers in the names of the scopes
ROUNDS = 4  # rounds of refinement; in a chain, nodes within this distance from an end get separate groups


class FoldedEdge(NamedTuple):
    """An edge from an operand to a node. In the graph, the operand is in slot `slot` of `owner`.

    In a sum, `owner` is one of the additions, and `node` is the last addition.
    """

    operand: Operand
    node: Node
    owner: Node
    slot: int


@dataclass(frozen=True)
class Fold:
    """A partition of the nodes: the groups (in topological order, inputs first) and the edges between their nodes."""

    groups: list[list[Node]]
    edges: list[FoldedEdge]
    sums: set[Node]  # nodes that combine several additions

    @cached_property
    def _by_sum(self) -> dict[Node, list[FoldedEdge]]:
        found: dict[Node, list[FoldedEdge]] = {}
        for edge in self.edges:
            if edge.node in self.sums:
                found.setdefault(edge.node, []).append(edge)
        return found

    def terms(self, node: Node) -> list[FoldedEdge]:
        """Return the terms of a sum.

        Args:
            node: Last addition of the sum.

        Returns:
            One edge per term.
        """
        return self._by_sum[node]

    @cached_property
    def names(self) -> list[str]:
        """The name that the nodes of each group share, apart from numbers that differ, or ""."""
        return [shared_name([node.name for node in group]) for group in self.groups]

    @cached_property
    def group_of(self) -> dict[Node, int]:
        """The index of each node's group."""
        return {node: i for i, group in enumerate(self.groups) for node in group}


def fold(nodes: Sequence[Node], limit: int = 60, apart: Collection[Node] = ()) -> Fold:
    """Group isomorphic nodes, as finely as the limit allows.

    Args:
        nodes: Nodes of a graph, in reverse topological order.
        limit: Maximum number of groups, unless even the coarsest partition has more groups. Defaults to 60.
        apart: Nodes that are grouped only with each other.

    Returns:
        The partition.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.engine.graph import order
        >>> w = Value(2.0, "w")
        >>> J = Value(0.0, "b")
        >>> for i in range(1000):
        ...     J = J + (w * float(i)).exp()
        >>> [len(group) for group in fold(order(J)).groups]
        [1, 1, 1000, 1000, 1]
    """
    root = nodes[0]
    edges, sums, kept = _sums(nodes)
    few = len({node.scope for node in kept}) <= SCOPES
    kinds: list[Callable[[Node], Hashable]] = [lambda node: _kind(node, few), _bare_kind]
    numbered, others = {node: i for i, node in enumerate(kept)}, set(apart)
    colors: list[int] = []
    for kind in kinds:
        colors = _numbers([(kind(node), node is root, node in others) for node in kept])
        if max(colors) < limit:
            colors = _refined(kept, numbered, edges, sums, colors, limit)
            break
    return _fold(kept, edges, sums, dict(zip(kept, colors, strict=True)))


def fold_scopes(nodes: Sequence[Node], apart: Collection[Node] = ()) -> Fold:
    """Group the nodes of each outermost scope, and isomorphic nodes outside scopes.

    Args:
        nodes: Nodes of a graph, in reverse topological order.
        apart: Nodes that are grouped only with each other.

    Returns:
        The partition.

    Examples:
        >>> from tinygraph import Value, scope
        >>> from tinygraph.engine.graph import order
        >>> x = Value(2.0)
        >>> with scope("layer"):
        ...     y = x * x * x
        >>> [len(group) for group in fold_scopes(order(y + 1.0)).groups]
        [1, 2, 1]
    """
    root = nodes[0]
    outside = fold(nodes, apart=apart)
    key = {node: node.scope[0] if node.scope and node is not root else i for node, i in outside.group_of.items()}
    return _fold(list(key)[::-1], outside.edges, outside.sums, key)


def _fold(nodes: list[Node], edges: list[FoldedEdge], sums: set[Node], colors: Mapping[Node, Hashable]) -> Fold:
    groups: dict[Hashable, list[Node]] = {}
    for node in reversed(nodes):
        groups.setdefault(colors[node], []).append(node)
    return Fold(list(groups.values()), edges, sums)


# --- sums -------------------------------------------------------------------------------------------


def sums(nodes: Sequence[Node], named: bool = False) -> dict[Node, Node]:
    """Find nested additions that form one sum: each addition is used once, by another addition.

    Args:
        nodes: Nodes of a graph, in reverse topological order.
        named: If true, additions with a name can be part of a longer sum. Defaults to false.

    Returns:
        A dictionary from each addition inside a sum to the last addition of the sum.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.engine.graph import order
        >>> a = Value(1.0, "a")
        >>> len(sums(order(a + 2.0 + 3.0 + 4.0)))
        2
    """
    consumers: dict[Node, int] = {}
    into: dict[Node, Node] = {}
    for node in nodes:
        for operand in node.operands:
            consumers[operand] = consumers.get(operand, 0) + 1
            into[operand] = node
    head: dict[Node, Node] = {}
    for node in nodes:  # consumers come first
        free = named or not node.name
        if free and _adds(node) and consumers.get(node) == 1 and _adds(into[node]):
            head[node] = head.get(into[node], into[node])
    return head


def _sums(nodes: Sequence[Node]) -> tuple[list[FoldedEdge], set[Node], list[Node]]:
    """Combine nested additions into sums. Return the edges, the sums and the remaining nodes."""
    head = sums(nodes)
    edges = [
        FoldedEdge(operand, head.get(node, node), node, slot)
        for node in nodes
        for slot, operand in enumerate(node.args)
        if not isinstance(operand, Node) or operand not in head
    ]
    return edges, set(head.values()), [node for node in nodes if node not in head]


def _adds(node: Node) -> bool:
    return node.op in (add, total)


# --- colors ----------------------------------------------------------------------------------------


def _kind(node: Node, few: bool) -> Hashable:
    return *_bare_kind(node), stem(node.name), node.scope if few else tuple(map(stem, node.scope))


def _bare_kind(node: Node) -> tuple[Hashable, ...]:
    args = node.args
    return node.op and node.op.name, node.constant, len(args), sum([isinstance(x, Node) for x in args])


def _numbers(colors: Sequence[Hashable]) -> list[int]:
    """Return each color as an integer. The integers are assigned in the order in which colors first appear."""
    found: dict[Hashable, int] = {}
    return [found.setdefault(color, len(found)) for color in colors]


def _refined(
    nodes: list[Node],
    numbered: dict[Node, int],
    edges: list[FoldedEdge],
    sums: set[Node],
    colors: list[int],
    limit: int,
) -> list[int]:
    """Return the colors after the last round of refinement that stays within the limit.

    Each round combines a node's color with the colors of its operands and consumers.
    """
    below: list[list[int]] = [[] for _ in nodes]  # the operands of each node, with -1 for a number
    above: list[list[tuple[int, int]]] = [[] for _ in nodes]  # the consumers of each node, each with its slot
    places = 2
    for operand, node, _, slot in edges:
        k, place = numbered[node], 0 if node in sums else slot + 1
        places = max(places, place + 1)
        if isinstance(operand, Node):
            below[k].append(numbered[operand])
            above[numbered[operand]].append((k, place))
        else:
            below[k].append(-1)
    in_sum = [node in sums for node in nodes]
    for _ in range(ROUNDS):
        color_of = [*colors, -1].__getitem__  # index -1 gives the color of all numbers
        finer = _numbers(
            [
                (
                    color,
                    frozenset(Counter(map(color_of, operands)).items()) if summed else tuple(map(color_of, operands)),
                    frozenset([colors[k] * places + place for k, place in consumers]),
                )
                for color, summed, operands, consumers in zip(colors, in_sum, below, above, strict=True)
            ]
        )
        count = max(finer) + 1
        if count > limit or count == max(colors) + 1:
            break
        colors = finer
    return colors
