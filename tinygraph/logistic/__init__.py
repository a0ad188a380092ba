"""Logistic regression as a one-neuron network: costs, gradient descent, and a model with scikit-learn's interface."""

from __future__ import annotations

from tinygraph.logistic.classifier import BACKENDS
from tinygraph.logistic.conventions import ConvergenceWarning, DataConversionWarning, NotFittedError
from tinygraph.logistic.costs import LOSSES, no_loop, one_loop, two_loops
from tinygraph.logistic.descent import gradient_descent
from tinygraph.logistic.model import LogisticRegression, SoftmaxRegression

__all__ = [
    "BACKENDS",
    "LOSSES",
    "ConvergenceWarning",
    "DataConversionWarning",
    "LogisticRegression",
    "NotFittedError",
    "SoftmaxRegression",
    "gradient_descent",
    "no_loop",
    "one_loop",
    "two_loops",
]
