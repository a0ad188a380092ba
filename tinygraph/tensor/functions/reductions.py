"""Functions that reduce axes: sums, products, means, variances and extrema, and the same without NaN."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.engine import ops
from tinygraph.kernels.arrays import Array, add_up
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.messages import described
from tinygraph.tensor.arguments import named
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, TracedArray
from tinygraph.tensor.functions.table import check_defaults, numpy_function
from tinygraph.tensor.more_ops.accumulations import prod_over
from tinygraph.tensor.more_ops.masks import fill_nan, masked, not_nan
from tinygraph.tensor.more_ops.roots import root
from tinygraph.tensor.operands import as_axis, operand
from tinygraph.tensor.reductions import extremum, mean_over, sum_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinygraph.tensor.tensor import Tensor

    Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@numpy_function()
def sum(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None,
    **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the sum over the given axes.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        initial: Number that is added to the sum. Defaults to 0.
        where: Mask of the elements to add, whose shape broadcasts to that of `a`. Defaults to all elements.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([[1.0, 2.0], [3.0, 4.0]]).sum(axis=0)
        Tensor([4.0, 6.0], op='sum')
    """
    if numpy:
        check_defaults("sum", numpy)
    out = _reduced(
        "sum", a if where is None else _record(masked(mask_of("sum", where, a)), a), sum_over, axis, keepdims
    )
    return out if initial is None else out + plain_number(initial, "sum: initial")


@numpy_function()
def prod(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None,
    **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the product over the given axes. Its derivatives are right at zeros too.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        initial: Factor of the product. Defaults to 1.
        where: Mask of the elements to multiply, whose shape broadcasts to that of `a`. Defaults to all elements.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor, grad
        >>> x = Tensor([2.0, 0.0, 3.0])
        >>> grad(x.prod(), x).tolist()
        [0.0, 6.0, 0.0]
    """
    check_defaults("prod", numpy)
    out = _reduced(
        "prod", a if where is None else _record(masked(mask_of("prod", where, a), 1.0), a), prod_over, axis, keepdims
    )
    return out if initial is None else out * plain_number(initial, "prod: initial")


@numpy_function()
def mean(a: Tensor, axis: Axis = None, keepdims: bool = False, *, where: object = None, **numpy: object) -> Tensor:
    """Return the mean over the given axes.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        where: Mask of the elements to average, whose shape broadcasts to that of `a`. Defaults to all elements.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph. Its value is NaN if there are no elements.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0, 6.0]).mean()
        Tensor(3.0, op='mean')
    """
    if numpy:
        check_defaults("mean", numpy)
    if where is None:
        return _reduced("mean", a, mean_over, axis, keepdims)
    return sum(a, axis, keepdims, where=_averaged("mean", where, a, axis)) / _count(a, axis, keepdims, where)


@numpy_function("max", "amax")
def max(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None,
    **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the maximum over the given axes. If k elements tie, each of them gets 1/k of the derivative.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        initial: Smallest possible result. It is compared with the maximum like an operand of `tinygraph.maximum`.
        where: Mask of the elements to compare, whose shape broadcasts to that of `a`. It needs `initial`.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If there are no elements, or a mask without `initial`.
    """
    if numpy:
        check_defaults("max", numpy)
    return _extremum("max", a, axis, keepdims, initial, where)


@numpy_function("min", "amin")
def min(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None,
    **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the minimum over the given axes. If k elements tie, each of them gets 1/k of the derivative.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.
        initial: Largest possible result. It is compared with the minimum like an operand of `tinygraph.minimum`.
        where: Mask of the elements to compare, whose shape broadcasts to that of `a`. It needs `initial`.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If there are no elements, or a mask without `initial`.
    """
    if numpy:
        check_defaults("min", numpy)
    return _extremum("min", a, axis, keepdims, initial, where)


@numpy_function()
def ptp(a: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the range ("peak to peak") over the given axes: the maximum minus the minimum.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If there are no elements.
    """
    return max(a, axis, keepdims) - min(a, axis, keepdims)


@numpy_function()
def var(
    a: Tensor, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, where: object = None,
    correction: float | None = None, **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the variance over the given axes: the mean of the squared deviations from the mean.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        ddof: "Delta degrees of freedom": the sum of the squares is divided by the number of elements minus `ddof`.
        keepdims: If true, keep the reduced axes with length 1.
        where: Mask of the elements, whose shape broadcasts to that of `a`. Defaults to all elements.
        correction: Another name of `ddof`.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph. Its value is NaN without elements, as in NumPy.

    Raises:
        ValueError: If both `ddof` and `correction` are given.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0, 6.0]).var(ddof=1).item()
        7.0
    """
    check_defaults("var", numpy)
    mask = None if where is None else _averaged("var", where, a, axis)
    kept = a if mask is None else _record(masked(mask), a)  # an infinite deviation has no derivative
    deviations = kept - mean(a, axis, True, where=where)
    left = _count(a, axis, keepdims, where) - _freedom("var", ddof, correction)
    return sum(deviations * deviations, axis, keepdims, where=mask) / np.maximum(left, 0.0)


@numpy_function()
def std(
    a: Tensor, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, where: object = None,
    correction: float | None = None, **numpy: object,
) -> Tensor:  # fmt: skip
    """Return the standard deviation over the given axes, the square root of the variance.

    Where all elements are equal, the standard deviation has a kink. Its derivatives there are 0 by convention, as in
    PyTorch, like those of `abs` at 0.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        ddof: "Delta degrees of freedom": the sum of the squares is divided by the number of elements minus `ddof`.
        keepdims: If true, keep the reduced axes with length 1.
        where: Mask of the elements, whose shape broadcasts to that of `a`. Defaults to all elements.
        correction: Another name of `ddof`.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph. Its value is NaN without elements, as in NumPy.

    Raises:
        ValueError: If both `ddof` and `correction` are given.

    Examples:
        >>> from tinygraph import Tensor, grad
        >>> x = Tensor([5.0, 5.0])
        >>> grad(x.std(), x).tolist()
        [0.0, 0.0]
    """
    variance = var(a, axis, ddof=ddof, keepdims=keepdims, where=where, correction=correction, **numpy)
    return _record(root(0.5), variance)


@numpy_function()
def average(
    a: Operand, axis: Axis = None, weights: Operand | None = None, returned: bool = False, *, keepdims: bool = False
) -> Operand | tuple[Operand, Operand]:
    """Return the mean over the given axes, weighted by `weights`.

    Args:
        a: Tensor or array.
        axis: Axis, tuple of axes, or None for all axes.
        weights: Tensor or array: the weight of each element, or a 1-D array with one weight for each element along the
            axis. Defaults to equal weights.
        returned: If true, return also the sum of the weights.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A node of the graph, or a pair of the node and the sum of the weights.

    Raises:
        ZeroDivisionError: If a sum of weights is 0.
        ValueError: If the shape of the weights is wrong.

    Examples:
        >>> from tinygraph import Tensor
        >>> average(Tensor([1.0, 5.0]), weights=[3.0, 1.0]).item()
        2.0
    """
    x: Tensor = operand(a, "average")  # type: ignore[assignment]  # array ops accept an array like a Tensor
    if weights is None:
        out = _reduced("average", x, mean_over, axis, keepdims)
        return (out, type(out)(np.full(out.shape, _count(x, axis, keepdims)), constant=True)) if returned else out
    w = _weights(operand(weights, "average: weights"), x, as_axis(axis))
    total = _reduced("average", w, sum_over, axis, keepdims)
    if not np.all(total.raw if isinstance(total, TracedArray) else total):
        raise ZeroDivisionError("average: the weights have the sum 0, so they cannot be normalized")
    out = _reduced("average", x * w, sum_over, axis, keepdims) / total
    return (out, total if isinstance(total, TracedArray) else type(out)(total, constant=True)) if returned else out


# --- without NaN


@numpy_function()
def nansum(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None
) -> Tensor:
    """Return the sum over the given axes, where NaN counts as 0. The derivative for NaN is 0."""
    return sum(_record(fill_nan(0.0), a), axis, keepdims, initial=initial, where=where)


@numpy_function()
def nanprod(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None
) -> Tensor:
    """Return the product over the given axes, where NaN counts as 1. The derivative for NaN is 0."""
    return prod(_record(fill_nan(1.0), a), axis, keepdims, initial=initial, where=where)


@numpy_function()
def nanmean(a: Tensor, axis: Axis = None, keepdims: bool = False, *, where: object = None) -> Tensor:
    """Return the mean over the given axes, without NaN. It is NaN where all elements are NaN."""
    mask = None if where is None else _averaged("nanmean", where, a, axis)
    return nansum(a, axis, keepdims, where=mask) / _number_of(a, axis, keepdims, where)


@numpy_function()
def nanvar(
    a: Tensor, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, where: object = None,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """Return the variance over the given axes, without NaN. It is NaN where no degrees of freedom are left."""
    mask = None if where is None else _averaged("nanvar", where, a, axis)
    kept = a if mask is None else _record(masked(mask), a)
    deviations = (_record(fill_nan(0.0), kept) - nanmean(a, axis, True, where=where)) * _record(not_nan(), a)
    left = _number_of(a, axis, keepdims, where) - _freedom("nanvar", ddof, correction)
    some = ops.heaviside(left)  # 0 without degrees of freedom, so that the result is 0 / 0
    return some * sum(deviations * deviations, axis, keepdims, where=mask) / (some * left)


@numpy_function()
def nanstd(
    a: Tensor, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False, where: object = None,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """Return the standard deviation over the given axes, without NaN. Where it is 0, its derivatives are also 0."""
    variance = nanvar(a, axis, ddof=ddof, keepdims=keepdims, where=where, correction=correction)
    return _record(root(0.5), variance)


@numpy_function()
def nanmax(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None
) -> Tensor:
    """Return the maximum over the given axes, without NaN. It is NaN where all elements are NaN."""
    return _extremum("nanmax", a, axis, keepdims, initial, where)


@numpy_function()
def nanmin(
    a: Tensor, axis: Axis = None, keepdims: bool = False, *, initial: float | None = None, where: object = None
) -> Tensor:
    """Return the minimum over the given axes, without NaN. It is NaN where all elements are NaN."""
    return _extremum("nanmin", a, axis, keepdims, initial, where)


# --- helpers


def _reduced(name: str, a: Tensor, over: Callable[..., ArrayOp], axis: Axis, keepdims: bool) -> Tensor:
    """Record the reduction that `over` returns for the given axes."""
    try:
        op = over(axis if axis is None or type(axis) is int else as_axis(axis), bool(keepdims))
        if isinstance(a, TracedArray):
            return a._record_array_op(op, (a,))  # without the call of the op, which takes a tenth of the time
        return op(a)
    except np.exceptions.AxisError as error:
        raise np.exceptions.AxisError(f"{name} of an array of shape {a.shape}: {error}") from None


def _record(op: ArrayOp, a: Tensor) -> Tensor:
    return op(a)  # type: ignore[return-value]


def _extremum(name: str, a: Tensor, axis: Axis, keepdims: bool, initial: float | None, where: object) -> Tensor:
    """Record a maximum or minimum, also of the elements of a mask and a number."""
    over = partial(extremum, name)
    if initial is None:
        if where is not None:
            raise ValueError(f"{name} with where= needs initial=, the result where the mask selects no element")
        try:
            return _reduced(name, a, over, axis, keepdims)
        except ValueError as error:
            if a.size or isinstance(error, np.exceptions.AxisError):
                raise
            raise ValueError(
                f"{name} of an array of shape {a.shape}: it has no elements, so it needs initial="
            ) from None
    bound = plain_number(initial, f"{name}: initial")
    if where is not None:
        a = _record(masked(mask_of(name, where, a), bound), a)
    if not a.size:
        return sum(a, axis, keepdims) + bound
    out = _reduced(name, a, over, axis, keepdims)
    if name.startswith("nan"):
        out = _record(fill_nan(bound), out)
    return ops.maximum(out, bound) if name.endswith("max") else ops.minimum(out, bound)


def mask_of(name: str, where: object, a: Operand) -> Mask:
    """Return a copy of a mask in the shape of an array.

    Args:
        name: Name of the function that has the mask, for messages.
        where: Mask whose shape broadcasts to that of the array.
        a: Tensor or array.

    Returns:
        The mask.

    Raises:
        TypeError: If the mask is not an array of bools.
        ValueError: If its shape does not fit.
    """
    if isinstance(where, TracedArray):
        raise TypeError(f"{name}: where must be an array of bools, not a Tensor: compare it, for example t > 0")
    given = np.asarray(where)
    if given.dtype != bool:
        raise TypeError(f"{name}: where must be an array of bools, not {described(where)}")
    try:
        return np.broadcast_to(given, a.shape).copy()
    except ValueError:
        raise ValueError(f"{name}: the mask has shape {given.shape}, which does not fit the shape {a.shape}") from None


def _count(a: Operand, axis: Axis, keepdims: bool, where: object = None) -> Array | float:
    """Return the number of elements over the given axes, for a mask the number of true elements, or NaN for none."""
    if where is not None:
        found = add_up(mask_of("mean", where, a).astype(np.float64), as_axis(axis), bool(keepdims))
        return np.where(found == 0.0, np.nan, found)
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return float(math.prod([a.shape[i] for i in axes if a.ndim]))


def _averaged(name: str, where: object, a: Operand, axis: Axis) -> Mask:
    """Return the mask of the elements to average: where it selects none over the axes, all of them.

    Without elements, the average is NaN. Because it depends on all elements here, their derivative is NaN, and not 0.
    """
    mask = mask_of(name, where, a)
    return mask | ~named(name, a, mask.any, as_axis(axis), keepdims=True)


def _freedom(name: str, ddof: float, correction: float | None) -> float:
    """Return the number that is subtracted from the number of elements."""
    given = plain_number(ddof, f"{name}: ddof")
    if correction is None:
        return given
    if given:
        raise ValueError(f"{name}: ddof and correction are two names of one argument: give one of them")
    return plain_number(correction, f"{name}: correction")


def _number_of(a: Tensor, axis: Axis, keepdims: bool, where: object) -> Tensor:
    """Return how many elements over the given axes are not NaN."""
    number = sum(_record(not_nan(), a), axis, keepdims, where=where)
    return number if where is None else number + 0.0 * _count(a, axis, keepdims, where)


def _weights(w: Operand, a: Operand, axis: Axis) -> Tensor:
    """Return the weights in the shape of `a`."""
    if w.shape == a.shape:
        return w  # type: ignore[return-value]
    axes = (axis,) if isinstance(axis, int) else axis
    if axes is None:
        raise TypeError(f"average: weights of shape {w.shape} differ from the shape {a.shape}, so they need an axis")
    places = [np.lib.array_utils.normalize_axis_index(i, a.ndim) for i in axes]
    if w.shape != tuple([a.shape[i] for i in places]):
        raise ValueError(f"average: weights of shape {w.shape} do not fit axis {axis} of an array of shape {a.shape}")
    turned = w.transpose(*[int(i) for i in np.argsort(places)]) if w.ndim > 1 else w
    column = turned.reshape([a.shape[i] if i in places else 1 for i in range(a.ndim)])
    return np.broadcast_to(column, a.shape)  # type: ignore[return-value]
