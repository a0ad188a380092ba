"""The structure, shapes and dtypes of the gradients that a function returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tinygraph.functional import numbers_of, paired
from tinygraph.support.messages import counted, described
from tinygraph.testing.patterns import shape_pattern

_PREFIXES = ("", "d", "grad_")  # of the keys of a dict of gradients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.checking.flat import FlatFunction
    from tinygraph.functional import Tree
    from tinygraph.kernels.arrays import Array


def gradient_arrays(raw: object, function: FlatFunction, names: Sequence[str]) -> tuple[list[Array], list[str]]:
    """Return the gradients as one array per input, and the problems with their structure, shape and dtype.

    Args:
        raw: Gradients that a function returned.
        function: Function of the same inputs.
        names: Names of the inputs.

    Returns:
        The arrays, and one text for each problem.
    """
    leaves, problem = _matched(raw, function.args, names)
    if problem:
        return [], [problem]
    arrays, problems = [np.asarray(leaf) for leaf in leaves], []
    for name, leaf, array, shape in zip(names, leaves, arrays, function.shapes, strict=True):
        what = f"the gradient of {name}"
        if array.dtype.kind not in "fiu":
            problems.append(f"{what} is not a real number or array: {described(leaf)}")
        elif array.shape != shape:
            hint = _swapped(array.shape, name, arrays, function.shapes, names) or shape_pattern(array.shape, shape)
            problems.append(f"{what} has shape {array.shape}, but {name} has shape {shape}{': ' * bool(hint)}{hint}")
        elif array.dtype.kind == "f" and array.dtype.itemsize < 8:
            problems.append(f"{what} has dtype {array.dtype}: compute with float64")
        elif array.dtype.kind != "f" and shape:
            problems.append(f"{what} has dtype {array.dtype}, so it was rounded to integers or is a constant")
    return arrays, problems


def _swapped(
    found: tuple[int, ...], name: str, arrays: Sequence[Array], shapes: Sequence[tuple[int, ...]], names: Sequence[str]
) -> str:
    """Name another input with which the shapes of the gradients are swapped, or return ""."""
    wanted = shapes[list(names).index(name)]
    for other, array, shape in zip(names, arrays, shapes, strict=True):
        if other != name and shape == found and array.shape == wanted:
            return f"are the gradients of {name} and {other} swapped?"
    return ""


def in_order(gradients: object, names: Sequence[str]) -> object:
    """Return the gradients of a dict such as {"dw": …, "db": …} in the order of the inputs.

    Args:
        gradients: Gradients that a function returned.
        names: Names of the inputs.

    Returns:
        A list of gradients, or `gradients` itself if it is not such a dict.
    """
    for prefix in _PREFIXES:
        if isinstance(gradients, dict) and gradients.keys() == {prefix + name for name in names}:
            return [gradients[prefix + name] for name in names]
    return gradients


def _wrong_keys(gradients: dict[object, object], names: Sequence[str]) -> str:
    """Describe the first key of a dict of gradients that is not the name of an input, or return ""."""
    known = {prefix + name for prefix in _PREFIXES for name in names}
    for key in gradients:
        if key not in known:
            free = [name for name in names if not any(prefix + name in gradients for prefix in _PREFIXES)] or names
            uses = ", ".join(f"{name!r} or {'d' + name!r}" for name in free)
            return f"the dict of gradients has the unknown key {key!r}; use {uses}"
    missing = [name for name in names if not any(prefix + name in gradients for prefix in _PREFIXES)]
    if missing:
        return f"the dict of gradients has no key {missing[0]!r} or {'d' + missing[0]!r}"
    return f"the keys of the dict of gradients must have one prefix, but they are {', '.join(map(repr, gradients))}"


def _matched(raw: object, args: list[Tree], names: Sequence[str]) -> tuple[list[object], str]:
    """Return the gradient of each input, by position in sequences and by key in dicts, or the problem."""
    problem = ""
    raw = in_order(raw, names)
    if (
        isinstance(raw, dict)
        and not any(isinstance(arg, dict) for arg in args)
        and (problem := _wrong_keys(raw, names))
    ):
        return [], problem
    forms = [raw] if isinstance(raw, (tuple, list)) and len(raw) == len(args) else []
    for form in [*forms, *[[raw]] * (len(args) == 1)]:
        try:
            parts = [part for _, part in paired("the gradients", args, form)]
        except ValueError as error:
            problem = f"the structure of the gradients is not that of the inputs: {error}"
            continue
        if not any(isinstance(part, (dict, tuple)) for part in parts):
            return parts, ""
    found = len(list(numbers_of(raw)))
    if problem and found == len(names):
        return [], problem
    inputs = f"{counted(len(names), 'input')} ({', '.join(names)})"
    return [], f"f returns {counted(found, 'gradient')} for {inputs}"
