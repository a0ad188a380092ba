"""Checks of the matrices that the functions of `np.linalg` accept."""

from __future__ import annotations

import numpy as np

from tinygraph.tensor.array_ops import Operand
from tinygraph.tensor.operands import operand


def stack_of_matrices(name: str, x: object) -> Operand:
    """Return an argument as a Tensor or an array with at least two axes.

    Args:
        name: Name of the function, for messages.
        x: Argument.

    Returns:
        The matrix, or the stack of matrices.

    Raises:
        LinAlgError: If the argument has fewer than two axes.
    """
    found = operand(x, name)
    if found.ndim < 2:
        raise np.linalg.LinAlgError(f"{name} needs a matrix, or a stack of matrices, got shape {found.shape}")
    return found


def square(name: str, x: object) -> Operand:
    """Return an argument as a square matrix, or as a stack of square matrices.

    Args:
        name: Name of the function, for messages.
        x: Argument.

    Returns:
        A Tensor or an array.

    Raises:
        LinAlgError: If the matrices are not square.
    """
    found = stack_of_matrices(name, x)
    if found.shape[-1] != found.shape[-2]:
        raise np.linalg.LinAlgError(f"{name} needs a square matrix, or a stack of them, got shape {found.shape}")
    return found
