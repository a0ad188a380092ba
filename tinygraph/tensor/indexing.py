"""Ops that select or replace elements of an array, and ops that join arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, JoinOp, Operand, Shape, TracedArray, is_shape

Places = np.ndarray[Any, np.dtype[np.intp]]
_LONGEST = 20  # maximum number of characters of an array of integers in an index


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


FIXED = (int, slice, type(None), type(...), np.integer)  # keys that cannot change after they were used


def checked_key(key: object) -> object:
    """Return a copy of an index, because the caller may edit it after the index was used.

    Args:
        key: Index in NumPy's sense.

    Returns:
        The copy.

    Raises:
        TypeError: If the index is or contains a Tensor.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, TracedArray) for k in keys):
        raise TypeError("a Tensor cannot be an index: use its .data, converted to integers")
    if all(isinstance(k, FIXED) for k in keys):
        return key
    return tuple(map(_copied, key)) if isinstance(key, tuple) else _copied(key)


def _copied(key: Any) -> Any:
    return key.copy() if isinstance(key, np.ndarray) else list(map(_copied, key)) if isinstance(key, list) else key


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
        symbol=f"scatter_add({{}}, [{_key(key)}])",
        vjps=(lambda up, out, x: index(key)(up),),
        note=(f"{{up}}[{_key(key)}]",),
        shape=lambda _: shape,
        adds_terms=True,
        maker=scatter_add,
        parameters=(key, shape),
    )


@parametrized(is_key)
def set_elements(key: Any) -> ArrayOp:
    """Return the op that copies an array and replaces elements of the copy. If an element occurs twice, the last wins.

    Args:
        key: Index in NumPy's sense, of the elements that are replaced.

    Returns:
        An op of the array and the new elements.

    Examples:
        >>> set_elements(0)(np.array([1.0, 2.0]), np.array(5.0))
        array([5., 2.])
    """

    def compute(x: Array, values: Array) -> Array:
        out = np.array(x, np.float64)  # in the text of `source`, plain numbers can be an array of integers
        kept = _last_ones(key, out.shape)
        if kept is None:
            out[key] = values
        else:
            places, order = kept
            out.reshape(-1)[places] = np.ravel(values)[order]
        return out

    def zeros_inside(up: Operand, out: Operand, x: Operand, values: Operand) -> Operand:
        return set_elements(key)(up, np.zeros(np.shape(values)))

    def push(tangent: Operand, out: Operand, x: Operand, values: Operand) -> Operand:
        return set_elements(key)(tangent, index(key)(tangent) * 0.0)  # NaN stays NaN, as in the gradient

    def push_values(tangent: Operand, out: Operand, x: Operand, values: Operand) -> Operand:
        return set_elements(key)(np.zeros(np.shape(x)), tangent)

    def pull(up: Operand, out: Operand, x: Operand, values: Operand) -> Operand:
        kept, found = _last_ones(key, up.shape), index(key)(up)
        if kept is None:
            return found
        lost = np.ones(found.size, bool)
        lost[kept[1]] = False
        lost = lost.reshape(found.shape)
        return set_elements(lost)(found, np.zeros(np.count_nonzero(lost)))

    return ArrayOp(
        "set_at",
        compute,
        symbol=f"set_at({{}}, [{_key(key)}], {{}})",
        vjps=(zeros_inside, pull),
        jvp=(push, push_values),
        note=(f"0 at [{_key(key)}]", f"{{up}}[{_key(key)}]"),
        maker=set_elements,
        parameters=(key,),
    )


def _last_ones(key: Any, shape: Shape) -> tuple[Places, Places] | None:
    """Return where the elements are that an assignment keeps if its index selects an element twice, else None.

    Returns:
        Places in the flat array, and the places of their new elements among all new elements.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(k, (list, np.ndarray)) and np.asarray(k).dtype != bool for k in keys):
        return None  # slices and masks select each element once
    selected = np.arange(math.prod(shape)).reshape(shape)[key].ravel()
    places, back = np.unique(selected[::-1], return_index=True)
    return None if len(places) == len(selected) else (places, len(selected) - 1 - back)


def _key(key: object) -> str:
    """Return an index as text. A mask, or an array of many integers, becomes a word, because it is too long."""
    if isinstance(key, tuple):
        return ", ".join(map(_key, key))
    if isinstance(key, slice):
        ends = [("" if end is None else str(end)) for end in (key.start, key.stop)]
        return ":".join(ends if key.step in (None, 1) else [*ends, str(key.step)])
    if isinstance(key, (np.ndarray, list)):  # an unpickled array has another object for its dtype
        found = np.asarray(key)
        if found.dtype == bool:
            return "mask"
        text = str(found.tolist())
        return text if len(text) <= _LONGEST else "indices"
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
