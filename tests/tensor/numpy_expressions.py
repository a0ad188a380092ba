"""A list of NumPy expressions: what users write, with operands at which each expression is smooth.

A line is an expression in `np`, `tg` (tinygraph), and the operands of this file. For a function that NumPy does not
have, `|` separates the expression from its definition in NumPy. The acceptance test, the tools that measure other
libraries, and the page "NumPy coverage" read this list.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

import tinygraph


def _spread(order: str, low: float, step: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return different numbers with equal gaps, in the order of the given ranks."""
    return (low + step * np.array([float(rank) for rank in order.split()])).reshape(shape)


ORDER = "7 2 11 4 9 0 5 10 1 8 3 6"
TURNED = "3 8 1 10 6 2 9 0 11 5 7 4"

# Operands that become Tensors. No two elements that an expression compares are closer than 0.02.
TENSORS = {
    "t": _spread(ORDER, 0.25, 0.06, (3, 4)),  # between 0.25 and 0.91
    "w": _spread(TURNED, 0.28, 0.06, (3, 4)),  # never equal to t
    "n": _spread(ORDER, -2.67, 0.5, (3, 4)),  # of both signs, away from 0, integers and halves
    "big": _spread(TURNED, 1.31, 0.23, (3, 4)),  # above 1
    "gaps": np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, _spread(ORDER, 0.25, 0.06, (3, 4))),
    "s": np.array(0.7),
    "v": np.array([0.45, 0.93, 0.21, 0.66]),
    "u": np.array([0.3, -0.8, 0.55]),
    "r": np.array([[0.4, -0.6, 0.9, 0.2]]),
    "c": np.array([[0.5], [1.2], [-0.7]]),
    "one": np.array([[[0.5], [1.2], [-0.7]]]),
    "q": np.array([[0.6, -0.3], [0.1, 0.8], [-0.5, 0.4], [0.9, 0.7]]),
    "d": _spread("7 2 11 4 9 0 5 10 1 8 3 6 19 14 23 16 21 12 17 22 13 20 15 18", -1.1, 0.09, (2, 3, 4)),
    "e": _spread("3 8 1 10 6 2 9 0 11 5 7 4 15 20 13 22 18 14 21 12 23 17 19 16", -0.9, 0.08, (2, 4, 3)),
    "A": np.array([[2.0, 0.3, -0.4], [0.5, 1.7, 0.2], [-0.6, 0.1, 2.4]]),
    "B": np.array([[[1.9, 0.2], [-0.5, 1.3]], [[-1.6, 0.4], [0.3, 2.2]]]),
    "R": np.array([[1.0, 0.2, -0.5, 0.3], [0.4, 1.5, 0.1, -0.2]]),
    "zero": np.array([[0.5, 0.0, 1.5], [2.0, 0.7, -1.1]]),
    "zeros": np.array([[0.5, 0.0, 0.0], [2.0, 0.7, -1.1]]),
}

# Operands that become Values, object arrays of Values, and an object array without axes.
VALUES = {"x": 0.7, "y": 1.3, "o": np.array([0.4, 1.1, 0.8]), "p": np.array([1.4, 0.3, 0.9]), "o0": np.array(0.7)}

# Operands that stay what they are.
PLAIN = {
    "P": _spread(TURNED, 0.31, 0.07, (3, 4)),
    "V": np.array([0.8, 0.35, 1.6, 0.5]),
    "mask": np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]]),
    "k": np.array([2, 0, 1]),
    "along": np.array([[2, 0, 1, 3], [0, 1, 3, 2], [1, 1, 0, 2]]),
    "labels": np.array([2, 0, 3]),
    "onehot": np.eye(4)[[2, 0, 3]],
    "signs": np.array([[1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, -1.0, 1.0]]),
}


@cache
def _frame(name: str) -> object:
    """Return an operand of pandas. Raise ImportError if pandas is not installed."""
    import pandas as pd

    return pd.DataFrame(PLAIN["P"]) if name == "df" else pd.Series(PLAIN["V"])


FRAMES = ("df", "series")  # operands of pandas

erf = np.vectorize(math.erf)
lgamma = np.vectorize(math.lgamma)
_SHIFT = 12  # a recurrence moves the argument up, to where the asymptotic series has all its digits


def _digamma(x: float) -> float:
    """Return the digamma function of a positive number (DLMF 5.5.2 and 5.11.2)."""
    z = 1.0 / (x + _SHIFT) ** 2
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760)))))
    return math.log(x + _SHIFT) - 0.5 / (x + _SHIFT) - series - math.fsum(1.0 / (x + i) for i in range(_SHIFT))


digamma = np.vectorize(_digamma)
DEFINITIONS = {"erf": erf, "lgamma": lgamma, "digamma": digamma}

# --- expressions with a gradient --------------------------------------------------------------------

OPERATORS = """
+t
-t
abs(n)
t + w
t - w
t * w
t / w
t ** w
n // w
n % w
divmod(n, w)
t + 2.0
2.0 - t
3 * t
1 / t
2.0 ** n
n ** 2
n ** 3
t ** 0.5
t ** -1
n // 0.7
5.0 // big
n % 0.7
5.0 % big
n % -0.7
t + P
P - t
P / t
P ** t
P % t
P // t
t * r
c * r
t + c
s * t
t - s
t + np.float64(2.0)
np.float64(2.0) * t
np.float32(2.0) * t
np.int64(3) - t
np.longdouble(2.0) * t
t / np.longdouble(2.0)
np.bool_(True) * t
t + np.array(2.0)
t + [1.0, 2.0, 3.0, 4.0]
[1.0, 2.0, 3.0, 4.0] * t
t * mask
t @ q
t @ V
V @ q
P @ q
t @ P.T
v @ v
A @ A
d @ e
d @ q
"""

ELEMENTWISE = """
np.add(t, w)
np.subtract(t, w)
np.multiply(t, w)
np.divide(t, w)
np.true_divide(t, w)
np.power(t, w)
np.power(2.0, n)
np.float_power(t, w)
np.negative(t)
np.positive(t)
np.absolute(n)
np.abs(n)
np.fabs(n)
np.square(n)
np.sqrt(t)
np.cbrt(n)
np.reciprocal(n)
np.exp(n)
np.exp2(n)
np.expm1(n)
np.log(t)
np.log2(t)
np.log10(t)
np.log1p(t)
np.sin(n)
np.cos(n)
np.tan(t)
np.arcsin(t)
np.arccos(t)
np.arctan(n)
np.asin(t)
np.acos(t)
np.atan(n)
np.sinh(n)
np.cosh(n)
np.tanh(n)
np.arcsinh(n)
np.arccosh(big)
np.arctanh(t)
np.asinh(n)
np.acosh(big)
np.atanh(t)
np.arctan2(n, t)
np.arctan2(n, 0.5)
np.arctan2(0.5, n)
np.atan2(n, w)
np.hypot(n, t)
np.hypot(n, 3.0)
np.logaddexp(n, t)
np.logaddexp2(n, t)
np.logaddexp2(n, 0.5)
np.maximum(t, w)
np.maximum(n, 0.0)
np.minimum(t, w)
np.minimum(1.2, n)
np.fmax(t, w)
np.fmin(t, w)
np.fmax(n, 0.3)
np.fmax(gaps, 0.4)
np.fmin(n, 0.3)
np.sign(n)
np.heaviside(n, 0.5)
np.floor(n)
np.ceil(n)
np.rint(n)
np.round(n)
np.around(n)
np.round(n, 1)
np.trunc(n)
np.fix(n)
n.round()
np.mod(n, w)
np.mod(n, 0.7)
np.remainder(n, w)
np.fmod(n, w)
np.fmod(n, 0.7)
np.fmod(5.0, big)
np.floor_divide(n, w)
np.divmod(n, w)
np.sinc(n)
np.deg2rad(n)
np.radians(n)
np.rad2deg(n)
np.degrees(n)
np.nan_to_num(gaps)
np.nan_to_num(gaps, nan=2.0)
np.clip(n, -1.1, 1.2)
np.clip(n, None, 1.2)
np.clip(n, -1.1, None)
np.clip(n, a_min=-1.1, a_max=1.2)
np.clip(t, 0.445, w)
np.clip(t, 0.385, w)
np.clip(n, min=-1.1, max=1.2)
n.clip(-1.1, 1.2)
n.clip(max=1.2)
n.clip(min=-1.1)
np.where(mask, t, w)
np.where(mask, t, 0.0)
np.where(mask, 0.0, t)
np.where(n > 0, n, 0.0)
np.where(n > 0, n, 0.1 * n)
np.where(mask, r, c)
np.where(mask, t, P)
np.where(True, t, w)
np.exp(n, out=None)
np.add(t, w, dtype=float)
np.exp(n, dtype=np.float64)
np.multiply(t, w, where=True)
np.add(t, s)
np.exp(s)
np.hypot(s, 0.4)
np.conjugate(n)
np.real_if_close(n)
np.real(n)
n.conj()
n.real
"""

REDUCTIONS = """
np.sum(t)
np.sum(t, axis=0)
np.sum(t, axis=1, keepdims=True)
np.sum(t, axis=(0, 1))
np.sum(d, axis=(0, 2))
np.sum(d, axis=-1)
np.sum(t, 0)
np.sum(t, dtype=float)
np.sum(t, axis=0, dtype=np.float64, out=None)
np.sum(t, where=mask)
np.sum(t, initial=2.0)
np.sum(t, axis=0, where=mask, initial=2.0)
t.sum()
t.sum(0)
t.sum(axis=1)
t.sum(axis=(0, 1), keepdims=True)
t.sum(where=mask)
t.sum(initial=0.5)
sum(v)
np.mean(t)
np.mean(t, axis=0)
np.mean(t, axis=1, keepdims=True)
np.mean(t, axis=(0, 1))
np.mean(t, dtype=float)
np.mean(t, where=mask)
np.mean(t, axis=1, where=mask)
t.mean()
t.mean(1)
t.mean(axis=-1, keepdims=True)
t.mean(where=mask)
np.prod(t)
np.prod(t, axis=0)
np.prod(n, axis=1, keepdims=True)
np.prod(d, axis=(0, 2))
np.prod(t, where=mask)
np.prod(t, initial=2.0)
np.prod(zero)
np.prod(zeros)
np.prod(zero, axis=0)
np.prod(zeros, axis=1)
t.prod()
t.prod(axis=1)
np.max(t)
np.max(t, axis=0)
np.max(t, axis=1, keepdims=True)
np.max(d, axis=(0, 2))
np.amax(t, 1)
np.max(t, initial=0.6)
np.max(t, axis=1, where=mask, initial=0.1)
t.max()
t.max(axis=-1)
np.min(t)
np.min(t, axis=0)
np.min(t, axis=1, keepdims=True)
np.amin(t)
np.min(t, axis=1, where=mask, initial=5.0)
t.min()
t.min(axis=-1)
np.ptp(t)
np.ptp(t, axis=0)
np.ptp(t, axis=1, keepdims=True)
np.var(t)
np.var(t, axis=0)
np.var(t, axis=0, ddof=1)
np.var(t, axis=1, keepdims=True)
np.var(t, axis=(0, 1), ddof=1)
np.var(t, dtype=float)
np.var(t, where=mask)
np.var(t, axis=1, correction=1)
t.var()
t.var(axis=0)
t.var(0, ddof=1)
np.std(t)
np.std(t, axis=0)
np.std(t, axis=0, ddof=1)
np.std(t, axis=1, keepdims=True)
np.std(d, axis=(0, 2))
np.std(t, where=mask)
t.std()
t.std(axis=1, ddof=1)
np.median(t)
np.median(t, axis=0)
np.median(t, axis=1)
np.median(t, axis=1, keepdims=True)
np.median(u)
np.average(t)
np.average(t, axis=0)
np.average(t, axis=1, weights=V)
np.average(t, weights=P)
np.average(t, weights=w)
np.average(t, axis=0, weights=w)
np.average(t, axis=1, keepdims=True)
np.average(t, axis=1, weights=V, returned=True)
np.nansum(gaps)
np.nansum(gaps, axis=0)
np.nansum(t, axis=1, keepdims=True)
np.nanmean(gaps)
np.nanmean(gaps, axis=1)
np.nanmean(t, axis=0, keepdims=True)
np.nanprod(gaps)
np.nanprod(gaps, axis=1)
np.nanvar(gaps)
np.nanvar(gaps, axis=1, ddof=1)
np.nanstd(gaps)
np.nanstd(gaps, axis=0, keepdims=True)
np.nanmax(gaps)
np.nanmax(gaps, axis=1)
np.nanmin(gaps)
np.nanmin(gaps, axis=0)
np.quantile(t, 0.3)
np.quantile(t, [0.1, 0.7], axis=0)
np.quantile(t, 0.6, axis=1, keepdims=True)
np.quantile(t, 0.3, method="lower")
np.percentile(t, 40)
np.percentile(t, [25, 50, 75], axis=1)
np.cumsum(t)
np.cumsum(t, axis=0)
np.cumsum(d, axis=-1)
t.cumsum()
t.cumsum(axis=1)
np.cumprod(t)
np.cumprod(t, axis=0)
np.cumprod(zero, axis=1)
np.cumprod(zeros, axis=1)
t.cumprod()
t.cumprod(axis=1)
np.nanstd(gaps, axis=1)
np.nancumsum(gaps)
np.nancumprod(gaps, axis=1)
np.quantile(t, [0.25, 0.8], axis=1)
np.percentile(t, [10, 85], axis=0)
np.nancumsum(gaps, axis=0)
np.nancumprod(gaps)
"""

SHAPES = """
np.squeeze(one)
np.squeeze(one, axis=0)
np.squeeze(one, axis=(0, 2))
np.squeeze(s)
one.squeeze()
one.squeeze(0)
one.squeeze(axis=-1)
np.expand_dims(t, 0)
np.expand_dims(t, axis=-1)
np.expand_dims(t, axis=(0, 2))
np.ravel(t)
np.ravel(t, order="F")
np.ravel(t, "C")
t.ravel()
t.ravel("F")
t.flatten()
t.flatten("F")
t.flatten(order="C")
np.reshape(t, (4, 3))
np.reshape(t, (2, -1))
np.reshape(t, -1)
np.reshape(t, shape=(4, 3))
np.reshape(t, (4, 3), order="F")
np.reshape(t, (4, 3), copy=True)
t.reshape(4, 3)
t.reshape((2, 6))
t.reshape(-1)
t.reshape(4, 3, order="F")
np.transpose(t)
np.transpose(d, (1, 0, 2))
np.transpose(d, axes=(2, 0, 1))
np.permute_dims(d, (1, 0, 2))
np.matrix_transpose(d)
t.T
d.T
d.mT
d.transpose(1, 0, 2)
d.transpose((2, 1, 0))
d.transpose()
d.transpose(None)
np.transpose(d, None)
np.swapaxes(d, 0, 2)
np.swapaxes(d, axis1=-1, axis2=-2)
d.swapaxes(0, 1)
np.moveaxis(d, 0, -1)
np.moveaxis(d, (0, 1), (1, 2))
np.moveaxis(d, source=2, destination=0)
np.rollaxis(d, 2)
np.rollaxis(d, 1, 3)
np.atleast_1d(s)
np.atleast_1d(t)
np.atleast_1d(s, v)
np.atleast_2d(v)
np.atleast_2d(s)
np.atleast_3d(v)
np.atleast_3d(t)
np.broadcast_to(r, (3, 4))
np.broadcast_to(s, (2, 2))
np.broadcast_arrays(r, c)
np.concatenate([t, w])
np.concatenate((t, w), axis=1)
np.concatenate([t, P], axis=-1)
np.concatenate([t, w], axis=None)
np.concat([t, w])
np.stack([t, w])
np.stack([t, w], axis=1)
np.stack([t, P], axis=-1)
np.stack((v, V))
np.vstack([t, w])
np.vstack([v, V])
np.vstack((r, t))
np.hstack([t, c])
np.hstack([v, V])
np.hstack((t, w))
np.dstack([t, w])
np.dstack([v, V])
np.column_stack([v, V])
np.column_stack([t, u])
np.append(t, w)
np.append(t, P, axis=0)
np.append(v, 1.5)
np.append(P, t, axis=1)
np.split(t, 2, axis=1)
np.split(v, [1, 3])
np.split(t, 3)
np.array_split(t, 3, axis=1)
np.array_split(v, 3)
np.hsplit(t, 2)
np.hsplit(v, 2)
np.vsplit(t, 3)
np.vsplit(t, [1])
np.tile(v, 2)
np.tile(t, (2, 1))
np.tile(v, (2, 2))
np.repeat(t, 2)
np.repeat(t, 2, axis=0)
np.repeat(t, [1, 0, 2], axis=0)
np.repeat(s, 3)
t.repeat(2)
t.repeat(2, axis=1)
np.roll(t, 1)
np.roll(t, -1, axis=0)
np.roll(t, (1, 2), axis=(0, 1))
np.flip(t)
np.flip(t, 0)
np.flip(d, axis=(0, 2))
np.flipud(t)
np.fliplr(t)
np.rot90(t)
np.rot90(t, 2)
np.rot90(d, k=-1, axes=(1, 2))
np.pad(t, 1)
np.pad(t, ((1, 0), (0, 2)))
np.pad(v, (1, 2), mode="constant", constant_values=3.0)
np.pad(v, 2, mode="edge")
np.pad(v, 2, mode="reflect")
np.pad(v, 2, mode="symmetric")
np.pad(t, ((1, 1), (2, 0)), mode="wrap")
np.diag(v)
np.diag(v, 1)
np.diag(A)
np.diag(t, k=-1)
np.diagonal(A)
np.diagonal(t, offset=1)
np.diagonal(d, axis1=1, axis2=2)
t.diagonal()
t.diagonal(1)
np.trace(A)
np.trace(t, offset=1)
np.trace(d, axis1=0, axis2=2)
t.trace()
np.tril(A)
np.tril(t, -1)
np.triu(A)
np.triu(d, k=1)
np.diff(t)
np.ediff1d(t)
np.ediff1d(t, to_end=9.0)
np.diff(t, axis=0)
np.diff(t, n=2)
np.diff(v, prepend=0.0)
np.diff(t, axis=0, append=r)
np.gradient(v)
np.gradient(v, 0.5)
np.gradient(t, axis=1)
np.gradient(t)
np.gradient(v, V.cumsum())
np.gradient(v, edge_order=2)
np.sort(t)
np.sort(t, axis=0)
np.sort(t, axis=None)
np.sort(v, kind="stable")
np.take(t, k, axis=1)
np.take(t, [0, 5, 5])
np.take(v, 2)
np.take(t, along, axis=1)
t.take(k, axis=0)
t.take([1, 1])
np.take_along_axis(t, along, axis=1)
np.take_along_axis(t, np.argsort(t, axis=0), axis=0)
np.copy(t)
t.copy()
t.copy(order="C")
t.astype(float)
t.astype(np.float64)
t.astype("float64", copy=False)
np.astype(t, float)
t[0]
t[-1, 2]
t[:, 1]
t[1:, ::2]
t[..., None]
t[None]
t[k]
t[k, 1]
t[mask]
t[n > 0]
t[[0, 2], [1, 3]]
t[np.array([2, 0]), :]
t[np.ix_([0, 2], [1, 3])]
t[0] + t[1]
np.meshgrid(v, u)
np.meshgrid(v, u, indexing="ij")
np.resize(v, (2, 3))
np.block([[t, c]])
np.block([[A, c], [c.T, 1.0]])
np.insert(v, 1, 5.0)
np.insert(v, [1, 3], u[:2])
np.delete(v, 1)
np.delete(t, [0, 2], axis=1)
np.compress([True, False, True], t, axis=0)
np.extract(mask, t)
np.unstack(t)
np.unstack(t, axis=1)
np.diagflat(v)
np.diagflat(t, 1)
np.linalg.diagonal(d)
np.linalg.trace(A)
np.linalg.matrix_transpose(t)
np.dsplit(d, 2)
"""

CONSTANTS = """
np.zeros_like(t)
np.zeros_like(t, dtype=float)
np.ones_like(t)
np.ones_like(s)
np.full_like(t, 0.5)
np.full_like(t, 2, dtype=float)
"""

PRODUCTS = """
np.dot(t, q)
np.dot(v, V)
np.dot(t, v)
np.dot(v, q)
np.dot(t, 2.0)
np.dot(s, t)
np.dot(P, q)
np.dot(d, e)
np.dot(d, v)
np.dot(t, e)
np.dot(v, e)
np.dot(t, q, out=None)
t.dot(q)
t.dot(v)
d.dot(e)
t.dot(2.0)
np.matmul(t, q)
np.matmul(d, e)
np.matmul(v, V)
np.matmul(d, q)
np.inner(v, V)
np.inner(t, w)
np.inner(d, t)
np.inner(s, t)
np.outer(v, u)
np.outer(t, v)
np.outer(V, u)
np.vdot(v, V)
np.vdot(t, w)
np.tensordot(t, q, axes=1)
np.tensordot(d, t)
np.tensordot(d, e, axes=([1, 2], [2, 1]))
np.tensordot(d, t, axes=([2], [1]))
np.tensordot(v, u, axes=0)
np.tensordot(P, t, axes=2)
np.einsum("ij,jk->ik", t, q)
np.einsum("ij,jk", t, q)
np.einsum("ij->ji", t)
np.einsum("ij->", t)
np.einsum("ii", A)
np.einsum("ii->i", A)
np.einsum("i,j->ij", v, u)
np.einsum("i,i", v, V)
np.einsum("bij,bjk->bik", d, e)
np.einsum("...ij,...jk->...ik", d, e)
np.einsum("ij,ij->i", t, w)
np.einsum("ij,jk,k->i", t, q, [0.5, 2.0])
np.einsum("ij,jk->ik", P, q)
np.einsum("ij,jk->ik", t, q, optimize=True)
np.kron(v, u)
np.kron(A, q)
np.kron(V, t)
np.cross(u, [1.0, 2.0, 3.0])
np.cross(A, u)
np.cross(c.T, A)
np.cross(t[:, :3], A, axis=0)
np.convolve(v, u)
np.convolve(v, u, mode="same")
np.convolve(V, u, "valid")
np.interp(v, [0.0, 0.5, 1.0], u)
np.interp(0.3, [0.0, 0.5, 1.0], u)
np.interp(v, [0.0, 0.5, 1.0], [2.0, 5.0, 3.0])
np.polyval(u, n)
np.polyval([1.0, -2.0, 0.5], n)
np.polyval(u, 1.7)
np.trapezoid(v)
np.trapezoid(t, axis=0)
np.trapezoid(t, dx=0.5)
np.trapezoid(v, V.cumsum())
np.trapezoid(v, x=np.cumsum(w[0]))
np.linalg.matmul(t, q)
np.linalg.outer(v, u)
np.linalg.tensordot(t, q, axes=1)
np.linalg.cross(A, A.T)
np.linalg.vecdot(t, w)
np.linalg.multi_dot([t, q, R])
np.vecdot(t, w)
np.linalg.vecdot(t, w, axis=0)
np.matvec(t, v)
np.vecmat(u, t)
np.correlate(v, u)
np.correlate(v, u, "full")
np.einsum(t, [0, 1], q, [1, 2], [0, 2])
"""

LINALG = """
np.linalg.norm(v)
np.linalg.norm(t)
np.linalg.norm(u, 1)
np.linalg.norm(u, 3)
np.linalg.norm(u, np.inf)
np.linalg.norm(u, -np.inf)
np.linalg.norm(t, axis=0)
np.linalg.norm(t, axis=1, keepdims=True)
np.linalg.norm(t, ord=1, axis=1)
np.linalg.norm(t, np.inf, axis=0)
np.linalg.norm(A, "fro")
np.linalg.norm(A, 1)
np.linalg.norm(A, np.inf)
np.linalg.norm(A, 2)
np.linalg.norm(A, -2)
np.linalg.norm(A, "nuc")
np.linalg.norm(d, axis=(1, 2))
np.linalg.norm(B, 2, axis=(1, 2))
np.linalg.inv(A)
np.linalg.inv(B)
np.linalg.det(A)
np.linalg.det(B)
np.linalg.slogdet(A)
np.linalg.slogdet(B)
np.linalg.slogdet(A)[1]
np.linalg.slogdet(A).logabsdet
np.linalg.solve(A, u)
np.linalg.solve(A, c)
np.linalg.solve(A, [1.0, 2.0, 3.0])
np.linalg.solve(B, q[:2])
np.linalg.solve([[2.0, 0.3, 0.1], [0.5, 1.7, 0.2], [0.6, 0.1, 2.4]], u)
np.linalg.cholesky(A @ A.T)
np.linalg.cholesky(B @ np.swapaxes(B, -1, -2))
np.linalg.cholesky(A.T @ A + np.eye(3), upper=False)
np.linalg.matrix_power(A, 3)
np.linalg.matrix_power(A, 0)
np.linalg.matrix_power(A, 1)
np.linalg.matrix_power(A, -2)
np.linalg.matrix_power(B, 2)
np.linalg.pinv(A)
np.linalg.pinv(R)
np.linalg.pinv(R.T)
np.linalg.eigvalsh(A + A.T)
np.linalg.eigvalsh(B + np.swapaxes(B, -1, -2))
np.linalg.eigh(A + A.T)
np.linalg.eigh(B + np.swapaxes(B, -1, -2)).eigenvectors
np.linalg.svdvals(R)
np.linalg.svd(A)
np.linalg.svd(R, full_matrices=False)
np.linalg.svd(A, compute_uv=False)
np.linalg.tensorinv(A, ind=1)
np.linalg.tensorsolve(A, u)
np.linalg.cond(A)
np.linalg.cond(A, 1)
np.linalg.vector_norm(t)
np.linalg.vector_norm(t, axis=1, ord=3)
np.linalg.matrix_norm(A)
np.linalg.matrix_norm(A, ord="nuc")
"""

ACTIVATIONS = """
tg.sigmoid(n) | 1.0 / (1.0 + np.exp(-n))
tg.relu(n) | np.where(n > 0, n, 0.0)
tg.softplus(n) | np.log1p(np.exp(n))
tg.log_sigmoid(n) | -np.log1p(np.exp(-n))
tg.silu(n) | n / (1.0 + np.exp(-n))
n.silu() | n / (1.0 + np.exp(-n))
tg.gelu(n) | 0.5 * n * (1.0 + erf(n / np.sqrt(2.0)))
n.gelu() | 0.5 * n * (1.0 + erf(n / np.sqrt(2.0)))
tg.leaky_relu(n) | np.where(n > 0, n, 0.01 * n)
tg.elu(n) | np.where(n > 0, n, np.expm1(n))
tg.logit(t) | np.log(t / (1.0 - t))
tg.erf(n) | erf(n)
tg.erfc(n) | 1.0 - erf(n)
tg.lgamma(t) | lgamma(t)
tg.digamma(t) | digamma(t)
tg.softmax(v) | np.exp(v) / np.sum(np.exp(v))
tg.softmax(t, axis=1) | np.exp(t) / np.sum(np.exp(t), axis=1, keepdims=True)
tg.softmax(t, axis=0) | np.exp(t) / np.sum(np.exp(t), axis=0, keepdims=True)
tg.log_softmax(t, axis=1) | t - np.log(np.sum(np.exp(t), axis=1, keepdims=True))
tg.logsumexp(t) | np.log(np.sum(np.exp(t)))
tg.logsumexp(t, axis=0) | np.log(np.sum(np.exp(t), axis=0))
tg.logsumexp(t, axis=1, keepdims=True) | np.log(np.sum(np.exp(t), axis=1, keepdims=True))
tg.where(mask, t, w) | np.where(mask, t, w)
tg.clip(n, -1.1, 1.2) | np.clip(n, -1.1, 1.2)
tg.square(n) | np.square(n)
tg.hypot(n, t) | np.hypot(n, t)
tg.set_at(t, 0, 5.0) | np.where(np.arange(3)[:, None] == 0, 5.0, t)
tg.set_at(t, (slice(None), 1), u) | np.where(np.arange(4) == 1, u[:, None], t)
"""

VALUE_EXPRESSIONS = """
np.square(x)
np.exp(x)
np.hypot(x, y)
np.arctan2(x, y)
np.maximum(x, y)
np.add(x, 2.0)
np.float64(2.0) * x
x + np.int64(2)
np.longdouble(2.0) * x
np.cbrt(x)
np.log10(x)
np.sum(x)
np.mean(x)
np.prod(x)
np.max(x)
np.dot(x, y)
np.dot([x, y], [2.0, 3.0])
np.sum([x, y])
np.mean([x, y, 3.0])
np.squeeze(x)
x * np.array([1.0, 2.0])
np.array([1.0, 2.0]) ** x
np.exp(o)
np.sum(o)
np.sum(o * p)
np.mean(o, axis=0)
np.dot(o, p)
o @ p
np.prod(o)
np.cumsum(o)
np.max(o)
np.outer(o, p)
np.log(o) + np.sqrt(p)
np.square(o)
np.linalg.norm(o)
np.var(o)
np.std(o)
np.concatenate([o, p])
o[::-1] - p
o0 * 2.0
np.exp(o0)
np.sum(o0)
o0 + o
"""

PANDAS = """
df + t
t + df
df * t
t * df
t - df
df / t
t @ df.T
np.dot(df, q)
np.add(df, t)
v * series
series * v
v + series
series - v
v @ series
t @ series
np.maximum(series, v)
np.concatenate([df, t])
np.where(df > 0.6, t, 0.0)
t.dot(series)
"""

GROUPS = {
    "operators": OPERATORS,
    "elementwise functions": ELEMENTWISE,
    "reductions": REDUCTIONS,
    "shapes and indexing": SHAPES,
    "constants": CONSTANTS,
    "products": PRODUCTS,
    "linear algebra": LINALG,
    "activations": ACTIVATIONS,
    "Values": VALUE_EXPRESSIONS,
    "pandas": PANDAS,
}

# --- expressions whose result is plain --------------------------------------------------------------

RESULTS_WITHOUT_GRADIENT = """
np.argmax(t)
np.argmax(t, axis=0)
np.argmax(t, axis=1, keepdims=True)
t.argmax()
t.argmax(axis=1)
np.argmin(t)
np.argmin(t, axis=1)
t.argmin()
t.argmin(0)
np.argsort(t)
np.argsort(t, axis=0)
t.argsort()
np.any(t)
np.any(n > 0, axis=0)
np.any(t, axis=1)
t.any()
np.all(t)
np.all(t, axis=0, keepdims=True)
t.all()
np.isnan(gaps)
np.isfinite(gaps)
np.isinf(gaps)
np.signbit(n)
np.greater(t, w)
np.greater_equal(t, 0.5)
np.less(t, w)
np.less_equal(P, t)
t > w
t <= 0.5
P < t
np.logical_and(n > 0, t > 0.5)
np.logical_not(n > 0)
np.count_nonzero(n > 0)
np.count_nonzero(zeros)
np.nonzero(zeros)
np.flatnonzero(zeros)
np.argwhere(zeros)
np.isclose(t, P)
np.allclose(t, t)
np.array_equal(t, t)
np.shape(t)
np.ndim(t)
np.size(t)
np.size(t, 0)
t.shape
t.ndim
t.size
t.dtype
t.nbytes
t.itemsize
len(t)
t.tolist()
s.item()
np.iscomplexobj(t)
np.isrealobj(t)
np.isreal(t)
np.iscomplex(t)
np.shape(np.empty_like(t))
np.isscalar(t)
"%i: %f" % (3, s)
"%.3f" % s
"{:.3f}".format(s)
f"{s:.2e}"
"""

# --- expressions that are refused -------------------------------------------------------------------

REFUSED = """
np.fft.fft(v)
np.fft.ifft(v)
np.fft.rfft(v)
np.fft.fft2(t)
np.fft.fftn(t)
np.fft.fftshift(v)
np.linalg.eig(A)
np.linalg.eigvals(A)
np.linalg.lstsq(A, u)
np.linalg.matrix_rank(A)
np.histogram(t)
np.bincount(t)
np.digitize(t, [0.3, 0.6])
np.searchsorted([0.3, 0.5, 0.7], t)
np.vecdot(t, w, axis=0)
np.unique(t)
np.lexsort(t)
np.packbits(t)
np.asarray(t)
np.array(t)
np.array([t, w])
np.asarray(t, dtype=object)
np.ascontiguousarray(t)
np.frombuffer(t)
np.ma.array(t)
np.ma.masked_array(t, mask)
np.ma.masked_greater(t, 0.5)
np.ma.array(P, mask=mask) * t
t * np.ma.array(P, mask=mask)
t + np.datetime64("2026-01-01")
np.datetime64("2026-01-01") - t
t * np.timedelta64(1, "s")
np.array(["2026-01-01"], dtype="datetime64[D]") + v[:1]
t + 1j
t * np.complex128(1j)
t + "one"
t * np.array(["a", "b", "c", "d"])
t + None
np.exp(t, out=P.copy())
np.add(t, w, out=P.copy())
np.sum(t, axis=0, out=V.copy())
np.sum(t, dtype=np.float32)
np.sum(t, dtype=int)
np.exp(t, dtype=np.float32)
np.add(t, w, where=mask)
t.astype(int)
t.astype(np.float32)
t.astype(complex)
np.add.reduce(t)
np.add.accumulate(t)
np.add.outer(t, w)
np.add.at(P.copy(), 0, t[0])
np.multiply.reduce(t)
t.__setitem__(0, 1.0)
t.__setitem__((slice(None), 0), u)
P.copy().__setitem__(0, v)
P.copy().__iadd__(t)
np.copyto(P.copy(), t)
np.copyto(t, P)
np.put(t, [0], 1.0)
np.place(t, mask, 1.0)
np.putmask(t, mask, 1.0)
np.fill_diagonal(t, 0.0)
np.put_along_axis(t, along, 1.0, axis=1)
np.bitwise_and(t, 1)
np.left_shift(t, 1)
np.gcd(t, 2)
np.frexp(t)
np.modf(t)
np.ldexp(t, 2)
np.nextafter(t, w)
np.spacing(t)
np.isnat(t)
np.save("never", t)
np.savetxt("never", t)
np.array2string(t)
np.vectorize(float)(t)
np.apply_along_axis(np.sum, 0, t)
np.random.default_rng(0).permutation(t)
np.random.default_rng(0).choice(t)
np.poly1d(v)
np.roots(v)
np.polyfit(v, V, 1)
np.emath.sqrt(n)
np.char.upper(t)
float(t)
int(s)
bool(s)
complex(s)
math.exp(s)
np.exp(x, out=np.zeros(1))
np.fft.fft([x, y])
np.linalg.inv([[x]])
float(x)
math.sin(x)
np.sum([t, w])
np.mean([t, w], axis=0)
np.multiply(x, [1.0, 2.0])
df @ q
df.T @ t
series @ v
"""

EXCEPTIONS: dict[str, type[Exception]] = {}  # the others raise TypeError


@dataclass(frozen=True)
class Expression:
    """An expression, its definition in NumPy, the group of the list, and what kind of result it has."""

    text: str
    reference: str
    group: str
    kind: str  # "differentiable", "constant", "plain" or "refused"
    error: type[Exception] = field(default=TypeError)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def names(self) -> list[str]:
        """The operands, in the order of this file."""
        used = {node.id for text in (self.text, self.reference) for node in ast.walk(ast.parse(text, mode="eval"))
                if isinstance(node, ast.Name)}  # fmt: skip
        return [name for name in (*TENSORS, *VALUES, *PLAIN, *FRAMES) if name in used]

    @property
    def variables(self) -> dict[str, np.ndarray]:
        """The operands with a gradient."""
        return {name: np.array({**TENSORS, **VALUES}[name]) for name in self.names if name in {**TENSORS, **VALUES}}

    @property
    def needs_pandas(self) -> bool:
        """Whether the expression has an operand of pandas."""
        return any(name in FRAMES for name in self.names)

    @cached_property
    def functions(self) -> list[str]:
        """The functions of NumPy that the expression calls, without `np.`, the outermost first."""
        calls = [node.func for node in ast.walk(ast.parse(self.text, mode="eval")) if isinstance(node, ast.Call)]
        return [ast.unparse(f).removeprefix("np.") for f in calls if re.fullmatch(r"np(\.\w+)+", ast.unparse(f))]

    def evaluate(self, operands: dict[str, object], text: str = "", numpy: object = np) -> object:
        """Return the result for the given operands; `numpy` is the module that the expression calls np."""
        frames = {name: _frame(name) for name in self.names if name in FRAMES}
        names = {"np": numpy, "tg": tinygraph, "math": math, **DEFINITIONS, **PLAIN, **frames, **operands}
        return eval(compile(text or self.text, "<expression>", "eval"), names)

    def plain(self, operands: dict[str, object] | None = None) -> object:
        """Return NumPy's result for plain operands, by default those of this file."""
        given = {name: _number(value) for name, value in (operands or self.variables).items()}
        return self.evaluate(given, self.reference)


def _number(value: object) -> object:
    """Return an operand of NumPy: an array without axes for a Tensor is NumPy's scalar for plain data."""
    return value if np.ndim(value) else np.float64(value)


def _lines(text: str) -> list[tuple[str, str]]:
    pairs = [line.partition(" | ") for line in text.strip().splitlines()]
    return [(expression, reference or expression) for expression, _, reference in pairs]


def _expressions(group: str, text: str, kind: str) -> list[Expression]:
    return [Expression(a, b, group, kind, EXCEPTIONS.get(a, TypeError)) for a, b in _lines(text)]


EXPRESSIONS = [
    *[
        e
        for group, text in GROUPS.items()
        for e in _expressions(group, text, "constant" if group == "constants" else "differentiable")
    ],
    *_expressions("plain results", RESULTS_WITHOUT_GRADIENT, "plain"),
    *_expressions("refused", REFUSED, "refused"),
]


def lifted(name: str, value: np.ndarray) -> tuple[object, list[object]]:
    """Return an operand made of nodes, and the nodes: a Tensor, a Value, or an object array of Values."""
    if name in TENSORS:
        node = tinygraph.Tensor(value, name)
        return node, [node]
    nodes = [tinygraph.Value(float(number), name) for number in value.ravel()]
    if name in ("x", "y"):
        return nodes[0], nodes
    array = np.empty(value.shape, dtype=object)
    array.ravel()[:] = nodes
    return array, nodes


def pieces(result: object) -> list[object]:
    """Return the parts of a result, which can be a tuple or a list: arrays, numbers, or nodes."""
    if isinstance(result, (tuple, list)):
        return [piece for part in result for piece in pieces(part)]
    if isinstance(result, np.ndarray) and result.dtype == object:
        return list(result.ravel())
    return [result]
