"""Ops that select elements by a mask, and ops that replace elements: those that a mask excludes, and NaN."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import is_number, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, JoinOp, Operand


def is_mask(x: object) -> bool:
    """Return whether a parameter is a mask.

    Args:
        x: Parameter to check.

    Returns:
        True for an array of bools.
    """
    return isinstance(x, np.ndarray) and x.dtype == bool


@parametrized(is_mask)
def select(mask: np.ndarray) -> JoinOp:
    """Return the op that selects the elements of its first operand where a mask is true, and else of its second one.

    The gradient is selected, too. It is not multiplied by 0 or 1, because 0 times infinity is NaN. In forward mode, a
    tangent that is not selected is multiplied by 0. If it is not finite, the gradient of that element is NaN, because
    the chain rule multiplies 0 by a local derivative that is not finite. So both modes give NaN.

    Args:
        mask: Array of bools with the shape of both operands.

    Returns:
        An op with two operands of the shape of the mask.

    Examples:
        >>> select(np.array([True, False]))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        array([1., 4.])
    """

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        pair = (up, np.zeros(up.shape))
        return select(mask)(*(pair if slot == 0 else pair[::-1]))

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        pair = (tangent, tangent * 0.0)
        return select(mask)(*(pair if slot == 0 else pair[::-1]))

    return JoinOp(
        "where",
        lambda x, y: np.where(mask, x, y),
        symbol="where(mask, {})",
        code="np.where({parameters[0]}, {})",
        vjps=(pull,),
        jvp=push,
        note=("kept where the mask is true", "kept where the mask is false"),
        maker=select,
        parameters=(mask,),
    )


@parametrized(is_mask, is_number)
def masked(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], fill: float = 0.0) -> ArrayOp:
    """Return the op that keeps the elements where a mask is true, and replaces the others.

    Args:
        mask: Mask with the shape of the operand.
        fill: Number that replaces the other elements.

    Returns:
        The op.

    Examples:
        >>> masked(np.array([True, False]))(np.array([1.0, np.nan]))
        array([1., 0.])
    """
    return ArrayOp(
        "masked",
        lambda x: np.where(mask, x, fill),
        symbol=f"where(mask, {{}}, {fill:g})",
        code="np.where({parameters[0]}, {}, {parameters[1]})",
        vjps=(lambda up, out, x: masked(mask)(up),),
        jvp=lambda tangent, out, x: select(mask)(tangent, tangent * 0.0),  # as in `select`
        note=("where the mask is true",),
        shape=lambda x: np.broadcast_shapes(x, mask.shape),
        maker=masked,
        parameters=(mask, fill),
    )


@parametrized(is_number)
@lru_cache(maxsize=64)
def fill_nan(fill: float) -> ArrayOp:
    """Return the op that replaces NaN. Its derivative is the op `not_nan`.

    Args:
        fill: Number that replaces NaN.

    Returns:
        The op.

    Examples:
        >>> fill_nan(0.0)(np.array([1.0, np.nan]))
        array([1., 0.])
    """
    return ArrayOp(
        "fill_nan",
        lambda x: np.where(x == x, x, fill),
        symbol=f"fill_nan({{}}, {fill:g})",
        code="np.where(np.isnan({0}), {parameters[0]}, {0})",
        vjps=(lambda up, out, x: up * not_nan()(x),),
        jvp=lambda tangent, out, x: tangent * not_nan()(x),
        note=("{up} where {0} is not NaN",),
        maker=fill_nan,
        parameters=(fill,),
    )


@parametrized()
@lru_cache(maxsize=1)
def not_nan() -> ArrayOp:
    """Return the op whose result is 0 for NaN and 1 for other elements. Its derivative is 0.

    Returns:
        The op.

    Examples:
        >>> not_nan()(np.array([1.0, np.nan]))
        array([1., 0.])
    """
    return ArrayOp(
        "not_nan",
        _not_nan,
        code="(~np.isnan({})).astype(float)",
        vjps=(lambda up, out, x: 0.0 * up,),
        jvp=lambda tangent, out, x: 0.0 * tangent,
        maker=not_nan,
    )


def _not_nan(x: Array) -> Array:
    return np.equal(x, x).astype(np.float64)
