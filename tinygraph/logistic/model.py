"""A model with scikit-learn's interface, trained with the lecture's gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tinygraph.engine.ops import sigmoid
from tinygraph.engine.value import Value
from tinygraph.logistic.chunks import Chunks, accuracy
from tinygraph.logistic.costs import LOSSES
from tinygraph.logistic.descent import descend, gradient_descent
from tinygraph.logistic.inputs import Array, Labels, examples, is_chunked, labels_and_codes
from tinygraph.support.messages import one_of
from tinygraph.tensor.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike

BACKENDS = ("scalar", "tensor")
"""The values of `backend`: "scalar" (two loops over Values) and "tensor" (Tensors, without loops)."""
PARAMETERS = ("backend", "loss", "learning_rate", "iterations", "warm_start")


class NotFittedError(ValueError, AttributeError):
    """The model cannot predict before you call `fit`."""


class _Training(NamedTuple):
    """Classes, parameters and costs of a training run. Each step of the iterator `costs` updates the parameters."""

    classes: Labels
    w: list[Value] | Tensor
    b: Value | Tensor
    costs: Iterator[float]


class LogisticRegression:
    """Logistic regression with scikit-learn's interface, trained with the lecture's gradient descent.

    Args:
        backend: Implementation: "tensor" (no loops), or "scalar" (two explicit loops, which take hundreds of times as
            long). Defaults to "tensor".
        loss: Loss function: "cross_entropy_with_logits", "cross_entropy" (computed from the activation a, as in the
            lecture) or "squared_error". Defaults to "cross_entropy_with_logits".
        learning_rate: Learning rate α, which multiplies each derivative. Defaults to 0.5.
        iterations: Number of iterations of gradient descent. Defaults to 100.
        warm_start: If true, `fit` starts with the parameters of the previous call instead of 0. Defaults to false.

    Attributes:
        coef_: Weights (1, n). `fit` also sets the weights if it is interrupted after the first iteration.
        intercept_: Bias (1,).
        classes_: The two classes (2,), sorted.
        n_features_in_: Number of features, n.
        costs_: The cost before each iteration.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: logistic regression.

    Examples:
        >>> model = LogisticRegression(learning_rate=1.0, iterations=50)
        >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]).predict([[0.5], [2.5]])
        array(['no', 'yes'], dtype='<U3')
    """

    def __init__(
        self,
        backend: str = "tensor",
        loss: str = "cross_entropy_with_logits",
        learning_rate: float = 0.5,
        iterations: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.backend, self.loss, self.learning_rate, self.iterations = backend, loss, learning_rate, iterations
        self.warm_start = warm_start

    def fit(
        self, X: ArrayLike, y: ArrayLike, on_iteration: Callable[[int, float], object] | None = None
    ) -> LogisticRegression:
        """Train the model on m examples and their labels.

        With the backend "tensor", X and y can be dask arrays or dataframes with the same chunks of rows. dask's active
        scheduler or cluster then processes the chunks one by one or in parallel. If Ctrl-C or an error stops
        the training, the model keeps the parameters of the last complete iteration.

        Args:
            X: Examples (m, n), one row per example.
            y: Labels (m,), with exactly two classes.
            on_iteration: Function that is called as on_iteration(iteration, cost) after each iteration.

        Returns:
            The model itself.

        Raises:
            ValueError: If a parameter of the model is invalid, if X or y has the wrong shape, if X contains a value
                that is not finite, or if y does not contain exactly two classes.
            FloatingPointError: If gradient descent diverges.
        """
        self._check_parameters()
        prepare = self._in_chunks if is_chunked(X) or is_chunked(y) else self._in_memory
        training = prepare(X, y)
        self.costs_: list[float] = []
        kept = _coefficients(training)
        try:
            for J in training.costs:
                kept = _coefficients(training)
                self.costs_.append(J)
                if on_iteration is not None:
                    on_iteration(len(self.costs_), J)
        finally:
            if self.costs_:
                self.coef_, self.intercept_ = kept
                self.classes_, self.n_features_in_ = training.classes, self.coef_.shape[1]
        return self

    def _check_parameters(self) -> None:
        one_of("backend", self.backend, BACKENDS)
        one_of("loss", self.loss, LOSSES)
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"learning_rate must be a positive number, not {self.learning_rate!r}")
        if not (isinstance(self.iterations, int) and self.iterations > 0):
            raise ValueError(f"iterations must be a positive integer, not {self.iterations!r}")

    def _start(self, n: int) -> tuple[Array, float]:
        """Return the initial weights (n, 1) and the initial bias."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return np.zeros((n, 1)), 0.0
        if self.n_features_in_ != n:
            known = self.n_features_in_
            raise ValueError(f"X has {n} features, but the model that warm_start continues was fitted with {known}")
        return self.coef_.T, self.intercept_.item()

    def _in_memory(self, X: ArrayLike, y: ArrayLike) -> _Training:
        """Prepare training on a whole table."""
        table = examples(X)
        classes, codes = labels_and_codes(y, len(table))
        weights, bias = self._start(table.shape[1])
        w: list[Value] | Tensor
        b: Value | Tensor
        if self.backend == "tensor":
            w, b, columns, targets = Tensor(weights, "w"), Tensor(bias, "b"), table.T, codes.reshape(1, -1)
        else:
            w = [Value(x, f"w{j + 1}") for j, x in enumerate(weights.ravel().tolist())]
            b, columns, targets = Value(bias, "b"), table.tolist(), codes.tolist()
        costs = gradient_descent(
            w, b, columns, targets, loss=self.loss, learning_rate=self.learning_rate, iterations=self.iterations
        )
        return _Training(classes, w, b, costs)

    def _in_chunks(self, X: ArrayLike, y: ArrayLike) -> _Training:
        """Prepare training on chunks, without loading the whole table."""
        if self.backend != "tensor":
            raise ValueError(
                "chunked data need backend='tensor', because the loops of backend='scalar' read one number at a time"
            )
        chunks = Chunks(X, y)
        weights, bias = self._start(chunks.n)
        w, b = Tensor(weights, "w"), Tensor(bias, "b")

        def backward() -> float:
            J, w.grad, b.grad = chunks.cost_and_gradient(w.data, b.item(), self.loss)
            return J

        return _Training(chunks.classes, w, b, descend(backward, [w, b], self.learning_rate, self.iterations))

    def decision_function(self, X: ArrayLike) -> Array:
        """Return the logits z.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array (m,), which is lazy if X is a dask array or dataframe.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        if not hasattr(self, "coef_"):
            raise NotFittedError("this LogisticRegression is not fitted yet: call fit(X, y) first")
        table = X if is_chunked(X) else examples(X)
        if table.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {table.shape[1]} features, but the model was fitted with {self.n_features_in_}")
        table = table.to_dask_array() if hasattr(table, "to_dask_array") else table
        z: Array = table @ self.coef_[0] + self.intercept_[0]
        return z

    def predict_proba(self, X: ArrayLike) -> Array:
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

    def predict(self, X: ArrayLike) -> Labels:
        """Return the more probable class of each example.

        Args:
            X: Examples (m, n), one row per example.

        Returns:
            An array of labels (m,).

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        labels: Labels = np.where(self.decision_function(X) > 0, self.classes_[1], self.classes_[0])
        return labels

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: Sequence[float] | Array | None = None) -> float:
        """Return the accuracy: the fraction of examples whose class is predicted correctly.

        Args:
            X: Examples (m, n), one row per example.
            y: Labels (m,).
            sample_weight: Weight of each example (m,). Defaults to equal weights.

        Returns:
            A number between 0 and 1.

        Raises:
            NotFittedError: If `fit` was not called.
            ValueError: If X is not a table with n columns.
        """
        if is_chunked(X) and sample_weight is None:
            return accuracy(X, y, self.predict)
        return float(np.average(self.predict(X) == np.asarray(y).ravel(), weights=sample_weight))

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


def _coefficients(training: _Training) -> tuple[Array, Array]:
    """Return copies of the weights (1, n) and the bias (1,), in scikit-learn's shapes."""
    w, b = training.w, training.b
    weights = w.data.T.copy() if isinstance(w, Tensor) else np.array([[w_j.data for w_j in w]])
    return weights, np.array([b.item()])
