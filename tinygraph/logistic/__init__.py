"""Logistic regression as a neural network with one neuron: costs, gradient descent, and a scikit-learn-style model."""

from __future__ import annotations

from tinygraph.logistic.costs import LOSSES, no_loop, one_loop, two_loops
from tinygraph.logistic.descent import gradient_descent
from tinygraph.logistic.model import BACKENDS, LogisticRegression, NotFittedError

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
