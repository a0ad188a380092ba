"""The progress of a long task that consists of several parts, reported to a function of the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

OnProgress = Callable[[int, int], object]  # is called as on_progress(done, steps)
REPORTS = 100  # maximum number of reports within a part
_T = TypeVar("_T")


class Progress:
    """The steps of a long task that are done.

    Args:
        on_progress: Function that is called as on_progress(done, steps). Defaults to no reports.
        parts: Number of parts of the task.
        steps: Number of steps of each part.

    Examples:
        >>> progress = Progress(lambda done, steps: print(f"{done} of {steps}"), parts=2, steps=10)
        >>> progress.end_part()
        10 of 20
        >>> list(progress.during([2, 3], size=lambda item: item))
        12 of 20
        15 of 20
        20 of 20
        [2, 3]
    """

    def __init__(self, on_progress: OnProgress | None = None, parts: int = 1, steps: int = 0) -> None:
        self._on_progress, self._part, self._steps = on_progress, steps, parts * steps
        self._ended = 0  # steps of the parts that ended

    def end_part(self) -> None:
        """Report that all steps of the current part are done."""
        self._ended += self._part
        if self._on_progress is not None:
            self._on_progress(self._ended, self._steps)

    def during(self, items: Iterable[_T], size: Callable[[_T], int]) -> Iterable[_T]:
        """Yield the items that a part processes, report how many steps are done, and end the part.

        Args:
            items: Items.
            size: Function that returns the number of steps of an item. All items together have at most as many steps
                as the part.

        Returns:
            The items. Without a function that gets reports, they cost nothing extra.
        """
        return items if self._on_progress is None else self._counted(items, size, self._on_progress)

    def _counted(self, items: Iterable[_T], size: Callable[[_T], int], on_progress: OnProgress) -> Iterator[_T]:
        done = told = 0
        for item in items:
            yield item
            done += size(item)
            if (done - told) * REPORTS >= self._part and done < self._part:
                told = done
                on_progress(self._ended + done, self._steps)
        self.end_part()
