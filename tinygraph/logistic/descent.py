"""Gradient descent: w := w - α dw and b := b - α db, where α is the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tinygraph.engine.value import Value
from tinygraph.logistic.costs import no_loop, two_loops
from tinygraph.tensor.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.logistic.costs import Data


def gradient_descent(
    w: Sequence[Value] | Tensor,
    b: Value | Tensor,
    X: Data,
    Y: Data,
    *,
    loss: str = "cross_entropy",
    learning_rate: float = 0.5,
    iterations: int = 100,
) -> Iterator[float]:
    """Run gradient descent from the current parameters, and yield the cost before each iteration.

    Each iteration edits the parameters in place.

    Args:
        w: Weights: a sequence of n Values, or a Tensor (n, 1). `two_loops` computes the cost from Values, and `no_loop`
            computes it from Tensors.
        b: Bias: a Value or a Tensor.
        X: Examples, with the shape (m, n) for Values or (n, m) for Tensors.
        Y: Labels, with the shape (m,) for Values or (1, m) for Tensors.
        loss: Key of `LOSSES`: "cross_entropy", "cross_entropy_with_logits" or "squared_error".
            Defaults to "cross_entropy".
        learning_rate: Learning rate α, which multiplies each derivative. Defaults to 0.5.
        iterations: Number of iterations. Defaults to 100.

    Yields:
        The cost before each iteration.

    Raises:
        FloatingPointError: If the cost, a derivative or a new parameter is not finite. The parameters keep their values
            from before the failed iteration.

    References:
        Andrew Ng, Neural Networks and Deep Learning (DeepLearning.AI), week 2: gradient descent.

    Examples:
        >>> w, b = [Value(0.0)], Value(0.0)
        >>> costs = list(gradient_descent(w, b, [[-1.0], [1.0]], [0, 1], learning_rate=1.0, iterations=3))
        >>> [round(J, 3) for J in costs]
        [0.693, 0.474, 0.348]
        >>> w, b = Tensor([[0.0]]), Tensor(0.0)
        >>> costs = list(gradient_descent(w, b, [[-1.0, 1.0]], [[0, 1]], learning_rate=1.0, iterations=3))
        >>> [round(J, 3) for J in costs]
        [0.693, 0.474, 0.348]
    """
    cost: Callable[..., Value | Tensor] = no_loop if isinstance(w, Tensor) else two_loops
    parameters = [w, b] if isinstance(w, Tensor) else [*w, b]

    def backward() -> float:
        J = cost(w, b, X, Y, loss)
        J.backward()
        return J.item()

    yield from descend(backward, parameters, learning_rate, iterations)


def descend(
    backward: Callable[[], float], parameters: Sequence[Value | Tensor], learning_rate: float, iterations: int
) -> Iterator[float]:
    """Run gradient descent with the gradients that a function sets, and yield the cost before each iteration.

    Args:
        backward: Function that sets `.grad` of the parameters and returns the cost.
        parameters: Leaves to edit in place.
        learning_rate: Learning rate α, which multiplies each derivative.
        iterations: Number of iterations.

    Yields:
        The cost before each iteration.

    Raises:
        FloatingPointError: If the cost, a derivative or a new parameter is not finite.

    Examples:
        >>> x = Value(3.0)
        >>> def backward():
        ...     J = x * x
        ...     J.backward()
        ...     return J.data
        >>> list(descend(backward, [x], 0.5, 2)), x.data
        ([9.0, 0.0], 0.0)
    """
    for iteration in range(iterations):
        J = backward()
        with np.errstate(all="ignore"):  # an overflow is reported below
            updates = [(x, x.data - learning_rate * x.grad) for x in parameters if x.grad is not None]
        if not all(np.isfinite(number).all() for number in (J, *[new for _, new in updates])):
            what = "a parameter overflows" if np.isfinite(J) else f"the cost is {J}"
            raise FloatingPointError(
                f"{what} at iteration {iteration}: standardize the features, lower the learning rate, or use "
                "loss='cross_entropy_with_logits', which stays finite if the activation rounds to 0 or 1"
            )
        for parameter, new in updates:
            parameter.data = new
        yield J
