"""`to_torch`: a graph as a function of PyTorch tensors."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.formulas import Template, number
from tinygraph.bridges.frameworks import framework
from tinygraph.bridges.programs import Dialect, Exported, exported
from tinygraph.bridges.pytorch.ops.table import TorchTensor
from tinygraph.engine.value import Value
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.vectorized import Vectorized

Array = np.ndarray[Any, np.dtype[Any]]
_SAME = (
    *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("sigmoid", "relu", "abs", "sign", "acosh", "asinh", "atanh", "exp2", "log2", "log10", "deg2rad", "rad2deg"),
    *("reciprocal", "square", "ceil", "floor", "trunc", "digamma", "lgamma", "erf", "erfc", "sinc"),
)
_SAME_OF_TWO = ("logaddexp", "logaddexp2", "maximum", "minimum", "atan2", "hypot", "fmax", "fmin", "fmod", "matmul")
_FUNCTIONAL = "torch.nn.functional"


# These functions return "" for parameters that have no counterpart.


def _extremum(name: object, axis: object, keepdims: object = False) -> str:
    dim = () if axis is None else axis
    return f"torch.a{name}({{0}}, dim={dim}, keepdim={keepdims})" if name in ("max", "min") else ""


def _prod(axis: object, keepdims: object = False) -> str:
    return "torch.prod({0})" if axis is None else f"torch.prod({{0}}, dim={axis}, keepdim={keepdims})"


def _pad(widths: Any, mode: str, values: Any = ()) -> str:
    if mode != "constant" or len({x for pair in values for x in pair}) > 1:
        return ""
    flat = [n for pair in reversed(widths) for n in pair]
    return f"{_FUNCTIONAL}.pad({{0}}, {flat}, value={number(values[0][0] if values else 0.0)})"


def _root(exponent: float, is_partial: bool = False) -> str:  # its derivative at 0 is 0
    inner = f"torch.where({{0}} == 0, 1.0, {{0}}) ** {exponent!r}"
    return "" if is_partial else f"torch.where({{0}} == 0, 0.0, {inner})"


def _scatter_add(places: object, _: object) -> str:
    zeros = "torch.zeros({shape}, dtype={0}.dtype).reshape(-1)"
    return f"{zeros}.index_add(0, {places}, {{0}}.reshape(-1)).reshape({{shape}})"


def _cumsum(axis: int, backward: bool = False) -> str:
    return (
        f"torch.cumsum({{0}}.flip({axis}), dim={axis}).flip({axis})" if backward else f"torch.cumsum({{0}}, dim={axis})"
    )


TEMPLATES: dict[str, Template] = {
    **{name: f"torch.{name}({{0}})" for name in _SAME},
    **{name: f"torch.{name}({{0}}, {{1}})" for name in _SAME_OF_TWO},
    **{name: f"{_FUNCTIONAL}.{name}({{0}})" for name in ("gelu", "silu")},
    "rint": "torch.round({0})",
    "mod": "torch.remainder({0}, {1})",
    "log_sigmoid": f"{_FUNCTIONAL}.logsigmoid({{0}})",
    "leaky_relu_of": lambda slope: f"{_FUNCTIONAL}.leaky_relu({{0}}, {slope!r})",
    "elu_of": lambda alpha: f"{_FUNCTIONAL}.elu({{0}}, {alpha!r})",
    "huber_of": lambda delta: (
        f"{_FUNCTIONAL}.huber_loss({{0}}, torch.zeros_like({{0}}), reduction='none', delta={delta!r})"
    ),
    "binary_cross_entropy": "-torch.xlogy({1}, {0}) - torch.special.xlog1py(1 - {1}, -{0})",
    "cbrt": "torch.sign({0}) * torch.abs({0}) ** (1 / 3)",
    "floor_divide": "torch.floor_divide({0}.detach(), {1}.detach())",
    "trunc_divide": "torch.div({0}, {1}, rounding_mode='trunc')",
    "polygamma": lambda n: f"torch.special.polygamma({n}, {{0}})",
    "nan_to_num_of": lambda *new: f"torch.nan_to_num({{0}}, {', '.join(map(number, new))})",
    "cut": "{0}.detach()",
    "copy": "{0}.clone()",
    "sum_to": "{0}.sum_to_size({shape})",
    "transpose": lambda axes: f"{{0}}.permute({axes})",
    "sum_over": lambda axis, keepdims=False: f"torch.sum({{0}}, dim={axis}, keepdim={keepdims})",
    "mean_over": lambda axis, keepdims=False: f"torch.mean({{0}}, dim={axis}, keepdim={keepdims})",
    "extremum": _extremum,
    "prod_over": _prod,
    "root": _root,
    "scatter_add": _scatter_add,
    "cholesky": "torch.linalg.cholesky({0})",
    "svdvals": "torch.linalg.svdvals({0})",
    "first_max": lambda axis: f"torch.max({{0}}, dim={axis}).values",
    "cumsum_over": _cumsum,
    "cumprod_over": lambda axis: f"torch.cumprod({{0}}, dim={axis})",
    "sort_over": lambda axis: f"torch.sort({{0}}, dim={axis}, stable=True).values",
    "softmax_over": lambda axis: f"torch.softmax({{0}}, dim={axis})",
    "log_softmax_over": lambda axis: f"torch.log_softmax({{0}}, dim={axis})",
    "logsumexp_over": lambda axis, keepdims=False: f"torch.logsumexp({{0}}, dim={axis}, keepdim={keepdims})",
    "cross_entropy_over": lambda axis: f"-({{1}} * torch.log_softmax({{0}}, dim={axis})).sum(dim={axis})",
    "concatenate": lambda axis: f"torch.cat([{{all}}], dim={axis})",
    "stack": lambda axis: f"torch.stack([{{all}}], dim={axis})",
    "pad_by": _pad,
}


def to_torch(root: Value | Tensor | Vectorized) -> Exported:
    """Return a graph as a function of PyTorch tensors, so that you can train it there.

    Args:
        root: Root of a graph of Values or Tensors, or the result of `vectorize`. Values become arrays, as in
            `vectorize`.

    Returns:
        A function of a dict from names of leaves to tensors. Its attribute `leaves` contains the recorded values as
        float64 tensors, and `text` is the program.

    Raises:
        TypeError: If `root` is not a graph.
        NotImplementedError: If an op has no counterpart in PyTorch.
        ImportError: If PyTorch is not installed.

    Examples:
        >>> w = Tensor([1.0, 2.0], "w")
        >>> f = to_torch((w * w).sum())  # doctest: +SKIP
        >>> f({"w": torch.tensor([3.0, 4.0])})  # doctest: +SKIP
        tensor(25.)
    """
    if isinstance(root, (Value, Tensor, Vectorized)):
        framework("torch")
    return exported(root, Dialect("PyTorch", {"torch": "torch"}, TEMPLATES, _tensor))


def _tensor(array: Array) -> TorchTensor:
    return import_module("torch").tensor(array)
