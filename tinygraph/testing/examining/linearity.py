"""Check that a VJP is linear in the cotangent, and a JVP in the tangents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinygraph.functional import Tree
    from tinygraph.kernels.arrays import Array

    BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# Powers of 2, so that a linear function has the same rounding errors. The large and the small one find a function that
# clips its input or drops small elements.
_FACTORS = (-1.0, 1024.0, 2.0**-10)
_ROUNDING = 1e-9
_SMALLEST = 2.0**-1010


def nonlinearity(f: Callable[[float], Sequence[Tree]], names: Sequence[str], what: str) -> str:
    """Describe how a function of a factor is not proportional to it, or return "".

    Args:
        f: Function of a factor that returns one number or array per name.
        names: Descriptions of the results.
        what: Name of what the factor multiplies.

    Returns:
        The description.

    Examples:
        >>> nonlinearity(lambda factor: [3.0 * factor], ["the result"], "input")
        ''
        >>> nonlinearity(lambda factor: [abs(factor)], ["the result"], "input")
        'with -1 times the input, the result is 1 instead of -1, but it must be linear in the input'
    """
    with_1 = [np.array(x, dtype=float) for x in f(1.0)]
    for factor in _FACTORS:
        with np.errstate(all="ignore"):  # the large factor can lead to an overflow
            scaled = f(factor)
        where = f"with {factor:.6g} times the {what}"
        for name, first, found in zip(names, with_1, scaled, strict=False):
            ours = np.asarray(found, dtype=float)
            if ours.shape != first.shape:
                return f"{where}, {name} has shape {ours.shape} instead of {first.shape}"
            wrong = np.argwhere(_differs(ours, first, factor))
            if len(wrong):
                index = tuple(wrong[0].tolist())
                element = f"element {list(index)} of {name}" if index else name
                numbers = f"{ours[index]:.6g} instead of {factor * first[index]:.6g}"
                return f"{where}, {element} is {numbers}, but it must be linear in the {what}"
    return ""


def _differs(ours: Array, first: Array, factor: float) -> BoolArray:
    """Return which elements are not `factor` times the first ones. An overflow or an underflow does not count."""
    with np.errstate(all="ignore"):
        wanted = factor * first
        known = np.isfinite(wanted) & (np.isfinite(ours) | (abs(factor) <= 1.0))
        largest = float(np.abs(wanted[known]).max(initial=0.0))
        allowed = np.maximum(_ROUNDING * np.maximum(np.abs(wanted), 1e-3 * largest), _SMALLEST)
        differs: BoolArray = known & ~(np.abs(ours - wanted) <= allowed)
    return differs


def cotangent_problems(
    gradients: Callable[[float], tuple[Sequence[Array], list[str]]], with_1: Sequence[Array], names: Sequence[str]
) -> list[str]:
    """Report gradients that are not linear in the cotangent.

    Args:
        gradients: Function of a factor of the cotangent that returns the gradients, and the problems with their
            structure.
        with_1: The gradients at factor 1.
        names: Name of the input of each gradient.

    Returns:
        The texts.
    """
    problems: list[str] = []

    def at_factor(factor: float) -> Sequence[Array]:
        if factor == 1.0:
            return with_1
        found, wrong = gradients(factor)
        problems.extend([f"with {factor:.6g} times the cotangent, {text}" for text in wrong])
        return found

    text = nonlinearity(at_factor, [f"the gradient of {name}" for name in names], "cotangent")
    return problems or [text] * bool(text)
