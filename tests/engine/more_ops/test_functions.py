"""Functions with options: their values and derivatives are those of the textbook formula, for Values and Tensors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, grad

REAL = st.floats(-50.0, 50.0)
OPTION = st.floats(0.01, 10.0)


def agree(function, formula, slope, x, scale=1.0):
    """Check a function of floats, Values, arrays and Tensors at one point."""
    v, t = Value(x), Tensor([x, x])
    y, z = function(v), function(t)
    expected = pytest.approx(formula, rel=1e-14, abs=1e-15 * scale)
    assert function(x) == y.data == expected
    assert function(np.array([x]))[0] == expected
    assert z.data.tolist() == [expected] * 2
    assert grad(y, v) == pytest.approx(slope, rel=1e-14, abs=1e-15)
    assert grad(z.sum(), t).tolist() == pytest.approx([slope] * 2, rel=1e-14, abs=1e-15)


@given(x=REAL, slope=st.floats(-3.0, 3.0))
def test_leaky_relu(x, slope):
    agree(lambda x: tinygraph.leaky_relu(x, slope), x if x > 0 else slope * x, 1.0 if x > 0 else slope, x)
    agree(tinygraph.leaky_relu, x if x > 0 else 0.01 * x, 1.0 if x > 0 else 0.01, x)
    assert Value(x).leaky_relu(slope).data == tinygraph.leaky_relu(x, slope)


@given(x=REAL, alpha=OPTION)
def test_elu(x, alpha):
    agree(
        lambda x: tinygraph.elu(x, alpha),
        x if x > 0 else alpha * math.expm1(x),
        1.0 if x > 0 else alpha * math.exp(x),
        x,
    )
    assert Value(x).elu(alpha).data == tinygraph.elu(x, alpha)
    assert tinygraph.elu(x) == tinygraph.elu(x, 1.0)


@given(x=REAL, label=st.sampled_from([-1.0, 1.0]))
def test_hinge(x, label):
    margin = 1.0 - label * x
    agree(lambda x: tinygraph.hinge(x, label), max(0.0, margin), -label if margin > 0 else 0.0, x)


@given(x=REAL, y=REAL, delta=OPTION)
def test_huber(x, y, delta):
    d = x - y
    formula = 0.5 * d * d if abs(d) <= delta else delta * (abs(d) - 0.5 * delta)
    agree(lambda x: tinygraph.huber(x, y, delta), formula, max(-delta, min(d, delta)), x)
    assert tinygraph.huber(x, y) == tinygraph.huber(x, y, 1.0)
    a, b = Value(x), Value(y)
    loss = tinygraph.huber(a, b, delta=delta)
    assert grad(loss, b) == -grad(loss, a)
    inside = 1.0 if abs(d) < delta else 0.0
    if abs(abs(d) - delta) > 1e-9:
        assert tinygraph.hessian(loss, [a, b]) == [[inside, -inside], [-inside, inside]]


def test_the_derivative_at_a_kink_is_that_for_smaller_numbers_as_for_relu():
    slopes = {tinygraph.relu: 0.0, tinygraph.leaky_relu: 0.01, tinygraph.elu: 1.0, lambda x: tinygraph.elu(x, 2.0): 2.0}
    for function, slope in slopes.items():
        for x in (0.0, -0.0):
            v = Value(x)
            assert grad(function(v), v) == slope


def test_two_arrays_broadcast():
    x, y = Tensor([[1.0], [2.0]]), np.array([1.0, -1.0, 1.0])
    assert tinygraph.hinge(x, y).shape == tinygraph.huber(x, y).shape == (2, 3)
    assert tinygraph.hinge([0.5, 3.0], [1, -1]).tolist() == [0.5, 4.0]
    assert tinygraph.huber([0.5, 3.0], 0).tolist() == [0.125, 2.5]


def test_options_out_of_range_are_refused():
    for x in (0.5, Value(0.5), Tensor([0.5])):
        with pytest.raises(ValueError, match="negative_slope must be a finite number, not inf"):
            tinygraph.leaky_relu(x, math.inf)
        with pytest.raises(ValueError, match="alpha must be a finite number, not nan"):
            tinygraph.elu(x, math.nan)
        with pytest.raises(ValueError, match=r"delta must be a positive number, not 0\.0"):
            tinygraph.huber(x, 0.0, delta=0.0)
