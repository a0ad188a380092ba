"""A graph as numbers: each node an entry, many additions one sum, and what was made in the same way one kind.

Chains of `+` and `-`, `total` and `dot` become signed sums of terms, whatever their order. Two entries are of
one kind if their ops and the kinds of their operands are the same, down to the leaves; leaves are of one kind
if they are used by the same kinds, and their names differ in numbers only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygraph.engine.graph import MANY, Node, check_fresh
from tinygraph.engine.op import Op
from tinygraph.engine.ops import add, dot, mul, neg, sub, total
from tinygraph.explaining.notation import stem

NONE = -1  # in place of an operand: there is none
MOST = 64  # kinds of leaves, and of names; if there are more, they are told apart less finely
Array = np.ndarray[Any, np.dtype[Any]]

_ADD, _SUB, _NEG, _MANY, _ROW = range(5)  # what an op is to a sum
_CODES: dict[Op | None, int] = {add: _ADD, sub: _SUB, neg: _NEG, total: _MANY, dot: _MANY}


class Flat:
    """A graph as arrays over its entries, operands before consumers.

    `nodes[i]` is the node of entry i: None for a plain number and for a product within a `dot`. `ops[i]` is its row
    (None for leaves and numbers), `x[i]` and `y[i]` are its operands, `data[i]` is its number. An entry with `sums[i]`
    is a sum: its terms are `terms[starts[i]:starts[i + 1]]`, with `signs`; its plain numbers add up to `added[i]` less
    `subtracted[i]`. One that is `within[i]` has become part of the sum `head[i]`, with the sign `turns[i]`.

    >>> from tinygraph import Value
    >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
    >>> flat = Flat(2.0 + a - b * c)
    >>> [(flat.data[i], sign) for i, sign in zip(flat.terms, flat.signs) if not flat.ops[i]]
    [(np.float64(1.0), np.int64(1))]
    """

    def __init__(self, root: Node) -> None:
        self._read(root)
        check_fresh(list(self.place))
        self._sum_up()

    def _read(self, root: Node) -> None:
        """One entry for each node, each plain number, and each product of a `dot`, in the order of recording.

        A walk that comes by each node twice, before its operands and after them, takes two thirds of the time
        of `graph.order` and reading along it.
        """
        entries: list[Node | None] = []
        ops: list[Op | None] = []
        x: list[int] = []
        y: list[int] = []
        many: list[int] = []  # sums of any number of operands: the sum, the operand, one after the other
        plain: dict[int, float] = {}
        place: dict[Node, int] = {}

        def append(node: Node | None, op: Op | None, a: int = NONE, b: int = NONE) -> int:
            entries.append(node)
            ops.append(op)
            x.append(a)
            y.append(b)
            return len(ops) - 1

        def entry(operand: Any) -> int:
            if isinstance(operand, Node):
                return place[operand]
            i = append(None, None)
            plain[i] = operand
            return i

        stack = [root]
        where = place.get
        while stack:
            node = stack[-1]
            op = node.op
            if op is None:
                stack.pop()
                if node not in place:
                    place[node] = append(node, None)
            elif node.y_partial is not MANY:
                a, b = node.x, node.y
                i = where(a) if isinstance(a, Node) else NONE
                j = where(b) if isinstance(b, Node) else NONE
                if i is None or j is None:
                    if j is None:
                        stack.append(b)
                    if i is None:
                        stack.append(a)
                    continue
                stack.pop()
                if node in place:
                    continue
                if i < 0:
                    i = entry(a)
                if j < 0 and b is not None:
                    j = entry(b)
                place[node] = len(ops)
                entries.append(node)
                ops.append(op)
                x.append(i)
                y.append(j)
            else:
                waiting = [operand for operand in node.x if isinstance(operand, Node) and operand not in place]
                if waiting:
                    stack += reversed(waiting)
                    continue
                stack.pop()
                if node in place:
                    continue
                operands = [entry(operand) for operand in node.x]
                if op is dot:
                    half = len(operands) // 2
                    pairs = zip(operands[:half], operands[half:], strict=True)
                    operands = [append(None, mul, a, b) for a, b in pairs]
                place[node] = i = append(node, op)
                for operand in operands:
                    many += (i, operand)
        data = np.array([node.raw if node is not None else 0.0 for node in entries])
        data[list(plain)] = list(plain.values())
        self.numbers = np.zeros(len(ops), bool)
        self.numbers[list(plain)] = True
        self.nodes, self.ops, self.place = entries, ops, place
        self.x, self.y, self.data = np.array(x), np.array(y), data
        self._many = np.array(many, dtype=int).reshape(-1, 2)

    def _sum_up(self) -> None:
        """Which entries are sums, which are within one, and what their terms are."""
        n = len(self.ops)
        code = np.array([_CODES.get(op, _ROW) for op in self.ops])
        consumer, operand, sign = self._additions(code)
        rows = np.flatnonzero(code == _ROW)
        used = np.concatenate([operand, self.x[rows], self.y[rows]])
        uses = np.bincount(used[used >= 0], minlength=n)
        into, signs = np.full(n, NONE), np.ones(n, int)
        into[operand], signs[operand] = consumer, sign
        within = (code != _ROW) & (uses == 1) & (into >= 0)
        for i in np.flatnonzero(within).tolist():
            node, above = self.nodes[i], self.nodes[into[i]]
            assert node is not None
            assert above is not None
            if node.metadata and (node.metadata.guards or (node.name and node.name != above.name)):
                within[i] = False
        for i in np.flatnonzero(code == _NEG)[::-1].tolist():  # one that is no term itself passes no terms on
            if not within[i]:
                within[self.x[i]] = False

        head = np.where(within, into, np.arange(n))
        signs[~within] = 1
        while True:  # each looks twice as far as before
            further = head[head]
            if np.array_equal(further, head):
                break
            signs, head = signs * signs[head], further
        ends = ~within[operand]
        owner, operand, sign = head[consumer[ends]], operand[ends], sign[ends] * signs[consumer[ends]]
        self.plain_pairs = (code <= _NEG) & ~within
        self.plain_pairs[head[within]] = False
        self.sums = (code != _ROW) & ~within & ~self.plain_pairs
        self.within, self.head, self.turns = within, head, signs

        plain = self.numbers[operand]
        self.added, self.subtracted = (
            np.bincount(owner[chosen], self.data[operand[chosen]], n)
            for chosen in (plain & (sign > 0), plain & (sign < 0))
        )
        owner, operand, sign = owner[~plain], operand[~plain], sign[~plain]
        by_owner = np.argsort(owner, kind="stable")
        self.terms, self.signs = operand[by_owner], sign[by_owner]
        self.starts = np.searchsorted(owner[by_owner], np.arange(n + 1))

    def _additions(self, code: Array) -> tuple[Array, Array, Array]:
        """The edges into additions, in the order of recording: consumer, operand, sign."""
        first = np.flatnonzero(code <= _NEG)
        second = np.flatnonzero(code <= _SUB)
        many = self._many
        consumer = np.concatenate([first, second, many[:, 0]])
        operand = np.concatenate([self.x[first], self.y[second], many[:, 1]])
        sign = np.ones(len(consumer), int)
        sign[: len(first)][code[first] == _NEG] = -1
        sign[len(first) : len(first) + len(second)][code[second] == _SUB] = -1
        recorded = np.argsort(consumer, kind="stable")
        return consumer[recorded], operand[recorded], sign[recorded]


# --- kinds ------------------------------------------------------------------------------------------


def kinds(flat: Flat, marks: Mapping[Node, Hashable] | None = None) -> Array:
    """The kind of each entry; NONE within a sum.

    Leaves with different `marks` are never of one kind. A plain `a + b` of one kind becomes a sum.

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
    return _from_below(flat, _by_use(flat, bases, found))


def _from_below(flat: Flat, leaf_kinds: Mapping[int, Hashable]) -> Array:
    """The kind of each entry, given those of the leaves: its op and the kinds of its operands."""
    known: dict[Hashable, int] = {None: 0}  # a plain number
    found: list[int] = []
    terms, signs, starts = flat.terms.tolist(), flat.signs.tolist(), flat.starts.tolist()
    summed = (flat.sums | flat.plain_pairs).tolist()
    kind_of, append = known.setdefault, found.append
    for i, (op, a, b, within) in enumerate(zip(flat.ops, flat.x.tolist(), flat.y.tolist(), flat.within.tolist())):  # noqa: B905
        if op is None:
            append(kind_of(leaf_kinds.get(i), len(known)))
        elif within:
            append(NONE)
        elif summed[i] and is_sum(flat, found, i):
            ends = range(starts[i], starts[i + 1])
            append(kind_of(frozenset([(signs[k], found[terms[k]]) for k in ends]), len(known)))
        else:
            append(kind_of((op, found[a], found[b] if b >= 0 else b, a == b), len(known)))
    return np.array(found)


def is_sum(flat: Flat, found: Sequence[int] | Array, i: int) -> bool:
    """Whether an entry is a sum: of many terms, or `a + b` of one kind."""
    if flat.sums[i]:
        return True
    a, b = flat.x[i], flat.y[i]
    return bool(flat.plain_pairs[i] and flat.ops[i] is add and found[a] == found[b] and not flat.numbers[a])


def _by_use(flat: Flat, bases: Mapping[int, Hashable], found: Array) -> dict[int, Hashable]:
    """Kinds of leaves: those used by the same kinds of entries; one that is used as some others are, joins them."""
    n = len(flat.ops)
    rows = np.flatnonzero((flat.x >= 0) & ~flat.within & ~flat.sums)
    pairs = rows[flat.y[rows] >= 0]
    owners = np.repeat(np.arange(n), np.diff(flat.starts))
    operand = np.concatenate([flat.x[rows], flat.y[pairs], flat.terms])
    consumer = np.concatenate([rows, pairs, owners])
    place = np.concatenate([np.zeros(len(rows), int), np.ones(len(pairs), int), 3 + flat.signs])
    leaf = np.zeros(n, bool)
    leaf[list(bases)] = True
    ends = leaf[operand]
    operand, consumer, place = operand[ends], consumer[ends], place[ends]
    ops = {op: i for i, op in enumerate(dict.fromkeys(flat.ops))}
    coarse = np.array([ops[op] for op in flat.ops])
    for colour in (found, coarse):
        codes = colour[consumer] * 8 + place
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
