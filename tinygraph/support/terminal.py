"""Output that any terminal can show, error messages of the `tinygraph` command, and the progress of long tasks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

_LONG = 1.0  # seconds after which a task shows its progress
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


def output_encoding() -> str:
    """Return the encoding of standard output, or UTF-8 if the output has none (a StringIO, or no output at all)."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def is_terminal(stream: object) -> bool:
    """Return whether a standard stream is a terminal. A process without a console has None instead of a stream.

    Args:
        stream: Standard input or standard output.

    Returns:
        True if the stream is a terminal.

    Examples:
        >>> is_terminal(None)
        False
    """
    return bool(hasattr(stream, "isatty") and stream.isatty())


def echo(text: str = "") -> None:
    """Print text, in ASCII if the output cannot encode all characters.

    Args:
        text: One line or several lines.

    Examples:
        >>> echo("dJ/db = dJ/du · c")
        dJ/db = dJ/du · c
    """
    encoding = output_encoding()
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    print(text, flush=True)


def note(sentence: str) -> None:
    """Print a message about the progress of a task to stderr.

    Args:
        sentence: Description of what happens now.
    """
    if sys.stderr is not None:  # otherwise, print would write to stdout
        with suppress(OSError):
            print(f"tinygraph: {sentence}", file=sys.stderr, flush=True)


def fail(sentence: str, code: int = 2) -> int:
    """Print an error message of the `tinygraph` command to stderr, and return the exit code.

    Args:
        sentence: Description of the error, with a fix.
        code: Exit code. Defaults to 2.

    Returns:
        The exit code.
    """
    note(sentence)  # if stderr cannot be written, the exit code still reports the error
    return code


@contextmanager
def progress(what: str, iterations: int) -> Iterator[Callable[[int, float], None]]:
    """Show the progress of a long task.

    In a terminal, show a progress bar if rich is installed. Otherwise, print about ten lines.

    Args:
        what: Name of the task.
        iterations: Number of iterations.

    Yields:
        A function that you call with (iteration, cost) after each iteration.
    """
    if is_terminal(sys.stdout):
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


@contextmanager
def percentage(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how much of a task is done on stderr, if stderr is a terminal and the task takes longer than a second.

    The line is removed when all steps are done, and after Ctrl-C or an error.

    Args:
        what: Name of the task.

    Yields:
        A function that you call with (done, steps).
    """
    start, shown = monotonic(), ""

    def write(line: str) -> None:
        nonlocal shown
        if sys.stderr is not None and line != shown:
            with suppress(OSError):
                print(f"\r{' ' * len(shown)}\r{line}", end="", file=sys.stderr, flush=True)
            shown = line

    def show(done: int, steps: int) -> None:
        if is_terminal(sys.stderr) and monotonic() - start > _LONG:
            write(f"  {what}: {done / steps:.0%}" if done < steps else "")

    try:
        yield show
    finally:
        write("")


def _state(iteration: int, iterations: int, cost: float) -> str:
    return f"iteration {iteration:>{len(str(iterations))}}/{iterations}  J = {cost:.4f}"
