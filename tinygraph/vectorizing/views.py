"""Views of an array for use in another array: the whole array, its transpose, a slice, or elements by index."""

from __future__ import annotations

import itertools
from typing import TypeGuard

import numpy as np

from tinygraph.engine.op import Op
from tinygraph.tensor.indexing import index
from tinygraph.tensor.shapes import expand, reshape, transpose
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.kinds import Axis, Group, Use
from tinygraph.vectorizing.rerolling import Roll

Shape = tuple[int, ...]
Operand = Tensor | float  # a float if a group is computed from plain numbers only
TRANSPOSE = transpose((1, 0))


class Views:
    """Views of the arrays that are built from the groups of a `Roll`.

    Args:
        roll: Groups of the scalar graph.

    Attributes:
        built: The array of each group.
        gathered: Descriptions of the elements that are selected by index.
    """

    def __init__(self, roll: Roll) -> None:
        self.roll = roll
        self.built: dict[Group, Operand] = {}
        self.gathered: list[str] = []
        self._constants: dict[tuple[bytes, Shape], Tensor] = {}

    def view(self, source: Group, use: Use, shape: Shape) -> Operand:
        """Return the entries that are used, as the whole array, its transpose, a slice, or elements by index.

        Args:
            source: Group of the entries.
            use: The entries, and the axes along which they are used.
            shape: Shape of the result.

        Returns:
            A Tensor, or a float for a plain number.
        """
        if source.op is None:
            data = self.roll.flat.data[use.ids]
            return float(data) if data.ndim == 0 or not shape else self.constant(data.reshape(shape))
        array = self.built[source]
        if source.single:
            return array
        wanted = self.roll.position(source, use.ids)
        if wanted.size == source.ids.size:
            whole = _rearranged(array, source.ids.shape, wanted, shape)
            if whole is not None:
                return whole
        if wanted.ndim == 0:
            place = np.unravel_index(int(wanted), stored_shape(source.axes))
            return applied(index(tuple(int(k) for k in place)), array)
        return self._picked(source, wanted, shape)

    def _picked(self, source: Group, wanted: Array, shape: Shape) -> Operand:
        """Return some elements of an array: a slice, or elements by index."""
        array, size = self.built[source], source.ids.size
        key = _slice(wanted, size) if source.ids.ndim == 1 else None
        if key is None:
            self.gathered.append(f"{self.roll.title(source)}: {wanted.size:,} elements are selected")
        if wanted.ndim == 1 and source.ids.ndim == 1:
            entries = wanted if key is None else key
            picked = index((slice(None), entries) if source.axes[0].outermost else entries)
        elif wanted.ndim == 1 and source.ids.ndim == 2:
            picked = index(np.unravel_index(wanted, source.ids.shape))
        else:
            array, picked = reshaped(array, (size,)), index(wanted)
        return reshaped(applied(picked, array), shape)

    def constant(self, data: Array) -> Tensor:
        """Return a constant Tensor. Equal arrays share one node.

        Args:
            data: Array.

        Returns:
            The Tensor.
        """
        key = data.tobytes(), data.shape
        if key not in self._constants:
            self._constants[key] = Tensor(np.ascontiguousarray(data), constant=True)
        return self._constants[key]


def _rearranged(array: Operand, stored: Shape, wanted: Array, shape: Shape) -> Operand | None:
    """Return the whole array, with its axes reordered if necessary, or None if no order gives these elements."""
    size = wanted.size
    if (wanted.ravel() == np.arange(size)).all():
        return reshaped(array, shape)
    grid = np.arange(size).reshape(stored)
    for axes in itertools.permutations(range(grid.ndim)) if grid.ndim < 5 else ():
        if (grid.transpose(axes).ravel() == wanted.ravel()).all():
            return reshaped(applied(transpose(axes), reshaped(array, stored)), shape)
    return None


# --- shapes -----------------------------------------------------------------------------------------


def stored_shape(axes: list[Axis]) -> Shape:
    """Return the shape of an array along the given axes. A single axis gives a column, or a row if it is `outermost`.

    Args:
        axes: Axes of the array.

    Returns:
        The shape.
    """
    if len(axes) == 1:
        return (1, axes[0].size) if axes[0].outermost else (axes[0].size, 1)
    return tuple([a.size for a in axes])


def _slice(wanted: Array, size: int) -> slice | None:
    """Return the slice that selects the given elements of an array of this size, or None if no slice does."""
    steps = np.diff(wanted)
    if wanted.ndim != 1 or len(wanted) < 2 or not steps[0] or (steps != steps[0]).any():
        return None
    start, step = int(wanted[0]), int(steps[0])
    stop = start + step * len(wanted)
    return slice(start or None if step > 0 else start, stop if 0 <= stop < size else None, step if step != 1 else None)


def aligned_shape(used: list[Axis], axes: list[Axis]) -> Shape:
    """Return the shape that an array with some of the axes needs to broadcast along all of them.

    Args:
        used: Axes of the array.
        axes: All axes.

    Returns:
        The shape.
    """
    if not used:
        return ()
    if len(axes) == 1:
        return stored_shape(axes)
    shape = [a.size if a in used else 1 for a in axes]
    while len(shape) > 2 and shape[0] == 1:
        del shape[0]
    return tuple(shape)


def applied(op: Op, *operands: Operand) -> Operand:
    """Return the result of an op on arrays and numbers.

    Args:
        op: Op.
        *operands: Operands of the op.

    Returns:
        A Tensor, or a float.
    """
    result: Operand = op(*operands)
    return result


def expanded(x: Operand, shape: Shape) -> Operand:
    """Return an array, broadcast to the given shape.

    Args:
        x: Tensor or float.
        shape: Shape of the result.

    Returns:
        A Tensor, or a float.
    """
    return x if np.shape(_data(x)) == shape else applied(expand(shape), x)


def reshaped(x: Operand, shape: Shape) -> Operand:
    """Return an array in another shape. A transpose turns a column into a row, or a row into a column.

    Args:
        x: Tensor or float.
        shape: Shape of the result.

    Returns:
        A Tensor, or a float.
    """
    now = np.shape(_data(x))
    if now == shape:
        return x
    if len(now) == len(shape) == 2 and now == shape[::-1] and 1 in now:
        return transposed(x)
    return applied(reshape(shape), x)


def transposed(x: Operand) -> Operand:
    """Return the transpose of a matrix. The transpose of a transpose is the matrix itself.

    Args:
        x: Matrix.

    Returns:
        The transpose.
    """
    if is_transposed(x):
        original: Operand = x.x
        return original
    return applied(TRANSPOSE, x)


def is_transposed(x: Operand) -> TypeGuard[Tensor]:
    """Return whether an operand is the transpose of a matrix.

    Args:
        x: Operand.

    Returns:
        True if the operand is a transpose.
    """
    return isinstance(x, Tensor) and x.op is TRANSPOSE


def _data(x: Operand) -> Array | float:
    data: Array | float = x.raw if isinstance(x, Tensor) else x
    return data
