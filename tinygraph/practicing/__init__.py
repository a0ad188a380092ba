"""Practice backpropagation by hand: questions, wrong answers with hints, and backward passes with a mistake."""

from functools import cache
from importlib.resources import files


@cache
def asset(name: str) -> str:
    """Return the text of a file of this folder.

    Args:
        name: Name of the file.

    Returns:
        The text.
    """
    return files("tinygraph.practicing").joinpath(name).read_text(encoding="utf-8")
