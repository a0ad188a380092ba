"""The domain where an op is differentiable: intervals of its operands, without kinks or poles."""

from __future__ import annotations

from tinygraph.kernels import floats
from tinygraph.kernels.more_floats import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_TINY, _EPS, _HUGE = 5e-324, 2.0**-53, 1.7976931348623157e308
_REAL = (-_HUGE, _HUGE)
_UNIT = (0.0, 1.0)
_OPEN_UNIT = (_TINY, 1.0 - _EPS)


class Domain:
    """The domain where an op is differentiable: a union of boxes of floats, without kinks or poles.

    Args:
        text: Condition on the operands, as text.
        *boxes: Boxes, each with one closed interval (low, high) per operand, or with one interval for all operands. A
            third element `int` restricts an interval to integers.
        kink: Function of the operands that is zero exactly at poles and at kinks (points where an op is continuous, but
            not differentiable).

    Examples:
        >>> POSITIVE.contains(2.0), POSITIVE.contains(-2.0)
        (True, False)
        >>> KINK_AT_0.contains(0.0)
        False
    """

    __slots__ = ("boxes", "kink", "text")

    def __init__(
        self,
        text: str,
        *boxes: tuple[tuple[Any, ...], ...],
        kink: Callable[..., float] | None = None,
    ) -> None:
        self.text, self.boxes, self.kink = text, boxes, kink

    def contains(self, *operands: float) -> bool:
        """Return whether the op is differentiable at these operands.

        Args:
            *operands: Values of the operands.

        Returns:
            True if the operands are in the domain, and not at a kink or a pole.
        """
        return self.holds(operands) and (self.kink is None or self.kink(*operands) != 0)

    def holds(self, *points: Sequence[float]) -> bool:
        """Return whether one box contains all the given points, so that no gap between boxes separates the points.

        Args:
            *points: Points, each with one value per operand.

        Returns:
            True if one box of the domain contains all the points.
        """
        return any(
            all(_inside(x, *bounds) for point in points for x, bounds in zip(point, box * len(point), strict=False))
            for box in self.boxes
        )

    def __repr__(self) -> str:
        return f"Domain({self.text!r})"


def _inside(x: float, low: float, high: float, whole: type | None = None) -> bool:
    return low <= x <= high and (whole is None or x == x // 1)


ANY = Domain("all reals", (_REAL,))
POSITIVE = Domain("x > 0", ((_TINY, _HUGE),))
KINK_AT_0 = Domain("x ≠ 0", (_REAL,), kink=lambda x: x)
BETWEEN_POLES = Domain("cos(x) ≠ 0", (_REAL,), kink=floats.cos)
STEPS_AT_INTEGERS = Domain("x is not an integer", (_REAL,), kink=steps.from_integer)
STEPS_AT_NONZERO_INTEGERS = Domain(
    "x is 0, or x is not an integer", (_REAL,), kink=lambda x: abs(x) < 0.5 or steps.from_integer(x)
)
STEPS_AT_HALVES = Domain(
    "x is not halfway between two integers", (_REAL,), kink=lambda x: 0.5 - abs(steps.from_integer(x))
)
POLES_AT_INTEGERS_TO_0 = Domain(
    "x > 0, or x is not an integer", (_REAL,), kink=lambda x: 1.0 if x > 0 else steps.from_integer(x)
)
KINK_AT_TIE = Domain("x ≠ y", (_REAL, _REAL), kink=lambda x, y: x - y)
NONZERO_DIVISOR = Domain("y ≠ 0", (_REAL, (_TINY, _HUGE)), (_REAL, (-_HUGE, -_TINY)))
NONZERO_REMAINDER = Domain(
    "y ≠ 0, x is not a multiple of y", (_REAL, (_TINY, _HUGE)), (_REAL, (-_HUGE, -_TINY)), kink=steps.from_multiple
)
NOT_THE_ORIGIN = Domain("x ≠ 0, or y ≠ 0", (_REAL, _REAL), kink=lambda x, y: max(abs(x), abs(y)))
AWAY_FROM_THE_CUT = Domain("x ≠ 0, or y > 0", (_REAL, _REAL), kink=lambda x, y: max(abs(x), y))
ABOVE_1 = Domain("x > 1", ((1.0 + 2.0 * _EPS, _HUGE),))
ABOVE_MINUS_1 = Domain("x > -1", ((-1.0 + _EPS, _HUGE),))
NONZERO = Domain("x ≠ 0", ((_TINY, _HUGE),), ((-_HUGE, -_TINY),))
INSIDE_0_1 = Domain("0 < x < 1", (_OPEN_UNIT,))
INSIDE_1 = Domain("-1 < x < 1", ((-1.0 + _EPS, 1.0 - _EPS),))
POWERS = Domain("x > 0, or an integer y", ((_TINY, _HUGE), _REAL), ((-_HUGE, -_TINY), (*_REAL, int)))
POSITIVE_BASE = Domain("x > 0", ((_TINY, _HUGE), _REAL))
PROBABILITIES = Domain("0 < a < 1, 0 ≤ y ≤ 1", (_OPEN_UNIT, _UNIT))
LOGITS = Domain("0 ≤ y ≤ 1", (_REAL, _UNIT))


def of_power(exponent: float) -> Domain:
    """Return the domain of a power with the given exponent."""
    if exponent != exponent // 1:
        return POSITIVE
    return ANY if exponent >= 0 else NONZERO
