"""Laws of Tensor, over random arrays and programs: gradients, their shapes and memory, NumPy's spelling, errors."""

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value, ops, strict
from tinygraph.graph import exhaust, order, propagate
from tinygraph.testing import arrays, graphs, shapes, tensor_programs, tensors


def same(x, y):
    """The same bits, but for the sign of zeros and nans."""
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=True)


def close(x, y, scale, rel):
    """Within `rel` of the terms that were summed."""
    return x.shape == y.shape and np.all(np.abs(x - y) <= rel * np.maximum(np.abs(scale), np.abs(y)) + 1e-300)


def absolute_masses(root, seed=1.0):
    """For each node what its gradient was summed from: the pass again, over absolute seeds and slopes."""
    terms = {root: np.abs(np.broadcast_to(seed, root.shape))}
    for node in order(root):
        if node.op is None or node not in terms:
            continue
        for operand, slope in zip(node.args, node.slopes, strict=True):
            if slope is not None:
                terms[operand] = terms.get(operand, 0.0) + magnitude(node, slope, terms[node])
    return terms


def magnitude(node, slope, up):
    """|slope| applied to `up`: wiring is applied again with absolute operands."""
    if not isinstance(slope, tinygraph.wiring.Adjoint):
        return up * np.abs(slope)
    if slope.op is not tinygraph.wiring.matmul:
        return np.abs(up * slope)  # no negative entry in it
    operands = [np.abs(x) for x in slope.operands]
    return slope.op.pull(slope.slot, up, slope.out, operands)


# --- gradients


def test_grad_by_one_tensor_is_one_array():
    t = Tensor([1.0, 2.0, 3.0], "t")
    y = (t * t).sum()
    assert tinygraph.grad(y, t).tolist() == [2.0, 4.0, 6.0]
    first = tinygraph.grad(y, t, create_graph=True)
    assert first.data.tolist() == [2.0, 4.0, 6.0]
    assert [g.tolist() for g in tinygraph.grad(y, [t])] == [[2.0, 4.0, 6.0]]
    assert tinygraph.grad(first.sum(), t).tolist() == [2.0, 2.0, 2.0]


def test_a_plain_zero_divides_without_an_exception():
    for zero in (0.0, 0, -0.0, np.array(0.0), np.array([0.0, 0.0])):
        t = Tensor([1.0, -2.0])
        y = t / zero
        y.sum().backward()
        assert np.isinf(y.data).all()
        assert np.isinf(t.grad).all()
        assert np.isinf(tinygraph.grad(y.sum(), t, create_graph=True).data).all()
    x = Value(2.0)
    assert tinygraph.grad(x / 0.0, x, create_graph=True).data == math.inf


def test_an_array_to_the_power_of_an_array():
    x, y = Tensor([2.0, 3.0, 0.0]), Tensor([3.0, 2.0, 2.0])
    z = x**y
    z.sum().backward()
    assert z.data.tolist() == [8.0, 9.0, 0.0]
    assert x.grad.tolist() == [12.0, 6.0, 0.0]
    assert y.grad.tolist() == pytest.approx([8 * math.log(2), 9 * math.log(3), 0.0])
    assert (2.0**y).data.tolist() == [8.0, 4.0, 4.0]
    assert (np.array([2.0, 3.0, 1.0]) ** y).data.tolist() == [8.0, 9.0, 1.0]
