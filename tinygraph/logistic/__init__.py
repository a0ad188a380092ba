"""Logistic regression as a neural network of one neuron: costs, gradient descent, a model in scikit-learn's manner."""

from __future__ import annotations

from tinygraph.logistic.model import (
    BACKENDS,
    LOSSES,
    LogisticRegression,
    NotFittedError,
    gradient_descent,
    no_loop,
    one_loop,
    two_loops,
)

__all__ = [
    "BACKENDS",
    "LOSSES",
    "LogisticRegression",
    "NotFittedError",
    "gradient_descent",
    "no_loop",
    "one_loop",
    "two_loops",
]
