"""Factorizations have NumPy's values, and the derivatives that complex numbers give."""

import pickle

import numpy as np
import pytest

from tests.oracles import spectra
from tests.oracles.holomorphic import check_derivatives
from tests.oracles.spectra import turned
from tinygraph import Tensor, grad
from tinygraph.functional import jvp

linalg = np.linalg
rng = np.random.default_rng(8)
NEARLY_DIAGONAL = np.diag([1.0, 3.0, 6.0]) + 0.3 * rng.normal(size=(3, 3))
STACK = np.stack([NEARLY_DIAGONAL, NEARLY_DIAGONAL + 0.1 * rng.normal(size=(3, 3))])
both = pytest.mark.parametrize("A", [NEARLY_DIAGONAL, STACK], ids=["a matrix", "a stack"])
each_triangle = pytest.mark.parametrize("uplo", ["L", "U"])


def of_shape(*shape):
    """Return matrices whose singular values are far apart, and far from 0."""
    u, _, v = linalg.svd(rng.normal(size=shape), full_matrices=False)
    return (u * np.array([4.0, 2.0, 1.0])[: min(shape[-2:])]) @ v


def check(function, A, analytic):
    """Check values and derivatives, forward mode, and that the ops can be pickled."""
    node = check_derivatives(function, A, analytic=analytic, radius=0.05, rtol=1e-8)
    assert pickle.loads(pickle.dumps(node)).op is node.op
    leaf, tangent = Tensor(A), rng.normal(size=A.shape)
    moved = jvp(function(leaf), {leaf: tangent})
    up = rng.normal(size=node.shape)
    pulled = grad(function(leaf), leaf, seed=up)
    assert np.sum(moved * up) == pytest.approx(np.sum(tangent * pulled), rel=1e-10)


@both
def test_cholesky_reads_one_triangle_and_its_gradient_is_there(A):
    positive = A @ turned(A) + np.eye(3)
    check(linalg.cholesky, positive, spectra.cholesky)
    check(lambda a: linalg.cholesky(a, upper=True), positive, lambda a: turned(spectra.cholesky(turned(a))))
    leaf = Tensor(positive)
    assert not np.triu(grad(linalg.cholesky(leaf).sum(), leaf), k=1).any()


@both
@each_triangle
def test_eigenvalues_of_a_symmetric_matrix(A, uplo):
    like = linalg.eigh(A, uplo)[1]
    check(lambda a: linalg.eigvalsh(a, uplo), A, lambda a: spectra.eigh(a, uplo, like)[0])
    check(lambda a: linalg.eigh(a, UPLO=uplo).eigenvalues, A, lambda a: spectra.eigh(a, uplo, like)[0])


@both
@each_triangle
def test_eigenvectors_of_a_symmetric_matrix(A, uplo):
    like = linalg.eigh(A, uplo)[1]
    check(lambda a: linalg.eigh(a, uplo)[1], A, lambda a: spectra.eigh(a, uplo, like)[1])


def test_equal_eigenvalues_have_a_gradient_that_treats_them_alike():
    """The sum of the eigenvalues is the trace, and the sum of their cubes is the trace of A @ A @ A."""
    A = Tensor(np.diag([2.0, 2.0, 5.0]))
    values = linalg.eigvalsh(A)
    np.testing.assert_allclose(grad(values.sum(), A), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(grad((values * values * values).sum(), A), np.diag([12.0, 12.0, 75.0]), rtol=1e-14)
    second = grad((grad((values * [1.0, 2.0, 3.0]).sum(), A, create_graph=True)[0] * [1.0, 2.0, 3.0]).sum(), A)
    assert not np.isfinite(second).all()


SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_and_vectors(shape):
    A = of_shape(*shape)
    like = linalg.svd(A, full_matrices=False)[0]
    check(linalg.svdvals, A, lambda a: spectra.svd(a, like)[1])
    check(lambda a: linalg.svd(a, compute_uv=False), A, lambda a: spectra.svd(a, like)[1])
    for k in range(3):
        check(lambda a: linalg.svd(a, full_matrices=False)[k], A, lambda a: spectra.svd(a, like)[k])  # noqa: B023


def test_a_square_matrix_needs_no_option_for_its_singular_vectors():
    A = of_shape(3, 3)
    found = linalg.svd(Tensor(A))
    for node, right in zip(found, linalg.svd(A), strict=True):
        np.testing.assert_allclose(node.data, right, rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_pseudoinverse_of_a_matrix_of_full_rank(shape):
    def analytic(a):
        if shape[-2] >= shape[-1]:
            return linalg.inv(turned(a) @ a) @ turned(a)
        return turned(a) @ linalg.inv(a @ turned(a))

    A = of_shape(*shape)
    check(linalg.pinv, A, analytic)
    check(lambda a: linalg.pinv(a, rtol=1e-3), A, analytic)


def test_the_pseudoinverse_of_a_matrix_of_lower_rank():
    """Of B @ C, with B of full column rank and C of full row rank, it is pinv(C) @ pinv(B)."""
    B, C = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))
    check_derivatives(
        lambda b, c: linalg.pinv(b @ c),
        B,
        C,
        analytic=lambda b, c: (c.T @ linalg.inv(c @ c.T)) @ (linalg.inv(b.T @ b) @ b.T),
        orders=2,
        radius=0.03,
        rtol=1e-7,
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: linalg.cholesky(-t), np.linalg.LinAlgError, r"of a matrix of shape \(3, 3\): .* must be positive"),
        (lambda t: linalg.eigvalsh(t[:2]), np.linalg.LinAlgError, r"needs a square matrix, .* got shape \(2, 3\)"),
        (lambda t: linalg.eigvalsh(t, "X"), ValueError, "UPLO must be one of 'L', 'U', not 'X'"),
        (lambda t: linalg.eigvalsh(t * np.nan), np.linalg.LinAlgError, "must be finite"),
        (lambda t: linalg.svd(t[:2]), TypeError, r"shape \(2, 3\): pass full_matrices=False"),
        (lambda t: linalg.svd(t, hermitian=True), TypeError, "hermitian=True .* is not understood"),
        (lambda t: linalg.pinv(t, hermitian=True), TypeError, "hermitian=True .* is not understood"),
        (lambda t: linalg.pinv(t, 0.1, rtol=0.1), ValueError, "the same"),
        (lambda t: linalg.pinv(t, [0.1]), TypeError, r"rcond must be a number, not \[0\.1\]"),
    ],
)  # fmt: skip
def test_arguments_that_are_not_understood_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor(np.eye(3)))
