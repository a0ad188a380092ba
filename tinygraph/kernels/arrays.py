"""Elementary functions of arrays: the elementwise counterparts of `floats`, without warnings or exceptions.

The functions call only NumPy's ufuncs and `where`, so they work on every array type that follows NumPy's protocols. An
op without a kernel in this file uses a NumPy function or, rarely, `float_by_float`, which is slow but accurate.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np

from tinygraph.kernels import floats
from tinygraph.kernels.more_arrays import *  # noqa: F403  (kernels, which ops and generated code find here)
from tinygraph.kernels.numbers import REMEDIES, plain_number
from tinygraph.kernels.quiet import quietly
from tinygraph.support.messages import described

Array = np.ndarray[Any, np.dtype[np.float64]]  # or another array type that follows NumPy's protocols
_FLOAT64 = np.dtype(np.float64)
_SMALLEST = 2.0**-1022  # smaller numbers are subnormal and have fewer bits


def as_array(data: Any, what: str) -> Array:
    """Return the given data as a float64 array. Arrays of other types that follow NumPy's protocols keep their type.

    Args:
        data: Array of real numbers, or anything that NumPy converts to such an array.
        what: Name of the caller, for messages.

    Returns:
        The array, which is copied only if necessary.

    Raises:
        TypeError: If `data` is not an array of real numbers. The message shows what to do.

    Examples:
        >>> as_array([1, 2], "Tensor")
        array([1., 2.])
    """
    if type(data) is np.ndarray and data.dtype is _FLOAT64:
        return data
    if refusal := getattr(type(data), "not_an_array", ""):  # like `not_a_number` in `plain_number`
        raise TypeError(f"{what}: {refusal}")
    if type(data) is not np.ndarray:
        if _is_foreign(data):
            return data if data.dtype == np.float64 else data.astype(np.float64)
        kinds = set(map(type, data)) if isinstance(data, (list, tuple)) else {type(data)}
        if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
            raise TypeError(f"{what}: {described(data)} is or contains a masked array: {REMEDIES['masked']}")
    try:
        array = np.asarray(data)
    except ValueError:
        raise TypeError(f"{what}: {described(data)} is not an array: its rows have different lengths") from None
    except TypeError as error:  # of an element
        refusal = _refusal_of_nodes(data) if isinstance(data, (list, tuple)) else ""
        raise TypeError(f"{what}: {refusal or error}") from None
    if array.dtype == np.float64:
        return array if type(array) is np.ndarray else np.asarray(array)
    if array.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # the overflow of a longdouble is checked below
            floats = array.astype(np.float64)
        if array.dtype.itemsize > 8 and (np.isinf(floats) != np.isinf(array)).any():
            raise OverflowError(f"{what}: {described(data)} has an element that is too large for a float")
        return floats
    if array.dtype.kind == "O":
        if refusal := _refusal_of_nodes(array.ravel()):
            raise TypeError(f"{what}: {refusal}")
        try:  # Fraction and Decimal
            return np.array([plain_number(entry, what) for entry in array.ravel()]).reshape(array.shape)
        except TypeError:
            pass
    what_to_do = REMEDIES.get(array.dtype.kind, "pass numbers, or nested lists of them")
    raise TypeError(f"{what}: {described(data)} is not an array of real numbers; {what_to_do}")


def _refusal_of_nodes(elements: Iterable[object]) -> str:
    """Return the message for the first node in nested lists, or "" if they contain no node."""
    for element in elements:
        found: str = getattr(type(element), "not_an_element", "")
        if isinstance(element, (list, tuple)):
            found = _refusal_of_nodes(element)
        if found:
            return found
    return ""


def as_mask(condition: object, what: str) -> np.ndarray[Any, np.dtype[np.bool]]:
    """Return a condition as an array of bools. As in NumPy, numbers that are not 0 are true.

    Args:
        condition: Array of bools or numbers, or anything that NumPy converts to such an array.
        what: Name of the caller, for messages.

    Returns:
        The array.

    Raises:
        TypeError: If `condition` is not an array of bools or numbers.

    Examples:
        >>> as_mask([1, 0], "where")
        array([ True, False])
    """
    if isinstance(condition, np.ndarray) and condition.dtype == bool and not isinstance(condition, np.ma.MaskedArray):
        return np.asarray(condition)  # also of a subclass
    return np.not_equal(as_array(condition, f"{what}: the condition"), 0.0)


def selected(condition: object, x: object, y: object) -> Array | float:
    """Return x where the condition is true, and y elsewhere.

    Args:
        condition: Bool, number, or array of bools or numbers.
        x: Number or array.
        y: Number or array.

    Returns:
        An array, or a float if no argument is an array with axes.

    Raises:
        TypeError: If an argument is not an array of numbers.
        ValueError: If the shapes do not broadcast.
    """
    mask, pair = as_mask(condition, "where"), [as_array(side, "where") for side in (x, y)]
    try:
        out = np.where(mask, *pair)
    except ValueError:
        shapes = ", ".join([str(part.shape) for part in (mask, *pair)])
        raise ValueError(f"where needs shapes that broadcast, not {shapes}") from None
    return out if out.ndim else float(out)


def computed(function: Callable[..., Any], operands: Sequence[Any], op: str) -> Any:
    """Call a kernel on numbers and arrays, without NumPy's warnings.

    Args:
        function: Kernel.
        operands: Numbers and arrays.
        op: Name of the op, for messages.

    Returns:
        The result.

    Raises:
        TypeError: If an operand is not an array of real numbers. The message names the op and shows the operand.
    """
    try:
        return quietly(function, *operands)
    except TypeError:  # NumPy's error names neither the op nor the operand
        return quietly(function, *[as_array(operand, op) for operand in operands])


def read_only(array: Any) -> Any:
    """Return a read-only view of an array.

    Args:
        array: Array, or other data.

    Returns:
        The view. Data that are not a plain NumPy array are returned unchanged.

    Examples:
        >>> read_only(np.zeros(2)).flags.writeable
        False
    """
    if type(array) is not np.ndarray:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def _is_foreign(data: object) -> TypeGuard[Array]:
    """Return whether the data are an array of another type that follows NumPy's protocols."""
    kind = type(data)
    return (
        hasattr(kind, "__array_ufunc__")
        and hasattr(kind, "__array_function__")
        and hasattr(data, "dtype")
        and hasattr(data, "shape")
        and not isinstance(data, (np.ndarray, np.generic))
    )


def contiguous(x: Any) -> Any:
    """Return an upstream gradient in C order, so that the bits of a pullback do not depend on the layout in memory.

    NumPy sums, and multiplies matrices, in an order that depends on the layout. One pass hands on views, such as a
    repeated number or a transpose, where another has copied them.

    Args:
        x: Array, or an operand of another type.

    Returns:
        A copy of a NumPy array that is not in C order, and otherwise `x` itself.
    """
    return x.copy() if type(x) is np.ndarray and not x.flags.c_contiguous else x


def add_up(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """Return the sum over axes. For NumPy's own arrays, this avoids the overhead of `np.sum`.

    Args:
        x: Array.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        The sum.
    """
    if type(x) is np.ndarray:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload, no-any-return]
    return np.sum(x, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


def kernel(source: str | Callable[..., Array] | None) -> Callable[..., Array] | None:
    """Return the kernel that an op specifies.

    Args:
        source: Name of a function in this module or in NumPy, or a function whose first argument is this module.

    Returns:
        The kernel, or None if there is no source.
    """
    if isinstance(source, str):
        return globals().get(source) or getattr(np, source)  # type: ignore[no-any-return]
    return functools.partial(source, sys.modules[__name__]) if source else None


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)). The result is accurate in both tails, because only exp(-|x|) is computed."""
    e = np.exp(-np.absolute(x))
    # The numerator is e or 1, depending on the sign of x. This is twice as fast as `where`.
    return np.maximum(e, 0.5 + np.copysign(0.5, x)) / (1.0 + e)


def sigmoid_and_rest(x: Array) -> tuple[Array, Array]:
    """Return sigmoid(x) and sigmoid(-x), bit-identical to two calls.

    Only one exp is computed, so this takes 60% of the time of two calls.
    """
    e = np.exp(-np.absolute(x))
    side, whole = np.copysign(0.5, x), 1.0 + e
    return np.maximum(e, 0.5 + side) / whole, np.maximum(e, 0.5 - side) / whole


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), computed by the same formula for all x."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.absolute(x)))


def log_sigmoid(x: Array) -> Array:
    """Return log(sigmoid(x))."""
    return -softplus(-x)


def relu(x: Array) -> Array:
    """Return max(x, 0). NaN stays NaN."""
    return np.maximum(x, 0.0) + 0.0  # adding 0 turns -0 into 0


def heaviside(x: Array) -> Array:
    """Return 1 for positive x and 0 otherwise, including at 0. NaN stays NaN."""
    return np.maximum(np.sign(x), 0.0) + 0.0


def flat(x: Array) -> Array:
    """Return 0, which is the derivative of a step function everywhere. NaN stays NaN."""
    return np.where(x == x, 0.0, x)


def maximum(x: Array, y: Array) -> Array:
    """Return the larger of two numbers, or NaN if either number is NaN. 0.0 is larger than -0.0, as in IEEE 754."""
    out = np.maximum(x, y)  # the sign of a zero depends on the machine
    if type(out) is np.ndarray and out.all():
        return out
    return np.where((x == 0) & (y == 0), x + y, out)


def minimum(x: Array, y: Array) -> Array:
    """Return the smaller of two numbers, or NaN if either number is NaN. -0.0 is smaller than 0.0, as in IEEE 754."""
    return -maximum(-x, -y)


def larger(x: Array, y: Array) -> Array:
    """Return the derivative of maximum(x, y) with respect to x: 1, 0, or one half if x and y are equal."""
    return np.where(x > y, 1.0, np.where(x == y, 0.5, flat(x + flat(y))))


def log_partial(x: Array) -> Array:
    """Return the derivative of log: 1 / x, inf at 0, and NaN below 0, where log is not defined."""
    return np.where(x >= 0, 1.0 / np.absolute(x), np.nan)


def asin_partial(x: Array) -> Array:
    """Return the derivative of asin: 1 / sqrt(1 - x^2), which is inf at -1 and 1."""
    return 1.0 / np.sqrt((1.0 - x) * (1.0 + x))


def tanh_partial(x: Array) -> Array:
    """Return the derivative of tanh, accurate in both tails, where 1 - tanh(x)^2 would be 0."""
    size = np.absolute(x)
    e = np.exp(-2.0 * size)
    below = 1.0 + e
    out = 4.0 * e / below / below
    out = out - out * (2.0 * (e - (below - 1.0)) / below)
    if type(e) is np.ndarray and np.all(e >= _SMALLEST):
        return out
    half = 2.0 * np.exp(-size)
    return np.where(e < _SMALLEST, half * half, out)


def power_of_plain(x: Array, exponent: float) -> Array:
    """Return x to the power of a plain number. The op `pow` of two arrays uses `np.power`.

    Args:
        x: Base.
        exponent: Exponent, a plain number.
    """
    if exponent == 0.5:  # the same bits in every version of NumPy, some of which call `sqrt` for this exponent
        return np.where(x == -np.inf, np.inf, np.sqrt(x) + 0.0)
    return x * x if exponent == 2 else np.power(x, exponent)


def lowered_power(x: Array, exponent: float, n: int, factor: float) -> Array:
    """Return factor * x ** (exponent - n). The result is 0 if the factor is 0.

    Args:
        x: Base.
        exponent: Exponent, a plain number.
        n: Integer that is subtracted from the exponent.
        factor: Factor of the power.
    """
    if factor == 0:
        return np.zeros_like(x)
    if exponent - n == 1:
        return factor * x
    power = power_of_plain(x, exponent - n)
    out, size = factor * power, np.absolute(power)
    if type(size) is np.ndarray and np.all((size >= _SMALLEST) & (size < np.inf)):
        return out
    # Where the power is subnormal or infinite, the product may be normal.
    rare = ((size < _SMALLEST) | (size == np.inf)) & (x != 0) & np.isfinite(x)
    out = np.array(out)
    out[rare] = [floats.lowered_pow(element, exponent, n, factor) for element in x[rare].tolist()]
    return out if exponent % 1 == 0 else np.where(x < 0, np.nan, out)  # C's pow(-inf, 0.5) is inf


def div_dy(x: Array, y: Array) -> Array:
    """Return the derivative of x / y with respect to y."""
    quotient = x / y
    out, size = -quotient / y, np.absolute(quotient)
    if type(size) is np.ndarray and np.all(size >= _SMALLEST):
        return out
    (a, up), (b, down) = np.frexp(x), np.frexp(y)  # x / y lost bits, and a small y would amplify the error
    return np.where(size < _SMALLEST, np.ldexp(-a / (b * b), up - 2 * down), out)


def binary_cross_entropy(a: Array, y: Array) -> Array:
    """Return -(y log a + (1 - y) log(1 - a)), with 0 log 0 = 0.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
    """
    yes, no = np.log(a), np.log1p(-a)
    out = -(y * yes + (1.0 - y) * no)
    return out if _all_finite(out) else _weighted(y, -yes) + _weighted(1.0 - y, -no)


def binary_cross_entropy_da(a: Array, y: Array) -> Array:
    """Return (1 - y) / (1 - a) - y / a, computed as one fraction.

    A term whose numerator is 0 counts as 0, even if its denominator is also 0.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
    """
    a = a + 0.0  # -0.0 becomes 0.0, whose inverse has the right sign
    below = a * (1.0 - a)
    local = (a - y) / below
    if type(below) is np.ndarray and below.size and np.minimum.reduce(below, axis=None) > 0:
        return local
    label = np.where(y == 1, -1.0 / a, 1.0 / (1.0 - a))
    return np.where((a >= 0) & (a <= 1), np.where((y == 1) | (y == 0), label, local), np.nan)


def binary_cross_entropy_da_of_logit(z: Array, y: Array) -> Array:
    """Return binary_cross_entropy_da(sigmoid(z), y), computed from z.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    e = np.exp(z)
    out = (1.0 - y) * (1.0 + e) - y * (1.0 + 1.0 / e)
    if _all_finite(out) and np.minimum.reduce(e, axis=None, initial=1.0) >= _SMALLEST:
        return out
    size = np.absolute(z)
    over, e = sigmoid_minus(z, y) * (1.0 + np.exp(-size)), np.exp(size)
    half = np.exp(0.5 * size)  # for the case that exp(z) overflows, but the product does not
    fraction = over + np.where(over == 0, over, np.where(np.isinf(e), over * half * half, over * e))
    return np.where(y == 1, -1.0 - np.exp(-z), np.where(y == 0, 1.0 + np.exp(z), fraction))


def binary_cross_entropy_with_logits(z: Array, y: Array) -> Array:
    """Return binary_cross_entropy(sigmoid(z), y). The computation uses one exp, and adds two terms of the same sign.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    return _cross_entropy_of_logits(z, *_decay_and_weight(z, y))


def sigmoid_minus(z: Array, y: Array) -> Array:
    """Return sigmoid(z) - y as (1 - y) sigmoid(z) - y sigmoid(-z), so that nothing cancels for y = 0 and y = 1.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    return _sigmoid_minus(z, *_decay_and_weight(z, y))


def binary_cross_entropy_with_logits_and_partial(z: Array, y: Array) -> tuple[Array, Array]:
    """Return `binary_cross_entropy_with_logits` and its derivative with respect to z, from one exp and one weight.

    Args:
        z: Logit.
        y: Label, from 0 to 1.
    """
    e, weight = _decay_and_weight(z, y)
    return _cross_entropy_of_logits(z, e, weight), _sigmoid_minus(z, e, weight)


def _decay_and_weight(z: Array, y: Array) -> tuple[Array, Array]:
    """Return exp(-|z|) and the weight, which is 1 - y where the sign of z is positive, and -y elsewhere."""
    return np.exp(np.copysign(z, -1.0)), (0.5 + np.copysign(0.5, z)) - y


def _cross_entropy_of_logits(z: Array, e: Array, weight: Array) -> Array:
    rest = np.log1p(e)
    out = weight * z + rest
    return out if _all_finite(out) else _weighted(weight, z) + rest  # weight 0 times an infinite z is 0 here


def _sigmoid_minus(z: Array, e: Array, weight: Array) -> Array:
    return weight - np.copysign(e / (1.0 + e), z)


def _all_finite(x: Array) -> bool:
    """Return whether all elements are known to be finite.

    Only the sum of the elements is checked, because a check of each element would take ten times as long.
    """
    return type(x) is np.ndarray and math.isfinite(np.add.reduce(x, axis=None))


def _weighted(weight: Array, x: Array) -> Array:
    """Return weight * x, or 0 for a weight of 0, even if x is infinite."""
    return np.where((weight == 0) & (x == x), 0.0, weight * x)


def squared_error(a: Array, y: Array) -> Array:
    """Return (a - y)^2 / 2.

    Args:
        a: Activation, from 0 to 1.
        y: Label, from 0 to 1.
    """
    return 0.5 * (a - y) * (a - y)
