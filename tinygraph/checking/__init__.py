"""Numerical derivatives (finite differences and the complex step) to check backpropagation."""

from __future__ import annotations

from tinygraph.checking.comparison import GradientCheck, InputCheck, check_grad
from tinygraph.checking.numeric import numeric_grad

__all__ = ["GradientCheck", "InputCheck", "check_grad", "numeric_grad"]
