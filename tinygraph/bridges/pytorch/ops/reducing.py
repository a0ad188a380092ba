"""ATen ops that combine elements: sums, products of matrices, extrema, norms and softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.operands import Imported, array, largest, widened
from tinygraph.bridges.pytorch.ops.elementwise import scaled
from tinygraph.bridges.pytorch.ops.table import aten
from tinygraph.engine import ops
from tinygraph.tensor.functions import cumulative, predicates, reductions, sorting
from tinygraph.tensor.functions.linalg import norms, solving
from tinygraph.tensor.functions.linalg.contractions import einsum as einsum_of
from tinygraph.tensor.functions.linalg.products import matrix_product
from tinygraph.tensor.functions.probabilities import logsumexp as logsumexp_of
from tinygraph.tensor.more_ops.softmax import log_softmax_over, softmax_over

Shape = Sequence[int]
Dims = int | Shape | None
Array = np.ndarray[Any, np.dtype[Any]]


def axes(x: Imported, dim: Dims) -> Any:
    """Return PyTorch's dimensions as NumPy's axes.

    Args:
        x: Operand.
        dim: Dimension, several of them, or None. An empty list means all of them.

    Returns:
        The axis, a tuple of axes, or None.
    """
    if dim is None or not x.ndim or (not isinstance(dim, int) and not len(dim)):
        return None
    found = [axis % x.ndim for axis in ([dim] if isinstance(dim, int) else dim)]
    return found[0] if len(found) == 1 else tuple(found)


@aten("sum")
def sum(x: Imported, dim: Dims = None, keepdim: bool = False, *, dtype: object = None) -> Imported:
    return x.sum(axis=axes(x, dim), keepdims=keepdim)


@aten("mean")
def mean(x: Imported, dim: Dims = None, keepdim: bool = False, *, dtype: object = None) -> Imported:
    return x.mean(axis=axes(x, dim), keepdims=keepdim)


@aten("prod")
def prod(x: Imported, dim: int | None = None, keepdim: bool = False, *, dtype: object = None) -> Imported:
    return reductions.prod(x, axes(x, dim), keepdims=keepdim)


@aten("cumsum")
def cumsum(x: Imported, dim: int, *, dtype: object = None) -> Imported:
    return cumulative.cumsum(x, dim) if x.ndim else x


@aten("cumprod")
def cumprod(x: Imported, dim: int, *, dtype: object = None) -> Imported:
    return cumulative.cumprod(x, dim) if x.ndim else x


@aten("var")
def var(x: Imported, dim: Dims = None, *, correction: float | None = 1, keepdim: bool = False) -> Imported:
    freedom = 1.0 if correction is None else float(correction)
    return reductions.var(x, axes(x, dim), ddof=freedom, keepdims=keepdim)


@aten("var_mean")
def var_mean(x: Imported, dim: Dims = None, *, correction: float | None = 1, keepdim: bool = False) -> Imported:
    return var(x, dim, correction=correction, keepdim=keepdim), mean(x, dim, keepdim)


@aten("std")
def std(x: Imported, dim: Dims = None, *, correction: float | None = 1, keepdim: bool = False) -> Imported:
    return ops.sqrt(var(x, dim, correction=correction, keepdim=keepdim))


@aten("linalg_vector_norm")
def vector_norm(
    x: Imported, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: object = None
) -> Imported:
    return norms.vector_norm(x, axis=axes(x, dim), keepdims=keepdim, ord=ord)


@aten("_cdist_forward")
def distances(x: Imported, y: Imported, p: float, compute_mode: int | None) -> Imported:
    return norms.vector_norm(x[..., :, None, :] - y[..., None, :, :], axis=-1, ord=p)


# --- extrema and orders


@aten("amax")
def amax(x: Imported, dim: Dims = (), keepdim: bool = False) -> Imported:
    return x.max(axis=axes(x, dim), keepdims=keepdim)


@aten("amin")
def amin(x: Imported, dim: Dims = (), keepdim: bool = False) -> Imported:
    return x.min(axis=axes(x, dim), keepdims=keepdim)


@aten("max.default")
def max_of_all(x: Imported) -> Imported:
    return x.max()


@aten("min.default")
def min_of_all(x: Imported) -> Imported:
    return x.min()


@aten("max.dim")
def max_along(x: Imported, dim: int, keepdim: bool = False) -> tuple[Imported, Imported]:
    return largest(x, dim, keepdim), predicates.argmax(x, dim, keepdims=keepdim)


@aten("min.dim")
def min_along(x: Imported, dim: int, keepdim: bool = False) -> tuple[Imported, Imported]:
    return -largest(-x, dim, keepdim), predicates.argmin(x, dim, keepdims=keepdim)


@aten("argmax")
def argmax(x: Imported, dim: int | None = None, keepdim: bool = False) -> Imported:
    return predicates.argmax(x, dim, keepdims=keepdim)


@aten("argmin")
def argmin(x: Imported, dim: int | None = None, keepdim: bool = False) -> Imported:
    return predicates.argmin(x, dim, keepdims=keepdim)


@aten("sort")
def sort(x: Imported, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Imported:
    found = -sorting.sort(-x, dim) if descending else sorting.sort(x, dim)
    return found, predicates.argsort(-x if descending else x, dim, stable=True)


@aten("median.dim")
def median_along(x: Imported, dim: int, keepdim: bool = False) -> tuple[Imported, Imported]:
    values, places = sort(x, dim)
    key: list[Any] = [slice(None)] * (dim % x.ndim) + [(x.shape[dim] - 1) // 2]  # the lower one of two
    if keepdim:
        key[-1] = slice(key[-1], key[-1] + 1)
    return values[tuple(key)], places[tuple(key)]


@aten("median")
def median(x: Imported) -> Imported:
    return sorting.sort(x.reshape(-1))[(x.size - 1) // 2]


@aten("topk")
def topk(x: Imported, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Imported:
    values, places = sort(x, dim, largest)
    key = (*[slice(None)] * (dim % x.ndim), slice(0, k))
    return values[key], places[key]


# --- products


@aten("mm", "bmm", "mv", "dot", "matmul")
def product(x: Imported, y: Imported) -> Imported:
    return matrix_product(array(x), array(y))


@aten("addmm", "addmv", "baddbmm")
def add_product(bias: Imported, x: Imported, y: Imported, *, beta: float = 1, alpha: float = 1) -> Imported:
    return scaled(product(x, y), alpha) + scaled(bias, beta)


@aten("linear")
def linear(x: Imported, weight: Imported, bias: Imported = None) -> Imported:
    out = product(x, weight.T)
    return out if bias is None else out + bias


@aten("einsum")
def einsum(equation: str, operands: Sequence[Imported], *, path: object = None) -> Imported:
    return einsum_of(equation.replace(" ", ""), *map(array, operands))


@aten("_trilinear")
def trilinear(
    x: Imported, y: Imported, z: Imported, expand1: Shape, expand2: Shape, expand3: Shape, sumdim: Shape,
    unroll_dim: int = 1,
) -> Imported:  # fmt: skip
    factors = [widened(array(a), new) for a, new in ((x, expand1), (y, expand2), (z, expand3))]
    return (factors[0] * factors[1] * factors[2]).sum(axis=tuple(sumdim))


@aten("_linalg_det", "linalg_det")
def det(x: Imported) -> tuple[Imported, None, None]:
    return solving.det(x), None, None


@aten("linalg_inv_ex")
def inv(x: Imported, *, check_errors: bool = False) -> tuple[Imported, None]:
    return solving.inv(x), None


# --- softmax


@aten("_softmax", "_safe_softmax")
def softmax(x: Imported, dim: int, half_to_float: bool = False, *, dtype: object = None) -> Imported:
    return softmax_over(dim % x.ndim if x.ndim else None)(x)


@aten("_log_softmax")
def log_softmax(x: Imported, dim: int, half_to_float: bool = False) -> Imported:
    return log_softmax_over(dim % x.ndim if x.ndim else None)(x)


@aten("logsumexp")
def logsumexp(x: Imported, dim: Dims, keepdim: bool = False) -> Imported:
    return logsumexp_of(x, axes(x, dim), keepdims=keepdim)
