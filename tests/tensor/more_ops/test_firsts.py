"""The first largest element along an axis: value, ties, NaN, and the gradient, compared with PyTorch's convention."""

import numpy as np

import tinygraph
from tinygraph import Tensor
from tinygraph.tensor.more_ops.firsts import first_max


def test_the_gradient_goes_to_the_first_of_equal_elements():
    x = Tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])
    y = first_max(1)(x)
    y.backward(seed=[10.0, 20.0])
    assert y.data.tolist() == [3.0, 2.0]
    assert x.grad.tolist() == [[0.0, 10.0, 0.0], [20.0, 0.0, 0.0]]


def test_the_position_is_that_of_the_current_elements():
    x = Tensor([1.0, 3.0])
    y = first_max(0)(x)
    x.data = [4.0, 3.0]
    y.forward().backward()
    assert y.item() == 4.0
    assert x.grad.tolist() == [1.0, 0.0]


def test_nan_is_the_largest_element():
    assert np.isnan(first_max(0)(np.array([1.0, np.nan, 3.0])))


def test_second_derivatives():
    x = Tensor([1.0, 3.0, 2.0])
    y = first_max(0)(x) ** 3
    assert tinygraph.hessian(y, x).tolist() == [[0.0] * 3, [0.0, 18.0, 0.0], [0.0] * 3]
