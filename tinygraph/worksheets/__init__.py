"""Worksheets: diagrams with blanks to fill in, backpropagation by hand with hints, and backward passes with a mistake.

Examples:
    >>> from tinygraph import worksheet, worksheets
    >>> J = worksheets.exercise(seed=1)
    >>> worksheet(J)  # .save("sheet.html"), or sheet.svg, sheet.pdf; the answers: .key.save("key.pdf")
    <worksheet of J: 10 blanks>
"""

from __future__ import annotations

from tinygraph.practicing.by_hand import ByHand, by_hand
from tinygraph.practicing.find_bug import FindBug, find_bug
from tinygraph.worksheets.blanks import Question
from tinygraph.worksheets.exercises import exercise
from tinygraph.worksheets.worksheet import Worksheet, worksheet

__all__ = ["ByHand", "FindBug", "Question", "Worksheet", "by_hand", "exercise", "find_bug", "worksheet"]
