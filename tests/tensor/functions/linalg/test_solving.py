"""Inverses, solutions and determinants have NumPy's values, and the derivatives that complex numbers give."""

import pickle

import numpy as np
import pytest

from tests.oracles.holomorphic import check_derivatives
from tinygraph import Tensor, grad
from tinygraph.functional import jvp

linalg = np.linalg


def drawn(*shape, seed=4):
    return np.random.default_rng(seed).normal(size=shape)


def square(n, *stack):
    """Return matrices that are far from singular."""
    return drawn(*stack, n, n) + 3.0 * np.eye(n)


BOX = (drawn(6, 6) + 4.0 * np.eye(6)).reshape(2, 3, 3, 2)
CASES = {
    "inv": (linalg.inv, square(3)),
    "inv of a stack": (linalg.inv, square(3, 2)),
    "solve": (linalg.solve, square(3), drawn(3, 2)),
    "solve, vector": (linalg.solve, square(3), drawn(3)),
    "solve, stack and vector": (linalg.solve, square(3, 2), drawn(3)),
    "solve, stack and matrix": (linalg.solve, square(3, 2), drawn(3, 1)),
    "solve, matrix and stack": (linalg.solve, square(3), drawn(2, 3, 1)),
    "solve, stacks": (linalg.solve, square(2, 2, 1), drawn(3, 2, 2)),
    "det": (linalg.det, square(3)),
    "det of a stack": (linalg.det, square(3, 2)),
    "det, n = 1": (linalg.det, square(1)),
    "det, n = 5": (linalg.det, square(5)),
    "matrix_power, 3": (lambda a: linalg.matrix_power(a, 3), square(3)),
    "matrix_power, 6": (lambda a: linalg.matrix_power(a, 6), square(2)),
    "matrix_power, 1": (lambda a: linalg.matrix_power(a, 1), square(3, 2)),
    "matrix_power, -2": (lambda a: linalg.matrix_power(a, -2), square(3, 2)),
    "tensorinv": (linalg.tensorinv, BOX),
    "tensorinv, ind": (lambda a: linalg.tensorinv(a, ind=1), BOX.reshape(6, 3, 2)),
    "tensorsolve": (linalg.tensorsolve, BOX.reshape(2, 3, 6), drawn(2, 3)),
    "tensorsolve, axes": (lambda a, b: linalg.tensorsolve(a, b, axes=(1,)), BOX.reshape(2, 6, 3), drawn(2, 3)),
    "trace": (linalg.trace, drawn(2, 3, 4)),
    "trace, offset": (lambda a: linalg.trace(a, offset=-1), drawn(3, 4)),
    "diagonal": (linalg.diagonal, drawn(2, 3, 4)),
    "diagonal, offset": (lambda a: linalg.diagonal(a, offset=1), drawn(2, 3, 4)),
    "diagonal, none": (lambda a: linalg.diagonal(a, offset=-9), drawn(3, 4)),
    "matrix_transpose": (linalg.matrix_transpose, drawn(2, 3, 4)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_function_has_numpys_value_and_its_derivatives(name):
    function, *operands = CASES[name]
    node = check_derivatives(function, *operands, radius=0.06, rtol=1e-9)
    again = pickle.loads(pickle.dumps(node))
    assert repr(again.op) == repr(node.op)
    assert np.array_equal(again.data, node.data)
    tangents = [drawn(*x.shape, seed=5) for x in operands]
    leaves = [Tensor(x) for x in operands]
    moved = jvp(function(*leaves), dict(zip(leaves, tangents, strict=True)))
    steps = [x + 1e-30j * t for x, t in zip(operands, tangents, strict=True)]
    np.testing.assert_allclose(moved, function(*steps).imag / 1e-30, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("A", [square(3), square(3, 2), -square(3)], ids=["a matrix", "a stack", "a negative det"])
def test_slogdet_has_the_derivatives_of_the_logarithm(A):
    sign = np.sign(linalg.det(A))
    check_derivatives(
        lambda a: linalg.slogdet(a)[1], A, analytic=lambda a: np.log(sign * linalg.det(a)), radius=0.06, rtol=1e-9
    )
    leaf = Tensor(A)
    found = linalg.slogdet(leaf)
    assert np.array_equal(found.sign.data, sign)
    assert not grad(found.sign.sum(), leaf).any()
    product = found.sign * np.exp(found.logabsdet)  # the determinant
    right = linalg.det(A)[..., None, None] * np.swapaxes(linalg.inv(A), -1, -2)
    np.testing.assert_allclose(grad(product.sum(), leaf), right, rtol=1e-12)


SINGULAR = {
    "rank 2": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]]),
    "rank 1": np.ones((4, 4)),
    "rank 1, n = 2": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "zeros": np.zeros((3, 3)),
    "zeros, n = 2": np.zeros((2, 2)),
    "zeros, n = 1": np.zeros((1, 1)),
    "a stack": np.stack([np.ones((3, 3)), np.eye(3)]),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_determinant_of_a_singular_matrix_has_two_derivatives(name):
    """The determinant is a polynomial, but det(A) * inv(A).T would be 0 times infinity."""
    check_derivatives(linalg.det, SINGULAR[name], orders=2, radius=1.0, rtol=1e-11)


def test_the_third_derivative_of_a_singular_determinant_is_an_error():
    A = Tensor(np.ones((3, 3)))
    second = grad(grad(linalg.det(A), A, create_graph=True)[0, 0], A, create_graph=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"inv of a matrix of shape \(3, 3\): Singular matrix"):
        grad(second[1, 1], A)


def test_a_gradient_of_a_singular_logarithm_is_an_error():
    A = Tensor(np.zeros((2, 2)))
    found = linalg.slogdet(A)
    assert found.sign.item() == 0.0
    assert found.logabsdet.item() == -np.inf
    with pytest.raises(np.linalg.LinAlgError, match="inv of a matrix"):
        grad(found.logabsdet, A)


def test_the_derivative_of_a_determinant_of_nan_is_nan():
    A = Tensor([[[np.nan, 1.0], [1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]])
    gradient = grad(linalg.det(A).sum(), A)
    assert np.isnan(gradient[0]).all()
    np.testing.assert_allclose(gradient[1], [[4.0, -3.0], [-2.0, 1.0]], rtol=1e-14)


def test_the_power_zero_is_a_constant():
    node = linalg.matrix_power(Tensor(square(3, 2)), 0)
    assert np.array_equal(node.data, np.stack([np.eye(3)] * 2))
    assert node.constant


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linalg.inv(Tensor(np.zeros((2, 2)))), r"inv of a matrix of shape \(2, 2\): Singular.*np.linalg.pinv"),
        (lambda: linalg.inv(Tensor(np.zeros((3, 2, 2)))), r"inv of a stack of matrices of shape \(3, 2, 2\)"),
        (lambda: linalg.solve(Tensor(np.zeros((2, 2))), [1.0, 2.0]), r"solve of a matrix of shape \(2, 2\): Singular"),
        (lambda: linalg.solve(np.zeros((2, 2)), Tensor([1.0, 2.0])), r"solve of a matrix of shape \(2, 2\): Singular"),
        (lambda: linalg.matrix_power(Tensor(np.zeros((2, 2))), -1), r"inv of a matrix of shape \(2, 2\): Singular"),
        (lambda: linalg.inv(Tensor(np.zeros((2, 3)))), r"inv needs a square matrix, .* got shape \(2, 3\)"),
        (lambda: linalg.det(Tensor([1.0])), r"det needs a matrix, .* got shape \(1,\)"),
        (lambda: linalg.tensorinv(Tensor(np.zeros((2, 3, 4)))), "needs a square matrix"),
        (lambda: linalg.tensorsolve(Tensor(np.zeros((2, 3))), Tensor([1.0, 2.0])), "are not those of square equations"),
    ],
)
def test_numpys_error_names_the_op_and_the_shape(call, message):
    with pytest.raises(np.linalg.LinAlgError, match=message):
        call()


def test_other_errors():
    A = Tensor(square(3, 2))
    with pytest.raises(ValueError, match=r"shape \(2, 3, 3\) and right sides of shape \(4,\) do not match"):
        linalg.solve(A, np.ones(4))
    with pytest.raises(ValueError, match=r"stacks of shapes \(2, 3, 3\) and \(3, 3, 1\) do not match"):
        linalg.solve(A, np.ones((3, 3, 1)))
    with pytest.raises(TypeError, match=r"n must be an integer, not 1\.5"):
        linalg.matrix_power(A, 1.5)
    with pytest.raises(TypeError, match=r"use np\.linalg\.pinv\(a\) @ b"):
        linalg.lstsq(A[0], np.ones(3))
