"""Ops that factorize matrices, and stacks of them: Cholesky, eigenvalues, singular values and the pseudoinverse.

References:
    I. Murray, "Differentiation of the Cholesky decomposition", 2016.
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", 2008 (eigenvalues and eigenvectors).
    J. Townsend, "Differentiating the singular value decomposition", 2016.
    G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate", 1973, equation 4.12.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from tinygraph.engine.registry import is_number, parametrized
from tinygraph.tensor.array_ops import ArrayOp, Operand
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops.inverses import solve
from tinygraph.tensor.more_ops.matrices import column, fixed, guarded, row, times
from tinygraph.tensor.reductions import sum_over
from tinygraph.tensor.shapes import swap_last_axes

_T = swap_last_axes
Triangle = Literal["L", "U"]  # the triangle of a symmetric matrix that NumPy reads
_TURNED = {"L": "", "U": "ᵀ"}
_PHI = "Φ = the lower triangle with half of the diagonal"


# --- symmetric matrices. NumPy reads one triangle, so the elements of the other triangle have derivative 0.


def _from_symmetric(gradient: Operand, uplo: Triangle) -> Operand:
    """Return the gradient of the triangle that NumPy reads, from a gradient for all elements of a symmetric matrix."""
    n = gradient.shape[-1]
    lower = np.tri(n) + np.tri(n, k=-1)  # an element below the diagonal stands for two
    return (gradient + _T(gradient)) * (0.5 * (lower if uplo == "L" else lower.T))


def _symmetric(x: Operand, uplo: Triangle) -> Operand:
    """Return the symmetric matrix that NumPy reads from one triangle."""
    n = x.shape[-1]
    lower, below = np.tri(n), np.tri(n, k=-1)
    return x * lower + _T(x * below) if uplo == "L" else x * lower.T + _T(x * below.T)


def _phi(x: Operand) -> Operand:
    """Return the lower triangle of a matrix, with half of the diagonal."""
    n = x.shape[-1]
    return x * (np.tri(n) - 0.5 * np.eye(n))


def _cholesky_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    left = solve(_T(out), _phi(matmul(_T(out), up)))
    return _from_symmetric(_T(solve(_T(out), _T(left))), "L")


def _cholesky_jvp(tangent: Operand, out: Operand, x: Operand) -> Operand:
    left = solve(out, _symmetric(tangent, "L"))
    return matmul(out, _phi(_T(solve(out, _T(left)))))


cholesky: ArrayOp = fixed(
    "cholesky",
    guarded(
        "cholesky",
        np.linalg.cholesky,
        "All eigenvalues must be positive: add a small multiple of the identity matrix",
    ),
    code="np.linalg.cholesky({})",
    vjps=(_cholesky_vjp,),
    jvp=_cholesky_jvp,
    note=(f"Φ(M + Mᵀ), where M = L⁻ᵀ · Φ(Lᵀ · {{up}}) · L⁻¹, L = cholesky({{0}}) and {_PHI}",),
)


def is_triangle(x: object) -> bool:
    """Return whether a parameter is NumPy's name of a triangle.

    Args:
        x: Parameter to check.

    Returns:
        True for "L" and "U".
    """
    return x in ("L", "U")


_NAN = "The elements must be finite"


@parametrized(is_triangle)
@lru_cache(maxsize=2)
def eigvalsh(uplo: Triangle = "L") -> ArrayOp:
    """Return the op that computes the eigenvalues of a symmetric matrix, in ascending order.

    Args:
        uplo: Triangle that is read: "L" or "U".

    Returns:
        The op.

    Examples:
        >>> eigvalsh("L")(np.array([[2.0, 0.0], [0.0, 1.0]]))
        array([1., 2.])
    """

    def pull(up: Operand, out: Operand, x: Operand) -> Operand:
        v = eigvecsh(uplo)(x)
        return _from_symmetric(matmul(v * row(up), _T(v)), uplo)

    def push(tangent: Operand, out: Operand, x: Operand) -> Operand:
        v = eigvecsh(uplo)(x)
        return sum_over(-2)(v * matmul(_symmetric(tangent, uplo), v))

    return ArrayOp(
        "eigvalsh",
        guarded("eigvalsh", lambda x: np.linalg.eigvalsh(x, uplo), _NAN),
        code=f"np.linalg.eigvalsh({{}}, '{uplo}')",
        vjps=(pull,),
        jvp=push,
        note=(f"2Φ(V · diag({{up}}) · Vᵀ){_TURNED[uplo]}, where V = the eigenvectors of {{0}} and {_PHI}",),
        maker=eigvalsh,
        parameters=(uplo,),
    )


def _inverse_gaps(x: Operand) -> Operand:
    """Return 1 / (x[j] - x[i]) at [i, j], and 0 on the diagonal. It is infinite where two elements are equal."""
    same = np.eye(x.shape[-1])
    return (1.0 - same) / (row(x) - column(x) + same)


@parametrized(is_triangle)
@lru_cache(maxsize=2)
def eigvecsh(uplo: Triangle = "L") -> ArrayOp:
    """Return the op that computes the eigenvectors of a symmetric matrix, as columns.

    The derivative is infinite or NaN if two eigenvalues are equal.

    Args:
        uplo: Triangle that is read: "L" or "U".

    Returns:
        The op.

    Examples:
        >>> abs(eigvecsh("L")(np.array([[2.0, 0.0], [0.0, 1.0]])))
        array([[0., 1.],
               [1., 0.]])
    """

    def pull(up: Operand, out: Operand, x: Operand) -> Operand:
        inner = _inverse_gaps(eigvalsh(uplo)(x)) * matmul(_T(out), up)
        return _from_symmetric(times(out, inner, _T(out)), uplo)

    def push(tangent: Operand, out: Operand, x: Operand) -> Operand:
        inner = times(_T(out), _symmetric(tangent, uplo), out)
        return matmul(out, _inverse_gaps(eigvalsh(uplo)(x)) * inner)

    return ArrayOp(
        "eigvecsh",
        guarded("eigh", lambda x: np.linalg.eigh(x, uplo)[1], _NAN),
        code=f"np.linalg.eigh({{}}, '{uplo}')[1]",
        vjps=(pull,),
        jvp=push,
        maker=eigvecsh,
        parameters=(uplo,),
    )


# --- singular values


def _svdvals_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return matmul(svd_left(x) * row(up), svd_right(x))


def _svdvals_jvp(tangent: Operand, out: Operand, x: Operand) -> Operand:
    return sum_over(-2)(svd_left(x) * matmul(tangent, _T(svd_right(x))))


svdvals: ArrayOp = fixed(
    "svdvals",
    guarded("svdvals", lambda x: np.linalg.svd(x, compute_uv=False), _NAN),
    code="np.linalg.svd({}, compute_uv=False)",
    vjps=(_svdvals_vjp,),
    jvp=_svdvals_jvp,
    note=("U · diag({up}) · Vᵀ, where {0} = U · S · Vᵀ",),
)


def _vectors_vjp(up: Operand, u: Operand, s: Operand, v: Operand) -> Operand:
    """Return the gradient of x = u @ S @ v from the gradient of u, where S is the diagonal matrix of s."""
    turned = matmul(_T(u), up)
    inside = matmul(u, _inverse_gaps(s * s) * (turned - _T(turned)) * row(s))
    if u.shape[-2] > u.shape[-1]:
        inside = inside + (up - matmul(u, turned)) / row(s)
    return matmul(inside, v)


def _vectors_jvp(tangent: Operand, u: Operand, s: Operand, v: Operand) -> Operand:
    """Return the tangent of u from the tangent of x = u @ S @ v."""
    moved = matmul(tangent, _T(v))
    p = matmul(_T(u), moved)
    inside = matmul(u, _inverse_gaps(s * s) * (p * row(s) + column(s) * _T(p)))
    return inside + (moved - matmul(u, p)) / row(s) if u.shape[-2] > u.shape[-1] else inside


def _svd_left_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return _vectors_vjp(up, out, svdvals(x), svd_right(x))


def _svd_left_jvp(tangent: Operand, out: Operand, x: Operand) -> Operand:
    return _vectors_jvp(tangent, out, svdvals(x), svd_right(x))


# The right singular vectors of x are the left singular vectors of x.T.


def _svd_right_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return _T(_vectors_vjp(_T(up), _T(out), svdvals(x), _T(svd_left(x))))


def _svd_right_jvp(tangent: Operand, out: Operand, x: Operand) -> Operand:
    return _T(_vectors_jvp(_T(tangent), _T(out), svdvals(x), _T(svd_left(x))))


svd_left: ArrayOp = fixed(
    "svd_left",
    guarded("svd", lambda x: np.linalg.svd(x, full_matrices=False)[0], _NAN),
    code="np.linalg.svd({}, full_matrices=False)[0]",
    vjps=(_svd_left_vjp,),
    jvp=_svd_left_jvp,
)
svd_right: ArrayOp = fixed(
    "svd_right",
    guarded("svd", lambda x: np.linalg.svd(x, full_matrices=False)[2], _NAN),
    code="np.linalg.svd({}, full_matrices=False)[2]",
    vjps=(_svd_right_vjp,),
    jvp=_svd_right_jvp,
)


# --- pseudoinverse


def is_cutoff(x: object) -> bool:
    """Return whether a parameter is a cutoff for small singular values.

    Args:
        x: Parameter to check.

    Returns:
        True for a number, and for None, which stands for NumPy's default.
    """
    return x is None or is_number(x)


@parametrized(is_cutoff)
@lru_cache(maxsize=64)
def pinv(cutoff: float | None = None) -> ArrayOp:
    """Return the op that computes the pseudoinverse. Its derivative exists where the rank is constant.

    Args:
        cutoff: Singular values that are at most this multiple of the largest one count as 0. Defaults to NumPy's
            default.

    Returns:
        The op.

    Examples:
        >>> pinv()(np.array([[2.0], [0.0]]))
        array([[0.5, 0. ]])
    """

    def pull(up: Operand, out: Operand, x: Operand) -> Operand:
        turned = _T(up)
        first = matmul(turned, matmul(out, _T(out)))
        second = matmul(matmul(_T(out), out), turned)
        return first - times(x, out, first) + second - times(second, out, x) - times(_T(out), up, _T(out))

    def push(tangent: Operand, out: Operand, x: Operand) -> Operand:
        turned = _T(tangent)
        first = times(out, _T(out), turned)
        second = times(turned, _T(out), out)
        return first - times(first, x, out) + second - times(out, x, second) - times(out, tangent, out)

    return ArrayOp(
        "pinv",
        guarded("pinv", np.linalg.pinv if cutoff is None else lambda x: np.linalg.pinv(x, cutoff), _NAN),
        code=f"np.linalg.pinv({{}}{'' if cutoff is None else ', {parameters[0]}'})",
        vjps=(pull,),
        jvp=push,
        maker=pinv,
        parameters=(cutoff,),
    )
