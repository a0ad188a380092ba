"""What the models share: scikit-learn's interface, training, and the checks of tables and labels."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from tinygraph.logistic.chunks import accuracy
from tinygraph.logistic.conventions import ConvergenceWarning, NotFittedError, shared
from tinygraph.logistic.inputs import (
    Array,
    Labels,
    check_known,
    check_names,
    check_number,
    examples,
    feature_names,
    is_chunked,
    labels_of,
    weights_of,
)
from tinygraph.logistic.objectives import Objective
from tinygraph.logistic.training import Settings, Training, in_chunks, in_memory
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import described, one_of

BACKENDS = ("scalar", "tensor")
"""The values of `backend`: "scalar" (loops over Values) and "tensor" (Tensors, without loops)."""


class Classifier:
    """A linear model with scikit-learn's interface, trained with gradient descent."""

    _parameters: ClassVar[tuple[str, ...]]  # the names of the constructor's arguments
    _multi_class: ClassVar[bool]  # whether the model supports more than two classes
    backend: str
    learning_rate: float | str
    iterations: int
    warm_start: bool
    C: float
    tol: float | None

    def fit(
        self,
        X: object,
        y: object = None,
        sample_weight: object = None,
        *,
        on_iteration: Callable[[int, float], object] | None = None,
    ) -> Self:
        """Train the model on m examples and their labels.

        With the backend "tensor", X and y can be dask arrays or dataframes with the same chunks of rows. dask's active
        scheduler or cluster then processes the chunks one by one or in parallel. If Ctrl-C or an error stops
        the training, the model keeps the parameters of the last complete iteration.

        Args:
            X: Examples (m, n), one row per example.
            y: Labels (m,), with at least two classes.
            sample_weight: Weight of each example (m,). An integer weight k has the same effect as k equal rows.
                Defaults to equal weights.
            on_iteration: Function that is called as on_iteration(iteration, cost) after each iteration.

        Returns:
            The model itself.

        Raises:
            ValueError: If a parameter of the model is invalid, if X, y or `sample_weight` has the wrong shape or
                contains a value that is missing or not finite, or if y contains fewer classes than two or more than
                the model supports.
            TypeError: If X, y or `sample_weight` is sparse, masked, or not made of real numbers or labels.
            FloatingPointError: If gradient descent diverges.

        Warns:
            ConvergenceWarning: If gradient descent did not reach `tol` in the given number of iterations.
        """
        self._check_parameters()
        if on_iteration is not None:
            check_function("on_iteration", on_iteration)
        names = feature_names(X)
        objective = self._objective()
        settings = Settings(objective, self.backend, self.C, self.learning_rate, self.iterations, self.tol)
        prepare = in_chunks if is_chunked(X) or is_chunked(y) or is_chunked(sample_weight) else in_memory
        training = prepare(X, y, sample_weight, settings, lambda n, outputs: self._start(n, outputs, names))
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

    def _objective(self) -> Objective:
        """Return what the training minimizes."""
        raise NotImplementedError

    def _start(self, n: int, outputs: int, names: Labels | None) -> tuple[Array, Array]:
        """Return the initial weights (n, outputs) and the initial biases (outputs,)."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return np.zeros((n, outputs)), np.zeros(outputs)
        self._check_names(names)
        self._check_number(n)
        if len(self.coef_) != outputs:
            raise ValueError(
                f"y has {outputs} classes, but the model was fitted with {len(self.coef_)}: a warm start needs the "
                "same classes, so pass warm_start=False"
            )
        return self.coef_.T, self.intercept_

    def _check_names(self, names: Labels | None) -> None:
        check_names(names, getattr(self, "feature_names_in_", None), type(self).__name__)

    def _check_number(self, n: int) -> None:
        check_number(n, self.n_features_in_, type(self).__name__)

    def decision_function(self, X: object) -> Array:
        """Return the logits z.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m,) for two classes, or (m, K) for K > 2 classes. If X is a dask array or dataframe, the array is
            lazy. For two classes, a logit is positive if the second class is more probable.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns, or if the names or the order of its columns differ.
        """
        return self._decision(self._logits_of(X))

    def _logits_of(self, X: object) -> Array:
        """Return the logits of a table, after a check of its type and its columns."""
        self._check_is_fitted()
        self._check_names(feature_names(X))
        table = X if is_chunked(X) else examples(X)
        self._check_number(table.shape[1])
        return self._logits(table.to_dask_array() if hasattr(table, "to_dask_array") else table)

    def _logits(self, table: Any) -> Array:
        raise NotImplementedError

    def _decision(self, z: Array) -> Array:
        """Return the decision function from the logits."""
        return z

    def _classes_of(self, z: Array) -> Labels:
        """Return the most probable class from the logits."""
        raise NotImplementedError

    def _log_probabilities(self, z: Array) -> Array:
        raise NotImplementedError

    def _probabilities(self, z: Array) -> Array:
        raise NotImplementedError

    def _check_is_fitted(self) -> None:
        if not hasattr(self, "coef_"):
            raise shared(NotFittedError)(f"this {type(self).__name__} is not fitted yet: call fit(X, y) first")

    def predict_proba(self, X: object) -> Array:
        """Return the probability of each class.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m, K), with the columns in the order of `classes_`.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        return self._probabilities(self._logits_of(X))

    def predict_log_proba(self, X: object) -> Array:
        """Return the logarithms of the probabilities, which stay finite where a probability rounds to 0.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m, K), with the columns in the order of `classes_`.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        return self._log_probabilities(self._logits_of(X))

    def predict(self, X: object) -> Labels:
        """Return the most probable class of each example.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array of labels (m,).

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        return self._classes_of(self._logits_of(X))

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
                a label is missing or is not one of the classes.
        """
        if is_chunked(X):
            self._check_is_fitted()
            self._check_names(feature_names(X))
            self._check_number(X.shape[1])
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
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: object) -> Self:
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
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=self._multi_class),
            input_tags=InputTags(),
        )
