"""vectorize: the loops of a scalar graph as a graph of arrays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping

import numpy as np

from tinygraph.engine.graph import Node, check_fresh, order, require_node
from tinygraph.engine.metadata import Guard
from tinygraph.engine.replay import check_known, guards
from tinygraph.engine.value import Value
from tinygraph.support.arguments import check_function, check_kind
from tinygraph.support.collector import collector_paused
from tinygraph.support.progress import OnProgress, Progress
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.array_graph import derivatives_of
from tinygraph.vectorizing.flat import Array, Flat
from tinygraph.vectorizing.kinds import Group, Part
from tinygraph.vectorizing.rebuilding import Rebuilding
from tinygraph.vectorizing.rerolling import Roll
from tinygraph.vectorizing.views import stored_shape


def vectorize(
    root: Value, marks: Mapping[Node, Hashable] | None = None, *, on_progress: OnProgress | None = None
) -> Vectorized:
    """Turn the graph of a Value into an equivalent graph of Tensors.

    Nodes that were computed in the same way become one array, and the terms of a sum become one axis. A sum of products
    along an axis becomes a matrix product, and a sum of m terms that is divided by m becomes a mean. Leaves are
    collected into arrays, in the order in which sums use them.

    Args:
        root: Root of a graph of Values.
        marks: Mapping from leaves to marks. Leaves with different marks go into different arrays. Defaults to no marks.
        on_progress: Function that is called as on_progress(done, steps), at most a few hundred times: `done` of `steps`
            steps are done, and at the end, both are equal. If the function raises an exception, the work stops.
            Defaults to no reports.

    Returns:
        The graph of Tensors, with the mapping between scalar nodes and elements of Tensors.

    Raises:
        TypeError: If `root` is not a Value.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> w, b = [Value(0.5, "w1"), Value(-0.5, "w2")], Value(0.1, "b")
        >>> J = Value(0.0)
        >>> for x in [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]:
        ...     z = w[0] * x[0] + w[1] * x[1] + b
        ...     J = J + z.sigmoid()
        >>> found = vectorize(J)
        >>> found.root
        Tensor(1.2039..., op='add')
        >>> found.root.backward()
        >>> tensor, index = found.where(w[1])
        >>> tensor.shape, index, tensor.grad[index]
        ((2, 1), (1, 0), np.float64(2.8...))
    """
    return Vectorized(root, marks, on_progress=on_progress)


class Vectorized:
    """A scalar graph, converted to a graph of Tensors.

    Args:
        root: Root of a graph of Values.
        marks: Marks of leaves, as in `vectorize`.
        only: If true, only leaves with a mark get a gradient. Defaults to false.
        on_progress: Function that gets reports, as in `vectorize`.

    Attributes:
        root: The root of the graph of Tensors.
        leaves: The leaves of the graph of Tensors, by name.
    """

    def __init__(
        self,
        root: Value,
        marks: Mapping[Node, Hashable] | None = None,
        *,
        only: bool = False,
        on_progress: OnProgress | None = None,
    ) -> None:
        check_kind("root", root, Value, "the root of a graph of Values")
        if marks is not None:
            check_kind("marks", marks, Mapping, "a dict from leaves to marks")
        if on_progress is not None:
            check_function("on_progress", on_progress)
        self._root, self._marked = root, [require_node(leaf, "each key of marks") for leaf in marks or ()]
        with collector_paused():
            self._flat = Flat(root, _compared_outside(root, marks or {}))
            progress = Progress(on_progress, parts=4, steps=len(self._flat.ops))
            progress.end_part()  # the graph is read
            self._roll = Roll(self._flat, marks, progress)
            self._rebuilt = Rebuilding(self._roll, marks or {}, only, progress)
        self.leaves = self._rebuilt.leaves
        built = self._rebuilt.built[self._roll.groups[-1]]
        assert isinstance(built, Tensor)
        self.root = built

    def where(self, node: Node) -> tuple[Tensor, tuple[int, ...]]:
        """Return the tensor that contains a node of the scalar graph, and the node's index in that tensor.

        Args:
            node: A node of the graph that was vectorized.

        Returns:
            The tensor and the index.

        Raises:
            LookupError: If the node is in another graph, or inside a sum, a matrix product or a mean. For a node
                inside a mean, `scatter` still finds the gradient.
        """
        if node not in self._flat.place:
            raise LookupError(f"{node!r} is not a node of the graph that was vectorized")
        i = self._flat.place[node]
        group = self._roll.group(i)
        if group is None or group in self._rebuilt.inside:
            what = "a sum" if group is None else self._rebuilt.inside[group]
            raise LookupError(f"{node!r} is inside {what}: it has no separate element")
        built = self._rebuilt.built[group]
        if not isinstance(built, Tensor):
            raise LookupError(f"{node!r} is computed from plain numbers only: it has no separate element")
        place = int(self._roll.position(group, np.array([i]))[0])
        return built, tuple(int(k) for k in np.unravel_index(place, built.shape))

    @property
    def groups(self) -> list[Group]:
        """The groups of scalar nodes that were computed in the same way, operands first."""
        return self._roll.groups

    def nodes_of(self, name: str) -> list[Node]:
        """Return the scalar nodes that are the elements of a leaf, in order.

        Args:
            name: Name of the leaf.

        Returns:
            The nodes.
        """
        return [self._roll.node(i) for i in self._rebuilt.ids[name].ravel().tolist()]

    def named(self) -> list[tuple[Tensor, str]]:
        """Return a list of pairs (tensor, name) for the computed tensors that have a name."""
        built = [built for built in self._rebuilt.built.values() if isinstance(built, Tensor)]
        return [(tensor, tensor.name) for tensor in built if tensor.op is not None and tensor.name]

    def guards(self) -> dict[Guard, dict[int, Node]]:
        """Return the comparisons on which the scalar graph depends, each with the compared nodes by slot."""
        found = guards(self._root, [node for node in self._flat.nodes if node is not None])
        check_known(found, self._root, self._marked, will_change=True)
        return found

    def derivatives(self) -> dict[Node, Tensor]:
        """Return a dict from nodes to Tensors: the root's derivatives with respect to these nodes."""
        return derivatives_of(self.root)

    def scatter(self) -> None:
        """Write the gradients of the last `root.backward()` to the Values, as the scalar root's `backward()` would.

        Raises:
            ValueError: If there are no gradients yet.
            StaleGraphError: If a leaf of the scalar graph was edited, so that the gradients belong to other values.

        Examples:
            >>> a, b = Value(2.0), Value(3.0)
            >>> found = vectorize(a * b)
            >>> found.root.backward()
            >>> found.scatter()
            >>> a.grad, b.grad
            (3.0, 2.0)
        """
        if self.root.grad is None:
            raise ValueError("there are no gradients yet: call root.backward() first")
        check_fresh(order(self._root))
        gradients, reached = self._scattered()
        for node, gradient, was_reached in zip(self._flat.nodes, gradients.tolist(), reached.tolist(), strict=True):
            if was_reached and node is not None and not node.constant:
                node.grad = gradient

    def _scattered(self) -> tuple[Array, Array]:
        """Return the gradient of each entry of the scalar graph, and whether a gradient reached that entry."""
        flat, rebuilt = self._flat, self._rebuilt
        gradients, reached = np.zeros(len(flat.ops)), np.zeros(len(flat.ops), bool)
        for group in reversed(self._roll.groups):  # consumers first
            built = rebuilt.built.get(group)
            if isinstance(built, Tensor) and built.grad is not None:
                gradients[group.ids] = built.grad.reshape(group.ids.shape)
                reached[group.ids] = True
            elif group in rebuilt.inside:
                ((user, slot),) = group.uses
                factor = slot.sign if isinstance(slot, Part) else 1.0 / math.prod(a.size for a in group.parts[0].axes)
                gradients[group.ids] = factor * gradients[user.ids]  # the same for all terms of a sum
                reached[group.ids] = reached[user.ids]
        inner = np.flatnonzero(flat.within)
        gradients[inner], reached[inner] = flat.turns[inner] * gradients[flat.head[inner]], reached[flat.head[inner]]
        return gradients, reached

    def report(self) -> str:
        """Return text that shows which scalar nodes became arrays, which did not, and why."""
        rolled: list[str] = []
        alone: list[Group] = []
        for group in self._roll.groups:
            count = group.ids.size
            if count == 1:
                alone.append(group)
            elif group in self._rebuilt.inside:
                rolled.append(f"{self._roll.title(group)}: {count:,} nodes inside {self._rebuilt.inside[group]}")
            else:
                rolled.append(
                    f"{self._roll.title(group)}: {count:,} nodes are an array of shape {stored_shape(group.axes)}"
                )
        lines = [f"{len(self._flat.place):,} scalar nodes became {len(order(self.root)):,} array nodes"]
        lines += [line if times == 1 else f"{line}, {times:,} times" for line, times in Counter(rolled).items()]
        if alone:
            titles = list(dict.fromkeys(map(self._roll.title, alone)))
            listed = ", ".join([*titles[:8], *["…"] * (len(titles) > 8)])
            lines.append(f"not vectorized: {len(alone):,} nodes without similar nodes ({listed})")
        for group, parts in self._roll.apart:
            count = len(group.members)
            how = "one by one" if parts == count else f"in {parts:,} parts"
            nodes = f"{self._roll.title(group)}, {count:,} similar nodes"
            lines.append(f"not vectorized: {nodes}, because they are used {how}")
        lines += [f"by index, because no axis fits: {what}" for what in dict.fromkeys(self._rebuilt.views.gathered)]
        return "\n".join(lines)


def _compared_outside(root: Value, marks: Mapping[Node, Hashable]) -> list[Node]:
    """Return the marked leaves that are not in the graph, but took part in comparisons."""
    compared = [leaf for leaf in marks if leaf.metadata and leaf.metadata.guards]
    inside = set(order(root)) if compared else ()
    return [leaf for leaf in compared if leaf not in inside]
