"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math

from numpy.lib.array_utils import normalize_axis_tuple

from tinygraph.engine import ops
from tinygraph.support.messages import described, one_of
from tinygraph.tensor.array_ops import Axis, Operand
from tinygraph.tensor.functions.linalg.arguments import square, stack_of_matrices
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.more_ops import factorizations, inverses
from tinygraph.tensor.more_ops.roots import root
from tinygraph.tensor.operands import operand

Order = float | str | None


@numpy_function("linalg.norm")
def norm(x: Operand, ord: Order = None, axis: Axis = None, keepdims: bool = False) -> Operand:
    """Return the norm of a vector or a matrix, as `np.linalg.norm`.

    At the zero vector, where the 2-norm has no derivative, its derivatives are 0.

    Args:
        x: Tensor or array.
        ord: Order of the norm. For vectors: a number other than 0, inf or -inf; for matrices: "fro", "nuc", 1, -1, 2,
            -2, inf or -inf. Defaults to the square root of the sum of all squares.
        axis: Axis for norms of vectors, or a pair of axes for norms of matrices. Defaults to all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A Tensor, or an array if `x` is an array.

    Raises:
        ValueError: If the order is not one of these, or does not fit the number of axes.
        TypeError: If the order is 0.

    Examples:
        >>> from tinygraph import Tensor
        >>> norm(Tensor([3.0, 4.0]))
        Tensor(5.0, op='root')
    """
    x = operand(x, "norm")
    if axis is None and ord is not None and x.ndim not in (1, 2):
        raise ValueError(f"norm with ord={ord!r} of an array of shape {x.shape}: pass axis=, an axis or a pair of axes")
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim, "norm: axis")
    if ord is None and (axis is None or len(axes) < 3):
        return _vectors(x, 2, axes, keepdims)
    if len(axes) == 1:
        return _vectors(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrices(x, ord, axes, keepdims)
    raise ValueError(f"norm: axis must be an axis or a pair of axes, not {described(axis)}")


@numpy_function("linalg.vector_norm")
def vector_norm(x: Operand, axis: Axis = None, keepdims: bool = False, ord: Order = 2) -> Operand:
    """Return norms of vectors, as `np.linalg.vector_norm`. With several axes, their elements form one vector.

    Args:
        x: Tensor or array.
        axis: Axis, or tuple of axes. Defaults to all axes.
        keepdims: If true, keep the reduced axes with length 1.
        ord: Order of the norm: a number other than 0, inf or -inf. Defaults to 2.

    Returns:
        A Tensor, or an array if `x` is an array.
    """
    x = operand(x, "vector_norm")
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim, "vector_norm: axis")
    return _vectors(x, ord, axes, keepdims)


@numpy_function("linalg.matrix_norm")
def matrix_norm(x: Operand, keepdims: bool = False, ord: Order = "fro") -> Operand:
    """Return norms of matrices, over the last two axes, as `np.linalg.matrix_norm`.

    Args:
        x: Matrix, or a stack of matrices.
        keepdims: If true, keep the reduced axes with length 1.
        ord: Order of the norm, as for `norm`. Defaults to "fro".

    Returns:
        A Tensor, or an array if `x` is an array.
    """
    x = stack_of_matrices("matrix_norm", x)
    return _matrices(x, ord, (x.ndim - 2, x.ndim - 1), keepdims)


def _vectors(x: Operand, order: Order, axes: tuple[int, ...], keepdims: bool) -> Operand:
    if order is None or order == 2:
        return root(0.5)((x * x).sum(axes, keepdims=keepdims))
    if order == 0:
        raise TypeError("norm with ord=0 does not work on a Tensor: to count elements, use np.count_nonzero(t.data)")
    if isinstance(order, str) or math.isnan(order):
        raise ValueError(f"norm of vectors: ord must be inf, -inf or a number other than 0, not {described(order)}")
    size: Operand = ops.abs(x)
    if math.isinf(order):
        return size.max(axes, keepdims=keepdims) if order > 0 else size.min(axes, keepdims=keepdims)
    if order == 1:
        return size.sum(axes, keepdims=keepdims)
    return root(1.0 / order)((size ** float(order)).sum(axes, keepdims=keepdims))


_MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def _matrices(x: Operand, order: Order, axes: tuple[int, ...], keepdims: bool) -> Operand:
    if order is None or order == "fro":
        return _vectors(x, 2, axes, keepdims)
    one_of("norm of matrices: ord", order, _MATRIX_ORDERS)
    rows, columns = axes
    if order in ("nuc", 2, -2):
        others = [i for i in range(x.ndim) if i not in axes]
        arranged = [*others, rows, columns]
        values = factorizations.svdvals(x if arranged == sorted(arranged) else x.transpose(arranged))
        found = values.sum(-1) if order == "nuc" else values.max(-1) if order == 2 else values.min(-1)
    else:
        summed, reduced = (rows, columns) if order in (1, -1) else (columns, rows)
        sums = ops.abs(x).sum(summed, keepdims=True)
        found = sums.max(reduced, keepdims=True) if order > 0 else sums.min(reduced, keepdims=True)  # type: ignore[operator]
    kept = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])
    shape = kept if keepdims else tuple([n for i, n in enumerate(x.shape) if i not in axes])
    return found if found.shape == shape else found.reshape(shape)


@numpy_function("linalg.cond")
def cond(x: Operand, p: Order = None) -> Operand:
    """Return the condition number of a matrix, or of each matrix of a stack, as `np.linalg.cond`.

    Args:
        x: Matrix, or a stack of matrices.
        p: Order of the norm, as for `norm`. Defaults to 2.

    Returns:
        A Tensor, or an array if `x` is an array.

    Raises:
        LinAlgError: If a matrix is singular and `p` is not 2, -2 or None.
    """
    x = stack_of_matrices("cond", x)
    if p in (None, 2, -2):
        values = factorizations.svdvals(x)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    x = square("cond", x)
    return matrix_norm(x, ord=p) * matrix_norm(inverses.inv(x), ord=p)
