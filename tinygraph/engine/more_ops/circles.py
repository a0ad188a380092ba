"""Inverse hyperbolic functions, and polar coordinates: the distance from the origin and the angle."""

from __future__ import annotations

import math
from functools import lru_cache

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.ops import circle_ratio, cosine_power
from tinygraph.engine.registry import is_order, parametrized
from tinygraph.kernels.more_floats import circles

# fmt: off

__all__ = ["acosh", "asinh", "atan2", "atanh", "hypot"]

# --- private ops: local derivatives ----------------------------------------------------------------


@parametrized(is_order, is_order, is_order)
@lru_cache(maxsize=256)
def plane_power(j: int, k: int, m: int) -> Op:
    """Return the op x^j y^k / r^m, where r is the distance from the origin: all derivatives of `hypot` and `atan2`.

    The derivative with respect to x is j x^(j - 1) y^k / r^m - m x^(j + 1) y^k / r^(m + 2). The first term is written
    as two terms with r^(m + 2), so that x / r has a derivative of one term, y^2 / r^3.
    """
    return Op(f"plane_power({j}, {k}, {m})", lambda x, y: circles.plane_power(x, y, j, k, m), symbol=f"plane_power({j}, {k}, {m})({{}}, {{}})", form=f"x**{j}*y**{k}/sqrt(x**2 + y**2)**{m}", domain=domain.NOT_THE_ORIGIN,
              arrays=(lambda kernels, x, y: kernels.plane_power(x, y, j, k, m)) if j + k == 1 and m in (1, 2) else None,
              maker=plane_power, parameters=(j, k, m),
              partials=((lambda out, x, y: float(j - m) * plane_power(j + 1, k, m + 2)(x, y)) if j == 0 else
                        (lambda out, x, y: float(j) * plane_power(j - 1, k + 2, m + 2)(x, y)) if j == m else
                        (lambda out, x, y: float(j - m) * plane_power(j + 1, k, m + 2)(x, y) + float(j) * plane_power(j - 1, k + 2, m + 2)(x, y)),
                        (lambda out, x, y: float(k - m) * plane_power(j, k + 1, m + 2)(x, y)) if k == 0 else
                        (lambda out, x, y: float(k) * plane_power(j + 2, k - 1, m + 2)(x, y)) if k == m else
                        (lambda out, x, y: float(k - m) * plane_power(j, k + 1, m + 2)(x, y) + float(k) * plane_power(j + 2, k - 1, m + 2)(x, y))))

asinh_partial: Op = Op("asinh_partial", circles.asinh_partial, form="1/sqrt(1 + x**2)", partial_forms=("-x/sqrt(1 + x**2)**3",), arrays="asinh_partial", analytic=lambda m, x: 1.0 / m.sqrt(1.0 + x * x),
                       partials=(lambda out, x: -out * circle_ratio(x),))
acosh_partial: Op = Op("acosh_partial", circles.acosh_partial, form="1/sqrt(x**2 - 1)", partial_forms=("-x/sqrt(x**2 - 1)**3",), arrays="acosh_partial", domain=domain.ABOVE_1, analytic=lambda m, x: 1.0 / m.sqrt(x * x - 1.0),
                       partials=(lambda out, x: -out * acosh_ratio(x),))
acosh_ratio: Op = Op("acosh_ratio", circles.acosh_ratio, form="x/(x**2 - 1)", partial_forms=("-(x**2 + 1)/(x**2 - 1)**2",), domain=domain.ABOVE_1, analytic=lambda m, x: x / (x * x - 1.0),
                     partials=(lambda out, x: -out * out - acosh_square(x) * acosh_square(x),))
acosh_square: Op = Op("acosh_square", circles.acosh_square, form="1/(x**2 - 1)", partial_forms=("-2*x/(x**2 - 1)**2",), domain=domain.ABOVE_1, analytic=lambda m, x: 1.0 / (x * x - 1.0),
                      partials=(lambda out, x: -2.0 * out * acosh_ratio(x),))

# --- public ops -------------------------------------------------------------------------------------

asinh: Op = Op("asinh", math.asinh, arrays="arcsinh", analytic=lambda m, x: m.asinh(x), partials=(lambda out, x: asinh_partial(x),))
acosh: Op = Op("acosh", circles.acosh, arrays="arccosh", domain=domain.ABOVE_1, analytic=lambda m, x: m.acosh(x), partials=(lambda out, x: acosh_partial(x),))
atanh: Op = Op("atanh", circles.atanh, arrays="arctanh", domain=domain.INSIDE_1, analytic=lambda m, x: m.atanh(x), partials=(lambda out, x: cosine_power(2)(x),))
hypot: Op = Op("hypot", math.hypot, form="sqrt(x**2 + y**2)", arrays="hypot", domain=domain.NOT_THE_ORIGIN, analytic=lambda m, x, y: m.sqrt(x * x + y * y),
               partials=(lambda out, x, y: plane_power(1, 0, 1)(x, y),
                         lambda out, x, y: plane_power(0, 1, 1)(x, y)))
atan2: Op = Op("atan2", math.atan2, partial_forms=("", "-x/(x**2 + y**2)"), arrays="arctan2", domain=domain.AWAY_FROM_THE_CUT,
               partials=(lambda out, x, y: plane_power(0, 1, 2)(x, y),
                         lambda out, x, y: -plane_power(1, 0, 2)(x, y)))

# fmt: on


define(globals())
