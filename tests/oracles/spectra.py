"""Factorizations of complex arrays that are holomorphic: NumPy's own factorizations conjugate."""

import numpy as np


def turned(a):
    """Return the transposes of a stack of matrices."""
    return np.swapaxes(a, -1, -2)


def symmetric(a, uplo):
    """Return the symmetric matrix with the same lower or upper triangle."""
    a = a if uplo == "L" else turned(a)
    n = a.shape[-1]
    return a * np.tri(n) + turned(a * np.tri(n, k=-1))


def cholesky(a):
    """Return the Cholesky factor, from the lower triangle."""
    out, n = np.zeros(a.shape, dtype=complex), a.shape[-1]
    for j in range(n):
        out[..., j, j] = np.sqrt(a[..., j, j] - np.sum(out[..., j, :j] ** 2, axis=-1))
        for i in range(j + 1, n):
            products = out[..., i, :j] * out[..., j, :j]
            out[..., i, j] = (a[..., i, j] - np.sum(products, axis=-1)) / out[..., j, j]
    return out


def eigh(a, uplo, like):
    """Return the eigenvalues and the eigenvectors of a symmetric matrix, with the signs of the given vectors."""
    values, vectors = np.linalg.eig(symmetric(a, uplo))
    order = np.argsort(values.real, axis=-1)
    values = np.take_along_axis(values, order, -1)
    vectors = np.take_along_axis(vectors, order[..., None, :], -1)
    vectors = vectors / np.sqrt(np.sum(vectors * vectors, axis=-2, keepdims=True))
    return values, vectors * np.sign(np.sum(vectors * like, axis=-2, keepdims=True).real)


def svd(a, like):
    """Return the singular value decomposition, with the signs of the given left singular vectors."""
    if a.shape[-2] > a.shape[-1]:
        u, s, v = svd(turned(a), like=turned(np.linalg.svd(a.real, full_matrices=False)[2]))
        signs = np.sign(np.sum(turned(v) * like, axis=-2, keepdims=True).real)
        return turned(v) * signs, s, turned(u * signs)
    squares, u = eigh(a @ turned(a), "L", like[..., ::-1])
    u, s = u[..., ::-1], np.sqrt(squares)[..., ::-1]
    return u, s, turned(turned(a) @ u / s[..., None, :])


def absolute(z):
    """Return |z| for a number near the real axis, as a holomorphic function."""
    return z * np.sign(np.real(z))
