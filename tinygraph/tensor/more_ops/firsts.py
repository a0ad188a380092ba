"""Ops that select the first largest element along an axis. All of the gradient goes to this element.

The op `max` of `reductions` divides the gradient equally among equal elements. The ops here have PyTorch's convention
for max pooling. The position comes from the current elements, so that `forward` never uses an old one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.reductions import over, spread


def _position(x: Array, axis: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    found: np.ndarray[tuple[int, ...], np.dtype[np.intp]] = np.argmax(x, axis=axis, keepdims=True)
    return found  # that of the first NaN, if there is one


@parametrized(is_integer)
@lru_cache(maxsize=256)
def first_max(axis: int) -> ArrayOp:
    """Return the op that selects the largest element along an axis. NaN counts as larger than all numbers.

    Args:
        axis: Axis.

    Returns:
        The op.

    Examples:
        >>> first_max(0)(np.array([1.0, 3.0, 2.0]))
        array(3.)
    """
    return ArrayOp(
        "first_max",
        lambda x: first_max_like(axis).compute(x, x),
        symbol=over("max", axis),
        code="np.max({}, axis={parameters[0]})",
        vjps=(lambda up, out, x: at_first_max(axis)(up, x),),
        jvp=lambda tangent, out, x: first_max_like(axis)(tangent, x),
        note=("put at the first maximum of {0}",),
        maker=first_max,
        parameters=(axis,),
    )


@parametrized(is_integer)
@lru_cache(maxsize=256)
def first_max_like(axis: int) -> ArrayOp:
    """Return the op that selects the element of its first operand where the second operand has its first maximum.

    Args:
        axis: Axis.

    Returns:
        An op with two operands of the same shape.

    Examples:
        >>> first_max_like(0)(np.array([10.0, 20.0, 30.0]), np.array([1.0, 3.0, 2.0]))
        array(20.)
    """
    return ArrayOp(
        "first_max_like",
        lambda x, y: np.array(np.squeeze(np.take_along_axis(x, _position(y, axis), axis), axis)),
        vjps=(lambda up, out, x, y: at_first_max(axis)(up, y), lambda up, out, x, y: spread(up, y, axis) * ops.flat(y)),
        jvp=(None, lambda tangent, out, x, y: first_max_like(axis)(tangent * ops.flat(y), y)),
        symbol=f"first_max_like({{}}, {{}}, axis={axis})",
        maker=first_max_like,
        parameters=(axis,),
    )


@parametrized(is_integer)
@lru_cache(maxsize=256)
def at_first_max(axis: int) -> ArrayOp:
    """Return the pullback of `first_max_like`: an op that puts elements at the first maxima of its second operand.

    Args:
        axis: Axis.

    Returns:
        An op with two operands. The second one has one axis more than the first one.

    Examples:
        >>> at_first_max(0)(np.array(5.0), np.array([1.0, 3.0, 3.0]))
        array([0., 5., 0.])
    """

    def compute(x: Array, y: Array) -> Array:
        out = np.zeros(y.shape)
        np.put_along_axis(out, _position(y, axis), np.expand_dims(x, axis), axis)
        return out

    return ArrayOp(
        "at_first_max",
        compute,
        vjps=(lambda up, out, x, y: first_max_like(axis)(up, y), lambda up, out, x, y: up * ops.flat(y)),
        jvp=(None, lambda tangent, out, x, y: tangent * ops.flat(y)),
        symbol=f"at_first_max({{}}, {{}}, axis={axis})",
        maker=at_first_max,
        parameters=(axis,),
    )
