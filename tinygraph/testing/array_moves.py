"""Draw array ops for random programs of Tensors, beyond the ops that fit arrays of all shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from tinygraph.engine.ops import add
from tinygraph.tensor.functions.parts import diagonal_of, triangle_of
from tinygraph.tensor.functions.rearranging import pad_by, repeat_by, roll_by, tile_by
from tinygraph.tensor.indexing import set_elements
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.more_ops.accumulations import cumprod_over, cumsum_over, prod_over
from tinygraph.tensor.more_ops.contractions import einsum
from tinygraph.tensor.more_ops.convolutions import convolve
from tinygraph.tensor.more_ops.factorizations import cholesky, eigvalsh, pinv, svdvals
from tinygraph.tensor.more_ops.interpolation import interp
from tinygraph.tensor.more_ops.inverses import logabsdet, solve
from tinygraph.tensor.more_ops.masks import select
from tinygraph.tensor.more_ops.matrices import matrix_op
from tinygraph.tensor.more_ops.orders import sort_over
from tinygraph.tensor.more_ops.softmax import cross_entropy_over, log_softmax_over, logsumexp_over, softmax_over
from tinygraph.tensor.shapes import transpose

if TYPE_CHECKING:
    from tinygraph.kernels.arrays import Array
    from tinygraph.tensor.array_ops import ArrayOp, Axis, Shape

    Move = Callable[[st.DrawFn, Array, float], ArrayOp | None]
    Join = Callable[[st.DrawFn, Array], tuple[ArrayOp, Callable[[Shape], bool]] | None]
    Append = Callable[..., int | None]  # appends a step (op, *operands), and returns the index of its result if it fits
    Chain = Callable[[st.DrawFn, Append, Sequence[Array], int, float], int | None]

_CONDITION = 20.0  # largest condition number of a matrix that is inverted, so that differences are accurate
_GAP = 0.2  # smallest gap between eigenvalues


def _axis(draw: st.DrawFn, x: Array) -> int:
    return draw(st.integers(-x.ndim, x.ndim - 1))


def _axis_or_all(draw: st.DrawFn, x: Array) -> Axis:
    axis: Axis = draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    return axis


def _are_apart(x: Array, axis: int, gap: float) -> bool:
    """Return whether no two elements along an axis are closer than a gap, relative to the largest element."""
    return bool((np.diff(np.sort(x, axis), axis=axis) > gap * max(1.0, np.abs(x).max(initial=0.0))).all())


def _is_square(x: Array) -> bool:
    return x.ndim == 2 and x.shape[0] == x.shape[1] > 0


def _is_regular(x: Array) -> bool:
    """Return whether an array is a matrix whose inverse does not magnify differences much."""
    return x.ndim == 2 and x.size > 0 and bool(np.linalg.cond(x) < _CONDITION)


def _pad(draw: st.DrawFn, x: Array, clear: float) -> ArrayOp | None:  # noqa: ARG001
    if not x.ndim:
        return None
    widths = tuple([(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in x.shape])
    mode = draw(st.sampled_from(["constant", "edge", "wrap"] if x.size else ["constant"]))
    return pad_by(widths, mode, ((0.0, 0.0),) * x.ndim if mode == "constant" else ())


def _eigvalsh(draw: st.DrawFn, x: Array, clear: float) -> ArrayOp | None:  # noqa: ARG001
    if not _is_square(x):
        return None
    return eigvalsh() if (np.diff(np.linalg.eigvalsh(x)) > _GAP).all() else None


# Array ops of one array x. Each function draws an op, or returns None if no op fits.
MORE_MOVES: dict[str, Move] = {
    "prod": lambda draw, x, clear: prod_over(_axis_or_all(draw, x), draw(st.booleans())),
    "cumsum": lambda draw, x, clear: cumsum_over(_axis(draw, x)) if x.ndim else None,
    "cumprod": lambda draw, x, clear: cumprod_over(_axis(draw, x)) if x.ndim else None,
    "sort": lambda draw, x, clear: sort_over(-1) if x.ndim and _are_apart(x, -1, clear) else None,
    "softmax": lambda draw, x, clear: softmax_over(_axis_or_all(draw, x)) if x.size else None,
    "log_softmax": lambda draw, x, clear: log_softmax_over(_axis_or_all(draw, x)) if x.size else None,
    "logsumexp": lambda draw, x, clear: logsumexp_over(_axis_or_all(draw, x), draw(st.booleans())) if x.size else None,
    "diagonal": lambda draw, x, clear: diagonal_of(draw(st.integers(-1, 1)), 0, 1) if x.ndim > 1 else None,
    "tril": lambda draw, x, clear: triangle_of("tril", draw(st.integers(-1, 1))) if x.ndim > 1 else None,
    "triu": lambda draw, x, clear: triangle_of("triu", draw(st.integers(-1, 1))) if x.ndim > 1 else None,
    "repeat": lambda draw, x, clear: repeat_by(2, draw(st.integers(0, x.ndim - 1))) if x.ndim else None,
    "tile": lambda draw, x, clear: tile_by((2,) * x.ndim) if x.ndim else None,
    "roll": lambda draw, x, clear: roll_by((draw(st.integers(-2, 2)),), (_axis(draw, x) % x.ndim,)) if x.ndim else None,
    "pad": _pad,
    "inv": lambda draw, x, clear: matrix_op("inv") if _is_square(x) and _is_regular(x) else None,
    "det": lambda draw, x, clear: matrix_op("det") if _is_square(x) else None,
    "pinv": lambda draw, x, clear: pinv() if _is_regular(x) else None,
    "eigvalsh": _eigvalsh,
}


def _einsum(draw: st.DrawFn, x: Array) -> tuple[ArrayOp, Callable[[Shape], bool]] | None:
    if x.ndim == 2:
        return einsum(draw(st.sampled_from(["ij,jk->ik", "ij,jk->ki"]))), lambda s: len(s) == 2 and s[0] == x.shape[1]
    if x.ndim != 1:
        return None
    if draw(st.booleans()):
        return einsum("i,j->ij"), lambda s: len(s) == 1
    return einsum("i,i->"), lambda s: s == x.shape


def _where(draw: st.DrawFn, x: Array) -> tuple[ArrayOp, Callable[[Shape], bool]]:
    mask = draw(st.lists(st.booleans(), min_size=x.size, max_size=x.size))
    return select(np.array(mask, dtype=bool).reshape(x.shape)), lambda s: s == x.shape


def _convolve(draw: st.DrawFn, x: Array) -> tuple[ArrayOp, Callable[[Shape], bool]] | None:
    if x.ndim != 1 or not x.size:
        return None
    return convolve(draw(st.sampled_from(["full", "valid"]))), lambda s: len(s) == 1 and 0 < s[0] <= x.size


def _cross_entropy(draw: st.DrawFn, x: Array) -> tuple[ArrayOp, Callable[[Shape], bool]] | None:
    return (cross_entropy_over(_axis(draw, x)), lambda s: s == x.shape) if x.size and x.ndim else None


# Array ops of an array x and a second array. Each function draws an op and a condition for the second array's shape.
MORE_JOINS: dict[str, Join] = {
    "where": _where,
    "convolve": _convolve,
    "einsum": _einsum,
    "cross_entropy": _cross_entropy,
}


def _definite(append: Append, known: Sequence[Array], j: int) -> int | None:
    """Append a positive definite matrix with a small condition number: x @ x.T plus a multiple of the identity."""
    x = known[j]
    if x.ndim != 2 or not x.size:
        return None
    turned = append(transpose((1, 0)), j)
    product = None if turned is None else append(matmul, j, turned)
    share = max(1.0, round(float(np.linalg.norm(x, 2)) ** 2 / 8.0))
    return None if product is None else append(add, product, share * np.eye(len(x)))


def _of_definite(op: ArrayOp) -> Chain:
    """Return a chain that applies an op to a positive definite matrix."""

    def chain(draw: st.DrawFn, append: Append, known: Sequence[Array], j: int, clear: float) -> int | None:  # noqa: ARG001
        matrix = _definite(append, known, j)
        return None if matrix is None else append(op, matrix)

    return chain


def _solve(draw: st.DrawFn, append: Append, known: Sequence[Array], j: int, clear: float) -> int | None:  # noqa: ARG001
    if (matrix := _definite(append, known, j)) is None:
        return None
    n = len(known[j])
    sides = [k for k, y in enumerate(known) if k != matrix and y.ndim in (1, 2) and y.shape[0] == n and y.size]
    return append(solve, matrix, draw(st.sampled_from(sides)))  # x itself has n rows


def _svdvals(draw: st.DrawFn, append: Append, known: Sequence[Array], j: int, clear: float) -> int | None:  # noqa: ARG001
    x = known[j]
    if x.ndim != 2 or not x.size:
        return None
    values = np.append(np.linalg.svd(x, compute_uv=False), 0.0)  # at 0, a singular value has a kink
    return append(svdvals, j) if (-np.diff(values) > _GAP).all() else None


def _interp(draw: st.DrawFn, append: Append, known: Sequence[Array], j: int, clear: float) -> int | None:
    x, tables = known[j], [k for k, y in enumerate(known) if y.ndim == 1 and y.size > 1]
    if not tables:
        return None
    values = draw(st.sampled_from(tables))
    places = np.linspace(-2.37, 2.41, len(known[values]))
    nearest = np.abs(x[..., np.newaxis] - places).min(initial=np.inf)  # the places are the kinks
    return append(interp(), j, places, values) if nearest > clear * max(1.0, np.abs(x).max(initial=0.0)) else None


def _set_elements(draw: st.DrawFn, append: Append, known: Sequence[Array], j: int, clear: float) -> int | None:  # noqa: ARG001
    x = known[j]
    if not x.size or not x.ndim:
        return None
    ends = st.integers(0, len(x) - 1)
    key = draw(
        ends | st.builds(slice, ends, st.none(), st.sampled_from([1, 2])) | st.lists(ends, min_size=1, max_size=3)
    )
    new = [k for k, y in enumerate(known) if y.shape == x[key].shape]
    return append(set_elements(key), j, draw(st.sampled_from(new)) if new else np.full(x[key].shape, 0.5))


# Several steps that end with an array op whose domain few arrays are in, or with three operands.
MORE_CHAINS: dict[str, Chain] = {
    "solve": _solve,
    "cholesky": _of_definite(cholesky),
    "logabsdet": _of_definite(logabsdet),
    "svdvals": _svdvals,
    "interp": _interp,
    "set_elements": _set_elements,
}
