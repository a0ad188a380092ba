"""Prepare a training run: the parameters as nodes, and an iterator that updates them, for each kind of data."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import NamedTuple

import numpy as np

from tinygraph.engine.clock import clock
from tinygraph.logistic.adaptive import descend_adaptively
from tinygraph.logistic.blocks import Blocks, is_large
from tinygraph.logistic.chunks import Chunks
from tinygraph.logistic.descent import backward_of, descend
from tinygraph.logistic.inputs import Array, Labels, examples, labels_and_codes, weights_of
from tinygraph.logistic.normalization import normalization
from tinygraph.logistic.objectives import Objective, Parameters
from tinygraph.tensor.tensor import Tensor


class Settings(NamedTuple):
    """The parameters of the model that a training run needs.

    Args:
        objective: The parameters and the cost.
        backend: "scalar" or "tensor".
        C: Inverse of the regularization strength.
        learning_rate: Learning rate α, or "auto".
        iterations: Maximum number of iterations.
        tol: Tolerance of the derivatives, or None.
    """

    objective: Objective
    backend: str
    C: float
    learning_rate: float | str
    iterations: int
    tol: float | None


class Training(NamedTuple):
    """A training run.

    Args:
        classes: The classes, sorted.
        parameters: Weights and biases.
        outputs: Number of logits per example.
        costs: Iterator over the costs. Each step updates the parameters. It returns whether the training converged.
    """

    classes: Labels
    parameters: Parameters
    outputs: int
    costs: Generator[float, None, bool]

    def coefficients(self) -> tuple[Array, Array]:
        """Return copies of the parameters.

        Returns:
            The weights (outputs, n) and the biases (outputs,), in scikit-learn's shapes.
        """
        rows = np.concatenate([np.ravel(x.raw) for x in self.parameters]).reshape(-1, self.outputs)
        return rows[:-1].T.copy(), rows[-1].copy()


# From the numbers of features and of logits to the initial weights (n, outputs) and biases (outputs,).
Start = Callable[[int, int], tuple[Array, Array]]


def in_memory(X: object, y: object, sample_weight: object, settings: Settings, start: Start) -> Training:
    """Prepare training on a whole table.

    Args:
        X: Examples (m, n).
        y: Labels (m,).
        sample_weight: Weights of the examples (m,), or None.
        settings: Parameters of the model.
        start: Function that returns the initial weights and biases.

    Returns:
        The training run.

    Raises:
        ValueError: If X, y or the weights are invalid.
        TypeError: If X, y or the weights have a type that is not supported.
    """
    objective = settings.objective
    table = examples(X)
    m, n = table.shape
    classes, codes = labels_and_codes(y, m, objective.most)
    given = weights_of(sample_weight, m)
    parameters = objective.leaves(*start(n, objective.outputs(len(classes))), settings.backend)
    backward = backward_on(objective, parameters, table, codes, given, settings.C)
    equal = np.ones(m) if given is None else given
    return _training(classes, parameters, backward, settings, n, lambda function, *args: function(table, equal, *args))


def backward_on(
    objective: Objective, parameters: Parameters, table: Array, codes: Array, weights: Array | None, C: float
) -> Callable[[], float]:
    """Return a function that sets `.grad` of the parameters and returns the cost.

    For a large table and Tensors, the function adds up blocks of rows. Otherwise, each call records the graph of the
    cost.

    Args:
        objective: Function that the training minimizes.
        parameters: Parameters as nodes.
        table: Examples (m, n).
        codes: Codes of the labels (m,).
        weights: Weights of the examples (m,), or None.
        C: Inverse of the regularization strength.

    Returns:
        The function.
    """
    if not isinstance(parameters[0], Tensor):
        listed = (table.tolist(), codes.tolist(), None if weights is None else weights.tolist())
        return backward_of(partial(objective.cost, parameters, *listed, C))
    rows = (codes.reshape(1, -1), None if weights is None else weights.reshape(1, -1))
    record = backward_of(partial(objective.cost, parameters, table.T, *rows, C))
    if not is_large(objective, table):
        return record
    blocks = Blocks(objective, table, *rows)

    def backward() -> float:
        if clock.watch is not None:  # a context such as `strict` sees each node
            return record()
        arrays = [x.raw for x in parameters]
        J, gradients = blocks.sums(arrays).cost_and_gradients(arrays[0], C)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        return J

    return backward


def in_chunks(X: object, y: object, sample_weight: object, settings: Settings, start: Start) -> Training:
    """Prepare training on chunks, without loading the whole table.

    Args:
        X: Examples (m, n), as a dask array or dataframe.
        y: Labels (m,), with the same chunks of rows.
        sample_weight: Weights of the examples (m,) with the same chunks of rows, or None.
        settings: Parameters of the model.
        start: Function that returns the initial weights and biases.

    Returns:
        The training run.

    Raises:
        ValueError: If the chunks are invalid, or if the backend is not "tensor".
    """
    if settings.backend != "tensor":
        raise ValueError(
            "chunked data need backend='tensor', because the loops of backend='scalar' read one number at a time"
        )
    objective = settings.objective
    chunks = Chunks(X, y, sample_weight, objective.most)
    parameters = objective.leaves(*start(chunks.n, objective.outputs(len(chunks.classes))), settings.backend)

    def backward() -> float:
        J, gradients = chunks.cost_and_gradients([np.asarray(x.raw) for x in parameters], objective, settings.C)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        return J

    return _training(chunks.classes, parameters, backward, settings, chunks.n, chunks.add)


def _training(
    classes: Labels,
    parameters: Parameters,
    backward: Callable[[], float],
    settings: Settings,
    n: int,
    add: Callable[..., Array],
) -> Training:
    """Return a run with a fixed learning rate, or with one that is chosen in each iteration."""
    iterations, tol, K = int(settings.iterations), settings.tol, len(classes)
    if isinstance(settings.learning_rate, str):
        found = normalization(add, n, settings.C, settings.objective.square(K))
        costs = descend_adaptively(backward, parameters, found, iterations, tol)
    else:
        costs = descend(backward, parameters, float(settings.learning_rate), iterations, tol)
    return Training(classes, parameters, settings.objective.outputs(K), costs)
