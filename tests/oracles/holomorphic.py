"""Derivatives of NumPy functions that accept complex arrays: an oracle that differs from automatic differentiation.

A function that NumPy computes with complex arrays has derivatives that are exact to rounding. The complex step gives
each element of the gradient. Cauchy's integral formula gives the directional derivatives of every order.
"""

import math

import numpy as np

from tinygraph import Tensor, grad

STEP = 1e-30


def gradients(function, operands, weights):
    """Return the gradient of sum(weights * function(...)) for each operand, by the complex step."""
    found = []
    for k, operand in enumerate(operands):
        gradient = np.zeros(operand.shape)
        for place in np.ndindex(*operand.shape):
            moved = [x.astype(complex) for x in operands]
            moved[k][place] += 1j * STEP
            gradient[place] = np.sum(weights * function(*moved)).imag / STEP
        found.append(gradient)
    return found


def directional(function, operands, weights, direction, order, radius, points=32):
    """Return a directional derivative of sum(weights * function(...)), by Cauchy's integral formula."""
    angles = 2j * np.pi * np.arange(points) / points
    total = 0.0
    for circle in np.exp(angles):
        moved = [x + radius * circle * v for x, v in zip(operands, direction, strict=True)]
        total += np.sum(weights * function(*moved)) * circle**-order
    return (total / points).real * math.factorial(order) / radius**order


def check_derivatives(function, *operands, analytic=None, orders=3, radius=0.125, seed=0, rtol=1e-10):
    """Check the value and the derivatives of a function of Tensors.

    The value must be NumPy's. Each element of the gradient is checked, and one direction for the higher orders.

    Args:
        function: Function of arrays and Tensors.
        *operands: Arrays.
        analytic: The same function of complex arrays, if NumPy's conjugates or takes absolute values.
        orders: Highest order.
        radius: Radius of the circle around the operands. The function must be holomorphic in a larger circle.
        seed: Seed of the random weights and directions.
        rtol: Relative tolerance of the derivatives.

    Returns:
        The node.
    """
    rng = np.random.default_rng(seed)
    analytic = analytic or function
    leaves = [Tensor(x) for x in operands]
    node, expected = function(*leaves), function(*operands)
    assert isinstance(node, Tensor)
    assert node.data.dtype == np.float64
    np.testing.assert_allclose(node.data, expected, rtol=1e-12, atol=1e-13, strict=isinstance(expected, np.ndarray))
    np.testing.assert_allclose(analytic(*operands), expected, rtol=1e-12, atol=1e-13)
    weights, direction = rng.normal(size=node.shape), [rng.normal(size=x.shape) for x in operands]
    derivative = (node * weights).sum()
    for gradient, leaf, right in zip(
        grad(derivative, leaves), leaves, gradients(analytic, operands, weights), strict=True
    ):
        assert gradient.shape == leaf.shape
        np.testing.assert_allclose(gradient, right, rtol=rtol, atol=rtol)
    for order in range(1, orders + 1):
        partials = grad(derivative, leaves, create_graph=True) if isinstance(derivative, Tensor) else []
        derivative = sum((partial * v).sum() for partial, v in zip(partials, direction, strict=True))
        right = directional(analytic, operands, weights, direction, order, radius)
        np.testing.assert_allclose(getattr(derivative, "data", derivative), right, rtol=rtol, atol=rtol * 10**order)
    return node
