"""The graph of Tensors, built from the groups of a scalar graph.

This file contains rules for general patterns, and no rules for a particular model. A sum of products along an axis
becomes a matrix product, and a sum that is divided by the number of its terms becomes a mean. Elements without a
pattern are selected by index.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Literal

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.engine.ops import div, mul
from tinygraph.support.progress import Progress
from tinygraph.tensor.indexing import scatter_add
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.shapes import transpose
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.kinds import SUM, Axis, Group, Part, Use, size
from tinygraph.vectorizing.rerolling import Roll
from tinygraph.vectorizing.views import (
    Operand,
    Views,
    aligned_shape,
    applied,
    expanded,
    is_transposed,
    reshaped,
    stored_shape,
    transposed,
)

Marks = Mapping[Node, Hashable]


class Rebuilding:
    """The groups of a `Roll`, recorded as Tensors.

    Args:
        roll: Groups of the scalar graph.
        marks: Marks of leaves.
        only: If true, only leaves with a mark get a gradient.
        progress: Reports one part: each group is recorded.

    Attributes:
        built: The array of each group.
        leaves: The leaves by name.
        ids: The entries of each leaf, by the leaf's name.
        inside: The operation that contains a group, such as "a mean", for each group that does not become an array.
    """

    def __init__(self, roll: Roll, marks: Marks, only: bool, progress: Progress) -> None:
        self.roll = roll
        self.views = Views(roll)
        self.built = self.views.built
        self.inside: dict[Group, str] = {}
        self.leaves: dict[str, Tensor] = {}
        self.ids: dict[str, Array] = {}
        self._marks, self._only = marks, only  # `only` means that only leaves with a mark get a gradient
        self._mean_of: dict[Group, Group] = {}  # the sum of each group that is a mean
        self._asked: Counter[str] = Counter()  # how often each leaf name was requested
        for group in roll.groups:
            self._plan(group)
        for group in progress.during(roll.groups, size):
            if group not in self.inside:
                built = self._build(group)
                if isinstance(built, Tensor) and (name := roll.name(group)):
                    built.name = name
                self.built[group] = built

    def _plan(self, group: Group) -> None:
        """Find products that become part of a matrix product, and sums that become part of a mean."""
        for part in group.parts:
            if self._contraction(group, part):
                self.inside[part.source] = "a matrix product"
        if (group.op is div or group.op is mul) and (summed := self._counted(group)) is not None:
            self._mean_of[group] = summed
            self.inside[summed] = "a mean"

    def _build(self, group: Group) -> Operand:
        op = group.op
        if not isinstance(op, Op):
            return self._sum(group) if op == SUM else self._leaf(group)
        if group in self._mean_of:
            summed = self._mean_of[group]
            return expanded(self._reduced(summed, summed.parts[0], "mean"), stored_shape(group.axes))
        result: Operand = op(*[self._operand(group, slot) for slot in range(op.arity)])
        return expanded(result, stored_shape(group.axes)) if group.axes else result

    def _operand(self, group: Group, slot: int) -> Operand:
        source = self.roll.source(group, slot)
        if source.single and source.op is not None:
            return self.built[source]
        if group.single and source.op is None:  # as `view`, without NumPy calls
            return float(self.roll.flat.data[self.roll.operand(group, slot)])
        use = self.roll.use(group, slot)
        return self.views.view(source, use, aligned_shape(use.axes, group.axes))

    def _leaf(self, group: Group) -> Tensor:
        node = self.roll.node(group.ids.flat[0])
        data = self.roll.flat.data[group.ids].reshape(stored_shape(group.axes))
        leaf = Tensor(data, constant=node.constant or (self._only and node not in self._marks))
        name = self.roll.name(group)
        unique, name = (name, name) if name else ("p1", "p")
        while unique in self.leaves:
            self._asked[name] += 1
            unique = f"{name}{self._asked[name]}"
        leaf.name = unique
        self.leaves[unique] = leaf
        self.ids[unique] = group.ids
        return leaf

    # --- sums

    def _sum(self, group: Group) -> Operand:
        shape = stored_shape(group.axes)
        terms: list[tuple[int, Operand]] = []
        for part in sorted(group.parts, key=lambda part: -len(part.axes)):
            term = self._product(group, part) if part.source in self.inside else self._reduced(group, part, "sum")
            terms.append((part.sign, term))
        for sign, totals in ((1, self.roll.flat.added), (-1, self.roll.flat.subtracted)):
            if group.single:  # as below, without NumPy calls
                terms += [(sign, totals.item(group.first))] * bool(totals.item(group.first))
            elif (numbers := totals[group.ids]).any():
                same = np.array_equal(numbers, np.full_like(numbers, numbers.flat[0]), equal_nan=True)
                terms.append((sign, float(numbers.flat[0]) if same else self.views.constant(numbers.reshape(shape))))
        terms.sort(key=lambda term: -term[0])  # terms that are added come first
        sign, out = terms[0]
        out = -out if sign < 0 else out
        for sign, term in terms[1:]:
            out = out + term if sign > 0 else out - term
        if len(terms) == 1 and (is_transposed(out) or any(out is self.built.get(part.source) for part in group.parts)):
            out = out + 0.0  # a separate node for a sum of one term, which `transposed` would otherwise skip
        return expanded(out, shape)

    def _reduced(self, group: Group, part: Part, how: Literal["sum", "mean"]) -> Operand:
        """Return the sum or the mean of a part of the terms."""
        if part.owners is not None:
            return self._scattered(group, part)
        if group.single and not part.axes and part.source.single:  # as `view`, without NumPy calls
            return self.built[part.source]
        use = self.roll.use(group, part)
        if not part.axes:
            return self.views.view(part.source, use, aligned_shape(use.axes, group.axes))
        axes = [*part.axes, *group.axes]
        missing = math.prod(a.size for a in part.axes if a not in use.axes)  # how often the same term is repeated
        summed = [a for a in part.axes if a in use.axes]
        kept = [a for a in group.axes if a in use.axes]
        order = [a for a in axes if a in use.axes]
        shape = stored_shape(order) if summed else aligned_shape(use.axes, group.axes)
        full = self.views.view(part.source, use, shape)
        if summed:
            array = full if isinstance(full, Tensor) else np.asarray(full)
            reduce = getattr(array, how)
            if kept:
                target = aligned_shape(kept, group.axes)
                keep = array.ndim == 2 and target == (1, array.shape[1])
                axis = tuple(range(len(summed))) if len(summed) > 1 else 0
                full = reshaped(reduce(axis=axis, keepdims=keep), target)
            else:
                full = reduce()
        return full * float(missing) if missing > 1 and how == "sum" else full

    def _scattered(self, group: Group, part: Part) -> Operand:
        """Return sums with different numbers of terms. Each term is added at the position of its sum."""
        assert part.owners is not None
        members = group.members
        where = self.roll.position(group, members)[part.owners]
        terms = self.views.view(part.source, Use([Axis(len(part.table))], part.table), (len(part.table),))
        self.views.gathered.append(f"{self.roll.title(group)}: sums with different numbers of terms")
        added = applied(scatter_add(where, (len(members),)), expanded(terms, (len(part.table),)))
        return reshaped(added, stored_shape(group.axes))

    def _contraction(self, group: Group, part: Part) -> bool:
        """Return whether the terms of the part are products whose factors share exactly the summed axes."""
        source = part.source
        if source.op is not mul or len(source.uses) != 1 or not part.axes or not group.axes:
            return False
        if any(map(_is_landmark, self.roll.nodes(source))):
            return False
        if [*part.axes, *group.axes] != source.axes:
            return False
        left, right = (set(map(id, self.roll.use(source, slot).axes)) for slot in (0, 1))
        summed, kept = set(map(id, part.axes)), set(map(id, group.axes))
        return left & right == summed and left | right == summed | kept

    def _product(self, group: Group, part: Part) -> Operand:
        """Return sums of products as a matrix product. The factor with the first axes of the result is on the left."""
        source = part.source
        factors = [(slot, self.roll.use(source, slot)) for slot in (0, 1)]
        summed = part.axes
        if group.axes[0] in factors[1][1].axes and (
            group.axes[0] not in factors[0][1].axes or len(factors[0][1].axes) == len(summed)
        ):
            factors.reverse()
        if len(group.axes) == 1 and group.axes[0].outermost != (factors[0][1].axes == summed):
            factors.reverse()
        matrices: list[Operand] = []
        kept: list[Axis] = []
        for turn, (slot, use) in enumerate(factors):
            own = [a for a in use.axes if a not in summed]
            natural = [a for a in [*summed, *group.axes] if a in use.axes]  # the order of the product's axes
            full = self.views.view(self.roll.source(source, slot), use, stored_shape(natural))
            rows, columns = math.prod(a.size for a in summed), math.prod(a.size for a in own)
            full = reshaped(full, (rows, columns))
            matrices.append(transposed(full) if turn == 0 else full)
            kept += own
        out = applied(matmul, *matrices)
        if kept != group.axes:
            out = reshaped(out, tuple(a.size for a in kept))
            out = applied(transpose(tuple(kept.index(a) for a in group.axes)), out)
        return reshaped(out, stored_shape(group.axes))

    def _counted(self, group: Group) -> Group | None:
        """Return the sum that a division, or a product, divides by the number of its terms, or None."""
        sources = self.roll.source(group, 0), self.roll.source(group, 1)
        for slot in (0, 1) if group.op is mul else (0,):
            summed, number = sources[slot], sources[1 - slot]
            if summed.op != SUM or number.op is not None or len(summed.parts) != 1 or len(summed.uses) != 1:
                continue
            (part,) = summed.parts
            count = math.prod(a.size for a in part.axes)
            divisor = self.roll.use(group, 1 - slot).ids
            is_count = divisor.size == 1 and self.roll.flat.data[divisor.flat[0]] == (
                count if group.op is div else 1.0 / count
            )
            if is_count and summed.axes == group.axes and self._is_plain_sum(summed, part):
                return summed
        return None

    def _is_plain_sum(self, summed: Group, part: Part) -> bool:
        """Return whether the sums consist only of the terms of this part and have no names or comparisons."""
        return (
            bool(part.axes)
            and part.sign > 0
            and not self.roll.flat.added[summed.members].any()
            and not self.roll.flat.subtracted[summed.members].any()
            and not any(map(_is_landmark, self.roll.nodes(summed)))
            and part.source not in self.inside
            and set(map(id, part.axes)) <= set(map(id, self.roll.use(summed, part).axes))
        )


def _is_landmark(node: Node | None) -> bool:
    """Return whether the node must keep its own element, because it has a name or took part in a comparison."""
    return node is not None and node.metadata is not None and bool(node.metadata.name or node.metadata.guards)
