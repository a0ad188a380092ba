"""The wrong elements of one gradient, their description, and gradients that belong to another input."""

from __future__ import annotations

import math
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.support.messages import counted
from tinygraph.testing.patterns import error_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tinygraph.kernels.arrays import Array

_SHOWN = 3
_CLOSE = 1e-5


class ComparedGradient:
    """The gradient of one input and its references.

    Args:
        name: Name of the input.
        gradient: The gradient.

    Attributes:
        name: Name of the input.
        ours: The elements of the gradient.
        right: The elements of the gradient, with the reference in place of each wrong element.
        seen: Number of elements up to the last one that was compared.
        pattern: Guess what is wrong, or "".
        lines: One line for each wrong element, with a key that sorts the worst element first.
    """

    def __init__(self, name: str, gradient: Array) -> None:
        self.name, self.shape = name, gradient.shape
        self.ours = np.asarray(gradient, dtype=float).ravel()
        self.right, self.seen, self.pattern = self.ours.copy(), len(self.ours), ""
        self.lines: list[tuple[float, str]] = []

    def largest(self) -> float:
        """Return the largest finite absolute value of an element."""
        return float(np.abs(self.ours[np.isfinite(self.ours)]).max(initial=0.0))

    def add(self, k: int, reference: float, line: str) -> None:
        """Add a wrong element.

        Args:
            k: Index of the element.
            reference: The right number.
            line: Description of the element.
        """
        self.right[k], gap = reference, abs(float(self.ours[k]) - reference)
        self.lines.append((-gap if gap == gap else -math.inf, line))

    def guess(self, sizes: Mapping[str, int]) -> None:
        """Guess what is wrong.

        Args:
            sizes: Lengths of the axes of the inputs, with their descriptions.
        """
        shape = self.shape if self.seen == len(self.ours) else (self.seen,)
        ours, right = (x[: self.seen].reshape(shape) for x in (self.ours, self.right))
        self.pattern = error_pattern(ours, right, sizes)

    def text(self, show_pattern: bool) -> str:
        """Return the description of the wrong elements.

        Args:
            show_pattern: If true, the description contains the pattern.

        Returns:
            The description, with one line for each of the worst elements.
        """
        worst = [text for _, text in sorted(self.lines, key=lambda line: line[0])[:_SHOWN]]
        least = "at least " * (self.seen < len(self.ours))
        counts = f"{least}{len(self.lines):,} of {counted(len(self.ours), 'element')}"
        shown = [f"    {self.pattern}"] * bool(self.pattern and show_pattern)
        return "\n".join([f"the gradient of {self.name} is wrong in {counts}", *worst, *shown])


def note_exchanged(compared: Sequence[ComparedGradient]) -> None:
    """Change the pattern of each wrong gradient that is the right gradient of another input with the same shape.

    Args:
        compared: The gradients of all inputs.

    Examples:
        >>> x, y = (ComparedGradient(name, np.array(ours)) for name, ours in (("x", [1.0, 2.0]), ("y", [3.0, 4.0])))
        >>> for gradient, right in ((x, [3.0, 4.0]), (y, [1.0, 2.0])):
        ...     for k in range(2):
        ...         gradient.add(k, right[k], "")
        >>> note_exchanged([x, y])
        >>> x.pattern
        'it is the right gradient of y: are the gradients of x and y swapped?'
    """
    for one, other in permutations(compared, 2):
        if one.lines and one.shape == other.shape and _is_close(one.ours, other.right):
            is_swap = bool(other.lines) and _is_close(other.ours, one.right)
            first, second = sorted((one, other), key=list(compared).index)
            if is_swap or (len(one.ours) > 1 and not one.pattern):  # a number can be another one by accident
                swap = f": are the gradients of {first.name} and {second.name} swapped?" * is_swap
                one.pattern = f"it is the right gradient of {other.name}{swap}"


def _is_close(ours: Array, right: Array) -> bool:
    largest = float(np.abs(right).max(initial=0.0))
    return bool(largest and np.isfinite(largest) and np.allclose(ours, right, rtol=_CLOSE, atol=1e-9 * largest))
