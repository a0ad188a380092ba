"""Tables and labels: what `fit` accepts, and how it checks it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Labels: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # of numbers, strings or bools


class Chunked(Protocol):
    """What arrays, dataframes and series of dask have in common."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis; dask may compute the first one only when it is asked to."""

    def to_delayed(self) -> Iterable[object]:
        """Return the tasks that compute the chunks."""


def is_chunked(data: object) -> TypeGuard[Chunked]:
    """Return whether the data are an array, a dataframe or a series of dask.

    Args:
        data: A table or labels.

    Returns:
        True if dask keeps the data in chunks; dask is not imported to find out.

    Examples:
        >>> is_chunked([[1.0, 2.0]])
        False
    """
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr")


def examples(X: ArrayLike) -> Array:
    """Return a table of examples as an array of floats.

    Args:
        X: Table of shape (m, n), one row per example.

    Returns:
        The array (m, n); not a copy if it is a float64 array already.

    Raises:
        ValueError: If this is not a table of finite numbers with at least one row and one column.

    Examples:
        >>> examples([[1, 2], [3, 4]]).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    try:
        table = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a table of numbers, (examples, features): {error}") from None
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"X must have the shape (examples, features), one row an example, not {table.shape}")
    check_finite(table, "X")
    return table


def labels_and_codes(y: ArrayLike, m: int) -> tuple[Labels, Array]:
    """Return the two classes, and for each label 0.0 or 1.0.

    Args:
        y: Labels of shape (m,) or (m, 1).
        m: The number of examples.

    Returns:
        The classes, sorted, and the codes (m,).

    Raises:
        ValueError: If there is not one label per example, or if the labels are not of two classes.

    Examples:
        >>> classes, codes = labels_and_codes(["no", "yes", "no"], 3)
        >>> classes.tolist(), codes.tolist()
        (['no', 'yes'], [0.0, 1.0, 0.0])
    """
    labels = np.asarray(y)
    if labels.shape not in ((m,), (m, 1)):
        raise ValueError(f"y must hold one label for each of {m} examples; its shape is {labels.shape}")
    classes, codes = np.unique(labels.ravel(), return_inverse=True)
    check_classes(classes)
    return classes, codes.astype(np.float64)


def check_finite(table: Array, name: str) -> None:
    """Raise ValueError with row and column if an element of a table is NaN or infinite."""
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0].tolist()
        raise ValueError(f"{name} holds {table[row, column]} in row {row}, column {column}: remove or fill it first")


def check_classes(classes: Labels) -> None:
    """Raise ValueError unless the labels are of two classes."""
    if len(classes) != 2:
        raise ValueError(f"y must hold two classes, but it holds {len(classes)} class(es): {classes.tolist()[:5]}")
