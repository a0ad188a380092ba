"""Add up the losses of a large table and their derivatives in blocks of rows that stay in the cache.

NumPy reads a table twice per iteration: once for the logits, and once for the gradient. If a table is larger than the
caches, a block of its rows is still in a cache when it is read for the second time. To record a graph for each block
would take longer than this second reading. So the cost is recorded once for each shape of a block, and `array_function`
writes the graph and its derivatives as NumPy code, which runs on each block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tinygraph.kernels.quiet import quietly
from tinygraph.logistic.costs import regularization
from tinygraph.logistic.inputs import Array
from tinygraph.logistic.objectives import Objective
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.array_graph import ArrayFunction, array_function

LARGE = 2**14  # number of elements from which on a table is worth the 5 ms that it takes to write the code
BYTES = 2**22  # size of a block
ROWS = 128  # smallest number of rows of a block, which has an overhead of 10 to 30 µs


class Sums(NamedTuple):
    """Sums over the examples of a table, each multiplied by the weight of the example.

    Args:
        size: Sum of the weights, or number of examples.
        losses: Sum of the losses.
        gradients: Sums of the derivatives with respect to each parameter, with the shapes of the parameters.
    """

    size: float
    losses: float
    gradients: Sequence[Array | float]

    def cost_and_gradients(self, w: Array, C: float) -> tuple[float, list[Array | float]]:
        """Return the cost: the mean loss plus the regularization, and its derivatives.

        Args:
            w: Weights of the model, which are the first parameter.
            C: Inverse of the regularization strength.

        Returns:
            The cost, and its derivatives with the shapes of the parameters.

        Examples:
            >>> Sums(2.0, 3.0, [np.array([[4.0]]), 6.0]).cost_and_gradients(np.array([[1.0]]), math.inf)
            (1.5, [array([[2.]]), 3.0])
        """
        cost, gradients = self.losses / self.size, [gradient / self.size for gradient in self.gradients]
        if math.inf != C:
            weights = Tensor(w, "w")
            penalty = regularization(weights, C, self.size)
            penalty.backward()
            cost, gradients[0] = cost + penalty.item(), gradients[0] + weights.grad
        return cost, gradients


def is_large(objective: Objective, X: Array) -> bool:
    """Return whether the sums over a table are computed in blocks.

    The answer depends only on the objective and on the shape of the table, so that bits do not vary.

    Args:
        objective: Function that the training minimizes.
        X: Examples (m, n).

    Returns:
        True for a large table, and an objective whose graph reads the labels as an operand.

    Examples:
        >>> from tinygraph.logistic.objectives import Sigmoid
        >>> is_large(Sigmoid("cross_entropy"), np.zeros((2, 3)))
        False
    """
    return objective.labels_are_operands and X.size >= LARGE


class Blocks:
    """A table in blocks of rows, for sums of the losses and of their derivatives. No block is a copy.

    Args:
        objective: Function that the training minimizes.
        X: Examples (m, n). If the features of a row are not neighbors in memory, the whole table is one block.
        codes: Codes of the labels (1, m).
        sample_weight: Weights of the examples (1, m), or None.
    """

    def __init__(self, objective: Objective, X: Array, codes: Array, sample_weight: Array | None) -> None:
        m, n = X.shape
        rows = max(ROWS, BYTES // (n * X.itemsize)) if X.strides[1] == X.itemsize else m
        self.size = 0.0
        self._parts: list[tuple[ArrayFunction, list[Array]]] = []
        for i in range(0, m, rows):
            block = slice(i, i + rows)
            data = [X[block].T, codes[:, block], *([] if sample_weight is None else [sample_weight[:, block]])]
            if size := size_of(*data[1:]):  # a block whose weights are all 0 has no mean loss
                self.size += size
                self._parts.append((_function(objective, *data[0].shape, sample_weight is not None), data))

    def sums(self, parameters: Sequence[Array]) -> Sums:
        """Return the sums over the examples, which are added in the order of the blocks.

        Args:
            parameters: Weights (n, outputs) and biases, with the shapes of `Objective.leaves`.

        Returns:
            The sums.
        """
        return quietly(self._sums, parameters)

    def _sums(self, parameters: Sequence[Array]) -> Sums:
        losses = 0.0
        gradients: list[Any] = []
        given = [x if x.ndim else x.item() for x in parameters]
        for function, data in self._parts:
            loss, found = function(*given, *data)
            losses += loss
            gradients = [x + y for x, y in zip(gradients, found, strict=True)] if gradients else list(found)
        return Sums(self.size, losses, gradients)


def size_of(codes: Array, sample_weight: Array | None = None) -> float:
    """Return the number of examples, or the sum of their weights.

    Args:
        codes: Codes of the labels (1, m).
        sample_weight: Weights of the examples (1, m), or None.

    Returns:
        The number.

    Examples:
        >>> size_of(np.zeros((1, 3))), size_of(np.zeros((1, 2)), np.array([[0.5, 2.0]]))
        (3.0, 2.5)
    """
    return float(codes.shape[1] if sample_weight is None else sample_weight.sum())


@lru_cache(maxsize=128)
def _function(objective: Objective, n: int, rows: int, weighted: bool) -> ArrayFunction:
    """Return the sums over a block as a function of the parameters, the columns (n, rows), the labels and weights."""
    outputs = objective.outputs(2)
    leaves: Any = objective.leaves(np.zeros((n, outputs)), np.zeros(outputs), "tensor")
    data: Any = [Tensor(np.zeros((n, rows)), constant=True)]
    data += [Tensor(np.ones((1, rows)), constant=True) for _ in range(1 + weighted)]
    J: Any = objective.cost(leaves, *data)
    return array_function(J * (data[2].sum() if weighted else float(rows)), [*leaves, *data], leaves)
