"""Ops that sort. The order comes from the current elements of an operand, so that `forward` never uses an old order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp

SORTING_KINDS = ("quicksort", "mergesort", "heapsort", "stable", "q", "m", "h", "s", None)  # NumPy's names


def order_of(x: Array, axis: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """Return the positions of the elements in ascending order. Equal elements keep their order, and NaN comes last.

    Args:
        x: Array.
        axis: Axis.

    Returns:
        The positions along the axis.
    """
    return np.argsort(x, axis=axis, kind="stable")


@parametrized(is_integer)
@lru_cache(maxsize=256)
def sort_over(axis: int) -> ArrayOp:
    """Return the op that sorts along an axis. Equal elements keep their order, also in the pullback.

    Args:
        axis: Axis.

    Returns:
        The op.

    Examples:
        >>> sort_over(0)(np.array([3.0, 1.0, 2.0]))
        array([1., 2., 3.])
    """
    return ArrayOp(
        "sort",
        lambda x: np.sort(x, axis=axis, kind="stable"),
        symbol=f"sort({{}}, axis={axis})",
        code="np.sort({}, axis={parameters[0]})",
        vjps=(lambda up, out, x: sorted_back(axis)(up, x),),
        jvp=lambda tangent, out, x: sorted_like(axis)(tangent, x),
        note=("moved back to the places in {0}",),
        maker=sort_over,
        parameters=(axis,),
    )


@parametrized(is_integer)
@lru_cache(maxsize=256)
def sorted_like(axis: int) -> ArrayOp:
    """Return the op that moves the elements of its first operand as if the second operand was sorted.

    Args:
        axis: Axis.

    Returns:
        An op with two operands of the same shape.

    Examples:
        >>> sorted_like(0)(np.array([10.0, 20.0, 30.0]), np.array([3.0, 1.0, 2.0]))
        array([20., 30., 10.])
    """
    return ArrayOp(
        "sorted_like",
        lambda x, y: np.take_along_axis(x, order_of(y, axis), axis),
        vjps=(lambda up, out, x, y: sorted_back(axis)(up, y), lambda up, out, x, y: up * ops.flat(y)),
        jvp=(None, lambda tangent, out, x, y: tangent * ops.flat(y)),
        symbol=f"sorted_like({{}}, {{}}, axis={axis})",
        maker=sorted_like,
        parameters=(axis,),
    )


@parametrized(is_integer)
@lru_cache(maxsize=256)
def sorted_back(axis: int) -> ArrayOp:
    """Return the pullback of `sorted_like`, which moves each element back to its place.

    Args:
        axis: Axis.

    Returns:
        An op with two operands of the same shape.

    Examples:
        >>> sorted_back(0)(np.array([20.0, 30.0, 10.0]), np.array([3.0, 1.0, 2.0]))
        array([10., 20., 30.])
    """

    def compute(x: Array, y: Array) -> Array:
        out = np.empty(x.shape)
        np.put_along_axis(out, order_of(y, axis), x, axis)
        return out

    return ArrayOp(
        "sorted_back",
        compute,
        vjps=(lambda up, out, x, y: sorted_like(axis)(up, y), lambda up, out, x, y: up * ops.flat(y)),
        jvp=(None, lambda tangent, out, x, y: tangent * ops.flat(y)),
        symbol=f"sorted_back({{}}, {{}}, axis={axis})",
        maker=sorted_back,
        parameters=(axis,),
    )
