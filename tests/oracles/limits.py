"""The limit of an op's value or derivative at a special point: ±0.0, ±inf, ±1, or a border of the domain.

The limit is computed with mpmath: the reference of the op is evaluated on paths that approach the point. 0.0 is
approached from the right, and -0.0 from the left. A limit exists if all paths that stay in the domain agree.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from mpmath import mp, mpf

from tests.oracles.references import HUGE, Reference

NEAR = tuple(mpf(10) ** -n for n in (20, 40, 160))  # distances from a finite point; a limit shows in their trend
FAR = tuple(mpf(10) ** n for n in (2, 4, 8))  # numbers on the way to infinity; the references clip larger exponents
FINE = mpf(10) ** -40  # distance of the points of a difference quotient, relative to the distance from the point
DIGITS = {1: 1100, 2: 500}  # by the number of operands: the third derivative at 5e-324 cancels more than 700 digits


def derivative(truth: Reference, at: Sequence[Any], slots: Sequence[int], steps: Sequence[Any]) -> Any:
    """Return the value (no slots) or a derivative of the reference, by central differences of its local derivatives.

    Args:
        truth: Reference of the op.
        at: Point, as mpmath numbers.
        slots: Slots of the operands to differentiate with respect to, one after the other.
        steps: Distance of the points of a difference, per operand.
    """
    if not slots:
        return truth.value(*at)
    *outer, first = reversed(slots)
    total = mpf(0)
    for signs in itertools.product((1, -1), repeat=len(outer)):
        xs = list(at)
        for sign, slot in zip(signs, outer, strict=True):
            xs[slot] += sign * steps[slot]
        total += math.prod(signs) * truth.partials[first](*xs)
    return total / mp.fprod(2 * steps[slot] for slot in outer)


def _real(truth: Reference, at: Sequence[Any], steps: Sequence[Any], slots: Sequence[int]) -> Any:
    """Return the derivative at a point of a path, or None if the point is not in the domain."""
    try:
        numbers = truth.value(*at), derivative(truth, at, slots, steps)
    except (ZeroDivisionError, ValueError, TypeError):
        return None
    return numbers[1] if all(isinstance(x, mpf) and not mp.isnan(x) for x in numbers) else None


def _moves(x: float) -> list[int]:
    """Return the directions from which a number is approached, where 0 means that it is not moved."""
    if math.isinf(x) or x == 0:
        return [1 if math.copysign(1.0, x) > 0 else -1]
    return [1, -1] if abs(x) == 1 else [0]


def _paths(point: Sequence[float], still: Sequence[int]) -> Iterator[list[tuple[int, float]]]:
    """Yield the paths: for each operand a direction, and a power of the distance. 0 means that it is not moved."""
    for moves in itertools.product(*[[0] if i in still else _moves(x) for i, x in enumerate(point)]):
        yield [(move, 1.0) for move in moves]
        if len(moves) == 2 and all(moves):
            x, y = moves
            yield from ([(x, 1.0), (y, 0.2)], [(x, 0.2), (y, 1.0)])
            yield from ([(0, 1.0), (y, 1.0)],) if math.isfinite(point[0]) else ()
            yield from ([(x, 1.0), (0, 1.0)],) if math.isfinite(point[1]) else ()


def _at(point: Sequence[float], path: Sequence[tuple[int, float]], stage: int) -> tuple[list[Any], list[Any]]:
    """Return a point on a path, and the distances of the points of a difference there."""
    at, steps = [], []
    near = 1 / FAR[stage] if any(map(math.isinf, point)) else NEAR[stage]  # 0 times infinity shows no limit
    for x, (move, power) in zip(point, path, strict=True):
        if math.isinf(x):
            at.append(move * FAR[stage] ** power)
            steps.append(FINE)
        else:
            distance = near**power
            at.append(mpf(x) + move * distance)
            steps.append(FINE * min(abs(at[-1]) or mpf(1), distance if move else mpf(1)))
    return at, steps


def _trend(numbers: list[Any]) -> Any:
    """Return the limit of three numbers, or None if they show no limit."""
    first, second, third = numbers
    if third == second or abs(third - second) <= abs(third) * mpf(10) ** -18:
        return third
    if abs(third) > max(1.7 * abs(second), 10) and abs(second) > abs(first) and second * third > 0:
        return mp.inf * mp.sign(third)
    if abs(first) >= abs(second) and 1.7 * abs(third) < abs(second):
        return mpf(0)
    return None


def limit(truth: Reference, point: Sequence[float], slots: Sequence[int] = (), still: Sequence[int] = ()) -> Any:
    """Return the limit of the op's value (no slots) or derivative at a point, as an mpmath number.

    Args:
        truth: Reference of the op.
        point: Point, where floats such as -0.0, inf and 1.0 are approached, and other numbers stay.
        slots: Slots of the operands to differentiate with respect to, one after the other.
        still: Slots of the operands that stay.

    Returns:
        The limit, which can be infinite, or None if the paths that stay in the domain show no common limit.
    """
    if any(x != x for x in point):
        return None
    found: list[Any] = []
    with mp.workdps(DIGITS[len(point)]):
        for path in _paths(point, still):
            numbers = [_real(truth, *_at(point, path, stage), slots) for stage in range(3)]
            if None not in numbers:
                found.append(_trend(numbers))
    if not found and any(x == 0 and math.copysign(1.0, x) < 0 for x in point):
        return limit(truth, [abs(x) if x == 0 else x for x in point], slots, still)  # a border of the domain
    if not found or None in found:
        return None
    low, high = min(found), max(found)
    agree = low == high or (mp.isfinite(low) and mp.isfinite(high) and high - low <= abs(high) * mpf(10) ** -18)
    return found[0] if agree else None


def is_close(computed: float, exact: Any, scale: float = 0.0) -> bool:
    """Return whether a float is the limit: within 1e-12 of it, or of a larger scale if terms cancel."""
    if computed != computed:
        return False
    if abs(exact) > HUGE * (1 - mpf(10) ** -12):
        return bool(abs(computed) > HUGE * (1 - 1e-12) and computed * mp.sign(exact) > 0)
    if math.isinf(computed):
        return False
    return bool(abs(mpf(computed) - exact) <= mpf(10) ** -12 * max(abs(exact), mpf(scale)) + mpf(2) ** -1060)
