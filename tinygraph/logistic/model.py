"""A model with scikit-learn's interface, trained with the lecture's gradient descent."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.engine.ops import sigmoid
from tinygraph.logistic.chunks import accuracy
from tinygraph.logistic.conventions import ConvergenceWarning, NotFittedError, shared
from tinygraph.logistic.costs import LOSSES
from tinygraph.logistic.features import check_names, check_number, feature_names
from tinygraph.logistic.inputs import (
    Array,
    Labels,
    check_known,
    examples,
    is_chunked,
    labels_of,
    weights_of,
)
from tinygraph.logistic.training import Settings, Training, in_chunks, in_memory
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import described, one_of

BACKENDS = ("scalar", "tensor")
"""The values of `backend`: "scalar" (two loops over Values) and "tensor" (Tensors, without loops)."""
PARAMETERS = ("backend", "loss", "learning_rate", "iterations", "warm_start", "C", "tol")


class LogisticRegression:
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

    def fit(
        self,
        X: object,
        y: object = None,
        sample_weight: object = None,
        *,
        on_iteration: Callable[[int, float], object] | None = None,
    ) -> LogisticRegression:
        """Train the model on m examples and their labels.

        With the backend "tensor", X and y can be dask arrays or dataframes with the same chunks of rows. dask's active
        scheduler or cluster then processes the chunks one by one or in parallel. If Ctrl-C or an error stops
        the training, the model keeps the parameters of the last complete iteration.

        Args:
            X: Examples (m, n), one row per example.
            y: Labels (m,), with exactly two classes.
            sample_weight: Weight of each example (m,). An integer weight k has the same effect as k equal rows.
                Defaults to equal weights.
            on_iteration: Function that is called as on_iteration(iteration, cost) after each iteration.

        Returns:
            The model itself.

        Raises:
            ValueError: If a parameter of the model is invalid, if X, y or `sample_weight` has the wrong shape or
                contains a value that is missing or not finite, or if y does not contain exactly two classes.
            TypeError: If X, y or `sample_weight` is sparse, masked, or not made of real numbers or labels.
            FloatingPointError: If gradient descent diverges.

        Warns:
            ConvergenceWarning: If gradient descent did not reach `tol` in the given number of iterations.
        """
        self._check_parameters()
        if on_iteration is not None:
            check_function("on_iteration", on_iteration)
        names = feature_names(X)
        settings = Settings(self.backend, self.loss, self.C, self.learning_rate, self.iterations, self.tol)
        prepare = in_chunks if is_chunked(X) or is_chunked(y) or is_chunked(sample_weight) else in_memory
        training = prepare(X, y, sample_weight, settings, lambda n: self._start(n, names))
        if not self._run(training, names, on_iteration) and self.tol is not None:
            warnings.warn(
                f"gradient descent did not reach tol={self.tol} in {self.iterations} iterations: increase iterations, "
                "or pass tol=None for a fixed number of iterations",
                shared(ConvergenceWarning),
                stacklevel=2,
            )
        return self

    def _run(
        self, training: Training, names: Labels | None, on_iteration: Callable[[int, float], object] | None
    ) -> bool:
        """Train, keep the parameters of the last complete iteration, and return whether the training converged."""
        self.costs_: list[float] = []
        kept = training.coefficients()
        try:
            while True:
                try:
                    J = next(training.costs)
                except StopIteration as end:
                    return bool(end.value)
                kept = training.coefficients()
                self.costs_.append(J)
                if on_iteration is not None:
                    on_iteration(len(self.costs_), J)
        finally:
            if self.costs_:
                self.coef_, self.intercept_ = kept
                self.classes_, self.n_features_in_ = training.classes, self.coef_.shape[1]
                self.n_iter_ = np.array([len(self.costs_)], dtype=np.int32)
                self.__dict__.pop("feature_names_in_", None)
                if names is not None:
                    self.feature_names_in_ = names

    def _check_parameters(self) -> None:
        one_of("backend", self.backend, BACKENDS)
        one_of("loss", self.loss, LOSSES)
        if isinstance(self.learning_rate, str):
            one_of("learning_rate", self.learning_rate, ("auto",))
        else:
            check_positive("learning_rate", self.learning_rate, infinite=False)
        check_positive("C", self.C)
        if self.tol is not None:
            check_positive("tol", self.tol, zero=True)
        count = self.iterations
        if isinstance(count, bool) or not isinstance(count, numbers.Integral) or count <= 0:
            raise ValueError(f"iterations must be a positive integer, not {described(count)}")

    def _start(self, n: int, names: Labels | None) -> tuple[Array, float]:
        """Return the initial weights (n, 1) and the initial bias."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return np.zeros((n, 1)), 0.0
        self._check_names(names)
        check_number(n, self.n_features_in_)
        return self.coef_.T, self.intercept_.item()

    def _check_names(self, names: Labels | None) -> None:
        check_names(names, getattr(self, "feature_names_in_", None))

    def decision_function(self, X: object) -> Array:
        """Return the logits z.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m,), which is lazy if X is a dask array or dataframe.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns, or if the names or the order of its columns differ.
        """
        self._check_is_fitted()
        self._check_names(feature_names(X))
        table = X if is_chunked(X) else examples(X)
        check_number(table.shape[1], self.n_features_in_)
        table = table.to_dask_array() if hasattr(table, "to_dask_array") else table
        return self._logits(table)

    def _logits(self, table: Any) -> Array:
        z: Array = table @ self.coef_[0] + self.intercept_[0]
        return z

    def _classes_of(self, z: Array) -> Labels:
        labels: Labels = np.where(z > 0, self.classes_[1], self.classes_[0])
        return labels if is_chunked(z) else labels.astype(self.classes_.dtype, copy=False)

    def _check_is_fitted(self) -> None:
        if not hasattr(self, "coef_"):
            raise shared(NotFittedError)("this LogisticRegression is not fitted yet: call fit(X, y) first")

    def predict_proba(self, X: object) -> Array:
        """Return the probabilities of both classes.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m, 2), with the columns in the order of `classes_`.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        z = self.decision_function(X)
        return np.stack([sigmoid(-z), sigmoid(z)], axis=1)

    def predict_log_proba(self, X: object) -> Array:
        """Return the logarithms of the probabilities, which stay finite where a probability rounds to 0.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m, 2), with the columns in the order of `classes_`.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        z = self.decision_function(X)
        return np.stack([-np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)], axis=1)

    def predict(self, X: object) -> Labels:
        """Return the more probable class of each example.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array of labels (m,).

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        return self._classes_of(self.decision_function(X))

    def score(self, X: object, y: object, sample_weight: object = None) -> float:
        """Return the accuracy: the fraction of examples whose class is predicted correctly.

        Args:
            X: Examples (m, n), one row per example.
            y: Labels (m,).
            sample_weight: Weight of each example (m,). Defaults to equal weights.

        Returns:
            A number between 0 and 1.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns, if there is not one label and one weight per example, or if
                a label is missing or is not one of the two classes.
        """
        if is_chunked(X):
            self._check_is_fitted()
            self._check_names(feature_names(X))
            check_number(X.shape[1], self.n_features_in_)
            return accuracy(X, y, lambda rows: self._classes_of(self._logits(rows)), self.classes_, sample_weight)
        predicted, labels = self.predict(X), labels_of(y)
        check_known(labels, len(predicted), self.classes_)
        return float(np.average(predicted == labels, weights=weights_of(sample_weight, len(predicted))))

    def get_params(self, deep: bool = True) -> dict[str, object]:  # noqa: ARG002  (no parameter is a model)
        """Return the constructor's arguments, in the form that scikit-learn expects.

        Args:
            deep: Ignored, because no argument is a model.

        Returns:
            A dictionary that maps the name of each argument to its value.
        """
        return {name: getattr(self, name) for name in PARAMETERS}

    def set_params(self, **params: object) -> LogisticRegression:
        """Set constructor arguments.

        Args:
            **params: New value of each argument, by name.

        Returns:
            The model itself.

        Raises:
            ValueError: If a name is not an argument of the constructor.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"LogisticRegression has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return f"LogisticRegression({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=False),
            input_tags=InputTags(),
        )
