"""The operands of an imported op: nodes or plain arrays, and what every framework does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygraph.tensor.indexing import index
from tinygraph.tensor.more_ops.firsts import first_max
from tinygraph.tensor.shapes import reshape, transpose
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
    """Return an array in another shape. Frameworks often reshape an array several times, but the graph does it once.

    Args:
        x: Node or array.
        shape: New shape. One length can be -1.

    Returns:
        The node, or one that x was computed from if it has the shape.

    Examples:
        >>> x = Tensor([1.0, 2.0], "x")
        >>> view(view(x, (1, 2)), (2, 1)).x, view(view(x, (1, 2)), (-1,)).name
        (Tensor([1.0, 2.0], name='x'), 'x')
    """
    new = np.empty(x.shape, "V0").reshape(tuple(shape)).shape  # resolves -1, and takes no memory
    while _is(x, reshape):
        x = x.x
    return x if new == x.shape else x.reshape(new)


def widened(x: Imported, axes: Sequence[int]) -> Imported:
    """Add axes of length 1.

    Args:
        x: Node or array.
        axes: Positions of the new axes in the result.

    Returns:
        The node.

    Examples:
        >>> widened(Tensor([1.0, 2.0]), [0, 2]).shape
        (1, 2, 1)
    """
    return view(x, np.expand_dims(np.empty(x.shape, "V0"), tuple(axes)).shape)


def _is(x: Imported, maker: Callable[..., object]) -> bool:
    """Return whether an operand is a node that an op of the given kind computed, and that has no name."""
    return is_node(x) and x.op is not None and x.op.maker is maker and not x.name


def reordered(x: Imported, axes: Iterable[int]) -> Imported:
    """Return an array with its axes in another order. The graph contains one node for several changes of the order.

    Args:
        x: Node or array.
        axes: For each axis of the result, an axis of x.

    Returns:
        The node, or one that x was computed from if it has this order.

    Examples:
        >>> x = Tensor(np.zeros((2, 3, 4)), "x")
        >>> reordered(reordered(x, (1, 2, 0)), (2, 0, 1)).name
        'x'
    """
    order = [int(axis) % x.ndim for axis in axes]
    while _is(x, transpose):
        (inner,) = x.op.parameters
        order, x = [inner[axis] for axis in order], x.x
    return x if order == list(range(x.ndim)) else x.transpose(order)


def exchanged(x: Imported, first: int, second: int) -> Imported:
    """Return an array with two axes exchanged.

    Args:
        x: Node or array.
        first: Axis.
        second: Axis. If it is the first one, the result is x itself.

    Returns:
        The node.
    """
    axes = list(range(x.ndim))
    if axes:
        axes[first], axes[second] = axes[second], axes[first]
    return reordered(x, axes)


def stretched(x: Imported, shape: Shape) -> Imported:
    """Broadcast an array. NumPy adds leading axes itself, so a node that only adds such axes is left out.

    Args:
        x: Node or array.
        shape: Shape of the result.

    Returns:
        The node, or x itself if it has the shape.

    Examples:
        >>> bias = Tensor([1.0, 2.0], "bias")
        >>> stretched(view(bias, (1, 2)), (3, 2)).x.name
        'bias'
    """
    return x if x.shape == tuple(shape) else np.broadcast_to(without_leading_axes(x), tuple(shape))


def without_leading_axes(x: Imported) -> Imported:
    """Return the array to which a node only adds leading axes of length 1.

    Args:
        x: Node, array or number.

    Returns:
        The operand of the node, or x itself if it is something else.
    """
    return x.x if _is(x, reshape) and (1,) * (x.ndim - x.x.ndim) + x.x.shape == x.shape else x


def squeezed(x: Imported, axes: Sequence[int]) -> Imported:
    """Remove axes of length 1. If x is a part of an array, such as x[2:3], the result is one of its elements, x[2].

    Args:
        x: Node or array.
        axes: The axes.

    Returns:
        The node.

    Examples:
        >>> x = Tensor([1.0, 2.0, 3.0], "x")
        >>> squeezed(x[1:2], [0]).op.parameters
        ((1,),)
    """
    gone = {axis % x.ndim for axis in axes}
    key = x.op.parameters[0] if _is(x, index) else ()
    key = key if isinstance(key, tuple) else (key,)
    if gone and max(gone) < len(key) and all(isinstance(part, slice) for part in key):
        starts = [part.indices(n)[0] for part, n in zip(key, x.x.shape, strict=False)]
        whole = (slice(None), slice(0, None, None))
        found = tuple([starts[i] if i in gone else part for i, part in enumerate(key)])
        while found and isinstance(found[-1], slice) and found[-1] in whole:
            found = found[:-1]
        return x.x[found]
    return view(x, [n for axis, n in enumerate(x.shape) if axis not in gone])


def grid(places: Array, dim: int) -> tuple[Array, ...]:
    """Return the key that reads, at each place of an array of positions, the element with this position on the axis.

    Args:
        places: Positions.
        dim: Axis.

    Returns:
        The key.
    """
    key: list[Any] = list(np.ogrid[tuple(map(slice, places.shape))])
    key[dim % places.ndim] = places
    return tuple(key)


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
