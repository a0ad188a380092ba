"""What the ops on matrices share: their registration, their errors, and short products."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.engine.registry import parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, Operand
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops.contractions import einsum
from tinygraph.tensor.shapes import reshape

_FIXED: dict[str, ArrayOp] = {}
_STACK = string.ascii_letters.replace("i", "").replace("j", "")


def is_fixed(x: object) -> bool:
    """Return whether a parameter is the name of an op that `matrix_op` returns.

    Args:
        x: Parameter to check.

    Returns:
        True for a name such as "inv".
    """
    return isinstance(x, str) and x in _FIXED


@parametrized(is_fixed)
def matrix_op(name: str) -> ArrayOp:
    """Return an op without parameters by its name. A saved or pickled graph stores a reference to this function.

    Args:
        name: Name of the op.

    Returns:
        The op.

    Examples:
        >>> from tinygraph.tensor.more_ops.inverses import inv
        >>> matrix_op("inv") is inv
        True
    """
    return _FIXED[name]


def fixed(name: str, compute: Callable[..., Any], **columns: Any) -> ArrayOp:
    """Define an op without parameters.

    Args:
        name: Name of the op.
        compute: Function that computes the result from arrays.
        **columns: Keyword arguments of `ArrayOp`.

    Returns:
        The op.
    """
    _FIXED[name] = op = ArrayOp(name, compute, **columns, maker=matrix_op, parameters=(name,))
    return op


def guarded(name: str, compute: Callable[..., Any], advice: str) -> Callable[..., Any]:
    """Return a matrix function whose LinAlgError names the op and the shape of the operand.

    Args:
        name: Name of the op.
        compute: Function of NumPy's `linalg`.
        advice: What the user can do.

    Returns:
        The function.
    """

    def call(x: Array, *others: Array) -> Any:
        try:
            return compute(x, *others)
        except np.linalg.LinAlgError as error:
            what = "a matrix" if x.ndim == 2 else "a stack of matrices"
            message = f"{name} of {what} of shape {x.shape}: {error}. {advice}"
            raise np.linalg.LinAlgError(message) from None

    return call


def times(*factors: Operand) -> Operand:
    """Return a product of matrices, from left to right.

    Args:
        *factors: Stacks of matrices.

    Returns:
        The product.
    """
    product, *others = factors
    for factor in others:
        product = matmul(product, factor)
    return product


def spread(x: Operand) -> Operand:
    """Return one number per matrix as a stack of matrices with one element.

    Args:
        x: Stack of numbers.

    Returns:
        The same numbers, with two more axes of length 1.
    """
    return reshape((*x.shape, 1, 1))(x)


def row(x: Operand) -> Operand:
    """Return a stack of vectors as a stack of matrices with one row.

    Args:
        x: Stack of vectors.

    Returns:
        The same numbers, with one more axis of length 1.
    """
    return reshape((*x.shape[:-1], 1, x.shape[-1]))(x)


def column(x: Operand) -> Operand:
    """Return a stack of vectors as a stack of matrices with one column.

    Args:
        x: Stack of vectors.

    Returns:
        The same numbers, with one more axis of length 1.
    """
    return reshape((*x.shape, 1))(x)


def inner(x: Operand, y: Operand) -> Operand:
    """Return the sum of the elementwise products of two matrices, for each pair of matrices of two stacks.

    Args:
        x: Stack of matrices.
        y: Stack of matrices with the same shape.

    Returns:
        One number per matrix.
    """
    stack = _STACK[: x.ndim - 2]
    return einsum(f"{stack}ij,{stack}ij->{stack}")(x, y)
