"""A namedtuple of numbers or nodes keeps its class, or is refused."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygraph
from tinygraph import Value


class Parameters(NamedTuple):
    w: Any
    b: Any


def line(p):
    return p.w * p.w * p.b


def test_value_and_grad_of_a_namedtuple():
    assert tinygraph.value_and_grad(line)(Parameters(2.0, 3.0)) == (12.0, Parameters(12.0, 4.0))
    _, gradient = tinygraph.value_and_grad(lambda p: (p.w * p.b).sum())(Parameters(np.array([1.0, 2.0]), 3.0))
    assert type(gradient) is Parameters
    assert gradient.w.tolist() == [3.0, 3.0]
    assert gradient.b == 3.0


def test_grad_and_hessian_of_a_namedtuple():
    p = Parameters(Value(2.0), Value(3.0))
    assert tinygraph.grad(line(p), p) == Parameters(12.0, 4.0)
    assert type(tinygraph.grad(line(p), p)) is Parameters
    second = tinygraph.hessian(line(p), p)
    assert second == Parameters(Parameters(6.0, 4.0), Parameters(4.0, 0.0))
    assert type(second.w) is Parameters
    assert tinygraph.grad(line(p), [p.w]) == [12.0]


def test_numeric_grad_of_a_namedtuple_of_arguments():
    found = tinygraph.numeric_grad(lambda w, b: w * w * b, Parameters(2.0, 3.0), method="six-point")
    assert type(found) is Parameters
    assert found == pytest.approx((12.0, 4.0))
    nested = tinygraph.numeric_grad(line, [Parameters(2.0, 3.0)], method="six-point")
    assert type(nested[0]) is Parameters
    assert tinygraph.check_grad(line, Parameters(2.0, 3.0))
    assert [entry.name for entry in tinygraph.check_grad(line, Parameters(2.0, 3.0)).inputs] == ["p.w", "p.b"]


def test_compile_of_a_namedtuple():
    p = Parameters(Value(2.0), Value(3.0))
    value, gradients = tinygraph.compile(line(p), p)(2.0, 3.0)
    assert (value, gradients) == (12.0, Parameters(12.0, 4.0))
    assert type(gradients) is Parameters
    value, gradients = tinygraph.compile(line(p), [p])(Parameters(2.0, 3.0))
    assert (value, gradients) == (12.0, (Parameters(12.0, 4.0),))
    assert type(gradients[0]) is Parameters


def test_a_dict_of_nodes_is_refused_with_a_hint():
    w = Value(2.0)
    for function in (tinygraph.grad, tinygraph.hessian):
        with pytest.raises(TypeError, match=r"xs must be .*: pass its values"):
            function(w * w, {"w": w})
    with pytest.raises(TypeError, match="inputs must be"):
        tinygraph.compile(w * w, {"w": w})


@pytest.mark.parametrize("read", [tinygraph.tree, tinygraph.Stepper, tinygraph.diagnose, tinygraph.source])
def test_a_reader_of_one_root_refuses_a_namedtuple(read):
    with pytest.raises(TypeError, match="root must be"):
        read(Parameters(Value(2.0), Value(3.0)))


def test_none_is_refused_by_an_operator_of_tensors():
    t = tinygraph.Tensor([1.0, 2.0])
    for operation in (lambda: t + None, lambda: None + t, lambda: t**None, lambda: t @ None, lambda: t < None):
        with pytest.raises(TypeError, match=r"None .*is not an array of real numbers"):
            operation()
