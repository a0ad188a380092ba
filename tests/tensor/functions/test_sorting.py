"""Sorting, the median, quantiles and percentiles."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.torch_orders import assert_three_orders
from tests.tensor.test_array_ops import axes
from tinygraph import Tensor
from tinygraph.engine.autodiff import grad
from tinygraph.testing import arrays, shapes

numbers = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0, np.nan])
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@given(data=st.data())
def test_a_sort_is_numpys_and_its_pullback_moves_back(data):
    (shape,) = data.draw(shapes(1))
    x = data.draw(arrays(shape, elements=numbers))
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    t = Tensor(x)
    out = np.sort(t, axis=axis)
    assert np.array_equal(out.data, np.sort(x, axis=axis), equal_nan=True)
    up = np.arange(float(x.size)).reshape(out.shape)
    order = np.argsort(x, axis=axis, kind="stable")
    moved = grad(out, t, seed=up).reshape(out.shape)
    assert np.array_equal(np.take_along_axis(moved, order, -1 if axis is None else axis), up)


@given(data=st.data())
def test_a_median_is_numpys(data):
    (shape,) = data.draw(shapes(1, min_side=1))
    x = data.draw(arrays(shape, elements=numbers))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.median(x, axis=axis, keepdims=keepdims)
    out = np.median(Tensor(x), axis=axis, keepdims=keepdims)
    assert out.shape == np.shape(expected)
    assert np.array_equal(out.data, expected, equal_nan=True)


@given(data=st.data())
def test_quantiles_are_numpys(data):
    (shape,) = data.draw(shapes(1, min_side=1))
    x = data.draw(arrays(shape, elements=numbers))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    several = data.draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    q = data.draw(arrays(several, elements=st.floats(0.0, 1.0)))
    method = data.draw(st.sampled_from(METHODS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.quantile(x, q, axis=axis, method=method, keepdims=keepdims)
    out = np.quantile(Tensor(x), q, axis=axis, method=method, keepdims=keepdims)
    assert out.shape == np.shape(expected)
    assert np.allclose(out.data, expected, rtol=1e-13, atol=1e-13, equal_nan=True)
    hundreds = np.percentile(Tensor(x), 100.0 * q, axis=axis, method=method, keepdims=keepdims)
    if method == "linear":  # the others jump where 100 q / 100 is another float
        assert np.allclose(hundreds.data, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("axis", [0, 1])
def test_three_orders_are_those_of_torch(axis):
    x = np.random.default_rng(1).normal(size=(4, 5))
    assert_three_orders(lambda a: np.sort(a, axis=axis), lambda torch, b: torch.sort(b, dim=axis).values, x)
    for q in (0.3, 0.5):
        assert_three_orders(
            lambda a, q=q: np.quantile(a, q, axis=axis), lambda torch, b, q=q: torch.quantile(b, q, dim=axis), x
        )
    assert_three_orders(
        lambda a: np.median(a, axis=axis, keepdims=True),
        lambda torch, b: torch.quantile(b, 0.5, dim=axis, keepdim=True),
        x,
    )


def test_the_order_is_that_of_the_current_elements():
    t = Tensor([3.0, 1.0, 2.0])
    y, m = np.sort(t), np.median(t)
    second = grad((y * np.array([1.0, 2.0, 3.0])).sum(), t, create_graph=True)
    t.data = np.array([1.0, 5.0, 4.0])
    assert y.forward().data.tolist() == [1.0, 4.0, 5.0]
    assert m.forward().item() == 4.0
    m.backward()
    assert t.grad.tolist() == [0.0, 0.0, 1.0]
    assert second.forward().data.tolist() == [1.0, 3.0, 2.0]


def test_equal_elements_keep_their_order():
    t = Tensor([1.0, 1.0, 1.0, 0.0])
    assert grad(np.sort(t)[1], t).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert grad(np.median(t), t).tolist() == [0.5, 0.5, 0.0, 0.0]


t = Tensor([[1.0, 2.0], [3.0, 4.0]])
WRONG = {
    "an axis": (lambda: np.sort(t, axis=2), np.exceptions.AxisError, "no axis 2"),
    "no axis": (lambda: np.sort(Tensor(1.0)), np.exceptions.AxisError, "no axis"),
    "a kind": (lambda: np.sort(t, kind="bubble"), ValueError, "kind must be one of"),
    "a median's axis": (lambda: np.median(t, axis=2), np.exceptions.AxisError, r"median of an array of shape \(2, 2\)"),
    "no elements": (lambda: np.quantile(Tensor([]), 0.5), ValueError, "there are no elements"),
    "too much": (lambda: np.quantile(t, 1.5), ValueError, "q must be between 0 and 1"),
    "NaN": (lambda: np.percentile(t, np.nan), ValueError, "q must be between 0 and 100"),
    "a method": (lambda: np.quantile(t, 0.5, method="hazen"), ValueError, "method must be one of 'linear'"),
    "weights": (
        lambda: np.quantile(t, 0.5, weights=[1.0, 2.0]),
        TypeError,
        r"weights=.*: this argument is not .*t\.data",
    ),
    "partition": (lambda: np.partition(t, 1), TypeError, "np.partition does not work on a Tensor"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused(case):
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()
