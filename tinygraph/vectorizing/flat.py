"""A graph of Values, stored in arrays. Each node is one entry, and a chain of additions is one sum.

Chains of `+` and `-`, as well as `total` and `dot`, become signed sums, whose terms can be in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine.graph import MANY, Node, check_fresh
from tinygraph.engine.op import Op
from tinygraph.engine.ops import mul

NONE = -1  # marks an operand that does not exist
Array = np.ndarray[Any, np.dtype[Any]]

_ADD, _SUB, _NEG, _MANY, _OTHER = range(5)  # the role of an op in a sum
_ROLES = {(1.0, 1.0): _ADD, (1.0, -1.0): _SUB, (-1.0,): _NEG}  # local derivatives of a linear op -> role


@lru_cache(maxsize=1024)
def _role(op: Op | None) -> int:
    """Return the role of an op in a sum."""
    if op is None or not (op.linear or op.variadic):
        return _OTHER
    zeros, wanted = (0.0,) * op.arity, [True] * op.arity
    return _MANY if op.variadic else _ROLES.get(op.partials_at(0.0, zeros, wanted), _OTHER)


class _Entries:
    """The entries of a graph: one for each node, each plain number, and each product in a `dot`."""

    def __init__(self) -> None:
        self.nodes: list[Node | None] = []
        self.ops: list[Op | None] = []
        self.x: list[int] = []
        self.y: list[int] = []
        self.terms: list[int] = []  # flattened pairs (sum, operand) of variadic sums
        self.numbers: dict[int, float] = {}
        self.place: dict[Node, int] = {}

    def read(self, root: Node) -> None:
        """Append the entries of a graph in the order of recording.

        This traversal visits each node twice: before and after its operands. It takes two thirds of the time that
        `graph.order` and a second loop over the nodes would take.
        """
        nodes, ops, xs, ys, place = self.nodes, self.ops, self.x, self.y, self.place
        stack = [root]
        where = place.get
        while stack:
            node = stack[-1]
            op = node.op
            if op is None:
                stack.pop()
                if node not in place:
                    place[node] = self._append(node, None)
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
                    i = self._entry(a)
                if j < 0 and b is not None:
                    j = self._entry(b)
                place[node] = len(ops)
                nodes.append(node)
                ops.append(op)
                xs.append(i)
                ys.append(j)
            elif waiting := [x for x in node.x if isinstance(x, Node) and x not in place]:
                stack += reversed(waiting)
            else:
                stack.pop()
                if node not in place:
                    self._append_sum(node)

    def _append(self, node: Node | None, op: Op | None, a: int = NONE, b: int = NONE) -> int:
        self.nodes.append(node)
        self.ops.append(op)
        self.x.append(a)
        self.y.append(b)
        return len(self.ops) - 1

    def _append_sum(self, node: Node) -> None:
        """Append a node with any number of operands."""
        operands = [self._entry(operand) for operand in node.args]
        if node.op is not None and node.op.arity == 2:  # dot product
            half = len(operands) // 2
            pairs = zip(operands[:half], operands[half:], strict=True)
            operands = [self._append(None, mul, a, b) for a, b in pairs]
        self.place[node] = i = self._append(node, node.op)
        for operand in operands:
            self.terms += (i, operand)

    def _entry(self, operand: Node | float) -> int:
        if isinstance(operand, Node):
            return self.place[operand]
        i = self._append(None, None)
        self.numbers[i] = operand
        return i


class Flat:
    """A graph, stored in arrays that are indexed by entry. Operands come before consumers.

    Args:
        root: Root of the graph.
        beside: Nodes outside the graph. The entries of their graphs come first.

    Attributes:
        nodes: The node of each entry, or None for a plain number or a product within a `dot`.
        ops: The op of each entry, or None for a leaf or a number.
        x: The first operand of each entry.
        y: The second operand of each entry.
        data: The value of each entry.
        sums: True for each entry that is a sum.
        pairs: True for each other entry `a + b` in which a is a node.
        terms: The terms of all sums. The terms of entry i are `terms[starts[i]:starts[i + 1]]`.
        signs: The sign of each term.
        added: For each sum, the total of the plain numbers that are added.
        subtracted: For each sum, the total of the plain numbers that are subtracted.
        within: True for each entry that is part of a larger sum.
        head: The sum to which each entry belongs.
        turns: The sign of each entry in the sum to which it belongs.

    Examples:
        >>> from tinygraph import Value
        >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
        >>> flat = Flat(2.0 + a - b * c)
        >>> [(flat.data[i], sign) for i, sign in zip(flat.terms, flat.signs) if not flat.ops[i]]
        [(np.float64(1.0), np.int64(1))]
    """

    def __init__(self, root: Node, beside: Sequence[Node] = ()) -> None:
        self._read([*beside, root])
        check_fresh(list(self.place))
        self._sum_up()

    def _read(self, roots: Sequence[Node]) -> None:
        entries = _Entries()
        for root in roots:
            entries.read(root)
        self.nodes, self.ops, self.place = entries.nodes, entries.ops, entries.place
        self.x, self.y = np.array(entries.x), np.array(entries.y)
        plain = list(entries.numbers)
        self.data = np.array([node.raw if node is not None else 0.0 for node in self.nodes])
        self.data[plain] = list(entries.numbers.values())
        self.numbers = np.zeros(len(self.ops), bool)
        self.numbers[plain] = True
        self._many = np.array(entries.terms, dtype=int).reshape(-1, 2)

    def _sum_up(self) -> None:
        """Find the sums, the entries that are part of a sum, and the terms of each sum."""
        n = len(self.ops)
        code = np.array([_role(op) for op in self.ops])
        consumer, operand, sign = self._additions(code)
        others = np.flatnonzero(code == _OTHER)
        used = np.concatenate([operand, self.x[others], self.y[others]])
        uses = np.bincount(used[used >= 0], minlength=n)
        into, signs = np.full(n, NONE), np.ones(n, int)
        into[operand], signs[operand] = consumer, sign
        within = (code != _OTHER) & (uses == 1) & (into >= 0)
        for i in np.flatnonzero(within).tolist():
            node, above = self.nodes[i], self.nodes[into[i]]
            assert node is not None
            assert above is not None
            if node.metadata and (node.metadata.guards or (node.name and node.name != above.name)):
                within[i] = False
        for i in np.flatnonzero(code == _NEG)[::-1].tolist():  # a negation outside a sum keeps its operand outside
            if not within[i]:
                within[self.x[i]] = False

        head = np.where(within, into, np.arange(n))
        signs[~within] = 1
        while True:  # each iteration doubles the distance between an entry and its head
            further = head[head]
            if np.array_equal(further, head):
                break
            signs, head = signs * signs[head], further
        self.within, self.head, self.turns = within, head, signs
        alone = (code <= _NEG) & ~within
        alone[head[within]] = False
        self.sums = (code != _OTHER) & ~within & ~alone
        self.pairs = (code == _ADD) & alone & ~self.numbers[self.x]
        ends = ~within[operand]
        self._collect_terms(head[consumer[ends]], operand[ends], sign[ends] * signs[consumer[ends]])

    def _collect_terms(self, owner: Array, operand: Array, sign: Array) -> None:
        """Sort the terms by the sums that contain them, and add up plain numbers."""
        n = len(self.ops)
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
        """Return arrays of the consumer, operand and sign of each edge into an addition, in the order of recording."""
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
