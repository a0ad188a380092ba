"""Norms have NumPy's values, and the derivatives that complex numbers give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import spectra
from tests.oracles.holomorphic import check_derivatives
from tests.oracles.spectra import absolute
from tinygraph import Tensor, grad

linalg = np.linalg
rng = np.random.default_rng(6)
X = np.sign(rng.normal(size=(2, 3, 4))) * (1.0 + rng.permutation(24).reshape(2, 3, 4) / 6.0)  # far from 0 and from ties
ORDERS = [None, 2, 1, 3, 2.5, 0.5, -1, np.inf, -np.inf]


def power(order, axis, keepdims):
    def analytic(z):
        size = absolute(z)
        if order in (np.inf, -np.inf):
            place = (np.argmax if order > 0 else np.argmin)(size.real, axis=axis, keepdims=True)
            return (
                np.take_along_axis(size, place, axis)
                if keepdims
                else np.take_along_axis(size, place, axis).squeeze(axis)
            )
        p = order or 2
        return np.sum(size**p, axis=axis, keepdims=keepdims) ** (1 / p)

    return analytic


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
def test_a_norm_of_vectors(order, axis, keepdims):
    check_derivatives(
        lambda x: linalg.norm(x, order, axis, keepdims), X, analytic=power(order, axis, keepdims), rtol=1e-9
    )


@pytest.mark.parametrize("order", [None, "fro"])
def test_the_root_of_all_squares(order):
    x = X if order is None else X[0]
    check_derivatives(lambda x: linalg.norm(x, order), x, analytic=lambda z: np.sqrt(np.sum(z * z)))


AXES = st.sampled_from([None, 0, 1, -1, (0,), (0, 1), (1, 0), (-1, 0), (0, 1, 2), (2, 0)])


@given(order=st.sampled_from([*ORDERS[1:], -2.5]), axis=AXES, keepdims=st.booleans())
def test_vector_norm_has_numpys_value_for_all_axes(order, axis, keepdims):
    right = linalg.vector_norm(X, ord=order, axis=axis, keepdims=keepdims)
    found = linalg.vector_norm(Tensor(X), ord=order, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(found.data, right, rtol=1e-13, strict=True)


MATRIX_ORDERS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@given(order=st.sampled_from([None, *MATRIX_ORDERS]), axis=st.permutations([0, 1, 2]), keepdims=st.booleans())
def test_a_norm_of_matrices_has_numpys_value(order, axis, keepdims):
    axis = tuple(axis[:2])
    right = linalg.norm(X, order, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(linalg.norm(Tensor(X), order, axis=axis, keepdims=keepdims).data, right, rtol=1e-13)
    if order is not None:
        right = linalg.matrix_norm(X, ord=order, keepdims=keepdims)
        np.testing.assert_allclose(linalg.matrix_norm(Tensor(X), ord=order, keepdims=keepdims).data, right, rtol=1e-13)


def matrix_norm(order):
    def analytic(z):
        if order == "fro":
            return np.sqrt(np.sum(z * z))
        if order in ("nuc", 2, -2):
            values = spectra.svd(z, np.linalg.svd(z.real, full_matrices=False)[0])[1]
            return np.sum(values) if order == "nuc" else values[0 if order == 2 else -1]
        sums = np.sum(absolute(z), axis=0 if order in (1, -1) else 1)
        return sums[(np.argmax if order > 0 else np.argmin)(sums.real)]

    return analytic


@pytest.mark.parametrize("order", MATRIX_ORDERS)
def test_the_derivatives_of_a_norm_of_a_matrix(order):
    check_derivatives(lambda x: linalg.norm(x, order), X[0], analytic=matrix_norm(order), radius=0.02, rtol=1e-7)


@pytest.mark.parametrize("order", [None, 2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf])
def test_a_condition_number(order):
    A = rng.normal(size=(3, 3)) + 2.0 * np.eye(3)

    def analytic(z):
        if order == -2:
            return matrix_norm(-2)(z) / matrix_norm(2)(z)
        return matrix_norm(order or 2)(z) * matrix_norm(order or 2)(linalg.inv(z))

    check_derivatives(lambda x: linalg.cond(x, order), A, analytic=analytic, orders=2, radius=0.01, rtol=1e-6)
    np.testing.assert_allclose(linalg.cond(Tensor(X)).data, linalg.cond(X), rtol=1e-13)


@pytest.mark.parametrize("order", [None, 2, 3])
def test_the_derivatives_of_a_norm_at_the_zero_vector_are_0(order):
    x = Tensor([[0.0, 0.0], [3.0, 4.0]])
    gradient = grad(linalg.norm(x, order, axis=1).sum(), x, create_graph=True)
    assert gradient.data[0].tolist() == [0.0, 0.0]
    second = grad((gradient * [1.0, 2.0]).sum(), x)
    assert second[0].tolist() == [0.0, 0.0]
    assert np.isfinite(second).all()
    assert second[1].any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: linalg.norm(t, 2), r"ord=2 of an array of shape \(2, 3, 4\): pass axis="),
        (lambda t: linalg.norm(t, "fro", axis=1), "norm of vectors: ord must be .* not 'fro'"),
        (lambda t: linalg.norm(t, 5, axis=(0, 1)), "norm of matrices: ord must be one of .* not 5"),
        (lambda t: linalg.norm(t, axis=(0, 1, 2)), r"a pair of axes, not \(0, 1, 2\)"),
        (lambda t: linalg.norm(t, 2, axis=(1, 1)), "repeated axis"),
    ],
)
def test_orders_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(Tensor(X))


def test_a_number_of_elements_has_no_derivative():
    with pytest.raises(TypeError, match=r"ord=0 does not work on a Tensor: to count elements, use np\.count_nonzero"):
        linalg.norm(Tensor(X[0, 0]), 0)
