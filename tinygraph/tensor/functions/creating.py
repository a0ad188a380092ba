"""Functions that create arrays of a Tensor's shape, copies, and other forms of a Tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.kernels.arrays import Array
from tinygraph.support.messages import described, one_of
from tinygraph.tensor.arguments import fitted, lengths, named, plain
from tinygraph.tensor.array_ops import ArrayOp, Operand, TracedArray
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.operands import operand

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

# --- arrays of the same shape, which have no gradient


def _like(
    name: str, a: Operand, *args: object, dtype: DTypeLike | None, shape: int | Sequence[int] | None, order: str
) -> Array:
    function = getattr(np, name)
    return named(name, a, function, plain(a), *args, dtype=dtype, shape=shape, order=order)


@numpy_function()
def zeros_like(
    a: Operand, dtype: DTypeLike | None = None, order: str = "K", shape: int | Sequence[int] | None = None
) -> Array:
    """Return an array of zeros, which is not a Tensor."""
    return _like("zeros_like", a, dtype=dtype, shape=shape, order=order)


@numpy_function()
def ones_like(
    a: Operand, dtype: DTypeLike | None = None, order: str = "K", shape: int | Sequence[int] | None = None
) -> Array:
    """Return an array of ones, which is not a Tensor."""
    return _like("ones_like", a, dtype=dtype, shape=shape, order=order)


@numpy_function()
def empty_like(
    prototype: Operand, dtype: DTypeLike | None = None, order: str = "K", shape: int | Sequence[int] | None = None
) -> Array:
    """Return an array whose elements are not set, and which is not a Tensor."""
    return _like("empty_like", prototype, dtype=dtype, shape=shape, order=order)


@numpy_function()
def full_like(
    a: Operand,
    fill_value: ArrayLike | Operand,
    dtype: DTypeLike | None = None,
    order: str = "K",
    shape: int | Sequence[int] | None = None,
) -> Operand:
    """Return an array of one value, which is not a Tensor unless the value is a Tensor."""
    if isinstance(fill_value, TracedArray):
        is_float("full_like", dtype)
        return fitted(
            "full_like", operand(fill_value, "full_like"), a.shape if shape is None else lengths("shape", shape)
        )
    return _like("full_like", a, fill_value, dtype=dtype, shape=shape, order=order)


# --- copies


def the_copy() -> ArrayOp:
    """Return the op of `copy`. A pickled graph stores a reference to this function."""
    return copy_elements


copy_elements: ArrayOp = ArrayOp(
    "copy",
    np.copy,
    code="np.copy({})",
    vjps=(lambda up, out, x: copy_elements(up),),
    note=("{up}",),
    moves=True,
    maker=the_copy,
)
PARAMETRIZED["copy"] = the_copy, ()


@numpy_function()
def copy(a: Operand, order: str = "C") -> Operand:
    """Return a node with the same value, through which the gradient flows. `detach` returns a constant instead.

    Args:
        a: Tensor.
        order: Layout in memory, which does not change the result.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0]).copy()
        Tensor([1.0, 2.0], op='copy')
    """
    one_of("order", order, ("C", "F", "A", "K"))
    return copy_elements(a)


def is_float(name: str, dtype: DTypeLike | None) -> None:
    """Check that a type of elements is float64, or None.

    Args:
        name: Name of the function that the user called.
        dtype: Type in NumPy's sense.

    Raises:
        TypeError: If it is another type.
    """
    try:
        if not isinstance(dtype, TracedArray) and np.dtype(dtype) == np.float64:
            return
    except (TypeError, ValueError):
        pass
    raise TypeError(
        f"{name}: the elements of a Tensor are float64, so dtype must be float, not {described(dtype)}: "
        f"use the .data of the Tensor if you need no gradient"
    )


@numpy_function()
def astype(x: Operand, dtype: DTypeLike | None, copy: bool = True) -> Operand:
    """Return this Tensor, whose elements are float64. Other types are refused.

    Args:
        x: Tensor.
        dtype: float, or another name of float64.
        copy: NumPy's option, which has no effect, because the elements of a node do not change.

    Returns:
        The same Tensor.

    Raises:
        TypeError: If `dtype` is another type.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0]).astype(float)
        Tensor([1.0, 2.0])
    """
    is_float("astype", dtype)
    return x


# --- real numbers


@numpy_function("real", "real_if_close")
def real(val: Operand) -> Operand:
    """Return this Tensor, whose elements are real numbers."""
    return val


@numpy_function()
def isrealobj(x: Operand) -> bool:
    """Return True, because the elements of a Tensor are real numbers."""
    return True


@numpy_function()
def iscomplexobj(x: Operand) -> bool:
    """Return False, because the elements of a Tensor are real numbers."""
    return False


@numpy_function()
def isreal(x: Operand) -> Array:
    """Return an array of True, because the elements of a Tensor are real numbers."""
    return np.ones(x.shape, bool)


@numpy_function()
def iscomplex(x: Operand) -> Array:
    """Return an array of False, because the elements of a Tensor are real numbers."""
    return np.zeros(x.shape, bool)
