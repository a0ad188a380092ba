"""`to_jax`: a graph as a function of JAX arrays."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.formulas import Template, number
from tinygraph.bridges.frameworks import framework
from tinygraph.bridges.programs import Dialect, Exported, exported
from tinygraph.engine.value import Value
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.vectorized import Vectorized

Array = np.ndarray[Any, np.dtype[Any]]
_SAME = (
    *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("sign", "acosh", "asinh", "atanh", "exp2", "log2", "log10", "deg2rad", "rad2deg", "reciprocal", "square"),
    *("ceil", "floor", "trunc", "rint", "cbrt", "sinc"),
)
_SAME_OF_TWO = (
    *("logaddexp", "logaddexp2", "maximum", "minimum", "atan2", "hypot", "fmod", "mod", "floor_divide", "matmul"),
)
_MODULES = {"jnp": "jax.numpy", "jax": "jax", "special": "jax.scipy.special"}


def _extremum(name: object, axis: object, keepdims: object = False) -> str:
    return f"jnp.{name}({{0}}, axis={axis}, keepdims={keepdims})"


def _over(function: str) -> Template:
    """Return the template of a function over axes."""

    def template(axis: object, keepdims: object = False) -> str:
        return f"{function}({{0}}, axis={axis}{', keepdims=True' if keepdims else ''})"

    return template


def _pad(widths: object, mode: str, values: object = ()) -> str:
    options = f", constant_values={values}" if mode == "constant" and values else ""
    return f"jnp.pad({{0}}, {widths}, {mode!r}{options})"


def _root(exponent: float, is_partial: bool = False) -> str:  # its derivative at 0 is 0
    inner = f"jnp.where({{0}} == 0, 1.0, {{0}}) ** {exponent!r}"
    return "" if is_partial else f"jnp.where({{0}} == 0, 0.0, {inner})"


def _scatter_add(places: object, _: object) -> str:
    return f"jnp.zeros({{shape}}, {{0}}.dtype).reshape(-1).at[{places}].add({{0}}.reshape(-1)).reshape({{shape}})"


def _first_max(axis: int) -> str:
    return f"jnp.take_along_axis({{0}}, jnp.argmax({{0}}, {axis}, keepdims=True), {axis}).reshape({{shape}})"


def _cumsum(axis: int, backward: bool = False) -> str:
    return f"jax.lax.cumsum({{0}}, {axis}{', reverse=True' if backward else ''})"


TEMPLATES: dict[str, Template] = {
    **{name: f"jnp.{name}({{0}})" for name in _SAME},
    **{name: f"jnp.{name}({{0}}, {{1}})" for name in _SAME_OF_TWO},
    **{name: f"jax.nn.{name}({{0}})" for name in ("sigmoid", "relu", "log_sigmoid", "silu")},
    **{name: f"special.{name}({{0}})" for name in ("erf", "erfc", "digamma")},
    "abs": "{0} * jax.lax.stop_gradient(jnp.sign({0}))",  # the derivative of jnp.abs at 0 is 1
    "gelu": "jax.nn.gelu({0}, approximate=False)",
    "lgamma": "special.gammaln({0})",
    "polygamma": lambda n: f"special.polygamma({n}, {{0}})",
    "leaky_relu_of": lambda slope: f"jnp.where({{0}} > 0, {{0}}, {slope!r} * {{0}})",
    "elu_of": lambda alpha: f"jax.nn.elu({{0}}, {alpha!r})",
    "huber_of": lambda delta: (
        f"jnp.where(jnp.abs({{0}}) <= {delta!r}, {{0}} ** 2 / 2, {delta!r} * (jnp.abs({{0}}) - {delta / 2!r}))"
    ),
    "nan_to_num_of": lambda *new: f"jnp.nan_to_num({{0}}, True, {', '.join(map(number, new))})",
    "binary_cross_entropy": "-special.xlogy({1}, {0}) - special.xlog1py(1 - {1}, -{0})",
    # The maximum of both operands, without the NaN of one of them, shares the derivative at a tie.
    "fmax": "jnp.maximum(jnp.where(jnp.isnan({0}), {1}, {0}), jnp.where(jnp.isnan({1}), {0}, {1}))",
    "fmin": "jnp.minimum(jnp.where(jnp.isnan({0}), {1}, {0}), jnp.where(jnp.isnan({1}), {0}, {1}))",
    "cut": "jax.lax.stop_gradient({0})",
    "copy": "+{0}",
    "sum_to": "jax.vjp(lambda x: jnp.broadcast_to(x, {inner}), jnp.zeros({shape}))[1]({0})[0]",
    "transpose": lambda axes: f"jnp.transpose({{0}}, {axes})",
    "sum_over": _over("jnp.sum"),
    "mean_over": _over("jnp.mean"),
    "prod_over": _over("jnp.prod"),
    "softmax_over": _over("jax.nn.softmax"),
    "log_softmax_over": _over("jax.nn.log_softmax"),
    "logsumexp_over": _over("jax.nn.logsumexp"),
    "cumprod_over": _over("jnp.cumprod"),
    "sort_over": _over("jnp.sort"),
    "cross_entropy_over": lambda axis: f"-jnp.sum({{1}} * jax.nn.log_softmax({{0}}, axis={axis}), axis={axis})",
    "concatenate": lambda axis: f"jnp.concatenate([{{all}}], axis={axis})",
    "stack": lambda axis: f"jnp.stack([{{all}}], axis={axis})",
    "extremum": _extremum,
    "first_max": _first_max,
    "cumsum_over": _cumsum,
    "scatter_add": _scatter_add,
    "pad_by": _pad,
    "root": _root,
    "convolve": lambda mode: f"jnp.convolve({{0}}, {{1}}, {mode!r})",
    "interp": lambda *ends: f"jnp.interp({{0}}, {{1}}, {{2}}, {', '.join(map(str, ends))})",
    "cholesky": "jnp.linalg.cholesky({0}, symmetrize_input=False)",
    "svdvals": "jnp.linalg.svd({0}, compute_uv=False)",
}


def to_jax(root: Value | Tensor | Vectorized) -> Exported:
    """Return a graph as a function of JAX arrays, so that you can train it there.

    The function works with `jax.grad`, `jax.jit`, `jax.vmap` and the other transformations. JAX computes with float32
    unless you turn on `jax_enable_x64` before you call `to_jax`. The function does not check comparisons: it computes
    the recorded branch for all inputs.

    Args:
        root: Root of a graph of Values or Tensors, or the result of `vectorize`. Values become arrays, as in
            `vectorize`.

    Returns:
        A function of a dict from names of leaves to arrays. Its attribute `leaves` contains the recorded values as
        arrays of JAX, and `text` is the program.

    Raises:
        TypeError: If `root` is not a graph.
        NotImplementedError: If an op has no counterpart in JAX.
        ImportError: If JAX is not installed.

    Examples:
        >>> w = Tensor([1.0, 2.0], "w")
        >>> root = (w * w).sum()
        >>> f = to_jax(root)  # doctest: +SKIP
        >>> jax.grad(f)({"w": jnp.array([3.0, 4.0])})["w"].tolist()  # doctest: +SKIP
        [6.0, 8.0]
    """
    if isinstance(root, (Value, Tensor, Vectorized)):
        framework("jax")
    return exported(root, Dialect("JAX", _MODULES, TEMPLATES, _array))


def _array(array: Array) -> Any:
    return import_module("jax.numpy").asarray(array)
