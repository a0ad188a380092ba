"""Walk: a backward pass as an object, made once and read by everyone who shows, explains or checks the pass."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from copy import copy
from functools import cached_property
from itertools import accumulate, chain
from typing import NamedTuple

from tinygraph.engine import graph
from tinygraph.engine.backward import compute, final_gradients
from tinygraph.engine.graph import MANY, Node, StaleGraphError, check_fresh, order
from tinygraph.explaining.notation import Quantity, is_here


class Edge(NamedTuple):
    """One contribution of a backward pass: `operand.grad += upstream × local`.

    The operand is number `slot` of the operands of `node`.
    """

    node: Node
    slot: int
    operand: Node
    upstream: Quantity
    local: Quantity
    contribution: Quantity


class Walk:
    """A backward pass: its nodes in reverse topological order, their gradients, and its edges in the order of the pass.

    The graph is sorted once. The gradients come from one pass, which runs when they are first needed and leaves every
    `.grad` as it was.

    Args:
        root: Node that the pass starts from.
        seed: Gradient of the root. Without one there is no pass: no gradients and no edges.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> b, c = Value(3.0, "b"), Value(2.0, "c")
        >>> walk = Walk(b * c, 1.0)
        >>> walk.gradient(b), len(walk)
        (2.0, 2)
        >>> [(edge.operand.name, edge.upstream, edge.local, edge.contribution) for edge in walk.edges]
        [('b', 1.0, 2.0, 2.0), ('c', 1.0, 3.0, 3.0)]
    """

    def __init__(self, root: Node, seed: Quantity | None = None) -> None:
        self.root = root
        self.seed = copy(seed)
        self.nodes: list[Node] = order(root)
        check_fresh(self.nodes)
        self._edits = graph.edits
        self._sums: dict[Node, list[Quantity]] = {}  # the gradient of an operand after each of its contributions
        self._last: tuple[Node | None, Quantity, Sequence[Quantity]] = None, None, ()  # its gradient, its derivatives

    # --- nodes

    def __contains__(self, node: Node) -> bool:
        return node in self._members

    @cached_property
    def _members(self) -> frozenset[Node]:
        return frozenset(self.nodes)

    def find(self, name: str) -> Node:
        """Return the node of this name.

        Raises:
            KeyError: If there is none; the message lists the names that there are.
        """
        names = {node.name: node for node in self.nodes if node.name}
        if name not in names:
            raise KeyError(f"no node is called {name!r}; there are {', '.join(sorted(names)) or 'no names'}")
        return names[name]

    @cached_property
    def paths(self) -> dict[Node, int]:
        """The number of paths from the root to each node along which gradient flows: counted, never followed."""
        count = {self.root: 1}
        for node, _, operand in _flowing(self.nodes, count):
            count[operand] = count.get(operand, 0) + count[node]
        return count

    # --- edges

    def __len__(self) -> int:
        return len(self._flow.nodes)

    @property
    def edges(self) -> Iterator[Edge]:
        """All edges in the order of the pass, each made when its turn comes."""
        return chain.from_iterable(map(self.edges_of, self.nodes))

    def edges_of(self, node: Node) -> list[Edge]:
        """Return the edges from a node to its operands."""
        return compute(self.root, self._edges_of, node)  # type: ignore[no-any-return]

    def _edges_of(self, node: Node) -> list[Edge]:
        upstream = self.gradient(node)
        if upstream is None:
            return []
        return [
            Edge(node, slot, operand, upstream, local, upstream * local)
            for slot, (operand, local) in enumerate(zip(node.args, node.partials, strict=False))
            if local is not None
        ]

    def edge(self, i: int) -> Edge:
        """Return edge number i, with its numbers."""
        return compute(self.root, self._edge, i)  # type: ignore[no-any-return]

    def _edge(self, i: int) -> Edge:
        node, slot, operand = self.ends(i)
        if self._last[0] is not node:  # most often the next edge is of the same node
            self._last = node, self.gradient(node), node.partials
        _, upstream, partials = self._last
        return Edge(node, slot, operand, upstream, partials[slot], upstream * partials[slot])

    def ends(self, i: int) -> tuple[Node, int, Node]:
        """Return node, slot and operand of edge number i; this computes nothing."""
        return self._flow.nodes[i], self._flow.slots[i], self._flow.operands[i]

    def into(self, operand: Node) -> list[int]:
        """Return the numbers of the edges to an operand: its contributions, in order."""
        flow = self._flow
        place = flow.places.get(operand)
        if not place:  # no gradient reaches it, or it is the root
            return []
        return flow.several.get(operand) or [flow.first[place]]

    def flows(self, node: Node, slot: int) -> bool:
        """Return whether a gradient flows from a node to its operand number `slot`."""
        return node in self._flow.places and node.stored_partials[slot] is not None

    @cached_property
    def _flow(self) -> _Flow:
        return _Flow(self)

    # --- gradients

    @cached_property
    def gradients(self) -> dict[Node, Quantity]:
        """The gradients of all nodes that the pass reaches, that of the root included."""
        return dict(zip(self._flow.places, self._final, strict=True))

    def gradient(self, node: Node) -> Quantity | None:
        """Return the gradient of a node at the end of the pass; None if nothing arrives."""
        place = self._flow.places.get(node)
        return None if place is None else self._final[place]

    def gradient_after(self, node: Node, count: int) -> Quantity | None:
        """Return the gradient of a node after so many of its contributions; None before the first."""
        edges = self.into(node)
        if count in (0, len(edges)):
            return self.gradient(node) if count else None
        if node not in self._sums:
            self._sums[node] = compute(self.root, self._add_up, edges)
        return self._sums[node][count]

    def check_unchanged(self) -> None:
        """Raise StaleGraphError if a value of the graph was written since the walk was made."""
        if graph.edits != self._edits:
            if any(node.version > self._edits for node in self.nodes):
                raise StaleGraphError("the numbers of the graph were changed during this walk: make a new Stepper")
            self._edits = graph.edits

    @cached_property
    def _final(self) -> list[Quantity]:
        """The gradients at the end, by place."""
        self.check_unchanged()
        places = list(self._flow.places)
        return self._frozen(final_gradients(self.root, self.seed, places)) if places else []

    def _add_up(self, edges: Sequence[int]) -> list[Quantity]:
        # `_edge` written out: a third of a million edges to one leaf then take 0.26 s, not 0.54.
        final, places, nodes, slots = self._final, self._flow.places, self._flow.nodes, self._flow.slots
        contributions, last = [], None
        for i in edges:
            node = nodes[i]
            if node is not last:
                last, upstream, partials = node, final[places[node]], node.partials
            contributions.append(upstream * partials[slots[i]])
        return self._frozen(list(accumulate(contributions, initial=0.0)))

    def _frozen(self, gradients: list[Quantity]) -> list[Quantity]:
        """The same, read-only where they are arrays: readers show them, and must not change one another's."""
        if type(self.seed) is not float:
            for gradient in gradients:
                if is_here(gradient) and gradient.shape:
                    gradient.flags.writeable = False
        return gradients


class _Flow:
    """The edges of a walk in order, as columns: an object for each would cost memory and garbage collection."""

    def __init__(self, walk: Walk) -> None:
        self.nodes: list[Node] = []
        self.slots: list[int] = []
        self.operands: list[Node] = []
        self.places: dict[Node, int] = {}  # of the nodes that a gradient reaches
        self.first: list[int] = [-1]  # by place: the number of the first edge to the node
        self.several: dict[Node, list[int]] = {}  # all edges to it, where there are several
        if walk.seed is None:
            return
        places, first = self.places, self.first
        places[walk.root] = 0
        for i, (node, slot, operand) in enumerate(_flowing(walk.nodes, places)):
            self.nodes.append(node)
            self.slots.append(slot)
            self.operands.append(operand)
            place = places.setdefault(operand, len(first))
            if place == len(first):
                first.append(i)
            else:
                self.several.setdefault(operand, [first[place]]).append(i)


def _flowing(nodes: Sequence[Node], reached: Container[Node]) -> Iterator[tuple[Node, int, Node]]:
    """The edges along which a gradient flows from the first node: (node, slot, operand), in the order of the pass.

    Whoever takes an edge puts its operand among those that are reached, before taking the next.
    """
    for node in nodes:
        if node not in reached:
            continue
        if node.y_partial is MANY:
            for slot, (operand, local) in enumerate(zip(node.x, node.y, strict=False)):
                if local is not None:
                    yield node, slot, operand
            continue
        if node.x_partial is not None:  # written out: half the time of going by `args` and `stored_partials`
            yield node, 0, node.x
        if node.y_partial is not None:
            yield node, 1, node.y
