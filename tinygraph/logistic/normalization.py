"""Normalize the parameters, so that the cost is curved equally in all directions at the start of gradient descent.

Gradient descent is slow if the features have different means and scales, or if they are correlated. The usual remedy
is to subtract the means, to divide by the standard deviations, and to remove the correlations. Here the data stay as
they are, and the parameters change instead: w = w₀ + M v and b = b₀ + cβ − μᵀ M v, where μ are the means of the
features. The matrix M makes the second derivatives of the cross-entropy with respect to v and β the identity matrix at
w = 0. There, the second derivative of a loss with respect to the logit is 1 / c² with c = 2. For the softmax of K
classes, the matrix of the second derivatives with respect to the logits is (I − 11ᵀ / K) / K, so c² = K. Only a
direction that adds the same number to all logits has the second derivative 0. Combinations of features that do not vary
are not used, so their weights keep their initial values.

References:
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", section 4.3, in Neural Networks: Tricks of
    the Trade, Lecture Notes in Computer Science 1524, Springer, 1998.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygraph.logistic.inputs import Array

DECORRELATED = 1000  # largest number of features whose correlations are removed; the matrix M has this many rows
LARGEST = 1e300
SMALLEST = 1e-12  # relative variance below which a combination of features counts as constant


@dataclass(frozen=True)
class Normalization:
    """Convert between normalized and original parameters.

    Args:
        mean: Weighted mean of each feature (n,).
        M: Matrix (n, n), or its diagonal (n,) for a large n.
        c: Factor of the bias. Defaults to 2, which belongs to the sigmoid.
    """

    mean: Array
    M: Array
    c: float = 2.0

    def original(self, normalized: Array) -> Array:
        """Return the change of the weights and the bias that belongs to a change of the normalized parameters.

        Args:
            normalized: v and β, as an array (n + 1,). For a model with K logits, the rows of a matrix (n + 1, K), one
                after another.

        Returns:
            The change of w and b, as an array with the same shape.

        Examples:
            >>> Normalization(np.array([3.0]), np.array([[0.5]])).original(np.array([2.0, 1.0])).tolist()
            [1.0, -1.0]
        """
        v, beta = self._split(normalized)
        w = self.M @ v if self.M.ndim == 2 else self.M[:, None] * v
        return np.append(w, self.c * beta - self.mean @ w)

    def gradient(self, original: Array) -> Array:
        """Return the derivatives with respect to the normalized parameters, by the chain rule.

        Args:
            original: dw and db, as an array with the shape of the normalized parameters.

        Returns:
            The derivatives with respect to v and β, as an array with the same shape.

        Examples:
            >>> Normalization(np.array([3.0]), np.array([[0.5]])).gradient(np.array([4.0, 1.0])).tolist()
            [0.5, 2.0]
        """
        dw, db = self._split(original)
        centered = dw - self.mean[:, None] * db
        return np.append(self.M.T @ centered if self.M.ndim == 2 else self.M[:, None] * centered, self.c * db)

    def _split(self, parameters: Array) -> tuple[Array, Array]:
        rows = parameters.reshape(len(self.mean) + 1, -1)
        return rows[:-1], rows[-1]


def normalization(add: Callable[..., Array], n: int, C: float = math.inf, square: float = 4.0) -> Normalization:
    """Return the normalization for a table.

    Args:
        add: Function that calls another function with rows of the table, their weights and more arguments, and returns
            the sum of the results over all rows. Data in chunks are read twice.
        n: Number of features.
        C: Inverse of the regularization strength. Defaults to infinity.
        square: The square c². Defaults to 4, which belongs to the sigmoid.

    Returns:
        The normalization.

    Examples:
        >>> X, weights = np.array([[0.0], [2.0]]), np.ones(2)
        >>> found = normalization(lambda function, *args: function(X, weights, *args), 1)
        >>> found.mean.tolist(), found.M.tolist()
        ([1.0], [[2.0]])
    """
    with np.errstate(all="ignore"):  # numbers near the limits of float64 underflow and overflow without harm
        size, *sums = add(_sums)
        mean, unit = np.array(sums[:n]) / size, np.array(sums[n:]) / size
        unit[unit == 0.0] = 1.0  # a feature that is always 0
        diagonal = n > DECORRELATED
        curvature = add(_diagonal if diagonal else _products, mean, unit) / (square * size)
        ridge = np.minimum(1.0 / unit / unit, LARGEST) / (C * size)  # second derivatives of the regularization
        if diagonal:
            scale = 1.0 / np.sqrt(np.where(_kept(curvature + ridge), curvature + ridge, 1.0))
            return Normalization(mean, scale / unit, math.sqrt(square))
        curvature[np.diag_indices(n)] += ridge
        diag = np.diag(curvature)
        scale = np.sqrt(np.where(_kept(diag), diag, 1.0))
        variances, axes = np.linalg.eigh(curvature / np.outer(scale, scale))
        factors = np.where(variances > SMALLEST * variances[-1], 1.0 / np.sqrt(variances), 0.0)
        return Normalization(mean, axes * factors / (scale * unit)[:, None], math.sqrt(square))


def _kept(curvature: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether the features vary. The curvature of a constant feature is 0, up to rounding."""
    return curvature > SMALLEST**2


def _sums(rows: Array, weights: Array) -> Array:
    """Return the sum of the weights, and the weighted sums of the features and of their absolute values."""
    return np.concatenate([[weights.sum()], weights @ rows, weights @ np.abs(rows)])


def _centered(rows: Array, mean: Array, unit: Array) -> Array:
    """Return the rows minus the means, in units in which squares do not overflow."""
    return rows / unit - mean / unit


def _products(rows: Array, weights: Array, mean: Array, unit: Array) -> Array:
    """Return the weighted sums of the products of all pairs of features (n, n)."""
    centered = _centered(rows, mean, unit)
    return (centered.T * weights) @ centered


def _diagonal(rows: Array, weights: Array, mean: Array, unit: Array) -> Array:
    """Return the weighted sums of the squares of the features (n,)."""
    return weights @ _centered(rows, mean, unit) ** 2
