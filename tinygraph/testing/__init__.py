"""Property-based gradient tests, for your functions and ops as for ours.

Hypothesis strategies, assertions that explain themselves, and `op_test`, a whole test for an op. Needs Hypothesis:
in a clone, `pip install '.[test]'`.
"""

from __future__ import annotations

from tinygraph.testing.array_strategies import RandomTensorProgram, arrays, shapes, tensor_programs, tensors
from tinygraph.testing.assertions import assert_gradient, assert_same_gradient
from tinygraph.testing.op_tests import op_test
from tinygraph.testing.strategies import RandomProgram, expressions, graphs, points, public_ops

__all__ = [
    "RandomProgram",
    "RandomTensorProgram",
    "arrays",
    "assert_gradient",
    "assert_same_gradient",
    "expressions",
    "graphs",
    "op_test",
    "points",
    "public_ops",
    "shapes",
    "tensor_programs",
    "tensors",
]
