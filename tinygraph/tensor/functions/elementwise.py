"""Elementwise functions that are no ufuncs of NumPy: where, clip, nan_to_num, round, fix and sinc."""

from __future__ import annotations

import numpy as np

from tinygraph.engine.more_ops import functions, rint, sinc, trunc
from tinygraph.kernels.arrays import as_mask
from tinygraph.kernels.options import where_without_operands
from tinygraph.support.arguments import check_integer
from tinygraph.tensor.array_ops import Operand, TracedArray
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.more_ops.masks import select
from tinygraph.tensor.operands import operand
from tinygraph.tensor.shapes import expand


def where_of_tensors(condition: object, x: object, y: object) -> Operand:
    """Return `tinygraph.where` of arguments of which at least one is a Tensor."""
    if isinstance(condition, TracedArray):
        raise TypeError("where: the condition is a Tensor: compare it, for example t > 0")
    mask = as_mask(condition, "where")
    pair = [operand(side, "where") for side in (x, y)]
    try:
        shape = np.broadcast_shapes(mask.shape, *[side.shape for side in pair])
    except ValueError:
        shapes = ", ".join([str(part.shape) for part in (mask, *pair)])
        raise ValueError(f"where needs shapes that broadcast, not {shapes}") from None
    wide = [side if side.shape == shape else expand(shape)(side) for side in pair]
    return select(np.array(np.broadcast_to(mask, shape)))(*wide)  # a copy, because the caller may edit the mask


@numpy_function()
def where(condition: object, *operands: object) -> Operand:
    """Return x where the condition is true, and y elsewhere, as `tinygraph.where`."""
    if len(operands) != 2:
        raise where_without_operands(len(operands))
    return where_of_tensors(condition, *operands)


@numpy_function()
def clip(
    a: Operand,
    a_min: Operand | None = None,
    a_max: Operand | None = None,
    min: Operand | None = None,
    max: Operand | None = None,
) -> Operand:
    """Return `minimum(maximum(a, a_min), a_max)`, as `tinygraph.clip`. The bounds have two names each."""
    low, high = functions.numpy_bound("min", a_min, min), functions.numpy_bound("max", a_max, max)
    return functions.clip(a, low, high)  # type: ignore[no-any-return]


numpy_function("nan_to_num")(functions.numpy_nan_to_num)
numpy_function("sinc")(lambda x: sinc(x))
numpy_function("fix")(lambda x: trunc(x))


@numpy_function("round", "around")
def round(a: Operand, decimals: int = 0) -> Operand:
    """Return numbers rounded to decimal places, a half to the even digit. The derivative is 0.

    Args:
        a: Tensor or array.
        decimals: Number of decimal places. A negative number rounds to tens, hundreds and so on. Defaults to 0.

    Returns:
        A node of the graph, or an array if `a` is an array.

    Raises:
        TypeError: If `decimals` is not an integer.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([0.125, 2.5]).round(2)
        Tensor([0.12, 2.5], op='div')
    """
    places = check_integer("decimals", decimals)
    if places == 0:
        return rint(a)
    scale = 10.0 ** abs(places)
    return rint(a * scale) / scale if places > 0 else rint(a / scale) * scale
