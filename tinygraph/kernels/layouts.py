"""The memory layout of an array, which a copy must keep, because the order of a sum's terms decides its last bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.kernels.arrays import Array


class Strided:
    """An array that is copied and pickled with the order and direction of its axes in memory.

    NumPy pickles a view in C order, and writes out repeated elements. This wrapper is replaced by the array.

    Args:
        array: Array to copy or pickle.

    Examples:
        >>> import pickle
        >>> x = np.broadcast_to(np.array([1.0, 2.0]), (1000, 2))[:, ::-1]
        >>> again = pickle.loads(pickle.dumps(Strided(x)))
        >>> again.shape, again.strides == x.strides, (again == x).all()
        ((1000, 2), True, np.True_)
    """

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        strides, shape = self.array.strides, self.array.shape
        steps = [slice(0, 1) if not stride else slice(None, None, -1 if stride < 0 else 1) for stride in strides]
        axes = sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))
        core = self.array[tuple(steps)].transpose(axes)
        backward = tuple([stride < 0 for stride in strides])
        return _strided, (np.ascontiguousarray(core), axes, backward, shape)


def _strided(core: Array, axes: Sequence[int], backward: Sequence[bool], shape: tuple[int, ...]) -> Array:
    view = core.transpose(np.argsort(axes))
    return np.broadcast_to(view[tuple([slice(None, None, -1 if flip else 1) for flip in backward])], shape)
