"""Lines that any terminal can show, error messages of the command, and the progress of long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ASCII = str.maketrans(
    {
        "×": "*",
        "·": "*",
        "→": "->",
        "Σ": "sum",
        "σ": "sigmoid",
        "α": "alpha",
        "—": "-",
        "…": "...",
    }
)


def echo(text: str = "") -> None:
    """Print a line, in ASCII if the output cannot encode all its characters.

    Args:
        text: The line, or several of them.

    Examples:
        >>> echo("dJ/db = dJ/du · c")
        dJ/db = dJ/du · c
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    print(text, flush=True)


def fail(sentence: str, code: int = 2) -> int:
    """Print an error of the command to stderr.

    Args:
        sentence: What is wrong and what to do.
        code: The exit code.

    Returns:
        The exit code.
    """
    print(f"tinygraph: {sentence}", file=sys.stderr)
    return code


@contextmanager
def progress(what: str, iterations: int) -> Iterator[Callable[[int, float], None]]:
    """Show the progress of long work: a bar in a terminal if rich is installed, otherwise ten lines.

    Args:
        what: The name of the work.
        iterations: How many iterations it takes.

    Yields:
        A function to call with (iteration, cost) after each iteration.
    """
    if sys.stdout.isatty():
        try:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError:
            pass
        else:
            columns = (TextColumn(what), BarColumn(), TextColumn("{task.fields[text]}"), TimeRemainingColumn())
            with Progress(*columns) as bar:
                task = bar.add_task(what, total=iterations, text="")

                def advance(iteration: int, cost: float) -> None:
                    bar.update(task, completed=iteration, text=_state(iteration, iterations, cost))

                yield advance
            return
    every = max(1, iterations // 10)

    def line(iteration: int, cost: float) -> None:
        if iteration == 1 or iteration % every == 0 or iteration == iterations:
            echo(f"  {what}: {_state(iteration, iterations, cost)}")

    yield line


def _state(iteration: int, iterations: int, cost: float) -> str:
    return f"iteration {iteration:>{len(str(iterations))}}/{iterations}  J = {cost:.4f}"
