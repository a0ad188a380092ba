"""The matrix product."""

from __future__ import annotations

import math

import numpy as np

from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.tensor.array_ops import ArrayOp, Operand, Shape
from tinygraph.tensor.broadcasting import explain_product
from tinygraph.tensor.shapes import reshape, sum_to, swap_last_axes

_ndarray = np.ndarray


def _matmul_dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    if x.ndim == y.ndim == 2:
        return _product(up, swap_last_axes(y))
    if y.ndim == 1:
        return up * y if x.ndim == 1 else matmul(_last(up), reshape((1, y.size))(y))
    if x.ndim == 1:
        return matmul(y, up) if y.ndim == 2 else sum_to(x.shape)(_row(matmul(y, _last(up))))
    return _collapsed(matmul(up, swap_last_axes(y)), x.shape)


def _matmul_dy(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
    if x.ndim == y.ndim == 2:
        return _product(swap_last_axes(x), up)
    if x.ndim == 1:
        return (
            up * x if y.ndim == 1 else matmul(reshape((x.size, 1))(x), reshape((*up.shape[:-1], 1, up.shape[-1]))(up))
        )
    if y.ndim == 1:
        rows = math.prod(x.shape[:-1])
        return matmul(swap_last_axes(reshape((rows, y.size))(x)), reshape((rows,))(up))
    return _collapsed(matmul(swap_last_axes(x), up), y.shape)


def _product(x: Operand, y: Operand) -> Operand:
    return np.matmul(x, y) if type(x) is type(y) is _ndarray else matmul(x, y)


def _last(x: Operand) -> Operand:
    return reshape((*x.shape, 1))(x)


def _row(x: Operand) -> Operand:
    return reshape(x.shape[:-1])(x)


def _collapsed(x: Operand, shape: Shape) -> Operand:
    return sum_to(shape)(x) if x.shape != shape else x


def _shape(x: Shape, y: Shape) -> Shape:
    """Return the shape of a matrix product, by NumPy's rules."""
    if not x or not y or x[-1] != y[-2 if len(y) > 1 else 0]:
        raise ValueError(f"the shapes {x} and {y} do not match in a matrix product")
    return (*np.broadcast_shapes(x[:-2], y[:-2]), *x[-2:-1], *(y[-1:] if len(y) > 1 else ()))


def the_matmul() -> ArrayOp:
    """Return `matmul`. A pickled graph stores a reference to this function."""
    return matmul


matmul: ArrayOp = ArrayOp(
    "matmul",
    np.matmul,
    symbol="·",
    code="{} @ {}",
    vjps=(_matmul_dx, _matmul_dy),
    note=("{up} · {1}ᵀ", "{0}ᵀ · {up}"),
    shape=_shape,
    explain=explain_product,
    adds_terms=True,
    maker=the_matmul,
)
PARAMETRIZED["matmul"] = the_matmul, ()
