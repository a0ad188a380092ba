"""Ops on square matrices, and on stacks of them: inverse, solution of linear equations, and determinants.

References:
    M. B. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
    differentiation", 2008.
"""

from __future__ import annotations

import numpy as np

from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, Operand
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops.matrices import fixed, guarded, inner, spread, times
from tinygraph.tensor.shapes import sum_to, swap_last_axes

_T = swap_last_axes
_NO_INVERSE = "Such a matrix has no inverse: use np.linalg.pinv, or add a multiple of the identity matrix"


def _trace_of_product(x: Operand, y: Operand) -> Operand:
    return inner(x, _T(y))


# --- inverse


def _inv_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return -times(_T(out), up, _T(out))


inv: ArrayOp = fixed(
    "inv",
    guarded("inv", np.linalg.inv, _NO_INVERSE),
    symbol="{}⁻¹",
    code="np.linalg.inv({})",
    vjps=(_inv_vjp,),
    jvp=lambda tangent, out, x: -times(out, tangent, out),
    note=("-{0}⁻ᵀ · {up} · {0}⁻ᵀ",),
)


# --- solution of linear equations


def _collapsed(x: Operand, like: Operand) -> Operand:
    return x if x.shape == like.shape else sum_to(like.shape)(x)


def _solve_dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    return _collapsed(-times(solve(_T(x), up), _T(out)), x)


def _solve_dy(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    return _collapsed(solve(_T(x), up), y)


solve: ArrayOp = fixed(
    "solve",
    guarded("solve", np.linalg.solve, _NO_INVERSE),
    symbol="{}⁻¹ · {}",
    code="np.linalg.solve({}, {})",
    vjps=(_solve_dx, _solve_dy),
    jvp=(lambda tangent, out, x, y: -solve(x, matmul(tangent, out)), lambda tangent, out, x, y: solve(x, tangent)),
    note=("-{0}⁻ᵀ · {up} · ({0}⁻¹ · {1})ᵀ", "{0}⁻ᵀ · {up}"),
    shape=lambda x, y: (*np.broadcast_shapes(x[:-2], y[:-2]), *y[-2:]),
)


# --- determinants


def _det_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return spread(up) * cofactor(x)


det: ArrayOp = fixed(
    "det",
    np.linalg.det,
    symbol="det({})",
    code="np.linalg.det({})",
    vjps=(_det_vjp,),
    jvp=lambda tangent, out, x: inner(cofactor(x), tangent),
    note=("{up} · cofactor({0})",),
)


def _others(s: Array) -> Array:
    """Return the product of the other elements for each element along the last axis, without a division."""
    one = np.ones((*s.shape[:-1], 1))
    before = np.cumprod(np.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def _rotations(x: Array) -> tuple[Array, Array, Array, Array]:
    """Return the factors of the singular value decomposition, and the sign of the determinant of the rotations."""
    u, s, v = np.linalg.svd(x)
    return u, s, v, np.sign(np.linalg.det(u) * np.linalg.det(v))[..., None, None]


def _cofactor(x: Array) -> Array:
    finite = np.isfinite(x).all(axis=(-1, -2), keepdims=True)
    u, s, v, sign = _rotations(np.where(finite, x, 0.0))
    return np.where(finite, sign * ((u * _others(s)[..., None, :]) @ v), np.nan)


def _cofactor_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return cofactor_change(x, up)


# The derivative of the determinant, also of a singular matrix, where det(x) * inv(x).T would be 0 times infinity.
# The singular value decomposition x = u @ S @ v gives it: a cofactor of S is the product of the other elements.
cofactor: ArrayOp = fixed(
    "cofactor",
    _cofactor,
    symbol="cofactor({})",
    vjps=(_cofactor_vjp,),
    jvp=lambda tangent, out, x: cofactor_change(x, tangent),
    note=("cofactor′({0})[{up}]",),
)


def _cofactor_change(x: Array, y: Array) -> Array:
    """Return the derivative of the cofactors in the direction y.

    The cofactors of S + t * e change at the rate P @ diag(e) on the diagonal, and at the rate -P * e.T elsewhere,
    where P[i, j] is the product of all s but those at i and j.
    """
    finite = np.isfinite(x).all(axis=(-1, -2), keepdims=True)
    u, s, v, sign = _rotations(np.where(finite, x, 0.0))
    n = s.shape[-1]
    e = _T(u) @ y @ _T(v)
    # Row i contains the singular values with a 1 in place of element i.
    rest = _others(np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :])) * (1.0 - np.eye(n))
    change = -rest * _T(e)
    change[..., np.arange(n), np.arange(n)] = np.einsum("...ij,...jj->...i", rest, e)
    return np.where(finite, sign * (u @ change @ v), np.nan)


def _cofactor_change_dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    """Return the third derivative of the determinant, which needs the inverse of the matrix.

    The second derivative is det * (tr(E) tr(F) - tr(E F)) where E = inv @ y and F = inv @ up.
    """
    b = inv(x)
    e, f = matmul(b, y), matmul(b, up)
    one = _trace_of_product(b, y), _trace_of_product(b, up)
    both = one[0] * one[1] - _trace_of_product(e, f)
    eb, fb = matmul(e, b), matmul(f, b)
    terms = spread(both) * b - spread(one[1]) * eb - spread(one[0]) * fb + matmul(e, fb) + matmul(f, eb)
    return spread(det(x)) * _T(terms)


def _cofactor_change_dy(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    return cofactor_change(x, up)  # second derivatives do not depend on the order


def _cofactor_change_jvp(tangent: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    return _cofactor_change_dx(tangent, out, x, y)  # nor do third ones


cofactor_change: ArrayOp = fixed(
    "cofactor_change",
    _cofactor_change,
    symbol="cofactor′({})[{}]",
    vjps=(_cofactor_change_dx, _cofactor_change_dy),
    jvp=(_cofactor_change_jvp, lambda tangent, out, x, y: cofactor_change(x, tangent)),
)


def _logabsdet_vjp(up: Operand, out: Operand, x: Operand) -> Operand:
    return spread(up) * _T(inv(x))


logabsdet: ArrayOp = fixed(
    "logabsdet",
    lambda x: np.linalg.slogdet(x)[1],
    symbol="log|det {}|",
    code="np.linalg.slogdet({})[1]",
    vjps=(_logabsdet_vjp,),
    jvp=lambda tangent, out, x: _trace_of_product(inv(x), tangent),
    note=("{up} · {0}⁻ᵀ",),
)


signdet: ArrayOp = fixed(
    "signdet",
    lambda x: np.linalg.slogdet(x)[0],
    symbol="sign(det {})",
    code="np.linalg.slogdet({})[0]",
    vjps=(lambda up, out, x: np.zeros(x.shape),),
    jvp=lambda tangent, out, x: np.zeros(out.shape),
    note=("zeros, because the sign is constant",),
)
