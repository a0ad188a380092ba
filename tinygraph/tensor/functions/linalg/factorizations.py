"""Cholesky factors, eigenvalues, singular values and pseudoinverses of matrices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinygraph.support.messages import described, one_of
from tinygraph.tensor.array_ops import Operand
from tinygraph.tensor.functions.linalg.arguments import square, stack_of_matrices
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.more_ops import factorizations
from tinygraph.tensor.shapes import swap_last_axes


@numpy_function("linalg.cholesky")
def cholesky(a: Operand, upper: bool = False) -> Operand:
    """Return the Cholesky factor of a symmetric matrix with positive eigenvalues, as `np.linalg.cholesky`.

    NumPy reads only the lower triangle, so the gradient above the diagonal is 0, and an element below the diagonal gets
    the derivative of both elements of the symmetric matrix.

    Args:
        a: Symmetric matrix, or a stack of them.
        upper: If true, read the upper triangle, and return an upper triangular factor.

    Returns:
        A Tensor, or an array if `a` is an array.

    Raises:
        LinAlgError: If a matrix is not square, or an eigenvalue is not positive.

    Examples:
        >>> from tinygraph import Tensor
        >>> cholesky(Tensor([[4.0, 0.0], [0.0, 9.0]]))
        Tensor([[2.0, 0.0], [0.0, 3.0]], op='cholesky')
    """
    a = square("cholesky", a)
    if upper:
        return swap_last_axes(factorizations.cholesky(swap_last_axes(a)))
    return factorizations.cholesky(a)


def _triangle(name: str, given: object) -> factorizations.Triangle:
    found = given.upper() if isinstance(given, str) else given
    one_of(f"{name}: UPLO", found, ("L", "U"))
    return "L" if found == "L" else "U"


@numpy_function("linalg.eigvalsh")
def eigvalsh(a: Operand, UPLO: str = "L") -> Operand:
    """Return the eigenvalues of a symmetric matrix, in ascending order, as `np.linalg.eigvalsh`.

    Where eigenvalues are equal, the gradient is right for functions that treat them alike, such as the sum. The second
    derivative is infinite or NaN there.

    Args:
        a: Symmetric matrix, or a stack of them.
        UPLO: Triangle that is read: "L" or "U". The gradient of the other triangle is 0.

    Returns:
        A Tensor, or an array if `a` is an array.

    Raises:
        LinAlgError: If a matrix is not square.

    Examples:
        >>> from tinygraph import Tensor
        >>> eigvalsh(Tensor([[2.0, 0.0], [0.0, 1.0]]))
        Tensor([1.0, 2.0], op='eigvalsh')
    """
    return factorizations.eigvalsh(_triangle("eigvalsh", UPLO))(square("eigvalsh", a))


class EighResult(NamedTuple):
    """The eigenvalues of a symmetric matrix, and its eigenvectors as columns."""

    eigenvalues: Operand
    eigenvectors: Operand


@numpy_function("linalg.eigh")
def eigh(a: Operand, UPLO: str = "L") -> EighResult:
    """Return the eigenvalues and the eigenvectors of a symmetric matrix, as `np.linalg.eigh`.

    The derivative of the eigenvectors is infinite or NaN where two eigenvalues are equal.

    Args:
        a: Symmetric matrix, or a stack of them.
        UPLO: Triangle that is read: "L" or "U". The gradient of the other triangle is 0.

    Returns:
        A namedtuple with `eigenvalues` and `eigenvectors`.

    Raises:
        LinAlgError: If a matrix is not square.
    """
    a, uplo = square("eigh", a), _triangle("eigh", UPLO)
    return EighResult(factorizations.eigvalsh(uplo)(a), factorizations.eigvecsh(uplo)(a))


@numpy_function("linalg.svdvals")
def svdvals(x: Operand) -> Operand:
    """Return the singular values of a matrix, in descending order, as `np.linalg.svdvals`."""
    return factorizations.svdvals(stack_of_matrices("svdvals", x))


class SVDResult(NamedTuple):
    """The left singular vectors as columns, the singular values, and the right singular vectors as rows."""

    U: Operand
    S: Operand
    Vh: Operand


@numpy_function("linalg.svd")
def svd(
    a: Operand, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> SVDResult | Operand:
    """Return the singular value decomposition of a matrix, as `np.linalg.svd`.

    The derivative of the singular vectors is infinite or NaN where two singular values are equal.

    Args:
        a: Matrix, or a stack of matrices.
        full_matrices: Must be false, unless the matrices are square: the vectors beyond the shorter side are not
            unique, so they have no derivative.
        compute_uv: If false, return only the singular values.
        hermitian: Must be false.

    Returns:
        A namedtuple with `U`, `S` and `Vh`, or the singular values.

    Raises:
        TypeError: If `full_matrices` is true and the matrices are not square, or `hermitian` is true.
    """
    a = stack_of_matrices("svd", a)
    if hermitian:
        raise TypeError(f"svd: hermitian={described(hermitian)} is not understood: leave it out, or use eigh")
    if not compute_uv:
        return factorizations.svdvals(a)
    if full_matrices and a.shape[-1] != a.shape[-2]:
        raise TypeError(
            f"svd of a matrix of shape {a.shape}: pass full_matrices=False, because the other singular vectors "
            "are not unique, so they have no derivative"
        )
    return SVDResult(factorizations.svd_left(a), factorizations.svdvals(a), factorizations.svd_right(a))


@numpy_function("linalg.pinv")
def pinv(a: Operand, rcond: float | None = None, hermitian: bool = False, rtol: float | None = None) -> Operand:
    """Return the pseudoinverse of a matrix, as `np.linalg.pinv`. The derivative exists where the rank is constant.

    Args:
        a: Matrix, or a stack of matrices.
        rcond: Singular values that are at most this multiple of the largest one count as 0. Defaults to NumPy's
            default.
        hermitian: Must be false.
        rtol: Another name of `rcond`.

    Returns:
        A Tensor, or an array if `a` is an array.

    Raises:
        TypeError: If `hermitian` is true, or `rcond` is an array.
        ValueError: If both `rcond` and `rtol` are given.
    """
    a = stack_of_matrices("pinv", a)
    if hermitian:
        raise TypeError(f"pinv: hermitian={described(hermitian)} is not understood: leave it out")
    if rcond is not None and rtol is not None:
        raise ValueError("pinv: rcond and rtol are the same: pass one of them")
    cutoff = rtol if rcond is None else rcond
    if np.ndim(cutoff or 0.0):
        raise TypeError(f"pinv: rcond must be a number, not {described(cutoff)}")
    return factorizations.pinv(None if cutoff is None else float(cutoff))(a)
