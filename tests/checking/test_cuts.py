"""A graph that does not contain the whole function is reported as cut, with the line that cuts it."""

import math

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value, check_grad

CUTS = {
    "data": (lambda x: x * math.exp(x.data), 0.7),
    "item": (lambda x: x * math.exp(x.item()), 0.7),
    "detach": (lambda x: x * x.detach(), 0.7),
    "another Value": (lambda x: x * tinygraph.exp(Value(x.data)), 0.7),
    "the result": (lambda x: math.exp(x.data), 0.7),
    "not analytic": (lambda x: abs(x) * math.exp(x.data), 0.7),
    "array": (lambda x: (x * np.exp(x.data)).sum(), np.array([0.7, -0.2])),
    "Tensor": (lambda x: (x * x.detach()).sum(), Tensor([0.7, -0.2])),
    "an element": (lambda x: (x * float(x.data[0])).sum(), np.array([0.7, -0.2])),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_cut_is_found_and_its_line_is_named(name):
    f, at = CUTS[name]
    check = check_grad(f, at)
    assert not check
    assert "DIFFERS the graph is cut: the constant" in str(check)
    assert "changes with x" in str(check)
    if name != "the result":  # it is recorded by no line of the program
        assert f"{__file__}:{f.__code__.co_firstlineno}" in str(check)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (lambda x: x * math.exp(0.5), 0.7),
        (lambda x: x * x.detach() if x > 100.0 else x, 0.7),
        (lambda x: (x * np.array([1.0, np.nan])).sum(), np.array([0.7, -0.2])),
        (lambda x: x - 0.0 * x.data, 0.7),
    ],
)
def test_a_constant_that_changes_nothing_is_no_cut(f, at):
    assert check_grad(f, at)
