"""Two models with scikit-learn's interface: logistic regression for two classes, and softmax regression for more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygraph.engine.ops import sigmoid
from tinygraph.logistic.classifier import Classifier
from tinygraph.logistic.costs import LOSSES
from tinygraph.logistic.inputs import Array, Labels, is_chunked
from tinygraph.logistic.objectives import Objective, Sigmoid, Softmax
from tinygraph.support.messages import one_of
from tinygraph.tensor.functions.probabilities import log_softmax, softmax


class LogisticRegression(Classifier):
    """Logistic regression with scikit-learn's interface, trained with the lecture's gradient descent.

    Args:
        backend: Implementation: "tensor" (no loops), or "scalar" (two explicit loops, which take hundreds of times as
            long). Defaults to "tensor".
        loss: Loss function: "cross_entropy_with_logits", "cross_entropy" (computed from the activation a, as in the
            lecture) or "squared_error". Defaults to "cross_entropy_with_logits".
        learning_rate: Learning rate α. With "auto", gradient descent normalizes the parameters and chooses the learning
            rate in each iteration. A number gives the lecture's gradient descent: w := w - α dw, with the features as
            they are. Defaults to "auto".
        iterations: Maximum number of iterations of gradient descent. Defaults to 10,000.
        warm_start: If true, `fit` starts with the parameters of the previous call instead of 0. Defaults to false.
        C: Inverse of the strength of the L2 regularization, as in scikit-learn. The lecture's λ is 1 / C. Defaults to
            infinity: no regularization.
        tol: Tolerance: gradient descent stops when no derivative is larger than `tol` in absolute value. With None, the
            number of iterations is fixed, and there is no warning. Defaults to 1e-5.

    Attributes:
        coef_: Weights (1, n). `fit` also sets the weights if it is interrupted after the first iteration.
        intercept_: Bias (1,).
        classes_: The two classes (2,), sorted.
        n_features_in_: Number of features, n.
        feature_names_in_: Names of the features (n,), if X is a dataframe with strings for names.
        n_iter_: Number of iterations (1,).
        costs_: The cost before each iteration.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: logistic regression.

    Examples:
        >>> model = LogisticRegression(C=1.0)
        >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]).predict([[0.5], [2.5]])
        array(['no', 'yes'], dtype='<U3')
    """

    _multi_class = False
    _parameters = ("backend", "loss", "learning_rate", "iterations", "warm_start", "C", "tol")

    def __init__(
        self,
        backend: str = "tensor",
        loss: str = "cross_entropy_with_logits",
        learning_rate: float | str = "auto",
        iterations: int = 10_000,
        warm_start: bool = False,
        C: float = math.inf,
        tol: float | None = 1e-5,
    ) -> None:
        self.backend, self.loss, self.learning_rate, self.iterations = backend, loss, learning_rate, iterations
        self.warm_start, self.C, self.tol = warm_start, C, tol

    def _objective(self) -> Objective:
        one_of("loss", self.loss, LOSSES)
        return Sigmoid(self.loss)

    def _logits(self, table: Any) -> Array:
        z: Array = table @ self.coef_[0] + self.intercept_[0]
        return z

    def _classes_of(self, z: Array) -> Labels:
        labels: Labels = np.where(z > 0, self.classes_[1], self.classes_[0])
        return labels if is_chunked(z) else labels.astype(self.classes_.dtype, copy=False)

    def _probabilities(self, z: Array) -> Array:
        return np.stack([sigmoid(-z), sigmoid(z)], axis=1)

    def _log_probabilities(self, z: Array) -> Array:
        return np.stack([-np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)], axis=1)


class SoftmaxRegression(Classifier):
    """Softmax regression (multinomial logistic regression) with scikit-learn's interface, for two or more classes.

    The model has one logit z per class: z = W x + b. The *softmax* makes probabilities of the logits:
    exp(z_k) / Σ_j exp(z_j). The cost is the mean cross-entropy, trained with gradient descent.

    Args:
        backend: Implementation: "tensor" (no loops), or "scalar" (explicit loops over the examples, the classes and the
            features, which take hundreds of times as long). Defaults to "tensor".
        learning_rate: Learning rate α. With "auto", gradient descent normalizes the parameters and chooses the learning
            rate in each iteration. A number gives the lecture's gradient descent: w := w - α dw, with the features as
            they are. Defaults to "auto".
        iterations: Maximum number of iterations of gradient descent. Defaults to 10,000.
        warm_start: If true, `fit` starts with the parameters of the previous call instead of 0. Defaults to false.
        C: Inverse of the strength of the L2 regularization ‖W‖² / (2 C m), as in scikit-learn. Defaults to infinity: no
            regularization.
        tol: Tolerance: gradient descent stops when no derivative is larger than `tol` in absolute value. With None, the
            number of iterations is fixed, and there is no warning. Defaults to 1e-5.

    Attributes:
        coef_: Weights W (K, n), one row per class, also for K = 2 classes. `fit` also sets the weights if it is
            interrupted after the first iteration.
        intercept_: Biases (K,).
        classes_: The classes (K,), sorted.
        n_features_in_: Number of features, n.
        feature_names_in_: Names of the features (n,), if X is a dataframe with strings for names.
        n_iter_: Number of iterations (1,).
        costs_: The cost before each iteration.

    References:
        C. M. Bishop, Pattern Recognition and Machine Learning, Springer, 2006, section 4.3.4.

    Examples:
        >>> X = [[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [5.0, 0.0], [2.0, 4.0], [3.0, 4.0]]
        >>> model = SoftmaxRegression(C=1.0).fit(X, ["left", "left", "right", "right", "top", "top"])
        >>> model.predict([[0.5, 0.5], [4.5, 0.5], [2.5, 3.0]])
        array(['left', 'right', 'top'], dtype='<U5')
        >>> model.coef_.shape, model.predict_proba(X).shape
        ((3, 2), (6, 3))
    """

    _multi_class = True
    _parameters = ("backend", "learning_rate", "iterations", "warm_start", "C", "tol")

    def __init__(
        self,
        backend: str = "tensor",
        learning_rate: float | str = "auto",
        iterations: int = 10_000,
        warm_start: bool = False,
        C: float = math.inf,
        tol: float | None = 1e-5,
    ) -> None:
        self.backend, self.learning_rate, self.iterations = backend, learning_rate, iterations
        self.warm_start, self.C, self.tol = warm_start, C, tol

    def _objective(self) -> Objective:
        return Softmax()

    def _logits(self, table: Any) -> Array:
        z: Array = table @ self.coef_.T + self.intercept_
        return z

    def _decision(self, z: Array) -> Array:
        return z[:, 1] - z[:, 0] if len(self.classes_) == 2 else z  # scikit-learn's convention for two classes

    def _classes_of(self, z: Array) -> Labels:
        best: Any = z.argmax(axis=1)
        lazy = is_chunked(z)
        labels: Labels = best.map_blocks(self.classes_.take, dtype=self.classes_.dtype) if lazy else self.classes_[best]
        return labels

    def _probabilities(self, z: Array) -> Array:
        P: Any = softmax(z, axis=1)
        return P  # type: ignore[no-any-return]  # a lazy array stays lazy

    def _log_probabilities(self, z: Array) -> Array:
        logs: Any = log_softmax(z, axis=1)
        return logs  # type: ignore[no-any-return]
