"""JAX primitives of neural networks: convolutions and pooling, composed of array ops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.jax.ops.table import primitive
from tinygraph.bridges.operands import Imported, array, largest, reordered
from tinygraph.bridges.windows import convolved, convolved_rows, windows
from tinygraph.tensor.functions import rearranging
from tinygraph.tensor.indexing import scatter_add

Lengths = Sequence[int]
Widths = Sequence[tuple[int, int]]


@primitive("conv_general_dilated")
def convolution(
    x: Imported, weight: Imported, *, window_strides: Lengths, padding: Widths, lhs_dilation: Lengths,
    rhs_dilation: Lengths, dimension_numbers: Any, feature_group_count: int, batch_group_count: int,
) -> Imported:  # fmt: skip
    if batch_group_count != 1:
        raise NotImplementedError(f"its batch_group_count is {batch_group_count}, and not 1")
    x, weight = array(x), array(weight)
    images, kernels, out = dimension_numbers
    middle = tuple(range(1, x.ndim - 1))
    last = images == out == (0, x.ndim - 1, *middle) and kernels == (x.ndim - 1, x.ndim - 2, *range(x.ndim - 2))
    if last and feature_group_count == 1:  # no axis has to move
        return convolved_rows(_prepared(x, 1, lhs_dilation, padding), weight, window_strides, rhs_dilation)
    x = _prepared(reordered(x, images), 2, lhs_dilation, padding)
    found = convolved(x, reordered(weight, kernels), window_strides, rhs_dilation, feature_group_count)
    return reordered(found, np.argsort(out))


def _prepared(x: Imported, first: int, dilation: Lengths, padding: Widths) -> Imported:
    """Put zeros between the elements of images, and around them."""
    if any(n != 1 for n in dilation):
        key = (*[slice(None)] * first, *[slice(None, None, n) for n in dilation])
        end = first + len(dilation)
        lengths = [n * (size - 1) + 1 for n, size in zip(dilation, x.shape[first:end], strict=True)]
        x = scatter_add(key, (*x.shape[:first], *lengths, *x.shape[end:]))(x)
    return _padded(x, first, padding, 0.0)


def _padded(x: Imported, first: int, padding: Widths, fill: float) -> Imported:
    """Surround axes with a constant. A negative width removes elements."""
    end = first + len(padding)
    removed = [
        slice(max(-before, 0), n - max(-after, 0))
        for (before, after), n in zip(padding, x.shape[first:end], strict=True)
    ]
    if any(min(pair) < 0 for pair in padding):
        x = x[(*[slice(None)] * first, *removed)]
    widths = [(max(before, 0), max(after, 0)) for before, after in padding]
    widths = [*[(0, 0)] * first, *widths, *[(0, 0)] * (x.ndim - end)]
    return rearranging.pad(x, widths, constant_values=fill) if any(map(any, widths)) else x


@primitive("reduce_window_max")
def reduce_window_max(x: Imported, **params: Any) -> Imported:
    return largest(*_windows(x, -math.inf, **params))


@primitive("reduce_window_min")
def reduce_window_min(x: Imported, **params: Any) -> Imported:
    found, axis = _windows(x, math.inf, **params)
    return -largest(-found, axis)


@primitive("reduce_window_sum")
def reduce_window_sum(x: Imported, **params: Any) -> Imported:
    found, axis = _windows(x, 0.0, **params)
    return found.sum(axis=axis)


def _windows(
    x: Imported, fill: float, *, window_dimensions: Lengths, window_strides: Lengths, padding: Widths,
    base_dilation: Lengths, window_dilation: Lengths,
) -> tuple[Imported, int]:  # fmt: skip
    """Return the windows of a pooling layer, and the axis that contains the elements of a window."""
    if any(n != 1 for n in base_dilation):
        raise NotImplementedError("its base_dilation is not 1")
    moved = [
        axis
        for axis in range(x.ndim)
        if (window_dimensions[axis], window_strides[axis], tuple(padding[axis])) != (1, 1, (0, 0))
    ]
    axes = slice(moved[0], moved[-1] + 1) if moved else slice(0, 1)
    wide = _padded(x, axes.start, padding[axes], fill)
    step, gap = window_strides[axes], window_dilation[axes]
    found, _ = windows(wide, axes.start, window_dimensions[axes], step, gap, at_end=True)
    return found, axes.stop
