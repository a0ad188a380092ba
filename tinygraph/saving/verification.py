"""Verification of the stored values, local derivatives and gradients of a graph, by recomputation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.backward import as_gradient, compute
from tinygraph.engine.copies import unknown
from tinygraph.engine.graph import Node
from tinygraph.engine.replay import recomputed
from tinygraph.explaining import notation
from tinygraph.kernels.arrays import Array
from tinygraph.saving.format import GraphFileError

_Raw = float | Array | None
_MAX = np.finfo(float).max
_ULPS = 8  # allowed difference between two machines, in units in the last place


def all_nodes(roots: Sequence[Node]) -> list[Node]:
    """Return all nodes of the given roots' graphs, each node after its operands.

    Args:
        roots: Roots of the graphs.

    Returns:
        The nodes, without duplicates.
    """
    found: dict[int, Node] = {}
    for root in roots:
        for node in unknown(root, found):
            found[id(node)] = node
    return list(found.values())


def wrong_gradient(root: Node, nodes: Sequence[Node]) -> tuple[Node, _Raw] | None:
    """Return the first node whose gradient is wrong, together with the correct gradient.

    The search starts at the root. A gradient is wrong if it differs from the result of a backward pass.

    Args:
        root: Root of the graph.
        nodes: Nodes of the graph, each after its operands.

    Returns:
        The node and the correct gradient, or None if all gradients are correct.
    """
    adjoints: dict[Node, Array] = {}
    compute(root, exhaust, propagate(root, root.grad, adjoints))
    for node in reversed(nodes):
        found = as_gradient(node, adjoints[node]) if node in adjoints else None
        if not _same(node.grad, found):
            return node, found
    return None


def check(nodes: Sequence[Node], name: str, root: Node | None = None) -> None:
    """Recompute every value and every local derivative, and compare the results with the stored values.

    Elementary functions on another machine can differ in their last digits, so a difference of up to 8 units in the
    last place (ULP) is allowed. For a sum, the allowed difference is relative to the sum of the absolute values of its
    terms. If `root` is given, every gradient is also recomputed from its contributions.

    Args:
        nodes: Nodes of the graph, each after its operands.
        name: Name of the file, for messages.
        root: Root of the backward pass that computed the gradients, or None if the gradients are not checked.

    Raises:
        GraphFileError: If a stored value, local derivative or gradient differs. The message shows the first difference.
    """
    for i, node in enumerate(nodes):
        if node.op is None:
            continue
        try:
            fresh = recomputed(node)
        except Exception as error:  # an op can raise anything for the operands and parameters of a wrong file
            raise GraphFileError(f"{name}, node {i} ({_called(node)}) cannot be computed: {error}") from None
        if not _close(node.raw, fresh.raw, node):
            _fail(name, i, node, "data", node.raw, "its op computes", fresh.raw)
        for slot, (stored, local) in enumerate(zip(node.stored_partials, fresh.stored_partials, strict=True)):
            if stored is not None and stored is not True and not _close(stored, local):
                _fail(
                    name,
                    i,
                    node,
                    f"local derivative with respect to operand {slot + 1}",
                    stored,
                    "its op computes",
                    local,
                )
    try:
        found = wrong_gradient(root, nodes) if root is not None and root.grad is not None else None
    except Exception as error:  # as above, for the pullbacks
        raise GraphFileError(f"{name}: the gradients cannot be computed: {error}") from None
    if found is not None:
        node, gradient = found
        _fail(name, nodes.index(node), node, "grad", node.grad, "its contributions add up to", gradient)


def _fail(name: str, i: int, node: Node, what: str, stored: _Raw, instead: str, found: _Raw) -> NoReturn:
    raise GraphFileError(
        f"{name}, node {i} ({_called(node)}): its {what} is {_quantity(stored)}, but {instead} {_quantity(found)}"
    )


def _close(stored: _Raw, computed: _Raw, node: Node | None = None) -> bool:
    if type(stored) is float and stored == computed:
        return True
    if stored is None or computed is None or np.shape(stored) != np.shape(computed):
        return False
    terms = _terms(node) if node is not None else np.zeros(())
    x, y = (np.asarray(number, dtype=np.float64) for number in (stored, computed))
    with np.errstate(all="ignore"):
        spacing = np.maximum(np.spacing(np.maximum(abs(x), abs(y))), 2.0**-52 * terms)
        return bool(np.all((abs(x - y) <= _ULPS * spacing) | (x == y) | (np.isnan(x) & np.isnan(y))))


def _terms(node: Node) -> Array:
    """Return the sum of the absolute values of the terms that the op adds, or 0 if the op does not add terms."""
    terms = node.op.on(list(map(abs, node.numbers))) if node.op is not None and node.op.adds_terms else 0.0
    return np.asarray(np.minimum(terms, _MAX))  # an infinite sum of the sizes would allow every difference


def _same(x: _Raw, y: _Raw) -> bool:
    """Return whether two values are equal or both None. NaN counts as equal to NaN."""
    if x is None or y is None:
        return x is y
    if type(x) is type(y) is float:
        return x == y or (x != x and y != y)
    return np.shape(x) == np.shape(y) and np.array_equal(x, y, equal_nan=True)


def _called(node: Node) -> str:
    return notation.headline(node) or notation.quantity(node.raw)


def _quantity(x: _Raw) -> str:
    return "nothing" if x is None else repr(x) if isinstance(x, float) else notation.quantity(x, ".17g")
