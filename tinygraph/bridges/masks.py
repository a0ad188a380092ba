"""Comparisons of an imported program: bounds, masks, and conversions to integers, each with its guard."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.bridges.operands import Imported, is_node, stretched
from tinygraph.engine import more_ops, ops
from tinygraph.tensor.functions.elementwise import where_of_tensors
from tinygraph.tensor.more_ops.masks import masked

Mask = np.ndarray[Any, np.dtype[np.bool]]


def bounded(x: Imported, low: Imported, high: Imported, at_bound: float) -> Imported:
    """Return x, restricted to an interval.

    Here, the derivative of `minimum` and `maximum` at a tie is a half. In other frameworks, the derivative at a
    bound is 1 (`clamp` of PyTorch) or 0 (`clamp` of JAX). So an element that is equal to a bound is selected by a mask.

    Args:
        x: Operand.
        low: Lower bound, or None.
        high: Upper bound, or None.
        at_bound: The framework's derivative with respect to x at a bound.

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
        out = chosen(equal(x, bound), x if at_bound else bound, out)
    return out


def chosen(mask: Imported, x: Imported, y: Imported) -> Imported:
    """Return x where a mask is true, and y elsewhere. A constant whose elements are all equal becomes a number.

    Args:
        mask: Array of bools.
        x: Node, array or number.
        y: Node, array or number.

    Returns:
        The node.

    Examples:
        >>> from tinygraph import Tensor
        >>> x = Tensor([1.0, 2.0], "x")
        >>> chosen([True, False], x, np.zeros(2))
        Tensor([1.0, 0.0], op='masked')
        >>> chosen([True, False], 5.0, x)
        Tensor([5.0, 2.0], op='masked')
    """
    if not is_node(x) and not is_node(y):
        return np.where(mask, x, y)
    kept, node, fill = (mask, x, uniform(y)) if is_node(x) else (np.logical_not(mask), y, uniform(x))
    if not is_node(node) or not isinstance(fill, float):
        return where_of_tensors(mask, x, y)
    shape = np.broadcast_shapes(np.shape(kept), node.shape, np.shape(x), np.shape(y))
    return masked(np.array(np.broadcast_to(kept, shape)), fill)(stretched(node, shape))


def uniform(x: object) -> object:
    """Return a constant whose elements are all equal as a number, so that an op needs no array of constants.

    Args:
        x: Operand.

    Returns:
        The number, or the operand unchanged.

    Examples:
        >>> uniform(np.zeros((2, 3))), uniform(np.arange(2)), uniform(3)
        (0.0, array([0, 1]), 3.0)
    """
    if isinstance(x, (int, float)):
        return float(x)
    if isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f" and x.size:
        same = np.array_equal(x, np.full_like(x, x.flat[0]), equal_nan=True)
        if same and np.signbit(x).all() == np.signbit(x).any():  # -0.0 is equal to 0.0
            return float(x.flat[0])
    return x


def is_zero(x: object) -> bool:
    """Return whether an argument is the number 0.

    Args:
        x: Argument of an op.

    Returns:
        True for 0.
    """
    return isinstance(x, (int, float)) and x == 0


def value(x: Imported) -> Imported:
    """Return the array of a node, and other arguments unchanged.

    Args:
        x: Argument of an op.

    Returns:
        The array, or the argument.
    """
    return x.data if is_node(x) else x


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
