"""JAX primitives that read or write elements at computed places.

JAX itself computes the places: it applies the primitive to an array of positions. So no rule for indices outside of the
array, for batches or for windows is written a second time.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.jax.ops.table import Array, primitive
from tinygraph.bridges.masks import chosen
from tinygraph.bridges.operands import Imported, array, view
from tinygraph.tensor.functions import parts
from tinygraph.tensor.indexing import index as index_op
from tinygraph.tensor.indexing import scatter_add


def _lax(name: str, *operands: Imported, **params: object) -> Array:
    """Apply a primitive of JAX to arrays."""
    found = getattr(import_module("jax.lax"), f"{name}_p").bind(*map(np.asarray, operands), **params)
    return np.asarray(found)


def _positions(x: Imported) -> Array:
    return np.arange(1, math.prod(x.shape) + 1).reshape(x.shape)


@primitive("dynamic_slice")
def dynamic_slice(x: Imported, *starts: Imported, slice_sizes: Any) -> Imported:
    return x[_window(x, starts, slice_sizes)]


def _window(x: Imported, starts: Any, sizes: Any) -> tuple[slice, ...]:
    """Return the key of a window. As in JAX, a window that would end outside of the array is moved inside."""
    key = []
    for start, n, size in zip(starts, x.shape, sizes, strict=True):
        first = min(max(int(start), 0), n - size)
        key.append(slice(None) if size == n else slice(first, first + size))
    return tuple(key)


@primitive("dynamic_update_slice")
def dynamic_update_slice(x: Imported, values: Imported, *starts: Imported) -> Imported:
    return parts.set_at(array(x), _window(x, starts, np.shape(values)), array(values))


@primitive("gather")
def gather(
    x: Imported, places: Imported, *, dimension_numbers: Any, slice_sizes: Any, mode: Any, fill_value: Any = None
) -> Imported:
    numbers = dimension_numbers
    found = _lax(
        "gather", _positions(x), places, dimension_numbers=numbers, slice_sizes=slice_sizes, mode=mode, fill_value=0,
        indices_are_sorted=False, unique_indices=False,
    )  # fmt: skip
    inside = found > 0
    if not inside.any():
        raise NotImplementedError("no index is inside of the array")
    key = _rows(x, found) if inside.all() else None
    if key is not None:
        return x[key]
    out = index_op(np.where(inside, found - 1, 0))(view(x, (-1,)))
    return out if inside.all() else chosen(inside, out, np.nan if fill_value is None else fill_value)


def _rows(x: Imported, found: Array) -> Any:
    """Return the key if the positions are those of whole rows of an array, as in an embedding, or of its elements."""
    if x.ndim == 1:
        return found - 1 if found.ndim else int(found) - 1
    inner = math.prod(x.shape[1:])
    if found.shape[found.ndim - x.ndim + 1 :] != x.shape[1:] or found.ndim < x.ndim - 1:
        return None
    rows = (found.reshape(-1, inner)[:, 0] - 1) // inner
    whole = rows[:, None] * inner + np.arange(1, inner + 1)
    if not np.array_equal(whole, found.reshape(-1, inner)):
        return None
    rows = rows.reshape(found.shape[: found.ndim - x.ndim + 1])
    return rows if rows.ndim else int(rows)


def _written(x: Imported, places: Imported, values: Imported, params: Any) -> tuple[Array, Array]:
    """Return the position in x for each of the new values, and whether the value is written at all."""
    jax = import_module("jax")
    zeros, new = np.zeros(np.shape(x)), np.zeros(np.shape(values))

    def added(values: object) -> object:
        return jax.lax.scatter_add(zeros, np.asarray(places), values, params["dimension_numbers"], mode=params["mode"])

    _, pullback = jax.vjp(added, new)  # the derivative reads the elements to which the values are added
    found = np.asarray(pullback(_positions(x).astype(float))[0]).astype(int)
    return np.maximum(found - 1, 0), found > 0


@primitive("scatter-add", "scatter_add")
def scatter_to_sum(x: Imported, places: Imported, values: Imported, **params: Any) -> Imported:
    found, inside = _written(x, places, values, params)
    if not inside.all():
        values = chosen(inside, array(values), 0.0)
    key = np.unravel_index(found, np.shape(x))
    rows = found.reshape(-1) if np.ndim(x) == 1 else key
    flat = view(array(values), (-1,)) if np.ndim(x) == 1 else array(values)
    total = scatter_add(rows, tuple(np.shape(x)))(flat)
    return total if not np.any(getattr(x, "data", x)) and not hasattr(x, "op") else x + total


@primitive("scatter")
def scatter(x: Imported, places: Imported, values: Imported, **params: Any) -> Imported:
    found, inside = _written(x, places, values, params)
    key = np.unravel_index(found, np.shape(x))
    if not inside.all():
        raise NotImplementedError("an index is outside of the array")
    return parts.set_at(array(x), key, array(values))


@primitive("scatter_mul", "scatter-mul")
def scatter_to_multiply(x: Imported, places: Imported, values: Imported, **params: Any) -> Imported:
    found, inside = _written(x, places, values, params)
    if len(np.unique(found)) < found.size or not inside.all():
        raise NotImplementedError("an index is outside of the array, or occurs twice")
    key = np.unravel_index(found, np.shape(x))
    return parts.set_at(array(x), key, array(x)[key] * values)
