"""Products of vectors, matrices and larger arrays: NumPy's dot, inner, outer, tensordot, kron, cross and others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described
from tinygraph.tensor.array_ops import Operand, TracedArray
from tinygraph.tensor.functions.linalg.contractions import einsum
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.indexing import stack
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.operands import is_operand, operand, plain_operand


def matrix_product(x: Any, y: Any) -> Any:
    """Return the matrix product, or NotImplemented if the other operand should decide.

    Args:
        x: Tensor or array with at least one axis.
        y: Tensor or array with at least one axis.
    """
    if not (is_operand(x) and is_operand(y)):
        return NotImplemented
    plain = [side.raw if isinstance(side, TracedArray) else plain_operand(side, "matmul") for side in (x, y)]
    if not all(map(np.ndim, plain)):
        raise ValueError("matmul needs vectors or matrices: for a scalar, use *")
    return matmul(x, y)


@numpy_function("linalg.matmul")
def linalg_matmul(x1: Operand, x2: Operand) -> Operand:
    """Return the matrix product, as `x1 @ x2`."""
    return matrix_product(operand(x1, "matmul"), operand(x2, "matmul"))  # type: ignore[no-any-return]


@numpy_function()
def dot(a: Operand, b: Operand) -> Operand:
    """Return the product of a and b by the rules of `np.dot`.

    Unlike `matmul`, `np.dot` pairs every row of a with every matrix of b if b has more than two axes. A scalar
    multiplies every element.

    Args:
        a: Tensor or array.
        b: Tensor or array. The length of its second to last axis is the length of the last axis of `a`.

    Returns:
        A Tensor, or an array if neither operand is a Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> dot(Tensor([1.0, 2.0]), [3.0, 4.0])
        Tensor(11.0, op='matmul')
    """
    a, b = operand(a, "dot"), operand(b, "dot")
    rows, columns = a.ndim, b.ndim
    if not (rows and columns):
        return a * b
    if rows < 2 or columns < 3:
        return matmul(a, b)
    return _contracted("dot", a, b, [rows - 1], [columns - 2])


@numpy_function()
def inner(a: Operand, b: Operand) -> Operand:
    """Return the sums of products over the last axes of both operands, as `np.inner`."""
    a, b = operand(a, "inner"), operand(b, "inner")
    if not (a.ndim and b.ndim):
        return a * b
    return _contracted("inner", a, b, [a.ndim - 1], [b.ndim - 1])


@numpy_function()
def vdot(a: Operand, b: Operand) -> Operand:
    """Return the sum of the products of all elements, as `np.vdot`."""
    a, b = operand(a, "vdot"), operand(b, "vdot")
    if a.size != b.size:
        raise ValueError(
            f"vdot needs operands with the same number of elements, got the shapes {a.shape} and {b.shape}"
        )
    return matmul(_raveled(a), _raveled(b))


@numpy_function()
def outer(a: Operand, b: Operand) -> Operand:
    """Return the products of each element of a and each element of b, as `np.outer`."""
    a, b = operand(a, "outer"), operand(b, "outer")
    return a.reshape(-1, 1) * b.reshape(1, -1)


@numpy_function("linalg.outer")
def linalg_outer(x1: Operand, x2: Operand) -> Operand:
    """Return the outer product of two vectors, as `np.linalg.outer`."""
    x1, x2 = operand(x1, "linalg.outer"), operand(x2, "linalg.outer")
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"linalg.outer needs 1-D arrays, got the shapes {x1.shape} and {x2.shape}: use np.outer")
    return outer(x1, x2)


@numpy_function("tensordot", "linalg.tensordot")
def tensordot(a: Operand, b: Operand, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Operand:
    """Return the sums of products over the given axes, as `np.tensordot`. They are computed by one matrix product.

    Args:
        a: Tensor or array.
        b: Tensor or array.
        axes: Number n, for the last n axes of `a` and the first n axes of `b`. Or a pair of axes, or of lists of axes.

    Returns:
        A Tensor, or an array if neither operand is a Tensor.

    Raises:
        ValueError: If the lengths of the axes differ.
    """
    a, b = operand(a, "tensordot"), operand(b, "tensordot")
    most = min(a.ndim, b.ndim)
    if isinstance(axes, int) or not hasattr(axes, "__len__"):
        n = check_integer("tensordot: axes", axes, least=0)
        if n > most:
            raise ValueError(f"tensordot: axes must be at most {most} for the shapes {a.shape} and {b.shape}, got {n}")
        return _contracted("tensordot", a, b, list(range(a.ndim - n, a.ndim)), list(range(n)))
    if len(axes) != 2:
        raise ValueError(f"tensordot: axes must be an integer or a pair, not {described(axes)}")
    first, second = map(_listed, axes)
    return _contracted("tensordot", a, b, first, second)


def _listed(axes: object) -> list[int]:
    found = np.atleast_1d(axes)  # type: ignore[call-overload]
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"tensordot: axes must contain integers, not {described(axes)}")
    return [int(axis) for axis in found]


def _contracted(name: str, a: Operand, b: Operand, first: list[int], second: list[int]) -> Operand:
    """Return the sums of products over axes of both operands, from one product of two matrices."""
    first, second = _axes(name, a, first), _axes(name, b, second)
    lengths = [a.shape[i] for i in first]
    if lengths != [b.shape[i] for i in second]:
        raise ValueError(
            f"{name}: axes {tuple(first)} of shape {a.shape} and axes {tuple(second)} of shape {b.shape} must have the "
            "same lengths"
        )
    rows, columns = [i for i in range(a.ndim) if i not in first], [i for i in range(b.ndim) if i not in second]
    left, right = [a.shape[i] for i in rows], [b.shape[i] for i in columns]
    n = math.prod(lengths)
    x = _arranged(a, [*rows, *first], (math.prod(left), n))
    y = _arranged(b, [*second, *columns], (n, math.prod(right)))
    return _shaped(matmul(x, y), (*left, *right))


def _axes(name: str, x: Operand, axes: list[int]) -> list[int]:
    return list(normalize_axis_tuple(axes, x.ndim, f"{name}: the axes"))


def _arranged(x: Operand, order: list[int], shape: tuple[int, int]) -> Operand:
    """Return the operand as a matrix, with its axes in the given order."""
    return _shaped(x if order == sorted(order) else x.transpose(order), shape)


def _shaped(x: Operand, shape: tuple[int, ...]) -> Operand:
    return x if x.shape == shape else x.reshape(shape)


def _raveled(x: Operand) -> Operand:
    return _shaped(x, (x.size,))


@numpy_function()
def kron(a: Operand, b: Operand) -> Operand:
    """Return the Kronecker product: each element of a times the whole array b, as `np.kron`."""
    a, b = operand(a, "kron"), operand(b, "kron")
    ndim = max(a.ndim, b.ndim)
    left, right = (1,) * (ndim - a.ndim) + a.shape, (1,) * (ndim - b.ndim) + b.shape
    spread = [n for side in left for n in (side, 1)], [n for side in right for n in (1, side)]
    product = _shaped(a, tuple(spread[0])) * _shaped(b, tuple(spread[1]))
    return _shaped(product, tuple([m * n for m, n in zip(left, right, strict=True)]))


@numpy_function()
def cross(
    a: Operand, b: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Operand:
    """Return the cross product of vectors with three elements, as `np.cross`.

    Args:
        a: Tensor or array.
        b: Tensor or array.
        axisa: Axis of `a` that contains the vectors. Defaults to the last axis.
        axisb: Axis of `b` that contains the vectors. Defaults to the last axis.
        axisc: Axis of the result that contains the vectors. Defaults to the last axis.
        axis: Axis for all three.

    Returns:
        A Tensor, or an array if neither operand is a Tensor.

    Raises:
        ValueError: If the vectors do not have three elements.
    """
    a, b = operand(a, "cross"), operand(b, "cross")
    if axis is not None:
        axisa, axisb, axisc = axis, axis, axis
    a, b = moved(a, axisa, -1), moved(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross needs vectors with 3 elements, got {a.shape[-1]} and {b.shape[-1]}: for a plane, compute "
            "x[0] * y[1] - x[1] * y[0]"
        )
    (a0, a1, a2), (b0, b1, b2) = ([x[..., i] for i in range(3)] for x in (a, b))
    parts = a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0
    return stack(normalize_axis_index(axisc, parts[0].ndim + 1))(*parts)


@numpy_function("linalg.cross")
def linalg_cross(x1: Operand, x2: Operand, axis: int = -1) -> Operand:
    """Return the cross product of vectors with three elements, as `np.linalg.cross`."""
    return cross(x1, x2, axis=axis)


@numpy_function("linalg.vecdot")
def vecdot(x1: Operand, x2: Operand, axis: int = -1) -> Operand:
    """Return the dot products of vectors along an axis, as `np.linalg.vecdot`."""
    x1, x2 = moved(operand(x1, "vecdot"), axis, -1), moved(operand(x2, "vecdot"), axis, -1)
    return einsum("...i,...i->...", x1, x2)


@numpy_function("linalg.multi_dot")
def multi_dot(arrays: Sequence[Operand]) -> Operand:
    """Return the matrix product of several arrays, in the order that needs the fewest multiplications.

    Args:
        arrays: Two or more matrices. The first and the last one can be vectors.

    Returns:
        A Tensor, or an array if none of the operands is a Tensor.

    References:
        T. H. Cormen et al., "Introduction to Algorithms", chapter 15.2, matrix-chain multiplication.
    """
    xs = [operand(x, "multi_dot") for x in arrays]
    if len(xs) < 2:
        raise ValueError(f"multi_dot needs at least two arrays, got {len(xs)}")
    ends = xs[0].ndim == 1, xs[-1].ndim == 1
    xs[0] = xs[0].reshape(1, -1) if ends[0] else xs[0]
    xs[-1] = xs[-1].reshape(-1, 1) if ends[1] else xs[-1]
    for x in xs:
        if x.ndim != 2:
            raise ValueError(f"multi_dot needs matrices, and vectors only at the ends, got an array of shape {x.shape}")
    product = _chain(xs, _splits([*[x.shape[0] for x in xs], xs[-1].shape[1]]), 0, len(xs) - 1)
    return product.reshape(product.shape[ends[0] : 2 - ends[1]]) if any(ends) else product


def _chain(xs: Sequence[Operand], splits: dict[tuple[int, int], int], first: int, last: int) -> Operand:
    """Return the product of the matrices from the first to the last one."""
    if first == last:
        return xs[first]
    at = splits[first, last]
    return matmul(_chain(xs, splits, first, at), _chain(xs, splits, at + 1, last))


def _splits(sides: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return where the product of each range of matrices is split, from the lengths of their sides."""
    n = len(sides) - 1
    cost = {(i, i): 0 for i in range(n)}
    splits = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            each = [cost[i, k] + cost[k + 1, j] + sides[i] * sides[k + 1] * sides[j + 1] for k in range(i, j)]
            cost[i, j] = min(each)
            splits[i, j] = i + each.index(cost[i, j])
    return splits


def moved(x: Operand, source: int, target: int) -> Operand:
    """Return the operand with one axis at another position.

    Args:
        x: Tensor or array.
        source: Axis to move.
        target: Position of the axis in the result.

    Returns:
        The operand itself, if the axis is already there.
    """
    source, target = normalize_axis_index(source, x.ndim), normalize_axis_index(target, x.ndim)
    if source == target:
        return x
    order = [i for i in range(x.ndim) if i != source]
    order.insert(target, source)
    return x.transpose(order)


def matvec(x1: Operand, x2: Operand) -> Operand:
    """Return the products of matrices and vectors, as `np.matvec`."""
    return einsum("...ij,...j->...i", x1, x2)


def vecmat(x1: Operand, x2: Operand) -> Operand:
    """Return the products of vectors and matrices, as `np.vecmat`."""
    return einsum("...i,...ij->...j", x1, x2)
