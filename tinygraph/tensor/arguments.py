"""Arguments of NumPy's functions: operands, axes and the order of elements, checked by the names of the parameters."""

from __future__ import annotations

from collections.abc import Callable
from operator import index as index_of
from typing import Any, TypeVar

import numpy as np

from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described, one_of
from tinygraph.tensor.array_ops import Operand, Shape, TracedArray
from tinygraph.tensor.operands import NOT_A_SEQUENCE
from tinygraph.tensor.shapes import expand, reshape

_R = TypeVar("_R")


def plain(x: Operand) -> Any:
    """Return the array of a Tensor, and an array unchanged. It shows NumPy's functions the shape.

    Args:
        x: Tensor or array.

    Returns:
        The array, which must not be edited.
    """
    return x.raw if isinstance(x, TracedArray) else x


def named(name: str, x: Operand, function: Callable[..., _R], *args: object, **options: object) -> _R:
    """Call a function of NumPy. Its errors then name the function that the user called, and the shape of the operand.

    Args:
        name: Name of the function that the user called.
        x: Operand of the function.
        function: Function of NumPy.
        *args: Arguments of the function.
        **options: Keyword arguments of the function.

    Returns:
        The result of the function.

    Raises:
        ValueError: If NumPy raises a ValueError. An IndexError and a TypeError keep their class too.

    Examples:
        >>> named("squeeze", np.ones(2), np.squeeze, np.ones(2), 1)
        Traceback (most recent call last):
        numpy.exceptions.AxisError: squeeze of shape (2,): axis 1 is out of bounds for array of dimension 1
    """
    try:
        return function(*args, **options)
    except (ValueError, IndexError, TypeError) as error:
        kind = next(k for k in (np.exceptions.AxisError, ValueError, IndexError, TypeError) if isinstance(error, k))
        raise kind(f"{name} of shape {np.shape(plain(x))}: {error}") from None


def one_axis(name: str, x: Operand, axis: object, what: str = "axis") -> int:
    """Return an argument that specifies one axis, counted from the first axis.

    Args:
        name: Name of the function that the user called.
        x: Tensor or array.
        axis: Argument.
        what: Name of the parameter. Defaults to "axis".

    Returns:
        The axis, which is not negative.

    Raises:
        TypeError: If the argument is not an integer.
        AxisError: If the array does not have this axis.

    Examples:
        >>> one_axis("take", np.ones((2, 3)), -1)
        1
    """
    found = check_integer(what, axis)
    if -x.ndim <= found < x.ndim:
        return found % x.ndim
    raise np.exceptions.AxisError(f"{name} of an array of shape {x.shape}: it has no {what} {found}")


def axis_or_flat(name: str, x: Operand, axis: object) -> tuple[Operand, int]:
    """Return an array and one of its axes. Without an axis, the array becomes 1-D, as in many of NumPy's functions.

    Args:
        name: Name of the function that the user called.
        x: Tensor or array.
        axis: Argument: an axis or None.

    Returns:
        The array and the axis, which is not negative.

    Raises:
        TypeError: If the axis is neither an integer nor None.
        AxisError: If the array does not have this axis.

    Examples:
        >>> axis_or_flat("take", np.array([[1.0, 2.0]]), None)
        (array([1., 2.]), 0)
    """
    if axis is None or not x.ndim:
        x = x if x.ndim == 1 else reshape((x.size,))(x)
    return x, 0 if axis is None else one_axis(name, x, axis)


def check_order(order: object) -> bool:
    """Return whether elements are read in Fortran's order, with the first index changing fastest.

    Args:
        order: Argument: "C" or "F". NumPy's "A" and "K" depend on the layout in memory, which a Tensor does not fix.

    Returns:
        True for "F".

    Raises:
        ValueError: If the argument is another object.
    """
    one_of("order", order, ("C", "F"))
    return order == "F"


def listed(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return axes or lengths as a tuple, whether they were given separately or in one sequence.

    Args:
        given: Positional arguments.

    Returns:
        The axes or lengths.

    Examples:
        >>> listed((2, 3)), listed(([2, 3],))
        ((2, 3), (2, 3))
    """
    if len(given) == 1:
        (only,) = given
        return (
            tuple(only) if hasattr(only, "__iter__") and not isinstance(only, (*NOT_A_SEQUENCE, TracedArray)) else given
        )
    return given


def lengths(what: str, given: object) -> Shape:
    """Return a shape as a tuple of ints.

    Args:
        what: Name of the parameter.
        given: Argument: a length, or a sequence of lengths.

    Returns:
        The shape. Lengths can be negative.

    Raises:
        TypeError: If the argument is not an integer or a sequence of integers.

    Examples:
        >>> lengths("shape", 3), lengths("shape", np.array([2, 3]))
        ((3,), (2, 3))
    """
    try:
        return tuple(map(index_of, listed((given,))))
    except TypeError:
        raise TypeError(f"{what} must be an integer or a tuple of integers, not {described(given)}") from None


def refuse_tensor(what: str, given: object) -> None:
    """Raise TypeError if an argument that specifies positions is a Tensor.

    Args:
        what: Name of the function and the parameter.
        given: Argument.

    Raises:
        TypeError: If the argument is a Tensor.
    """
    if isinstance(given, TracedArray):
        raise TypeError(f"{what} must not be a Tensor, because positions have no gradient: use its .data")


def positions(name: str, x: Operand, given: object, length: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the positions on an axis that an argument specifies, as a new array.

    Args:
        name: Name of the function that the user called.
        x: Tensor or array.
        given: Argument: an integer, a slice, a mask, or a sequence of integers.
        length: Length of the axis.

    Returns:
        The positions, which can be negative. The array has no axis for an integer.

    Raises:
        TypeError: If the argument is a Tensor.
        ValueError: If the mask does not have one axis.

    Examples:
        >>> positions("insert", np.ones(4), slice(None, None, 2), 4).tolist()
        [0, 2]
    """
    refuse_tensor(f"{name}: obj", given)
    if isinstance(given, slice):
        return np.arange(*given.indices(length))
    found: np.ndarray[Any, np.dtype[Any]] = named(name, x, np.array, given)
    if found.dtype == bool:
        if found.ndim != 1:
            raise ValueError(f"{name} of shape {x.shape}: a mask needs one axis, not the shape {found.shape}")
        return np.flatnonzero(found)
    return found if found.size else found.astype(np.intp)


def fitted(name: str, values: Operand, shape: Shape) -> Operand:
    """Broadcast values to the shape of the elements that they replace, by the rules of NumPy's assignments.

    Args:
        name: Name of the function that the user called.
        values: Tensor or array.
        shape: Shape of the elements.

    Returns:
        The values with the given shape.

    Raises:
        ValueError: If the values do not fit.

    Examples:
        >>> fitted("set_at", np.array([[1.0]]), (2,))
        array([1., 1.])
    """
    extra = max(values.ndim - len(shape), 0)
    if any(n != 1 for n in values.shape[:extra]):
        extra = 0  # an assignment drops axes only if their length is 1
    rest = values.shape[extra:]
    if len(rest) > len(shape) or any(n not in (1, m) for n, m in zip(rest[::-1], shape[::-1], strict=False)):
        raise ValueError(f"{name}: values of shape {values.shape} do not fit into elements of shape {shape}")
    found = reshape(rest)(values) if extra else values
    return expand(shape)(found) if rest != shape else found
