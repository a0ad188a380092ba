"""Data in chunks, as dask holds them: value and gradient of each chunk, summed; never all of it in one place.

A step sends the parameters to where the chunks are, and gets back n + 3 numbers. Which process computes a chunk, and
how often (a worker may die, and another takes over), changes nothing: sums are added in the order of the chunks, by
pairs, whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.logistic.model import check_classes, check_finite, is_chunked, no_loop
from tinygraph.tensor.tensor import Tensor


class Chunks:
    """Examples (m, n) and labels (m,) in chunks of rows, which dask keeps, loads, or makes anew at each step.

    `classes` are the two labels, found by one look through the labels. ValueError where the data are not of this form.
    """

    def __init__(self, X: Any, y: Any) -> None:
        self.rows = _blocks(X, "X")
        self.labels = _blocks(y, "y")
        if len(self.rows) != len(self.labels):
            raise ValueError(
                f"X comes in {len(self.rows)} chunks of rows and y in {len(self.labels)}: "
                "give both the same chunks, by rechunk() or repartition()"
            )
        if len(X.shape) != 2:
            raise ValueError(f"X must have the shape (examples, features), one row an example, not {X.shape}")
        self.n = int(X.shape[1])
        self.classes = self._classes()

    def _classes(self) -> Any:
        import dask

        found = dask.compute(*[dask.delayed(_unique, pure=False)(labels) for labels in self.labels])
        classes = np.unique(np.concatenate(found))
        check_classes(classes)
        return classes

    def cost_and_gradient(self, w: Any, b: float, loss: str) -> tuple[float, Any, Any]:
        """The mean loss over all examples, and its derivatives dw (n, 1) and db ()."""
        import dask

        part = dask.delayed(_of_a_chunk, pure=False)
        sums = [
            part(i, rows, labels, w, b, loss, self.classes)
            for i, (rows, labels) in enumerate(zip(self.rows, self.labels, strict=True))
        ]
        while len(sums) > 1:  # by pairs, in the order of the chunks
            pairs = zip(sums[::2], sums[1::2], strict=False)
            sums = [dask.delayed(np.add, pure=False)(x, y) for x, y in pairs] + sums[len(sums) // 2 * 2 :]
        (total,) = dask.compute(sums[0])
        m, J, db, *dw = total
        return float(J / m), np.array(dw).reshape(-1, 1) / m, np.array(db / m)


def _blocks(data: Any, name: str) -> list[Any]:
    """The chunks of rows, as tasks that make them."""
    if not is_chunked(data):
        kind = type(data).__name__
        raise ValueError(f"X and y must both be dask's, but {name} is a {kind}: dask.array.from_array makes it so")
    if hasattr(data, "npartitions") and not hasattr(data, "chunks"):
        return list(data.to_delayed())
    if data.ndim == 2:
        data = data.rechunk({1: -1})
    return list(data.to_delayed().ravel())


def _unique(labels: Any) -> Any:
    return np.unique(np.asarray(labels))


def _of_a_chunk(i: int, rows: Any, labels: Any, w: Any, b: float, loss: str, classes: Any) -> Any:
    """The sums over a chunk: of examples, of losses, and of their derivatives by b and w."""
    X, y = np.asarray(rows, dtype=np.float64), np.asarray(labels).ravel()
    if len(X) != len(y):
        raise ValueError(f"chunk {i} has {len(X)} examples and {len(y)} labels")
    if not len(X):
        return np.zeros(len(w) + 3)
    check_finite(X, f"chunk {i} of X")
    weights, bias = Tensor(w, "w"), Tensor(b, "b")
    J = no_loop(weights, bias, X.T, (y == classes[1]).astype(np.float64).reshape(1, -1), loss)
    J.backward()
    return len(y) * np.concatenate([[1.0, J.item(), bias.grad.item()], weights.grad.ravel()])


def share_of_right(X: Any, y: Any, predict: Callable[[Any], Any]) -> float:
    """The share of examples whose class is predicted right, counted chunk by chunk."""
    import dask

    count = dask.delayed(_right, pure=False)
    pairs = zip(_blocks(X, "X"), _blocks(y, "y"), strict=True)
    right, m = np.sum(dask.compute(*[count(rows, labels, predict) for rows, labels in pairs]), axis=0)
    return float(right / m)


def _right(rows: Any, labels: Any, predict: Callable[[Any], Any]) -> tuple[int, int]:
    y = np.asarray(labels).ravel()
    return int(np.sum(predict(np.asarray(rows)) == y)) if len(y) else 0, len(y)
