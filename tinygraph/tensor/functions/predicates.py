"""Functions with plain results: positions such as `argmax`, and truth values such as `any` and `isnan`.

The results have no gradient, because they change in steps. But a program can branch on them, so `forward()` and saved
graphs check that they are still the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import one_of
from tinygraph.tensor.array_ops import Axis, Operand
from tinygraph.tensor.functions.reductions import mask_of
from tinygraph.tensor.functions.table import check_defaults, numpy_function
from tinygraph.tensor.more_ops.orders import SORTING_KINDS
from tinygraph.tensor.operands import as_axis, operand
from tinygraph.tensor.queries import ask, query

Answer = Any  # an array of NumPy, or one of its scalars


@numpy_function()
def argmax(a: Operand, axis: int | None = None, keepdims: bool = False, **numpy: object) -> Answer:
    """Return the positions of the maxima along an axis. `forward()` raises an error if a position has changed.

    Args:
        a: Tensor.
        axis: Axis, or None for the position in the flattened array.
        keepdims: If true, keep the reduced axis with length 1.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        An integer of NumPy, or an array of integers.

    Raises:
        FrozenBranchError: Raised later, by `forward()`, if a position has changed.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 3.0], [4.0, 2.0]]).argmax(axis=1)
        array([1, 0])
    """
    check_defaults("argmax", numpy)
    return ask(query("argmax", _one_axis(axis), bool(keepdims)), a)


@numpy_function()
def argmin(a: Operand, axis: int | None = None, keepdims: bool = False, **numpy: object) -> Answer:
    """Return the positions of the minima along an axis. `forward()` raises an error if a position has changed.

    Args:
        a: Tensor.
        axis: Axis, or None for the position in the flattened array.
        keepdims: If true, keep the reduced axis with length 1.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        An integer of NumPy, or an array of integers.
    """
    check_defaults("argmin", numpy)
    return ask(query("argmin", _one_axis(axis), bool(keepdims)), a)


@numpy_function()
def argsort(a: Operand, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Answer:
    """Return the positions of the elements in ascending order. `forward()` raises an error if the order has changed.

    Args:
        a: Tensor.
        axis: Axis, or None for the positions in the flattened array. Defaults to the last axis.
        kind: NumPy's name of the algorithm. Equal elements keep their order for each of them.
        stable: Equal elements always keep their order.

    Returns:
        An array of integers.
    """
    one_of("kind", kind, SORTING_KINDS)
    return ask(query("argsort", _one_axis(axis)), a)


@numpy_function()
def any(a: Operand, axis: Axis = None, keepdims: bool = False, *, where: object = None, **numpy: object) -> Answer:
    """Return whether an element is not 0. `forward()` raises an error if the result has changed.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        where: Mask of the elements to test. Defaults to all elements.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A bool of NumPy, or an array of bools.
    """
    check_defaults("any", numpy)
    return _tested("any", a, axis, keepdims, where)


@numpy_function()
def all(a: Operand, axis: Axis = None, keepdims: bool = False, *, where: object = None, **numpy: object) -> Answer:
    """Return whether all elements are not 0. `forward()` raises an error if the result has changed.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        where: Mask of the elements to test. Defaults to all elements.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A bool of NumPy, or an array of bools.
    """
    check_defaults("all", numpy)
    return _tested("all", a, axis, keepdims, where)


@numpy_function()
def count_nonzero(a: Operand, axis: Axis = None, *, keepdims: bool = False) -> Answer:
    """Return how many elements are not 0. `forward()` raises an error if other elements are 0."""
    return np.count_nonzero(_not_zero(a), as_axis(axis), keepdims=bool(keepdims))


@numpy_function()
def nonzero(a: Operand) -> Answer:
    """Return the positions of the elements that are not 0. `forward()` raises an error if other elements are 0.

    Args:
        a: Tensor.

    Returns:
        A tuple with an array of positions for each axis.
    """
    return np.nonzero(_not_zero(a))


@numpy_function()
def flatnonzero(a: Operand) -> Answer:
    """Return the positions of the elements that are not 0, in the flattened array, as `nonzero`."""
    return np.flatnonzero(_not_zero(a))


@numpy_function()
def argwhere(a: Operand) -> Answer:
    """Return the positions of the elements that are not 0, one row per element, as `nonzero`."""
    return np.argwhere(_not_zero(a))


@numpy_function()
def isclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Answer:
    """Return where two arrays are equal within a tolerance. `forward()` raises an error if the result has changed."""
    numbers = plain_number(rtol, "isclose: rtol"), plain_number(atol, "isclose: atol")
    return ask(query("isclose", *numbers, bool(equal_nan)), operand(a, "isclose: a"), operand(b, "isclose: b"))


@numpy_function()
def allclose(a: Operand, b: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Return whether two arrays are equal within a tolerance, as `isclose`."""
    return bool(np.all(isclose(a, b, rtol, atol, equal_nan)))


@numpy_function()
def array_equal(a1: Operand, a2: Operand, equal_nan: bool = False) -> bool:
    """Return whether two arrays have the same shape and elements, as `isclose` without a tolerance."""
    a1, a2 = operand(a1, "array_equal: a1"), operand(a2, "array_equal: a2")
    return a1.shape == a2.shape and allclose(a1, a2, 0.0, 0.0, equal_nan)


def elementwise(name: str, x: object) -> Answer:
    """Ask a question about each element of a Tensor.

    Args:
        name: NumPy's name of the function, such as "isnan".
        x: Tensor.

    Returns:
        An array of bools. `forward()` raises an error if it has changed.

    Examples:
        >>> from tinygraph import Tensor
        >>> elementwise("isnan", Tensor([1.0, np.nan]))
        array([False,  True])
    """
    return ask(query(name), x)


def _tested(name: str, a: Operand, axis: Axis, keepdims: bool, where: object) -> Answer:
    """Return NumPy's `any` or `all`, also of the elements of a mask."""
    if where is None:
        return ask(query(name, as_axis(axis), bool(keepdims)), a)
    chosen, axes = mask_of(name, where, a), as_axis(axis)
    return getattr(np, name)(_not_zero(a), axes, keepdims=bool(keepdims), where=chosen)


def _not_zero(a: Operand) -> Answer:
    return ask(query("not_zero"), a)


def _one_axis(axis: object) -> int | None:
    return None if axis is None else check_integer("axis", axis)
