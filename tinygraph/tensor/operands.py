"""Operands of a Tensor: which objects are accepted, and how they are stored."""

from __future__ import annotations

from operator import index as index_of

import numpy as np

from tinygraph.engine import replay
from tinygraph.engine.graph import Node
from tinygraph.kernels.arrays import Array, as_array
from tinygraph.support.messages import described
from tinygraph.tensor.array_ops import Axis, Jacobian, Operand, Shape, TracedArray

_ndarray, _float64 = np.ndarray, np.dtype(np.float64)


NOT_A_SEQUENCE = (str, bytes, dict, set, type)  # objects that can be iterated over, or seem so, but have no order


def plain_operand(x: object, op: str) -> Array | float:
    """Convert a plain operand, which is not a node, to a float or an array.

    Args:
        x: Number, array, or nested lists of numbers.
        op: Name of the op, for messages.

    Returns:
        A float for a scalar, otherwise a float64 array.

    Raises:
        TypeError: If `x` does not contain real numbers.
    """
    if type(x) is float or (type(x) is _ndarray and x.dtype is _float64 and x.ndim):
        return x
    array = as_array(x, op)
    return float(array) if type(array) is _ndarray and not array.ndim else array


def new_data(data: object, shape: Shape, name: str) -> Array:
    """Return a new array for a leaf, as a copy in C order.

    Args:
        data: Array of real numbers, or anything that NumPy converts to such an array.
        shape: Shape of the leaf.
        name: Name of the leaf, for messages.

    Returns:
        The array.

    Raises:
        ValueError: If the array has another shape.
        TypeError: If `data` is not an array of real numbers.
    """
    array = as_array(data, "data")
    if array.shape != shape:
        raise ValueError(
            f"data of {name} has shape {shape}, but the new array has shape {array.shape}: "
            "make a new Tensor for another shape"
        )
    return array.copy() if type(array) is _ndarray else array


def as_axis(axis: object, what: str = "axis") -> Axis:
    """Return axes as integers of Python.

    Args:
        axis: Axis, tuple or list of axes, or None for all axes.
        what: Name of the parameter, for messages. Defaults to "axis".

    Returns:
        The axes.

    Raises:
        TypeError: If an axis is not an integer.

    Examples:
        >>> as_axis(np.int64(1)), as_axis([0, 1]), as_axis(None)
        (1, (0, 1), None)
    """
    if axis is None:
        return None
    try:
        return tuple(map(index_of, axis)) if isinstance(axis, (tuple, list)) else index_of(axis)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{what} must be an integer, a tuple of integers or None, not {described(axis)}") from None


def is_operand(x: object) -> bool:
    """Return whether an operator handles this operand, that is, accepts it or rejects it with a message.

    Args:
        x: Operand to check.

    Returns:
        True if the operator handles the operand. False if the other operand should decide.
    """
    return isinstance(x, (Node, float, int, list, tuple, str, bytes, complex, type(None))) or (
        not isinstance(x, Jacobian) and any(hasattr(x, name) for name in ("dtype", "as_integer_ratio", "__array__"))
    )


def compare(symbol: str, x: object, y: object) -> Array:
    """Compare Tensors and arrays elementwise, and remember the comparison, so that `forward()` can check it again.

    Args:
        symbol: The comparison: <, <=, > or >=.
        x: Tensor, array or number.
        y: Tensor, array or number. At least one side is a Tensor.

    Returns:
        An array of bools.

    Raises:
        ValueError: If the shapes do not broadcast.
    """
    pair = sides("a comparison", x, y)
    try:
        return replay.compare(symbol, *pair)  # type: ignore[no-any-return]
    except ValueError:
        shapes = " and ".join([str(getattr(side, "shape", ())) for side in pair])
        raise ValueError(f"a comparison ({symbol}) needs shapes that broadcast, not {shapes}") from None


def sides(what: str, x: object, y: object) -> list[TracedArray | Array | float]:
    """Return both sides of a comparison. Edits of their elements are noticed before.

    Args:
        what: What is compared, for messages.
        x: Tensor, array or number.
        y: Tensor, array or number.

    Returns:
        The Tensors, and copies of the arrays.
    """
    for side in (x, y):
        if isinstance(side, Node):
            side._edited()
    return [side if isinstance(side, TracedArray) else _kept(plain_operand(side, what)) for side in (x, y)]


def _kept(data: Array | float) -> Array | float:
    """Return a copy of an array, because the caller may edit it."""
    return data.copy() if type(data) is _ndarray else data


def operand(x: object, op: str) -> Operand:
    """Return a Tensor unchanged, and other data as an array.

    Args:
        x: Tensor, or an array of real numbers.
        op: Name of the op, for messages.

    Returns:
        The Tensor, or a float64 array.

    Raises:
        TypeError: If `x` is not an array of real numbers.

    Examples:
        >>> operand([1, 2], "dot")
        array([1., 2.])
    """
    if isinstance(x, TracedArray):
        return x  # type: ignore[return-value]
    if isinstance(x, Node):
        raise TypeError(
            f"{op}: use a Tensor or an array, not a Value, because Values and Tensors cannot be mixed in one graph: "
            "start from a Tensor, or use the .data of the Value"
        )
    return as_array(x, op)
