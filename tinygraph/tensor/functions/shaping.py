"""Functions that change the shape of an array: reshape, transpose and broadcast_to. And its shape itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygraph.tensor.array_ops import Operand, Shape
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.shapes import expand


@numpy_function()
def reshape(a: Operand, shape: int | Sequence[int]) -> Operand:
    """Return the same elements in another shape, as `Tensor.reshape`."""
    return a.reshape(shape)


@numpy_function()
def transpose(a: Operand, axes: Sequence[int] | None = None) -> Operand:
    """Return the array with its axes in another order, as `Tensor.transpose`."""
    return a.transpose(*(() if axes is None else (axes,)))


@numpy_function()
def broadcast_to(array: Operand, shape: int | Sequence[int]) -> Operand:
    """Repeat elements along axes that are new or have length 1."""
    return expand(tuple(np.atleast_1d(shape).tolist()))(array)


@numpy_function()
def shape(a: Operand) -> Shape:
    """Return the length of each axis, as `Tensor.shape`."""
    return a.shape


@numpy_function()
def ndim(a: Operand) -> int:
    """Return the number of axes, as `Tensor.ndim`."""
    return a.ndim


@numpy_function()
def size(a: Operand) -> int:
    """Return the number of elements, as `Tensor.size`."""
    return a.size
