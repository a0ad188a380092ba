"""Arrays in copies and pickles: their layout in memory, on which the last bits of a sum depend, and their ownership."""

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


class Owned:
    """An array that owns its memory after it is copied or loaded, so that you can edit it in place.

    An unpickled array can be a read-only view of a file or of another object's buffer, for example in a process that
    joblib or dask started. This wrapper is replaced by the array.

    Args:
        array: Array to copy or pickle.

    Examples:
        >>> import pickle
        >>> buffers = []
        >>> stored = pickle.dumps(Owned(np.array([1.0, 2.0])), 5, buffer_callback=buffers.append)
        >>> pickle.loads(stored, buffers=[bytes(buffer) for buffer in buffers]).flags.writeable
        True
    """

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    def __reduce__(self) -> tuple[Any, ...]:
        return _owned, (self.array,)


def _owned(array: Array) -> Array:
    return array if type(array) is np.ndarray and array.flags.owndata and array.flags.writeable else np.array(array)
