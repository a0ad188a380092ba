"""Powers and logarithms with base 2 and 10, the cube root, and angles in degrees."""

from __future__ import annotations

import operator
from functools import lru_cache
from math import prod

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.ops import log_partial, power_partial
from tinygraph.engine.registry import is_order, parametrized
from tinygraph.kernels.more_floats import powers
from tinygraph.kernels.more_floats.powers import LN2

# fmt: off

__all__ = ["cbrt", "deg2rad", "exp2", "log2", "log10", "logaddexp2", "positive", "rad2deg", "reciprocal", "square"]

_RADIANS, _DEGREES = powers.deg2rad(1.0), powers.rad2deg(1.0)

positive: Op = Op("positive", operator.pos, symbol="+{}", form="x", arrays="positive", analytic=lambda m, x: x, linear=True, partials=(lambda out, x: 1.0,))
square: Op = Op("square", powers.square, form="x**2", symbol="{}**2", arrays="square", analytic=lambda m, x: x * x, partials=(lambda out, x: 2.0 * x,))
reciprocal: Op = Op("reciprocal", powers.reciprocal, form="1/x", arrays="reciprocal", domain=domain.NONZERO, analytic=lambda m, x: 1.0 / x,
                    partials=(lambda out, x: power_partial(-1.0)(x),))
cbrt: Op = Op("cbrt", powers.cbrt, form="cbrt(x)", arrays="cbrt", domain=domain.NONZERO, partials=(lambda out, x: cbrt_partial(x),))
exp2: Op = Op("exp2", powers.exp2, form="2**x", arrays="exp2", analytic=lambda m, x: 2.0**x, partials=(lambda out, x: exp2_partial(x),))
log2: Op = Op("log2", powers.log2, form="log2(x)", arrays="log2", domain=domain.POSITIVE, analytic=lambda m, x: m.log(x) / m.log(2.0), partials=(lambda out, x: log2_partial(x),))
log10: Op = Op("log10", powers.log10, form="log10(x)", arrays="log10", domain=domain.POSITIVE, analytic=lambda m, x: m.log(x) / m.log(10.0),
               partials=(lambda out, x: log10_partial(x),))
logaddexp2: Op = Op("logaddexp2", powers.logaddexp2, form="log2(2**x + 2**y)", arrays="logaddexp2",
                    analytic=lambda m, x, y: m.log(2.0**x + 2.0**y) / m.log(2.0),
                    partials=(lambda out, x, y: logaddexp2_partial(x, y),
                              lambda out, x, y: logaddexp2_partial(y, x)))
deg2rad: Op = Op("deg2rad", powers.deg2rad, form="x*pi/180", partial_forms=("pi/180",), arrays="deg2rad", analytic=lambda m, x: _RADIANS * x, linear=True, partials=(lambda out, x: _RADIANS,))
rad2deg: Op = Op("rad2deg", powers.rad2deg, form="x*180/pi", partial_forms=("180/pi",), arrays="rad2deg", analytic=lambda m, x: _DEGREES * x, linear=True, partials=(lambda out, x: _DEGREES,))

# --- private ops: local derivatives ----------------------------------------------------------------

log2_partial: Op = Op("log2_partial", powers.log2_partial, form="1/(x*log(2))", partial_forms=("-1/(x**2*log(2))",), arrays="log2_partial", domain=domain.POSITIVE, analytic=lambda m, x: 1.0 / (m.log(2.0) * x),
                      partials=(lambda out, x: -out * log_partial(x),))
log10_partial: Op = Op("log10_partial", powers.log10_partial, form="1/(x*log(10))", partial_forms=("-1/(x**2*log(10))",), arrays="log10_partial", domain=domain.POSITIVE, analytic=lambda m, x: 1.0 / (m.log(10.0) * x),
                       partials=(lambda out, x: -out * log_partial(x),))
logaddexp2_partial: Op = Op("logaddexp2_partial", powers.logaddexp2_partial, form="2**x/(2**x + 2**y)", partial_forms=("2**x*2**y*log(2)/(2**x + 2**y)**2", "-2**x*2**y*log(2)/(2**x + 2**y)**2"), analytic=lambda m, x, y: 1.0 / (1.0 + 2.0 ** (y - x)),
                            partials=(lambda out, x, y: LN2 * out * logaddexp2_partial(y, x),
                                      lambda out, x, y: -LN2 * out * logaddexp2_partial(y, x)))


@parametrized(is_order)
@lru_cache(maxsize=64)
def cbrt_derivative(n: int) -> Op:
    """Return the op for the n-th derivative of the cube root."""
    form = "1/(3*cbrt(x)**2)" if n == 1 else f"{prod(1 - 3 * i for i in range(n))}*cbrt(x)/({3**n}*x**{n})"
    return Op("cbrt_partial" if n == 1 else f"cbrt_derivative({n})", lambda x: powers.cbrt_derivative(x, n), form=form, symbol="" if n == 1 else f"cbrt_derivative({n})({{}})",
              arrays="cbrt_partial" if n == 1 else None, domain=domain.NONZERO, maker=cbrt_derivative, parameters=(n,),
              partials=(lambda out, x: cbrt_derivative(n + 1)(x),))


@parametrized(is_order)
@lru_cache(maxsize=64)
def exp2_derivative(n: int) -> Op:
    """Return the op for the n-th derivative of 2^x."""
    return Op("exp2_partial" if n == 1 else f"exp2_derivative({n})", lambda x: powers.exp2_derivative(x, n), form=f"2**x*log(2)**{n}", symbol="" if n == 1 else f"exp2_derivative({n})({{}})",
              arrays="exp2_partial" if n == 1 else None, analytic=lambda m, x: m.log(2.0) ** n * 2.0**x, maker=exp2_derivative, parameters=(n,),
              partials=(lambda out, x: exp2_derivative(n + 1)(x),))


cbrt_partial: Op = cbrt_derivative(1)
exp2_partial: Op = exp2_derivative(1)

# fmt: on

define(globals())
