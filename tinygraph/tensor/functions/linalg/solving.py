"""Inverses, linear equations, determinants, powers and diagonals of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tinygraph.support.arguments import check_integer
from tinygraph.tensor.array_ops import Operand, TracedArray
from tinygraph.tensor.functions.linalg.arguments import square, stack_of_matrices
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.indexing import index
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops import inverses
from tinygraph.tensor.operands import operand
from tinygraph.tensor.shapes import swap_last_axes


@numpy_function("linalg.inv")
def inv(a: Operand) -> Operand:
    """Return the inverse of a matrix, or of each matrix of a stack, as `np.linalg.inv`.

    Args:
        a: Tensor or array whose last two axes have the same length.

    Returns:
        A Tensor, or an array if `a` is an array.

    Raises:
        LinAlgError: If a matrix is not square, or is singular.

    Examples:
        >>> from tinygraph import Tensor
        >>> inv(Tensor([[2.0, 0.0], [0.0, 4.0]]))
        Tensor([[0.5, 0.0], [0.0, 0.25]], op='inv')
    """
    return inverses.inv(square("inv", a))


@numpy_function("linalg.solve")
def solve(a: Operand, b: Operand) -> Operand:
    """Return the solution x of the linear equations a @ x = b, as `np.linalg.solve`.

    Args:
        a: Square matrix, or a stack of them.
        b: Vector, or a matrix or a stack of matrices whose columns are the right sides.

    Returns:
        A Tensor, or an array if neither argument is a Tensor.

    Raises:
        LinAlgError: If a matrix is not square, or is singular.
        ValueError: If the shapes do not match.

    Examples:
        >>> from tinygraph import Tensor
        >>> solve(Tensor([[2.0, 0.0], [0.0, 4.0]]), [1.0, 1.0])
        Tensor([0.5, 0.25], op='reshape')
    """
    a, b = square("solve", a), operand(b, "solve")
    if not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"solve: a matrix of shape {a.shape} and right sides of shape {b.shape} do not match")
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ValueError(f"solve: stacks of shapes {a.shape} and {b.shape} do not match") from None
    if b.ndim > 1:
        return inverses.solve(a, b)
    x = inverses.solve(a, b.reshape(-1, 1))
    return x.reshape(x.shape[:-1])


@numpy_function("linalg.lstsq")
def lstsq(a: Operand, b: Operand, rcond: float | None = None) -> NoReturn:
    """Refuse `np.linalg.lstsq`, which also returns a rank and residuals that have no derivative."""
    raise TypeError("np.linalg.lstsq does not work on a Tensor: use np.linalg.pinv(a) @ b, which is its solution")


@numpy_function("linalg.tensorinv")
def tensorinv(a: Operand, ind: int = 2) -> Operand:
    """Return the inverse of an array as a linear map between arrays, as `np.linalg.tensorinv`."""
    a = operand(a, "tensorinv")
    check_integer("tensorinv: ind", ind, least=1)
    rows = math.prod(a.shape[ind:])
    matrix = a.reshape(rows, -1) if a.size == rows * rows else stack_of_matrices("tensorinv", a)
    return inv(matrix).reshape(*a.shape[ind:], *a.shape[:ind])


@numpy_function("linalg.tensorsolve")
def tensorsolve(a: Operand, b: Operand, axes: Sequence[int] | None = None) -> Operand:
    """Return the solution x of tensordot(a, x, x.ndim) = b, as `np.linalg.tensorsolve`."""
    a, b = operand(a, "tensorsolve"), operand(b, "tensorsolve")
    if axes is not None:
        last = [normalize_axis_index(axis, a.ndim) for axis in axes]
        a = a.transpose([*[i for i in range(a.ndim) if i not in last], *last])
    shape = a.shape[b.ndim - a.ndim :] if a.ndim > b.ndim else ()
    if math.prod(shape) * b.size != a.size or math.prod(shape) != b.size:
        raise np.linalg.LinAlgError(
            f"tensorsolve: the shapes {a.shape} and {b.shape} are not those of square equations"
        )
    return solve(a.reshape(b.size, b.size), b.reshape(-1)).reshape(shape)


@numpy_function("linalg.det")
def det(a: Operand) -> Operand:
    """Return the determinant of a matrix, or of each matrix of a stack, as `np.linalg.det`.

    The first two derivatives are right for singular matrices too. The third one needs an inverse.

    Args:
        a: Tensor or array whose last two axes have the same length.

    Returns:
        A Tensor, or an array if `a` is an array.

    Raises:
        LinAlgError: If a matrix is not square.

    Examples:
        >>> from tinygraph import Tensor, grad
        >>> A = Tensor([[0.0, 2.0], [0.0, 4.0]])
        >>> grad(det(A), A).round(12).tolist()
        [[4.0, 0.0], [-2.0, 0.0]]
    """
    return inverses.det(square("det", a))


class SlogdetResult(NamedTuple):
    """The sign and the logarithm of the absolute value of a determinant."""

    sign: Operand
    logabsdet: Operand


@numpy_function("linalg.slogdet")
def slogdet(a: Operand) -> SlogdetResult:
    """Return the sign and the logarithm of the absolute value of the determinant, as `np.linalg.slogdet`.

    The derivative of the sign is 0. The derivative of the logarithm needs an inverse.

    Args:
        a: Tensor or array whose last two axes have the same length.

    Returns:
        A namedtuple with `sign` and `logabsdet`.

    Raises:
        LinAlgError: If a matrix is not square.
    """
    a = square("slogdet", a)
    return SlogdetResult(inverses.signdet(a), inverses.logabsdet(a))


@numpy_function("linalg.matrix_power")
def matrix_power(a: Operand, n: int) -> Operand:
    """Return the product of n copies of a square matrix, as `np.linalg.matrix_power`.

    Args:
        a: Square matrix, or a stack of them.
        n: Integer. If it is negative, the inverse is multiplied.

    Returns:
        A Tensor, or an array if `a` is an array. For n = 0, the identity matrix as a constant.

    Raises:
        LinAlgError: If a matrix is not square, or is singular and n is negative.
    """
    a, n = square("matrix_power", a), check_integer("matrix_power: n", n)
    if n == 0:
        identity = np.broadcast_to(np.eye(a.shape[-1]), a.shape).copy()
        return type(a)(identity, constant=True) if isinstance(a, TracedArray) else identity
    a, n = inv(a) if n < 0 else a, abs(n)
    if n == 1:
        return a
    half = matrix_power(a, n // 2)
    even = matmul(half, half)
    return matmul(even, a) if n % 2 else even


@numpy_function("linalg.matrix_transpose")
def matrix_transpose(x: Operand) -> Operand:
    """Return the stack with each matrix transposed, as `np.linalg.matrix_transpose`."""
    return swap_last_axes(stack_of_matrices("matrix_transpose", x))


@numpy_function("linalg.diagonal")
def diagonal(x: Operand, offset: int = 0) -> Operand:
    """Return the diagonals of matrices, as `np.linalg.diagonal`.

    Args:
        x: Matrix, or a stack of matrices.
        offset: Number of the diagonal. Positive numbers are above the main diagonal. Defaults to 0.

    Returns:
        A Tensor, or an array if `x` is an array.
    """
    x, offset = stack_of_matrices("diagonal", x), check_integer("diagonal: offset", offset)
    rows, columns = x.shape[-2:]
    start = max(-offset, 0), max(offset, 0)
    steps = np.arange(max(min(rows - start[0], columns - start[1]), 0))
    return index((..., start[0] + steps, start[1] + steps))(x)


@numpy_function("linalg.trace")
def trace(x: Operand, offset: int = 0) -> Operand:
    """Return the sums of the diagonals of matrices, as `np.linalg.trace`.

    Args:
        x: Matrix, or a stack of matrices.
        offset: Number of the diagonal. Defaults to 0.

    Returns:
        A Tensor, or an array if `x` is an array.
    """
    return diagonal(x, offset).sum(axis=-1)
