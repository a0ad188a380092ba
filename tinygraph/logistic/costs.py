"""The lecture's cost J of logistic regression in three implementations: two loops, one loop, and no loops.

In each implementation, z = Σ_j w_j x_j + b, a = σ(z), and J is the mean loss over m examples. With `sample_weight`, J
is the weighted mean Σ_i s_i L_i / Σ_i s_i. With a finite C, J also contains the L2 regularization
‖w‖² / (2 C Σ_i s_i). So J is scikit-learn's cost divided by C Σ_i s_i, and 1 / C is the course's λ. The names come from
the lecture. `two_loops` uses Values, and loops over the examples and the features. `one_loop` loops over the examples,
and uses vectors for the features. `no_loop` uses arrays for everything. All three implementations give their nodes the
names z, a, loss and J.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from tinygraph.engine.operators import Operators
from tinygraph.engine.ops import binary_cross_entropy, binary_cross_entropy_with_logits, sigmoid, squared_error, total
from tinygraph.engine.value import Value
from tinygraph.kernels.arrays import as_array
from tinygraph.kernels.numbers import plain_number
from tinygraph.logistic.inputs import Array
from tinygraph.support.arguments import check_kind, check_positive
from tinygraph.support.messages import counted, described, one_of
from tinygraph.tensor.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Data: TypeAlias = ArrayLike | Tensor

T = TypeVar("T", bound=Operators)


class Loss(Protocol):
    """A loss function of z and the label y, for one example (with Values) or for all examples (with Tensors)."""

    def __call__(self, z: T, y: float | Array, /) -> T:
        """Return the loss as a node.

        Args:
            z: Logits: a Value, or a Tensor (1, m).
            y: Labels, 0 or 1, with the shape of z.

        Returns:
            The loss of each example.
        """


def _activation(z: T) -> T:
    a = sigmoid(z)
    a.name = "a"
    return a


def _cross_entropy(z: T, y: float | Array) -> T:
    """Return the cross-entropy computed from the activation a, as in the lecture."""
    return binary_cross_entropy(_activation(z), y)


def _cross_entropy_with_logits(z: T, y: float | Array) -> T:
    """Return the cross-entropy computed from z. The loss stays finite even if the activation a rounds to 0 or 1."""
    return binary_cross_entropy_with_logits(z, y)


def _squared_error(z: T, y: float | Array) -> T:
    """Return the squared error. The lecture advises against it, because the cost can have several local minima."""
    return squared_error(_activation(z), y)


LOSSES: dict[str, Loss] = {
    "cross_entropy": _cross_entropy,
    "cross_entropy_with_logits": _cross_entropy_with_logits,
    "squared_error": _squared_error,
}
"""The losses by name: "cross_entropy", "cross_entropy_with_logits" and "squared_error"."""


def two_loops(
    w: Sequence[Value],
    b: Value,
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    loss: str = "cross_entropy",
    *,
    sample_weight: Sequence[float] | None = None,
    C: float = math.inf,
) -> Value:
    """Return the cost J, computed with the lecture's two loops as a graph of scalars.

    The nodes are named z, a, loss and J.

    Args:
        w: Weights: n Values.
        b: Bias: a Value.
        X: Examples (m, n), one row per example.
        Y: Labels (m,), 0 or 1.
        loss: Key of `LOSSES`: "cross_entropy", "cross_entropy_with_logits" or "squared_error".
            Defaults to "cross_entropy".
        sample_weight: Weight of each example, with the shape (m,). Defaults to equal weights.
        C: Inverse of the regularization strength. Defaults to infinity: no regularization.

    Returns:
        The cost: the mean loss over the examples, plus the regularization.

    Raises:
        ValueError: If there are no examples, if X, Y and `sample_weight` have different lengths, if C is not positive,
            or if `loss` is not a key of `LOSSES`.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: logistic regression on m examples.

    Examples:
        >>> w, b = [Value(0.0, "w1"), Value(0.0, "w2")], Value(0.0, "b")
        >>> J = two_loops(w, b, [[1.0, 2.0], [3.0, 4.0]], [0, 1])
        >>> round(J.data, 4)
        0.6931
        >>> J.backward()
        >>> w[0].grad, b.grad
        (-0.5, 0.0)
    """
    loss_of = _loss(loss)
    w = listed_values(w, b)
    rows, labels = [_listed(x, "each row of X") for x in _listed(X, "X")], _listed(Y, "Y")
    m = _count(len(rows), len(labels))
    weights = _weights(sample_weight, (m,))
    J: Value | None = None
    for i, (x, y) in enumerate(zip(rows, labels, strict=True)):
        if len(x) != len(w):
            raise ValueError(f"each row of X must have {counted(len(w), 'number')}, one per weight in w, not {len(x)}")
        z = b
        for w_j, x_j in zip(w, x, strict=True):
            try:
                z = z + w_j * x_j
            except TypeError:
                raise TypeError(f"X must contain numbers, not {described(x_j)}") from None
        z.name = z.name or "z"
        L = loss_of(z, plain_number(y, "Y"))
        L.name = "loss"
        J = added(J, L if weights is None else L * float(weights[i]))
    return mean_cost(J, m, weights, w, C)


def one_loop(
    w: Tensor,
    b: Tensor,
    X: Data,
    Y: Data,
    loss: str = "cross_entropy",
    *,
    sample_weight: Data | None = None,
    C: float = math.inf,
) -> Tensor:
    """Return the cost J, computed in one loop over the examples, where z = w.T x + b for each example x.

    Args:
        w: Weights (n, 1).
        b: Bias, with shape () or (1, 1).
        X: Examples (n, m), one column per example.
        Y: Labels (1, m), 0 or 1.
        loss: Key of `LOSSES`: "cross_entropy", "cross_entropy_with_logits" or "squared_error".
            Defaults to "cross_entropy".
        sample_weight: Weight of each example, with the shape (1, m). Defaults to equal weights.
        C: Inverse of the regularization strength. Defaults to infinity: no regularization.

    Returns:
        The cost, with shape (): the mean loss over the examples, plus the regularization.

    Raises:
        ValueError: If the shapes do not match, if there are no examples, if C is not positive, or if `loss` is not a
            key of `LOSSES`.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: vectorization.

    Examples:
        >>> w, b = Tensor([[0.0], [0.0]], "w"), Tensor(0.0, "b")
        >>> J = one_loop(w, b, [[1.0, 3.0], [2.0, 4.0]], [[0, 1]])
        >>> J.backward()
        >>> w.grad.tolist(), b.grad.tolist()
        ([[-0.5], [-0.5]], 0.0)
    """
    loss_of = _loss(loss)
    columns, labels, m = _columns(w, b, X, Y)
    weights = _weights(sample_weight, labels.shape)
    J: Tensor | None = None
    for i in range(m):
        z: Tensor = np.dot(w.T, columns[:, i : i + 1]) + b
        z.name = "z"
        L = loss_of(z, labels[:, i : i + 1])
        L.name = "loss"
        J = added(J, L if weights is None else L * weights[:, i : i + 1])
    assert J is not None
    return mean_cost(J.reshape(()), m, weights, w, C)


def no_loop(
    w: Tensor,
    b: Tensor,
    X: Data,
    Y: Data,
    loss: str = "cross_entropy",
    *,
    sample_weight: Data | None = None,
    C: float = math.inf,
) -> Tensor:
    """Return the cost J, computed without loops: Z = np.dot(w.T, X) + b and A = σ(Z) for all examples at once.

    After a backward pass, the lecture's dZ is the `grad` of the node z, and dw and db are the `grad` values of w and b.

    Args:
        w: Weights (n, 1).
        b: Bias, with shape () or (1, 1).
        X: Examples (n, m), one column per example.
        Y: Labels (1, m), 0 or 1.
        loss: Key of `LOSSES`: "cross_entropy", "cross_entropy_with_logits" or "squared_error".
            Defaults to "cross_entropy".
        sample_weight: Weight of each example, with the shape (1, m). Defaults to equal weights.
        C: Inverse of the regularization strength. Defaults to infinity: no regularization.

    Returns:
        The cost, with shape (): the mean loss over the examples, plus the regularization.

    Raises:
        ValueError: If the shapes do not match, if there are no examples, if C is not positive, or if `loss` is not a
            key of `LOSSES`.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: vectorizing logistic regression.

    Examples:
        >>> w, b = Tensor([[1.0], [-1.0]], "w"), Tensor(0.0, "b")
        >>> J = no_loop(w, b, [[1.0, 3.0], [1.0, 3.0]], [[0, 1]])
        >>> J.backward()
        >>> w.grad.tolist(), b.grad.tolist()
        ([[-0.5], [-0.5]], 0.0)
    """
    loss_of = _loss(loss)
    columns, labels, m = _columns(w, b, X, Y)
    Z: Tensor = np.dot(w.T, columns) + b
    Z.name = "z"
    L = loss_of(Z, labels)
    L.name = "loss"
    weights = _weights(sample_weight, labels.shape)
    return mean_cost((L if weights is None else L * weights).sum(), m, weights, w, C)


def regularization(w: Sequence[Value] | Tensor, C: float, size: float | Array) -> Value | Tensor:
    """Return the L2 regularization ‖w‖² / (2 C size) as a node. The bias is not regularized.

    Args:
        w: Weights: Values, or a Tensor.
        C: Inverse of the regularization strength.
        size: Sum of the weights of the examples; without `sample_weight`, the number of examples.

    Returns:
        The node. Add it to the mean loss.

    Raises:
        ValueError: If C is not positive.

    Examples:
        >>> regularization([Value(3.0), Value(4.0)], 2.0, 5.0).data
        1.25
    """
    check_positive("C", C)
    squares = (w * w).sum() if isinstance(w, Tensor) else total([w_j * w_j for w_j in w])
    penalty: Value | Tensor = squares / (2.0 * C * size)
    penalty.name = "regularization"
    return penalty


def _loss(name: str) -> Loss:
    one_of("loss", name, LOSSES)
    return LOSSES[name]


def listed_values(w: object, b: object) -> list[Value]:
    """Return the weights of a graph of Values as a list.

    Args:
        w: Weights: a sequence of Values.
        b: Bias: a Value.

    Returns:
        The weights.

    Raises:
        TypeError: If a weight or the bias is not a Value.
    """
    weights: list[Value] = list(_listed(w, "w"))
    for node in weights:
        check_kind("each weight in w", node, Value, "a Value")
    check_kind("b", b, Value, "a Value, like the weights in w")
    return weights


def _listed(found: object, what: str) -> Sequence[Any]:
    """Return a sequence, or raise TypeError if the argument is not a sequence of numbers."""
    if isinstance(found, (str, bytes, dict, set, type, Operators)) or not hasattr(found, "__len__"):
        raise TypeError(f"{what} must be a sequence, not {described(found)}")
    return found  # type: ignore[return-value]


def _count(m: int, labels: int) -> int:
    if m == 0 or labels != m:
        found = f"X has {counted(m, 'example')} and Y has {counted(labels, 'label')}"
        raise ValueError(f"{found}: there must be one label per example, and at least one example")
    return m


def added(J: T | None, L: T) -> T:
    """Return the sum of the losses of the first examples and the loss of the next one.

    Args:
        J: Sum, or None before the first example.
        L: Loss of the next example.

    Returns:
        The new sum.

    Examples:
        >>> added(Value(1.0), Value(2.0)).data
        3.0
    """
    return L if J is None else J + L


def mean_cost(losses: T | None, m: int, sample_weight: Array | None, w: Sequence[Value] | Tensor, C: float) -> T:
    """Return the cost J from the sum of the losses.

    Args:
        losses: Sum of the losses, each multiplied by its weight.
        m: Number of examples.
        sample_weight: Weights of the examples, or None.
        w: Weights of the model, for the regularization.
        C: Inverse of the regularization strength.

    Returns:
        The mean loss, plus the regularization.

    Raises:
        ValueError: If C is not positive.

    Examples:
        >>> mean_cost(Value(6.0), 3, None, [Value(1.0)], math.inf).data
        2.0
    """
    assert losses is not None
    size = float(m) if sample_weight is None else sample_weight.sum()  # a dask array stays lazy
    J = losses / size
    check_positive("C", C)
    if math.inf != C:
        J = J + regularization(w, C, size)
    J.name = "J"
    return J


def _weights(sample_weight: Any, shape: tuple[int, ...]) -> Array | None:
    if sample_weight is None:
        return None
    weights = _kept(sample_weight, "sample_weight")
    if weights.shape != shape:
        raise ValueError(f"sample_weight has shape {weights.shape}, but the shape of Y is {shape}")
    return weights


def _columns(w: Tensor, b: Tensor, X: Data, Y: Data) -> tuple[Array, Array, int]:
    """Return the lecture's arrays X (n, m) and Y (1, m), and the number of examples m."""
    check_kind("w", w, Tensor, "a Tensor")
    check_kind("b", b, Tensor, "a Tensor, like w")
    if b.size != 1:
        raise ValueError(f"b must have shape () or (1, 1), not {b.shape}")
    columns, labels = _kept(X, "X"), _kept(Y, "Y")
    if columns.ndim != 2 or w.shape != (columns.shape[0], 1):
        raise ValueError(f"w and X must have shapes (n, 1) and (n, m), not {w.shape} and {columns.shape}")
    m = columns.shape[1]
    if labels.shape != (1, m):
        raise ValueError(f"Y has shape {labels.shape}, but for {m} examples its shape must be {(1, m)}")
    return columns, labels, _count(m, labels.shape[1])


def _kept(data: Any, what: str) -> Array:
    """Return a Tensor unchanged, and other data as an array of floats."""
    return data if isinstance(data, Tensor) else as_array(data, what)  # type: ignore[return-value]
