"""Names in a JAX program: its arguments, the arrays that it refers to, and the places of its primitives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

from tinygraph.bridges.jax.ops.table import Equation, JaxArray, Jaxpr
from tinygraph.bridges.jax.program import EquationPlace
from tinygraph.bridges.names import numbered, used

_PACKAGE = str(Path(__file__).parents[1])


class Calls:
    """The scopes of the equations of a jaxpr. A second call of the same function gets a number, as in "dense[1]".

    JAX notes which functions were running, but not which call of a function it was. Equations that follow each other
    belong to one call, if the same line called the function.

    Args:
        jaxpr: The jaxpr.
        outer: Place of the function to which the jaxpr belongs.
        counts: Number of the last call, by scope.
    """

    def __init__(self, jaxpr: Jaxpr, outer: EquationPlace, counts: dict[tuple[str, ...], int]) -> None:
        self._function = _source(jaxpr)
        self._outer, self._counts = outer, counts
        self._calls: list[tuple[str, str]] = []
        self._scope: list[str] = []

    def place(self, equation: Equation) -> EquationPlace:
        """Return where an equation was called. Call this method once per equation, in order.

        Args:
            equation: The equation.

        Returns:
            The place: the scopes are the named scopes, or the functions that were running, and the line is the
            innermost one outside of JAX.
        """
        calls, line = _calls_of(equation, self._function)
        same = 0
        while same < min(len(calls), len(self._calls)) and calls[same] == self._calls[same]:
            same += 1
        del self._scope[same:]
        for name, _ in calls[same:]:
            self._scope.append(numbered(name, (*self._outer.scope, *self._scope), self._counts))
        self._calls = calls
        return EquationPlace((*self._outer.scope, *self._scope), line or self._outer.line)


def _calls_of(equation: Equation, function: str) -> tuple[list[tuple[str, str]], str]:
    """Return the functions that ran inside of a function, outermost first, with the lines that called them.

    The second result is the line of the equation. Older versions of JAX also note the callers of the function.
    """
    found = equation.source_info
    frames = [(file, line, name) for file, line, name in _frames(found.traceback) if _is_users(file)]
    lines = [f"{file}:{line}" for file, line, _ in frames]
    named = [(part.name, "") for part in getattr(found.name_stack, "stack", ()) if type(part).__name__ == "Scope"]
    name, _, place = function.partition(" at ")
    if place and not place.startswith(_PACKAGE):
        same = [place.startswith(f"{file}:") and _last(inner) == _last(name) for file, _, inner in frames]
        if any(same):
            del frames[same.index(True) + 1 :]
        elif not _is_users(place):
            frames = []
    functions = [(shortened(name), line) for (_, _, name), line in zip(frames, lines[1 : len(frames)], strict=False)]
    return named or [call for call in reversed(functions) if call[0]], lines[0] if lines else ""


def _frames(traceback: object) -> Iterator[tuple[str, int, str]]:
    """Yield the file, the line and the function of each frame of the program, innermost first."""
    for frame in getattr(traceback, "frames", ()):
        if frame.file_name.startswith(_PACKAGE):  # it calls the program, and older versions of JAX note its callers
            return
        yield frame.file_name, frame.line_num, frame.function_name


@cache  # each equation asks for all files that called it
def _is_users(file: str) -> bool:
    library = str(Path(import_module("jax").__file__ or "").parent)
    return not file.startswith((library, "<frozen"))


def shortened(name: str) -> str:
    """Return the name of a function without those of the functions around it, or "" for a lambda or a comprehension.

    Args:
        name: Qualified name.

    Returns:
        The name.

    Examples:
        >>> shortened("fit.<locals>.loss"), shortened("fit.<locals>.<lambda>")
        ('loss', '')
    """
    last = _last(name)
    return "" if last.startswith("<") else last


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _source(jaxpr: Jaxpr) -> str:
    """Return the name and the line of the function that a jaxpr comes from, as "name at file:line", or ""."""
    return getattr(getattr(jaxpr, "debug_info", None), "func_src_info", None) or ""


def source_of(jaxpr: Jaxpr) -> tuple[str, str]:
    """Return the name and the source line of the function that a jaxpr comes from.

    Args:
        jaxpr: The jaxpr.

    Returns:
        The name, or "" for a lambda, and the line as "file:line". Both are "" for a function that is not the user's.
    """
    name, _, line = _source(jaxpr).partition(" at ")
    return (shortened(name), line) if line and _is_users(line) else ("", "")


def name_of(jaxpr: Jaxpr) -> str:
    """Return the name of the function that a jaxpr comes from, also of one of JAX itself.

    Args:
        jaxpr: The jaxpr.

    Returns:
        The name, or "" for a lambda.
    """
    return shortened(_source(jaxpr).partition(" at ")[0])


def is_of_jax(jaxpr: Jaxpr) -> bool:
    """Return whether a jaxpr comes from a function of JAX itself.

    Args:
        jaxpr: The jaxpr.

    Returns:
        True if the source file of the function is a file of JAX.
    """
    return not _is_users(_source(jaxpr).partition(" at ")[2] or "<frozen")


def leaves_of(names: Sequence[str], args: Sequence[object]) -> tuple[list[tuple[str, object]], object]:
    """Return the leaves of the arguments with their names, and the structure of the arguments.

    Args:
        names: Names of the arguments.
        args: The arguments: pytrees.

    Returns:
        Pairs of a name and a leaf, and the structure.
    """
    tree = import_module("jax.tree_util")
    found, structure = tree.tree_flatten_with_path(tuple(args))
    leaves = []
    for path, leaf in found:
        keys = [str(next(getattr(key, k) for k in ("key", "name", "idx") if hasattr(key, k))) for key in path[1:]]
        leaves.append((".".join([names[path[0].idx], *keys]), leaf))
    return leaves, structure


def names_of_arrays(f: Callable[..., object], arrays: Sequence[JaxArray]) -> list[str]:
    """Return what the user calls the arrays that a function reads besides its arguments.

    Args:
        f: The function.
        arrays: The arrays, as JAX gives them: an array of NumPy is another object than the user's.

    Returns:
        One name per array, or "" if no variable refers to it.
    """
    known = [(name, x) for name, x in used(f) if name and hasattr(x, "dtype") and hasattr(x, "shape")]
    return [next((name for name, x in known if _is_same(x, array)), "") for array in arrays]


def _is_same(x: JaxArray, array: JaxArray) -> bool:
    if x is array or not isinstance(x, np.ndarray):
        return x is array
    return x.shape == array.shape and x.dtype.kind == "f" and np.array_equal(x, np.asarray(array, x.dtype))
