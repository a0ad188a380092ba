"""Verifying a graph: each value against its op, each gradient against the contributions that arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.backward import as_gradient, compute
from tinygraph.engine.graph import Node, order, recomputed
from tinygraph.explaining import notation
from tinygraph.kernels.arrays import Array
from tinygraph.saving.format import GraphFileError

_Raw = float | Array | None
_ULPS = 8  # how far another machine's elementary functions may be from ours


def all_nodes(roots: Sequence[Node]) -> list[Node]:
    """All nodes, each after its operands."""
    found: dict[Node, None] = {}
    for root in roots:
        found.update(dict.fromkeys(reversed(order(root))))
    return list(found)


def wrong_gradient(root: Node, nodes: Sequence[Node]) -> tuple[Node, _Raw] | None:
    """The first node, from the root on, whose gradient is not that of a pass, with what it would be."""
    adjoints: dict[Node, Array] = {}
    compute(root, exhaust, propagate(root, root.grad, adjoints))
    for node in reversed(nodes):
        found = as_gradient(node, adjoints[node]) if node in adjoints else None
        if not _same(node.grad, found):
            return node, found
    return None


def check(nodes: Sequence[Node], name: str, root: Node | None = None) -> None:
    """Recompute every value and local derivative from its op; with a root, every gradient from its contributions.

    Raises GraphFileError at the first difference. Elementary functions of another machine may differ in their last
    digits: 8 units in the last place are allowed, and sums are compared in proportion to their absolute terms.
    """
    for i, node in enumerate(nodes):
        if node.op is None:
            continue
        try:
            fresh = recomputed(node)
        except (ValueError, TypeError, IndexError, MemoryError) as error:
            raise GraphFileError(f"{name}, node {i} ({_called(node)}) cannot be computed: {error}") from None
        if not _close(node.raw, fresh.raw, node):
            _fail(name, i, node, "data", node.raw, "its row computes", fresh.raw)
        for slot, (stored, local) in enumerate(zip(node.stored_partials, fresh.stored_partials, strict=True)):
            if stored is not None and stored is not True and not _close(stored, local):
                _fail(name, i, node, f"slope by operand {slot + 1}", stored, "its row computes", local)
    found = wrong_gradient(root, nodes) if root is not None and root.grad is not None else None
    if found is not None:
        node, gradient = found
        _fail(name, nodes.index(node), node, "grad", node.grad, "the contributions that arrive add up to", gradient)


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
    """The sum of the absolute terms that the op adds up; 0 if it adds nothing up."""
    terms = node.op.on(list(map(abs, node.numbers))) if node.op is not None and node.op.adds_terms else 0.0
    return np.asarray(terms)


def _same(x: _Raw, y: _Raw) -> bool:
    """The same bits, or both nothing."""
    if x is None or y is None:
        return x is y
    if type(x) is type(y) is float:
        return x == y or (x != x and y != y)
    return np.shape(x) == np.shape(y) and np.array_equal(x, y, equal_nan=True)


def _called(node: Node) -> str:
    return notation.headline(node) or notation.quantity(node.raw)


def _quantity(x: _Raw) -> str:
    return "nothing" if x is None else repr(x) if isinstance(x, float) else notation.quantity(x, ".17g")
