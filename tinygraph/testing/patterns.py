"""Guess what is wrong with a gradient from the pattern of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinygraph.kernels.arrays import Array

_CLOSE = 1e-5


def shape_pattern(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Guess why a gradient has the wrong shape.

    Args:
        found: Shape of the gradient.
        wanted: Shape of the input.

    Returns:
        The guess, or "".

    Examples:
        >>> shape_pattern((3, 2), (2, 3))
        'is it transposed?'
    """
    if len(found) > 1 and found != wanted and found == wanted[::-1]:
        return "is it transposed?"
    if len(found) > 2 and found != wanted and sorted(found) == sorted(wanted):
        return "are its axes permuted?"
    if np.prod(found, dtype=int) == np.prod(wanted, dtype=int):
        return "is a reshape missing?"
    try:
        if np.broadcast_shapes(found, wanted) == found:
            return "is a sum over the broadcast axes missing?"
    except ValueError:
        pass
    return ""


def error_pattern(ours: Array, right: Array, sizes: Mapping[str, int]) -> str:
    """Guess what is wrong with a gradient.

    Args:
        ours: The gradient.
        right: The reference, with the same shape.
        sizes: Lengths of the axes of the inputs, with their descriptions.

    Returns:
        The guess, or "".

    Examples:
        >>> import numpy as np
        >>> error_pattern(np.array([2.0, 4.0]), np.array([-2.0, -4.0]), {})
        'every element has the wrong sign'
    """
    with np.errstate(all="ignore"):  # products and differences of large numbers can overflow
        return _pattern(ours, right, sizes)


def _pattern(ours: Array, right: Array, sizes: Mapping[str, int]) -> str:
    """Guess what is wrong with a gradient, or return ""."""
    if not np.isfinite(right).all():
        return ""
    if not np.isfinite(ours).all():
        kind = "NaN" if np.isnan(ours).any() else "infinite"
        return f"an element is {kind}, but the right number is finite: a branch that is not taken, 0/0, an overflow?"
    size = float(np.abs(right).max(initial=0.0))
    if size and not ours.any():
        return "every element is 0: is the graph cut, or is a term missing?"
    if size and (found := _factor(ours, right, sizes)):
        return found
    if ours.ndim == 2 and ours.shape[0] == ours.shape[1] and np.allclose(ours.T, right, rtol=_CLOSE, atol=1e-9 * size):
        return "the elements are transposed"
    if ours.size > 1 and np.allclose(np.sort(ours, None), np.sort(right, None), rtol=_CLOSE, atol=1e-9 * size):
        return "the elements are right, but in other places: is an axis swapped, or reshaped in another order?"
    gap = ours - right
    if ours.size > 1 and np.allclose(gap, gap.flat[0], rtol=_CLOSE, atol=1e-9 * size):
        return f"every element is off by the same amount, {gap.flat[0]:.6g}: is a term missing?"
    if ours.size > 1 and np.allclose(ours, ours.flat[0], rtol=1e-12):
        return "every element is the same: is a sum or a mean taken over one axis too many?"
    return ""


def _factor(ours: Array, right: Array, sizes: Mapping[str, int]) -> str:
    """Name the factor by which all elements are off, or return ""."""
    scaled = right / np.abs(right).max()  # the squares of large or small numbers are not finite or 0
    factor = float((ours * scaled).sum() / (right * scaled).sum())
    if abs(factor - 1.0) < _CLOSE or not np.allclose(
        ours, factor * right, rtol=_CLOSE, atol=_CLOSE * abs(factor * right).max()
    ):
        return ""
    if abs(factor + 1.0) < _CLOSE:
        return "every element has the wrong sign"
    if round(factor, 4) in (0.5, 2.0):
        what = "missing" if factor < 1.0 else "too many"
        return f"every element is {factor:.6g} times the right number: is a factor 2 {what}?"
    for what, n in sizes.items():
        for value, guess in ((float(n), "a sum where a mean is right"), (1.0 / n, "a mean where a sum is right")):
            if n > 1 and abs(abs(factor) - value) < _CLOSE * value:
                text = f"{n}" if value > 1.0 else f"1/{n}"
                sign = "-" if factor < 0.0 else ""
                return f"every element is {sign}{text} times the right number, and {n} is {what}: {guess}?"
    return f"every element is {factor:.6g} times the right number"
