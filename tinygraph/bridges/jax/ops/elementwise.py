"""JAX primitives that compute each element on its own: arithmetic, functions, comparisons and choices."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinygraph.bridges.jax.ops.composed import logsumexp_of, mean_of, softmax_of
from tinygraph.bridges.jax.ops.table import WHOLE, Whole, primitive
from tinygraph.bridges.masks import bounded, chosen, equal, integers, truth, uniform
from tinygraph.bridges.operands import Imported, is_node, without_leading_axes
from tinygraph.engine import more_ops, ops
from tinygraph.tensor.more_ops.cuts import cut


def _elementwise(*names: str) -> Callable[[Callable[..., Imported]], Callable[..., Imported]]:
    """Put a function of operands into the table whose shapes broadcast.

    An array of equal constants becomes a number. A node that only adds leading axes is left out, as NumPy adds them.
    """

    def register(function: Callable[..., Imported]) -> Callable[..., Imported]:
        def entry(*operands: Imported, **params: object) -> Imported:
            nodes = [x for x in operands if is_node(x)]
            shape = np.broadcast_shapes(*[np.shape(x) for x in operands])
            short = [uniform(x) if any(x.shape == shape for x in nodes) else x for x in operands]
            narrow = [without_leading_axes(x) for x in short]
            fits = np.broadcast_shapes(*[np.shape(x) for x in narrow]) == shape
            return function(*(narrow if fits else short), **params)

        primitive(*names)(entry)
        return function

    return register


# --- arithmetic and functions

_SAME: dict[str, Callable[..., Imported]] = {
    **{name: getattr(ops, name) for name in ("sub", "mul", "neg", "sign", "pow")},
    **{name: getattr(ops, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan")},
    **{name: getattr(ops, name) for name in ("asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(more_ops, name) for name in ("exp2", "asinh", "acosh", "atanh", "atan2", "square", "cbrt")},
    **{name: getattr(more_ops, name) for name in ("floor", "ceil", "erf", "erfc", "lgamma", "digamma")},
    "add_any": ops.add,
    "logistic": ops.sigmoid,
    "rem": more_ops.fmod,
    "rsqrt": lambda x: x**-0.5,
    "integer_pow": lambda x, y: x**y,
}
for _name, _function in _SAME.items():
    _elementwise(_name)(_function)


@_elementwise("add")
def add(x: Imported, y: Imported) -> Imported:
    found = logsumexp_of(x, y)
    return ops.add(x, y) if found is None else found


@_elementwise("div")
def div(x: Imported, y: Imported) -> Imported:
    known = [found for function in (mean_of, softmax_of) if (found := function(x, y)) is not None]
    return known[0] if known else ops.div(x, y)


@_elementwise("max")
def maximum(x: Imported, y: Imported) -> Imported:
    if _is_bound(x, -math.inf) or _is_bound(y, -math.inf):
        return y if _is_bound(x, -math.inf) else x
    return ops.maximum(x, y)


@_elementwise("min")
def minimum(x: Imported, y: Imported) -> Imported:
    if _is_bound(x, math.inf) or _is_bound(y, math.inf):
        return y if _is_bound(x, math.inf) else x
    return ops.minimum(x, y)


def _is_bound(x: Imported, bound: float) -> bool:
    return not is_node(x) and bool(np.all(np.equal(x, bound)))


@primitive("abs")
def absolute(x: Imported) -> Imported:
    if (x.data == 0).any():
        return chosen(x >= 0, x, -x)  # JAX's derivative is 1 at 0
    return ops.abs(x)


@primitive("clamp")
def clamp(low: Imported, x: Imported, high: Imported) -> Imported:
    return bounded(x, uniform(low), uniform(high), 0.0)


@primitive("round")
def rounded(x: Imported, *, rounding_method: object) -> Imported:
    if int(rounding_method) == 1:  # type: ignore[call-overload]
        return more_ops.rint(x)
    return ops.sign(x) * more_ops.floor(ops.abs(x) + 0.5)  # away from 0


@primitive("stop_gradient")
def stop_gradient(x: Imported) -> Imported:
    return x if x.constant or (x.op is not None and x.op is cut) else cut(x)


@primitive("copy", "copy_p", "reduce_precision", "pvary")
def same(x: Imported, **_: object) -> Imported:
    return x


@primitive("optimization_barrier")
def same_ones(*operands: Imported) -> list[Imported]:
    return list(operands)


@primitive("convert_element_type")
def convert_element_type(x: Imported, *, new_dtype: object) -> Imported:
    dtype = np.dtype(new_dtype)  # type: ignore[call-overload]
    if dtype.kind == "b":
        return truth(x)
    return integers(x).astype(dtype) if dtype.kind in "iu" else x


# --- comparisons and choices

_elementwise("eq")(equal)
_elementwise("ne")(lambda x, y: ~equal(x, y))
_elementwise("lt")(lambda x, y: x < y)
_elementwise("le")(lambda x, y: x <= y)
_elementwise("gt")(lambda x, y: x > y)
_elementwise("ge")(lambda x, y: x >= y)
primitive("is_finite")(lambda x: np.isfinite(x))


@_elementwise("select_n")
def select_n(which: Imported, *cases: Imported) -> Imported:
    if which.dtype.kind == "b":
        first, second = cases
        return cases[int(which.flat[0])] if _is_all_one(which, cases) else chosen(which, second, first)
    out = cases[0]
    for i, case in enumerate(cases[1:], 1):
        out = chosen(np.equal(which, i), case, out)
    return out


def _is_all_one(which: Imported, cases: tuple[Imported, ...]) -> bool:
    """Return whether a constant mask selects all elements of one node."""
    if not which.size or not (which == which.flat[0]).all():
        return False
    chosen = cases[int(which.flat[0])]
    return is_node(chosen) and chosen.shape == np.broadcast_shapes(which.shape, *map(np.shape, cases))


# --- functions that JAX composes of primitives, and that are one op here

WHOLE["relu"] = Whole(ops.relu, "jax.nn")
WHOLE["relu6"] = Whole(lambda x: bounded(x, 0.0, 6.0, 0.0), "jax.nn")
WHOLE["softplus"] = Whole(ops.softplus, "jax.nn")
WHOLE["silu"] = Whole(more_ops.silu, "jax.nn")
WHOLE["logaddexp"] = Whole(
    lambda x, y: ops.softplus(x) if not is_node(y) and not np.any(y) else ops.logaddexp(x, y), "jax.numpy"
)
