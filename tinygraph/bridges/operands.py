"""The operands of an imported op: nodes or plain arrays, and what every framework does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygraph.tensor.more_ops.firsts import first_max
from tinygraph.tensor.tensor import Tensor

Imported: TypeAlias = Any  # a Tensor, an array, a number, or another argument of an op
Entry = Callable[..., Imported]
Shape = Sequence[int]
Array = np.ndarray[Any, np.dtype[Any]]


def is_node(x: object) -> bool:
    """Return whether an argument is a node of the graph that is recorded.

    Args:
        x: Argument of an op.

    Returns:
        True for a Tensor.
    """
    return isinstance(x, Tensor)


def array(x: Imported) -> Imported:
    """Return an operand of an array op: a node unchanged, and other data as an array.

    Args:
        x: Node, array or number.

    Returns:
        The node or the array.
    """
    return x if is_node(x) else np.asarray(x, dtype=float)


def view(x: Imported, shape: Shape) -> Imported:
    """Return an array in another shape.

    Args:
        x: Node or array.
        shape: New shape. One length can be -1.

    Returns:
        The node, or x itself if it has the shape.
    """
    new = np.empty(x.shape, "V0").reshape(tuple(shape)).shape  # resolves -1, and takes no memory
    return x if new == x.shape else x.reshape(new)


def grid(index: Array, dim: int) -> tuple[Array, ...]:
    """Return the key that reads, at each place of an array of positions, the element with this position on the axis.

    Args:
        index: Positions.
        dim: Axis.

    Returns:
        The key.
    """
    grid: list[Any] = list(np.ogrid[tuple(map(slice, index.shape))])
    grid[dim % index.ndim] = index
    return tuple(grid)


def largest(x: Imported, dim: int, keepdim: bool = False) -> Imported:
    """Return the largest element along an axis. The gradient goes to the first one among equals.

    Args:
        x: Node.
        dim: Axis.
        keepdim: If true, keep the axis with length 1.

    Returns:
        The node.
    """
    out = first_max(dim % x.ndim)(x)
    return view(out, [1 if axis == dim % x.ndim else n for axis, n in enumerate(x.shape)]) if keepdim else out
