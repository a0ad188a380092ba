"""Fingerprints: how a graph of Tensors notices that an array was edited in place.

Two kinds of arrays can change after a node was recorded. A Tensor does not copy an array that you pass as a constant,
so each node stores *fingerprints* of the constant arrays among its operands. And `w.data` gives you the array of a leaf
to edit, so the leaf then stores the content that the array had.
"""

from __future__ import annotations

import math
import weakref
from _thread import allocate_lock
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinygraph.engine import contexts, graph
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node
from tinygraph.engine.logits import ActivationOp
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.engine.op import Op

COMPLETE = 1024  # maximum number of elements of an array whose fingerprint contains every element
SAMPLES = 32  # number of elements in the fingerprint of a larger array

_ndarray = np.ndarray
_exposing = allocate_lock()
_steps: dict[int, int] = {}  # distances between sampled elements, by the size of the array

_Source: TypeAlias = "Array | _Hashed | _Scattered"
Fingerprints: TypeAlias = "list[tuple[_Source, bytes]]"


def fingerprints(*operands: object) -> Fingerprints | None:
    """Return the fingerprints of constant arrays, for `edited`.

    Args:
        *operands: Operands of a node.

    Returns:
        A pair for each operand that is an array or a constant Tensor: an object that computes the fingerprint, and
        the fingerprint. The fingerprint consists of the bits of all elements. For an array with more than `COMPLETE`
        elements, it consists of the bits of a sample, or of a hash of all elements while `strict` is active. None if
        there are no such operands.

    Examples:
        >>> array = np.array([1.0, 2.0])
        >>> known = fingerprints(array, 3.0)
        >>> array[1] = 3.0
        >>> edited(known)
        True
    """
    found = None
    for x in operands:
        array = x if type(x) is _ndarray else _constant_array(x) if isinstance(x, Node) and x.is_constant else None
        if array is not None:
            size = array.size
            if size <= COMPLETE:
                source: _Source = array
            elif clock.watch is None and array.flags.c_contiguous:  # most arrays, without a call
                source = array.ravel()[:: _steps.get(size) or _step(size)]  # a view
            else:
                source = _sample(array)
            if found is None:
                found = [(source, source.tobytes())]
            else:
                found.append((source, source.tobytes()))
    return found


def edited(known: Fingerprints) -> bool:
    """Return whether one of the arrays was edited after `fingerprints` was called.

    Args:
        known: Result of `fingerprints`.

    Returns:
        True if an array has another fingerprint now.
    """
    for source, bits in known:  # noqa: SIM110  (a generator would take three times as long)
        if source.tobytes() != bits:
            return True
    return False


def _constant_array(x: Any) -> Array | None:
    """Return the array of a constant Tensor if others can edit it, otherwise None."""
    array = x.raw
    if type(array) is not _ndarray:
        return None
    return array if x.op is None or array.base is not None else None  # a computed array that is not a view is private


def _sample(array: Array) -> _Source:
    if clock.watch is not None and contexts.is_strict():
        return _Hashed(array)
    flags: Any = array.flags
    if flags.c_contiguous or flags.f_contiguous:
        return (array if flags.c_contiguous else array.T).ravel()[:: _step(array.size)]
    return _Scattered(array)


def _step(size: int) -> int:
    """Return the distance between sampled elements. It has no common factor with the length of any axis.

    So the sample contains elements of every column, and not only of one.
    """
    step = size // SAMPLES
    while math.gcd(step, size) > 1:
        step -= 1
    if len(_steps) >= 1000:
        _steps.clear()
    _steps[size] = step
    return step


class _Scattered:
    """A sample of an array that is not contiguous, so that no view has only the elements of the sample."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def tobytes(self) -> bytes:
        return self.array.flat[:: _step(self.array.size)].tobytes()  # type: ignore[no-any-return]


class _Hashed(_Scattered):
    """All elements of an array, as a hash that takes little memory."""

    __slots__ = ()

    def tobytes(self) -> bytes:
        return blake2b(np.ascontiguousarray(self.array).data, digest_size=16).digest()


class Exposure:
    """The content of a leaf's array when `data` gave the array to a caller, who can edit it in place.

    `content` is None if no graph has used the leaf since the last edit.

    Args:
        array: The array that the caller gets. It shares memory with the leaf's array.
        content: Content of the array.
    """

    __slots__ = ("array", "content")

    def __init__(self, array: Array, content: bytes | None) -> None:
        self.array, self.content = weakref.ref(array), content

    def assigned(self, array: object, shape: Shape) -> bool:
        """Return whether a caller assigns the array that it got and edited, as `w.data -= ...` does.

        Args:
            array: Array that is assigned.
            shape: Shape of the leaf.

        Returns:
            True for that array. The caller then treats the assignment as an edit, so the old content is not needed.
        """
        held = self.array()
        if held is None or held is not array or held.shape != shape:
            return False
        self.content = None
        return True

    def notice(self, leaf: Node) -> bool:
        """Notice edits in place: treat them like an assignment to `leaf.data`.

        Args:
            leaf: Leaf that the array belongs to.

        Returns:
            True if the array was edited.
        """
        editable = self.array() is not None  # checked first, because another thread may drop the array meanwhile
        changed = False
        if self.content is not None:
            changed = leaf.raw.tobytes() != self.content
            if changed:
                graph.edit(leaf, leaf.raw)
            elif editable:
                return False
        self.content = leaf.raw.tobytes() if editable else None
        return changed


def expose(leaf: Watched) -> Array:
    """Return the array of a leaf for a caller who may edit it. The leaf then notices such edits.

    The result is not the leaf's array itself but an array in the same memory, so that views by nodes of the graph do
    not keep it alive. As long as the caller keeps the result or a view of it, the leaf can be edited.

    Args:
        leaf: Leaf of a graph.

    Returns:
        The array.
    """
    while True:
        exposure = leaf.watched
        if isinstance(exposure, Exposure):
            array = exposure.array()
            if array is not None:
                return array
            exposure.notice(leaf)
        with _exposing:
            if leaf.watched is exposure:
                raw = leaf.raw
                array = np.asarray(memoryview(raw))
                leaf.watched = Exposure(array, raw.tobytes())
                return array


class Watched(Node):
    """A node that notices edits in place: of the array of a leaf, and of the constant arrays that an op read."""

    __slots__ = ("watched",)
    watched: Exposure | Fingerprints | None
    _editable = True

    def _notice(self) -> bool:
        """Notice edits of a leaf in place. Return whether there are any."""
        return type(self.watched) is Exposure and self.watched.notice(self)

    def _edited(self) -> bool:
        self._notice()
        return type(self.watched) is list and edited(self.watched)

    def _link(self, op: Op | None, args: Sequence[Any], partials: Sequence[Any]) -> None:
        super()._link(op, args, partials)
        self._renew()

    def _renew(self) -> None:
        if self.op is None:
            self.watched = None
        else:
            self.watched = fingerprints(*(self.op.read_at(self.args) if type(self.op) is ActivationOp else self.args))
