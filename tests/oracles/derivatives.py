"""Gradients of a weighted sum of NumPy's results, from finite differences."""

import numpy as np

from tests.tensor.numpy_expressions import Expression, pieces

Point = dict[str, np.ndarray]

STEP = 0.002
STENCIL = ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280))  # Fornberg (1988): the error is of order 8
REL = 1e-10


def weights_of(shape, i=0):
    """Return fixed weights, all different and none 0, for the sum whose gradient is compared."""
    return 1.2 + np.cos(1.0 + i + np.arange(np.prod(shape, dtype=int))).reshape(shape)


def weighted(parts):
    """Return the weighted sum of plain parts, without NaNs."""
    return sum(np.nansum(weights_of(np.shape(part), i) * np.asarray(part)) for i, part in enumerate(parts))


def difference(f, x, direction, step=STEP):
    """Return the derivative of f at x along a direction, from central differences of order 8."""
    terms = [c * (np.asarray(f(x + k * step * direction)) - f(x - k * step * direction)) for k, c in STENCIL]
    return sum(terms) / step


def differences(expression: Expression, point: Point, step=STEP) -> Point:
    """Return the gradient of the weighted sum of NumPy's result, one element at a time."""
    gradients = {}
    for name, value in point.items():

        def f(x, name=name):
            return weighted(pieces(expression.plain({**point, name: x})))

        units = np.eye(value.size).reshape(value.size, *value.shape)
        gradients[name] = np.array([difference(f, value, unit, step) for unit in units]).reshape(value.shape)
    return gradients


def assert_close(ours, theirs, what, rel=REL):
    """Compare relative to the largest element, because a difference of elements loses digits."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert ours.shape == theirs.shape, what
    scale = max(1.0, np.max(np.abs(theirs[np.isfinite(theirs)]), initial=0.0))
    np.testing.assert_allclose(ours, theirs, rtol=rel, atol=rel * scale, err_msg=what)
