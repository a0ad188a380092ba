"""The lecture's model: logistic regression as a neural network of one neuron, in three readings.

z = Σ_j w_j x_j + b,  a = σ(z),  the cost J is the mean loss over m examples, and gradient descent
is w := w - α dw, b := b - α db. The letters are those of the lecture, first week of the course.
`two_loops` writes the cost with two explicit loops over Values, `one_loop` with a loop over examples
and vectors for the features, `no_loop` with none: the nodes z, a, loss and J are the same in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygraph.engine.ops import binary_cross_entropy, binary_cross_entropy_with_logits, sigmoid, squared_error
from tinygraph.engine.value import Value
from tinygraph.support.messages import one_of
from tinygraph.tensor.tensor import Tensor

# The loss of one example (or of all, as Tensors), from z and the label y. "cross_entropy" goes by way
# of a, as the lecture does; from z it is the same number, but stays finite where a rounds to 0 or 1.
# The squared error is the one the lecture argues against: its cost has local optima.
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "cross_entropy": lambda z, y: binary_cross_entropy(_activation(z), y),
    "cross_entropy_with_logits": lambda z, y: binary_cross_entropy_with_logits(z, y),
    "squared_error": lambda z, y: squared_error(_activation(z), y),
}
BACKENDS = ("scalar", "tensor")
PARAMETERS = ("backend", "loss", "learning_rate", "n_steps", "warm_start")


def _activation(z: Any) -> Any:
    a = sigmoid(z)
    a.name = "a"
    return a


def two_loops(
    w: Sequence[Value], b: Value, X: Sequence[Sequence[float]], Y: Sequence[float], loss: str = "cross_entropy"
) -> Value:
    """The cost J of all m examples by the lecture's two explicit loops, a graph of floats.

    X holds m examples of n features each, Y their labels 0 or 1; nodes are named z, a, loss and J.

    >>> w, b = [Value(0.0, "w1"), Value(0.0, "w2")], Value(0.0, "b")
    >>> J = two_loops(w, b, [[1.0, 2.0], [3.0, 4.0]], [0, 1])
    >>> round(J.data, 4)
    0.6931
    >>> J.backward(); w[0].grad, b.grad
    (-0.5, 0.0)
    """
    loss_of = _choice("loss", loss, LOSSES)
    m = _count(len(X), len(Y))
    J: Any = 0.0
    for x, y in zip(X, Y, strict=True):
        z = b
        for w_j, x_j in zip(w, x, strict=True):
            z = z + w_j * x_j
        z.name = z.name or "z"
        L = loss_of(z, float(y))
        L.name = "loss"
        J = L if type(J) is float else J + L
    J = J / float(m)
    J.name = "J"
    return J  # type: ignore[no-any-return]


def one_loop(w: Tensor, b: Tensor, X: Any, Y: Any, loss: str = "cross_entropy") -> Tensor:
    """The cost J by one loop over the examples: the features are vectors, z = w.T x + b.

    w has the shape (n, 1), b () or (1, 1), X is (n, m), one column an example, and Y is (1, m).

    >>> w, b = Tensor([[0.0], [0.0]], "w"), Tensor(0.0, "b")
    >>> J = one_loop(w, b, [[1.0, 3.0], [2.0, 4.0]], [[0, 1]])
    >>> J.backward(); w.grad.tolist(), b.grad.tolist()
    ([[-0.5], [-0.5]], 0.0)
    """
    loss_of = _choice("loss", loss, LOSSES)
    X, Y, m = _columns(w, X, Y)
    J: Any = 0.0
    for i in range(m):
        z = np.dot(w.T, X[:, i : i + 1]) + b
        z.name = "z"
        L = loss_of(z, Y[:, i : i + 1])
        L.name = "loss"
        J = L if type(J) is float else J + L
    J = J.reshape(()) / float(m)
    J.name = "J"
    return J  # type: ignore[no-any-return]


def no_loop(w: Tensor, b: Tensor, X: Any, Y: Any, loss: str = "cross_entropy") -> Tensor:
    """The cost J without a loop: Z = np.dot(w.T, X) + b, A = σ(Z), and so on, for all examples at once.

    Shapes as in `one_loop`. The lecture's dZ is then the `grad` of the node z, dw and db those of w and b.

    >>> w, b = Tensor([[0.0], [0.0]], "w"), Tensor(0.0, "b")
    >>> J = no_loop(w, b, [[1.0, 3.0], [2.0, 4.0]], [[0, 1]])
    >>> J.backward(); w.grad.tolist(), b.grad.tolist()
    ([[-0.5], [-0.5]], 0.0)
    """
    loss_of = _choice("loss", loss, LOSSES)
    X, Y, m = _columns(w, X, Y)
    Z = np.dot(w.T, X) + b
    Z.name = "z"
    L = loss_of(Z, Y)
    L.name = "loss"
    J = L.sum() / float(m)
    J.name = "J"
    return J  # type: ignore[no-any-return]


def _count(m: int, labels: int) -> int:
    if m == 0 or labels != m:
        raise ValueError(f"X has {m} examples and Y {labels} labels: they must be as many, and at least one")
    return m


def _columns(w: Tensor, X: Any, Y: Any) -> tuple[Any, Any, int]:
    """The lecture's arrays: X (n, m) and Y (1, m)."""
    X, Y = (A if hasattr(A, "dtype") else np.asarray(A, dtype=np.float64) for A in (X, Y))
    if X.ndim != 2 or w.shape != (X.shape[0], 1):
        raise ValueError(f"w has the shape {w.shape} and X {X.shape}, but they must be (n, 1) and (n, m)")
    if Y.shape != (1, X.shape[1]):
        raise ValueError(f"Y has the shape {Y.shape}, but for {X.shape[1]} examples it must be {(1, X.shape[1])}")
    return X, Y, _count(X.shape[1], Y.shape[1])


def gradient_descent(
    w: Sequence[Value] | Tensor,
    b: Value | Tensor,
    X: Any,
    Y: Any,
    *,
    loss: str = "cross_entropy",
    learning_rate: float = 0.1,
    n_steps: int = 100,
) -> Iterator[float]:
    """Descend from the parameters as they are, in place, and yield the cost before each step.

    With Values as parameters by `two_loops`, with Tensors by `no_loop`, whose shapes X and Y then have.
    Raises FloatingPointError where the cost is no longer finite; the parameters are then those
    of the step before.

    >>> w, b = [Value(0.0)], Value(0.0)
    >>> costs = list(gradient_descent(w, b, [[-1.0], [1.0]], [0, 1], learning_rate=1.0, n_steps=3))
    >>> [round(J, 3) for J in costs]
    [0.693, 0.474, 0.348]
    >>> w, b = Tensor([[0.0]]), Tensor(0.0)
    >>> costs = list(gradient_descent(w, b, [[-1.0, 1.0]], [[0, 1]], learning_rate=1.0, n_steps=3))
    >>> [round(J, 3) for J in costs]
    [0.693, 0.474, 0.348]
    """
    cost: Callable[..., Any] = no_loop if isinstance(w, Tensor) else two_loops
    parameters: list[Any] = [w, b] if isinstance(w, Tensor) else [*w, b]

    def backward() -> float:
        J = cost(w, b, X, Y, loss)
        J.backward()
        return J.item()  # type: ignore[no-any-return]

    yield from descend(backward, parameters, learning_rate, n_steps)


def descend(
    backward: Callable[[], float], parameters: Sequence[Any], learning_rate: float, n_steps: int
) -> Iterator[float]:
    """Descend along the gradients that `backward()` leaves on the parameters, and yield the cost that it returns.

    >>> x = Value(3.0)
    >>> def backward():
    ...     J = x * x
    ...     J.backward()
    ...     return J.data
    >>> list(descend(backward, [x], 0.5, 2)), x.data
    ([9.0, 0.0], 0.0)
    """
    for step in range(n_steps):
        J = backward()
        partials = [parameter.grad for parameter in parameters]
        if not all(np.isfinite(number).all() for number in (J, *partials) if number is not None):
            raise FloatingPointError(
                f"the cost is {J} at step {step}: bring the features to one scale, lower the learning "
                "rate, or take loss='cross_entropy_with_logits', which stays finite where a rounds to 0 or 1"
            )
        for parameter, local in zip(parameters, partials, strict=True):
            if local is not None:
                parameter.data -= learning_rate * local
        yield J


class NotFittedError(ValueError, AttributeError):
    """The model was asked to predict before it was fitted."""


class LogisticRegression:
    """Logistic regression with scikit-learn's conventions, fitted by the lecture's gradient descent.

    `backend` is "scalar" (two explicit loops) or "tensor" (none, and hundreds of times faster);
    `loss` is "cross_entropy_with_logits", "cross_entropy" (by way of a, as the lecture does) or
    "squared_error"; `warm_start` goes on from where the last `fit` ended. After `fit`, or where it was stopped:
    `coef_` (1, n), `intercept_` (1,), `classes_` (2,), and `costs_`, the cost before each step.

    >>> model = LogisticRegression(learning_rate=1.0, n_steps=50)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]).predict([[0.5], [2.5]])
    array(['no', 'yes'], dtype='<U3')
    """

    def __init__(
        self,
        backend: str = "scalar",
        loss: str = "cross_entropy_with_logits",
        learning_rate: float = 0.1,
        n_steps: int = 100,
        warm_start: bool = False,
    ) -> None:
        self.backend, self.loss, self.learning_rate, self.n_steps = backend, loss, learning_rate, n_steps
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any, on_step: Callable[[int, float], None] | None = None) -> LogisticRegression:
        """Learn from m examples (m, n) and their labels (m,), of two classes; returns the model.

        Arrays and dataframes of dask are taken chunk by chunk (backend "tensor"), on whatever scheduler or cluster is
        active; both must have the same chunks of rows. `on_step(step, cost)` is called after each step. Stopped by
        Ctrl-C, or by an error, the model keeps the parameters of the last complete step. Raises ValueError for data
        that is not of this form, not finite, or not of two classes, FloatingPointError where descent diverges.
        """
        _choice("backend", self.backend, BACKENDS)
        _choice("loss", self.loss, LOSSES)
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"learning_rate must be a positive number, not {self.learning_rate!r}")
        if not (isinstance(self.n_steps, int) and self.n_steps > 0):
            raise ValueError(f"n_steps must be a positive whole number, not {self.n_steps!r}")
        prepare = self._in_chunks if is_chunked(X) or is_chunked(y) else self._in_memory
        classes, w, b, descent = prepare(X, y)
        self.costs_: list[float] = []
        kept = _coefficients(w), np.array([b.item()])
        try:
            for J in descent:
                kept = _coefficients(w), np.array([b.item()])
                self.costs_.append(J)
                if on_step is not None:
                    on_step(len(self.costs_), J)
        finally:
            if self.costs_:
                self.coef_, self.intercept_ = kept
                self.classes_, self.n_features_in_ = classes, self.coef_.shape[1]
        return self

    def _start(self, n: int) -> tuple[Any, Any]:
        """The weights and the bias to begin with, as Tensors (n, 1) and (), or as Values."""
        weights, bias = np.zeros((n, 1)), 0.0
        if self.warm_start and hasattr(self, "coef_"):
            if self.n_features_in_ != n:
                known = self.n_features_in_
                raise ValueError(f"X has {n} features, but the model to go on with was fitted with {known}")
            weights, bias = self.coef_.T, self.intercept_.item()
        if self.backend == "tensor":
            return Tensor(weights, "w"), Tensor(bias, "b")
        return [Value(x, f"w{j + 1}") for j, x in enumerate(weights.ravel().tolist())], Value(bias, "b")

    def _in_memory(self, X: Any, y: Any) -> tuple[Any, Any, Any, Iterator[float]]:
        """The classes, the parameters, and their descent over the whole table."""
        table = _examples(X)
        labels = np.asarray(y)
        if labels.shape not in ((len(table),), (len(table), 1)):
            raise ValueError(f"y must hold one label for each of {len(table)} examples; its shape is {labels.shape}")
        classes, codes = np.unique(labels.ravel(), return_inverse=True)
        check_classes(classes)
        w, b = self._start(table.shape[1])
        tensors = self.backend == "tensor"
        data = (table.T, codes.reshape(1, -1).astype(np.float64)) if tensors else (table.tolist(), codes.tolist())
        options: Any = {"loss": self.loss, "learning_rate": self.learning_rate, "n_steps": self.n_steps}
        return classes, w, b, gradient_descent(w, b, *data, **options)

    def _in_chunks(self, X: Any, y: Any) -> tuple[Any, Any, Any, Iterator[float]]:
        """The same over chunks that are never in one place."""
        from tinygraph.logistic.chunks import Chunks

        if self.backend != "tensor":
            raise ValueError("data in chunks are for backend='tensor': the loops would take them number by number")
        chunks = Chunks(X, y)
        w, b = self._start(chunks.n)

        def backward() -> float:
            J, w.grad, b.grad = chunks.cost_and_gradient(w.data, b.item(), self.loss)
            return J

        return chunks.classes, w, b, descend(backward, [w, b], self.learning_rate, self.n_steps)

    def decision_function(self, X: Any) -> np.ndarray[Any, Any]:
        """The logits z of examples (m, n), as an array (m,); of an array of dask a lazy one."""
        if not hasattr(self, "coef_"):
            raise NotFittedError("this LogisticRegression is not fitted yet: call fit(X, y) first")
        table = X if is_chunked(X) else _examples(X)
        if table.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {table.shape[1]} features, but the model was fitted with {self.n_features_in_}")
        table = table.to_dask_array() if hasattr(table, "to_dask_array") else table
        z: np.ndarray[Any, Any] = table @ self.coef_[0] + self.intercept_[0]
        return z

    def predict_proba(self, X: Any) -> np.ndarray[Any, Any]:
        """The probabilities of both classes for examples (m, n), as an array (m, 2)."""
        z = self.decision_function(X)
        return np.stack([sigmoid(-z), sigmoid(z)], axis=1)

    def predict(self, X: Any) -> np.ndarray[Any, Any]:
        """The more probable class of each example (m, n), as an array (m,)."""
        labels: np.ndarray[Any, Any] = np.where(self.decision_function(X) > 0, self.classes_[1], self.classes_[0])
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of examples whose class is predicted right."""
        if is_chunked(X) and sample_weight is None:
            from tinygraph.logistic.chunks import share_of_right

            return share_of_right(X, y, self.predict)
        return float(np.average(self.predict(X) == np.asarray(y).ravel(), weights=sample_weight))

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  (nothing is nested here)
        """The constructor's arguments, as scikit-learn asks for them."""
        return {name: getattr(self, name) for name in PARAMETERS}

    def set_params(self, **params: Any) -> LogisticRegression:
        """Set constructor arguments; ValueError for one that does not exist."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"LogisticRegression has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return f"LogisticRegression({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(multi_class=False),
            input_tags=InputTags(),
        )


def _examples(X: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    try:
        table = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be a table of numbers, (examples, features): {error}") from None
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"X must have the shape (examples, features), one row an example, not {table.shape}")
    check_finite(table, "X")
    return table


def check_finite(table: np.ndarray[Any, Any], name: str) -> None:
    """Raise ValueError, which says where, if an entry of a table is nan or infinite."""
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0].tolist()
        raise ValueError(f"{name} holds {table[row, column]} in row {row}, column {column}: remove or fill it first")


def check_classes(classes: np.ndarray[Any, Any]) -> None:
    """Raise ValueError unless the labels are of two classes."""
    if len(classes) != 2:
        raise ValueError(f"y must hold two classes, but it holds {len(classes)} class(es): {classes.tolist()[:5]}")


def is_chunked(data: Any) -> bool:
    """Whether this is an array, a dataframe or a series of dask.

    >>> is_chunked([[1.0, 2.0]])
    False
    """
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr")


def _coefficients(w: Any) -> np.ndarray[Any, Any]:
    """Weights as scikit-learn has them, (1, n)."""
    return w.data.T.copy() if isinstance(w, Tensor) else np.array([[w_j.data for w_j in w]])


def _choice(what: str, name: Any, known: Any) -> Any:
    one_of(what, name, known)
    return known[name] if isinstance(known, dict) else name
