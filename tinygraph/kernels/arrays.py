"""Elementary functions of arrays: element by element what `floats` computes, without warnings and exceptions.

They call NumPy's ufuncs and `where` only, so they work on every array that follows NumPy's protocols. A kernel that is
not here is NumPy's own, or is computed float by float (`float_by_float`): slow, accurate, and rarely needed.
"""

from __future__ import annotations

import contextvars
import functools
import math
import sys
from _thread import get_ident
from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar, TypeVarTuple

import numpy as np

from tinygraph.kernels.numbers import plain_number
from tinygraph.support.messages import short

Array = np.ndarray[Any, np.dtype[np.float64]]  # or an array that is not NumPy's, but follows its protocols
_Ts = TypeVarTuple("_Ts")
_R = TypeVar("_R")
_SMALLEST = 2.0**-1022  # below are the subnormals, with fewer bits the smaller they are
_inside = contextvars.ContextVar("inside quietly", default=False)
_runs: dict[int, Callable[..., Any]] = {}  # for each thread, how to run in a context of its own


def quietly(function: Callable[[*_Ts], _R], *args: *_Ts) -> _R:
    """Call a function with NumPy's floating-point warnings off.

    Running it in a context prepared once takes 0.3 µs; `np.errstate` takes 2.8, three times an addition.

    Examples:
        >>> quietly(np.divide, 1.0, np.array([0.0]))
        array([inf])
    """
    if _inside.get():
        return function(*args)
    return (_runs.get(get_ident()) or _prepared())(function, *args)  # type: ignore[no-any-return]


def _prepared() -> Callable[..., Any]:
    """Return a function that runs others without NumPy's warnings, in a context that is kept for this thread."""
    context = contextvars.Context()
    context.run(np.seterr, all="ignore")
    context.run(_inside.set, True)
    _runs[get_ident()] = context.run
    return context.run


def as_array(data: Any, what: str) -> Array:
    """Return data as a float64 array; an array that is not NumPy's is kept as it is.

    Args:
        data: What NumPy takes for an array of real numbers.
        what: The function that takes it, for messages.

    Returns:
        The array, without a copy where none is needed.

    Raises:
        TypeError: If it is not an array of real numbers; the message shows what to do.

    Examples:
        >>> as_array([1, 2], "Tensor")
        array([1., 2.])
    """
    if refusal := getattr(type(data), "not_an_array", ""):  # as `not_a_number` in `plain_number`
        raise TypeError(f"{what}: {refusal}")
    if type(data) is not np.ndarray and _is_foreign(data):
        return data if data.dtype == np.float64 else data.astype(np.float64)
    try:
        array = np.asarray(data)
    except ValueError:
        raise TypeError(f"{what}: {_short(data)} is no array: its rows have different lengths") from None
    if array.dtype == np.float64:
        return array if type(array) is np.ndarray else np.asarray(array)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind == "O":
        if any(hasattr(type(entry), "not_a_number") for entry in array.ravel()):
            raise TypeError(f"{what}: Values and Tensors cannot be mixed in one graph: take the .data of each Value")
        try:  # Fraction and Decimal
            return np.array([plain_number(entry, what) for entry in array.ravel()]).reshape(array.shape)
        except TypeError:
            pass
    remedy = {"c": "take its .real or .imag part", "U": "convert text with float(...) first"}
    what_to_do = remedy.get(array.dtype.kind, "pass numbers, or nested lists of them")
    raise TypeError(f"{what}: {_short(data)} is no array of real numbers; {what_to_do}")


def _short(data: object) -> str:
    return f"{short(' '.join(repr(data).split()))} ({type(data).__name__})"


def _is_foreign(data: object) -> TypeGuard[Array]:
    """Whether it is an array that is not NumPy's, but follows its protocols."""
    kind = type(data)
    return (
        hasattr(kind, "__array_ufunc__")
        and hasattr(kind, "__array_function__")
        and hasattr(data, "dtype")
        and hasattr(data, "shape")
        and not isinstance(data, (np.ndarray, np.generic))
    )


def add_up(x: Array, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Array:
    """Return the sum over axes: `np.sum` without its detour, or as an array that is not NumPy's computes it."""
    if type(x) is np.ndarray:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload, no-any-return]
    return np.sum(x, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]


def kernel(source: str | Callable[..., Array] | None) -> Callable[..., Array] | None:
    """Return the kernel that an op names: a function of this module or of NumPy, or one that is given this module."""
    if isinstance(source, str):
        return globals().get(source) or getattr(np, source)  # type: ignore[no-any-return]
    return functools.partial(source, sys.modules[__name__]) if source else None


def float_by_float(number: Callable[..., float], arity: int) -> Callable[..., Array]:
    """A function of floats, mapped over arrays: the same bits, at Python's speed."""
    function = np.frompyfunc(number, arity, 1)
    return lambda *xs: np.asarray(function(*xs), dtype=np.float64)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), accurate in both tails because exp is only ever given -|x|."""
    e = np.exp(-np.absolute(x))
    return np.maximum(e, 0.5 + np.copysign(0.5, x)) / (1.0 + e)  # e or 1 by the sign of x, in half the time of `where`


def sigmoid_and_rest(x: Array) -> tuple[Array, Array]:
    """sigmoid(x) and sigmoid(-x) at once, from one exp: the same bits in three fifths of the time."""
    e = np.exp(-np.absolute(x))
    side, whole = np.copysign(0.5, x), 1.0 + e
    return np.maximum(e, 0.5 + side) / whole, np.maximum(e, 0.5 - side) / whole


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without a threshold."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.absolute(x)))


def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x))."""
    return -softplus(-x)


def relu(x: Array) -> Array:
    """max(x, 0), where nan stays nan."""
    return np.maximum(x, 0.0) + 0.0  # which makes 0 of -0


def heaviside(x: Array) -> Array:
    """1 for positive x and 0 otherwise, 0 itself included; nan for nan."""
    return np.maximum(np.sign(x), 0.0) + 0.0


def flat(x: Array) -> Array:
    """The derivative of a step: 0 everywhere, nan for nan."""
    return np.where(x == x, 0.0, x)


def larger(x: Array, y: Array) -> Array:
    """The share of x in maximum(x, y): 1, 0, or one half where they tie."""
    return np.where(x > y, 1.0, np.where(x == y, 0.5, flat(x + flat(y))))


def log_partial(x: Array) -> Array:
    """The derivative of log: 1 / x, inf at 0, and nan below, where log is not defined."""
    return np.where(x >= 0, 1.0 / np.absolute(x), np.nan)


def power_of_plain(x: Array, exponent: float) -> Array:
    """x to the power of a plain number; the op `pow`, of two arrays, is `np.power`."""
    return x * x if exponent == 2 else np.power(x, exponent)


def lowered_power(x: Array, exponent: float, n: int, factor: float) -> Array:
    """factor * x ** (exponent - n), where a factor 0 wins over any power."""
    if factor == 0:
        return np.zeros_like(x)
    if exponent - n == 1:
        return factor * x
    power = np.power(x, exponent - n)
    out, size = factor * power, np.absolute(power)
    if type(size) is np.ndarray and np.all((size >= _SMALLEST) & (size < np.inf)):
        return out
    half = np.power(np.absolute(x), 0.5 * (exponent - n))  # the power left the range of floats, the product perhaps not
    rescued = np.copysign(half * abs(factor) * half, out)
    return np.where((size < _SMALLEST) | (size == np.inf), rescued, out)


def div_dy(x: Array, y: Array) -> Array:
    """The derivative of x / y with respect to y."""
    quotient = x / y
    out, size = -quotient / y, np.absolute(quotient)
    if type(size) is np.ndarray and np.all(size >= _SMALLEST):
        return out
    (a, up), (b, down) = np.frexp(x), np.frexp(y)  # x / y lost bits, which a small y would make large
    return np.where(size < _SMALLEST, np.ldexp(-a / (b * b), up - 2 * down), out)


def binary_cross_entropy(a: Array, y: Array) -> Array:
    """-(y log a + (1 - y) log(1 - a)), where 0 log 0 is 0."""
    yes, no = np.log(a), np.log1p(-a)
    out = -(y * yes + (1.0 - y) * no)
    return out if _all_finite(out) else _weighted(y, -yes) + _weighted(1.0 - y, -no)


def binary_cross_entropy_da(a: Array, y: Array) -> Array:
    """(1 - y) / (1 - a) - y / a as one fraction, or at 0 and 1 the one term of a label, where 0 / 0 is 0."""
    below = a * (1.0 - a)
    local = (a - y) / below
    if type(below) is np.ndarray and below.size and np.minimum.reduce(below, axis=None) > 0:
        return local
    label = np.where(y == 1, -1.0 / a, 1.0 / (1.0 - a))
    return np.where((a >= 0) & (a <= 1), np.where((y == 1) | (y == 0), label, local), np.nan)


def binary_cross_entropy_with_logits(z: Array, y: Array) -> Array:
    """binary_cross_entropy(sigmoid(z), y), computed from z: two terms of one sign, and one exp."""
    return _cross_entropy_of_logits(z, *_decay_and_weight(z, y))


def sigmoid_minus(z: Array, y: Array) -> Array:
    """sigmoid(z) - y from both tails, (1 - y) sigmoid(z) - y sigmoid(-z): for y = 0 and 1 nothing cancels."""
    return _sigmoid_minus(z, *_decay_and_weight(z, y))


def binary_cross_entropy_with_logits_and_partial(z: Array, y: Array) -> tuple[Array, Array]:
    """Value and derivative at once, from one exp and one weight."""
    e, weight = _decay_and_weight(z, y)
    return _cross_entropy_of_logits(z, e, weight), _sigmoid_minus(z, e, weight)


def _decay_and_weight(z: Array, y: Array) -> tuple[Array, Array]:
    """exp(-|z|), in one op less, and 1 - y where z is positive, -y where it is not."""
    return np.exp(np.copysign(z, -1.0)), (0.5 + np.copysign(0.5, z)) - y


def _cross_entropy_of_logits(z: Array, e: Array, weight: Array) -> Array:
    rest = np.log1p(e)
    out = weight * z + rest
    return out if _all_finite(out) else _weighted(weight, z) + rest  # weight 0 leaves nothing of an infinite z


def _sigmoid_minus(z: Array, e: Array, weight: Array) -> Array:
    return weight - np.copysign(e / (1.0 + e), z)


def _all_finite(x: Array) -> bool:
    """Whether it is known that no special case is among them, in a tenth of the time of looking at each."""
    return type(x) is np.ndarray and math.isfinite(np.add.reduce(x, axis=None))


def _weighted(weight: Array, x: Array) -> Array:
    """weight * x, where weight 0 leaves nothing of an infinity."""
    return np.where((weight == 0) & (x == x), 0.0, weight * x)


def squared_error(a: Array, y: Array) -> Array:
    """(a - y)^2 / 2."""
    return 0.5 * (a - y) * (a - y)
