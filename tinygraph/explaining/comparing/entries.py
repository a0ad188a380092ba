"""The common nodes of two graphs, with their values and gradients side by side."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.comparing.matching import Match, match
from tinygraph.explaining.notation import Quantity, called, shape
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import counted

WIDTH = 40  # maximum length of a node in the text, in characters
Elements = dict[tuple[int, ...], Node]  # nodes that are elements of one array, by their indexes
_INDEX = re.compile(r"(.+?)((?:\[[0-9]+(?:, ?[0-9]+)*\])+|_?[0-9]+(?:_[0-9]+)*)")


@dataclass(frozen=True)
class Tolerance:
    """Largest difference of two numbers that count as equal: `atol`, plus `rtol` times the larger absolute value."""

    rtol: float
    atol: float

    def equal(self, x: Quantity, y: Quantity) -> bool:
        """Return whether two values are equal within the tolerance. NaN is equal to NaN.

        Args:
            x: Float, array or None.
            y: Float, array or None.

        Returns:
            True if the values are equal.
        """
        if x is None or y is None:
            return x is y
        if shape(x) != shape(y):
            return False
        if shape(x) is None:  # numbers, or arrays of the shape (), for which NumPy takes ten times as long
            x, y = float(x), float(y)
            if x == y or (x != x and y != y):
                return True
            return math.isfinite(x) and math.isfinite(y) and abs(x - y) <= self.atol + self.rtol * max(abs(x), abs(y))
        return not self.differing(x, y).any()

    def differing(self, x: Quantity, y: Quantity) -> Quantity:
        """Return which elements of two arrays are not equal within the tolerance.

        Args:
            x: Array.
            y: Array of the same shape.

        Returns:
            An array of bools.

        Examples:
            >>> import numpy as np
            >>> Tolerance(0.1, 0.0).differing(np.array([1.0, 9.0, 1.0]), np.array([1.0, 10.0, 2.0])).tolist()
            [False, False, True]
        """
        import numpy as np

        with np.errstate(all="ignore"):  # the difference of two large numbers can overflow
            sides = [np.isclose(*pair, rtol=self.rtol, atol=self.atol, equal_nan=True) for pair in ((x, y), (y, x))]
        return ~np.any(sides, axis=0)  # NumPy multiplies rtol by the second number


@dataclass(frozen=True)
class Entry:
    """A node of both graphs, or a Tensor of one graph and the scalars of the other graph that are its elements.

    Attributes:
        first: Node of the first graph, or several scalars.
        second: Node of the second graph, or several scalars.
        structure: How the ops or operands differ, as text, or "".
        values: Value in each graph.
        gradients: Gradient in each graph, or None where there is none.
        tolerance: Tolerance of the comparison.
        replaced: True if only the op differs, and computes the same value.
    """

    first: tuple[Node, ...]
    second: tuple[Node, ...]
    structure: str
    values: tuple[Quantity, Quantity]
    gradients: tuple[Quantity, Quantity]
    tolerance: Tolerance
    replaced: bool = False

    @cached_property
    def differences(self) -> tuple[str, ...]:
        """What differs: "structure", "value" and "gradient", in this order."""
        found = [] if not self.structure else ["structure"]
        if not self.tolerance.equal(*self.values):
            found.append("value")
        if not self.tolerance.equal(*self.gradients):
            found.append("gradient")
        return tuple(found)

    @property
    def name(self) -> str:
        """The name and expression of the node. If they differ, those of both graphs."""
        several = self.second if len(self.first) > 1 else self.first if len(self.second) > 1 else None
        if several is not None:
            return called(several[0])
        return " | ".join(dict.fromkeys(notation.cut(headline(node), WIDTH) for node in self.first + self.second))

    def swapped(self) -> Entry:
        """Return the entry with the two graphs in the other order."""
        values, gradients = self.values[::-1], self.gradients[::-1]
        return replace(self, first=self.second, second=self.first, values=values, gradients=gradients)


def headline(node: Node) -> str:
    """Return a node's name and expression, or the value of a node that has neither.

    Args:
        node: Node to describe.

    Returns:
        The text.
    """
    return notation.headline(node) or called(node)


def entries_of(first: Walk, second: Walk, tolerance: Tolerance) -> tuple[list[Entry], Match | None]:
    """Return the common nodes of two graphs in forward order.

    Two graphs of one kind are matched node by node. A graph of scalars is matched with a graph of Tensors by names.

    Args:
        first: Backward pass of the first graph.
        second: Backward pass of the second graph.
        tolerance: Tolerance of the comparison.

    Returns:
        The entries, and the match of the nodes, or None if a graph of scalars is compared with a graph of Tensors.
    """
    has_arrays = [any(shape(node.raw) is not None for node in walk.nodes) for walk in (first, second)]
    if has_arrays == [False, True]:
        return _elements(first, second, tolerance, ("first", "second")), None
    if has_arrays == [True, False]:
        return [entry.swapped() for entry in _elements(second, first, tolerance, ("second", "first"))], None
    matched = match(first.nodes, second.nodes, tolerance.equal)
    found = []
    for node in reversed(first.nodes):
        if node in matched.partner:
            other = matched.partner[node]
            numbers = (node.raw, other.raw), (first.gradient(node), second.gradient(other))
            text, replaced = matched.structure(node), matched.replaced(node)
            found.append(Entry((node,), (other,), text, *numbers, tolerance, replaced))
    return found, matched


# --- scalars and Tensors ------------------------------------------------------------------------------


def _elements(scalars: Walk, tensors: Walk, tolerance: Tolerance, graphs: tuple[str, str]) -> list[Entry]:
    """Return the Tensors whose elements are nodes of the graph of scalars, and the root."""
    groups = _groups(scalars)
    found = []
    for node in reversed(tensors.nodes):
        elements = groups.get(node.name) or groups.get(node.name.lower())
        if node is tensors.root:
            elements = {(0,): scalars.root}
        if elements:
            found.append(_entry(elements, node, scalars, tensors, tolerance, graphs))
    return found


def _groups(walk: Walk) -> dict[str, Elements]:
    """Return the nodes that are elements of one array, by the name of the array and by their index.

    Nodes with one name, such as the z of each example, are numbered in the order of recording.
    """
    same: dict[str, list[Node]] = {}
    for node in reversed(walk.nodes):
        if node.name and node is not walk.root:
            same.setdefault(node.name, []).append(node)
    groups: dict[str, Elements] = {name: {(i,): node for i, node in enumerate(nodes)} for name, nodes in same.items()}
    for name, nodes in same.items():
        found = _INDEX.fullmatch(name)
        if found and len(nodes) == 1 and found[1] not in same:
            groups.setdefault(found[1], {})[tuple(map(int, re.findall("[0-9]+", found[2])))] = nodes[0]
    return groups


def _entry(
    elements: Elements,
    node: Node,
    scalars: Walk,
    tensors: Walk,
    tolerance: Tolerance,
    graphs: tuple[str, str],
) -> Entry:
    import numpy as np

    indexes = sorted(elements)
    nodes = tuple(elements[index] for index in indexes)
    own = scalars.gradient, tensors.gradient
    gradient, gradients = own[1](node), [own[0](x) for x in nodes]
    if len(nodes) != node.raw.size:
        structure = (
            f"{counted(len(nodes), 'scalar')} in the {graphs[0]} graph, but {counted(node.raw.size, 'element')} in the "
            f"{graphs[1]}"
        )
        return Entry(nodes, (node,), structure, (None, node.raw), (None, gradient), tolerance)

    def arranged(numbers: Iterable[float]) -> Quantity:
        return _arranged(np.array(list(numbers)), indexes, node.raw.shape)

    reached = gradient is not None or any(x is not None for x in gradients)
    values = arranged(x.raw for x in nodes), np.asarray(node.raw)
    both: tuple[Quantity, Quantity] = (None, None)
    if reached:  # a node that no gradient reaches has the gradient 0
        both = arranged(x or 0.0 for x in gradients), gradient if gradient is not None else np.zeros(node.raw.shape)
    return Entry(nodes, (node,), "", values, both, tolerance)


def _arranged(numbers: Quantity, indexes: Sequence[tuple[int, ...]], wanted: tuple[int, ...]) -> Quantity:
    """Return the elements of an array in the shape of a Tensor, which can be the transpose of their indexes."""
    if {len(index) for index in indexes} == {2}:
        rows, columns = (max(axis) - min(axis) + 1 for axis in zip(*indexes, strict=True))
        if rows * columns == numbers.size and _without_ones(wanted) == _without_ones((columns, rows)) != (
            rows,
            columns,
        ):
            numbers = numbers.reshape(rows, columns).T
    return numbers.reshape(wanted)


def _without_ones(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in lengths if length != 1)
