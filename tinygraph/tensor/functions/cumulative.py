"""Cumulative sums and products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygraph.tensor.arguments import axis_or_flat
from tinygraph.tensor.functions.table import check_defaults, numpy_function
from tinygraph.tensor.more_ops.accumulations import cumprod_over, cumsum_over
from tinygraph.tensor.more_ops.masks import fill_nan

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinygraph.tensor.array_ops import ArrayOp
    from tinygraph.tensor.tensor import Tensor


@numpy_function()
def cumsum(a: Tensor, axis: int | None = None, **numpy: object) -> Tensor:
    """Return the sums of the first elements along an axis: of one element, of two, and so on.

    Args:
        a: Tensor.
        axis: Axis, or None for all elements as a 1-D array.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0, 3.0]).cumsum()
        Tensor([1.0, 3.0, 6.0], op='cumsum')
    """
    check_defaults("cumsum", numpy)
    return along("cumsum", a, axis, cumsum_over)


@numpy_function()
def cumprod(a: Tensor, axis: int | None = None, **numpy: object) -> Tensor:
    """Return the products of the first elements along an axis. The derivatives are right at zeros too.

    Args:
        a: Tensor.
        axis: Axis, or None for all elements as a 1-D array.
        **numpy: NumPy's other arguments, which must keep their default values.

    Returns:
        A node of the graph.

    Examples:
        >>> from tinygraph import Tensor
        >>> Tensor([1.0, 2.0, 3.0]).cumprod()
        Tensor([1.0, 2.0, 6.0], op='cumprod')
    """
    check_defaults("cumprod", numpy)
    return along("cumprod", a, axis, cumprod_over)


@numpy_function()
def nancumsum(a: Tensor, axis: int | None = None) -> Tensor:
    """Return the cumulative sums along an axis, where NaN counts as 0. The derivative for NaN is 0."""
    return along("nancumsum", fill_nan(0.0)(a), axis, cumsum_over)  # type: ignore[arg-type]


@numpy_function()
def nancumprod(a: Tensor, axis: int | None = None) -> Tensor:
    """Return the cumulative products along an axis, where NaN counts as 1. The derivative for NaN is 0."""
    return along("nancumprod", fill_nan(1.0)(a), axis, cumprod_over)  # type: ignore[arg-type]


def along(name: str, a: Tensor, axis: int | None, op: Callable[[int], ArrayOp]) -> Tensor:
    """Record an op along an axis, or of all elements as a 1-D array if the axis is None.

    Args:
        name: Name of the function, for messages.
        a: Tensor.
        axis: Axis or None.
        op: Function that returns the op for an axis, which is not negative.

    Returns:
        A node of the graph.

    Raises:
        AxisError: If the Tensor does not have the axis.
    """
    x, found = axis_or_flat(name, a, axis)
    return op(found)(x)  # type: ignore[return-value]
