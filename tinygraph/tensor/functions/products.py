"""Products of vectors and matrices: the matrix product and NumPy's dot product."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.kernels.arrays import as_array
from tinygraph.tensor.array_ops import Operand, TracedArray
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.operands import is_operand, plain_operand


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


@numpy_function()
def dot(a: Operand, b: Operand) -> Operand:
    """Return the product of a and b by the rules of `np.dot`.

    Unlike `matmul`, `np.dot` pairs every row of a with every matrix of b if b has more than two axes.
    """
    ndim, other = getattr(a, "ndim", None), getattr(b, "ndim", None)
    if ndim is None:
        return dot(as_array(a, "dot"), b)
    if other is None:
        return dot(a, as_array(b, "dot"))
    if not (ndim and other):
        return a * b
    if ndim < 2 or other < 3:
        return matmul(a, b)
    columns = b.transpose(b.ndim - 2, *range(b.ndim - 2), b.ndim - 1).reshape(b.shape[-2], -1)
    return matmul(a, columns).reshape(*a.shape[:-1], *b.shape[:-2], b.shape[-1])
