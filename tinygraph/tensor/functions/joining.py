"""Functions that join arrays: concatenate and stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygraph.kernels.arrays import as_array
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described
from tinygraph.tensor import indexing
from tinygraph.tensor.array_ops import Operand, TracedArray
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.operands import NOT_A_SEQUENCE


@numpy_function()
def concatenate(arrays: Sequence[Operand], axis: int = 0) -> Operand:
    """Join Tensors and arrays along an existing axis.

    Args:
        arrays: Tensors and arrays whose shapes differ only along `axis`.
        axis: Axis along which the arrays are joined. Defaults to 0.

    Returns:
        A Tensor, or an array if `arrays` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> concatenate([Tensor([1.0]), [2.0, 3.0]])
        Tensor([1.0, 2.0, 3.0], op='concatenate')
    """
    return _joined("concatenate", arrays, axis)


@numpy_function()
def stack(arrays: Sequence[Operand], axis: int = 0) -> Operand:
    """Join Tensors and arrays of the same shape along a new axis.

    Args:
        arrays: Tensors and arrays of the same shape.
        axis: Position of the new axis. Defaults to 0.

    Returns:
        A Tensor, or an array if `arrays` contains no Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> stack([Tensor(1.0), Tensor(2.0)])
        Tensor([1.0, 2.0], op='stack')
    """
    return _joined("stack", arrays, axis)


def _joined(name: str, arrays: Any, axis: int) -> Operand:
    """Join Tensors and arrays with the op of the given name, or refuse them by name."""
    if isinstance(arrays, NOT_A_SEQUENCE) or not hasattr(arrays, "__iter__"):
        raise TypeError(f"{name}: arrays must be a sequence of Tensors and arrays, not {described(arrays)}")
    parts = [x if isinstance(x, TracedArray) else as_array(x, f"{name}: each of the arrays") for x in arrays]
    op = getattr(indexing, name)(check_integer("axis", axis))
    if not parts:
        raise ValueError(f"{name}: arrays must contain at least one Tensor or array")
    try:
        return op(*parts)  # type: ignore[no-any-return]
    except ValueError as error:  # of NumPy: the shapes, or the axis
        shapes = ", ".join([str(getattr(x, "shape", ())) for x in parts])
        raise type(error)(f"{name} of arrays with the shapes {shapes}: {error}") from None
