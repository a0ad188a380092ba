"""The score of an exercise: what was right at once, what was right later, and which mistakes were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tinygraph.practicing.mistakes import MISTAKES
from tinygraph.support.messages import counted


@dataclass
class Record:
    """What happened at one question.

    Attributes:
        wrong: Number of wrong answers that count.
        done: "right", "shown", or "" while the question is open.
        mistakes: Kinds of mistakes, in the order in which they were made.
    """

    wrong: int = 0
    done: str = ""
    mistakes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Score:
    """The score of an exercise, which you can `print`.

    Attributes:
        total: Number of questions.
        right: Questions whose first answer was right.
        later: Questions with a right answer after wrong answers.
        shown: Questions whose answer was shown.
        mistakes: How often each kind of mistake was made, with the most frequent first.
    """

    total: int
    right: int
    later: int
    shown: int
    mistakes: dict[str, int]

    @property
    def left(self) -> int:
        """The number of open questions."""
        return self.total - self.right - self.later - self.shown

    def __str__(self) -> str:
        parts = [f"{self.right} of {self.total} right at the first answer"]
        if self.later:
            parts.append(f"{self.later} after a mistake")
        if self.shown:
            parts.append(f"{self.shown} shown")
        if self.left:
            parts.append(f"{self.left} to go")
        lines = [", ".join(parts)]
        lines += [f"  {counted(times, 'time')}: {MISTAKES[kind]}" for kind, times in self.mistakes.items()]
        return "\n".join(lines)


def score_of(records: Sequence[Record]) -> Score:
    """Return the score.

    Args:
        records: What happened at each question.

    Returns:
        The score.

    Examples:
        >>> print(score_of([Record(done="right"), Record(1, "right", ["sign"]), Record()]))
        1 of 3 right at the first answer, 1 after a mistake, 1 to go
          1 time: wrong sign
    """
    right = sum(record.done == "right" and not record.wrong for record in records)
    later = sum(record.done == "right" and record.wrong > 0 for record in records)
    shown = sum(record.done == "shown" for record in records)
    return Score(len(records), right, later, shown, _counts(kind for record in records for kind in record.mistakes))


def _counts(kinds: Iterable[str]) -> dict[str, int]:
    made = list(kinds)
    frequent = sorted(dict.fromkeys(made), key=made.count, reverse=True)  # the order of equal counts stays
    return {kind: made.count(kind) for kind in frequent}
