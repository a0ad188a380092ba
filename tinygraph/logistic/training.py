"""Prepare a training run: the parameters as nodes, and an iterator that updates them, for each kind of data."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np

from tinygraph.engine.value import Value
from tinygraph.logistic.adaptive import descend_adaptively
from tinygraph.logistic.chunks import Chunks
from tinygraph.logistic.descent import backward_of, descend, parameters_of
from tinygraph.logistic.inputs import Array, Labels, examples, labels_and_codes, weights_of
from tinygraph.logistic.normalization import normalization
from tinygraph.tensor.tensor import Tensor


class Settings(NamedTuple):
    """The parameters of the model that a training run needs.

    Args:
        backend: "scalar" or "tensor".
        loss: Key of `LOSSES`.
        C: Inverse of the regularization strength.
        learning_rate: Learning rate α, or "auto".
        iterations: Maximum number of iterations.
        tol: Tolerance of the derivatives, or None.
    """

    backend: str
    loss: str
    C: float
    learning_rate: float | str
    iterations: int
    tol: float | None


class Training(NamedTuple):
    """A training run.

    Args:
        classes: The two classes, sorted.
        w: Weights.
        b: Bias.
        costs: Iterator over the costs. Each step updates the parameters. It returns whether the training converged.
    """

    classes: Labels
    w: list[Value] | Tensor
    b: Value | Tensor
    costs: Generator[float, None, bool]

    def coefficients(self) -> tuple[Array, Array]:
        """Return copies of the parameters.

        Returns:
            The weights (1, n) and the bias (1,), in scikit-learn's shapes.
        """
        w = self.w.raw.T.copy() if isinstance(self.w, Tensor) else np.array([[w_j.data for w_j in self.w]])
        return w, np.array([self.b.item()])


Start = Callable[[int], tuple[Array, float]]  # from the number of features to the initial weights (n, 1) and bias


def in_memory(X: object, y: object, sample_weight: object, settings: Settings, start: Start) -> Training:
    """Prepare training on a whole table.

    Args:
        X: Examples (m, n).
        y: Labels (m,).
        sample_weight: Weights of the examples (m,), or None.
        settings: Parameters of the model.
        start: Function that returns the initial weights and bias for n features.

    Returns:
        The training run.

    Raises:
        ValueError: If X, y or the weights are invalid.
        TypeError: If X, y or the weights have a type that is not supported.
    """
    table = examples(X)
    m, n = table.shape
    classes, codes = labels_and_codes(y, m)
    given = weights_of(sample_weight, m)
    initial, bias = start(n)
    w: list[Value] | Tensor
    b: Value | Tensor
    if settings.backend == "tensor":
        w, b = Tensor(initial, "w"), Tensor(bias, "b")
        columns, targets = table.T, codes.reshape(1, -1)
        weights = None if given is None else given.reshape(1, -1)
    else:
        w, b = [Value(x, f"w{j + 1}") for j, x in enumerate(initial.ravel().tolist())], Value(bias, "b")
        columns, targets = table.tolist(), codes.tolist()
        weights = None if given is None else given.tolist()
    backward = backward_of(w, b, columns, targets, settings.loss, weights, settings.C)
    equal = np.ones(m) if given is None else given
    return Training(
        classes, w, b, _costs(backward, w, b, settings, lambda function, *args: function(table, equal, *args))
    )


def in_chunks(X: object, y: object, sample_weight: object, settings: Settings, start: Start) -> Training:
    """Prepare training on chunks, without loading the whole table.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), with the same chunks of rows.
        sample_weight: Weights of the examples (m,) with the same chunks of rows, or None.
        settings: Parameters of the model.
        start: Function that returns the initial weights and bias for n features.

    Returns:
        The training run.

    Raises:
        ValueError: If the chunks are invalid, or if the backend is not "tensor".
    """
    if settings.backend != "tensor":
        raise ValueError(
            "chunked data need backend='tensor', because the loops of backend='scalar' read one number at a time"
        )
    chunks = Chunks(X, y, sample_weight)
    initial, bias = start(chunks.n)
    w, b = Tensor(initial, "w"), Tensor(bias, "b")

    def backward() -> float:
        J, w.grad, b.grad = chunks.cost_and_gradient(w.raw, b.item(), settings.loss, settings.C)
        return J

    return Training(chunks.classes, w, b, _costs(backward, w, b, settings, chunks.add))


def _costs(
    backward: Callable[[], float],
    w: list[Value] | Tensor,
    b: Value | Tensor,
    settings: Settings,
    add: Callable[..., Array],
) -> Generator[float, None, bool]:
    """Return the iterator of a run: with a fixed learning rate, or with one that is chosen in each iteration."""
    parameters = parameters_of(w, b)
    iterations, tol = int(settings.iterations), settings.tol
    if not isinstance(settings.learning_rate, str):
        return descend(backward, parameters, float(settings.learning_rate), iterations, tol)
    n = w.shape[0] if isinstance(w, Tensor) else len(w)
    return descend_adaptively(backward, parameters, normalization(add, n, settings.C), iterations, tol)
