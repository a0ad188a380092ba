"""What explanations ask of a value, a float or an array; NumPy is loaded only where there are arrays already."""

from __future__ import annotations

import math
import sys

from tinygraph.engine.graph import Node
from tinygraph.explaining.notation import Quantity


def is_array(x: Quantity) -> bool:
    """Return whether a value is an array of NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def size(x: Quantity) -> float:
    """Return the largest absolute element.

    >>> size(-2.0)
    2.0
    """
    if isinstance(x, float) or not is_array(x):
        return abs(float(x))
    import numpy as np

    return float(np.max(np.abs(x), initial=0.0))


def not_finite(x: Quantity) -> float:
    """Return the number that is not finite; of an array the first."""
    if isinstance(x, float):
        return x
    import numpy as np

    return float(np.asarray(x)[~np.isfinite(x)].flat[0])


def place_of_not_finite(x: Quantity) -> tuple[int, ...]:
    """Return the index of the first element that is not finite; () for a number."""
    if not hasattr(x, "shape"):
        return ()
    import numpy as np

    return tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])


def element(x: Quantity, place: tuple[int, ...], like: Quantity) -> float:
    """Return an element of a value that is broadcast to the shape of another."""
    if not hasattr(like, "shape"):
        return x  # type: ignore[no-any-return]
    import numpy as np

    return float(np.broadcast_to(x, like.shape)[place])


def ones(node: Node) -> Quantity:
    """Return 1 in the shape of a node: the seed of a pass that sums its elements."""
    if not hasattr(node.raw, "shape"):
        return 1.0
    import numpy as np

    return np.ones_like(node.raw)


def differ(x: Quantity, y: Quantity) -> bool:
    """Return whether two values have other shapes or other numbers, NaN being equal to NaN.

    >>> differ(1.0, 2.0), differ(math.nan, math.nan)
    (True, False)
    """
    if type(x) is type(y) is float:
        return not (x == y or (math.isnan(x) and math.isnan(y)))
    import numpy as np

    return not np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)
