"""Linear interpolation between points: a linear map of the values, whose coefficients depend on the places.

The four ops are the map and its derivative with respect to the places (a difference quotient), and the transposes
of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine.registry import is_flag, is_number, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import JoinOp, Operand

Indices = np.ndarray[Any, np.dtype[np.intp]]


def is_end(x: object) -> bool:
    """Return whether a parameter is the value beyond an end of the points.

    Args:
        x: Parameter to check.

    Returns:
        True for a number, and for None, which stands for the value at the last point.
    """
    return x is None or is_number(x)


@parametrized(is_end, is_end)
@lru_cache(maxsize=64)
def interp(left: float | None = None, right: float | None = None) -> JoinOp:
    """Return the op that interpolates, as `np.interp`, at the first operand between the points of the other two.

    Args:
        left: Value before the first point. Defaults to the value of the first point.
        right: Value after the last point. Defaults to the value of the last point.

    Returns:
        An op with three operands.

    Examples:
        >>> interp()(np.array([0.5, 9.0]), np.array([0.0, 1.0]), np.array([10.0, 20.0]))
        array([15., 20.])
    """
    ends = left is None, right is None

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, fp = operands
        return up * interp_quotient()(x, xp, fp) if slot == 0 else interp_spread(*ends)(x, xp, up)

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, fp = operands
        linear = interp(*[None if end else 0.0 for end in ends])
        return tangent * interp_quotient()(x, xp, fp) if slot == 0 else linear(x, xp, tangent)

    return JoinOp(
        "interp",
        lambda x, xp, fp: np.interp(x, xp, fp, left, right),
        symbol="interp({})",
        code="np.interp({}, left={parameters[0]}, right={parameters[1]})",
        vjps=(pull,),
        jvp=push,
        note=("{up} ⊙ difference quotient", "", "spread over the points"),
        maker=interp,
        parameters=(left, right),
    )


@parametrized(is_flag, is_flag)
@lru_cache(maxsize=4)
def interp_spread(first: bool, last: bool) -> JoinOp:
    """Return the transpose of `interp`, as a linear map of the values: an op of the places, the points and a gradient.

    Args:
        first: If true, a place before the first point contributes to that point.
        last: If true, a place after the last point contributes to that point.

    Returns:
        An op with three operands.

    Examples:
        >>> interp_spread(True, True)(np.array([0.25]), np.array([0.0, 1.0]), np.array([4.0]))
        array([3., 1.])
    """
    linear = interp(None if first else 0.0, None if last else 0.0)

    def compute(x: Array, xp: Array, y: Array) -> Array:
        i, j, length = _interval(x, xp)
        share = np.clip((x - xp[i]) / length, 0.0, 1.0)
        counted = y * np.where((x < xp[0]) & (not first) | (x > xp[-1]) & (not last), 0.0, 1.0)
        return _added(xp, i, counted * (1.0 - share)) + _added(xp, j, counted * share)

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, y = operands
        return y * interp_quotient()(x, xp, up) if slot == 0 else linear(x, xp, up)

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, y = operands
        return quotient_spread()(x, xp, y * tangent) if slot == 0 else interp_spread(first, last)(x, xp, tangent)

    return JoinOp(
        "interp_spread",
        compute,
        symbol="interp_spread({})",
        vjps=(pull,),
        jvp=push,
        shape=lambda x, xp, y: xp,
        maker=interp_spread,
        parameters=(first, last),
    )


@parametrized()
@lru_cache(maxsize=1)
def interp_quotient() -> JoinOp:
    """Return the op that computes the derivative of `interp`: 0 beyond the ends, and that of the right side at a point.

    Returns:
        An op with three operands.

    Examples:
        >>> interp_quotient()(np.array([0.25]), np.array([0.0, 1.0]), np.array([2.0, 5.0]))
        array([3.])
    """

    def compute(x: Array, xp: Array, fp: Array) -> Array:
        i, j, length = _interval(x, xp)
        return np.where(_outside(x, xp), 0.0, (fp[j] - fp[i]) / length)

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, _ = operands
        return np.zeros(x.shape) if slot == 0 else quotient_spread()(x, xp, up)

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, _ = operands
        return np.zeros(x.shape) if slot == 0 else interp_quotient()(x, xp, tangent)

    return JoinOp(
        "interp_quotient",
        compute,
        symbol="interp_quotient({})",
        vjps=(pull,),
        jvp=push,
        maker=interp_quotient,
        parameters=(),
    )


@parametrized()
@lru_cache(maxsize=1)
def quotient_spread() -> JoinOp:
    """Return the transpose of `interp_quotient`, as a linear map of the values.

    Returns:
        An op with three operands.

    Examples:
        >>> quotient_spread()(np.array([0.25]), np.array([0.0, 1.0]), np.array([2.0]))
        array([-2.,  2.])
    """

    def compute(x: Array, xp: Array, y: Array) -> Array:
        i, j, length = _interval(x, xp)
        part = np.where(_outside(x, xp), 0.0, y / length)
        return _added(xp, j, part) - _added(xp, i, part)

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, _ = operands
        return np.zeros(x.shape) if slot == 0 else interp_quotient()(x, xp, up)

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        x, xp, _ = operands
        return np.zeros(xp.shape) if slot == 0 else quotient_spread()(x, xp, tangent)

    return JoinOp(
        "quotient_spread",
        compute,
        symbol="quotient_spread({})",
        vjps=(pull,),
        jvp=push,
        shape=lambda x, xp, y: xp,
        maker=quotient_spread,
        parameters=(),
    )


def _interval(x: Array, xp: Array) -> tuple[Indices, Indices, Array]:
    """Return the indices of the points on both sides of each place, and their distance, or 1 for a single point."""
    last = max(len(xp) - 2, 0)
    i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, last)
    j = np.minimum(i + 1, len(xp) - 1)
    return i, j, np.where(i == j, 1.0, xp[j] - xp[i])


def _outside(x: Array, xp: Array) -> Array:
    return (x < xp[0]) | (x > xp[-1]) | (len(xp) == 1)  # type: ignore[no-any-return]


def _added(xp: Array, at: Indices, y: Array) -> Array:
    """Return the sum of the elements for each point."""
    return np.bincount(np.ravel(at), np.ravel(y), len(xp)).astype(np.float64)  # integers if there are no places
