"""JAX primitives that move, select, repeat or join elements at fixed places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.jax.ops.table import primitive
from tinygraph.bridges.operands import Imported, array, reordered, squeezed, stretched, view, widened
from tinygraph.tensor.functions import joining, rearranging
from tinygraph.tensor.indexing import scatter_add

Axes = Sequence[int]


@primitive("reshape")
def reshape(x: Imported, *, new_sizes: Axes, dimensions: Axes | None = None) -> Imported:
    return view(x if dimensions is None else reordered(x, dimensions), new_sizes)


@primitive("squeeze")
def squeeze(x: Imported, *, dimensions: Axes) -> Imported:
    return squeezed(x, dimensions)


@primitive("expand_dims")
def expand_dims(x: Imported, *, dimensions: Axes) -> Imported:
    return widened(x, dimensions)


@primitive("transpose")
def transpose(x: Imported, *, permutation: Axes) -> Imported:
    return reordered(x, permutation)


@primitive("broadcast_in_dim")
def broadcast_in_dim(x: Imported, *, shape: Axes, broadcast_dimensions: Axes) -> Imported:
    lengths = [1] * len(shape)
    for n, axis in zip(x.shape, broadcast_dimensions, strict=True):
        lengths[axis] = n
    if tuple(lengths) == tuple(shape):
        return view(x, shape)
    first = next((axis for axis, n in enumerate(lengths) if n != 1), len(shape))
    narrow = view(x, lengths[min(first, len(shape) - x.ndim) :])  # NumPy adds leading axes itself
    return stretched(narrow, shape)


@primitive("concatenate")
def concatenate(*operands: Imported, dimension: int) -> Imported:
    return joining.concatenate([array(x) for x in operands], dimension)


@primitive("tile")
def tile(x: Imported, *, reps: Axes) -> Imported:
    return rearranging.tile(x, tuple(map(int, reps))) if any(n != 1 for n in reps) else x


@primitive("split")
def split(x: Imported, *, sizes: Axes, axis: int) -> list[Imported]:
    ends = np.cumsum(sizes).tolist()
    lead = (slice(None),) * axis
    return [x[(*lead, slice(end - n, end))] for end, n in zip(ends, sizes, strict=True)]


@primitive("slice")
def slice_of(x: Imported, *, start_indices: Axes, limit_indices: Axes, strides: Axes | None) -> Imported:
    key = _key(x, start_indices, limit_indices, strides or [1] * x.ndim)
    return x[key] if key else x


def _key(x: Imported, starts: Axes, ends: Axes, steps: Axes) -> tuple[slice, ...]:
    """Return the key of a part of an array, without the axes at the end that stay whole."""
    key = [slice(*map(int, ends)) for ends in zip(starts, ends, steps, strict=True)]
    while key and key[-1] == slice(0, x.shape[len(key) - 1], 1):
        key.pop()
    return tuple([slice(None) if part == slice(0, n, 1) else part for part, n in zip(key, x.shape, strict=False)])


@primitive("rev")
def rev(x: Imported, *, dimensions: Axes) -> Imported:
    return rearranging.flip(x, tuple(map(int, dimensions))) if len(dimensions) else x


@primitive("pad")
def pad(x: Imported, fill: Any, *, padding_config: Sequence[tuple[int, int, int]]) -> Imported:
    x = array(x)
    if any(inner for _, _, inner in padding_config):
        if np.any(fill):
            raise NotImplementedError("it puts another number than 0 between the elements")
        key = tuple([slice(None, None, inner + 1) for _, _, inner in padding_config])
        spread = [max((inner + 1) * (n - 1) + 1, 0) for (_, _, inner), n in zip(padding_config, x.shape, strict=True)]
        x = scatter_add(key, tuple(spread))(x)
    ends = [
        (max(-before, 0), n - max(-after, 0)) for (before, after, _), n in zip(padding_config, x.shape, strict=True)
    ]
    key = _key(x, [a for a, _ in ends], [b for _, b in ends], [1] * x.ndim)  # negative widths remove elements
    x = x[key] if key else x
    widths = [(max(before, 0), max(after, 0)) for before, after, _ in padding_config]
    return rearranging.pad(x, widths, constant_values=float(fill)) if any(map(any, widths)) else x


# --- loops: what an iteration of `scan` reads and returns


@primitive("element")
def element(x: Imported, *, index: int) -> Imported:
    return x[index]


@primitive("stack")
def stack(*operands: Imported, axis: int = 0) -> Imported:
    return joining.stack([array(x) for x in operands], axis)
