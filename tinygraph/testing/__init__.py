"""Property-based gradient tests for your functions and ops.

The package contains Hypothesis strategies, assertions that explain a failure, and a complete test of an op (`op_test`).
The package needs Hypothesis, which you install with `pip install '.[test]'` in your clone of tinygraph.

K. Claessen and J. Hughes introduced property-based testing in "QuickCheck: a lightweight tool for random testing of
Haskell programs", ICFP 2000, 268-279.
"""

from __future__ import annotations

from tinygraph.support.messages import install_command

try:
    import hypothesis as _  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"tinygraph.testing needs Hypothesis: {install_command('test')}", name=error.name
    ) from None

from tinygraph.testing.adapters import from_autograd, from_jax, from_torch
from tinygraph.testing.array_strategies import RandomTensorProgram, arrays, shapes, tensor_programs, tensors
from tinygraph.testing.assertions import assert_gradient, assert_same_gradient
from tinygraph.testing.gradient_tests import gradient_test
from tinygraph.testing.input_strategies import arrays_like
from tinygraph.testing.op_tests import op_test
from tinygraph.testing.own_gradients import assert_jvp, assert_value_and_grad, assert_vjp
from tinygraph.testing.strategies import RandomProgram, expressions, graphs, points, public_ops

__all__ = [
    "RandomProgram",
    "RandomTensorProgram",
    "arrays",
    "arrays_like",
    "assert_gradient",
    "assert_jvp",
    "assert_same_gradient",
    "assert_value_and_grad",
    "assert_vjp",
    "expressions",
    "from_autograd",
    "from_jax",
    "from_torch",
    "gradient_test",
    "graphs",
    "op_test",
    "points",
    "public_ops",
    "shapes",
    "tensor_programs",
    "tensors",
]
