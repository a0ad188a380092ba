"""The oracle uses the most accurate method that a function allows."""

import math

import pytest

import tinygraph
from tinygraph.engine import ops
from tinygraph.testing import assert_gradient
from tinygraph.testing.op_tests import check_op


def test_the_oracle_is_the_best_there_is():
    from tinygraph.checking.flat import FlatFunction
    from tinygraph.testing.oracles import Oracle

    def oracle(f, *at):
        function = FlatFunction(f, at, values=True)
        return Oracle(function, *function.record(function.numbers))

    linear = oracle(lambda x, y: tinygraph.total([x, y, x]) - (-y + 3.0), 1e300, 0.1)
    assert (linear.name, linear.derivative(0), linear.derivative(1)) == ("exact arithmetic", (2.0, 0.0), (2.0, 0.0))
    smooth = oracle(lambda x: tinygraph.tanh(x), 300.0)
    assert smooth.name == "mpmath"
    assert smooth.derivative(0)[0] == pytest.approx(4 * math.exp(-600), rel=1e-12)
    assert smooth.second(0, 0)[0] == pytest.approx(-8 * math.exp(-600), rel=1e-12)
    assert smooth.third(0) == pytest.approx(16 * math.exp(-600), rel=1e-12)
    kinked = oracle(lambda x: tinygraph.relu(x) * x, 3.0)
    assert kinked.name == "six-point difference"
    local, blur = kinked.derivative(0)
    assert abs(local - 6.0) <= blur < 1e-8
    assert kinked.second(0, 0)[0] == pytest.approx(2.0, rel=1e-9)
    assert kinked.third(0) is None


def test_mpmath_has_digits_enough_where_its_own_functions_lose_some():
    """mpmath's complex atan keeps three quarters of the digits near 1."""
    assert_gradient(lambda x: tinygraph.atan(x + 1.0), 0.0, order=2)


def test_a_difference_that_overflows_is_no_oracle():
    """At the limits of floats, the six-point difference is not finite, which does not mean that the op is wrong."""
    check_op(ops.pow_dy, (0.5, -1000.0), 8.0, None)


def test_the_difference_knows_that_subnormals_have_few_bits():
    assert ops.div_dy(5e-324, 0.5) == -2e-323
    assert_gradient(ops.div_dy, 5e-324, 0.5)
