"""JAX primitives that combine elements: sums, extrema, products of matrices, and linear algebra."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.jax.ops.table import WHOLE, Whole, primitive
from tinygraph.bridges.masks import chosen
from tinygraph.bridges.operands import Imported, array, exchanged, grid, stretched, view
from tinygraph.tensor.functions import cumulative, parts, predicates, rearranging, reductions, sorting
from tinygraph.tensor.functions.linalg import factorizations, solving
from tinygraph.tensor.functions.linalg.contractions import einsum
from tinygraph.tensor.functions.linalg.products import matrix_product
from tinygraph.tensor.functions.probabilities import logsumexp
from tinygraph.tensor.more_ops.softmax import log_softmax_over

Axes = Sequence[int]


def _axis(x: Imported, axes: Axes) -> Any:
    """Return axes as the tools write them: None for all axes, and a number for one axis."""
    if len(axes) == x.ndim:
        return None
    return int(axes[0]) if len(axes) == 1 else tuple(map(int, axes))


@primitive("reduce_sum")
def reduce_sum(x: Imported, *, axes: Axes) -> Imported:
    return x.sum(axis=_axis(x, axes)) if len(axes) else x


@primitive("reduce_max")
def reduce_max(x: Imported, *, axes: Axes) -> Imported:
    return x.max(axis=_axis(x, axes)) if len(axes) else x


@primitive("reduce_min")
def reduce_min(x: Imported, *, axes: Axes) -> Imported:
    return x.min(axis=_axis(x, axes)) if len(axes) else x


@primitive("reduce_prod")
def reduce_prod(x: Imported, *, axes: Axes) -> Imported:
    return reductions.prod(x, _axis(x, axes)) if len(axes) else x


@primitive("argmax")
def argmax(x: Imported, *, axes: Axes) -> Imported:
    return predicates.argmax(x, int(axes[0]))


@primitive("argmin")
def argmin(x: Imported, *, axes: Axes) -> Imported:
    return predicates.argmin(x, int(axes[0]))


@primitive("cumsum")
def cumsum(x: Imported, *, axis: int, reverse: bool) -> Imported:
    return _turned(cumulative.cumsum, x, axis, reverse)


@primitive("cumprod")
def cumprod(x: Imported, *, axis: int, reverse: bool) -> Imported:
    return _turned(cumulative.cumprod, x, axis, reverse)


@primitive("cummax")
def cummax(x: Imported, *, axis: int, reverse: bool) -> Imported:
    return exchanged(_beginnings(x, axis, reverse, -np.inf).max(axis=-1), axis, -1)


@primitive("cummin")
def cummin(x: Imported, *, axis: int, reverse: bool) -> Imported:
    return exchanged(_beginnings(x, axis, reverse, np.inf).min(axis=-1), axis, -1)


@primitive("cumlogsumexp")
def cumlogsumexp(x: Imported, *, axis: int, reverse: bool) -> Imported:
    return exchanged(logsumexp(_beginnings(x, axis, reverse, -np.inf), axis=-1), axis, -1)


def _turned(function: Any, x: Imported, axis: int, reverse: bool) -> Imported:
    """Accumulate along an axis, from its end if `reverse` is true."""
    return rearranging.flip(function(rearranging.flip(x, axis), axis), axis) if reverse else function(x, axis)


def _beginnings(x: Imported, axis: int, reverse: bool, fill: float) -> Imported:
    """Return, in each row, the elements that come before one element of an axis, and `fill` for the others."""
    n = x.shape[axis]
    mask = np.tri(n, dtype=bool).T if reverse else np.tri(n, dtype=bool)
    rows = exchanged(x, axis, -1)
    wide = stretched(view(rows, (*rows.shape[:-1], 1, n)), (*rows.shape[:-1], n, n))
    return chosen(mask, wide, fill)


@primitive("sort")
def sort(*operands: Imported, dimension: int, num_keys: int) -> list[Imported]:
    if len(operands) == 1:
        return [sorting.sort(operands[0], dimension)]
    if num_keys != 1:
        raise NotImplementedError(f"it sorts by {num_keys} keys, and not by one")
    key = grid(np.asarray(predicates.argsort(operands[0], dimension, stable=True)), dimension)
    return [sorting.sort(operands[0], dimension), *[x[key] for x in operands[1:]]]


@primitive("top_k")
def top_k(x: Imported, *, k: int, axis: int = -1) -> list[Imported]:
    order = np.asarray(predicates.argsort(-x, axis, stable=True))
    places = order[(*[slice(None)] * (axis % x.ndim), slice(0, k))]
    return [x[grid(places, axis)], places]


# --- products of matrices


@primitive("dot_general")
def dot_general(x: Imported, y: Imported, *, dimension_numbers: Any) -> Imported:
    x, y = array(x), array(y)
    (over_x, over_y), (batch_x, batch_y) = dimension_numbers
    if not x.ndim or not y.ndim:
        return x * y
    count = len(batch_x)
    leading = tuple(batch_x) == tuple(batch_y) == tuple(range(count))
    matrices = x.ndim - count == y.ndim - count == 2 or (not count and y.ndim <= 2)
    if leading and matrices and tuple(over_x) == (x.ndim - 1,) and tuple(over_y) == (count,):
        return matrix_product(x, y)
    letters = iter(string.ascii_letters)
    first = [next(letters) for _ in range(x.ndim)]
    second = [next(letters) for _ in range(y.ndim)]
    for i, k in (*zip(over_x, over_y, strict=True), *zip(batch_x, batch_y, strict=True)):
        second[k] = first[i]
    out = [first[i] for i in batch_x]
    out += [name for i, name in enumerate(first) if i not in (*over_x, *batch_x)]
    out += [name for i, name in enumerate(second) if i not in (*over_y, *batch_y)]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(out)}", x, y)


@primitive("cholesky")
def cholesky(x: Imported, *, symmetrize_input: bool = False) -> Imported:
    return factorizations.cholesky((x + exchanged(x, -1, -2)) / 2.0 if symmetrize_input else x)


@primitive("triangular_solve")
def triangular_solve(
    x: Imported, y: Imported, *, left_side: bool, lower: bool, transpose_a: bool, unit_diagonal: bool,
    conjugate_a: bool,
) -> Imported:  # fmt: skip
    x, y = array(x), array(y)
    matrix = parts.tril(x, -unit_diagonal) if lower else parts.triu(x, int(unit_diagonal))
    if unit_diagonal:
        matrix = matrix + np.eye(x.shape[-1])
    if transpose_a == left_side:  # exactly one of both turns the matrix
        matrix = exchanged(matrix, -1, -2)
    return solving.solve(matrix, y) if left_side else exchanged(solving.solve(matrix, exchanged(y, -1, -2)), -1, -2)


WHOLE["log_softmax"] = Whole(lambda x, axis: log_softmax_over(axis)(x), "jax.nn", axis=True)
WHOLE["solve"] = Whole(lambda x, y: solving.solve(array(x), array(y)), "jax.numpy.linalg")
WHOLE["inv"] = Whole(solving.inv, "jax.numpy.linalg")
WHOLE["det"] = Whole(solving.det, "jax.numpy.linalg")
