"""ATen ops that compare or choose: bounds, masks, and conversions to integers."""

from __future__ import annotations

import numpy as np

from tinygraph.bridges.masks import bounded, chosen, equal, truth
from tinygraph.bridges.operands import Imported
from tinygraph.bridges.pytorch.ops.table import aten

# --- bounds


@aten("clamp")
def clamp(x: Imported, min: Imported = None, max: Imported = None) -> Imported:
    return bounded(x, min, max, 1.0)


@aten("clamp_min")
def clamp_min(x: Imported, min: Imported) -> Imported:
    return bounded(x, min, None, 1.0)


@aten("clamp_max")
def clamp_max(x: Imported, max: Imported) -> Imported:
    return bounded(x, None, max, 1.0)


# --- masks

aten("eq")(equal)
aten("ne")(lambda x, y: ~equal(x, y))
aten("lt")(lambda x, y: x < y)
aten("le")(lambda x, y: x <= y)
aten("gt")(lambda x, y: x > y)
aten("ge")(lambda x, y: x >= y)
aten("isnan")(lambda x: np.isnan(x))
aten("isinf")(lambda x: np.isinf(x))
aten("logical_not")(lambda x: ~truth(x))
aten("logical_and", "bitwise_and")(lambda x, y: truth(x) & truth(y))
aten("logical_or", "bitwise_or")(lambda x, y: truth(x) | truth(y))
aten("bitwise_not")(lambda x: ~truth(x))


@aten("where")
def where(condition: Imported, x: Imported, y: Imported) -> Imported:
    return chosen(truth(condition), x, y)


@aten("masked_fill")
def masked_fill(x: Imported, mask: Imported, value: Imported) -> Imported:
    return chosen(truth(mask), value, x)
