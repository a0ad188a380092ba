"""Property-based gradient tests: Hypothesis strategies, assertions that explain themselves, a whole test for an op."""

from __future__ import annotations

from tinygraph.testing.assertions import assert_gradient, assert_same_gradient, op_test
from tinygraph.testing.strategies import (
    Program,
    TensorProgram,
    arrays,
    expressions,
    graphs,
    points,
    public_rows,
    shapes,
    tensor_programs,
    tensors,
)

__all__ = [
    "Program",
    "TensorProgram",
    "arrays",
    "assert_gradient",
    "assert_same_gradient",
    "expressions",
    "graphs",
    "op_test",
    "points",
    "public_rows",
    "shapes",
    "tensor_programs",
    "tensors",
]
