"""What a model minimizes: its parameters as nodes, and its cost as a function of these nodes.

In both objectives, the raw values of the parameters, one after another, are the rows of a matrix (n + 1, outputs): one
row of weights per feature, and a row of biases at the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, TypeAlias, cast

import numpy as np

from tinygraph.engine.ops import logaddexp, softplus
from tinygraph.engine.value import Value
from tinygraph.logistic.costs import added, mean_cost, no_loop, two_loops
from tinygraph.logistic.inputs import Array
from tinygraph.tensor.functions.probabilities import cross_entropy
from tinygraph.tensor.tensor import Tensor

Parameters: TypeAlias = list[Value] | list[Tensor]
Numbers: TypeAlias = Any  # arrays for Tensors, and lists for Values


class Objective:
    """The cost of a model, its parameters, and what training needs to know about it."""

    most: ClassVar[float]
    """The largest number of classes."""
    labels_are_operands: ClassVar[bool]
    """Whether the ops of the cost's graph are the same for all labels, so that code for the graph is too."""

    def outputs(self, classes: int) -> int:
        """Return the number of logits per example.

        Args:
            classes: Number of classes.

        Returns:
            The number of columns of the weights.
        """
        raise NotImplementedError

    def square(self, classes: int) -> float:
        """Return the square c² of `normalization`.

        Args:
            classes: Number of classes.

        Returns:
            The number.
        """
        raise NotImplementedError

    def leaves(self, weights: Array, bias: Array, backend: str) -> Parameters:
        """Return the parameters as nodes.

        Args:
            weights: Initial weights (n, outputs).
            bias: Initial biases (outputs,).
            backend: "scalar" for Values, or "tensor" for two Tensors.

        Returns:
            The weights, followed by the biases.
        """
        raise NotImplementedError

    def cost(
        self, parameters: Parameters, X: Numbers, Y: Numbers, sample_weight: Numbers = None, C: float = math.inf
    ) -> Value | Tensor:
        """Return the cost as a node.

        Args:
            parameters: Parameters as nodes.
            X: Examples: rows (m, n) for Values, or columns (n, m) for Tensors.
            Y: Codes of the labels, with the shape (m,) for Values or (1, m) for Tensors.
            sample_weight: Weights of the examples, with the shape of Y, or None.
            C: Inverse of the regularization strength. Defaults to infinity: no regularization.

        Returns:
            The cost J: a Value, or a Tensor with the shape ().
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Sigmoid(Objective):
    """The lecture's cost: one logit per example, whose sigmoid is the probability of the second class.

    Args:
        loss: Key of `LOSSES`.
    """

    loss: str
    most = 2
    labels_are_operands = True

    def outputs(self, classes: int) -> int:  # noqa: D102, ARG002
        return 1

    def square(self, classes: int) -> float:  # noqa: D102, ARG002
        return 4.0

    def leaves(self, weights: Array, bias: Array, backend: str) -> Parameters:  # noqa: D102
        if backend == "tensor":
            return [Tensor(weights, "w"), Tensor(bias.item(), "b")]
        return [*[Value(x, f"w{j}") for j, x in enumerate(weights.ravel().tolist(), 1)], Value(bias.item(), "b")]

    def cost(  # noqa: D102
        self, parameters: Parameters, X: Numbers, Y: Numbers, sample_weight: Numbers = None, C: float = math.inf
    ) -> Value | Tensor:
        *w, b = parameters
        if isinstance(b, Tensor):
            return no_loop(cast("Tensor", w[0]), b, X, Y, self.loss, sample_weight=sample_weight, C=C)
        return two_loops(cast("list[Value]", w), b, X, Y, self.loss, sample_weight=sample_weight, C=C)


@dataclass(frozen=True)
class Softmax(Objective):
    """The mean cross-entropy of the softmax: one logit per class.

    The loss of an example with the logits z and the class y is log Σ_k exp(z_k) − z_y.

    References:
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer, 2006, section 4.3.4.
    """

    most = math.inf
    labels_are_operands = False  # each label selects a logit, by an index

    def outputs(self, classes: int) -> int:  # noqa: D102
        return classes

    def square(self, classes: int) -> float:  # noqa: D102
        return float(classes)

    def leaves(self, weights: Array, bias: Array, backend: str) -> Parameters:  # noqa: D102
        if backend == "tensor":
            return [Tensor(weights, "W"), Tensor(bias.reshape(-1, 1), "b")]
        w = [Value(x, f"W[{j},{k}]") for j, row in enumerate(weights.tolist()) for k, x in enumerate(row)]
        return [*w, *[Value(x, f"b[{k}]") for k, x in enumerate(bias.tolist())]]

    def cost(  # noqa: D102
        self, parameters: Parameters, X: Numbers, Y: Numbers, sample_weight: Numbers = None, C: float = math.inf
    ) -> Value | Tensor:
        if isinstance(parameters[0], Tensor):
            return _no_loop(parameters, X, Y, sample_weight, C)
        return _three_loops(parameters, X, Y, sample_weight, C)


def _three_loops(parameters: list[Value], X: Numbers, Y: Numbers, sample_weight: Numbers, C: float) -> Value:
    """Return the cost, computed with loops over the examples, the classes and the features."""
    K = len(parameters) // (len(X[0]) + 1)
    w, b = parameters[:-K], parameters[-K:]
    J: Value | None = None
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        logits = []
        for k in range(K):
            z = b[k]
            for w_jk, x_j in zip(w[k::K], x, strict=True):
                z = z + w_jk * x_j
            z.name = z.name or f"z[{k}]"
            logits.append(z)
        own = logits.pop(int(y))
        # log Σ exp(z_k) - z_y, without an overflow, and with all digits where the other classes are improbable
        L = softplus(reduce(logaddexp, [z - own for z in logits]))
        L.name = "loss"
        J = added(J, L if sample_weight is None else L * float(sample_weight[i]))
    return mean_cost(J, len(X), None if sample_weight is None else np.asarray(sample_weight), w, C)


def _no_loop(parameters: list[Tensor], X: Numbers, Y: Numbers, sample_weight: Numbers, C: float) -> Tensor:
    """Return the cost, computed without loops: Z = np.dot(W.T, X) + b for all examples and classes at once."""
    W, b = parameters
    Z: Tensor = np.dot(W.T, X) + b
    Z.name = "Z"
    codes = np.asarray(Y, dtype=np.int64)[0]
    L: Any = cross_entropy(Z, codes, axis=0, reduction="none")
    L.name = "loss"
    losses: Tensor = (L if sample_weight is None else L * sample_weight[0]).sum()
    return mean_cost(losses, len(codes), sample_weight, W, C)
