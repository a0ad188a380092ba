"""Ops that round to integers. They are constant between their steps, so their local derivative is 0."""

from __future__ import annotations

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.ops import flat
from tinygraph.kernels.more_floats import steps

# fmt: off

__all__ = ["ceil", "floor", "rint", "trunc"]

floor: Op = Op("floor", steps.floor, form="floor(x)", arrays="floor", domain=domain.STEPS_AT_INTEGERS, partials=(lambda out, x: flat(x),))
ceil: Op = Op("ceil", steps.ceil, form="ceil(x)", arrays="ceil", domain=domain.STEPS_AT_INTEGERS, partials=(lambda out, x: flat(x),))
trunc: Op = Op("trunc", steps.trunc, arrays="trunc", domain=domain.STEPS_AT_NONZERO_INTEGERS, partials=(lambda out, x: flat(x),))
rint: Op = Op("rint", steps.rint, arrays="rint", domain=domain.STEPS_AT_HALVES, partials=(lambda out, x: flat(x),))

# fmt: on

define(globals())
