"""Differences, gradients and integrals of sampled functions, convolutions, interpolation and polynomials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygraph.engine import ops
from tinygraph.engine.more_ops.rounding import floor
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import described, one_of
from tinygraph.tensor.array_ops import Axis, Operand, TracedArray
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.indexing import concatenate
from tinygraph.tensor.more_ops import convolutions, interpolation
from tinygraph.tensor.operands import operand
from tinygraph.tensor.shapes import expand


def _slice(x: Operand, axis: int, *ends: int | None) -> Operand:
    """Return the part of an array between two indices along an axis."""
    return x[(*[slice(None)] * axis, slice(*ends))]


def _steps(x: Operand, axis: int) -> Operand:
    """Return the differences of neighbors along an axis."""
    return _slice(x, axis, 1, None) - _slice(x, axis, None, -1)


@numpy_function()
def diff(
    a: Operand, n: int = 1, axis: int = -1, prepend: Operand | None = None, append: Operand | None = None
) -> Operand:
    """Return the differences of neighbors, as `np.diff`.

    Args:
        a: Tensor or array.
        n: Number of times that differences are taken. Defaults to 1.
        axis: Axis of the neighbors. Defaults to the last axis.
        prepend: Elements before the first one: a number, or an array.
        append: Elements after the last one.

    Returns:
        A Tensor, or an array if no argument is a Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> diff(Tensor([1.0, 4.0, 9.0]))
        Tensor([3.0, 5.0], op='sub')
    """
    a, n = operand(a, "diff"), check_integer("diff: n", n, least=0)
    if not a.ndim:
        raise ValueError("diff needs an array with at least one axis, got a scalar")
    axis = normalize_axis_index(axis, a.ndim)
    if n == 0:
        return a
    ends = [None if x is None else _end(operand(x, "diff"), a, axis) for x in (prepend, append)]
    parts = [x for x in (ends[0], a, ends[1]) if x is not None]
    a = concatenate(axis)(*parts) if len(parts) > 1 else a
    for _ in range(n):
        a = _steps(a, axis)
    return a


def _end(x: Operand, a: Operand, axis: int) -> Operand:
    return x if x.ndim else expand((*a.shape[:axis], 1, *a.shape[axis + 1 :]))(x)


@numpy_function()
def ediff1d(ary: Operand, to_end: Operand | None = None, to_begin: Operand | None = None) -> Operand:
    """Return the differences of neighbors in the flattened array, as `np.ediff1d`."""
    steps = _steps(operand(ary, "ediff1d").reshape(-1), 0)
    ends = [None if x is None else operand(x, "ediff1d").reshape(-1) for x in (to_begin, to_end)]
    parts = [x for x in (ends[0], steps, ends[1]) if x is not None]
    return concatenate(0)(*parts) if len(parts) > 1 else steps


@numpy_function()
def trapezoid(y: Operand, x: Operand | None = None, dx: float = 1.0, axis: int = -1) -> Operand:
    """Return the integral of a sampled function by the trapezoidal rule, as `np.trapezoid`.

    Args:
        y: Values of the function.
        x: Places of the samples. Defaults to places with the distance `dx`.
        dx: Distance of the samples. Defaults to 1.
        axis: Axis of the samples. Defaults to the last axis.

    Returns:
        A Tensor, or an array if no argument is a Tensor.
    """
    y = operand(y, "trapezoid")
    along = normalize_axis_index(axis, y.ndim)
    width = operand(dx, "trapezoid") if x is None else _widths(operand(x, "trapezoid"), y.ndim, axis)
    if not isinstance(x, TracedArray) and np.asarray(x).dtype == bool:
        width = ops.abs(width)  # NumPy's difference of bools is "not equal"
    return (width * (_slice(y, along, 1, None) + _slice(y, along, None, -1)) * 0.5).sum(axis=axis)


def _widths(x: Operand, ndim: int, axis: int) -> Operand:
    """Return the distances of the samples. The places are either one vector, or an array of the same shape."""
    if x.ndim == 1:
        return _steps(x, 0).reshape(-1, *[1] * (ndim - 1 - axis % ndim))
    return _steps(x, normalize_axis_index(axis, x.ndim))


@numpy_function()
def gradient(f: Operand, *varargs: Operand, axis: Axis = None, edge_order: int = 1) -> Operand | tuple[Operand, ...]:
    """Return the derivatives of a sampled function by differences, as `np.gradient`.

    Args:
        f: Values of the function.
        *varargs: One distance for all axes, or a distance or the places of the samples for each axis.
        axis: Axis, or tuple of axes. Defaults to all axes.
        edge_order: Order of the differences at the edges: 1 or 2. Defaults to 1.

    Returns:
        A Tensor for one axis, and otherwise a tuple of Tensors.

    Raises:
        ValueError: If there are too few samples.
    """
    f = operand(f, "gradient")
    axes = normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim, "gradient: axis")
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"gradient needs no distance, one, or one per axis ({len(axes)}), got {len(varargs)}")
    one_of("gradient: edge_order", edge_order, (1, 2))
    spaces = [operand(x, "gradient") for x in varargs] or [operand(1.0, "gradient")]
    if len(varargs) == 1 and len(axes) > 1 and spaces[0].ndim:
        raise TypeError(f"gradient: the places of the samples must be given for each of the {len(axes)} axes")
    spaces = spaces if len(spaces) == len(axes) else spaces * len(axes)
    found = [_along(f, k, space, edge_order) for k, space in zip(axes, spaces, strict=True)]
    return found[0] if len(axes) == 1 else tuple(found)


def _along(f: Operand, axis: int, space: Operand, edge_order: int) -> Operand:
    """Return the derivative along one axis."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient with edge_order={edge_order} needs {edge_order + 1} samples per axis, got {n}")
    if space.ndim and space.shape != (n,):
        raise ValueError(f"gradient: the places along axis {axis} must have shape ({n},), got {space.shape}")
    steps = _steps(space, 0) if space.ndim else expand((n - 1,))(space)  # the distances of neighbors
    slopes = _steps(f, axis) / steps.reshape(-1, *[1] * (f.ndim - 1 - axis))
    inside, first, last = [], _slice(slopes, axis, None, 1), _slice(slopes, axis, -1, None)
    if n > 2:
        column = (-1, *[1] * (f.ndim - 1 - axis))
        before, after = steps[:-1].reshape(*column), steps[1:].reshape(*column)
        left, right = _slice(slopes, axis, None, -1), _slice(slopes, axis, 1, None)
        whole = before + after
        inside = [(left * after + right * before) / whole]  # the parabola through three samples
        if edge_order == 2:
            change = (right - left) / whole
            first = first - _slice(change, axis, None, 1) * steps[:1].reshape(*column)
            last = last + _slice(change, axis, -1, None) * steps[-1:].reshape(*column)
    return concatenate(axis)(first, *inside, last)


def _vectors(name: str, *xs: Operand) -> list[Operand]:
    found = []
    for x in xs:
        x = operand(x, name)
        if x.ndim > 1 or not x.size:
            raise ValueError(f"{name} needs vectors that are not empty, got shape {x.shape}")
        found.append(x if x.ndim else x.reshape(1))
    return found


def _mode(name: str, mode: object) -> object:
    modes = ("valid", "same", "full")
    mode = modes[mode] if isinstance(mode, int) and mode in (0, 1, 2) else mode
    one_of(f"{name}: mode", mode, modes)
    return mode


@numpy_function()
def convolve(a: Operand, v: Operand, mode: str = "full") -> Operand:
    """Return the convolution of two vectors, as `np.convolve`.

    Args:
        a: Vector.
        v: Vector.
        mode: "full", "same" or "valid". Defaults to "full".

    Returns:
        A Tensor, or an array if neither argument is a Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> convolve(Tensor([1.0, 2.0]), [1.0, 10.0])
        Tensor([1.0, 12.0, 20.0], op='convolve')
    """
    a, v = _vectors("convolve", a, v)
    if a.size < v.size:
        a, v = v, a
    return _overlaps(a, v, _mode("convolve", mode), (v.size - 1) // 2)


def _overlaps(a: Operand, v: Operand, mode: object, start: int) -> Operand:
    if mode == "valid":
        return convolutions.convolve("valid")(a, v)
    full = convolutions.convolve("full")(a, v)
    return full if mode == "full" else full[start : start + a.size]


@numpy_function()
def correlate(a: Operand, v: Operand, mode: str = "valid") -> Operand:
    """Return the correlation of two vectors, as `np.correlate`.

    Args:
        a: Vector.
        v: Vector.
        mode: "full", "same" or "valid". Defaults to "valid".

    Returns:
        A Tensor, or an array if neither argument is a Tensor.
    """
    a, v = _vectors("correlate", a, v)
    mode = str(_mode("correlate", mode))
    if a.size < v.size:  # the positions are then in reverse order
        return convolutions.reverse(_overlaps(v, convolutions.reverse(a), mode, (a.size - 1) // 2))
    return _overlaps(a, convolutions.reverse(v), mode, (v.size - 1) // 2)


@numpy_function()
def interp(
    x: Operand,
    xp: Operand,
    fp: Operand,
    left: float | None = None,
    right: float | None = None,
    period: float | None = None,
) -> Operand:
    """Return the linear interpolation between points, as `np.interp`. At a point, the derivative is that to its right.

    Args:
        x: Places at which the function is interpolated.
        xp: Places of the points, in ascending order: an array.
        fp: Values of the points.
        left: Value before the first point. Defaults to the value of the first point.
        right: Value after the last point. Defaults to the value of the last point.
        period: Period of the places.

    Returns:
        A Tensor, or an array if no argument is a Tensor.

    Raises:
        TypeError: If `xp` is a Tensor.
        ValueError: If the points do not have as many places as values.
    """
    if isinstance(xp, TracedArray):
        raise TypeError("interp: the places of the points have no gradient here: pass xp.data")
    x, fp = operand(x, "interp"), operand(fp, "interp")
    places = np.array(operand(xp, "interp"))
    if places.ndim != 1 or not places.size or fp.shape != places.shape:
        raise ValueError(f"interp needs as many places as values, got the shapes {places.shape} and {fp.shape}")
    ends = [None if end is None else float(end) for end in (left, right)]
    if period is not None:
        if not period:
            raise ValueError("interp: period must not be 0")
        width = abs(float(period))
        x, places = x - floor(x / width) * width, places % width
        order = np.argsort(places)
        order = np.concatenate([order[-1:], order, order[:1]])
        places, fp, ends = places[order], fp[order], [None, None]
        places[0] -= width
        places[-1] += width
    return interpolation.interp(*ends)(x, places, fp)


@numpy_function()
def polyval(p: Operand | Sequence[Operand], x: Operand) -> Operand:
    """Return the values of a polynomial by Horner's rule, as `np.polyval`.

    Args:
        p: Coefficients, from that of the highest power to the constant.
        x: Places.

    Returns:
        A Tensor, or an array if neither argument is a Tensor.

    Examples:
        >>> from tinygraph import Tensor
        >>> polyval([1.0, 0.0, 2.0], Tensor(3.0))
        Tensor(11.0, op='add')
    """
    p, x = operand(p, "polyval"), operand(x, "polyval")
    if not p.ndim:
        raise TypeError(f"polyval: the coefficients must be a vector, not {described(p)}")
    if len(p) < 2:
        return x * 0.0 + p.sum(axis=0)  # a node if x is a Tensor
    shape = np.broadcast_shapes(p.shape[1:], x.shape)
    value = p[0] if p.shape[1:] == shape else expand(shape)(p[0])
    for k in range(1, len(p)):
        value = value * x + p[k]
    return value
