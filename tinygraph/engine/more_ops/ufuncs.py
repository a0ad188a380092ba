"""The op or the function for each of NumPy's ufuncs, by NumPy's name."""

from __future__ import annotations

import operator

from tinygraph.engine import more_ops, ops
from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.table import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def _equal(x: object, y: object) -> NoReturn:
    """Refuse `np.equal`. The node is on the left here, because an array on the left would call `np.equal` again."""
    _ = x == y if isinstance(x, Node) else y == x  # raises the error for data
    raise TypeError("np.equal and np.not_equal do not compare nodes: compare x.data and y.data")


def _heaviside(x: Any, at_0: Any) -> Any:
    """Return NumPy's step function, with the given result at 0."""
    return ops.heaviside(x) + at_0 * (1.0 - ops.abs(ops.sign(x)))


UFUNCS: dict[str, Callable[..., Any]] = {
    **{op.array_source: op for op in TABLE.values() if isinstance(op.array_source, str)},
    "radians": more_ops.deg2rad,
    "degrees": more_ops.rad2deg,
    "fabs": ops.abs,
    "float_power": ops.pow,
    "heaviside": _heaviside,
    "divmod": lambda x, y: (more_ops.floor_divide(x, y), more_ops.mod(x, y)),
    "conjugate": operator.methodcaller("conjugate"),
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": _equal,
    "not_equal": _equal,
}
