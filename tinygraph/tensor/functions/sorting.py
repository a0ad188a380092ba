"""Sorting, and what is computed from sorted elements: the median, quantiles and percentiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.kernels.arrays import Array, as_array
from tinygraph.support.messages import one_of
from tinygraph.tensor.array_ops import Axis
from tinygraph.tensor.functions.cumulative import along
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.more_ops.orders import SORTING_KINDS, sort_over
from tinygraph.tensor.operands import as_axis

if TYPE_CHECKING:
    from tinygraph.tensor.tensor import Tensor


@numpy_function()
def sort(a: Tensor, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Tensor:
    """Return the elements in ascending order along an axis. NaN comes last.

    The derivative of a sorted element belongs to the element that is moved to this place. Equal elements keep their
    order, also in the derivative. `forward` sorts the current elements again.

    Args:
        a: Tensor.
        axis: Axis, or None for all elements as a 1-D array. Defaults to the last axis.
        kind: NumPy's name of the algorithm. All of them give the same elements; equal elements always keep their order.
        stable: Equal elements always keep their order.

    Returns:
        A node of the graph.

    Raises:
        AxisError: If the Tensor does not have the axis.

    Examples:
        >>> from tinygraph import Tensor
        >>> sort(Tensor([3.0, 1.0, 2.0]))
        Tensor([1.0, 2.0, 3.0], op='sort')
    """
    one_of("kind", kind, SORTING_KINDS)
    if axis is not None and not a.ndim:
        raise np.exceptions.AxisError("sort of an array of shape (): it has no axis to sort along")
    return along("sort", a, axis, sort_over)


@numpy_function()
def median(a: Tensor, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """Return the median over the given axes, for an even number of elements the mean of the middle two.

    The result is NaN if an element is NaN. Equal elements keep their order, so the derivative belongs to one of them.

    Args:
        a: Tensor.
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> median(Tensor([3.0, 1.0, 2.0, 5.0])).item()
        2.5
    """
    return _ranked("median", a, np.array(0.5), axis, keepdims, _middle)


@numpy_function()
def quantile(
    a: Tensor, q: float | Sequence[float] | Array, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return quantiles over the given axes, by linear interpolation between the sorted elements.

    The result is NaN if an element is NaN. Equal elements keep their order, so the derivative belongs to one of them.

    Args:
        a: Tensor.
        q: Probability from 0 to 1, or an array of them. Its axes come first in the result.
        axis: Axis, tuple of axes, or None for all axes.
        method: "linear", "lower", "higher", "midpoint" or "nearest". Defaults to "linear".
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If a probability is not between 0 and 1, or if there are no elements.

    Examples:
        >>> from tinygraph import Tensor
        >>> quantile(Tensor([3.0, 1.0, 2.0]), 0.25).item()
        1.5
    """
    return _quantile("quantile", a, as_array(q, "quantile: q"), axis, method, keepdims)


@numpy_function()
def percentile(
    a: Tensor, q: float | Sequence[float] | Array, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return percentiles over the given axes, by linear interpolation between the sorted elements.

    The result is NaN if an element is NaN. Equal elements keep their order, so the derivative belongs to one of them.

    Args:
        a: Tensor.
        q: Percentage from 0 to 100, or an array of them. Its axes come first in the result.
        axis: Axis, tuple of axes, or None for all axes.
        method: "linear", "lower", "higher", "midpoint" or "nearest". Defaults to "linear".
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A node of the graph.

    Raises:
        ValueError: If a percentage is not between 0 and 100, or if there are no elements.

    Examples:
        >>> from tinygraph import Tensor
        >>> percentile(Tensor([3.0, 1.0, 2.0]), 25).item()
        1.5
    """
    return _quantile("percentile", a, as_array(q, "percentile: q") / 100.0, axis, method, keepdims)


_Place = Callable[[Array, int], tuple[Any, Any, Any]]


def _linear(q: Array, n: int) -> tuple[Any, Any, Any]:
    """Return the two neighbors of a quantile among n sorted elements, and the weight of the second one."""
    place = q * (n - 1)
    low = np.floor(place)
    return low, np.minimum(low + 1.0, n - 1.0), place - low


def _middle(q: Array, n: int) -> tuple[Any, Any, Any]:
    return (n - 1) // 2, n // 2, 0.5


def _rounded(function: Callable[[Array], Array]) -> _Place:
    def place(q: Array, n: int) -> tuple[Any, Any, Any]:
        at = function(q * (n - 1))
        return at, at, 0.0

    return place


def _midpoint(q: Array, n: int) -> tuple[Any, Any, Any]:
    place = q * (n - 1)
    return np.floor(place), np.ceil(place), 0.5


_METHODS: dict[str, _Place] = {
    "linear": _linear,
    "lower": _rounded(np.floor),
    "higher": _rounded(np.ceil),
    "midpoint": _midpoint,
    "nearest": _rounded(np.rint),
}


def _quantile(name: str, a: Tensor, q: Array, axis: Axis, method: str, keepdims: bool) -> Tensor:
    one_of("method", method, _METHODS)
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError(f"{name}: q must be between 0 and {1 if name == 'quantile' else 100}")
    return _ranked(name, a, q, axis, keepdims, _METHODS[method])


def _ranked(name: str, a: Tensor, q: Array, axis: Axis, keepdims: bool, place: _Place) -> Tensor:
    """Return weighted means of two sorted elements, and NaN where an element is NaN."""
    axis = as_axis(axis)
    axes = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    try:
        first = np.lib.array_utils.normalize_axis_tuple(axes, a.ndim)
    except np.exceptions.AxisError as error:
        raise np.exceptions.AxisError(f"{name} of an array of shape {a.shape}: {error}") from None
    kept = [i for i in range(a.ndim) if i not in first]
    order = [*first, *kept]
    turned = a if order == list(range(a.ndim)) else a.transpose(*order)
    shape = [a.shape[i] for i in kept]
    n = int(np.prod([a.shape[i] for i in first]))
    if not n:
        raise ValueError(f"{name} of an array of shape {a.shape}: there are no elements over axis {axis}")
    ranked: Tensor = sort_over(0)(turned.reshape([n, *shape]))  # type: ignore[assignment]
    low, high, weight = place(q, n)
    below = ranked[np.asarray(low, dtype=np.intp)]
    above = ranked[np.asarray(high, dtype=np.intp)]
    weight = np.reshape(weight, np.shape(weight) + (1,) * len(shape)) if np.ndim(weight) else weight
    out = below if low is high else below + (above - below) * weight
    out = out + ops.flat(ranked[-1])  # NaN comes last, and `flat` keeps it
    if not keepdims:
        return out
    return out.reshape([*np.shape(low), *[1 if i in first else m for i, m in enumerate(a.shape)]])
