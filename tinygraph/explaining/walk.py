"""`Walk`: a backward pass as an object that diagrams, explanations and checks read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from functools import cached_property
from itertools import accumulate, chain, compress, repeat
from operator import is_
from typing import Any, NamedTuple

from tinygraph.engine.backward import adjoints, as_gradient, compute
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import MANY, Node, StaleGraphError, check_fresh, edited, order
from tinygraph.engine.logits import ActivationOp, LogitPair, plain
from tinygraph.engine.ops import sigmoid
from tinygraph.explaining.notation import Quantity, is_here
from tinygraph.explaining.spelling import normalized
from tinygraph.support.arguments import check_kind
from tinygraph.support.messages import described

SCANS = 8  # number of searches through all nodes or edges, before an index is built
BLOCK = 256  # number of nodes whose edges are created together


class Edge(NamedTuple):
    """One contribution of a backward pass: `operand.grad += upstream × local`.

    `slot` is the index of the operand among the operands of `node`.
    """

    node: Node
    slot: int
    operand: Node
    upstream: Quantity
    local: Quantity
    contribution: Quantity


class Walk:
    """A backward pass: nodes in reverse topological order, their gradients, and the edges in the order of the pass.

    The graph is sorted once. The gradients come from one pass, which runs when a gradient is first needed. The pass
    does not change any `.grad`.

    Args:
        root: Node that the pass starts from.
        seed: Upstream gradient of the root. Without a seed, there are no gradients or edges.

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
        self._edits = clock.edits  # read first: another thread may edit a leaf meanwhile
        self.nodes: list[Node] = order(root)
        check_fresh(self.nodes)
        self._scans = 0
        self._sums: dict[Node, list[Quantity]] = {}  # gradients of an operand after each contribution
        self._last: tuple[Node | None, Quantity, Sequence[Quantity]] = None, None, ()  # node, gradient, partials
        self._read: list[Node] = []  # nodes whose operands the running computation reads

    # --- nodes

    @cached_property
    def _watched(self) -> list[Node]:
        """The nodes whose arrays can be edited in place."""
        return self._editable(self.nodes)

    def _editable(self, nodes: Iterable[Node]) -> list[Node]:
        if not hasattr(self.root, "watched"):  # a graph of floats
            return []
        return [x for x in nodes if hasattr(x, "watched") and (x.op is None or x.watched is not None)]

    def __contains__(self, node: Node) -> bool:
        return node in self._members

    @cached_property
    def _members(self) -> frozenset[Node]:
        return frozenset(self.nodes)

    def node(self, node: Node | str, what: str = "node") -> Node:
        """Return a node of the graph that is given directly or by its name.

        Args:
            node: Node, or name of a node.
            what: Name of the parameter, for messages. Defaults to "node".

        Returns:
            The node.

        Raises:
            TypeError: If `node` is neither a node nor a name.
            KeyError: If no node has this name.
            ValueError: If the node is not in the graph.
        """
        if isinstance(node, str):
            return self.find(node, what)
        if not isinstance(node, Node):
            raise TypeError(f"{what} must be a node of the graph or its name, not {described(node)}")
        if node not in self:
            raise ValueError(f"{what} {node!r} is not a node of the graph of {self.root!r}")
        return node

    def find(self, name: str, what: str = "name") -> Node:
        """Return the node with the given name. If no node has exactly this name, compatible characters are equal.

        Args:
            name: Name to look for, such as "w1", or "w₁" if no node has this name.
            what: Name of the parameter, for messages. Defaults to "name".

        Returns:
            The node.

        Raises:
            TypeError: If `name` is not a str.
            KeyError: If no node has this name. The message lists all names.
        """
        check_kind(what, name, str, "the name of a node")
        names = {node.name: node for node in self.nodes if node.name}
        if name not in names:
            spelled = {normalized(known): node for known, node in names.items()}
            if normalized(name) in spelled:
                return spelled[normalized(name)]
            known = f"the names are {', '.join(sorted(names))}" if names else "the nodes of this graph have no names"
            raise KeyError(f"no node is named {name!r}; {known}")
        return names[name]

    @cached_property
    def paths(self) -> dict[Node, int]:
        """A dictionary that maps each node to the number of paths along which a gradient flows to it from the root.

        The algorithm counts the paths without listing them.
        """
        count = {self.root: 1}
        for node in self.nodes:
            for slot in _slots(node):
                operand = node.args[slot]
                count[operand] = count.get(operand, 0) + count[node]
        return count

    # --- edges

    def __len__(self) -> int:
        return len(self._flow)

    @property
    def edges(self) -> Iterator[Edge]:
        """An iterator over all edges, in the order of the pass. Edges are created while you read them."""
        return self.edges_from(self.nodes)

    def edges_from(self, nodes: Sequence[Node]) -> Iterator[Edge]:
        """Return the edges from several nodes to their operands. Edges are created while you read them.

        Args:
            nodes: Nodes in the graph.

        Returns:
            The edges along which a gradient flows, in the order of the nodes.
        """
        # One computation for many nodes, because each computation enters a context.
        blocks = [nodes[i : i + BLOCK] for i in range(0, len(nodes), BLOCK)]
        return chain.from_iterable(self._compute(self._edges_of_all, block) for block in blocks)

    def _edges_of_all(self, nodes: Sequence[Node]) -> list[Edge]:
        return [edge for node in nodes for edge in self._edges_of(node)]

    def edges_of(self, node: Node) -> list[Edge]:
        """Return the edges from a node to its operands.

        Args:
            node: Node in the graph.

        Returns:
            The edges along which a gradient flows.
        """
        return self._compute(self._edges_of, node)  # type: ignore[no-any-return]

    def _edges_of(self, node: Node) -> list[Edge]:
        upstream = self.gradient(node)
        if upstream is None:
            return []
        self._read.append(node)
        passed = self._passed(node, upstream)
        return [
            Edge(node, slot, operand, upstream, plain(local), plain(passed * local))
            for slot, (operand, local) in enumerate(zip(node.args, node.multipliers, strict=False))
            if local is not None
        ]

    def _passed(self, node: Node, final: Quantity) -> Quantity | LogitPair:
        """Return a node's final gradient in the form in which it passes it on: a LogitPair for some activations."""
        if node.op is None or not (node.op is sigmoid or node.op.moves):
            return final
        edges = self.into(node)
        ends = [(consumer, slot) for consumer, slot, _ in map(self.ends, edges)]
        if not any(type(consumer.op) is ActivationOp or (consumer.op and consumer.op.moves) for consumer, _ in ends):
            return final
        self._read += [consumer for consumer, _ in ends]
        contributions = [
            self._passed(consumer, self.gradient(consumer)) * consumer.multipliers[slot] for consumer, slot in ends
        ]
        passed = sum(contributions, start=-0.0)
        return passed if type(passed) is LogitPair else final

    def edge(self, i: int) -> Edge:
        """Return the edge with the given index.

        Args:
            i: Index of the edge in the order of the pass, from 0.

        Returns:
            The edge.
        """
        return self._compute(self._edge, i)  # type: ignore[no-any-return]

    def _edge(self, i: int) -> Edge:
        k, slot = self._flow.place(i)
        node = self.nodes[k]
        self._read.append(node)
        if self._last[0] is not node:  # consecutive edges usually share a node
            self._last = node, self._passed(node, self._final[k]), node.multipliers
        _, passed, multipliers = self._last
        local = multipliers[slot]
        return Edge(node, slot, node.args[slot], plain(passed), plain(local), plain(passed * local))

    def ends(self, i: int) -> tuple[Node, int, Node]:
        """Return an edge's node, slot and operand, without computing gradients.

        Args:
            i: Index of the edge in the order of the pass, from 0.

        Returns:
            The node, the index of the operand, and the operand.
        """
        k, slot = self._flow.place(i)
        node = self.nodes[k]
        return node, slot, node.args[slot]

    def into(self, operand: Node) -> list[int]:
        """Return the indexes of the edges to an operand.

        Args:
            operand: Node in the graph.

        Returns:
            The indexes, in the order of the pass.
        """
        return self._flow.into(operand)

    def flows(self, node: Node, slot: int) -> bool:
        """Return whether a gradient flows from a node to one of its operands.

        Args:
            node: Node in the graph.
            slot: Index of the operand.

        Returns:
            True if a gradient flows along this edge.
        """
        return self.seed is not None and node.stored_partials[slot] is not None

    @cached_property
    def _flow(self) -> _Flow:
        return _Flow([] if self.seed is None else self.nodes)

    # --- gradients

    @cached_property
    def gradients(self) -> dict[Node, Quantity]:
        """A dictionary of the final gradients of all nodes that the pass reaches, including the root."""
        return {node: gradient for node, gradient in zip(self.nodes, self._final, strict=True) if gradient is not None}

    @cached_property
    def _final(self) -> list[Quantity | None]:
        """The final gradient of each node, or None if no gradient reaches the node."""
        if self.seed is None:
            return [None] * len(self.nodes)
        with clock.lock:
            final = compute(self.root, adjoints, self.nodes, as_gradient(self.root, self.seed))
            self.check_unchanged()
        return self._frozen(final)

    def gradient(self, node: Node) -> Quantity | None:
        """Return the gradient of a node at the end of the pass.

        Args:
            node: Node in the graph.

        Returns:
            The gradient, or None if no contribution arrives.
        """
        if self._scans == SCANS:
            return self.gradients.get(node)
        self._scans += 1
        return next(compress(self._final, map(is_, self.nodes, repeat(node))), None)

    def gradient_after(self, node: Node, count: int) -> Quantity | None:
        """Return a node's gradient after its first `count` contributions.

        Args:
            node: Node in the graph.
            count: Number of contributions that have happened.

        Returns:
            The gradient, or None before the first contribution.
        """
        edges = self.into(node)
        if count in (0, len(edges)):
            return self.gradient(node) if count else None
        if node not in self._sums:
            self._sums[node] = self._compute(self._add_up, edges)
        return self._sums[node][count]

    def check_unchanged(self, read: Iterable[Node] | None = None) -> None:
        """Check that no value of the graph was edited after this object was created.

        Args:
            read: Nodes that were read. Then the check looks for edits in place only in the arrays of these nodes and of
                their operands, because a check of the whole graph for each step would take quadratic time. Defaults to
                all nodes.

        Raises:
            StaleGraphError: If a value was edited.
        """
        if read is None:
            watched = self._watched
        else:
            watched = self._editable(dict.fromkeys(x for node in read for x in (node, *node.operands)))
        changed = edited(watched)
        now = clock.edits
        if changed or (clock.changed > self._edits and any(node.version > self._edits for node in self.nodes)):
            raise StaleGraphError(
                "the values of the graph changed after this Stepper was created: create a new Stepper"
            )
        self._edits = now

    def _compute(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that reads values. If one of them was edited when it returns, raise StaleGraphError.

        The edits of other threads wait. But a thread can also have edited an array in place.
        """
        with clock.lock:
            self._read.clear()
            found = compute(self.root, function, *args)
            self.check_unchanged(self._read)
        return found

    def _add_up(self, edges: Sequence[int]) -> list[Quantity]:
        # This loop repeats `_edge` inline to save time: about 333,000 edges to one leaf take 0.26 s instead of 0.54 s.
        contributions, last = [], -1
        for k, slot in map(self._flow.place, edges):
            if k != last:
                node = self.nodes[k]
                self._read.append(node)
                last, passed, multipliers = k, self._passed(node, self._final[k]), node.multipliers
            contributions.append(plain(passed * multipliers[slot]))
        return self._frozen(list(accumulate(contributions, initial=-0.0)))

    def _frozen(self, gradients: list[Quantity]) -> list[Quantity]:
        """Return the given gradients. Arrays become read-only, because several readers share them."""
        if type(self.seed) is not float:
            for gradient in gradients:
                if is_here(gradient) and gradient.shape:
                    gradient.flags.writeable = False
        return gradients


class _Flow:
    """The edges of a pass in order. Bisection in a running count of edges finds the node and the slot of an edge.

    A gradient flows to an operand if the operand is a node and not a constant. So a gradient reaches every other node
    of the graph, because the root depends on the node.

    Args:
        nodes: Nodes of the graph in reverse topological order. A pass that does not start has no nodes.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        ends: list[int] = []  # number of edges up to and including each node
        self._variadic: list[int] = []  # the nodes with a tuple of operands
        count = 0
        for k, node in enumerate(nodes):
            last = node.y_partial
            if last is None:
                if node.x_partial is not None:
                    count += 1
            elif last is MANY:
                self._variadic.append(k)
                count += len(_slots(node))
            else:
                count += 1 if node.x_partial is None else 2
            ends.append(count)
        self.ends = ends
        self._scanned: dict[Node, list[int]] = {}
        self._last: tuple[int, list[int]] = -1, []  # the node whose edge was read last, and its slots

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def place(self, i: int) -> tuple[int, int]:
        """Return the index of an edge's node, and the slot of its operand."""
        k = bisect_right(self.ends, i)
        if self._last[0] != k:  # consecutive edges usually share a node
            self._last = k, _slots(self.nodes[k])
        return k, self._last[1][i - self._start(k)]

    def into(self, operand: Node) -> list[int]:
        """Return the indexes of the edges to an operand. A few scans take less time than an index of all edges."""
        known = self._scanned
        if operand not in known:
            if len(known) == SCANS:
                return self._index.get(operand, [])
            consumers = [k for k, node in enumerate(self.nodes) if node.x is operand or node.y is operand]
            places = sorted(consumers + self._variadic)
            known[operand] = [i for k in places for i, other in self._edges_of(k) if other is operand]
        return known[operand]

    def _start(self, k: int) -> int:
        """Return the index of the first edge of a node."""
        return self.ends[k - 1] if k else 0

    def _edges_of(self, k: int) -> Iterator[tuple[int, Node]]:
        """Return the index and the operand of each edge of a node."""
        args = self.nodes[k].args
        return enumerate([args[slot] for slot in _slots(self.nodes[k])], self._start(k))

    @cached_property
    def _index(self) -> dict[Node, list[int]]:
        """The indexes of the edges to each node."""
        index: dict[Node, list[int]] = {}
        for k in range(len(self.nodes)):
            for i, operand in self._edges_of(k):
                index.setdefault(operand, []).append(i)
        return index


def _slots(node: Node) -> list[int]:
    """Return the slots of the operands to which a node passes its gradient on."""
    return [slot for slot, local in enumerate(node.stored_partials) if local is not None]
