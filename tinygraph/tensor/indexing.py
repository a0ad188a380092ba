"""Ops that select elements of an array, and ops that join arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.tensor.array_ops import ArrayOp, JoinOp, Operand, Shape, is_shape


def is_key(x: object) -> bool:
    """Return whether a parameter is an index in NumPy's sense.

    Args:
        x: Parameter to check.

    Returns:
        True for an integer, a slice, an array, `None`, `...`, or a list or tuple of these.
    """
    if isinstance(x, (tuple, list)):
        return all(map(is_key, x))
    return x is None or x is ... or isinstance(x, (int, np.integer, slice, np.ndarray))


@parametrized(is_key)
def index(key: Any) -> ArrayOp:
    """Return the op that selects elements of an array by index.

    Args:
        key: Index in NumPy's sense: an integer, a slice, a list, a mask, or a tuple of these.

    Returns:
        The op.

    Examples:
        >>> index((slice(None), 0))(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([1., 3.])
    """
    return ArrayOp(
        "index",
        lambda x: x[key],
        symbol=f"{{}}[{_key(key)}]",
        code="{}[{parameters[0]:index}]",
        vjps=(lambda up, out, x: scatter_add(key, x.shape)(up),),
        note=(f"put at [{_key(key)}] of zeros",),
        shape=lambda x: np.empty(x, "V0")[key].shape,  # the elements take no memory
        moves=True,
        maker=index,
        parameters=(key,),
    )


@parametrized(is_key, is_shape)
def scatter_add(key: Any, shape: Shape) -> ArrayOp:
    """Return the pullback of `index`: an op that adds elements to an array of zeros, at the given index.

    Args:
        key: Index in NumPy's sense.
        shape: Shape of the result.

    Returns:
        The op.

    Examples:
        >>> scatter_add([0, 0, 2], (3,))(np.array([1.0, 2.0, 3.0]))
        array([3., 0., 3.])
    """

    def compute(x: Operand) -> Operand:
        out = np.zeros(shape)
        np.add.at(out, key, x)  # an index can select an element twice
        return out

    return ArrayOp(
        "scatter_add",
        compute,
        vjps=(lambda up, out, x: index(key)(up),),
        shape=lambda _: shape,
        adds_terms=True,
        maker=scatter_add,
        parameters=(key, shape),
    )


def _key(key: object) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_key, key))
    if isinstance(key, slice):
        ends = [("" if end is None else str(end)) for end in (key.start, key.stop)]
        return ":".join([*ends, str(key.step)] if key.step is not None else ends)
    if isinstance(key, np.ndarray):  # an unpickled array has another object for its dtype
        return "mask" if key.dtype == bool else " ".join(str(key).split())
    return "..." if key is ... else str(key)


@parametrized(is_integer)
@lru_cache(maxsize=64)
def concatenate(axis: int) -> JoinOp:
    """Return the op that joins arrays along an existing axis.

    Args:
        axis: Axis along which the arrays are joined.

    Returns:
        An op with any number of operands.

    Examples:
        >>> concatenate(0)(np.array([1.0]), np.array([2.0, 3.0]))
        array([1., 2., 3.])
    """

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        start = sum(x.shape[axis] for x in operands[:slot])
        key = [slice(None)] * up.ndim
        key[axis] = slice(start, start + operands[slot].shape[axis])
        return index(tuple(key))(up)

    return JoinOp(
        "concatenate",
        lambda *xs: np.concatenate(xs, axis=axis),
        symbol="concatenate([{}])",
        code="np.concatenate([{}], axis={parameters[0]})",
        vjps=(pull,),
        note=("part {slot}",),
        maker=concatenate,
        parameters=(axis,),
    )


@parametrized(is_integer)
@lru_cache(maxsize=64)
def stack(axis: int) -> JoinOp:
    """Return the op that joins arrays of the same shape along a new axis.

    Args:
        axis: Position of the new axis.

    Returns:
        An op with any number of operands.

    Examples:
        >>> stack(0)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        array([[1., 2.],
               [3., 4.]])
    """

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        key: list[Any] = [slice(None)] * up.ndim
        key[axis] = slot
        return index(tuple(key))(up)

    return JoinOp(
        "stack",
        lambda *xs: np.stack(xs, axis=axis),
        symbol="stack([{}])",
        code="np.stack([{}], axis={parameters[0]})",
        vjps=(pull,),
        note=("part {slot}",),
        maker=stack,
        parameters=(axis,),
    )
