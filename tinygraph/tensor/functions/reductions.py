"""Functions that reduce axes: sum, mean, max and min."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygraph.tensor.array_ops import Axis
from tinygraph.tensor.functions.table import numpy_function

if TYPE_CHECKING:
    from tinygraph.tensor.tensor import Tensor


@numpy_function()
def sum(a: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over the given axes, as `Tensor.sum`."""
    return a.sum(axis, keepdims)


@numpy_function()
def mean(a: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over the given axes, as `Tensor.mean`."""
    return a.mean(axis, keepdims)


@numpy_function("max", "amax")
def max(a: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the maximum over the given axes, as `Tensor.max`."""
    return a.max(axis, keepdims)


@numpy_function("min", "amin")
def min(a: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the minimum over the given axes, as `Tensor.min`."""
    return a.min(axis, keepdims)
