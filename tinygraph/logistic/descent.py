"""Gradient descent: w := w - α dw and b := b - α db, where α is the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

import numpy as np

from tinygraph.engine.value import Value
from tinygraph.logistic.costs import listed_values, no_loop, two_loops
from tinygraph.support.arguments import check_integer, check_positive
from tinygraph.tensor.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.logistic.costs import Data
    from tinygraph.logistic.inputs import Array


def gradient_descent(
    w: Sequence[Value] | Tensor,
    b: Value | Tensor,
    X: Data,
    Y: Data,
    *,
    loss: str = "cross_entropy",
    sample_weight: Data | None = None,
    C: float = math.inf,
    learning_rate: float = 0.5,
    iterations: int = 100,
    tol: float | None = None,
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
        sample_weight: Weight of each example, with the shape of Y. Defaults to equal weights.
        C: Inverse of the regularization strength. Defaults to infinity: no regularization.
        learning_rate: Learning rate α, which multiplies each derivative. Defaults to 0.5.
        iterations: Maximum number of iterations. Defaults to 100.
        tol: Tolerance: gradient descent stops when no derivative is larger than `tol` in absolute value. Defaults to
            None: no early stop.

    Yields:
        The cost before each iteration.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the shapes do not match, or if a number is too small.
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
    check_positive("learning_rate", learning_rate)
    check_integer("iterations", iterations, least=0)
    if tol is not None:
        check_positive("tol", tol, zero=True)
    cost: Callable[..., Value | Tensor] = no_loop if isinstance(w, Tensor) else two_loops
    backward = backward_of(partial(cost, w, b, X, Y, loss, sample_weight=sample_weight, C=C))
    yield from descend(backward, parameters_of(w, b), learning_rate, iterations, tol)


def parameters_of(w: Sequence[Value] | Tensor, b: Value | Tensor) -> list[Value | Tensor]:
    """Return the leaves that gradient descent edits.

    Args:
        w: Weights: a sequence of Values, or a Tensor.
        b: Bias.

    Returns:
        The weights and the bias.

    Examples:
        >>> len(parameters_of([Value(1.0), Value(2.0)], Value(0.0)))
        3
    """
    return [w, b] if isinstance(w, Tensor) else [*listed_values(w, b), b]


def backward_of(cost: Callable[[], Value | Tensor]) -> Callable[[], float]:
    """Return a function that records the cost, backpropagates, and returns the value of the cost.

    Args:
        cost: Function that records the cost.

    Returns:
        The function.

    Examples:
        >>> w, b = [Value(0.0)], Value(0.0)
        >>> round(backward_of(lambda: two_loops(w, b, [[-1.0], [1.0]], [0, 1]))(), 3), w[0].grad
        (0.693, -0.5)
    """

    def backward() -> float:
        J = cost()
        J.backward()
        return J.item()

    return backward


def descend(
    backward: Callable[[], float],
    parameters: Sequence[Value | Tensor],
    learning_rate: float,
    iterations: int,
    tol: float | None = None,
) -> Generator[float, None, bool]:
    """Run gradient descent with the gradients that a function sets, and yield the cost before each iteration.

    Args:
        backward: Function that sets `.grad` of the parameters and returns the cost.
        parameters: Leaves to edit in place.
        learning_rate: Learning rate α, which multiplies each derivative.
        iterations: Maximum number of iterations.
        tol: Largest absolute value of a derivative at which gradient descent stops. Defaults to None: no early stop.

    Yields:
        The cost before each iteration. The last iteration before an early stop does not change the parameters.

    Returns:
        True if gradient descent stopped because of `tol`.

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
            updates = [(x, x.raw - learning_rate * x.grad) for x in parameters if x.grad is not None]
        check_finite(iteration, J, *[new for _, new in updates])
        if tol is not None and all(np.max(np.abs(np.asarray(x.grad)), initial=0.0) <= tol for x, _ in updates):
            yield J
            return True
        for parameter, new in updates:
            parameter.data = new
        yield J
    return False


def check_finite(iteration: int, J: float, *numbers: float | Array) -> None:
    """Check that gradient descent does not diverge.

    Args:
        iteration: Number of the iteration, for the message.
        J: Cost.
        *numbers: New parameters or derivatives.

    Raises:
        FloatingPointError: If a number is not finite.

    Examples:
        >>> check_finite(0, 0.5, np.array([1.0, 2.0]))
    """
    if not all(np.isfinite(number).all() for number in (J, *numbers)):
        what = "a parameter overflows" if np.isfinite(J) else f"the cost is {J}"
        raise FloatingPointError(
            f"{what} at iteration {iteration}: standardize the features, or lower the learning rate"
        )
