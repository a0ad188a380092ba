"""ATen ops that compute each element on its own: arithmetic, functions and activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygraph.bridges.masks import bounded, chosen, integers, truth
from tinygraph.bridges.operands import Imported, is_node
from tinygraph.bridges.pytorch.ops.shaping import expand
from tinygraph.bridges.pytorch.ops.table import aten
from tinygraph.engine import more_ops, ops
from tinygraph.engine.more_ops.functions import elu as elu_of
from tinygraph.engine.more_ops.functions import leaky_relu as leaky_relu_of
from tinygraph.tensor.more_ops.cuts import cut

# --- arithmetic


@aten("add")
def add(x: Imported, y: Imported, *, alpha: float = 1) -> Imported:
    return x + scaled(y, alpha)


@aten("sub")
def sub(x: Imported, y: Imported, *, alpha: float = 1) -> Imported:
    return x - scaled(y, alpha)


@aten("rsub")
def rsub(x: Imported, y: Imported, alpha: float = 1) -> Imported:
    return y - scaled(x, alpha)


def scaled(x: Imported, factor: float) -> Imported:
    """Return x times a number, without a node for the number 1.

    Args:
        x: Operand.
        factor: Number.

    Returns:
        The product.
    """
    return x if factor == 1 else factor * x


@aten("mul")
def mul(x: Imported, y: Imported) -> Imported:
    return x * y


@aten("div")
def div(x: Imported, y: Imported, *, rounding_mode: str | None = None) -> Imported:
    quotient = x / y
    if rounding_mode is None:
        return quotient
    return more_ops.floor(quotient) if rounding_mode == "floor" else more_ops.trunc(quotient)


@aten("addcmul")
def addcmul(x: Imported, y: Imported, z: Imported, *, value: float = 1) -> Imported:
    return x + scaled(y * z, value)


@aten("addcdiv")
def addcdiv(x: Imported, y: Imported, z: Imported, *, value: float = 1) -> Imported:
    return x + scaled(y / z, value)


@aten("lerp")
def lerp(x: Imported, end: Imported, weight: Imported) -> Imported:
    return x + weight * (end - x)


@aten("pow")
def pow(x: Imported, y: Imported) -> Imported:
    return x**y


@aten("square")
def square(x: Imported) -> Imported:
    return x**2


@aten("rsqrt")
def rsqrt(x: Imported) -> Imported:
    return x**-0.5


@aten("remainder")
def remainder(x: Imported, y: Imported) -> Imported:
    return more_ops.mod(x, y)


# --- functions of one or two operands that have the same definition here

_SAME: dict[str, Callable[..., Imported]] = {
    **{name: getattr(ops, name) for name in ("abs", "exp", "expm1", "log", "log1p", "neg", "relu", "sigmoid", "sqrt")},
    **{name: getattr(ops, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(ops, name) for name in ("logaddexp", "maximum", "minimum")},
    **{
        name: getattr(more_ops, name) for name in ("acosh", "asinh", "atanh", "atan2", "hypot", "log2", "log10", "exp2")
    },
    **{
        name: getattr(more_ops, name) for name in ("ceil", "floor", "trunc", "erf", "erfc", "digamma", "lgamma", "silu")
    },
    **{name: getattr(more_ops, name) for name in ("fmod", "reciprocal", "fmax", "fmin", "logaddexp2")},
    "sign": ops.sign,
    "sgn": ops.sign,
    "round": more_ops.rint,
    "special_expit": ops.sigmoid,
    "log_sigmoid_forward": lambda x: (ops.log_sigmoid(x), None),
}
for _name, _function in _SAME.items():
    aten(_name)(_function)


@aten("clone", "alias", "contiguous", "positive", "lift_fresh_copy", "lift_fresh", "to")
def same(x: Imported) -> Imported:
    return x


@aten("copy")
def copy(x: Imported, source: Imported, non_blocking: bool = False) -> Imported:
    return expand(source, x.shape)


@aten("_to_copy")
def to_copy(x: Imported, *, dtype: Any = None) -> Imported:
    if dtype is None or dtype.is_floating_point:
        return x
    return truth(x) if str(dtype) == "torch.bool" else integers(x)


@aten("detach", "detach_copy")
def detach(x: Imported) -> Imported:
    return cut(x) if is_node(x) and not x.constant else x


# --- activations


@aten("leaky_relu")
def leaky_relu(x: Imported, negative_slope: float = 0.01) -> Imported:
    return leaky_relu_of(x, float(negative_slope))


@aten("elu")
def elu(x: Imported, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Imported:
    if input_scale == 1:
        return scaled(elu_of(x, float(alpha)), scale)
    below = ops.expm1(scaled(ops.minimum(x, 0.0), input_scale))
    return scaled(ops.relu(x) + scaled(below, alpha), scale)


@aten("gelu")
def gelu(x: Imported, *, approximate: str = "none") -> Imported:
    if approximate == "none":
        return more_ops.gelu(x)
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1.0 + ops.tanh(inner))


@aten("mish")
def mish(x: Imported) -> Imported:
    return x * ops.tanh(ops.softplus(x))


@aten("hardtanh")
def hardtanh(x: Imported, min_val: float = -1.0, max_val: float = 1.0) -> Imported:
    return bounded(x, float(min_val), float(max_val), 0.0)


@aten("hardsigmoid")
def hardsigmoid(x: Imported) -> Imported:
    return bounded(x + 3.0, 0.0, 6.0, 0.0) / 6.0


@aten("hardswish")
def hardswish(x: Imported) -> Imported:
    return x * hardsigmoid(x)


@aten("softplus")
def softplus(x: Imported, beta: float = 1.0, threshold: float = 20.0) -> Imported:
    z = scaled(x, beta)
    smooth = ops.softplus(z) / beta if beta != 1 else ops.softplus(z)
    if not is_node(x) or not (z.data > threshold).any():
        return smooth
    return chosen(z > threshold, x, smooth)  # PyTorch's derivative is exactly 1 there


@aten("_prelu_kernel")
def prelu(x: Imported, weight: Imported) -> Imported:
    return ops.relu(x) + weight * ops.minimum(x, 0.0)
