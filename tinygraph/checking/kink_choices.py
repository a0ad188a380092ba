"""Decide whether a gradient at a kink is a valid choice: a combination of the gradients around the point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.kernels.arrays import Array

_FAR, _CLOSE = 2.0**-13, 2.0**-19  # relative distances of the points around a point
_POINTS = 12
_JUMP = 0.25  # part of the change between the far points that remains between the close points: 1 for a jump, or 1/64
_SLACK = 1e-3  # of the largest gradient of an element around the point
_ROUNDING = 1e-12  # relative to the largest element
_SMALLEST = 1e-9  # a smaller jump, relative to the largest element, can be a rounding error


def points_around(numbers: Sequence[float]) -> tuple[list[list[float]], list[list[float]]]:
    """Return random points around a point, which are not at its kinks, and points on the same sides of it, but closer.

    Args:
        numbers: The point.

    Returns:
        The points, and the closer points.

    Examples:
        >>> far, close = points_around([0.0, 0.0])
        >>> far[0][0] / close[0][0]
        64.0
    """
    moves = np.random.default_rng(0).uniform(-1.0, 1.0, (_POINTS, len(numbers)))
    center = np.asarray(numbers, dtype=float)
    far, close = ((center + by * moves * np.maximum(1.0, np.abs(center))).tolist() for by in (_FAR, _CLOSE))
    return far, close


def is_kink(far: Array, close: Array) -> bool:
    """Return whether the gradients around a point jump, so that the point is at a kink.

    Args:
        far: Right gradients at points around the point, one per row.
        close: Gradients at closer points.

    Returns:
        True if an element differs as much between the close points as between the others. A smooth gradient differs by
        less.

    Examples:
        >>> is_kink(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]]))
        True
        >>> is_kink(np.array([[1.0], [1.064]]), np.array([[1.0], [1.001]]))
        False
    """
    return bool(_jumps(far, close).any())


def _jumps(far: Array, close: Array) -> Array:
    """Return whether each element jumps."""
    smallest = _SMALLEST * np.abs(close).max(initial=0.0)
    jumps: Array = np.ptp(close, axis=0) > np.maximum(_JUMP * np.ptp(far, axis=0), smallest)
    return jumps


def is_choice(ours: Array, far: Array, close: Array) -> bool:
    """Return whether a gradient is a combination of the gradients around a point.

    At a kink, one more gradient is added to those around the point. It is 0 in the elements that jump at the kink,
    because 0 is the usual derivative of relu and abs at their kinks. The other elements are smooth, so the allowed
    error is not larger than their change between the points.

    Args:
        ours: The gradient at the point.
        far: Right gradients at points around the point, one per row.
        close: Gradients at closer points.

    Returns:
        True if each element of `ours`, and its product with each of some random directions, lies between the smallest
        and the largest of those at the close points.

    References:
        F. H. Clarke, "Generalized gradients and applications", Transactions of the American Mathematical Society 205,
        247-262, 1975.

    Examples:
        >>> around = np.array([[1.0, 0.0], [0.0, 1.0]])  # of max(x, y) where x and y are equal
        >>> is_choice(np.array([0.5, 0.5]), around, around), is_choice(np.array([1.0, 1.0]), around, around)
        (True, False)
    """
    if not np.isfinite(ours).all() or not np.isfinite(close).all():
        return False
    sizes, spread, jumps = np.abs(close).max(axis=0), np.ptp(close, axis=0), _jumps(far, close)
    rows = np.vstack([close, np.where(jumps, 0.0, close.mean(axis=0))]) if jumps.any() else close
    random = np.random.default_rng(0)
    mixed = random.uniform(-1.5, 1.5, (4, ours.size))
    positive = random.uniform(0.5, 1.5, (4, ours.size))
    # In a direction of the elements that jump alone, the change of the smooth elements hides no small jump.
    directions = np.vstack([np.eye(ours.size), positive, mixed, positive * jumps, mixed * jumps])
    values, found = directions @ rows.T, directions @ ours
    allowed = np.minimum(_SLACK * sizes, np.where(jumps, np.inf, spread + _ROUNDING * sizes.max(initial=0.0)))
    slack = np.abs(directions) @ allowed
    return bool(((values.min(axis=1) - slack <= found) & (found <= values.max(axis=1) + slack)).all())
