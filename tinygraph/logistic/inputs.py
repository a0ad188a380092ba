"""Validate the tables, the names of their features, the labels and the weights that the model accepts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeAlias, TypeGuard

import numpy as np

from tinygraph.kernels.numbers import REMEDIES
from tinygraph.logistic.conventions import DataConversionWarning, shared
from tinygraph.support.messages import counted, described

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


def examples(X: object) -> Array:
    """Return a table of examples as an array of floats.

    Args:
        X: Table (m, n), one row per example.

    Returns:
        An array (m, n). If X is already a float64 array, the result is not a copy.

    Raises:
        ValueError: If X is not a table of finite real numbers with at least one row and one column.
        TypeError: If X is sparse or masked, or if an element is not a number.

    Examples:
        >>> examples([[1, 2], [3, 4]]).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    data = _plain(X, "X")
    if data.dtype.kind not in "biufO":
        remedy = REMEDIES.get(data.dtype.kind, "convert the columns to numbers first")
        raise ValueError(f"X must be a table of numbers, but its elements have the type {data.dtype}; {remedy}")
    try:
        with np.errstate(over="ignore"):  # an overflow is reported as inf below
            # A copy has the features of an example next to each other, which is faster for wide tables.
            order: Literal["C", "K"] = "K" if data.dtype == np.float64 else "C"
            table = data.astype(np.float64, order=order, copy=False)
    except TypeError as error:  # float() names the type of the element, as scikit-learn's clients expect
        raise TypeError(f"X must be a table of numbers: {error}") from None
    except ValueError as error:
        raise ValueError(f"X must be a table of numbers: {error}") from None
    if table.ndim != 2:
        raise ValueError(
            f"X must have shape (examples, features), with one row per example, not {table.shape}. Reshape your data "
            "with X.reshape(-1, 1) if there is one feature, or with X.reshape(1, -1) if there is one example"
        )
    for size, what in zip(table.shape, ("sample", "feature"), strict=True):
        if size == 0:  # the wording of scikit-learn, which its checks compare
            raise ValueError(f"X has 0 {what}(s) (shape={table.shape}) while a minimum of 1 is required.")
    check_finite(table, "X")
    return table


def labels_of(y: object, what: str = "y") -> Labels:
    """Return labels as a one-dimensional array, after a check that no label is missing.

    Args:
        y: Labels (m,) or (m, 1).
        what: Name of the labels, for messages.

    Returns:
        An array (m,).

    Raises:
        ValueError: If a label is missing, infinite or complex, or if the labels have more than one column.
        TypeError: If y is sparse or masked.

    Examples:
        >>> labels_of(["no", "yes"]).tolist()
        ['no', 'yes']
    """
    if y is None:
        raise ValueError("this model requires y to be passed, but the target y is None")
    labels = _plain(y, what)
    if isinstance(y, (list, tuple)) and labels.dtype.kind in "US":  # NumPy turns NaN and numbers into text
        each = np.asarray(y, dtype=object).ravel()
        _check_missing(each, what)
        if any(not isinstance(label, (str, bytes)) for label in each):
            raise ValueError(f"{what} contains text and numbers: convert all labels to one type")
    if labels.ndim not in (1, 2) or (labels.ndim == 2 and labels.shape[1] != 1):
        raise ValueError(f"{what} must contain one label for each example, but its shape is {labels.shape}")
    if labels.ndim == 2:
        message = "A column-vector y was passed when a 1d array was expected: call y.ravel() first"
        warnings.warn(message, shared(DataConversionWarning), stacklevel=4)
    labels = labels.ravel()
    _check_missing(labels, what)
    return labels


def labels_and_codes(y: object, m: int, most: float = 2) -> tuple[Labels, Array]:
    """Return the classes, and the code of each label: 0.0 for the first class, 1.0 for the second class, and so on.

    Args:
        y: Labels (m,) or (m, 1).
        m: Number of examples.
        most: Largest number of classes. Defaults to 2.

    Returns:
        The sorted classes, and the codes (m,).

    Raises:
        ValueError: If there is not one label per example, if a label is missing, or if there are fewer than two classes
            or too many.

    Examples:
        >>> classes, codes = labels_and_codes(["no", "yes", "no"], 3)
        >>> classes.tolist(), codes.tolist()
        (['no', 'yes'], [0.0, 1.0, 0.0])
    """
    labels = labels_of(y)
    _check_count(labels, m, "y", "label")
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError:
        raise ValueError("y contains labels that cannot be compared: convert all labels to one type") from None
    check_classes(classes, most)
    return classes, codes.astype(np.float64)


def check_known(labels: Labels, m: int, classes: Labels, what: str = "y") -> None:
    """Check the labels that predictions are compared with.

    Args:
        labels: Labels.
        m: Number of predictions.
        classes: Classes of the model.
        what: Name of the labels, for messages.

    Raises:
        ValueError: If the number of labels is not m, or if a label is not one of the classes.

    Examples:
        >>> check_known(np.array([0, 1, 1]), 3, np.array([0, 1]))
    """
    _check_count(labels, m, what, "label")
    known = set(classes.tolist())
    if unknown := [label for label in labels.tolist() if label not in known]:
        raise ValueError(f"{what} contains the label {unknown[0]!r}, but the model was fitted with {classes.tolist()}")


def weights_of(sample_weight: object, m: int) -> Array | None:
    """Return the weights of the examples as an array of floats.

    Args:
        sample_weight: Weights (m,), one number for all examples, or None.
        m: Number of examples.

    Returns:
        An array (m,), or None if all weights are equal.

    Raises:
        ValueError: If there is not one weight per example, if a weight is negative or not finite, or if all weights are
            0.
        TypeError: If the weights are not real numbers.

    Examples:
        >>> weights_of([1, 2], 2).tolist()
        [1.0, 2.0]
    """
    if sample_weight is None:
        return None
    data = _plain(sample_weight, "sample_weight")
    if data.dtype.kind not in "biufO":
        raise TypeError(f"sample_weight must contain real numbers, not {described(sample_weight)}")
    try:
        weights = data.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"sample_weight must contain real numbers, not {described(sample_weight)}") from None
    if weights.ndim == 0:
        weights = np.full(m, weights.item())
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have the shape ({m},), not {weights.shape}: sample weights must be 1D")
    _check_count(weights, m, "sample_weight", "weight")
    check_weights(weights)
    check_some_weight(float(weights.sum()))
    return weights


def check_some_weight(size: float) -> None:
    """Check that at least one weight is positive.

    Args:
        size: Sum of the weights, of which none is negative.

    Raises:
        ValueError: If all weights are 0.

    Examples:
        >>> check_some_weight(2.0)
    """
    if size == 0.0:
        raise ValueError("sample_weight contains only zeros: at least one weight must be positive")


def check_weights(weights: Array) -> None:
    """Check that the weights of examples are finite and not negative.

    Args:
        weights: Weights (m,).

    Raises:
        ValueError: If a weight is negative or not finite.

    Examples:
        >>> check_weights(np.array([0.0, 2.0]))
    """
    wrong = ~(np.isfinite(weights) & (weights >= 0.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"sample_weight contains {weights[row]} in row {row}: weights must be finite and not negative")


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
        number = "NaN" if np.isnan(table[row, column]) else table[row, column]
        raise ValueError(f"{name} contains {number} in row {row}, column {column}: remove or replace this value first")


def check_classes(classes: Labels, most: float = 2) -> None:
    """Check the number of classes.

    Args:
        classes: Labels without duplicates.
        most: Largest number of classes: 2 or infinity. Defaults to 2.

    Raises:
        ValueError: If there are fewer than two classes or too many, or if the labels are fractions, which looks like
            a regression problem.
    """
    count = len(classes)
    fractions = count > 2 and classes.dtype.kind == "f" and bool((classes != np.floor(classes)).any())
    if 2 <= count <= most and not fractions:
        return
    start = "Only binary classification is supported. " if count > most else ""
    if fractions:
        start = "Unknown label type: continuous. "  # the wordings of scikit-learn, which its checks compare
    wanted = "two classes" if most == 2 else "at least two classes, as integers or text"
    found = f"{count} class" if count == 1 else f"{count} classes"
    end = "; SoftmaxRegression learns more classes" if count > most and not fractions else ""
    raise ValueError(f"{start}y must contain {wanted}, got {found}: {classes.tolist()[:5]}{end}")


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


def _plain(data: object, what: str) -> Labels:
    """Return the data as a NumPy array. Refuse data that NumPy would convert with a loss."""
    if hasattr(data, "nnz") or type(data).__module__.startswith("scipy.sparse"):
        raise TypeError(f"{what} is sparse, but this model needs dense data: call .toarray() first")
    kinds = set(map(type, data)) if isinstance(data, (list, tuple)) else {type(data)}
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        raise TypeError(f"{what} is a masked array: {REMEDIES['masked']}")
    if any(hasattr(kind, "not_a_number") or hasattr(kind, "not_an_array") for kind in kinds):
        raise TypeError(f"{what} must contain numbers, not {described(data)}: pass the node's .data")
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(f"{what} must be a table of numbers or labels, but its rows have different lengths") from None
    if array.dtype.kind == "c":  # the wording of scikit-learn, which its checks compare
        raise ValueError(f"Complex data not supported: {what} is {described(data)}")
    return array


def _check_count(found: Labels, m: int, what: str, noun: str) -> None:
    if len(found) != m:
        raise ValueError(
            f"{what} must contain one {noun} for each of {counted(m, 'example')}, but its shape is {found.shape}"
        )


def _check_missing(labels: Labels, what: str) -> None:
    """Refuse NaN, infinity, None, and the missing values of pandas, which np.unique treats as classes."""
    kind = labels.dtype.kind
    if kind == "O":
        missing = np.array([_is_missing(label) for label in labels], dtype=bool)
    elif kind in "fMm":
        missing = (labels != labels) if kind != "f" else ~np.isfinite(labels)
    else:
        return
    if missing.any():
        row = int(np.argmax(missing))
        found = str(labels[row])
        label = "NaN" if found == "nan" else found
        raise ValueError(f"{what} contains {label} in row {row}: remove this row or replace the label first")


def _is_missing(label: object) -> bool:
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(label, (float, np.floating)) and not math.isfinite(label)
