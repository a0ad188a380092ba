"""The names of the features in dataframes, checked as scikit-learn does it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np

from tinygraph.logistic.inputs import Labels


def feature_names(X: object) -> Labels | None:
    """Return the column names of a dataframe.

    Args:
        X: Table.

    Returns:
        An array of objects (n,), or None if X has no names or if they are not strings.

    Raises:
        TypeError: If only some of the names are strings.

    Examples:
        >>> feature_names([[1.0, 2.0]]) is None
        True
    """
    columns = getattr(X, "column_names", None) or getattr(X, "columns", None)  # pyarrow; pandas, polars, dask
    if columns is None or not isinstance(columns, Iterable):
        return None
    names = list(columns)
    texts = sum(isinstance(name, str) for name in names)
    if 0 < texts < len(names):
        raise TypeError(
            "Feature names are only supported if all input features have string names: convert them with "
            "X.columns = X.columns.astype(str)"
        )
    return np.array(names, dtype=object) if texts else None


def check_names(names: Labels | None, known: Labels | None, model: str) -> None:
    """Check that the features of a table have the names and the order of those that the model was fitted with.

    Args:
        names: Names of the features of the table, or None.
        known: Names of the features that the model was fitted with, or None.
        model: Name of the model's class, for messages.

    Raises:
        ValueError: If the names or their order differ.

    Examples:
        >>> check_names(np.array(["a", "b"]), np.array(["a", "b"]), "LogisticRegression")
    """
    if names is not None and known is None:
        warnings.warn(f"X has feature names, but {model} was fitted without feature names", stacklevel=5)
    if names is None and known is not None:
        warnings.warn(f"X does not have valid feature names, but {model} was fitted with feature names", stacklevel=5)
    if names is not None and known is not None and names.tolist() != known.tolist():
        raise ValueError(_difference(names.tolist(), known.tolist()))


def check_number(n: int, known: int, model: str) -> None:
    """Check that a table has as many features as the table that the model was fitted with.

    Args:
        n: Number of features of the table.
        known: Number of features that the model was fitted with.
        model: Name of the model's class, for messages.

    Raises:
        ValueError: If the numbers differ.

    Examples:
        >>> check_number(3, 3, "LogisticRegression")
    """
    if n != known:
        raise ValueError(f"X has {n} features, but {model} is expecting {known} features as input")


def _difference(names: list[str], known: list[str]) -> str:
    """Return the message, in the wording of scikit-learn, which its checks compare."""
    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
    for title, found in (("unseen at fit time", unseen), ("seen at fit time, yet now missing", missing)):
        if found:
            message += f"Feature names {title}:\n" + "".join(f"- {name}\n" for name in found[:5])
            message += "- ...\n" if len(found) > 5 else ""
    return message if unseen or missing else f"{message}Feature names must be in the same order as they were in fit.\n"
