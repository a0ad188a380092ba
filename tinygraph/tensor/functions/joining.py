"""Functions that join arrays: concatenate, stack and their relatives, block, append and insert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described
from tinygraph.support.other_libraries import check_options
from tinygraph.tensor import indexing
from tinygraph.tensor.arguments import axis_or_flat, fitted, named, positions
from tinygraph.tensor.array_ops import ArrayOp, Operand, TracedArray
from tinygraph.tensor.functions.shaping import at_least, moveaxis
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.operands import NOT_A_SEQUENCE, operand
from tinygraph.tensor.shapes import reshape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@numpy_function()
def concatenate(arrays: Sequence[Operand], axis: int | None = 0, **_unknown: Never) -> Operand:
    """Join Tensors and arrays along an existing axis.

    Args:
        arrays: Tensors and arrays whose shapes differ only along `axis`.
        axis: Axis along which the arrays are joined, or None to join all elements as 1-D arrays. Defaults to 0.

    Returns:
        A Tensor, or an array if `arrays` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> concatenate([Tensor([1.0]), [2.0, 3.0]])
        Tensor([1.0, 2.0, 3.0], op='concatenate')
    """
    check_options("concatenate", _unknown)
    if axis is None:
        arrays, axis = [axis_or_flat("concatenate", x, None)[0] for x in _parts("concatenate", arrays)], 0
    return _joined("concatenate", arrays, axis)


@numpy_function()
def stack(arrays: Sequence[Operand], axis: int = 0, **_unknown: Never) -> Operand:
    """Join Tensors and arrays of the same shape along a new axis.

    Args:
        arrays: Tensors and arrays of the same shape.
        axis: Position of the new axis. Defaults to 0.

    Returns:
        A Tensor, or an array if `arrays` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> stack([Tensor(1.0), Tensor(2.0)])
        Tensor([1.0, 2.0], op='stack')
    """
    check_options("stack", _unknown)
    return _joined("stack", arrays, axis)


def _joined(name: str, arrays: Any, axis: object) -> Operand:
    """Join Tensors and arrays along an axis, or refuse them by the name of the function that the user called."""
    if isinstance(axis, TracedArray):
        raise TypeError(f"{name}: axis is a Tensor: pass the Tensors as one list, as in {name}([t, u])")
    op = indexing.stack if name == "stack" else indexing.concatenate
    return _join(name, op(check_integer("axis", axis)), _parts(name, arrays))


def _parts(name: str, arrays: Any, what: str = "arrays") -> list[Operand]:
    """Return the parts that a function joins, or refuse them by name."""
    if isinstance(arrays, NOT_A_SEQUENCE) or not hasattr(arrays, "__iter__"):
        raise TypeError(f"{name}: {what} must be a sequence of Tensors and arrays, not {described(arrays)}")
    parts = [operand(x, f"{name}: each of the {what}") for x in arrays]
    if not parts:
        raise ValueError(f"{name}: {what} must contain at least one Tensor or array")
    return parts


def _join(name: str, op: ArrayOp, parts: Sequence[Operand]) -> Operand:
    """Join the parts with an op. The errors name the function that the user called, and the shapes."""
    try:
        return op(*parts)
    except ValueError as error:  # of NumPy: the shapes, or the axis
        shapes = ", ".join([str(getattr(x, "shape", ())) for x in parts])
        raise type(error)(f"{name} of arrays with the shapes {shapes}: {error}") from None


@numpy_function()
def vstack(tup: Sequence[Operand]) -> Operand:
    """Join arrays below each other. 1-D arrays are rows."""
    return _join("vstack", indexing.concatenate(0), [at_least(2, x) for x in _parts("vstack", tup, "tup")])


@numpy_function()
def hstack(tup: Sequence[Operand]) -> Operand:
    """Join arrays side by side, along the second axis. 1-D arrays are joined along their only axis."""
    parts = [at_least(1, x) for x in _parts("hstack", tup, "tup")]
    return _join("hstack", indexing.concatenate(0 if parts[0].ndim == 1 else 1), parts)


@numpy_function()
def dstack(tup: Sequence[Operand]) -> Operand:
    """Join arrays along the third axis."""
    return _join("dstack", indexing.concatenate(2), [at_least(3, x) for x in _parts("dstack", tup, "tup")])


@numpy_function()
def column_stack(tup: Sequence[Operand]) -> Operand:
    """Join arrays side by side. 1-D arrays are columns."""
    parts = [reshape((x.size, 1))(x) if x.ndim < 2 else x for x in _parts("column_stack", tup, "tup")]
    return _join("column_stack", indexing.concatenate(1), parts)


@numpy_function()
def block(arrays: list[object] | Operand) -> Operand:
    """Assemble an array from nested lists of blocks. The innermost lists are joined along the last axis."""
    depth = _depth(arrays)
    ndim = max(depth, *[x.ndim for x in _leaves(arrays)])

    def assembled(part: object, level: int) -> Operand:
        if isinstance(part, list):
            return _join("block", indexing.concatenate(-level), [assembled(x, level - 1) for x in part])
        a = operand(part, "block")
        return reshape((1,) * (ndim - a.ndim) + a.shape)(a) if a.ndim < ndim else a

    return assembled(arrays, depth)


def _depth(arrays: object) -> int:
    """Return how deep lists are nested. Each innermost list must have the same depth."""
    if isinstance(arrays, tuple):
        raise TypeError(f"block: blocks are arranged in lists, not in the tuple {described(arrays)}")
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(x) for x in arrays}
    if len(depths) != 1:
        raise ValueError("block: a list is empty" if not depths else f"block: lists have the depths {sorted(depths)}")
    return 1 + depths.pop()


def _leaves(arrays: object) -> list[Operand]:
    if isinstance(arrays, list):
        return [leaf for x in arrays for leaf in _leaves(x)]
    return [operand(arrays, "block")]


@numpy_function()
def append(arr: Operand, values: Operand, axis: int | None = None) -> Operand:
    """Join two arrays along an axis. Without an axis, their elements are joined as 1-D arrays."""
    parts = operand(arr, "append: arr"), operand(values, "append: values")
    return concatenate(parts, axis) if axis is None else _joined("append", parts, axis)


@numpy_function()
def insert(arr: Operand, obj: int | slice | ArrayLike, values: Operand, axis: int | None = None) -> Operand:
    """Insert values before the given indices of an axis. Without an axis, the array is read as a 1-D array."""
    a, new = operand(arr, "insert: arr"), operand(values, "insert: values")
    a, axis = axis_or_flat("insert", a, axis)
    length = a.shape[axis]
    places = positions("insert", a, obj, length)
    if places.size == 1:  # then NumPy inserts all of the values at this place
        if new.ndim < a.ndim:
            new = reshape((1,) * (a.ndim - new.ndim) + new.shape)(new)
        if not places.ndim:
            new = moveaxis(new, 0, axis)
    count = new.shape[axis] if places.size == 1 else places.size
    # NumPy inserts numbers into a list of positions, which shows where each of the new elements belongs.
    where = named("insert", a, np.insert, np.arange(length), places, -1 - np.arange(count))
    where[where < 0] = length - 1 - where[where < 0]
    slab = (*a.shape[:axis], count, *a.shape[axis + 1 :])
    joined = indexing.concatenate(axis)(a, fitted("insert", new, slab))
    return indexing.index((*[slice(None)] * axis, where))(joined)
