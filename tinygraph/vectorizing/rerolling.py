"""Loop rerolling: each group of scalar nodes becomes an array with axes, in which each node gets a position.

The algorithm works from the root to the leaves. The terms of a sum become a new axis of the group that is summed. An
operand has the axes of the op that uses it, except axes along which the operand is always the same node. So the
examples of a loop become the columns of an array, and weights that all examples share do not have the axis of the
examples.
"""

from __future__ import annotations

import graphlib
import itertools
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining.notation import shared_name
from tinygraph.support.progress import Progress
from tinygraph.vectorizing.flat import NONE, Array, Flat
from tinygraph.vectorizing.kinds import LEAF, SUM, Axis, Group, Part, Slot, Use, kinds, size, sums


class Roll:
    """The groups of a flat graph, operands first, each with its axes.

    Args:
        flat: Flat graph.
        marks: Marks of leaves. Leaves with different marks are in different groups.
        progress: Reports two parts: the groups are found, and each group gets its axes. Defaults to no reports.

    Attributes:
        groups: The groups, operands first.
        apart: The groups that were split, each with its number of parts.
    """

    def __init__(
        self, flat: Flat, marks: Mapping[Node, Hashable] | None = None, progress: Progress | None = None
    ) -> None:
        self.flat, progress = flat, progress or Progress()
        self.apart: list[tuple[Group, int]] = []  # groups that were split, each with its number of parts
        # An element of a list is read faster than an element of an array.
        self._operands: tuple[list[int], list[int]] = flat.x.tolist(), flat.y.tolist()
        self._position = np.zeros(len(flat.ops), int)
        self._gather(kinds(flat, marks))
        progress.end_part()
        self.groups: list[Group] = []
        # Each member was recorded after its operands in other groups, so the first members determine the groups' order.
        waiting = sorted(self._first, key=lambda group: -group.first)
        for group in progress.during(waiting, size):
            self.groups += self._lay_out(group)
        self.groups.reverse()

    def group(self, i: int) -> Group | None:
        """Return the group of an entry.

        Args:
            i: Entry.

        Returns:
            The group, or None for an entry within a sum.
        """
        return self._first[self._group_of[i]] if self._group_of[i] != NONE else None

    def position(self, group: Group, ids: Array) -> Array:
        """Return the positions of entries in the flattened array of their group.

        Args:
            group: Group of the entries.
            ids: Entries.

        Returns:
            An array of positions, with the shape of `ids`.
        """
        self._position[group.ids.ravel()] = np.arange(group.ids.size)
        return self._position[ids]

    def node(self, i: int) -> Node:
        """Return the node of an entry.

        Args:
            i: Entry that has a node.

        Returns:
            The node.
        """
        node = self.flat.nodes[i]
        assert node is not None
        return node

    def nodes(self, group: Group) -> list[Node | None]:
        """Return the nodes of a group.

        Args:
            group: Group.

        Returns:
            The nodes in the order of the entries, with None for each entry without a node.
        """
        return [self.flat.nodes[i] for i in group.members.tolist()]

    def name(self, group: Group) -> str:
        """Return the name that all nodes of a group share, apart from numbers in the name.

        Args:
            group: Group.

        Returns:
            The name, or "" if the names differ.
        """
        if group.single:
            node = self.flat.nodes[group.first]
            return node.name if node is not None else ""
        return shared_name(node.name if node is not None else "" for node in self.nodes(group))

    def title(self, group: Group) -> str:
        """Return the title of a group in a report.

        Args:
            group: Group.

        Returns:
            The name of the group, or the name of its op.
        """
        op = group.op
        return self.name(group) or (op.name if isinstance(op, Op) else "Σ" if op == SUM else "leaves")

    def source(self, group: Group, slot: Slot) -> Group:
        """Return the group that another group uses in one of its slots.

        Args:
            group: Group that uses the other group.
            slot: Operand 0 or 1, or a part of the terms.

        Returns:
            The group that is used.
        """
        return slot.source if isinstance(slot, Part) else self._groups[self._operands[slot][group.first]]

    def operand(self, group: Group, slot: int) -> int:
        """Return the entry that the first entry of a group uses as an operand.

        Args:
            group: Group.
            slot: Operand 0 or 1.

        Returns:
            The entry.
        """
        return self._operands[slot][group.first]

    def use(self, group: Group, slot: Slot) -> Use:
        """Return the entries that a group uses.

        Args:
            group: Group that uses the entries.
            slot: Operand 0 or 1, or a part of the terms.

        Returns:
            The entries, along the axes on which they depend.
        """
        if group.single and not isinstance(slot, Part):
            return Use([], np.array(self.operand(group, slot)))
        if not isinstance(slot, Part):
            axes, ids = list(group.axes), np.asarray((self.flat.x, self.flat.y)[slot][group.ids])
        elif slot.owners is not None:
            axes, ids = [Axis(len(slot.table))], slot.table
        else:
            self._position[group.members] = np.arange(len(group.members))
            ids = slot.table[self._position[group.ids]]
            count = len(group.axes)
            ids = ids.transpose((*range(count, ids.ndim), *range(count)))
            axes = [*slot.axes, *group.axes]
        return self._reduced(axes, ids)

    def _reduced(self, axes: list[Axis], ids: Array) -> Use:
        """Return a `Use` without axes along which the entry, or its plain number, is always the same."""
        if not axes:
            return Use(axes, ids)
        compared = ids
        if ids.size and self.flat.numbers[ids.flat[0]]:
            compared = self.flat.data[ids].view(np.int64)  # as bits: NaN equals NaN, and 0.0 differs from -0.0
        kept: list[Axis] = []
        for axis in axes:
            where = len(kept)
            if compared.shape[where] > 1 and (compared == compared.take([0], where)).all():
                ids, compared = ids.take(0, where), compared.take(0, where)
            else:
                kept.append(axis)
        return Use(kept, ids)

    # --- groups

    def _gather(self, found: Array) -> None:
        """Create one group per kind of entry, and find the parts of sums."""
        flat = self.flat
        inside = np.flatnonzero(found != NONE)
        inside = inside[np.argsort(found[inside], kind="stable")]
        ends = (np.flatnonzero(np.diff(found[inside])) + 1).tolist()
        self._first: list[Group] = []
        numbers, summed = flat.numbers.tolist(), sums(flat, found).tolist()
        for start, end in itertools.pairwise([0, *ends, len(inside)]):
            members = inside[start:end]
            i = members.item(0)
            op = SUM if summed[i] else flat.ops[i]
            self._first.append(Group(LEAF if op is None and not numbers[i] else op, members))
        self._group_of = np.full(len(flat.ops), NONE)
        self._group_of[inside] = np.repeat(np.arange(len(self._first)), np.diff([0, *ends, len(inside)]))
        self._groups = [self._first[k] for k in self._group_of.tolist()]  # is read faster
        for group in self._first:
            if group.op == SUM:
                self._find_parts(group)
            self._link(group, +1)

    def _link(self, group: Group, change: int) -> None:
        """Register this group with the groups that it uses, or remove the registration."""
        slots: Sequence[Slot] = group.parts or (range(group.op.arity) if isinstance(group.op, Op) else ())
        for slot in slots:
            source = self.source(group, slot)
            if not source.single or source.op == SUM:
                source.uses.append((group, slot)) if change > 0 else source.uses.remove((group, slot))

    def _find_parts(self, group: Group) -> None:
        """Divide the terms of a group's sums into parts, by sign and source."""
        group.parts += self._parts_of_one(group) if group.single else self._parts_of_many(group)

    def _parts_of_one(self, group: Group) -> list[Part]:
        """Return the parts of a single sum. NumPy is not used, because its calls would take 100 µs in total."""
        flat = self.flat
        terms_of: dict[tuple[Group, int], list[int]] = {}
        i = group.first
        for k in range(flat.starts.item(i), flat.starts.item(i + 1)):
            term = flat.terms.item(k)
            terms_of.setdefault((self._groups[term], flat.signs.item(k)), []).append(term)
        parts = []
        for (source, sign), listed in terms_of.items():
            several = len(listed) > 1
            axes = [Axis(len(listed), summed=True)] if several else []
            parts.append(Part(sign, source, np.array([listed] if several else listed), axes))
        return parts

    def _parts_of_many(self, group: Group) -> list[Part]:
        """Return the parts of several sums at once."""
        flat, parts = self.flat, []
        counts = flat.starts[group.members + 1] - flat.starts[group.members]
        owners = np.repeat(np.arange(len(group.members)), counts)
        first = np.repeat(flat.starts[group.members] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        edges = first + np.arange(len(owners))
        terms, signs = flat.terms[edges], flat.signs[edges]
        codes = self._group_of[terms] * 2 + (signs > 0)
        _, seen = np.unique(codes, return_index=True)
        for k in np.sort(seen):
            chosen = codes == codes[k]
            table, whose = terms[chosen], owners[chosen]
            sign, source = int(signs[k]), self._first[self._group_of[terms[k]]]
            each = np.bincount(whose, minlength=len(group.members))
            part = Part(sign, source, table)
            if (each == each[0]).all():
                if each[0] > 1:
                    part.axes = [Axis(int(each[0]), summed=True)]
                    part.table = table.reshape(len(group.members), each[0])
            else:
                part.owners = whose
            parts.append(part)
        return parts

    # --- axes

    def _lay_out(self, group: Group) -> list[Group]:
        """Return the group with its axes, or several groups if its entries are used separately."""
        if group.op is None:
            return []
        if group.single:
            self._name_axes(group)
            return [group]
        uses = [(user, slot, self.use(user, slot)) for user, slot in group.uses]
        parts = self._disjoint(group, [use.ids for _, _, use in uses])
        if parts:
            return self._taken_apart(group, parts, uses)
        while True:
            whole = [entry for entry in uses if self._covers(group, entry[2].ids)]
            if whole:
                _, _, best = max(whole, key=lambda entry: (len(entry[2].axes), len(entry[0].axes)))
                group.axes, group.ids = best.axes, best.ids
                self._adopt(group, [use for _, _, use in whole if use is not best])
                break
            if not any(self._split(axis, use) for _, _, use in uses for axis in use.axes):
                group.ids = self._in_order(group, [use.ids.ravel() for _, _, use in uses])
                group.axes = [Axis(len(group.ids), outermost=True)]
                break
            uses = [(user, slot, self.use(user, slot)) for user, slot in group.uses]
        self._name_axes(group)
        return [group]

    def _name_axes(self, group: Group) -> None:
        """Mark the axis of the terms of a scalar sum as the axis of the examples."""
        for part in group.parts:
            for axis in part.axes:
                axis.outermost = not group.axes

    def _covers(self, group: Group, ids: Array) -> bool:
        """Return whether each member of the group occurs exactly once among the entries."""
        return ids.size == len(group.members) and np.unique(ids).size == ids.size

    def _disjoint(self, group: Group, uses: list[Array]) -> list[Array]:
        """Return the distinct sets of members that are used, or [] if two sets overlap or one contains all members."""
        parts: list[Array] = []
        owner = self._position
        owner[group.members] = NONE
        for ids in uses:
            taken = np.unique(ids) if ids.size > 1 else ids.ravel()
            first = int(owner[taken[0]])
            if len(taken) == len(group.members) or (owner[taken] != first).any():
                return []
            if first == NONE:
                owner[taken] = len(parts)
                parts.append(taken)
            elif len(parts[first]) != len(taken):
                return []
        return parts

    def _taken_apart(self, group: Group, parts: list[Array], uses: list[tuple[Group, Slot, Use]]) -> list[Group]:
        """Return one group, with its axes, for each part that is used separately."""
        self._link(group, -1)
        self.apart.append((group, len(parts)))
        for members in parts:
            self._group_of[members] = len(self._first)
            part_of_it = Group(group.op, members)
            for i in members.tolist():
                self._groups[i] = part_of_it
            self._first.append(part_of_it)
            if group.op == SUM:
                self._find_parts(part_of_it)
            self._link(part_of_it, +1)
        for user, slot, use in uses:
            used = self._first[self._group_of[use.ids.flat[0]]]
            if not used.single or used.op == SUM:
                used.uses.append((user, slot))
            if isinstance(slot, Part):
                slot.source = used
        first = len(self._first) - len(parts)
        groups = self._first[first:]
        return [laid_out for part_of_it in groups[::-1] for laid_out in self._lay_out(part_of_it)]

    def _in_order(self, group: Group, sequences: list[Array]) -> Array:
        """Return the members in an order that agrees with all uses, if such an order exists."""
        sorter: graphlib.TopologicalSorter[int] = graphlib.TopologicalSorter({int(i): () for i in group.members})
        for sequence in sequences:
            listed = sequence.tolist()
            for before, after in itertools.pairwise(listed):
                if before != after:
                    sorter.add(after, before)
        try:
            return np.array(list(sorter.static_order()))
        except graphlib.CycleError:
            return group.members

    def _split(self, axis: Axis, use: Use) -> bool:
        """Split an axis that consists of two nested axes (a sum over i and j). Return whether the axis was split."""
        if not axis.summed:
            return False
        along = np.moveaxis(use.ids, use.axes.index(axis), 0)
        n = axis.size
        different = (along != along[0]).reshape(n, -1).any(1)
        run = int(different.argmax()) if different.any() else n
        if 1 < run < n and n % run == 0:
            blocks = along.reshape(n // run, run, -1)
            if (blocks == blocks[:, :1]).all():
                self._substitute(axis, None, [Axis(n // run, summed=True), Axis(run, summed=True)])
                return True
        again = np.flatnonzero(~different[1:])
        period = int(again[0]) + 1 if len(again) else n
        if 1 < period < n and n % period == 0:
            blocks = along.reshape(n // period, period, -1)
            if (blocks == blocks[:1]).all():
                self._substitute(axis, None, [Axis(n // period, summed=True), Axis(period, summed=True)])
                return True
        return False

    def _adopt(self, group: Group, others: list[Use]) -> None:
        """In sums over the whole group along a single axis, replace this axis with the axes of the group."""
        for use in others:
            if len(use.axes) != 1 or use.axes == group.axes:
                continue
            (axis,) = use.axes
            arrays = [
                axes
                for holder in self.groups
                for axes in (holder.axes, *[[*part.axes, *holder.axes] for part in holder.parts])
                if axis in axes
            ]
            beside = {id(a) for axes in arrays for a in axes}
            if axis.summed and not beside & {id(a) for a in group.axes}:
                place = self._position
                place[use.ids] = np.arange(len(use.ids))
                self._substitute(axis, place[group.ids.ravel()], list(group.axes))

    def _substitute(self, axis: Axis, permutation: Array | None, axes: list[Axis]) -> None:
        """Replace an axis with other axes everywhere, and reorder the entries along the axis."""
        sizes = [a.size for a in axes]

        def reordered(array: Array, where: int) -> Array:
            if permutation is not None:
                array = array.take(permutation, where)
            return array.reshape((*array.shape[:where], *sizes, *array.shape[where + 1 :]))

        for group in {id(group): group for group in (*self.groups, *self._first)}.values():
            if axis in group.axes:
                where = group.axes.index(axis)
                group.ids = reordered(group.ids, where)
                group.axes[where : where + 1] = axes
            for part in group.parts:
                if axis in part.axes:
                    where = part.axes.index(axis)
                    part.table = reordered(part.table, where + 1)
                    part.axes[where : where + 1] = axes
        if permutation is None:
            axes[-1].outermost = axis.outermost
