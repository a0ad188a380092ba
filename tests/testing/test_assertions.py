"""Assertions about gradients find errors, and explain them."""

import pytest
from hypothesis import given, settings

import tinygraph
from tests.testing.wrong_ops import WRONG
from tinygraph.engine import domain
from tinygraph.engine.op import Op
from tinygraph.testing import assert_gradient, assert_same_gradient, graphs


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
    with pytest.raises(ValueError, match="order must be 1 or 2"):
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
