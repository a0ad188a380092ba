"""Helpers for values that are floats or arrays. NumPy is loaded only if the program already uses arrays."""

from __future__ import annotations

import math
import sys

from tinygraph.engine.graph import Node
from tinygraph.explaining.notation import Quantity


def is_array(x: Quantity) -> bool:
    """Return whether a value is a NumPy array.

    Args:
        x: Float or array.

    Returns:
        True if `x` is an instance of `numpy.ndarray`.
    """
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def size(x: Quantity) -> float:
    """Return the absolute value of a float, or the largest absolute value in an array.

    Args:
        x: Float or array.

    Returns:
        The largest absolute value, or 0.0 for an empty array.

    Examples:
        >>> size(-2.0)
        2.0
    """
    if isinstance(x, float) or not is_array(x):
        return abs(float(x))
    import numpy as np

    return float(np.max(np.abs(x), initial=0.0))


def not_finite(x: Quantity) -> float:
    """Return the first element that is NaN or infinite.

    Args:
        x: Float that is not finite, or array that contains such an element.

    Returns:
        The element as a float.
    """
    if isinstance(x, float):
        return x
    import numpy as np

    return float(np.asarray(x)[~np.isfinite(x)].flat[0])


def has_nan(x: Quantity) -> bool:
    """Return whether a value is NaN, or an array contains NaN.

    Args:
        x: Float or array.

    Returns:
        True if there is a NaN.

    Examples:
        >>> has_nan(math.nan), has_nan(math.inf)
        (True, False)
    """
    different = x != x
    return different if isinstance(different, bool) else bool(different.any())


def place_of_not_finite(x: Quantity, *, nan: bool = False) -> tuple[int, ...]:
    """Return the index of the first element that is NaN or infinite.

    Args:
        x: Float that is not finite, or array that contains such an element.
        nan: If true, return the index of the first NaN. Defaults to false.

    Returns:
        One integer per axis, or () for a float.
    """
    if not hasattr(x, "shape"):
        return ()
    import numpy as np

    return tuple(int(i) for i in np.argwhere(np.isnan(x) if nan else ~np.isfinite(x))[0])


def element(x: Quantity, place: tuple[int, ...], like: Quantity) -> float:
    """Return one element of `x` after `x` is broadcast to the shape of `like`.

    Args:
        x: Float or array to read from.
        place: Index of the element in the broadcast array.
        like: Value that gives the shape of the broadcast array.

    Returns:
        The element.
    """
    if not hasattr(like, "shape"):
        return x  # type: ignore[no-any-return]
    import numpy as np

    return float(np.broadcast_to(x, like.shape)[place])


def ones(node: Node) -> Quantity:
    """Return a seed of ones in the shape of the given node.

    With this seed, a pass differentiates the sum of the node's elements.

    Args:
        node: Scalar or Tensor.

    Returns:
        1.0 for a scalar, or an array of ones for a Tensor.
    """
    if not hasattr(node.raw, "shape"):
        return 1.0
    import numpy as np

    return np.ones_like(node.raw)


def differ(x: Quantity, y: Quantity) -> bool:
    """Return whether two values differ in their shapes or in any element.

    NaN counts as equal to NaN.

    Args:
        x: Float or array.
        y: Float or array.

    Returns:
        True if the values differ.

    Examples:
        >>> differ(1.0, 2.0), differ(math.nan, math.nan)
        (True, False)
    """
    if type(x) is type(y) is float:
        return not (x == y or (math.isnan(x) and math.isnan(y)))
    import numpy as np

    return not np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)
