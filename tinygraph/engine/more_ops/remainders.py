"""Remainders and quotients that are integers, and the extrema that ignore NaN."""

from __future__ import annotations

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.ops import flat
from tinygraph.kernels.more_floats import steps

# fmt: off

__all__ = ["floor_divide", "fmax", "fmin", "fmod", "mod"]

mod: Op = Op("mod", steps.mod, partial_forms=("", "-floor(x/y)"), symbol="%", code="{} % {}", arrays="remainder", domain=domain.NONZERO_REMAINDER,
             partials=(lambda out, x, y: 1.0,
                       lambda out, x, y: -floor_divide(x, y)))
fmod: Op = Op("fmod", steps.fmod, partial_forms=("", "-trunc(x/y)"), arrays="fmod", domain=domain.NONZERO_REMAINDER,
              partials=(lambda out, x, y: 1.0,
                        lambda out, x, y: -trunc_divide(x, y)))
floor_divide: Op = Op("floor_divide", steps.floor_divide, form="floor(x/y)", symbol="//", code="{} // {}", arrays="floor_divide", domain=domain.NONZERO_REMAINDER,
                      partials=(lambda out, x, y: flat(out),
                                lambda out, x, y: flat(out)))
fmax: Op = Op("fmax", steps.fmax, arrays="fmax", domain=domain.KINK_AT_TIE,
              partials=(lambda out, x, y: larger_number(x, y),
                        lambda out, x, y: larger_number(y, x)))
fmin: Op = Op("fmin", steps.fmin, partial_forms=("1 if x < y or isnan(y) else 0.5 if x == y else 0", "1 if y < x or isnan(x) else 0.5 if x == y else 0"), arrays="fmin", domain=domain.KINK_AT_TIE,
              partials=(lambda out, x, y: larger_number(-x, -y),
                        lambda out, x, y: larger_number(-y, -x)))

# --- private ops: local derivatives ----------------------------------------------------------------

trunc_divide: Op = Op("trunc_divide", steps.trunc_divide, form="trunc(x/y)", arrays="trunc_divide", domain=domain.NONZERO_REMAINDER,
                      partials=(lambda out, x, y: flat(out),
                                lambda out, x, y: flat(out)))
larger_number: Op = Op("larger_number", steps.larger_number, form="1 if x > y or isnan(y) else 0.5 if x == y else 0", arrays="larger_number", domain=domain.KINK_AT_TIE,
                       partials=(lambda out, x, y: flat(out),
                                 lambda out, x, y: flat(out)))

# fmt: on

define(globals())
