"""The proof that an imported graph equals the program that it was imported from: values, gradients, and precision."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygraph.support.messages import counted

Array = np.ndarray[Any, np.dtype[Any]]
TOLERANCE = 1e-9  # largest relative difference that can come from the order of float64 operations
_NOISE = 1e-12  # the same, relative to the largest number that took part, because a difference of numbers can cancel
IMPRECISE = 1e-3  # a larger relative difference between float32 and float64 gives a warning


class DisagreementError(ArithmeticError):
    """An imported graph and its program have different values or gradients."""


class PrecisionWarning(UserWarning):
    """A program that computes with less precision than float64 gives a result that is far from the exact one."""


@dataclass(frozen=True)
class Proof:
    """The largest relative differences between an imported graph and the program in its framework.

    Attributes:
        framework: Name of the framework.
        dtype: Type of the program's numbers. The graph always computes with float64.
        nodes: Number of nodes of the graph.
        value: Difference of the value.
        gradients: Difference of each gradient, by the name of the leaf.

    Examples:
        >>> print(Proof("PyTorch", "float32", 12, 3e-8, {"w": 1e-7}))
        12 nodes: the value and 1 gradient equal those of PyTorch in float64
        PyTorch's float32 differs by up to 3e-08 (value) and 1e-07 (gradient of w)
    """

    framework: str
    dtype: str
    nodes: int
    value: float
    gradients: Mapping[str, float]

    @property
    def float64(self) -> bool:
        """True if the program computes with float64."""
        return self.dtype == "float64"

    def __str__(self) -> str:
        number = counted(len(self.gradients), "gradient")
        worst = max(self.gradients, key=lambda name: _rank(self.gradients[name]), default="")
        differences = f"{self.value:.0e} (value)"
        if worst:
            differences += f" and {self.gradients[worst]:.0e} (gradient of {worst})"
        same = f"{self.nodes:,} nodes: the value and {number} equal those of {self.framework}"
        if self.float64:
            return f"{same}, up to rounding: {differences}"
        return f"{same} in float64\n{self.framework}'s {self.dtype} differs by up to {differences}"


def _rank(size: float) -> float:
    return np.inf if np.isnan(size) else size


def distance(ours: Array, theirs: Array) -> float:
    """Return the largest difference between two arrays, relative to the largest element.

    Args:
        ours: Array.
        theirs: Array that ours should equal.

    Returns:
        The relative difference: 0 if the arrays are equal, and infinity if their shapes differ, or the places of NaN or
        infinite elements.

    Examples:
        >>> round(distance(np.array([1.0, 2.0]), np.array([1.0, 2.002])), 9)
        0.000999001
    """
    if ours.shape != theirs.shape:
        return np.inf
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True) or not np.isfinite(ours[finite]).all():
        return np.inf
    size = float(np.abs(theirs[finite]).max(initial=0.0))
    apart = float(np.abs(ours[finite] - theirs[finite]).max(initial=0.0))
    return apart / size if size else apart


def agree(ours: Array, theirs: Array, largest: float, tolerance: float = TOLERANCE) -> bool:
    """Return whether two arrays are equal up to rounding.

    Args:
        ours: Array.
        theirs: Array that ours should equal.
        largest: The largest number that took part in the computation.
        tolerance: Largest allowed difference, relative to the largest element. Defaults to 1e-9.

    Returns:
        True if the arrays are equal up to rounding. NaN equals NaN.

    Examples:
        >>> agree(np.array([1e-17]), np.array([0.0]), 1.0), agree(np.array([1e-5]), np.array([0.0]), 1.0)
        (True, False)
    """
    found = distance(ours, theirs)
    if found <= tolerance:
        return True
    size = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0))
    return found * (size or 1.0) <= _NOISE * (tolerance / TOLERANCE) * largest


def measured(ours: Array, theirs: Array, largest: float) -> float:
    """Return the difference of two arrays for a report. An array that consists of rounding errors counts as zeros.

    Args:
        ours: Array.
        theirs: Array that ours should equal.
        largest: The largest number that took part in the computation.

    Returns:
        The relative difference.

    Examples:
        >>> measured(np.array([1e-17]), np.array([2e-17]), 1.0)
        1e-17
    """
    found = distance(ours, theirs)
    size = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0.0))
    return found * size / largest if 0.0 < size <= _NOISE * largest else found


def magnitude(*arrays: Array) -> float:
    """Return the largest finite absolute value.

    Args:
        *arrays: Arrays.

    Returns:
        The absolute value, or 0 without finite elements.

    Examples:
        >>> magnitude(np.array([1.0, np.inf]), np.array([-3.0]))
        3.0
    """
    return max([float(np.abs(x[np.isfinite(x)]).max(initial=0.0)) for x in arrays], default=0.0)


def shown(ours: Array, theirs: Array, framework: str) -> str:
    """Describe the element in which two arrays differ most.

    Args:
        ours: Array.
        theirs: Array that ours should equal.
        framework: Name of the framework.

    Returns:
        The description, for a message.

    Examples:
        >>> shown(np.array([1.0, 2.0]), np.array([1.0, 5.0]), "PyTorch")
        'tinygraph has 2.0 at [1], and PyTorch has 5.0'
    """
    if ours.shape != theirs.shape:
        return f"tinygraph has the shape {ours.shape}, and {framework} has {theirs.shape}"
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, -1.0, np.nan_to_num(np.abs(ours - theirs), nan=np.inf))
    place = np.unravel_index(int(apart.argmax()), apart.shape)
    at = f" at [{', '.join(map(str, place))}]" if place else ""
    return f"tinygraph has {float(ours[place])!r}{at}, and {framework} has {float(theirs[place])!r}"


def warn_of_precision(result: Proof, first: Callable[[], str]) -> None:
    """Warn if a program's own precision gives a result that is far from the one in float64.

    Args:
        result: The differences.
        first: Function that returns the first op that differs, as the end of the message, or "".
    """
    worst = max([result.value, *result.gradients.values()])
    if worst > IMPRECISE:
        warnings.warn(
            f"{result.framework} computes with {result.dtype}, and its result is far from that in float64 (relative "
            f"difference {worst:.1e}){first()}",
            PrecisionWarning,
            stacklevel=4,  # the call of from_torch, for example, which calls the proof
        )
