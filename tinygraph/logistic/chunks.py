"""Train on data in dask chunks: compute a cost and a gradient per chunk, and add the results.

No process loads the whole table. In each iteration, one task per chunk receives the parameters and returns two
numbers more than there are parameters. Any process may compute a chunk. If a worker dies, its chunks may be
computed more than once. The results of the chunks are always added in pairs, in the order of the chunks, so that the
sum does not depend on the scheduler. The module imports dask on first use.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygraph.engine.clock import clock
from tinygraph.logistic.blocks import Blocks, Sums, is_large, size_of
from tinygraph.logistic.inputs import (
    Array,
    Chunked,
    Labels,
    check_classes,
    check_finite,
    check_known,
    check_some_weight,
    check_weights,
    is_chunked,
    labels_of,
)
from tinygraph.logistic.objectives import Objective


class Chunks:
    """Examples (m, n) and labels (m,) in chunks of rows.

    In each iteration, dask loads or computes the chunks again, unless it keeps them in memory.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), as a dask array or series with the same chunks of rows.
        sample_weight: Weights (m,), as a dask array or series with the same chunks of rows, or None.
        most: Largest number of classes. Defaults to 2.

    Attributes:
        n: Number of features.
        classes: The classes, sorted. The constructor reads y once to find them.

    Raises:
        ValueError: If X, y or `sample_weight` is not a dask collection, if X is not two-dimensional, if the chunks do
            not match, if a label is missing, or if there are fewer than two classes or too many.
    """

    def __init__(self, X: object, y: object, sample_weight: object = None, most: float = 2) -> None:
        self.rows, self.labels = _blocks(X, "X"), _blocks(y, "y")
        self.weights = _blocks_of_weights(sample_weight, len(self.rows))
        for name, blocks in (("y", self.labels), ("sample_weight", self.weights)):
            if len(self.rows) != len(blocks):
                raise ValueError(
                    f"X has {len(self.rows)} chunks of rows and {name} has {len(blocks)}: "
                    f"give X and {name} the same chunks with rechunk() or repartition()"
                )
        shape = _chunked(X, "X").shape
        if len(shape) != 2:
            raise ValueError(f"X must have shape (examples, features), with one row per example, not {shape}")
        self.n = int(shape[1])
        self.classes = self._classes(most)

    def _classes(self, most: float) -> Labels:
        import dask

        found = dask.compute(*[dask.delayed(_unique, pure=False)(i, labels) for i, labels in enumerate(self.labels)])
        classes: Labels = np.unique(np.concatenate(found))
        check_classes(classes, most)
        return classes

    def cost_and_gradients(
        self, parameters: Sequence[Array], objective: Objective, C: float = math.inf
    ) -> tuple[float, list[Array | float]]:
        """Compute the cost over all examples, and its derivatives.

        Args:
            parameters: Weights (n, outputs) and biases, as arrays.
            objective: Function that the training minimizes.
            C: Inverse of the regularization strength. Defaults to infinity: no regularization.

        Returns:
            The cost, and the derivatives with respect to the parameters, with the shapes of the parameters.

        Raises:
            ValueError: If a chunk has different numbers of examples and labels, or contains a value that is not finite.
        """
        import dask

        part = dask.delayed(_sums_of_chunk, pure=False)
        blocks = enumerate(zip(self.rows, self.labels, self.weights, strict=True))
        found = _in_pairs([part(i, *block, parameters, objective, self.classes) for i, block in blocks])
        check_some_weight(float(found[0]))
        ends = np.cumsum([2, *[x.size for x in parameters]])
        parts = [found[i:j].reshape(x.shape) for i, j, x in zip(ends[:-1], ends[1:], parameters, strict=True)]
        return Sums(float(found[0]), float(found[1]), parts).cost_and_gradients(parameters[0], C)

    def add(self, function: Callable[..., Array], *args: object) -> Array:
        """Return the sum of a function's results over all chunks.

        Args:
            function: Function of the rows (k, n) and weights (k,) of a chunk, and of more arguments.
            *args: More arguments.

        Returns:
            The sum.
        """
        import dask

        part = dask.delayed(_result_of_chunk, pure=False)
        blocks = enumerate(zip(self.rows, self.weights, strict=True))
        return _in_pairs([part(i, *block, function, args) for i, block in blocks])


def _in_pairs(parts: list[Any]) -> Array:
    """Return the sum of the parts, added in pairs in the order of the chunks."""
    import dask

    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [dask.delayed(np.add, pure=False)(x, y) for x, y in pairs] + parts[len(parts) // 2 * 2 :]
    (total,) = dask.compute(parts[0])
    return np.asarray(total)


def accuracy(
    X: object, y: object, predict: Callable[[Array], Labels], classes: Labels, sample_weight: object = None
) -> float:
    """Return the accuracy of predictions on data in chunks.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), with the same chunks of rows.
        predict: Function that returns a label for each row of an array.
        classes: Classes of the model.
        sample_weight: Weights (m,) with the same chunks of rows, or None.

    Returns:
        The fraction of examples with a correct prediction, between 0 and 1.

    Raises:
        ValueError: If the chunks do not match, or if a label is not one of the classes.
    """
    import dask

    count = dask.delayed(_correct, pure=False)
    rows, labels = _blocks(X, "X"), _blocks(y, "y")
    blocks = enumerate(zip(rows, labels, _blocks_of_weights(sample_weight, len(rows)), strict=True))
    correct, m = np.sum(dask.compute(*[count(i, *block, predict, classes) for i, block in blocks]), axis=0)
    return float(correct / m)


def _blocks_of_weights(sample_weight: object, count: int) -> list[object]:
    return [None] * count if sample_weight is None else _blocks(sample_weight, "sample_weight")


def _chunked(data: object, name: str) -> Chunked:
    if not is_chunked(data):
        kind = type(data).__name__
        raise ValueError(
            f"X and y must both be dask arrays or dataframes, but {name} is a {kind}: "
            "convert it with dask.array.from_array"
        )
    return data


def _blocks(data: object, name: str) -> list[object]:
    """Return a list of tasks. Each task computes one chunk of rows."""
    chunked = _chunked(data, name)
    if chunked.ndim == 2 and hasattr(chunked, "rechunk"):
        chunked = chunked.rechunk({1: -1})  # put all features of a row into one chunk
    tasks = chunked.to_delayed()
    return list(tasks.ravel() if isinstance(tasks, np.ndarray) else tasks)


def _unique(i: int, labels: object) -> Labels:
    return np.unique(labels_of(labels, f"chunk {i} of y"))


def _rows_and_weights(i: int, rows: object, weights: object) -> tuple[Array, Array | None]:
    """Return a chunk's rows and weights, always with the same layout in memory.

    An array from another process may be unaligned. An array in Fortran order or with gaps may become contiguous when it
    is sent. BLAS adds in another order then, and the last bits of the result differ.
    """
    X = np.require(np.asarray(rows), np.float64, ["ALIGNED", "C_CONTIGUOUS"])
    check_finite(X, f"chunk {i} of X")
    if weights is None:
        return X, None
    s = np.require(np.asarray(weights), np.float64, ["ALIGNED", "C_CONTIGUOUS"]).ravel()
    if len(s) != len(X):
        raise ValueError(f"chunk {i} has {len(X)} examples and {len(s)} weights: use the same chunks of rows")
    check_weights(s)
    return X, s


def _result_of_chunk(
    i: int, rows: object, weights: object, function: Callable[..., Array], args: tuple[object, ...]
) -> Array:
    X, s = _rows_and_weights(i, rows, weights)
    return function(X, np.ones(len(X)) if s is None else s, *args)


def _sums_of_chunk(
    i: int,
    rows: object,
    labels: object,
    weights: object,
    parameters: Sequence[Array],
    objective: Objective,
    classes: Labels,
) -> Array:
    """Return a chunk's sum of weights, the sum of its losses, and the sums of their derivatives: dw, then db."""
    X, s = _rows_and_weights(i, rows, weights)
    y = np.asarray(labels).ravel()  # `_unique` has checked that no label is missing
    if len(X) != len(y):
        raise ValueError(f"chunk {i} has {len(X)} examples and {len(y)} labels: give X and y the same chunks of rows")
    codes = np.searchsorted(classes, y).astype(np.float64).reshape(1, -1)
    found = _sums(objective, parameters, X, codes, None if s is None else s.reshape(1, -1))
    return np.concatenate([[found.size, found.losses], *map(np.ravel, found.gradients)])


def _sums(
    objective: Objective, parameters: Sequence[Array], X: Array, codes: Array, sample_weight: Array | None
) -> Sums:
    size = size_of(codes, sample_weight)
    if not size:
        return Sums(0.0, 0.0, [np.zeros(x.shape) for x in parameters])
    if is_large(objective, X) and clock.watch is None:
        return Blocks(objective, X, codes, sample_weight).sums(parameters)
    w, b = parameters
    leaves = objective.leaves(w, b.ravel(), "tensor")
    J = objective.cost(leaves, X.T, codes, sample_weight)
    J.backward()
    return Sums(size, size * J.item(), [size * np.asarray(x.grad) for x in leaves])


def _correct(
    i: int, rows: object, labels: object, weights: object, predict: Callable[[Array], Labels], classes: Labels
) -> tuple[float, float]:
    X, s = _rows_and_weights(i, rows, weights)
    y = labels_of(labels, f"chunk {i} of y")
    check_known(y, len(X), classes, f"chunk {i} of y")
    if not len(y):
        return 0.0, 0.0
    weight = np.ones(len(y)) if s is None else s
    return float(weight @ (predict(X) == y)), float(weight.sum())
