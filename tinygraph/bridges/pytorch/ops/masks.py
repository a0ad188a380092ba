"""ATen ops that compare or choose: bounds, masks, and conversions to integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.bridges.pytorch.ops.table import Imported, aten, is_node
from tinygraph.engine import more_ops, ops
from tinygraph.tensor.functions.elementwise import where_of_tensors

Mask = np.ndarray[Any, np.dtype[np.bool]]

# --- bounds


@aten("clamp")
def clamp(x: Imported, min: Imported = None, max: Imported = None) -> Imported:
    return bounded(x, min, max, 1.0)


@aten("clamp_min")
def clamp_min(x: Imported, min: Imported) -> Imported:
    return bounded(x, min, None, 1.0)


@aten("clamp_max")
def clamp_max(x: Imported, max: Imported) -> Imported:
    return bounded(x, None, max, 1.0)


def bounded(x: Imported, low: Imported, high: Imported, at_bound: float) -> Imported:
    """Return x, restricted to an interval.

    Here, the derivative of `minimum` and `maximum` at a tie is a half. PyTorch's derivative at a bound is 1 (`clamp`)
    or 0 (`hardtanh`). So an element that is equal to a bound is selected by a mask.

    Args:
        x: Operand.
        low: Lower bound, or None.
        high: Upper bound, or None.
        at_bound: PyTorch's derivative with respect to x at a bound.

    Returns:
        The node.
    """
    out = x
    if low is not None:
        out = ops.relu(x) if is_zero(low) and not at_bound else ops.maximum(out, low)
    if high is not None:
        out = ops.minimum(out, high)
    ties = [bound for bound in (low, high) if bound is not None and (value(x) == value(bound)).any()]
    if not ties or not is_node(x) or (is_zero(low) and not at_bound and ties == [low]):
        return out
    for bound in ties:
        out = where_of_tensors(equal(x, bound), x if at_bound else bound, out)
    return out


def is_zero(x: object) -> bool:
    """Return whether an argument is the number 0.

    Args:
        x: Argument of an ATen op.

    Returns:
        True for 0.
    """
    return isinstance(x, (int, float)) and x == 0


def value(x: Imported) -> Imported:
    """Return the array of a node, and other arguments unchanged.

    Args:
        x: Argument of an ATen op.

    Returns:
        The array, or the argument.
    """
    return x.data if is_node(x) else x


# --- masks


def equal(x: Imported, y: Imported) -> Mask:
    """Return where two operands are equal. The comparison is a guard: `forward` raises an error if its outcome changes.

    Args:
        x: Node, array or number.
        y: Node, array or number.

    Returns:
        An array of bools.
    """
    if not is_node(x) and not is_node(y):
        return np.asarray(np.equal(x, y))
    return np.asarray(np.logical_and(x >= y, x <= y))


aten("eq")(equal)
aten("ne")(lambda x, y: ~equal(x, y))
aten("lt")(lambda x, y: x < y)
aten("le")(lambda x, y: x <= y)
aten("gt")(lambda x, y: x > y)
aten("ge")(lambda x, y: x >= y)
aten("isnan")(lambda x: np.isnan(x))
aten("isinf")(lambda x: np.isinf(x))
aten("logical_not")(lambda x: ~truth(x))
aten("logical_and", "bitwise_and")(lambda x, y: truth(x) & truth(y))
aten("logical_or", "bitwise_or")(lambda x, y: truth(x) | truth(y))
aten("bitwise_not")(lambda x: ~truth(x))


def integers(x: Imported) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return an operand as integers. Each of them is a guard: `forward` raises an error if it changes.

    Args:
        x: Node or array.

    Returns:
        An array of integers, rounded toward 0.
    """
    if not is_node(x):
        return np.asarray(x).astype(np.int64)
    whole: Imported = more_ops.trunc(x)
    equal(whole, whole.data)
    return np.asarray(whole.data.astype(np.int64))


def truth(x: Imported) -> Mask:
    """Return an operand as a mask.

    Args:
        x: Node, array or number. A number is true if it is not 0.

    Returns:
        An array of bools.
    """
    return ~equal(x, 0.0) if is_node(x) else np.not_equal(x, 0)


@aten("where")
def where(condition: Imported, x: Imported, y: Imported) -> Imported:
    return where_of_tensors(truth(condition), x, y)


@aten("masked_fill")
def masked_fill(x: Imported, mask: Imported, value: Imported) -> Imported:
    return where_of_tensors(truth(mask), value, x)
