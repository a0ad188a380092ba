"""Activations that PyTorch also has, the Huber loss, and the replacement of NaN."""

from __future__ import annotations

from functools import lru_cache

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.ops import heaviside, maximum, minimum, tanh, tanh_partial
from tinygraph.engine.registry import is_number, parametrized
from tinygraph.kernels.more_floats import activations

# fmt: off

__all__ = ["silu"]

silu: Op = Op("silu", activations.silu, form="x*sigmoid(x)", arrays="silu", analytic=lambda m, x: x / (1.0 + m.exp(-x)), partials=(lambda out, x: silu_partial(x),))

# --- private ops: local derivatives, and parametrized ops -------------------------------------------

silu_partial: Op = Op("silu_partial", activations.silu_partial, form="sigmoid(x)*(1 + x*(1 - sigmoid(x)))", partial_forms=("sigmoid(x)*(1 - sigmoid(x))*(2 + x*(1 - 2*sigmoid(x)))",), arrays="silu_partial", analytic=lambda m, x: (1.0 + (1.0 + x) * m.exp(-x)) / (1.0 + m.exp(-x)) ** 2,
                      partials=(lambda out, x: 0.5 * tanh_partial(0.5 * x) - sigmoid_bump(x) * tanh(0.5 * x),))
sigmoid_bump: Op = Op("sigmoid_bump", activations.sigmoid_bump, form="x*sigmoid(x)*(1 - sigmoid(x))", partial_forms=("sigmoid(x)*(1 - sigmoid(x))*(1 + x*(1 - 2*sigmoid(x)))",), analytic=lambda m, x: x * m.exp(-x) / (1.0 + m.exp(-x)) ** 2,
                      partials=(lambda out, x: 0.25 * tanh_partial(0.5 * x) - out * tanh(0.5 * x),))
exp_below_0: Op = Op("exp_below_0", activations.exp_below_0, form="exp(x) if x <= 0 else 0", arrays="exp_below_0", domain=domain.KINK_AT_0, partials=(lambda out, x: out,))
is_finite: Op = Op("is_finite", activations.is_finite, form="1 if isfinite(x) else 0", arrays="is_finite", partials=(lambda out, x: 0.0,))


@parametrized(is_number)
@lru_cache(maxsize=64)
def leaky_relu_of(factor: float) -> Op:
    """Return the op max(x, 0) + factor * min(x, 0). As for `relu`, its derivative at 0 is that for negative numbers."""
    c = factor
    return Op("leaky_relu", lambda x: activations.leaky_relu(x, c), symbol=f"leaky_relu({{}}, {c!r})", form=f"x if x > 0 else {c!r}*x", partial_forms=(f"1 if x > 0 else {c!r}",), arrays=lambda m, x: m.leaky_relu(x, c),
              domain=domain.KINK_AT_0, maker=leaky_relu_of, parameters=(c,),
              partials=(lambda out, x: heaviside(x) + c * (1.0 - heaviside(x)),))


@parametrized(is_number)
@lru_cache(maxsize=64)
def elu_of(alpha: float) -> Op:
    """Return the op max(x, 0) + alpha * (exp(min(x, 0)) - 1). As for `relu`, its derivative at 0 is that for negative numbers."""
    c = alpha
    return Op("elu", lambda x: activations.elu(x, c), symbol=f"elu({{}}, {c!r})", form=f"x if x > 0 else {c!r}*(exp(x) - 1)", partial_forms=(f"1 if x > 0 else {c!r}*exp(x)",), arrays=lambda m, x: m.elu(x, c),
              domain=domain.KINK_AT_0, maker=elu_of, parameters=(c,),
              partials=(lambda out, x: heaviside(x) + c * exp_below_0(x),))


@parametrized(is_number)
@lru_cache(maxsize=64)
def huber_of(delta: float) -> Op:
    """Return the op x^2 / 2 for |x| up to delta, and delta * (|x| - delta / 2) beyond. Its derivative is x, clipped."""
    c = delta
    return Op("huber", lambda x: activations.huber(x, c), symbol=f"huber({{}}, 0, {c!r})", form=f"x**2/2 if abs(x) <= {c!r} else {c!r}*(abs(x) - {c / 2!r})", arrays=lambda m, x: m.huber(x, c),
              maker=huber_of, parameters=(c,),
              partials=(lambda out, x: minimum(maximum(x, -c), c),))


@parametrized(is_number, is_number, is_number)
@lru_cache(maxsize=64)
def nan_to_num_of(nan: float, posinf: float, neginf: float) -> Op:
    """Return the op that replaces NaN and the infinities. Its derivative is 0 where an element is replaced."""
    new = nan, posinf, neginf
    return Op("nan_to_num", lambda x: activations.nan_to_num(x, *new), symbol=f"nan_to_num({{}}, {nan!r}, {posinf!r}, {neginf!r})",
              arrays=lambda m, x: m.nan_to_num(x, *new), maker=nan_to_num_of, parameters=new, partials=(lambda out, x: is_finite(x),))

# fmt: on


define(globals())
