"""JAX primitives of neural networks: convolutions and pooling, composed of array ops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.jax.ops.table import primitive
from tinygraph.bridges.operands import Imported, array, largest, view
from tinygraph.bridges.windows import convolved, windows
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
    images = _ordered(array(x), dimension_numbers.lhs_spec)
    kernel = _ordered(array(weight), dimension_numbers.rhs_spec)
    if any(n != 1 for n in lhs_dilation):
        key = (slice(None), slice(None), *[slice(None, None, n) for n in lhs_dilation])
        lengths = [n * (size - 1) + 1 for n, size in zip(lhs_dilation, images.shape[2:], strict=True)]
        images = scatter_add(key, (*images.shape[:2], *lengths))(images)
    out = convolved(_padded(images, padding, 0.0), kernel, window_strides, rhs_dilation, feature_group_count)
    return _ordered(out, np.argsort(dimension_numbers.out_spec))


def _ordered(x: Imported, axes: Any) -> Imported:
    """Return an array with its axes in another order."""
    order = [int(axis) for axis in axes]
    return x if order == list(range(x.ndim)) else x.transpose(order)


def _padded(x: Imported, padding: Widths, fill: float) -> Imported:
    """Surround the spatial axes with a constant. A negative width removes elements."""
    removed = [
        slice(max(-before, 0), n - max(-after, 0)) for (before, after), n in zip(padding, x.shape[2:], strict=True)
    ]
    if any(min(pair) < 0 for pair in padding):
        x = x[(slice(None), slice(None), *removed)]
    widths = [(0, 0), (0, 0), *[(max(before, 0), max(after, 0)) for before, after in padding]]
    return rearranging.pad(x, widths, constant_values=fill) if any(map(any, widths)) else x


@primitive("reduce_window_max")
def reduce_window_max(x: Imported, **params: Any) -> Imported:
    return largest(_windows(x, -math.inf, **params), -1)


@primitive("reduce_window_min")
def reduce_window_min(x: Imported, **params: Any) -> Imported:
    return -largest(-_windows(x, math.inf, **params), -1)


@primitive("reduce_window_sum")
def reduce_window_sum(x: Imported, **params: Any) -> Imported:
    return _windows(x, 0.0, **params).sum(axis=-1)


def _windows(
    x: Imported, fill: float, *, window_dimensions: Lengths, window_strides: Lengths, padding: Widths,
    base_dilation: Lengths, window_dilation: Lengths,
) -> Imported:  # fmt: skip
    """Return the windows of a pooling layer on one last axis."""
    if any(n != 1 for n in base_dilation):
        raise NotImplementedError("its base_dilation is not 1")
    axes = [
        axis
        for axis in range(x.ndim)
        if (window_dimensions[axis], window_strides[axis], tuple(padding[axis])) != (1, 1, (0, 0))
    ]
    others = [axis for axis in range(x.ndim) if axis not in axes]
    flat = _ordered(x, [*others, *axes])
    flat = view(flat, (1, math.prod([x.shape[axis] for axis in others]), *[x.shape[axis] for axis in axes]))
    wide = _padded(flat, [padding[axis] for axis in axes], fill)
    kernel, step, gap = ([n[axis] for axis in axes] for n in (window_dimensions, window_strides, window_dilation))
    found, positions = windows(wide, kernel, step, gap)
    found = view(found, (*[x.shape[axis] for axis in others], math.prod(kernel), *positions))
    count = len(others)
    last = _ordered(found, [*range(count), *range(count + 1, found.ndim), count])
    return _ordered(last, [*np.argsort([*others, *axes]), x.ndim])
