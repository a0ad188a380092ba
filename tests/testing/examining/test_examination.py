"""What an examination reports beside wrong elements, and what it must not report."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygraph.testing import assert_value_and_grad

X = np.random.default_rng(0).normal(size=(3, 4)) + 0.05


def squares(x, wrong=0.0):
    return (x * x).sum(), 2.0 * x + wrong


@pytest.mark.parametrize("size", [5, 17, 400])
@pytest.mark.parametrize("by", [1e-2, 1e-4, 1e-6])
def test_a_small_element_is_not_hidden_by_large_ones(size, by):
    x = np.linspace(1.0, 2.0, size)
    x[2] = by
    assert_value_and_grad(squares, x)
    with pytest.raises(AssertionError, match=rf"wrong in 1 of {size} elements\n +x\[2\]"):
        assert_value_and_grad(lambda x: squares(x, by * (x == by)), x)


def test_wrong_elements_are_counted_in_blocks_and_far_more_of_them_are_not_all_examined():
    calls = []

    def f(x, wrong):
        calls.append(x)
        return (x * x).sum(), 2.0 * x + wrong

    x = np.linspace(1.0, 2.0, 2000).reshape(40, 50)
    wrong = np.zeros(2000)
    wrong[[3, 4, 700, 1999]] = 1e-4
    with pytest.raises(AssertionError, match=r"wrong in 4 of 2,000 elements\n +x\[0, 3\]"):
        assert_value_and_grad(lambda x: f(x, wrong.reshape(x.shape)), x)
    assert len(calls) < 2000
    with pytest.raises(AssertionError, match=r"wrong in at least 1,000 of 2,000 elements\n(.*\n)+.*by the same amount"):
        assert_value_and_grad(lambda x: f(x, 1.0), x)


@pytest.mark.parametrize("scale", [1.0, 1e-2, 1e-4])
def test_a_tie_that_is_small_beside_other_gradients_counts_as_a_kink(scale):
    def f(share):
        def largest(x, y):
            ties = 1.0 * (x == x.max())
            return scale * x.max() + y**2, (scale * ties * (share if ties.sum() > 1.0 else 1.0), 2.0 * y)

        return largest

    x = np.array([2.0, 1.0, 2.0])
    assert_value_and_grad(f(0.5), x, 1.0)
    with pytest.raises(AssertionError, match="is a tied element counted twice"):
        assert_value_and_grad(f(1.0), x, 1.0)


@given(error=st.sampled_from([1e-4, -1e-4, 1e-6]), power=st.sampled_from([2, 3, 4]))
def test_a_smooth_function_has_no_choice_where_its_derivative_is_0(error, power):
    f = lambda wrong: lambda x: (x**power, power * x ** (power - 1) + wrong * (x == 0.0))  # noqa: E731
    assert_value_and_grad(f(0.0), 0.0)
    with pytest.raises(AssertionError, match="gradient of x is wrong in 1 of 1"):
        assert_value_and_grad(f(error), 0.0)


def test_swapped_gradients_are_named():
    f = lambda x, y: ((x * y**2).sum(), (2.0 * x * y, y**2))  # noqa: E731
    swapped = "it is the right gradient of {}: are the gradients of x and y swapped"
    with pytest.raises(AssertionError, match=rf"(.*\n)+.*{swapped.format('y')}(.*\n)+.*{swapped.format('x')}"):
        assert_value_and_grad(f, X, X + 1.0)
    with pytest.raises(AssertionError, match=r"gradient of x is wrong(.*\n)+.*it is the right gradient of y\n"):
        assert_value_and_grad(lambda x, y: (f(x, y)[0], (2.0 * x * y,) * 2), X, X + 1.0)
    product = lambda x, y: ((x @ y).sum(), (x.T @ np.ones((3, 2)), np.ones((3, 2)) @ y.T))  # noqa: E731
    with pytest.raises(AssertionError, match=r"x has shape \(3, 4\): are the gradients of x and y swapped"):
        assert_value_and_grad(product, X, X[:2].T)


def test_kinks_along_a_direction_excuse_no_element():
    x = np.linspace(-1.0, 1.0, 41)
    x[::2] = 0.0
    right = lambda x: (np.maximum(x, 0.0).sum(), 1.0 * (x > 0.0))  # noqa: E731
    assert_value_and_grad(right, x)
    with pytest.raises(AssertionError, match=r"wrong in 1 of 41 elements\n +x\[7\]"):
        assert_value_and_grad(lambda x: (right(x)[0], right(x)[1] + 2.0 * (np.arange(41) == 7)), x)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_check_outside_the_domain_does_not_pass_for_a_finite_gradient(value):
    with pytest.raises(AssertionError, match=f"f is {value} here: the point is outside its domain"):
        assert_value_and_grad(lambda x: (value, 2.0 * x), X)
    assert_value_and_grad(lambda x: (value, math.nan * x), X)


def test_a_function_that_is_finite_only_at_the_point_is_not_checked():
    at = X.copy()
    f = lambda x: (1.0 if (x == at).all() else math.nan, 2.0 * x)  # noqa: E731
    with pytest.raises(AssertionError, match=r"wrong in 12 of 12.*\n.*not finite on either side, so it cannot be"):
        assert_value_and_grad(f, X)


@pytest.mark.parametrize("error", [RuntimeError, ValueError, AssertionError, ZeroDivisionError])
def test_a_function_may_raise_outside_its_domain(error):
    def entropy(p):
        if not 0.0 < p < 1.0:
            raise error("p must be a probability")
        return -p * math.log(p), -math.log(p) - 1.0

    for p in (0.5, 1e-3, 0.999, 0.9999999):
        assert_value_and_grad(entropy, p)
    with pytest.raises(AssertionError, match="gradient of p is wrong"):
        assert_value_and_grad(lambda p: (entropy(p)[0], entropy(p)[1] + 1e-3), 0.999)


def test_a_complex_step_finds_what_a_large_constant_hides():
    f = lambda wrong: lambda x: (1e8 + (x * x).sum(), wrong * 2.0 * x)  # noqa: E731
    assert_value_and_grad(f(1.0), X)
    with pytest.raises(AssertionError, match="complex step"):
        assert_value_and_grad(f(1.0 + 1e-5), X)
    absolute = lambda x: (1e8 + np.abs(x).sum(), np.sign(x))  # noqa: E731
    assert_value_and_grad(absolute, X)  # the complex step of abs is 0, so it does not count


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-3, 1.0, 30.0]))
def test_single_precision_inside_is_found_and_double_precision_is_not_accused(seed, scale):
    x = np.random.default_rng(seed).normal(size=4) * scale

    def f(dtype):
        return lambda x: ((np.sin(x).astype(dtype) * np.cos(x)).sum(), np.cos(2.0 * x))

    assert_value_and_grad(f(float), x)
    with pytest.raises(AssertionError, match=r"float32 inside|is wrong in"):
        assert_value_and_grad(f(np.float32), x)


def test_a_value_that_changes_between_calls_is_reported():
    random = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="a second call at the same point gives the value"):
        assert_value_and_grad(lambda x: (random.uniform() + x.sum(), np.ones_like(x)), X)


def test_gradients_that_overwrite_each_other_are_named():
    def f(x, y):
        buffer = np.empty_like(x)
        first = np.multiply(2.0 * x, y, out=buffer)
        second = np.multiply(x, x, out=buffer)
        return (x * x * y).sum(), (first, second)

    with pytest.raises(AssertionError, match="the gradients of x and y share their memory"):
        assert_value_and_grad(f, X, X + 1.0)
    shared = lambda x, y: ((x + y).sum(), (np.ones_like(x),) * 2)  # noqa: E731
    assert_value_and_grad(shared, X, X)  # sharing alone does not matter


def test_infinite_inputs_do_not_count_as_wrong():
    assert_value_and_grad(lambda x: (np.tanh(x).sum(), 1.0 - np.tanh(x) ** 2), np.array([np.inf, 0.5]))


def test_gradients_in_dicts_are_matched_by_key():
    f = lambda gradients: lambda p: (2.0 * p["a"] + 3.0 * p["b"], gradients)  # noqa: E731
    at = {"a": 1.0, "b": 1.0}
    assert_value_and_grad(f({"b": 3.0, "a": 2.0}), at)
    assert_value_and_grad(f(({"b": 3.0, "a": 2.0},)), at)
    with pytest.raises(AssertionError, match=r"gradient of p\['a'\] is wrong"):
        assert_value_and_grad(f({"b": 2.0, "a": 3.0}), at)
    with pytest.raises(AssertionError, match=r"the structure .* must be a dict with the keys 'a', 'b', got \{'x'"):
        assert_value_and_grad(f({"x": 2.0, "y": 3.0}), at)
    with pytest.raises(AssertionError, match="f returns 1 gradient for 2 inputs"):
        assert_value_and_grad(f({"a": 2.0}), at)
    assert_value_and_grad(lambda p: (p[0] * p[1], [p[1], p[0]]), [2.0, 3.0])
    assert_value_and_grad(lambda p: (p[0] * p[0], ([2.0 * p[0]],)), [2.0])
    assert_value_and_grad(lambda x: ((x * x).sum(), (2.0 * x).tolist()), X[0])


def test_a_function_without_inputs_passes():
    assert_value_and_grad(lambda: (1.0, ()))
    assert_value_and_grad(lambda x: (x.sum(), np.zeros(0)), np.zeros(0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("f", "at"), [
    (lambda x: (np.sum(np.exp(x)), np.exp(x)), 500.0),
    (lambda x: (np.sum(x * x), 2.0 * x), 1e150),
    (lambda x: (np.sum(np.abs(x)), np.sign(x)), 1e300),
])  # fmt: skip
def test_large_values_lead_to_no_warning(f, at):
    for x in (at, np.array([at, 0.5 * at])):
        assert_value_and_grad(f, x)
        with pytest.raises(AssertionError, match="every element is 3 times the right number"):
            assert_value_and_grad(lambda x: (f(x)[0], 3.0 * f(x)[1]), x)
