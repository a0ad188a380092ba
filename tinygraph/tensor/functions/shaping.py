"""Functions that change the shape of an array, or the order of its axes. The elements stay the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import one_of
from tinygraph.tensor.arguments import check_order, lengths, named, one_axis, plain
from tinygraph.tensor.array_ops import Axis, Operand, Shape
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.operands import as_axis, operand
from tinygraph.tensor.shapes import expand
from tinygraph.tensor.shapes import reshape as reshape_to
from tinygraph.tensor.shapes import transpose as transpose_by

# --- lengths of axes


@numpy_function()
def reshape(a: Operand, shape: int | Sequence[int], order: str = "C") -> Operand:
    """Return the same elements in another shape, as `Tensor.reshape`."""
    return a.reshape(shape, order=order)  # type: ignore[call-overload]


@numpy_function()
def ravel(a: Operand, order: str = "C") -> Operand:
    """Return the elements as a 1-D array.

    Args:
        a: Tensor.
        order: "C" to read the last index fastest, or "F" to read the first index fastest.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).ravel(order="F")
        Tensor([1.0, 3.0, 2.0, 4.0], op='reshape')
    """
    return reshape_to((a.size,))(a.transpose() if check_order(order) and a.ndim > 1 else a)


def flatten(a: Operand, order: str = "C") -> Operand:
    """Return the elements as a 1-D array, like `ravel`.

    Args:
        a: Tensor.
        order: "C" to read the last index fastest, or "F" to read the first index fastest.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0]]).flatten()
        Tensor([1.0, 2.0], op='reshape')
    """
    return ravel(a, order)


def _reshaped(name: str, a: Operand, function: Callable[..., Any], *args: object) -> Operand:
    """Reshape an array to the shape that a function of NumPy gives it."""
    return reshape_to(named(name, a, function, plain(a), *args).shape)(a)


@numpy_function()
def squeeze(a: Operand, axis: Axis = None) -> Operand:
    """Remove axes of length 1.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes of length 1.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If one of the axes has another length.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[5.0]]).squeeze()
        Tensor(5.0, op='reshape')
    """
    return _reshaped("squeeze", a, np.squeeze, as_axis(axis))


@numpy_function()
def expand_dims(a: Operand, axis: int | Sequence[int]) -> Operand:
    """Insert axes of length 1 at the given positions of the result."""
    return _reshaped("expand_dims", a, np.expand_dims, as_axis(axis))


def at_least(ndim: int, x: object) -> Operand:
    """Return an array with at least the given number of axes, as NumPy's `atleast_1d`, `atleast_2d` and `atleast_3d`.

    Args:
        ndim: Number of axes.
        x: Tensor or array.

    Returns:
        The array in another shape, or unchanged if it has enough axes.

    Examples:
        >>> at_least(2, [1.0, 2.0])
        array([[1., 2.]])
    """
    a = operand(x, f"atleast_{ndim}d")
    shape = (np.atleast_1d, np.atleast_2d, np.atleast_3d)[ndim - 1](plain(a)).shape
    return reshape_to(shape)(a) if shape != a.shape else a


def _all_at_least(ndim: int, arrays: Sequence[object]) -> Operand | tuple[Operand, ...]:
    found = tuple([at_least(ndim, x) for x in arrays])
    return found[0] if len(found) == 1 else found


@numpy_function()
def atleast_1d(*arys: object) -> Operand | tuple[Operand, ...]:
    """Return scalars as 1-D arrays, and other arrays unchanged."""
    return _all_at_least(1, arys)


@numpy_function()
def atleast_2d(*arys: object) -> Operand | tuple[Operand, ...]:
    """Return scalars and 1-D arrays as rows, and other arrays unchanged."""
    return _all_at_least(2, arys)


@numpy_function()
def atleast_3d(*arys: object) -> Operand | tuple[Operand, ...]:
    """Return arrays with fewer than three axes with NumPy's additional axes, and other arrays unchanged."""
    return _all_at_least(3, arys)


# --- the order of the axes


@numpy_function()
def transpose(a: Operand, axes: Sequence[int] | None = None) -> Operand:
    """Return the array with its axes in another order, as `Tensor.transpose`."""
    return a.transpose(*(() if axes is None else (axes,)))


def _reordered(name: str, a: Operand, function: Callable[..., Any], *args: object) -> Operand:
    """Reorder the axes as a function of NumPy does. An array whose axis i has length i shows the order."""
    return transpose_by(named(name, a, function, np.empty(tuple(range(a.ndim))), *args).shape)(a)


@numpy_function()
def swapaxes(a: Operand, axis1: int, axis2: int) -> Operand:
    """Swap two axes.

    Args:
        a: Tensor.
        axis1: First axis.
        axis2: Second axis.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0]]).swapaxes(0, 1)
        Tensor([[1.0], [2.0]], op='transpose')
    """
    first, second = one_axis("swapaxes", a, axis1, "axis1"), one_axis("swapaxes", a, axis2, "axis2")
    return _reordered("swapaxes", a, np.swapaxes, first, second)


@numpy_function()
def moveaxis(a: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Operand:
    """Move axes to other positions. The other axes keep their order."""
    ends = as_axis(source, "source"), as_axis(destination, "destination")
    return _reordered("moveaxis", a, np.moveaxis, *ends)


@numpy_function()
def rollaxis(a: Operand, axis: int, start: int = 0) -> Operand:
    """Move an axis backward until it comes before the axis `start`."""
    return _reordered("rollaxis", a, np.rollaxis, check_integer("axis", axis), check_integer("start", start))


@numpy_function("matrix_transpose", "linalg.matrix_transpose")
def matrix_transpose(x: Operand) -> Operand:
    """Swap the last two axes."""
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose needs at least two axes, not the shape {x.shape}")
    return swapaxes(x, -1, -2)


# --- broadcasting


@numpy_function()
def broadcast_to(array: Operand, shape: int | Sequence[int]) -> Operand:
    """Repeat elements along axes that are new or have length 1."""
    return named("broadcast_to", array, expand(lengths("shape", shape)), array)


@numpy_function()
def broadcast_arrays(*args: Operand) -> tuple[Operand, ...]:
    """Broadcast arrays to their common shape."""
    arrays = [operand(x, "broadcast_arrays") for x in args]
    shapes = [x.shape for x in arrays]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(f"broadcast_arrays: the shapes {', '.join(map(str, shapes))} do not match") from None
    return tuple([x if x.shape == common else expand(common)(x) for x in arrays])


@numpy_function()
def meshgrid(*xi: Operand, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Operand, ...]:
    """Return the coordinates of the points of a grid, one array for each axis."""
    one_of("indexing of meshgrid", indexing, ("xy", "ij"))
    arrays = [operand(x, "meshgrid") for x in xi]
    place = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        place[:2] = 1, 0  # x belongs to the columns
    found = []
    for i, x in zip(place, arrays, strict=True):
        shape = [1] * len(arrays)
        shape[i] = x.size
        found.append(reshape_to(tuple(shape))(x))
    return tuple(found) if sparse else broadcast_arrays(*found)


# --- properties


@numpy_function()
def shape(a: Operand) -> Shape:
    """Return the length of each axis, as `Tensor.shape`."""
    return a.shape


@numpy_function()
def ndim(a: Operand) -> int:
    """Return the number of axes, as `Tensor.ndim`."""
    return a.ndim


@numpy_function()
def size(a: Operand, axis: Axis = None) -> int:
    """Return the number of elements, or the number along the given axes."""
    return int(named("size", a, np.size, plain(a), as_axis(axis)))
