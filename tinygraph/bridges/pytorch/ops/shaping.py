"""ATen ops that move, select, repeat, join or replace elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.masks import chosen
from tinygraph.bridges.operands import Imported, array, exchanged, grid, is_node, reordered, stretched, view
from tinygraph.bridges.pytorch.ops.table import aten
from tinygraph.tensor.functions import joining, parts, rearranging, shaping
from tinygraph.tensor.indexing import index as index_op
from tinygraph.tensor.indexing import scatter_add as scatter_add_op
from tinygraph.tensor.indexing import set_elements

Shape = Sequence[int]
Array = np.ndarray[Any, np.dtype[Any]]


def select(x: Imported, axis: int, key: object) -> Imported:
    """Select elements along one axis.

    Args:
        x: Node or array.
        axis: Axis.
        key: Integer, slice or array of integers.

    Returns:
        The selected elements. The whole axis gives x itself.
    """
    axis %= max(x.ndim, 1)
    if isinstance(key, slice) and key.indices(x.shape[axis]) == (0, x.shape[axis], 1):
        return x
    place = (*[slice(None)] * axis, key)
    replaced = is_node(x) and x.op is not None and x.op.maker is set_elements and _is(x.op.parameters[0], place)
    return x.y if replaced and is_node(x.y) else x[place]


def replace(x: Imported, axis: int, key: object, values: Imported) -> Imported:
    """Replace elements along one axis.

    PyTorch writes a changed part back into its array, even if the array contains the part already. There is no node for
    such a replacement.

    Args:
        x: Node or array.
        axis: Axis.
        key: Integer, or slice.
        values: New elements.

    Returns:
        The node.
    """
    place = (*[slice(None)] * (axis % x.ndim), key)
    read = is_node(values) and values.op is not None and values.op.maker is index_op and values.x is x
    return x if read and _is(values.op.parameters[0], place) else parts.set_at(array(x), place, values)


def _is(key: object, place: tuple[object, ...]) -> bool:
    """Return whether a key is the given tuple of integers and slices."""
    key = key if isinstance(key, tuple) else (key,)
    return all(isinstance(part, (int, slice)) for part in (*key, *place)) and key == place


aten("view", "reshape", "_unsafe_view", "_reshape_copy")(view)


@aten("unsqueeze")
def unsqueeze(x: Imported, dim: int) -> Imported:
    dim %= x.ndim + 1
    return view(x, (*x.shape[:dim], 1, *x.shape[dim:]))


@aten("squeeze")
def squeeze(x: Imported, dim: int | Shape | None = None) -> Imported:
    axes = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = {axis % max(x.ndim, 1) for axis in axes}
    return view(x, [n for axis, n in enumerate(x.shape) if axis not in gone or n != 1])


@aten("permute")
def permute(x: Imported, dims: Shape) -> Imported:
    return reordered(x, dims)


@aten("t")
def t(x: Imported) -> Imported:
    return reordered(x, range(x.ndim)[::-1])


@aten("transpose")
def transpose(x: Imported, dim0: int, dim1: int) -> Imported:
    return exchanged(x, dim0, dim1)


@aten("expand")
def expand(x: Imported, size: Shape, *, implicit: bool = False) -> Imported:
    new = len(size) - x.ndim
    shape = tuple(x.shape[i - new] if n == -1 else n for i, n in enumerate(size))
    return stretched(x, shape)


@aten("repeat")
def repeat(x: Imported, repeats: Shape) -> Imported:
    return rearranging.tile(x, tuple(repeats)) if any(n != 1 for n in repeats) or len(repeats) > x.ndim else x


@aten("select")
def select_one(x: Imported, dim: int, index: int) -> Imported:
    return select(x, dim, int(index))


@aten("slice")
def slice_part(x: Imported, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Imported:
    return select(x, dim, slice(*slice(start, end, step).indices(x.shape[dim])))


@aten("narrow")
def narrow(x: Imported, dim: int, start: int, length: int) -> Imported:
    return select(x, dim, slice(start, start + length))


@aten("split", "unsafe_split")
def split(x: Imported, size: int, dim: int = 0) -> list[Imported]:
    return [select(x, dim, slice(i, min(i + size, x.shape[dim]))) for i in range(0, max(x.shape[dim], 1), size)]


@aten("split_with_sizes", "unsafe_split_with_sizes")
def split_with_sizes(x: Imported, sizes: Shape, dim: int = 0) -> list[Imported]:
    ends = np.cumsum(sizes).tolist()
    return [select(x, dim, slice(end - size, end)) for end, size in zip(ends, sizes, strict=True)]


@aten("chunk")
def chunk(x: Imported, chunks: int, dim: int = 0) -> list[Imported]:
    return split(x, -(-x.shape[dim] // chunks), dim)


@aten("unbind")
def unbind(x: Imported, dim: int = 0) -> list[Imported]:
    return [select(x, dim, i) for i in range(x.shape[dim])]


@aten("index_select")
def index_select(x: Imported, dim: int, index: Array) -> Imported:
    return select(x, dim, np.atleast_1d(index))


@aten("gather")
def gather(x: Imported, dim: int, index: Array, *, sparse_grad: bool = False) -> Imported:
    return x[grid(index, dim)]


@aten("index", "_unsafe_index")
def index(x: Imported, indices: Sequence[Array | None]) -> Imported:
    return x[_key(indices)]


def _key(indices: Sequence[Array | None]) -> tuple[Any, ...]:
    return tuple([slice(None) if places is None else places for places in indices])


@aten("diagonal")
def diagonal(x: Imported, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Imported:
    return parts.diagonal(x, offset, dim1, dim2)


@aten("flip")
def flip(x: Imported, dims: Shape) -> Imported:
    return rearranging.flip(x, tuple(dims))


@aten("roll")
def roll(x: Imported, shifts: Shape, dims: Shape = ()) -> Imported:
    return rearranging.roll(x, tuple(shifts), tuple(dims) or None) if dims else rearranging.roll(x, shifts[0])


@aten("tril")
def tril(x: Imported, diagonal: int = 0) -> Imported:
    return parts.tril(x, diagonal)


@aten("triu")
def triu(x: Imported, diagonal: int = 0) -> Imported:
    return parts.triu(x, diagonal)


@aten("unfold")
def unfold(x: Imported, dimension: int, size: int, step: int) -> Imported:
    starts = np.arange(0, x.shape[dimension] - size + 1, step)
    windows = select(x, dimension, starts[:, None] + np.arange(size))
    return shaping.moveaxis(windows, dimension % x.ndim + 1, -1)


# --- joining


@aten("cat")
def cat(tensors: Sequence[Imported], dim: int = 0) -> Imported:
    kept = [array(x) for x in tensors if x.shape != (0,)]  # PyTorch skips them
    return joining.concatenate(kept, dim)


@aten("stack")
def stack(tensors: Sequence[Imported], dim: int = 0) -> Imported:
    return joining.stack([array(x) for x in tensors], dim)


@aten("constant_pad_nd")
def constant_pad_nd(x: Imported, pad: Shape, value: float = 0.0) -> Imported:
    widths = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[-2::-2], pad[-1::-2], strict=True))
    for axis, (before, after) in enumerate(widths):  # a negative width removes elements
        if before < 0 or after < 0:
            x = select(x, axis, slice(max(-before, 0), x.shape[axis] - max(-after, 0)))
    added = tuple([(max(before, 0), max(after, 0)) for before, after in widths])
    return x if not any(map(any, added)) else rearranging.pad(x, added, constant_values=float(value))


@aten("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
def reflection_pad(x: Imported, padding: Shape) -> Imported:
    return _edge_pad(x, padding, "reflect")


@aten("replication_pad1d", "replication_pad2d", "replication_pad3d")
def replication_pad(x: Imported, padding: Shape) -> Imported:
    return _edge_pad(x, padding, "edge")


def _edge_pad(x: Imported, pad: Shape, mode: str) -> Imported:
    widths = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[-2::-2], pad[-1::-2], strict=True))
    return rearranging.pad(x, widths, mode)


# --- replacing: what changes in place become


@aten("fill")
def fill(x: Imported, value: Imported) -> Imported:
    return np.broadcast_to(array(value), x.shape)


@aten("select_scatter")
def select_scatter(x: Imported, src: Imported, dim: int, index: int) -> Imported:
    return replace(x, dim, int(index), src)


@aten("slice_scatter")
def slice_scatter(
    x: Imported, src: Imported, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Imported:
    key = slice(*slice(start, end, step).indices(x.shape[dim]))
    if key == slice(0, x.shape[dim], 1):
        return src
    return replace(x, dim, key, src)


@aten("diagonal_scatter")
def diagonal_scatter(x: Imported, src: Imported, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Imported:
    places = np.diagonal(np.arange(x.size).reshape(x.shape), offset, dim1, dim2)
    return parts.set_at(array(x), np.unravel_index(places, x.shape), src)


@aten("index_put", "_unsafe_index_put")
def index_put(x: Imported, indices: Sequence[Array | None], values: Imported, accumulate: bool = False) -> Imported:
    key = _key(indices)
    if accumulate:
        wide = np.broadcast_to(array(values), np.empty(x.shape, "V0")[key].shape)
        return x + scatter_add_op(key, x.shape)(wide)
    return parts.set_at(array(x), key, values)


@aten("scatter")
def scatter(x: Imported, dim: int, index: Array, src: Imported, *, reduce: str | None = None) -> Imported:
    values: Imported = src if isinstance(src, (int, float)) else _part(src, index.shape)
    return parts.set_at(array(x), grid(index, dim), values)


@aten("scatter_add")
def scatter_add(x: Imported, dim: int, index: Array, src: Imported) -> Imported:
    return x + scatter_add_op(grid(index, dim), x.shape)(array(_part(src, index.shape)))


@aten("index_add")
def index_add(x: Imported, dim: int, index: Array, source: Imported, *, alpha: float = 1) -> Imported:
    key = (*[slice(None)] * (dim % x.ndim), index)
    return x + scatter_add_op(key, x.shape)(array(source if alpha == 1 else alpha * source))


def _part(x: Imported, shape: Shape) -> Imported:
    """Return the first elements of an array along each axis."""
    key = tuple([slice(0, n) for n in shape])
    return x if x.shape == tuple(shape) else x[key] if not is_node(x) else index_op(key)(x)


@aten("masked_scatter")
def masked_scatter(x: Imported, mask: Array, source: Imported) -> Imported:
    wide = np.broadcast_to(mask, x.shape)
    places = (np.cumsum(wide.ravel()) - 1).clip(0).reshape(wide.shape)
    return chosen(wide, source.reshape(-1)[places], x)
