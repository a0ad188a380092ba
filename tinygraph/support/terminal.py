"""What the command line says: lines that any terminal can show, and progress on long work."""

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


def say(text: str = "") -> None:
    """Print a line; where the output cannot show a sign, in ASCII."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    print(text, flush=True)


@contextmanager
def progress(what: str, n_steps: int) -> Iterator[Callable[[int, float], None]]:
    """A function to call with (step, cost): a bar in a terminal if rich is there, else ten lines."""
    if sys.stdout.isatty():
        try:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError:
            pass
        else:
            columns = (TextColumn(what), BarColumn(), TextColumn("{task.fields[cost]}"), TimeRemainingColumn())
            with Progress(*columns) as bar:
                task = bar.add_task(what, total=n_steps, cost="")
                yield lambda step, cost: bar.update(task, completed=step, cost=f"step {step}/{n_steps}  J = {cost:.4f}")
            return
    every = max(1, n_steps // 10)

    def line(step: int, cost: float) -> None:
        if step == 1 or step % every == 0 or step == n_steps:
            say(f"  {what}: step {step:>{len(str(n_steps))}}/{n_steps}  J = {cost:.4f}")

    yield line
