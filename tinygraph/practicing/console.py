"""The conversation of an exercise in a terminal, or through a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import IO

from tinygraph.support.terminal import echo, is_terminal


def converse(
    ask: Callable[[], str],
    answer: Callable[[str], str],
    show: Callable[[], str],
    score: Callable[[], object],
) -> None:
    """Ask questions until there are none, and print the score.

    Args:
        ask: Function that returns the current question, or "" after the last one.
        answer: Function that takes an answer and returns a verdict. A ValueError contains a sentence to show.
        show: Function that shows the answer of the current question, and goes on.
        score: Function that returns the score.
    """
    source = sys.stdin or io.StringIO()  # a process without a console has None
    prompted = is_terminal(sys.stdin)
    if prompted:
        echo("Type an answer, show (the answer), score or quit.")
    asked = ""
    while question := ask():
        if question != asked:  # after a wrong answer, the question is still there
            echo(question)
            asked = question
        line = _line(source, prompted)
        if line is None or line in ("q", "quit", "exit"):
            break
        if line == "score":
            echo(str(score()))
        elif line == "show":
            echo(f"  {show()}")
        elif line:
            try:
                echo(f"  {answer(line)}")
            except ValueError as error:
                echo(f"  {error}")
    echo(str(score()))


def _line(source: IO[str], prompted: bool) -> str | None:
    """Return the next line without spaces around it, or None at the end of the input."""
    if prompted:
        try:
            return input("> ").strip()  # reads keys such as the arrows
        except EOFError:
            echo()
            return None
    line = source.readline()
    return line.strip() if line else None
