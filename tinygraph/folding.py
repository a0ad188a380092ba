"""Isomorphic parts of a graph: nodes that were made in the same way, and are used in the same way.

Colours are refined as by Weisfeiler and Leman: two nodes have one colour if their ops, the colours of their operands,
and those of their consumers are the same. Sums first become one node each, whatever the order of their additions,
so that the examples of a loop `J = J + loss` all stand at the same place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tinygraph.graph import Node, order

SCOPES = 12  # so many scopes keep their numbers
ROUNDS = 4  # how far around a node its colour looks: the ends of a chain differ from its middle that far in


class Edge(NamedTuple):
    """An operand, the node that it goes into, and where that stands in the graph: a slot of `owner`.

    In a sum the owner is one of the additions, and the node the last of them.
    """

    operand: Any
    node: Node
    owner: Node
    slot: int


@dataclass(frozen=True)
class Fold:
    """A partition of the nodes: `groups` in topological order, inputs first, and the edges between their nodes."""

    groups: list[list[Node]]
    edges: list[Edge]
    sums: set[Node]  # nodes whose operands are the terms of several additions

    @cached_property
    def _by_sum(self) -> dict[Node, list[Edge]]:
        found: dict[Node, list[Edge]] = {}
        for edge in self.edges:
            if edge.node in self.sums:
                found.setdefault(edge.node, []).append(edge)
        return found

    def terms(self, node: Node) -> list[Edge]:
        """The terms of a sum."""
        return self._by_sum[node]

    @property
    def group_of(self) -> dict[Node, int]:
        """The number of each node's group."""
        return {node: i for i, group in enumerate(self.groups) for node in group}


def fold(root: Node, limit: int = 60) -> Fold:
    """Put isomorphic nodes together, as finely as gives no more than `limit` groups, or as it goes.

    >>> from tinygraph import Value
    >>> w = Value(2.0, "w")
    >>> J = Value(0.0, "b")
    >>> for i in range(1000):
    ...     J = J + (w * float(i)).exp()
    >>> [len(group) for group in fold(J).groups]
    [1, 1, 1000, 1000, 1]
    """
    nodes = order(root)
    edges, sums, kept = _sums(nodes)
    colours: dict[Node, Hashable] = {}
    few = len({node.scope for node in kept}) <= SCOPES
    kinds: list[Callable[[Node], Hashable]] = [lambda node: _kind(node, few), _bare_kind]
    for kind in kinds:
        colours = {node: (kind(node), node is root) for node in kept}
        found = _refined(kept, edges, sums, colours, limit)
        if found:
            colours = found
            break
    return _fold(kept, edges, sums, colours)


def fold_scopes(root: Node) -> Fold:
    """Put the nodes of each outermost scope together, and isomorphic ones of those that are in none.

    >>> from tinygraph import Value, scope
    >>> x = Value(2.0)
    >>> with scope("layer"):
    ...     y = x * x * x
    >>> [len(group) for group in fold_scopes(y + 1.0).groups]
    [1, 2, 1]
    """
    outside = fold(root)
    key = {node: node.scope[0] if node.scope and node is not root else i for node, i in outside.group_of.items()}
    return _fold(list(key)[::-1], outside.edges, outside.sums, key)


def _fold(nodes: list[Node], edges: list[Edge], sums: set[Node], colours: dict[Node, Any]) -> Fold:
    groups: dict[Any, list[Node]] = {}
    for node in reversed(nodes):
        groups.setdefault(colours[node], []).append(node)
    return Fold(list(groups.values()), edges, sums)


# --- sums -------------------------------------------------------------------------------------------


def _sums(nodes: list[Node]) -> tuple[list[Edge], set[Node], list[Node]]:
    """The edges where additions of additions are one sum, those sums, and the nodes that are left."""
    consumers: dict[Node, int] = {}
    into: dict[Node, Node] = {}
    for node in nodes:
        for operand in node.operands:
            consumers[operand] = consumers.get(operand, 0) + 1
            into[operand] = node
    head: dict[Node, Node] = {}  # of an addition within a sum: the last addition
    for node in nodes:  # consumers come first
        if _adds(node) and not node.name and consumers.get(node) == 1 and _adds(into[node]):
            head[node] = head.get(into[node], into[node])
    edges = [
        Edge(operand, head.get(node, node), node, slot)
        for node in nodes
        for slot, operand in enumerate(node.args)
        if operand not in head or not isinstance(operand, Node)
    ]
    return edges, set(head.values()), [node for node in nodes if node not in head]


def _adds(node: Node) -> bool:
    return node.op is not None and node.op.name in ("add", "total")


# --- colours ----------------------------------------------------------------------------------------


def stem(name: str) -> str:
    """A name without its numbers.

    >>> stem("w12")
    'w#'
    """
    return re.sub("[0-9]+", "#", name)


def _kind(node: Node, few: bool) -> Hashable:
    return *_bare_kind(node), stem(node.name), node.scope if few else tuple(map(stem, node.scope))


def _bare_kind(node: Node) -> tuple[Hashable, ...]:
    return node.op and node.op.name, node.constant, len(node.args), len(node.operands)


def _refined(
    nodes: list[Node], edges: list[Edge], sums: set[Node], colours: dict[Node, Hashable], limit: int
) -> dict[Node, Hashable]:
    """The finest colours within the limit; none if even the first are too many."""
    best: dict[Node, Hashable] = {}
    for numbered in _rounds(nodes, edges, sums, colours):
        count = len(set(numbered.values()))
        if count > limit or (best and count == len(set(best.values()))):
            break
        best = numbered
    return best


def _rounds(
    nodes: list[Node], edges: list[Edge], sums: set[Node], colours: dict[Node, Hashable]
) -> Iterator[dict[Node, Hashable]]:
    for round in range(ROUNDS + 1):
        numbers: dict[Hashable, int] = {}
        colours = {node: numbers.setdefault(colours[node], len(numbers)) for node in nodes}
        yield colours
        if round == ROUNDS:
            return
        below: dict[Node, dict[Hashable, int]] = {node: {} for node in nodes}
        above: dict[Node, set[Hashable]] = {node: set() for node in nodes}
        for operand, node, _, slot in edges:
            place = -1 if node in sums else slot
            key = (place, colours[operand] if isinstance(operand, Node) else None)
            below[node][key] = below[node].get(key, 0) + 1
            if isinstance(operand, Node):
                above[operand].add((place, colours[node]))
        colours = {node: (colours[node], frozenset(below[node].items()), frozenset(above[node])) for node in nodes}
