"""Assertions about gradients find errors, and explain them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

import tinygraph
from tests.testing.wrong_ops import WRONG
from tinygraph import Value
from tinygraph.engine import domain
from tinygraph.engine.op import Op
from tinygraph.testing import assert_gradient, assert_same_gradient, graphs, tensor_programs


@pytest.mark.parametrize("what", ["sign", "missing factor", "swapped operands", "a slope that is right to a millionth"])
def test_a_wrong_row_inside_a_program_is_found(what):
    wrong = WRONG[what]
    f = (lambda x, y: wrong(x + y) * y) if wrong.arity == 1 else (lambda x, y: wrong(x, y) + x)
    with pytest.raises(
        AssertionError, match=r"the derivative with respect to x\n  backpropagation .*\n  (mpmath|six-point)"
    ):
        assert_gradient(f, 1.5, 0.5)


@settings(max_examples=20)
@given(program=graphs(max_steps=5, max_inputs=2))
def test_right_programs_pass(program):
    assert_gradient(program, *program.at)
    assert_gradient(program, *program.at, order=2)


def test_messages_say_everything():
    wrong = Op("wrong", lambda x: x * x, partials=(lambda out, x: 3.0 * x,), domain=domain.KINK_AT_0)
    with pytest.raises(AssertionError) as caught:
        assert_gradient(lambda w, x: wrong(w[0]) * x, [2.0], 5.0)
    text = str(caught.value)
    assert "lambda" in text
    assert "at (w[0] = 2.0, x = 5.0)" in text
    assert "the derivative with respect to w[0]" in text
    assert "backpropagation      30.0" in text
    assert "six-point difference 20.0" in text
    assert "its own error" in text
    assert "relative error 5.0e-01" in text
    with pytest.raises(AssertionError, match=r"note: relu\(x\) is at a kink, at 0"):
        assert_gradient(lambda x: x.relu(), 0.0)
    with pytest.raises(ValueError, match="order must be one of 1, 2"):
        assert_gradient(lambda x: x, 1.0, order=3)


def test_a_pass_that_touches_data_is_caught():
    class Meddling(float):
        """A local derivative that edits the leaf that its contribution goes to."""

        def __rmul__(self, other):
            leaf.raw += 1.0
            return other * float(self)

    def f(x):
        nonlocal leaf
        leaf = x
        y = x * 2.0
        y.x_partial = Meddling(2.0)
        return y

    leaf = None
    with pytest.raises(AssertionError, match=r"changed x|two passes differ"):
        assert_gradient(f, 1.0)


def test_two_implementations():
    assert_same_gradient(lambda x, y: (x * y).log(), lambda x, y: x.log() + y.log(), 2.0, 3.0)
    assert_same_gradient(lambda x: tinygraph.relu(x), lambda x: tinygraph.maximum(x, 0.0), -1.0)
    with pytest.raises(AssertionError, match=r"differ at \(2.0,\)\n  the derivative with respect to x: 12.0 and 4.0"):
        assert_same_gradient(lambda x: x * x * x, lambda x: x.detach() * x * 2.0, 2.0)
    with pytest.raises(AssertionError, match=r"the value: 4\.0 and 5\.0"):
        assert_same_gradient(lambda x: x * x, lambda x: x * x + 1.0, 2.0)


def test_two_implementations_of_arrays():
    x = np.array([1.0, 2.0, 3.0])
    assert_same_gradient(lambda p: (p["a"] * p["b"]).sum(), lambda p: p["b"] * p["a"].sum(), {"a": x, "b": 2.0})
    assert_same_gradient(lambda x: x * x, lambda x: x**2, x)
    with pytest.raises(AssertionError, match=r"derivative with respect to x\[0\]: 2.* and 1"):
        assert_same_gradient(lambda x: (x * x).sum(), lambda x: (x * x.detach()).sum(), x)
    with pytest.raises(AssertionError, match="the value"):
        assert_same_gradient(lambda x: x * x, lambda x: (x * x)[::-1], x)
    with pytest.raises(AssertionError, match="results have the shapes"):
        assert_same_gradient(lambda x: x, lambda x: x[:2], x)


def slope(value, analytic=lambda m, x: x * x):
    """Return the square with a wrong local derivative."""
    return Op("wrong", lambda x: x * x, partials=(lambda out, x: out * 0.0 + value,), analytic=analytic)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("analytic", [lambda m, x: x * x, None], ids=["mpmath", "six-point"])
def test_a_number_that_is_not_finite_agrees_with_no_finite_one(value, analytic):
    wrong = slope(value, analytic)
    with pytest.raises(AssertionError, match="the derivative with respect to x"):
        assert_gradient(lambda x: wrong(x), 1.5)
    for f, g in ((wrong, lambda x: x * x), (lambda x: x * x, wrong)):
        with pytest.raises(AssertionError, match="the derivative with respect to x"):
            assert_same_gradient(lambda x, f=f: f(x), lambda x, g=g: g(x), 1.5)


def test_a_finite_derivative_does_not_agree_with_an_infinite_one():
    finite = Op("finite", lambda x: math.sqrt(x), partials=(lambda out, x: 7.0,), analytic=lambda m, x: x / 1e-320)
    with pytest.raises(AssertionError, match=r"mpmath .* inf"):
        assert_gradient(lambda x: finite(x), 1.5)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_pass_whose_gradient_is_not_finite_is_caught(monkeypatch, value):
    backward = Value.backward

    def spoiled(root, **options):
        backward(root, **options)
        for leaf in root.operands:
            leaf.grad = value

    monkeypatch.setattr(Value, "backward", spoiled)
    with pytest.raises(AssertionError, match=r"with the seed .*, x.grad must be"):
        assert_gradient(lambda x: x * 3.0, 1.5)


@pytest.mark.parametrize(
    ("f", "at"),
    [(tinygraph.sqrt, 0.0), (tinygraph.log, 0.0), (tinygraph.asin, 1.0), (tinygraph.log, -1.0), (tinygraph.exp, 200.0)],
)
def test_an_infinite_derivative_at_the_end_of_a_domain_is_right(f, at):
    assert_gradient(lambda x: f(x), at)


def test_a_finite_derivative_at_the_end_of_a_domain_is_wrong():
    wrong = Op("wrong", math.sqrt, partials=(lambda out, x: 7.0,), analytic=lambda m, x: m.sqrt(x))
    with pytest.raises(AssertionError, match=r"mpmath +inf"):
        assert_gradient(lambda x: wrong(x), 0.0)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: x * math.exp(x.data), 0.7),
        (lambda x: abs(x) * x.detach(), 0.7),
        (lambda x: (x * x.data).sum(), np.array([1.0, 2.0])),
    ],
)
def test_a_cut_graph_is_found(f, at):
    with pytest.raises(
        AssertionError, match=r"the graph is cut: the constant .* changes with x.*, at .*test_assertions"
    ):
        assert_gradient(f, at)


@settings(max_examples=15, deadline=None)
@given(program=tensor_programs(max_inputs=2, max_steps=2, max_size=4))
def test_right_programs_of_tensors_pass(program):
    at = [tinygraph.Tensor(x) for x in program.at]
    assert_gradient(program, *at)
    assert_gradient(program, *at, order=2)


def test_a_wrong_derivative_of_a_tensor_is_found():
    wrong = Op("wrong", lambda x: x * x, arrays="square", partials=(lambda out, x: 3.0 * x,))
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(AssertionError, match=r"gradient of x is wrong in 3 of 3 elements(.*\n)+.*1\.5 times"):
        assert_gradient(lambda x: wrong(x).sum(), x)

    def late_partial(out, x):
        return 2.0 * (x.detach() if hasattr(x, "detach") else x)

    late = Op("late", lambda x: x * x, arrays="square", partials=(late_partial,))
    assert_gradient(lambda x: late(x).sum(), x)
    with pytest.raises(AssertionError, match=r"every element is 0"):
        assert_gradient(lambda x: late(x).sum(), x, order=2)


def test_a_separate_gradient_function():
    x = np.array([1.0, 2.0, 3.0])
    assert_gradient(lambda x: (x**3).sum(), x, grad=lambda x: 3.0 * x**2)
    with pytest.raises(AssertionError, match="gradient of x is wrong in 3 of 3"):
        assert_gradient(lambda x: (x**3).sum(), x, grad=lambda x: 3.5 * x)
    with pytest.raises(ValueError, match="order=2 needs the gradient from backpropagation"):
        assert_gradient(lambda x: (x**3).sum(), x, grad=lambda x: 3.0 * x**2, order=2)


def test_a_node_that_is_kept_from_an_earlier_call_is_found():
    def cached():
        kept = {}
        return lambda x: kept.setdefault("y", x * x) * 1.0

    with pytest.raises(AssertionError, match=r"x = 0\.7: backpropagation .* DIFFERS"):
        assert_gradient(cached(), 0.7)
    f = cached()
    with pytest.raises(AssertionError, match=r"gradient of x|a second call"):
        assert_gradient(lambda x: f(x).sum(), np.array([0.7, 1.0]))
