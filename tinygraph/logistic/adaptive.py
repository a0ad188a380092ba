"""Gradient descent that chooses its learning rate.

The learning rate of each iteration comes from the last two gradients: if the parameters changed by s and the gradient
by y, then α = sᵀy / yᵀy (Barzilai and Borwein). For a cost with the same second derivative in each direction, this is
the learning rate that leads straight to the minimum. The cost may rise a little in some iterations. It must stay below
the largest of the last ten costs; otherwise the iteration is repeated with a smaller learning rate.

References:
    J. Barzilai and J. M. Borwein, "Two-point step size gradient methods", IMA Journal of Numerical Analysis 8, 1988.
    M. Raydan, "The Barzilai and Borwein gradient method for the large scale unconstrained minimization problem", SIAM
    Journal on Optimization 7, 1997.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence

import numpy as np

from tinygraph.engine.value import Value
from tinygraph.logistic.descent import check_finite
from tinygraph.logistic.inputs import Array
from tinygraph.logistic.normalization import Normalization
from tinygraph.tensor.tensor import Tensor

REMEMBERED = 10  # number of costs of which the largest is the limit
DECREASE = 1e-4  # share of the decrease that the gradient predicts, and that an iteration must reach
SHORTER = 0.25  # factor of the learning rate if the cost is too large
SHORTEST = 1e-20  # smallest learning rate; below it, rounding hides any decrease


def descend_adaptively(
    backward: Callable[[], float],
    parameters: Sequence[Value | Tensor],
    normalization: Normalization,
    iterations: int,
    tol: float | None,
) -> Generator[float, None, bool]:
    """Run gradient descent on normalized parameters, and yield the cost before each iteration.

    Args:
        backward: Function that sets `.grad` of the parameters and returns the cost.
        parameters: Weights and bias: leaves to edit in place.
        normalization: Normalized parameters.
        iterations: Maximum number of iterations.
        tol: Largest absolute value of a derivative with respect to a normalized parameter at which gradient descent
            stops, or None.

    Yields:
        The cost before each iteration. The last iteration before an early stop does not change the parameters.

    Returns:
        True if gradient descent stopped because of `tol`, or because no learning rate decreases the cost.

    Raises:
        FloatingPointError: If the cost or a derivative is not finite at the start.
    """
    start = np.concatenate([np.ravel(x.raw) for x in parameters])

    def evaluate(position: Array) -> tuple[float, Array]:
        _write(parameters, start + normalization.original(position))
        J = backward()
        return J, normalization.gradient(np.concatenate([np.ravel(np.asarray(x.grad)) for x in parameters]))

    at, learning_rate = np.zeros(len(start)), 1.0
    with np.errstate(all="ignore"):  # a learning rate that overflows is rejected
        J, gradient = evaluate(at)
        check_finite(0, J, gradient)
        costs = deque([J], REMEMBERED)
        for _ in range(iterations):
            square = gradient @ gradient
            done = square == 0.0 or (tol is not None and np.max(np.abs(gradient)) <= tol)
            while not done:
                new = at - learning_rate * gradient
                cost, slopes = evaluate(new)
                if cost <= max(costs) - DECREASE * learning_rate * square and np.isfinite(slopes).all():
                    break
                learning_rate *= SHORTER
                done = learning_rate < SHORTEST
            if done:
                _write(parameters, start + normalization.original(at))
                yield J
                return True
            yield J
            learning_rate = _next_learning_rate(learning_rate, new - at, slopes - gradient)
            at, J, gradient = new, cost, slopes
            costs.append(J)
    return False


def _next_learning_rate(learning_rate: float, change: Array, change_of_gradient: Array) -> float:
    """Return sᵀy / yᵀy, or twice the last learning rate where the cost is not curved upward."""
    product = float(change @ change_of_gradient)
    return product / float(change_of_gradient @ change_of_gradient) if product > 0.0 else 2.0 * learning_rate


def _write(parameters: Sequence[Value | Tensor], numbers: Array) -> None:
    """Edit the parameters in place."""
    begin = 0
    for parameter in parameters:
        shape = np.shape(parameter.raw)
        size = int(np.prod(shape))
        values = numbers[begin : begin + size]
        parameter.data = values.reshape(shape) if isinstance(parameter, Tensor) else values.item()
        begin += size
