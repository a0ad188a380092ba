"""Train on data in dask chunks: compute a cost and a gradient per chunk, and add the results.

No process loads the whole table. In each iteration, one task per chunk receives the parameters and returns n + 3
numbers, where n is the number of features. Any process may compute a chunk. If a worker dies, its chunks may be
computed more than once. The results of the chunks are always added in pairs, in the order of the chunks, so that the
sum does not depend on the scheduler. The module imports dask on first use.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinygraph.logistic.costs import no_loop
from tinygraph.logistic.inputs import Array, Chunked, Labels, check_classes, check_finite, is_chunked
from tinygraph.tensor.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Chunks:
    """Examples (m, n) and labels (m,) in chunks of rows.

    In each iteration, dask loads or computes the chunks again, unless it keeps them in memory.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), as a dask array or series with the same chunks of rows.

    Attributes:
        n: Number of features.
        classes: The two classes, sorted. The constructor reads y once to find them.

    Raises:
        ValueError: If X or y is not a dask collection, if X is not two-dimensional, if the chunks do not match, or if
            there are not exactly two classes.
    """

    def __init__(self, X: ArrayLike, y: ArrayLike) -> None:
        self.rows, self.labels = _blocks(X, "X"), _blocks(y, "y")
        if len(self.rows) != len(self.labels):
            raise ValueError(
                f"X has {len(self.rows)} chunks of rows and y has {len(self.labels)}: "
                "give X and y the same chunks with rechunk() or repartition()"
            )
        shape = _chunked(X, "X").shape
        if len(shape) != 2:
            raise ValueError(f"X must have shape (examples, features), with one row per example, not {shape}")
        self.n = int(shape[1])
        self.classes = self._classes()

    def _classes(self) -> Labels:
        import dask

        found = dask.compute(*[dask.delayed(_unique, pure=False)(labels) for labels in self.labels])
        classes: Labels = np.unique(np.concatenate(found))
        check_classes(classes)
        return classes

    def cost_and_gradient(self, w: Array, b: float, loss: str) -> tuple[float, Array, Array]:
        """Compute the mean loss over all examples, and its derivatives.

        Args:
            w: Weights (n, 1).
            b: Bias.
            loss: Key of `LOSSES`.

        Returns:
            The cost, the derivatives dw with shape (n, 1), and the derivative db with shape ().

        Raises:
            ValueError: If a chunk has different numbers of examples and labels, or contains a value that is not finite.
        """
        import dask

        part = dask.delayed(_sums_of_chunk, pure=False)
        sums = [
            part(i, rows, labels, w, b, loss, self.classes)
            for i, (rows, labels) in enumerate(zip(self.rows, self.labels, strict=True))
        ]
        while len(sums) > 1:  # add in pairs, in the order of the chunks
            pairs = zip(sums[::2], sums[1::2], strict=False)
            sums = [dask.delayed(np.add, pure=False)(x, y) for x, y in pairs] + sums[len(sums) // 2 * 2 :]
        (total,) = dask.compute(sums[0])
        m, J, db, *dw = total
        return float(J / m), np.array(dw).reshape(-1, 1) / m, np.array(db / m)


def accuracy(X: object, y: object, predict: Callable[[Array], Labels]) -> float:
    """Return the accuracy of predictions on data in chunks.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), with the same chunks of rows.
        predict: Function that returns a label for each row of an array.

    Returns:
        The fraction of examples with a correct prediction, between 0 and 1.
    """
    import dask

    count = dask.delayed(_correct, pure=False)
    pairs = zip(_blocks(X, "X"), _blocks(y, "y"), strict=True)
    correct, m = np.sum(dask.compute(*[count(rows, labels, predict) for rows, labels in pairs]), axis=0)
    return float(correct / m)


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


def _unique(labels: ArrayLike) -> Labels:
    return np.unique(np.asarray(labels))


def _sums_of_chunk(i: int, rows: ArrayLike, labels: ArrayLike, w: Array, b: float, loss: str, classes: Labels) -> Array:
    """Return a chunk's number of examples, the sum of its losses, and the sums of their derivatives: db, then dw."""
    # An array from another process may be unaligned. np.dot copies such an array and gives different last bits.
    X, y = np.require(rows, np.float64, ["ALIGNED"]), np.asarray(labels).ravel()
    if len(X) != len(y):
        raise ValueError(f"chunk {i} has {len(X)} examples and {len(y)} labels: give X and y the same chunks of rows")
    if not len(X):
        return np.zeros(len(w) + 3)
    check_finite(X, f"chunk {i} of X")
    weights, bias = Tensor(w, "w"), Tensor(b, "b")
    J = no_loop(weights, bias, X.T, (y == classes[1]).astype(np.float64).reshape(1, -1), loss)
    J.backward()
    sums: Array = len(y) * np.concatenate([[1.0, J.item(), bias.grad.item()], weights.grad.ravel()])
    return sums


def _correct(rows: ArrayLike, labels: ArrayLike, predict: Callable[[Array], Labels]) -> tuple[int, int]:
    y = np.asarray(labels).ravel()
    return int(np.sum(predict(np.asarray(rows)) == y)) if len(y) else 0, len(y)
