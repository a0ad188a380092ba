"""The first difference of two graphs, and their common nodes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.comparing.entries import Entry, Tolerance, headline
from tinygraph.explaining.comparing.matching import Match
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import counted

ROWS = 24  # maximum number of nodes in the text


@dataclass(frozen=True)
class Difference:
    """The first difference of two graphs: in the forward pass, or, if the values are equal, in the backward pass.

    Attributes:
        kind: "structure", "value" or "gradient".
        first: Node of the first graph, or several scalars.
        second: Node of the second graph, or several scalars.
        message: The difference as one sentence, without a period.
        steps: The step of each pass that makes a gradient differ, or None if there is no such step.
    """

    kind: Literal["structure", "value", "gradient"]
    first: tuple[Node, ...]
    second: tuple[Node, ...]
    message: str
    steps: tuple[Step | None, Step | None] = (None, None)

    def __str__(self) -> str:
        return self.message


def first_difference(entries: Sequence[Entry], matched: Match | None, first: Walk, second: Walk) -> Difference | None:
    """Return the first difference of two graphs, or None if every common node is equal.

    Args:
        entries: Common nodes in forward order.
        matched: Match of the nodes, or None for a graph of scalars and a graph of Tensors.
        first: Backward pass of the first graph.
        second: Backward pass of the second graph.

    Returns:
        The difference.
    """
    replaced: Difference | None = None  # an op that computes the same value does not yet explain a difference
    for entry in entries:
        if not {"structure", "value"}.intersection(entry.differences):
            continue  # before the name, which can be a long expression
        is_result = entry.first[0] is first.root and not first.root.name
        name = "the result" if is_result else called_in(entry)
        if "structure" in entry.differences:
            message = f"the structure of {name}: {entry.structure}"
            found = Difference("structure", entry.first, entry.second, message)
            if not entry.replaced:
                return found
            replaced = replaced or found
        if "value" in entry.differences:
            message = f"the value of {name}: {in_both(*entry.values, entry.tolerance)}"
            return Difference("value", entry.first, entry.second, message)
    for entry in reversed(entries):
        if "gradient" in entry.differences:
            steps = _steps(entry, matched, first, second)
            message = f"the gradient of {called_in(entry)}: {in_both(*entry.gradients, entry.tolerance)}"
            return Difference("gradient", entry.first, entry.second, message, steps)
    return replaced


def _steps(entry: Entry, matched: Match | None, first: Walk, second: Walk) -> tuple[Step | None, Step | None]:
    """Return the first step of each pass whose contribution to a node differs."""
    if matched is None:
        return None, None
    (node,), (other,) = entry.first, entry.second
    theirs = {(step.result, step.slot): step for step in Steps(second).into(other)}
    for step in Steps(first).into(node):
        partner = matched.partner.get(step.result)
        places = matched.places.get(step.result, ())
        key = (partner, places[step.slot]) if partner is not None and step.slot < len(places) else None
        twin = theirs.pop(key, None) if key is not None else None
        if twin is None or not entry.tolerance.equal(step.contribution, twin.contribution):
            return step, twin
    return None, next(iter(theirs.values()), None)


def called_in(entry: Entry) -> str:
    """Return the name of an entry for use in a sentence.

    Args:
        entry: Common node of two graphs.

    Returns:
        The text.
    """
    nodes = entry.second if len(entry.first) > 1 else entry.first
    return called(nodes[0])


def distinct(x: Quantity, y: Quantity, tolerance: Tolerance) -> tuple[str, str, str]:
    """Return two values that differ as text, with so many digits that the texts differ.

    Args:
        x: Float, array or None.
        y: Float, array or None.
        tolerance: Largest difference of two numbers that count as equal.

    Returns:
        The two texts, and "". For two arrays of one shape with more than four elements, the first elements that differ,
        and their position.

    Examples:
        >>> exact = Tolerance(0.0, 0.0)
        >>> distinct(1.0, 1.0 + 1e-9, exact), distinct(None, 2.0, exact)
        (('1', '1.000000001', ''), ('none', '2', ''))
    """
    has_elements = x is not None and y is not None and notation.shape(x) == notation.shape(y) is not None
    if has_elements and not (notation.is_short(x) and notation.is_short(y)):
        import numpy as np

        index = tuple(int(i) for i in np.argwhere(tolerance.differing(x, y))[0])
        first, second, _ = distinct(float(x[index]), float(y[index]), tolerance)
        return first, second, f" at {list(index)}"
    for spec in (".4g", ".10g", ".17g"):
        first, second = ("none" if q is None else notation.quantity(q, spec) for q in (x, y))
        if first != second:
            break
    return first, second, ""


def in_both(x: Quantity, y: Quantity, tolerance: Tolerance) -> str:
    """Return two values that differ as a part of a sentence.

    Args:
        x: Value in the first graph.
        y: Value in the second graph.
        tolerance: Largest difference of two numbers that count as equal.

    Returns:
        The text.

    Examples:
        >>> in_both(6.0, 9.0, Tolerance(1e-9, 1e-12))
        '6 in the first graph, but 9 in the second'
    """
    first, second, place = distinct(x, y, tolerance)
    return f"{first} in the first graph, but {second} in the second{place}"


def rows(entries: Sequence[Entry]) -> list[str]:
    """Return the common nodes of two graphs as aligned lines. A line that begins with ≠ contains a difference.

    Args:
        entries: Common nodes in forward order.

    Returns:
        At most 24 lines, and a line with the number of nodes that are left out.
    """
    shown = list(entries)
    if len(shown) > ROWS:
        differing = [entry for entry in entries if entry.differences]
        shown = (differing or shown)[:ROWS]
    cells = [_cells(entry) for entry in shown]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    left = [entry for entry in entries if entry not in shown] if len(shown) < len(entries) else []
    differ = sum(bool(entry.differences) for entry in left)
    if left:
        lines.append(f"    ··· {counted(len(left), 'more node')}, of which {differ:,} differ")
    return lines


def _cells(entry: Entry) -> tuple[str, str, str]:
    mark = "  ≠ " if entry.differences else "    "
    data = _pair("value" in entry.differences, *entry.values, entry.tolerance)
    grad = _pair("gradient" in entry.differences, *entry.gradients, entry.tolerance)
    return f"{mark}{entry.name}   ", f"data {data}   ", f"grad {grad}" if grad else ""


def _pair(differs: bool, x: Quantity, y: Quantity, tolerance: Tolerance) -> str:
    if differs:
        first, second, place = distinct(x, y, tolerance)
        return f"{first} ≠ {second}{place}"
    return "" if x is None else notation.quantity(x)


def alone(nodes: Sequence[Node], used: Sequence[Node], which: str) -> list[str]:
    """Return the nodes that only one graph has as a line of text, or an empty list.

    Args:
        nodes: Nodes of the graph in reverse topological order.
        used: Nodes that the other graph has too.
        which: "first" or "second".

    Returns:
        At most one line.
    """
    kept = set(used)
    rest = [node for node in reversed(nodes) if node not in kept]
    if not rest:
        return []
    shown = ", ".join(headline(node) for node in rest[:6])
    return [f"    only in the {which} graph: {shown}{' …' if len(rest) > 6 else ''} ({counted(len(rest), 'node')})"]
