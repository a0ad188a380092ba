"""vectorize: the loops of a scalar graph rolled up into a graph of arrays, by itself.

What `rolling` finds is recorded anew with Tensors. Nothing here knows a model: a sum of products along an axis is a
matrix product, a sum divided by the number of its terms a mean, and what follows no pattern is gathered by index.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from tinygraph.drawing.folding import stem
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op
from tinygraph.engine.ops import div, mul
from tinygraph.engine.value import Value
from tinygraph.tensor.indexing import index, scatter_add
from tinygraph.tensor.shapes import expand, reshape, transpose
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array, Flat
from tinygraph.vectorizing.rerolling import LEAF, SUM, Axis, Group, Part, Roll, Use


def vectorize(root: Value, marks: Mapping[Node, Hashable] | None = None) -> Vectorized:
    """Roll the graph of a Value up into an equal graph of Tensors.

    Isomorphic nodes become one array, the terms of sums one axis, Σ_j w_j x_ij a matrix product, Σ_i …/m a mean; leaves
    are gathered into arrays, in the order in which the sums run over them. `marks` keeps leaves with different
    marks in different arrays. TypeError for what is no Value, StaleGraphError for a graph whose leaves were edited.

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
    return Vectorized(root, marks)


class Vectorized:
    """A scalar graph as a graph of Tensors: `root` is its root, `leaves` its leaves by name.

    `where` and `scatter` go from scalar nodes to entries of tensors and back; `report` says what became what.
    """

    def __init__(self, root: Value, marks: Mapping[Node, Hashable] | None = None, *, only: bool = False) -> None:
        if not isinstance(root, Value):
            raise TypeError(f"what is rolled up is the root of a graph of Values, not a {type(root).__name__}")
        self._marks, self._only = marks or {}, only  # whether only leaves with a mark have a gradient
        self._root = root
        self._flat = Flat(root)
        self._roll = Roll(self._flat, marks)
        self._built: dict[Group, Any] = {}  # a Tensor, or plain numbers
        self._constants: dict[tuple[bytes, tuple[int, ...]], Tensor] = {}
        self._inside: dict[Group, str] = {}  # groups that are no array of their own, and what they are inside of
        self._mean_of: dict[Group, Group] = {}  # groups that are the mean of the terms of a sum, and this sum
        self._gathered: list[str] = []
        self.leaves: dict[str, Tensor] = {}
        self._asked: Counter[str] = Counter()  # how often a leaf's name was taken
        self._ids: dict[str, Array] = {}
        self._record()
        self.root: Tensor = self._built[self._roll.groups[-1]]

    def where(self, node: Node) -> tuple[Tensor, tuple[int, ...]]:
        """The tensor in which a node of the scalar graph is an entry, and at which index.

        LookupError for a node of another graph, and for one that is inside a sum, a matrix product, or a mean: of those
        `scatter` knows the gradient all the same.
        """
        if node not in self._flat.place:
            raise LookupError(f"{node!r} is no node of the graph that was vectorized")
        i = self._flat.place[node]
        group = self._roll.group(i)
        if group is None or group in self._inside:
            what = "a sum" if group is None else self._inside[group]
            raise LookupError(f"{node!r} is inside {what}: it has no entry of its own")
        built = self._built[group]
        if not isinstance(built, Tensor):
            raise LookupError(f"{node!r} is computed from plain numbers only: it has no entry of its own")
        place = int(self._roll.position(group, np.array([i]))[0])
        return built, tuple(int(k) for k in np.unravel_index(place, built.shape))

    @property
    def groups(self) -> list[Group]:
        """The groups of scalar nodes that were made in the same way, operands first."""
        return self._roll.groups

    def nodes_of(self, name: str) -> list[Node]:
        """The scalar nodes whose array the leaf of this name is, one after the other."""
        return [self._node(i) for i in self._ids[name].ravel().tolist()]

    def named(self) -> list[tuple[Tensor, str]]:
        """The tensors with a name that are computed, with their names."""
        built = [built for built in self._built.values() if isinstance(built, Tensor)]
        return [(tensor, tensor.name) for tensor in built if tensor.op is not None and tensor.name]

    def compared(self) -> list[Node]:
        """The scalar nodes that took part in comparisons, but for the root, whose comparisons shape nothing."""
        nodes = [node for node in self._flat.nodes if node is not None and node.metadata and node.metadata.guards]
        return [node for node in nodes if node is not self._root]

    def scatter(self) -> None:
        """Write the gradients of the last `root.backward()` onto the Values, as their own `backward()` would have done.

        >>> a, b = Value(2.0), Value(3.0)
        >>> found = vectorize(a * b)
        >>> found.root.backward()
        >>> found.scatter()
        >>> a.grad, b.grad
        (3.0, 2.0)
        """
        if self.root.grad is None:
            raise ValueError("there are no gradients yet: call root.backward() first")
        flat = self._flat
        gradients, reached = np.zeros(len(flat.ops)), np.zeros(len(flat.ops), bool)
        for group in reversed(self._roll.groups):  # consumers first
            built = self._built.get(group)
            if isinstance(built, Tensor) and built.grad is not None:
                gradients[group.ids] = built.grad.reshape(group.ids.shape)
                reached[group.ids] = True
            elif group in self._inside:
                ((user, slot),) = group.uses
                factor = slot.sign if isinstance(slot, Part) else 1.0 / math.prod(a.size for a in group.parts[0].axes)
                gradients[group.ids] = factor * gradients[user.ids]  # along the axes of the sum, all the same
                reached[group.ids] = reached[user.ids]
        inner = np.flatnonzero(flat.within)
        gradients[inner], reached[inner] = flat.turns[inner] * gradients[flat.head[inner]], reached[flat.head[inner]]
        for node, gradient, was_reached in zip(flat.nodes, gradients.tolist(), reached.tolist(), strict=True):
            if was_reached and node is not None and not node.constant:
                node.grad = gradient

    def report(self) -> str:
        """What became of the scalar nodes, in words: which parts rolled up into arrays, which did not, and why."""
        rolled: list[str] = []
        alone: list[Group] = []
        for group in self._roll.groups:
            count = group.ids.size
            if count == 1:
                alone.append(group)
            elif group in self._inside:
                rolled.append(f"{self._title(group)}: {count:,} nodes inside {self._inside[group]}")
            else:
                rolled.append(f"{self._title(group)}: {count:,} nodes are an array of shape {_stored(group.axes)}")
        lines = [f"{len(self._flat.place):,} scalar nodes became {len(order(self.root)):,} nodes of arrays"]
        lines += [line if times == 1 else f"{line}, {times:,} times" for line, times in Counter(rolled).items()]
        if alone:
            titles = list(dict.fromkeys(map(self._title, alone)))
            listed = ", ".join([*titles[:8], *["…"] * (len(titles) > 8)])
            lines.append(f"not rolled up: {len(alone):,} nodes that no other is made like ({listed})")
        for group, parts in self._roll.apart:
            count = len(group.members)
            how = "one by one" if parts == count else f"in {parts:,} parts"
            lines.append(f"not rolled up: {self._title(group)}, {count:,} nodes made in the same way, but used {how}")
        lines += [f"by index, as it follows no axis: {what}" for what in dict.fromkeys(self._gathered)]
        return "\n".join(lines)

    # --- recording

    def _record(self) -> None:
        for group in self._roll.groups:
            self._plan(group)
        for group in self._roll.groups:
            if group not in self._inside:
                built = self._build(group)
                name = self._name(group)
                if name and isinstance(built, Tensor):
                    built.name = name
                self._built[group] = built

    def _plan(self, group: Group) -> None:
        """Find products that become part of a matrix product, and sums that become part of a mean."""
        if group.op == SUM:
            for part in group.parts:
                if self._contraction(group, part):
                    self._inside[part.source] = "a matrix product"
        elif (summed := self._counted(group)) is not None:
            self._mean_of[group] = summed
            self._inside[summed] = "a mean"

    def _build(self, group: Group) -> Any:
        if group.op == LEAF:
            return self._leaf(group)
        if group.op == SUM:
            return self._sum(group)
        assert isinstance(group.op, Op)
        if group in self._mean_of:
            summed = self._mean_of[group]
            return _expanded(self._reduced(summed, summed.parts[0], "mean"), _stored(group.axes))
        operands = [self._operand(group, slot) for slot in range(group.op.arity)]
        return _expanded(group.op(*operands), _stored(group.axes))

    def _operand(self, group: Group, slot: int) -> Any:
        use = self._roll.use(group, slot)
        return self._view(self._roll.source(group, slot), use, _aligned(use.axes, group.axes))

    def _leaf(self, group: Group) -> Tensor:
        node = self._node(group.ids.flat[0])
        data = self._flat.data[group.ids].reshape(_stored(group.axes))
        leaf = Tensor(data, constant=node.constant or (self._only and node not in self._marks))
        name = self._name(group)
        unique, name = (name, name) if name else ("p1", "p")
        while unique in self.leaves:
            self._asked[name] += 1
            unique = f"{name}{self._asked[name]}"
        leaf.name = unique
        self.leaves[unique] = leaf
        self._ids[unique] = group.ids
        return leaf

    def _name(self, group: Group) -> str:
        """The name all nodes of the group have, but for numbers."""
        nodes = [self._flat.nodes[i] for i in group.members[:1].tolist()] if group.single else self._nodes(group)
        names = {node.name if node is not None else "" for node in nodes}
        if len(names) == 1:
            return names.pop()
        stems = {stem(name) for name in names}
        return stems.pop().split("#")[0].rstrip("_[( ") if len(stems) == 1 else ""

    def _nodes(self, group: Group) -> list[Node | None]:
        return [self._flat.nodes[i] for i in group.members.tolist()]

    def _node(self, i: int) -> Node:
        node = self._flat.nodes[i]
        assert node is not None
        return node

    # --- sums

    def _sum(self, group: Group) -> Any:
        shape = _stored(group.axes)
        terms: list[tuple[int, Any]] = []
        for part in sorted(group.parts, key=lambda part: -len(part.axes)):
            term = self._product(group, part) if part.source in self._inside else self._reduced(group, part, "sum")
            terms.append((part.sign, term))
        for sign, numbers in ((1, self._flat.added[group.ids]), (-1, self._flat.subtracted[group.ids])):
            if numbers.any():
                same = (numbers == numbers.flat[0]).all()
                terms.append((sign, float(numbers.flat[0]) if same else self._constant(numbers.reshape(shape))))
        terms.sort(key=lambda term: -term[0])  # one that is added comes first
        sign, out = terms[0]
        out = -out if sign < 0 else out
        for sign, term in terms[1:]:
            out = out + term if sign > 0 else out - term
        turned = isinstance(out, Tensor) and out.op is transpose((1, 0))  # which who turns it back goes past
        if len(terms) == 1 and (turned or any(out is self._built.get(part.source) for part in group.parts)):
            out = out + 0.0  # the sum of one term is a node of its own
        return _expanded(out, shape)

    def _reduced(self, group: Group, part: Part, how: str) -> Any:
        """The sum, or the mean, of a part of the terms."""
        use = self._roll.use(group, part)
        if part.owners is not None:
            return self._scattered(group, part)
        if not part.axes:
            return self._view(part.source, use, _aligned(use.axes, group.axes))
        axes = [*part.axes, *group.axes]
        missing = math.prod(a.size for a in part.axes if a not in use.axes)  # the same term again and again
        summed = [a for a in part.axes if a in use.axes]
        kept = [a for a in group.axes if a in use.axes]
        order = [a for a in axes if a in use.axes]
        full = self._view(part.source, use, _stored(order) if summed else _aligned(use.axes, group.axes))
        if summed:
            count = len(summed)
            if not kept:
                full = getattr(_tensor(full), how)()
            else:
                target = _aligned(kept, group.axes)
                keep = full.ndim == 2 and target == (1, full.shape[1])
                full = getattr(_tensor(full), how)(axis=tuple(range(count)) if count > 1 else 0, keepdims=keep)
                full = _shaped(full, target)
        return full * float(missing) if missing > 1 and how == "sum" else full

    def _scattered(self, group: Group, part: Part) -> Any:
        """Sums of different numbers of terms: each term is added where its sum stands."""
        assert part.owners is not None
        members = group.members
        where = self._roll.position(group, members)[part.owners]
        terms = self._view(part.source, Use([Axis(len(part.table))], part.table), (len(part.table),))
        self._gathered.append(f"{self._title(group)}: sums of different numbers of terms")
        added = scatter_add(where, (len(members),))(_expanded(terms, (len(part.table),)))
        return _shaped(added, _stored(group.axes))

    def _contraction(self, group: Group, part: Part) -> bool:
        """Whether the part is Σ of products along axes that both factors have, of which no other axis is shared."""
        source = part.source
        if source.op is not mul or len(source.uses) != 1 or not part.axes or not group.axes:
            return False
        if any(map(_is_landmark, self._nodes(source))):
            return False
        if [*part.axes, *group.axes] != source.axes:
            return False
        left, right = (set(map(id, self._roll.use(source, slot).axes)) for slot in (0, 1))
        summed, kept = set(map(id, part.axes)), set(map(id, group.axes))
        return left & right == summed and left | right == summed | kept

    def _product(self, group: Group, part: Part) -> Any:
        """Σ_j w_j x_ij as a matrix product: the factor with the first axes of the result stands left."""
        source = part.source
        factors = [(slot, self._roll.use(source, slot)) for slot in (0, 1)]
        summed = part.axes
        if group.axes[0] in factors[1][1].axes and (
            group.axes[0] not in factors[0][1].axes or len(factors[0][1].axes) == len(summed)
        ):
            factors.reverse()
        if len(group.axes) == 1 and group.axes[0].outermost != (factors[0][1].axes == summed):
            factors.reverse()
        matrices, kept = [], []
        for turn, (slot, use) in enumerate(factors):
            own = [a for a in use.axes if a not in summed]
            natural = [a for a in [*summed, *group.axes] if a in use.axes]  # the order that the product's axes have
            full = self._view(self._roll.source(source, slot), use, _stored(natural))
            rows, columns = math.prod(a.size for a in summed), math.prod(a.size for a in own)
            full = _shaped(full, (rows, columns))
            matrices.append(_transposed(full) if turn == 0 else full)
            kept += own
        out = matrices[0] @ matrices[1]
        if kept != group.axes:
            out = _shaped(out, tuple(a.size for a in kept))
            out = transpose(tuple(kept.index(a) for a in group.axes))(out)
        return _shaped(out, _stored(group.axes))

    def _counted(self, group: Group) -> Group | None:
        """The sum, if the group divides it by the number of its terms."""
        if group.op not in (div, mul):
            return None
        for slot in (0, 1) if group.op is mul else (0,):
            summed, number = self._roll.source(group, slot), self._roll.source(group, 1 - slot)
            if summed.op != SUM or number.op is not None or len(summed.parts) != 1 or len(summed.uses) != 1:
                continue
            (part,) = summed.parts
            use = self._roll.use(group, 1 - slot)
            count = math.prod(a.size for a in part.axes)
            if (
                part.axes
                and use.ids.size == 1
                and part.sign > 0
                and not self._flat.added[summed.members].any()
                and not self._flat.subtracted[summed.members].any()
                and not any(map(_is_landmark, self._nodes(summed)))
                and summed.axes == group.axes
                and self._flat.data[use.ids.flat[0]] == (count if group.op is div else 1.0 / count)
                and part.source not in self._inside
                and set(map(id, part.axes)) <= set(map(id, self._roll.use(summed, part).axes))
            ):
                return summed
        return None

    # --- views: entries of one array as another takes them in

    def _view(self, source: Group, use: Use, shape: tuple[int, ...]) -> Any:
        """The entries that are taken in, in this shape: the array itself, its transpose, a slice, or gathered."""
        if source.op is None:
            data = self._flat.data[use.ids]
            return float(data) if data.ndim == 0 or not shape else self._constant(data.reshape(shape))
        array = self._built[source]
        if source.single:
            return array
        wanted = self._roll.position(source, use.ids)
        size = source.ids.size
        if wanted.size == size:
            if (wanted.ravel() == np.arange(size)).all():
                return _shaped(array, shape)
            grid = np.arange(size).reshape(source.ids.shape)
            for axes in itertools.permutations(range(grid.ndim)) if grid.ndim < 5 else ():
                if (grid.transpose(axes).ravel() == wanted.ravel()).all():
                    return _shaped(transpose(axes)(_shaped(array, grid.shape)), shape)
        if wanted.ndim == 0:
            return index(tuple(int(k) for k in np.unravel_index(int(wanted), _stored(source.axes))))(array)
        if source.ids.ndim == 1:
            key: Any = _slice(wanted, size)
            if key is None:
                key = wanted
                self._gathered.append(f"{self._title(source)}: {wanted.size:,} entries are picked")
            if wanted.ndim > 1:
                return _shaped(index(key)(_shaped(array, (size,))), shape)
            return _shaped(index((slice(None), key) if source.axes[0].outermost else key)(array), shape)
        self._gathered.append(f"{self._title(source)}: {wanted.size:,} entries are picked")
        if source.ids.ndim == 2 and wanted.ndim == 1:
            return _shaped(index(np.unravel_index(wanted, source.ids.shape))(array), shape)
        return _shaped(index(wanted)(_shaped(array, (size,))), shape)

    def _constant(self, data: Array) -> Tensor:
        """A constant array; the same numbers are one node."""
        key = data.tobytes(), data.shape
        if key not in self._constants:
            self._constants[key] = Tensor(np.ascontiguousarray(data), constant=True)
        return self._constants[key]

    def _title(self, group: Group) -> str:
        op = group.op
        name = self._name(group)
        return name or (op.name if isinstance(op, Op) else "Σ" if op == SUM else "leaves")


def _is_landmark(node: Node | None) -> bool:
    """Whether something is known of the node that it should be found by: a name, a comparison."""
    return node is not None and node.metadata is not None and bool(node.metadata.name or node.metadata.guards)


# --- shapes -----------------------------------------------------------------------------------------


def _stored(axes: list[Axis]) -> tuple[int, ...]:
    """The shape of an array along these axes: never a rank-1 array, but a column, or a row for the examples."""
    if len(axes) == 1:
        return (1, axes[0].size) if axes[0].outermost else (axes[0].size, 1)
    return tuple([a.size for a in axes])


def _slice(wanted: Array, size: int) -> slice | None:
    """The slice of so many entries that picks these, if there is one."""
    steps = np.diff(wanted)
    if wanted.ndim != 1 or len(wanted) < 2 or not steps[0] or (steps != steps[0]).any():
        return None
    start, step = int(wanted[0]), int(steps[0])
    stop = start + step * len(wanted)
    return slice(start or None if step > 0 else start, stop if 0 <= stop < size else None, step if step != 1 else None)


def _aligned(used: list[Axis], axes: list[Axis]) -> tuple[int, ...]:
    """The shape of an array along some of these axes that broadcasts to one along all of them."""
    if not used:
        return ()
    if len(axes) == 1:
        return _stored(axes)
    shape = [a.size if a in used else 1 for a in axes]
    while len(shape) > 2 and shape[0] == 1:
        del shape[0]
    return tuple(shape)


def _expanded(x: Any, shape: tuple[int, ...]) -> Any:
    """Written out along axes on which all entries are the same."""
    return x if _shape(x) == shape else expand(shape)(x)


def _shape(x: Any) -> tuple[int, ...]:
    return np.shape(x.raw if isinstance(x, Tensor) else x)


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else np.asarray(x)


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """In another shape; a column as a row is a transpose."""
    now = _shape(x)
    if now == shape:
        return x
    if len(now) == len(shape) == 2 and now == shape[::-1] and 1 in now:
        return _transposed(x)
    return reshape(shape)(x)


def _transposed(x: Any) -> Any:
    """The transpose of a matrix; that of a transpose is the matrix itself."""
    if isinstance(x, Tensor) and x.op is transpose((1, 0)):
        return x.x
    return transpose((1, 0))(x)
