"""PyTorch's functions with the sample inputs that PyTorch tests them with, and the same functions for Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinygraph as tg


class NotOffered(Exception):
    """A sample has an argument that tinygraph does not offer."""


# PyTorch's names of arguments, and NumPy's.
ARGUMENTS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "axis": "axis", "keepdims": "keepdims"}


def _numpy(options: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with NumPy's names, without those that ask for the default."""
    found = {}
    for name, value in options.items():
        if value is None:
            continue
        if name not in ARGUMENTS:
            raise NotOffered(name)
        found[ARGUMENTS[name]] = tuple(value) if isinstance(value, list) else value
    return found


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of operands only: samples with options are left out."""

    def run(*operands: Any, **options: Any) -> Any:
        if options:
            raise NotOffered(*options)
        return function(*operands)

    return run


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of an operand, PyTorch's `dim` and `keepdim`."""

    def run(x: Any, *args: Any, **options: Any) -> Any:
        given = _numpy(dict(zip(("dim", "keepdim"), args, strict=False)) | options)
        if not x.ndim and given.get("axis"):
            raise NotOffered("axes of a scalar")
        return function(x, **given)

    return run


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a variance or standard deviation with PyTorch's correction."""

    def run(x: Any, *args: Any, **options: Any) -> Any:
        if args and isinstance(args[0], bool):
            options = dict(zip(("unbiased",), args, strict=False)) | options
        else:
            options = dict(zip(("dim", "unbiased", "keepdim"), args, strict=False)) | options
        correction = options.pop("correction", None)
        unbiased = options.pop("unbiased", True)
        ddof = correction if correction is not None else int(unbiased)
        return function(x, ddof=ddof, **_numpy(options))

    return run


def along(function: Callable[..., Any], default: Any = None) -> Callable[..., Any]:
    """Return a function of an operand and one axis."""

    def run(x: Any, *args: Any, **options: Any) -> Any:
        given = dict(zip(("dim",), args, strict=True)) | options
        return function(x, **({"axis": default} | _numpy(given)))

    return run


def joining(function: Callable[..., Any], axis: bool = True) -> Callable[..., Any]:
    """Return a function that joins the operands of a list."""

    def run(xs: Any, *args: Any, **options: Any) -> Any:
        xs = [xs, *args] if not isinstance(xs, (list, tuple)) else xs
        args = args if isinstance(xs, (list, tuple)) and not isinstance(args[:1], tg.Tensor) else ()
        given = dict(zip(("dim",), [a for a in args if isinstance(a, int)], strict=False)) | options
        return function(list(xs), **(_numpy(given) if axis else {}))

    return run


def _where(x: Any, condition: Any, y: Any) -> Any:
    return np.where(condition, x, y)


def _clamp(x: Any, low: Any = None, high: Any = None, **options: Any) -> Any:
    return np.clip(x, options.get("min", low), options.get("max", high))


def _logit(x: Any, eps: Any = None) -> Any:
    if eps is not None:
        raise NotOffered("eps")
    return tg.logit(x)


def _flatten(x: Any, *args: Any, **options: Any) -> Any:
    if args or options:
        raise NotOffered("start_dim")
    return x.flatten()


def _squeeze(x: Any, axis: Any = None, **options: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else axis
    axes = None if axes is None else tuple(a for a in axes if x.ndim and x.shape[a] == 1)  # PyTorch ignores the others
    return np.squeeze(x, axis=axes)


def _cross_entropy(logits: Any, target: Any, **options: Any) -> Any:
    if options.pop("reduction", "mean") != "mean" or any(value is not None for value in options.values()):
        raise NotOffered("options")
    if logits.ndim != 2 or target.dtype.kind != "i":
        raise NotOffered("shape")
    if target.min(initial=0) < 0:
        raise NotOffered("ignore_index")
    return tg.cross_entropy(logits, target).mean()


def _huber(x: Any, y: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    loss = tg.huber(x, y, delta=delta) if delta != 1.0 else tg.huber(x, y)
    return loss if reduction == "none" else getattr(np, reduction)(loss)


def _with_logits(x: Any, y: Any, reduction: str = "mean", **options: Any) -> Any:
    if options:
        raise NotOffered(*options)
    loss = tg.binary_cross_entropy_with_logits(x, y)
    return loss if reduction == "none" else getattr(np, reduction)(loss)


def _binary_cross_entropy(a: Any, y: Any, reduction: str = "mean", weight: Any = None) -> Any:
    if weight is not None:
        raise NotOffered("weight")
    loss = tg.binary_cross_entropy(a, y)
    return loss if reduction == "none" else getattr(np, reduction)(loss)


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate != "none":
        raise NotOffered("approximate")
    return tg.gelu(x)


def _leaky_relu(x: Any, negative_slope: float = 0.01, **_: Any) -> Any:
    return tg.leaky_relu(x, negative_slope) if negative_slope != 0.01 else tg.leaky_relu(x)


def _elu(x: Any, alpha: float = 1.0, **_: Any) -> Any:
    return tg.elu(x, alpha) if alpha != 1.0 else tg.elu(x)


def _diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    ends = {name: end for name, end in (("prepend", prepend), ("append", append)) if end is not None}
    return np.diff(x, n=n, axis=dim, **ends)


def _tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    return np.tensordot(x, y, axes=dims)


def _vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, **options: Any) -> Any:
    if options:
        raise NotOffered(*options)
    axis = tuple(dim) if isinstance(dim, list) else dim
    if isinstance(axis, tuple) and len(axis) == 1:
        (axis,) = axis
    if isinstance(axis, tuple) or (axis is None and x.ndim != 1):
        raise NotOffered("the vector norm of a matrix")
    return np.linalg.norm(x, ord, axis=axis, keepdims=keepdim)


def _norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, **options: Any) -> Any:
    if options:
        raise NotOffered(*options)
    axis = tuple(dim) if isinstance(dim, list) else dim
    if axis is None and x.ndim not in (1, 2) and ord is not None:
        raise NotOffered("NumPy has no such norm")
    return np.linalg.norm(x, ord, axis=axis, keepdims=keepdim)


def _matrix_norm(x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, **options: Any) -> Any:
    if options:
        raise NotOffered(*options)
    return np.linalg.norm(x, ord, axis=tuple(dim), keepdims=keepdim)


def _solve(a: Any, b: Any, left: bool = True) -> Any:
    if not left:
        raise NotOffered("left")
    if b.ndim == 1 or (a.ndim - 1 == b.ndim and a.shape[:-1] == b.shape and b.ndim > 1):
        raise NotOffered("a vector on the right, which PyTorch and NumPy tell apart in different ways")
    return np.linalg.solve(a, b)


def _symmetric(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, **options: Any) -> Any:
        if options.get("upper"):
            raise NotOffered("upper")
        return function((x + np.swapaxes(x, -1, -2)) / 2.0)

    return run


def _roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    return np.roll(x, shifts, axis=None if dims in (None, ()) else dims)


def _trapezoid(y: Any, x: Any = None, dim: int = -1, dx: float = 1.0) -> Any:
    return np.trapezoid(y, x, dx=dx, axis=dim)


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    length = x.shape[dim]
    lengths = size if isinstance(size, (list, tuple)) else [size] * (length // size)
    return np.split(x, [int(i) for i in np.cumsum(lengths) if i < length], axis=dim)


def _repeat(x: Any, repeats: Any, dim: Any = None, **_: Any) -> Any:
    return np.repeat(x, repeats, axis=dim)


def _pad(x: Any, widths: Any, mode: str = "constant", value: Any = None) -> Any:
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    if min(map(min, pairs)) < 0:
        raise NotOffered("a negative width")
    return np.pad(x, pairs, mode=modes[mode], **({"constant_values": value or 0.0} if mode == "constant" else {}))


def _expand(x: Any, shape: Any) -> Any:
    lengths = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, tuple(n if n >= 0 else m for n, m in zip(shape, lengths, strict=True)))


def _repeat_all(x: Any, *repeats: Any) -> Any:
    return np.tile(x, repeats[0] if isinstance(repeats[0], (list, tuple)) else repeats)


def _pieces(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, sections: Any, dim: Any = None, **options: Any) -> Any:
        given = {} if dim is None else {"axis": dim}
        return function(x, sections, **given, **_numpy(options))

    return run


NAMES = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan,
    "atan2": np.arctan2, "atanh": np.arctanh, "div": np.divide, "mul": np.multiply, "sub": np.subtract,
    "neg": np.negative, "pow": np.power, "clamp_max": np.minimum, "clamp_min": np.maximum,
    "rsub": lambda x, y: np.subtract(y, x),
}  # fmt: skip
SAME = [
    "abs",
    "add",
    "ceil",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "float_power",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "nan_to_num",
    "positive",
    "rad2deg",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]
OURS = {
    "digamma": "digamma", "erf": "erf", "erfc": "erfc", "lgamma": "lgamma", "sigmoid": "sigmoid",
    "nn.functional.relu": "relu", "nn.functional.silu": "silu", "nn.functional.logsigmoid": "log_sigmoid",
}  # fmt: skip


def _ours(name: str) -> Callable[..., Any]:
    return elementwise(lambda *operands: getattr(tg, name)(*operands))


OPS: dict[str, Callable[..., Any]] = {
    **{name: elementwise(getattr(np, name)) for name in SAME},
    **{name: elementwise(function) for name, function in NAMES.items()},
    **{name: _ours(ours) for name, ours in OURS.items()},
    **{f"__r{name}__": elementwise(run) for name, run in {
        "add": lambda x, y: y + x, "mul": lambda x, y: y * x, "sub": lambda x, y: y - x, "div": lambda x, y: y / x,
        "pow": lambda x, y: y**x, "mod": lambda x, y: y % x, "matmul": lambda x, y: y @ x,
    }.items()},
    "round": lambda x, decimals=0: np.round(x, decimals),
    "logit": _logit,
    "where": _where,
    "clamp": _clamp,
    "__getitem__": elementwise(lambda x, key: x[key]),
    # reductions
    **{name: reduction(getattr(np, name)) for name in ("sum", "mean", "prod", "amax", "amin", "nansum", "nanmean")},
    "var": spread(np.var),
    "std": spread(np.std),
    "cumsum": along(np.cumsum),
    "cumprod": along(np.cumprod),
    "logsumexp": reduction(lambda x, **options: tg.logsumexp(x, **options)),
    "softmax": along(lambda x, axis: tg.softmax(x, axis=axis)),
    "log_softmax": along(lambda x, axis: tg.log_softmax(x, axis=axis)),
    # shapes
    "squeeze": _squeeze,
    "unsqueeze": elementwise(np.expand_dims),
    "ravel": elementwise(np.ravel),
    "flatten": _flatten,
    "reshape": elementwise(np.reshape),
    "view": elementwise(lambda x, *shape: x.reshape(*shape)),
    "transpose": elementwise(np.swapaxes),
    "permute": elementwise(np.transpose),
    "movedim": elementwise(np.moveaxis),
    "T": elementwise(lambda x: x.T),
    "mT": elementwise(lambda x: np.swapaxes(x, -1, -2)),
    "clone": elementwise(lambda x: x.copy()),
    "broadcast_to": elementwise(np.broadcast_to),
    "expand": elementwise(_expand),
    **{name: elementwise(getattr(np, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
    "cat": joining(np.concatenate),
    "stack": joining(np.stack),
    **{name: joining(getattr(np, name), axis=False) for name in ("vstack", "hstack", "dstack", "column_stack")},
    "split": _split,
    "tensor_split": _pieces(np.array_split),
    "hsplit": _pieces(np.hsplit),
    "vsplit": _pieces(np.vsplit),
    "tile": elementwise(np.tile),
    "repeat": elementwise(_repeat_all),
    "repeat_interleave": _repeat,
    "roll": _roll,
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "fliplr": elementwise(np.fliplr),
    "flipud": elementwise(np.flipud),
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, axes=tuple(dims)),
    "nn.functional.pad": _pad,
    "constant_pad_nd": lambda x, widths, value=0.0: _pad(x, widths, value=value),
    "diag": lambda x, diagonal=0: np.diag(x, diagonal),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "trace": elementwise(np.trace),
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "diff": _diff,
    "msort": elementwise(lambda x: np.sort(x, axis=0)),
    "take": elementwise(np.take),
    "take_along_dim": lambda x, indices, dim=None: np.take_along_axis(x, indices, axis=dim),
    "gather": lambda x, dim, indices: np.take_along_axis(x, indices, axis=dim),
    "index_select": elementwise(lambda x, dim, indices: np.take(x, indices, axis=dim)),
    # products
    "dot": elementwise(np.dot),
    "vdot": elementwise(np.vdot),
    "inner": elementwise(np.inner),
    "outer": elementwise(np.outer),
    "matmul": elementwise(np.matmul),
    "mm": elementwise(np.matmul),
    "bmm": elementwise(np.matmul),
    "mv": elementwise(np.dot),
    "kron": elementwise(np.kron),
    "tensordot": _tensordot,
    "einsum": elementwise(lambda xs, subscripts: np.einsum(subscripts, *xs)),
    "linalg.cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "trapezoid": _trapezoid,
    # linear algebra
    "linalg.inv": elementwise(np.linalg.inv),
    "linalg.det": elementwise(np.linalg.det),
    "linalg.slogdet": elementwise(lambda x: np.linalg.slogdet(x)),
    "linalg.solve": _solve,
    "linalg.cholesky": _symmetric(np.linalg.cholesky),
    "linalg.eigvalsh": _symmetric(np.linalg.eigvalsh),
    "linalg.matrix_power": elementwise(np.linalg.matrix_power),
    "linalg.pinv": lambda x, **options: np.linalg.pinv(x, **_numpy(options)),
    "linalg.norm": _norm,
    "linalg.vector_norm": _vector_norm,
    "linalg.matrix_norm": _matrix_norm,
    # activations and losses
    "nn.functional.gelu": _gelu,
    "nn.functional.leaky_relu": _leaky_relu,
    "nn.functional.elu": _elu,
    "nn.functional.cross_entropy": _cross_entropy,
    "nn.functional.huber_loss": _huber,
    "nn.functional.binary_cross_entropy_with_logits": _with_logits,
    "nn.functional.binary_cross_entropy": _binary_cross_entropy,
}  # fmt: skip

# Functions that NumPy does not have.
BEYOND_NUMPY = {*OURS, "logit", "logsumexp", "softmax", "log_softmax"} | {
    name for name in OPS if name.startswith("nn.")
}
BEYOND_NUMPY -= {"nn.functional.pad"}
OTHER_FUNCTIONS = {("linalg.pinv", "singular")}  # variants that compute something else
