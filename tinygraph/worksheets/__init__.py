"""Worksheets: the diagram of a graph with blanks to fill in, an answer key, and a page that checks the answers.

Examples:
    >>> from tinygraph import worksheet, worksheets
    >>> J = worksheets.exercise(seed=1)
    >>> worksheet(J)  # .save("sheet.html"), or sheet.svg, sheet.pdf; the answers: .key.save("key.pdf")
    <worksheet of J: 10 blanks>
"""

from __future__ import annotations

from tinygraph.worksheets.blanks import Question
from tinygraph.worksheets.exercises import exercise
from tinygraph.worksheets.worksheet import Worksheet, worksheet

__all__ = ["Question", "Worksheet", "exercise", "worksheet"]
