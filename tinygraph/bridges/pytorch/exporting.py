"""`to_torch`: a graph as a function of PyTorch tensors."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.programs import Dialect, Exported, Template, exported
from tinygraph.bridges.pytorch.importing import pytorch
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
    return f"{_FUNCTIONAL}.pad({{0}}, {flat}, value=float('{values[0][0] if values else 0.0!r}'))"


def _root(exponent: float, is_partial: bool = False) -> str:  # its derivative at 0 is 0
    inner = f"torch.where({{0}} == 0, 1.0, {{0}}) ** {exponent!r}"
    return "" if is_partial else f"torch.where({{0}} == 0, 0.0, {inner})"


def _set(places: object, twice: bool) -> str:
    return "" if twice else f"{{0}}.reshape(-1).scatter(0, {places}, {{1}}.reshape(-1)).reshape({{shape}})"


def _scatter_add(places: object, _: bool) -> str:
    zeros = "torch.zeros({shape}, dtype={0}.dtype).reshape(-1)"
    return f"{zeros}.index_add(0, {places}, {{0}}.reshape(-1)).reshape({{shape}})"


TEMPLATES: dict[str, Template] = {
    **{name: f"torch.{name}({{0}})" for name in _SAME},
    **{name: f"torch.{name}({{0}}, {{1}})" for name in _SAME_OF_TWO},
    **{name: f"{_FUNCTIONAL}.{name}({{0}})" for name in ("gelu", "silu")},
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "positive": "+{0}",
    "pow": "{0} ** {1}",
    "power": lambda exponent: f"{{0}} ** {exponent!r}",
    "rint": "torch.round({0})",
    "mod": "torch.remainder({0}, {1})",
    "log_sigmoid": f"{_FUNCTIONAL}.logsigmoid({{0}})",
    "softplus": "torch.logaddexp({0}, torch.zeros_like({0}))",  # without PyTorch's threshold
    "leaky_relu_of": lambda slope: f"{_FUNCTIONAL}.leaky_relu({{0}}, {slope!r})",
    "elu_of": lambda alpha: f"{_FUNCTIONAL}.elu({{0}}, {alpha!r})",
    "huber_of": lambda delta: (
        f"{_FUNCTIONAL}.huber_loss({{0}}, torch.zeros_like({{0}}), reduction='none', delta={delta!r})"
    ),
    "squared_error": "({0} - {1}) ** 2 / 2",
    "binary_cross_entropy": "-torch.xlogy({1}, {0}) - torch.special.xlog1py(1 - {1}, -{0})",
    "binary_cross_entropy_with_logits": "torch.logaddexp({0}, torch.zeros_like({0})) - {1} * {0}",
    "cut": "{0}.detach()",
    "copy": "{0}.clone()",
    "expand": "torch.broadcast_to({0}, {shape})",
    "sum_to": "{0}.sum_to_size({shape})",
    "reshape": "{0}.reshape({shape})",
    "transpose": lambda axes: f"{{0}}.permute({axes})",
    "sum_over": lambda axis, keepdims=False: f"torch.sum({{0}}, dim={axis}, keepdim={keepdims})",
    "mean_over": lambda axis, keepdims=False: f"torch.mean({{0}}, dim={axis}, keepdim={keepdims})",
    "extremum": _extremum,
    "triangle_of": lambda name, k: f"torch.{name}({{0}}, diagonal={k})",
    "prod_over": _prod,
    "root": _root,
    "set_elements": _set,
    "scatter_add": _scatter_add,
    "first_max": lambda axis: f"torch.max({{0}}, dim={axis}).values",
    "cumsum_over": lambda axis, *_: f"torch.cumsum({{0}}, dim={axis})",
    "cumprod_over": lambda axis: f"torch.cumprod({{0}}, dim={axis})",
    "sort_over": lambda axis: f"torch.sort({{0}}, dim={axis}, stable=True).values",
    "softmax_over": lambda axis: f"torch.softmax({{0}}, dim={axis})",
    "log_softmax_over": lambda axis: f"torch.log_softmax({{0}}, dim={axis})",
    "logsumexp_over": lambda axis, keepdims=False: f"torch.logsumexp({{0}}, dim={axis}, keepdim={keepdims})",
    "cross_entropy_over": lambda axis: f"-({{1}} * torch.log_softmax({{0}}, dim={axis})).sum(dim={axis})",
    "concatenate": lambda axis: f"torch.cat([{{all}}], dim={axis})",
    "stack": lambda axis: f"torch.stack([{{all}}], dim={axis})",
    "einsum": lambda subscripts: f"torch.einsum({subscripts!r}, {{all}})",
    "select": lambda mask: f"torch.where({mask}, {{0}}, {{1}})",
    "pad_by": _pad,
    "inv": "torch.linalg.inv({0})",
    "det": "torch.linalg.det({0})",
    "solve": "torch.linalg.solve({0}, {1})",
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
        pytorch()
    return exported(root, Dialect("PyTorch", "torch", TEMPLATES, _tensor))


def _tensor(array: Array) -> TorchTensor:
    return import_module("torch").tensor(array)
