"""Functions that repeat, shift and mirror elements, or surround an array with more elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygraph.engine.registry import is_integer, parametrized
from tinygraph.kernels.arrays import Array, as_array
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described, short
from tinygraph.tensor.arguments import axis_or_flat, lengths, named, one_axis
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, Shape, is_axes, is_shape
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.indexing import index, scatter_add
from tinygraph.tensor.operands import as_axis
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import reshape, transpose

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# --- repetition


def _is_repeats(x: object) -> bool:
    return (is_integer(x) and x >= 0) or is_shape(x)  # type: ignore[operator]


@parametrized(_is_repeats, is_integer)
@lru_cache(maxsize=256)
def repeat_by(repeats: int | Shape, axis: int) -> ArrayOp:
    """Return the op that repeats each element along an axis.

    Args:
        repeats: Number of copies of each element, or a tuple with one number for each position on the axis.
        axis: Axis, which is not negative.

    Returns:
        The op.

    Examples:
        >>> repeat_by((1, 2), 0)(np.array([3.0, 4.0]))
        array([3., 4., 4.])
    """

    def pull(up: Operand, out: Operand, x: Operand) -> Operand:
        if isinstance(repeats, int):
            return sum_over(axis + 1)(reshape((*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))(up))
        return scatter_add((*[slice(None)] * axis, np.repeat(np.arange(x.shape[axis]), repeats)), x.shape)(up)

    def shape(x: Shape) -> Shape:
        if not isinstance(repeats, int) and len(repeats) != x[axis]:
            raise ValueError(f"repeat needs {x[axis]} numbers of copies, not {len(repeats)}")
        count = repeats * x[axis] if isinstance(repeats, int) else sum(repeats)
        return (*x[:axis], count, *x[axis + 1 :])

    return ArrayOp(
        "repeat",
        lambda x: np.repeat(x, repeats, axis=axis),
        symbol=f"repeat({{}}, {short(str(repeats))}, axis={axis})",
        code="np.repeat({}, {parameters[0]}, axis={parameters[1]})",
        vjps=(pull,),
        note=("copies summed to {shape}",),
        shape=shape,
        moves=True,
        maker=repeat_by,
        parameters=(repeats, axis),
    )


@numpy_function()
def repeat(a: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Operand:
    """Repeat each element.

    Args:
        a: Tensor.
        repeats: Number of copies of each element, or a number for each position on the axis.
        axis: Axis along which elements are repeated. By default, the elements are read as a 1-D array.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0]).repeat(2)
        Tensor([1.0, 1.0, 2.0, 2.0], op='repeat')
    """
    a, axis = axis_or_flat("repeat", a, axis)
    counts = lengths("repeats", repeats)
    if len(counts) not in (1, a.shape[axis]):
        raise ValueError(f"repeat: repeats must have length 1 or {a.shape[axis]}, not {len(counts)}")
    if min(counts, default=0) < 0:
        raise ValueError(f"repeat: repeats must not be negative, not {short(str(repeats))}")
    return repeat_by(counts[0] if len(counts) == 1 else counts, axis)(a)


@parametrized(is_shape)
@lru_cache(maxsize=256)
def tile_by(reps: Shape) -> ArrayOp:
    """Return the op that repeats a whole array along each of its axes.

    Args:
        reps: Number of copies along each axis.

    Returns:
        The op.

    Examples:
        >>> tile_by((2,))(np.array([1.0, 2.0]))
        array([1., 2., 1., 2.])
    """

    def pull(up: Operand, out: Operand, x: Operand) -> Operand:
        pairs = [n for pair in zip(reps, x.shape, strict=True) for n in pair]
        return sum_over(tuple(range(0, 2 * len(reps), 2)))(reshape(tuple(pairs))(up))

    return ArrayOp(
        "tile",
        lambda x: np.tile(x, reps),
        symbol=f"tile({{}}, {reps})",
        code="np.tile({}, {parameters[0]})",
        vjps=(pull,),
        note=("copies summed to {shape}",),
        shape=lambda x: tuple([n * k for n, k in zip(x, reps, strict=True)]),
        moves=True,
        maker=tile_by,
        parameters=(reps,),
    )


@numpy_function()
def tile(A: Operand, reps: int | Sequence[int]) -> Operand:
    """Repeat an array along each axis."""
    counts = lengths("reps", reps)
    if min(counts, default=0) < 0:
        raise ValueError(f"tile: reps must not be negative, not {reps}")
    if A.ndim < len(counts):
        A = reshape((1,) * (len(counts) - A.ndim) + A.shape)(A)
    return tile_by((1,) * (A.ndim - len(counts)) + counts)(A)


@numpy_function()
def resize(a: Operand, new_shape: int | Sequence[int]) -> Operand:
    """Return an array of another size, which is filled with copies of the elements."""
    wanted = lengths("new_shape", new_shape)
    if min(wanted, default=0) < 0:
        raise ValueError(f"resize: new_shape must not be negative, not {new_shape}")
    count, elements = math.prod(wanted), reshape((a.size,))(a) if a.ndim != 1 else a
    if not a.size:
        elements = pad_by(((0, count),), "constant", ((0.0, 0.0),))(elements)  # NumPy fills with zeros
    elif count > a.size:
        elements = tile_by((-(-count // a.size),))(elements)
    if elements.size != count:
        elements = index(slice(0, count))(elements)
    return reshape(wanted)(elements)


# --- shifts and mirrors


@parametrized(is_axes, is_axes)
@lru_cache(maxsize=256)
def roll_by(shifts: Shape, axes: Shape) -> ArrayOp:
    """Return the op that shifts elements along axes. Elements that leave the array at one end come back at the other.

    Args:
        shifts: Number of positions for each axis.
        axes: Axes.

    Returns:
        The op.

    Examples:
        >>> roll_by((1,), (0,))(np.array([1.0, 2.0, 3.0]))
        array([3., 1., 2.])
    """
    back = tuple([-shift for shift in shifts])
    shown, behind, along = [x[0] if len(axes) == 1 else x for x in (shifts, back, axes)]
    return ArrayOp(
        "roll",
        lambda x: np.roll(x, shifts, axis=axes) if axes else x,  # NumPy refuses a scalar
        symbol=f"roll({{}}, {shown}, axis={along})",
        code="np.roll({}, {parameters[0]}, axis={parameters[1]})",
        vjps=(lambda up, out, x: roll_by(back, axes)(up),),
        note=(f"roll({{up}}, {behind}, axis={along})",),
        moves=True,
        maker=roll_by,
        parameters=(shifts, axes),
    )


@numpy_function()
def roll(a: Operand, shift: int | Sequence[int], axis: Axis = None) -> Operand:
    """Shift elements along axes. Without an axis, the elements are read as a 1-D array."""
    shifts = lengths("shift", shift)
    if axis is None:
        if a.ndim == 1:
            return roll_by((sum(shifts),), (0,))(a)
        return reshape(a.shape)(roll_by((sum(shifts),), (0,))(reshape((a.size,))(a)))
    axes = [one_axis("roll", a, k) for k in lengths("axis", axis)]
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ValueError(f"roll: {len(shifts)} shifts do not match {len(axes)} axes")
    total = dict.fromkeys(axes, 0)
    for k, s in np.broadcast(axes, shifts):
        total[int(k)] += int(s)
    return roll_by(tuple(total.values()), tuple(total))(a)


@numpy_function()
def flip(m: Operand, axis: Axis = None) -> Operand:
    """Reverse the order of the elements along the given axes, or along all axes."""
    found = as_axis(axis)
    axes = range(m.ndim) if found is None else [one_axis("flip", m, k) for k in lengths("axis", found)]
    if len(set(axes)) != len(axes):
        raise ValueError(f"flip: an axis occurs twice in {axis}")
    last = max(axes, default=-1)
    return index(tuple([slice(None, None, -1 if k in axes else None) for k in range(last + 1)]))(m)


@numpy_function()
def flipud(m: Operand) -> Operand:
    """Reverse the order of the rows."""
    if not m.ndim:
        raise ValueError("flipud needs at least one axis, not the shape ()")
    return flip(m, 0)


@numpy_function()
def fliplr(m: Operand) -> Operand:
    """Reverse the order of the columns."""
    if m.ndim < 2:
        raise ValueError(f"fliplr needs at least two axes, not the shape {m.shape}")
    return flip(m, 1)


@numpy_function()
def rot90(m: Operand, k: int = 1, axes: Sequence[int] = (0, 1)) -> Operand:
    """Rotate an array k times by 90 degrees, from the first toward the second of the axes."""
    pair = [one_axis("rot90", m, axis) for axis in lengths("axes", axes)]
    if len(set(pair)) != 2 or len(pair) != 2:
        raise ValueError(f"rot90 needs two different axes, not {axes}")
    turns = check_integer("k", k) % 4
    order = list(range(m.ndim))
    order[pair[0]], order[pair[1]] = pair[1], pair[0]
    if turns % 2 == 0:
        return flip(m, tuple(pair) if turns else ())
    if turns == 1:
        return transpose(tuple(order))(flip(m, pair[1]))
    return flip(transpose(tuple(order))(m), pair[1])


# --- padding

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _is_pairs(x: object) -> bool:
    return isinstance(x, tuple) and all(is_shape(pair) and len(pair) == 2 for pair in x)


def _is_values(x: object) -> bool:
    return isinstance(x, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(type(value) is float for value in pair) for pair in x
    )


def _is_mode(x: object) -> bool:
    return isinstance(x, str) and x in MODES


@parametrized(_is_pairs, _is_mode, _is_values)  # not cached, because -0.0 and 0.0 are different constants
def pad_by(widths: tuple[Shape, ...], mode: str, values: tuple[tuple[float, float], ...] = ()) -> ArrayOp:
    """Return the op that surrounds an array with constants or with copies of its elements.

    Args:
        widths: Numbers of elements before and after each axis.
        mode: NumPy's name for the elements: "constant", "edge", "reflect", "symmetric" or "wrap".
        values: Constants before and after each axis. Only the mode "constant" has them.

    Returns:
        The op.

    Examples:
        >>> pad_by(((1, 2),), "edge")(np.array([3.0, 4.0]))
        array([3., 3., 4., 4., 4.])
    """
    constant = mode == "constant"
    inside = tuple([slice(before, -after if after else None) for before, after in widths])
    flat = not any(value for pair in values for value in pair)
    zeros = ((0.0, 0.0),) * len(widths)

    def compute(x: Array) -> Array:
        return np.pad(x, widths or 0, mode, **({"constant_values": values or 0.0} if constant else {}))  # type: ignore[call-overload, no-any-return]

    def shape(x: Shape) -> Shape:
        return tuple([before + n + after for (before, after), n in zip(widths, x, strict=True)])

    return ArrayOp(
        "pad",
        compute,
        symbol=f"pad({{}}, {short(str(widths))}{'' if constant else f', {mode}'})",
        code="np.pad({}, {parameters[0]}, {parameters[1]}"
        f"{', constant_values={parameters[2]}' if constant and not flat else ''})",
        vjps=(lambda up, out, x: index(inside)(up) if constant else unpad_by(widths, mode, x.shape)(up),),
        jvp=(lambda tangent, out, x: pad_by(widths, mode, zeros)(tangent)) if constant and not flat else None,
        note=("the inner elements" if constant else "copies summed to {shape}",),
        shape=shape,
        moves=not constant,
        maker=pad_by,
        parameters=(widths, mode, values),
    )


@parametrized(_is_pairs, _is_mode, is_shape)
@lru_cache(maxsize=256)
def unpad_by(widths: tuple[Shape, ...], mode: str, shape: Shape) -> ArrayOp:
    """Return the pullback of `pad_by` for copied elements, which adds the copies of each element.

    Args:
        widths: Numbers of elements before and after each axis.
        mode: NumPy's name for the elements, except "constant".
        shape: Shape of the result.

    Returns:
        The op.

    Examples:
        >>> unpad_by(((1, 2),), "edge", (2,))(np.ones(5))
        array([2., 3.])
    """

    def compute(x: Array) -> Array:
        count = math.prod(shape)
        sources = np.pad(np.arange(count).reshape(shape), widths or 0, mode)  # type: ignore[call-overload]
        if sources.shape != x.shape:
            raise ValueError(f"unpad needs the shape {sources.shape}, not {x.shape}")
        return np.bincount(sources.ravel(), np.ravel(x), count).astype(np.float64, copy=False).reshape(shape)

    return ArrayOp(
        "unpad",
        compute,
        symbol=f"unpad({{}}, {short(str(widths))}, {mode})",
        vjps=(lambda up, out, x: pad_by(widths, mode)(up),),
        note=(f"pad({{up}}, {mode})",),
        shape=lambda _: shape,
        adds_terms=True,
        maker=unpad_by,
        parameters=(widths, mode, shape),
    )


@numpy_function()
def pad(
    array: Operand,
    pad_width: ArrayLike | dict[int, int | tuple[int, int]],
    mode: str = "constant",
    *,
    constant_values: ArrayLike | None = None,
    reflect_type: str | None = None,
) -> Operand:
    """Surround an array with constants, or with copies of its elements: the modes of `MODES`."""
    if not _is_mode(mode):
        raise ValueError(f"pad: the mode of a Tensor must be one of {', '.join(map(repr, MODES))}, not {mode!r}")
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: the mode {mode!r} does not use constant_values={constant_values}")
    if reflect_type not in (None, "even") or (reflect_type and mode not in ("reflect", "symmetric")):
        raise ValueError(f"pad: the mode {mode!r} of a Tensor does not use reflect_type={reflect_type!r}: leave it out")
    if isinstance(pad_width, dict):
        widths: dict[int, object] = dict.fromkeys(range(array.ndim), (0, 0))
        for axis, width in pad_width.items():
            widths[one_axis("pad", array, axis, "each key of pad_width")] = width
        pad_width = [_pairs("pad_width", width, 1)[0] for width in widths.values()]
    found = _pairs("pad_width", pad_width, array.ndim)
    if mode == "constant":
        values = _pairs("constant_values", 0.0 if constant_values is None else constant_values, array.ndim)
        return pad_by(found, mode, values)(array)
    return named("pad", array, pad_by(found, mode), array)


def _pairs(what: str, given: object, ndim: int) -> tuple[tuple[Any, Any], ...]:
    """Return numbers before and after each axis as a tuple of pairs."""
    numbers = as_array(given, f"pad: {what}")
    if what == "pad_width":
        if np.asarray(given).dtype.kind not in "iu":
            raise TypeError(f"pad: pad_width must contain integers, not {described(given)}")
        if numbers.size and numbers.min() < 0:
            raise ValueError(f"pad: pad_width must not be negative, not {given}")
        numbers = np.asarray(given)
    try:
        return tuple(map(tuple, np.broadcast_to(numbers, (ndim, 2)).tolist()))
    except ValueError:
        raise ValueError(f"pad: {what} must be a number, a pair, or a pair per axis ({ndim}), not {given}") from None
