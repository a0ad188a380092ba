"""Decide whether a gradient at a kink is a valid choice: a combination of the gradients around the point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.kernels.arrays import Array

_NEAR = 2.0**-13  # relative distance of the points around a point
_POINTS = 12
_SLACK = 0.02  # a smooth gradient changes by less than this within the distance, relative to the largest element
_ROUNDING = 1e-12  # relative to the largest element


def points_around(numbers: Sequence[float]) -> list[list[float]]:
    """Return random points close to a point, which are not at its kinks.

    Args:
        numbers: The point.

    Returns:
        The points.

    Examples:
        >>> max(abs(x) for point in points_around([0.0, 0.0]) for x in point) < 1e-3
        True
    """
    moves = np.random.default_rng(0).uniform(-_NEAR, _NEAR, (_POINTS, len(numbers)))
    center = np.asarray(numbers, dtype=float)
    found: list[list[float]] = (center + moves * np.maximum(1.0, np.abs(center))).tolist()
    return found


def is_kink(around: Array) -> bool:
    """Return whether the gradients around a point differ, so that the point is at a kink.

    Args:
        around: Right gradients at points around the point, one per row.

    Returns:
        True if they differ.

    Examples:
        >>> is_kink(np.array([[1.0], [-1.0]])), is_kink(np.array([[1.0], [1.001]]))
        (True, False)
    """
    return bool(_jumps(around).any())


def _jumps(around: Array) -> Array:
    """Return whether each element differs by more than a smooth gradient between the points around a point."""
    jumps: Array = np.ptp(around, axis=0) > _SLACK * np.abs(around).max(initial=0.0)
    return jumps


def is_choice(ours: Array, around: Array) -> bool:
    """Return whether a gradient is a combination of the gradients around a point.

    At a kink, one more gradient is added to those around the point. It is 0 in the elements that jump at the kink,
    because 0 is the usual derivative of relu and abs at their kinks. The other elements are smooth, so the allowed
    error is not larger than their change between the points.

    Args:
        ours: The gradient at the point.
        around: Right gradients at points around the point, one per row.

    Returns:
        True if each element of `ours`, and its product with each of some random directions, lies between the smallest
        and the largest of those around the point.

    References:
        F. H. Clarke, "Generalized gradients and applications", Transactions of the American Mathematical Society 205,
        247-262, 1975.

    Examples:
        >>> around = np.array([[1.0, 0.0], [0.0, 1.0]])  # of max(x, y) where x and y are equal
        >>> is_choice(np.array([0.5, 0.5]), around), is_choice(np.array([1.0, 1.0]), around)
        (True, False)
    """
    if not np.isfinite(ours).all() or not np.isfinite(around).all():
        return False
    sizes, spread = np.abs(around).max(axis=0), np.ptp(around, axis=0)
    # All paths to an element can have a kink, and yet its jump can be small beside the other elements.
    jumps = _jumps(around) | (spread > 0.5 * sizes)
    rows = np.vstack([around, np.where(jumps, 0.0, around.mean(axis=0))]) if is_kink(around) else around
    random = np.random.default_rng(0)
    mixed = random.uniform(-1.5, 1.5, (4, ours.size))
    directions = np.vstack([np.eye(ours.size), random.uniform(0.5, 1.5, (4, ours.size)), mixed])
    values, found = directions @ rows.T, directions @ ours
    allowed = np.minimum(_SLACK * sizes, np.where(jumps, np.inf, spread + _ROUNDING * sizes.max(initial=0.0)))
    slack = np.abs(directions) @ allowed
    return bool(((values.min(axis=1) - slack <= found) & (found <= values.max(axis=1) + slack)).all())
