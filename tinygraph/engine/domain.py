"""Where an op is differentiable: intervals of its operands, less the kinks and poles."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_HUGE = 1.7976931348623157e308


class Domain:
    """Where an op is smooth: a union of boxes of floats, less the kinks.

    A box holds one closed interval (low, high) per operand, or one for all of them; a third entry
    `int` keeps it to whole numbers. `kink` is a function of the operands that is zero just where a
    kink or a pole stands.

    >>> from tinygraph.engine.ops import KINK_AT_0, POSITIVE
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
        """Whether the op is smooth at these operands."""
        return self.holds(operands) and (self.kink is None or self.kink(*operands) != 0)

    def holds(self, *points: Sequence[float]) -> bool:
        """Whether one box holds all these points: there is then no gap, no pole between them."""
        return any(
            all(_inside(x, *bounds) for point in points for x, bounds in zip(point, box * len(point), strict=False))
            for box in self.boxes
        )

    def __repr__(self) -> str:
        return f"Domain({self.text!r})"


def _inside(x: float, low: float, high: float, whole: type | None = None) -> bool:
    return low <= x <= high and (whole is None or x == x // 1)


ANY = Domain("all reals", ((-_HUGE, _HUGE),))
