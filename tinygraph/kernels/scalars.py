"""Floats as arrays without axes.

NumPy converts a float in each call of a ufunc, which takes 0.25 µs. The rest of a short multiplication takes 0.4 µs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tinygraph.kernels.arrays import Array

LARGEST = 1024  # number of floats that are kept


class _Scalars(dict[float, "Array"]):
    """Read-only arrays without axes, by their float. A program uses few floats, such as 2.0 and a learning rate."""

    def __missing__(self, x: float) -> Array:
        array = np.array(x)
        array.flags.writeable = False
        if x and x == x:  # 0.0 and -0.0 are the same key, and NaN is never found again
            if len(self) >= LARGEST:
                self.clear()
            self[x] = array
        return array


scalars = _Scalars()
"""Maps a float to an array without axes. As an operand of a ufunc, both give the same bits.

Examples:
    >>> np.multiply(np.array([2.0]), scalars[1.5])
    array([3.])
"""
