"""Ops that change the shape of an array: broadcasting, its pullback, reshaping and transposing."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import parametrized
from tinygraph.kernels.arrays import Array, add_up
from tinygraph.tensor.array_ops import ArrayOp, Operand, Shape, is_axes, is_shape

_ndarray, _float64 = np.ndarray, np.dtype(np.float64)


@parametrized(is_shape)
@lru_cache(maxsize=1024)
def expand(shape: Shape) -> ArrayOp:
    """Return the broadcasting op, which repeats elements along axes that are new or have length 1.

    Args:
        shape: Shape of the result.

    Returns:
        The op.

    Examples:
        >>> expand((2, 3))(np.array([1.0, 2.0, 3.0]))
        array([[1., 2., 3.],
               [1., 2., 3.]])
    """
    return ArrayOp(
        "expand",
        lambda x: broadcast(x, shape),
        symbol=f"expand({{}}, {shape})",
        code="np.broadcast_to({}, {parameters[0]})",
        vjps=(lambda up, out, x: _sum_to(up, x.shape) if type(up) is _ndarray else sum_to(x.shape)(up),),
        note=("summed to {shape}",),
        shape=lambda _: shape,
        moves=True,
        maker=expand,
        parameters=(shape,),
    )


def broadcast(x: Array | float, shape: Shape) -> Array:
    """Broadcast an array to the given shape. For scalars, this is faster than `np.broadcast_to`.

    `np.broadcast_to` takes 8 µs. For an array with one element, a view of this element takes 1 µs. For a float and a
    small shape, a new array takes 2 µs.

    Args:
        x: Array or number.
        shape: Shape of the result.

    Returns:
        The array, which can be a view.
    """
    if type(x) is _ndarray and x.size == 1:
        return _ndarray(shape, _float64, x, 0, (0,) * len(shape))
    if type(x) is float and math.prod(shape) <= 4096:  # a gradient, which will be multiplied next
        out = np.empty(shape)
        out.fill(x)
        return out
    return np.broadcast_to(x, shape)


@parametrized(is_shape)
@lru_cache(maxsize=1024)
def sum_to(shape: Shape) -> ArrayOp:
    """Return the pullback of `expand`, which sums over the repeated axes.

    Args:
        shape: Shape of the result.

    Returns:
        The op.

    Examples:
        >>> sum_to((3,))(np.ones((2, 3)))
        array([2., 2., 2.])
    """
    return ArrayOp(
        "sum_to",
        lambda x: _sum_to(x, shape),
        symbol=f"sum_to({{}}, {shape})",
        vjps=(lambda up, out, x: expand(x.shape)(up),),
        note=("expanded to {shape}",),
        adds_terms=True,
        maker=sum_to,
        parameters=(shape,),
    )


def repeated_axes(wide: Shape, narrow: Shape) -> Shape:
    """Return the axes along which broadcasting repeats elements.

    Args:
        wide: Shape after broadcasting.
        narrow: Shape before broadcasting.

    Returns:
        The axes of `wide` that are new, or have length 1 in `narrow`.

    Examples:
        >>> repeated_axes((4, 2, 3), (2, 1))
        (0, 2)
    """
    new = len(wide) - len(narrow)
    return tuple([i for i, n in enumerate(wide) if i < new or (narrow[i - new] == 1 and n != 1)])


def _sum_to(x: Array, shape: Shape) -> Array:
    new = x.ndim - len(shape)
    if not new and math.prod(shape) == 1:
        return add_up(x, None, True)
    repeated = repeated_axes(x.shape, shape)
    if not repeated:
        return x
    return add_up(x, repeated, True) if not new else add_up(x, repeated, True).reshape(shape)


@parametrized(is_shape)
@lru_cache(maxsize=1024)
def reshape(shape: Shape) -> ArrayOp:
    """Return the op that puts the same elements into another shape.

    Args:
        shape: Shape of the result.

    Returns:
        The op.

    Examples:
        >>> reshape((2, 2))(np.array([1.0, 2.0, 3.0, 4.0]))
        array([[1., 2.],
               [3., 4.]])
    """
    return ArrayOp(
        "reshape",
        lambda x: x.reshape(shape),
        symbol=f"reshape({{}}, {shape})",
        code=f"{{}}.reshape({', '.join(map(str, shape)) or '()'})",
        vjps=(lambda up, out, x: reshape(x.shape)(up),),
        note=("reshaped to {shape}",),
        shape=lambda _: shape,
        moves=True,
        maker=reshape,
        parameters=(shape,),
    )


@parametrized(is_axes)
@lru_cache(maxsize=256)
def transpose(axes: Shape) -> ArrayOp:
    """Return the op that reorders the axes.

    Args:
        axes: Permutation of the axes.

    Returns:
        The op.

    Examples:
        >>> transpose((1, 0))(np.zeros((2, 3))).shape
        (3, 2)
    """
    back = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    plain = axes == tuple(range(len(axes)))[::-1]
    return ArrayOp(
        "transpose",
        lambda x: x.transpose(axes),
        symbol="{}ᵀ" if plain else f"transpose({{}}, {axes})",
        code="{}.T" if plain else "{}.transpose{parameters[0]}",
        vjps=(lambda up, out, x: up.transpose(back) if type(up) is _ndarray else transpose(back)(up),),
        note=("{up}ᵀ" if plain else f"transpose({{up}}, {back})",),
        moves=True,
        maker=transpose,
        parameters=(axes,),
    )


def swap_last_axes(x: Operand) -> Operand:
    """Return an array or a Tensor with its last two axes swapped.

    Args:
        x: Array or Tensor with at least two axes.

    Returns:
        An array or a node, depending on `x`.
    """
    if type(x) is _ndarray:
        return x.swapaxes(-1, -2)
    return transpose((*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))(x)
