"""NumPy's optional arguments: which of them change nothing for a node, because they ask for what a node is."""

from __future__ import annotations

import numpy as np

_DEFAULTS: dict[str, tuple[object, ...]] = {
    "dtype": (float, np.float64, np.dtype(np.float64), "float64", "float", "d", "f8"),
    "order": ("C", "K"),
    "casting": ("same_kind", "safe"),
    "subok": (True, False),
    "copy": (True, False),  # the array of a node never changes, so a copy makes no difference
    "where": (True,),
}


def is_default(option: str, value: object) -> bool:
    """Return whether an optional argument of NumPy changes nothing.

    Args:
        option: Name of NumPy's parameter.
        value: Argument.

    Returns:
        True for an argument such as out=None, dtype=float or order="C".

    Examples:
        >>> is_default("dtype", np.float64), is_default("dtype", np.float32)
        (True, False)
    """
    if value is None or value is np._NoValue:
        return True
    return any(value is x or (type(value) is type(x) and value == x) for x in _DEFAULTS.get(option, ()))
