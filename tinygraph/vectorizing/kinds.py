"""Kinds of entries, and the groups that entries of one kind form.

Two entries are of the same kind if their ops and the kinds of their operands are the same, down to the leaves. Leaves
are of the same kind if they are used by entries of the same kinds, and if their names are the same apart from numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining.notation import stem
from tinygraph.vectorizing.flat import NONE, Array, Flat

MOST = 64  # maximum number of kinds of leaves or names; with more, the kinds are coarser
LEAF = "leaf"
SUM = "sum"
_WITHIN, _SUM, _PAIR, _OP = range(4)  # how an entry gets its kind


@dataclass(eq=False, repr=False)
class Axis:
    """An axis of arrays. As in the lecture, the `outermost` axis (the examples) indexes columns. Other axes index rows.

    Attributes:
        size: Length of the axis.
        outermost: True if the axis indexes the examples.
        summed: True if the axis indexes terms of sums, which can be reordered.
    """

    size: int
    outermost: bool = False
    summed: bool = False  # the axis indexes terms of sums, which can be reordered


@dataclass(eq=False, repr=False)
class Part:
    """Those terms of a group's sums that come from the same source group and have the same sign.

    Attributes:
        sign: 1 or -1.
        source: The group of the terms.
        table: If all sums have the same number of terms, `table[k]` contains the terms of sum k, arranged along `axes`.
            Otherwise, `table` is a list of all terms.
        axes: The axes of the terms.
        owners: If `table` is a list of terms, the sum to which each term belongs. Otherwise None.
    """

    sign: int
    source: Group
    table: Array
    axes: list[Axis] = field(default_factory=list)
    owners: Array | None = None


Slot = int | Part  # how a group uses another group: as operand 0 or 1, or as a part of its terms


class Group:
    """Entries of one kind, which become one array. A graph without structure has nearly as many groups as nodes.

    Args:
        op: The op of the entries, or SUM for sums, LEAF for leaves, and None for plain numbers.
        members: The entries.

    Attributes:
        axes: The axes of the array.
        ids: The entries, arranged along the axes.
        parts: For sums, the parts into which their terms are divided.
        uses: Pairs (group, slot): a group that uses this group, and the slot that this group fills. The list stays
            empty for a single entry that is not a sum, because nothing depends on its uses.
        first: The first entry.
        single: True if there is only one entry.
    """

    __slots__ = ("axes", "first", "ids", "members", "op", "parts", "single", "uses")

    def __init__(self, op: Op | str | None, members: Array) -> None:
        self.op, self.members = op, members
        self.first: int = members.item(0)
        self.single = len(members) == 1
        self.ids = members.reshape(()) if self.single else members
        self.axes: list[Axis] = []
        self.parts: list[Part] = []
        self.uses: list[tuple[Group, Slot]] = []


def size(group: Group) -> int:
    """Return the number of entries in a group.

    Args:
        group: Group.

    Returns:
        The number.
    """
    return len(group.members)


@dataclass(eq=False, repr=False)
class Use:
    """The entries of one group that are used by another group, the consumer.

    Attributes:
        axes: The axes on which the entries depend. Each is an axis of the consumer or of its terms.
        ids: The entries, arranged along these axes.
    """

    axes: list[Axis]
    ids: Array


def kinds(flat: Flat, marks: Mapping[Node, Hashable] | None = None) -> Array:
    """Return the kind of each entry, or NONE for an entry within a sum.

    A plain `a + b` becomes a sum if both operands are of the same kind.

    Args:
        flat: Flat graph.
        marks: Marks of leaves. Leaves with different marks never have the same kind.

    Returns:
        An array of integers, one per entry.

    Examples:
        >>> from tinygraph import Value
        >>> w, xs = Value(2.0, "w"), [Value(float(i), f"x{i}") for i in range(3)]
        >>> flat = Flat((w * xs[0]).exp() + (w * xs[1]).exp() + (w * xs[2]).exp())
        >>> found = kinds(flat)
        >>> len(set(found[~flat.within].tolist()))  # w, all x, products, exps, their sum
        5
    """
    leaves = {i: node for i, node in enumerate(flat.nodes) if node is not None and node.op is None}
    stems = {i: stem(node.name) for i, node in leaves.items()}
    if len(set(stems.values())) > MOST:
        stems = dict.fromkeys(leaves, "")
    bases = {i: (node.constant, stems[i], marks.get(node) if marks else None) for i, node in leaves.items()}
    found = _from_below(flat, bases)
    finer = _by_use(flat, bases, found)
    if len(set(finer.values())) == len(set(bases.values())):  # the same classes of leaves give the same kinds again
        return found
    return _from_below(flat, finer)


def _from_below(flat: Flat, leaf_kinds: Mapping[int, Hashable]) -> Array:
    """Return the kind of each entry, from its op and the kinds of its operands. The kinds of leaves are given."""
    known: dict[Hashable, int] = {None: 0}  # a plain number
    found: list[int] = []
    terms, signs, starts = flat.terms.tolist(), flat.signs.tolist(), flat.starts.tolist()
    kind_of, append = known.setdefault, found.append
    ways = np.select([flat.within, flat.sums, flat.pairs], [_WITHIN, _SUM, _PAIR], _OP).tolist()
    for i, (op, a, b, way) in enumerate(zip(flat.ops, flat.x.tolist(), flat.y.tolist(), ways)):  # noqa: B905
        if op is None:
            append(kind_of(leaf_kinds.get(i), len(known)))
        elif way == _WITHIN:
            append(NONE)
        elif way == _SUM or (way == _PAIR and found[a] == found[b]):  # as in `sums`
            ends = range(starts[i], starts[i + 1])
            append(kind_of(frozenset([(signs[k], found[terms[k]]) for k in ends]), len(known)))
        else:
            append(kind_of((op, found[a], found[b] if b >= 0 else b, a == b), len(known)))
    return np.array(found)


def sums(flat: Flat, found: Array) -> Array:
    """Return which entries are a sum of many terms, or `a + b` with operands of the same kind.

    Args:
        flat: Flat graph.
        found: Kind of each entry.

    Returns:
        An array of booleans, one per entry.
    """
    summed: Array = flat.sums | (flat.pairs & (found[flat.x] == found[flat.y]))
    return summed


def _by_use(flat: Flat, bases: Mapping[int, Hashable], found: Array) -> dict[int, Hashable]:
    """Return a dict from leaves to kinds, based on the kinds of the entries that use each leaf.

    Leaves whose uses are a subset of the uses of a larger kind join that kind.
    """
    n = len(flat.ops)
    users = np.flatnonzero((flat.x >= 0) & ~flat.within & ~flat.sums)
    pairs = users[flat.y[users] >= 0]
    owners = np.repeat(np.arange(n), np.diff(flat.starts))
    operand = np.concatenate([flat.x[users], flat.y[pairs], flat.terms])
    consumer = np.concatenate([users, pairs, owners])
    place = np.concatenate([np.zeros(len(users), int), np.ones(len(pairs), int), 3 + flat.signs])
    leaf = np.zeros(n, bool)
    leaf[list(bases)] = True
    ends = leaf[operand]
    operand, consumer, place = operand[ends], consumer[ends], place[ends]
    ops = {op: i for i, op in enumerate(dict.fromkeys(flat.ops))}
    coarse = np.array([ops[op] for op in flat.ops])
    for coarseness in (found, coarse):
        codes = coarseness[consumer] * 8 + place
        width = int(codes.max(initial=0)) + 1
        uses: dict[int, list[int]] = {i: [] for i in bases}
        for code in np.unique(operand * width + codes).tolist():
            uses[code // width].append(code % width)
        classes: dict[tuple[Hashable, frozenset[int]], list[int]] = {}
        for i, used in uses.items():
            classes.setdefault((bases[i], frozenset(used)), []).append(i)
        if len(classes) <= MOST:
            break
    else:
        return dict(bases)
    result: dict[int, Hashable] = {}
    for key, members in classes.items():
        wider = [
            other
            for other in classes
            if other[0] == key[0] and key[1] < other[1] and len(classes[other]) > len(members)
        ]
        joined = max(wider, key=lambda other: len(classes[other])) if wider else key
        result.update(dict.fromkeys(members, joined))
    return result
