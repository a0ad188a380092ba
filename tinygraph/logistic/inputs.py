"""Validate the tables and labels that `fit` accepts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Labels: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # numbers, strings or bools


class Chunked(Protocol):
    """The interface that dask arrays, dataframes and series share."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis. dask may not know the first length before it computes the chunks."""

    def to_delayed(self) -> Iterable[object]:
        """Return the tasks that compute the chunks.

        Returns:
            One task per chunk.
        """


def is_chunked(data: object) -> TypeGuard[Chunked]:
    """Return whether the data are a dask array, dataframe or series.

    Args:
        data: Table or labels.

    Returns:
        True if dask stores the data in chunks. The check does not import dask.

    Examples:
        >>> is_chunked([[1.0, 2.0]])
        False
    """
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr")


def examples(X: ArrayLike) -> Array:
    """Return a table of examples as an array of floats.

    Args:
        X: Table (m, n), one row per example.

    Returns:
        An array (m, n). If X is already a float64 array, the result is not a copy.

    Raises:
        ValueError: If X is not a table of finite numbers with at least one row and one column.

    Examples:
        >>> examples([[1, 2], [3, 4]]).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    try:
        table = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a table of numbers with shape (examples, features): {error}") from None
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"X must have shape (examples, features), with one row per example, not {table.shape}")
    check_finite(table, "X")
    return table


def labels_and_codes(y: ArrayLike, m: int) -> tuple[Labels, Array]:
    """Return the two classes, and the code of each label: 0.0 or 1.0.

    Args:
        y: Labels (m,) or (m, 1).
        m: Number of examples.

    Returns:
        The sorted classes, and the codes (m,).

    Raises:
        ValueError: If there is not one label per example, or if there are not exactly two classes.

    Examples:
        >>> classes, codes = labels_and_codes(["no", "yes", "no"], 3)
        >>> classes.tolist(), codes.tolist()
        (['no', 'yes'], [0.0, 1.0, 0.0])
    """
    labels = np.asarray(y)
    if labels.shape not in ((m,), (m, 1)):
        raise ValueError(f"y must contain one label for each of {m} examples, but its shape is {labels.shape}")
    classes, codes = np.unique(labels.ravel(), return_inverse=True)
    check_classes(classes)
    return classes, codes.astype(np.float64)


def check_finite(table: Array, name: str) -> None:
    """Check that all elements of a table are finite.

    Args:
        table: Array (m, n).
        name: Name of the table, for the message.

    Raises:
        ValueError: If an element is NaN or infinite. The message names the element's row and column.
    """
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0].tolist()
        raise ValueError(
            f"{name} contains {table[row, column]} in row {row}, column {column}: remove or replace this value first"
        )


def check_classes(classes: Labels) -> None:
    """Check that there are exactly two classes.

    Args:
        classes: Labels without duplicates.

    Raises:
        ValueError: If there are not exactly two classes.
    """
    if len(classes) != 2:
        raise ValueError(f"y must contain two classes, got {len(classes)}: {classes.tolist()[:5]}")
