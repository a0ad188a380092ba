"""Derivatives of a function of one number that use only its values: extrapolated differences from both sides."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Curve = Callable[[float], float]

_ROUNDING = 2.0**-52
_SHRINK = 2.0**-7  # factor between two attempts
_SURE = 1e-6  # a relative error of an attempt that is not an accident
_GOOD = 1e-9  # a relative error at which no other step size is tried
_NEARLY_GOOD = 1e-8  # a relative error that is not an accident, so that the estimates of the rounding errors count


@dataclass(frozen=True)
class Slope:
    """A derivative with its estimated error and the step size that gave it.

    Attributes:
        derivative: The derivative, or NaN if the function is not finite within any step.
        error: Estimated error of the derivative.
        step: Step size.
        rounding: Part of the error that grows when the step shrinks. Defaults to 0.
    """

    derivative: float
    error: float
    step: float
    rounding: float = 0.0


def slope_of(g: Curve, x: float, enough: float | None = None) -> Slope:
    """Return the derivative of a function at a point, from central differences that are extrapolated to step size 0.

    If the estimated error is large, because the function is steep or has a kink within the step, a smaller step is
    tried. The result is the attempt with the smallest error. The error of an attempt whose step crosses a pole can be
    small beside the true derivative, so an attempt with a small relative error comes first.

    Args:
        g: Function of one number.
        x: The point.
        enough: Absolute error at which no other step size is tried. Defaults to a small relative error.

    Returns:
        The derivative.

    References:
        L. F. Richardson, "The approximate arithmetical solution by finite differences of physical problems involving
        differential equations, with an application to the stresses in a masonry dam", Philosophical Transactions of the
        Royal Society A 210, 307-357, 1911.

    Examples:
        >>> import math
        >>> round(slope_of(math.exp, 0.0).derivative, 10)
        1.0
    """
    best = Slope(math.nan, math.inf, 0.0)
    step = 2.0**-8 * max(1.0, abs(x))
    attempts = [step * _SHRINK**k for k in range(4)]
    if 0.0 < abs(x) < 1.0:
        near = [2.0**-8 * abs(x) * _SHRINK**k for k in range(3)]
        # A step across 0 does not see a kink at 0 if it is far longer than x. Far shorter steps lead to an underflow.
        close = 2.0**-300 < abs(x) < 2.0**-10
        attempts = near[:close] + attempts + near[close:]
    for k, step in enumerate(attempts):
        found = _extrapolated(g, x, step)
        if _rank(found) < _rank(best):
            best = found
        is_good = _rank(best) <= (False, _GOOD) if enough is None else best.error <= enough
        if is_good or _is_final(best, found, attempts[k + 1 :]):
            break
    return best


def _is_final(best: Slope, last: Slope, steps: list[float]) -> bool:
    """Return whether the rounding errors of all remaining step sizes are larger than the error of the best attempt."""
    if not steps or _rank(best) > (False, _NEARLY_GOOD):
        return False
    return best.error <= last.rounding * last.step / max(steps)


def _rank(slope: Slope) -> tuple[bool, float]:
    """Return a key that is smaller for a better attempt."""
    if slope.step > 2.0**-310 and slope.error <= 16 * math.ulp(0.0) / slope.step:
        return False, 0.0  # all values are 0, and the step is too long for an underflow of a difference
    if slope.error <= _SURE * abs(slope.derivative):
        return False, slope.error / abs(slope.derivative)
    return True, slope.error


def _extrapolated(g: Curve, x: float, step: float) -> Slope:
    """Return the derivative from three central differences, which are extrapolated to step size 0 (Richardson)."""
    differences, size = [], 0.0
    for h in (step, step / 2, step / 4):
        right, left = x + h, x - h
        if not left < x < right:
            return Slope(math.nan, math.inf, step)
        high, low = g(right), g(left)
        size = max(size, abs(high), abs(low))
        differences.append((high - low) / (right - left))  # divide by the step after rounding
    first, second, third = differences
    coarse, fine = second + (second - first) / 3.0, third + (third - second) / 3.0
    derivative = fine + (fine - coarse) / 15.0
    rounding = 16 * _ROUNDING * max(size, abs(x * derivative)) / step + 16 * math.ulp(0.0) / step
    error = abs(fine - coarse) + rounding
    return Slope(derivative, error, step, rounding) if math.isfinite(error) else Slope(math.nan, math.inf, step)


def side_slope(g: Curve, x: float, side: int, reach: float = math.inf) -> Slope:
    """Return the derivative from one side of a point.

    The function is not called at the point itself, so a jump at the point does not matter.

    Args:
        g: Function of one number.
        x: The point.
        side: 1 for the derivative from the right, or -1 for the derivative from the left.
        reach: Largest step. Defaults to a step that suits a smooth function.

    Returns:
        The derivative. It is infinite if the difference quotients grow without limit, and NaN if the function is not
        finite on this side.

    Examples:
        >>> side_slope(abs, 0.0, -1).derivative
        -1.0
    """
    found, most = [], _side_step(x, reach)
    for step in (most, most / 4.0, most / 16.0):
        h = side * ((x + side * step) - x if side > 0 else x - (x - step))
        near, middle, far = (g(x + k * h) for k in (1, 2, 3))
        derivative = (-5.0 * near + 8.0 * middle - 3.0 * far) / (2.0 * h)  # of the parabola through the three points
        rounding = 32 * _ROUNDING * max(abs(near), abs(middle), abs(far), abs(x * derivative)) / step
        found.append((derivative, rounding))
    (first, _), (second, rounding), (third, last) = found
    if not all(map(math.isfinite, (first, second, third))):
        return Slope(math.nan, math.inf, 0.0)
    if abs(third) > 1.5 * abs(second) > 2.25 * abs(first) and abs(third) > 1e3 * last:
        return Slope(math.copysign(math.inf, third), 0.0, 0.0)
    return Slope(second, abs(second - first) + rounding, most / 4.0)


def best_slope(g: Curve, x: float, enough: float | None = None) -> tuple[str, Slope]:
    """Return the derivative from central differences, or from the side where the function is finite.

    Args:
        g: Function of one number.
        x: The point.
        enough: Absolute error at which no other step size is tried. Defaults to a small relative error.

    Returns:
        The name of the method, and the derivative. It is NaN if the function is not finite on either side.

    Examples:
        >>> import math
        >>> best_slope(lambda x: math.sqrt(x) if x >= 0.0 else math.nan, 0.0)[1].derivative
        inf
    """
    method, found = "central difference", slope_of(g, x, enough)
    if math.isnan(found.derivative):
        method, found = "difference from the right", side_slope(g, x, 1)
    if math.isnan(found.derivative):
        method, found = "difference from the left", side_slope(g, x, -1)
    return method, found


def is_sure(found: Slope) -> bool:
    """Return whether a derivative is finite and known to a few digits.

    Args:
        found: The derivative.

    Returns:
        True if its relative error is small.

    Examples:
        >>> is_sure(slope_of(abs, 1.0)), is_sure(side_slope(lambda x: x**0.5, 0.0, 1))
        (True, False)
    """
    return math.isfinite(found.derivative) and found.error <= 1e-3 * abs(found.derivative)


def is_limit(g: Curve, x: float, ours: float, beside: Curve) -> bool:
    """Return whether an infinite derivative is the limit of the derivative at a point where it is not finite.

    Args:
        g: Function of one number. It may be infinite at the point, and not finite on one side of it.
        x: The point.
        ours: Derivative at the point.
        beside: Function that returns our derivative at another number. Its sign there counts if the sign of `ours`
            differs from that of the limit, because the arithmetic at the point may meet -0.0, and 1 / -0.0 is -inf.

    Returns:
        True if the derivative has the same infinite limit from each side where the function is finite, and `ours` is
        this limit.

    Examples:
        >>> import math
        >>> log = lambda x: math.log(x) if x > 0.0 else -math.inf if x == 0.0 else math.nan
        >>> is_limit(log, 0.0, math.inf, lambda x: 1.0 / x), is_limit(log, 0.0, 5.0, lambda x: 1.0 / x)
        (True, False)
    """
    sides = [(side, side_slope(g, x, side).derivative) for side in (1, -1)]
    finite = [(side, limit) for side, limit in sides if not math.isnan(limit)]
    limits = {limit for _, limit in finite}
    if not math.isinf(ours) or limits not in ({math.inf}, {-math.inf}):
        return False
    return {ours} == limits or all(beside(x + side * _side_step(x, math.inf)) * limit > 0.0 for side, limit in finite)


def _is_smooth(g: Curve, x: float, central: Slope, gap: float) -> bool:
    """Return whether a function has no kink and no jump that explains a difference from a sure central difference.

    The central difference at a kink is the mean of the two one-sided derivatives. So these differ by at least twice the
    gap if a derivative between them explains it. A jump leads to a far larger difference, or to a central difference
    that grows when its step shrinks.
    """
    if not central.step or central.error > 1e-3 * gap or not is_sure(central):
        return False
    h = (x + central.step / 16.0) - x
    return abs((g(x + h) - g(x)) - (g(x) - g(x - h))) < gap * h


def _side_step(x: float, reach: float) -> float:
    return min(2.0**-16 * max(1.0, abs(x)), max(reach, 2.0**-44 * abs(x)))


def kink_at(g: Curve, x: float, ours: float, central: Slope | None = None) -> str:
    """Describe the kink or the jump at a point that explains a derivative, or return "" if there is none.

    Args:
        g: Function of one number.
        x: The point.
        ours: A derivative. A kink explains only derivatives between the two one-sided derivatives.
        central: Derivative from central differences. There is no other kink within its step. Defaults to None, if it is
            unknown.

    Returns:
        The description.

    Examples:
        >>> kink_at(abs, 0.0, 0.5)
        'a kink: the derivative is -1 from the left and 1 from the right'
        >>> kink_at(abs, 0.0, 1.5)
        ''
    """
    reach = central.step / 4.0 if central is not None and central.step else math.inf
    if central is not None and _is_smooth(g, x, central, abs(ours - central.derivative)):
        return ""
    left, right = side_slope(g, x, -1, reach), side_slope(g, x, 1, reach)
    low, high = sorted((left.derivative, right.derivative))
    slack = 2.0 * (left.error + right.error)
    if not low - slack <= ours <= high + slack:  # also if a number is NaN
        return ""
    if high - low > 4.0 * slack + 1e-7 * max(abs(low), abs(high)):
        sides = left.derivative + 0.0, right.derivative + 0.0
        return f"a kink: the derivative is {sides[0]:.6g} from the left and {sides[1]:.6g} from the right"
    h = _side_step(x, reach) / 4.0
    here, gaps = g(x), (g(x + h) - g(x), g(x) - g(x - h))
    if max(map(abs, gaps)) > 1e-6 * max(1.0, abs(here)) + 8.0 * h * max(abs(low), abs(high)):
        return f"a jump: the derivative beside the jump is {left.derivative + 0.0:.6g}"
    return ""
