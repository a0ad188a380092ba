"""Metadata that only some nodes have: a name, a scope, a source line, and comparisons."""

from __future__ import annotations

from operator import ge, index, le

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsIndex

LIMIT = 1000  # maximum number of comparisons that a node stores; the oldest comparisons are replaced: see `unchanged`
ARRAY_LIMIT = 16  # the same for comparisons of arrays, which take more memory


class FrozenBranchError(RuntimeError):
    """A comparison between nodes has another outcome than when the graph was recorded, or its outcome is unknown."""


_FIX = "record the graph again, or compare .data if no branch depends on it"


class _Slotted:
    """Base class that makes slots picklable with every protocol. Python refuses slots with protocols 0 and 1."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        return super().__reduce_ex__(max(2, index(protocol)))


class Trace(_Slotted):
    """What a comparison leaves behind on the nodes below it: no numbers, because an array can be large.

    `outcome` is None for arrays. `time` is the edit clock at the comparison, or -1 for a comparison that was read from
    a file. `expired` is, for each side, the edit clock at the first edit of a leaf on which the side depends through
    computed nodes, or None.
    """

    __slots__ = ("expired", "outcome", "text", "time")

    def __init__(self, text: str, outcome: bool | None, time: int) -> None:
        self.text, self.outcome, self.time = text, outcome, time
        self.expired: list[int | None] = [None, None]

    def unknown(self) -> FrozenBranchError:
        """Return the error for a comparison that a graph cannot repeat."""
        was = "was computed" if self.outcome is None else f"was {self.outcome}"
        return FrozenBranchError(
            f"{self.text} {was} when this graph was recorded, but the graph does not contain every compared node, so "
            f"the outcome at other values is unknown: {_FIX}"
        )


class Guard(_Slotted):
    """A comparison and its outcome. A guard stores numbers or arrays instead of nodes, to avoid reference cycles."""

    __slots__ = ("compare", "numbers", "outcome", "trace")

    def __init__(self, compare: Callable[[Any, Any], Any], text: str, *numbers: Any, time: int) -> None:
        self.compare, self.numbers = compare, list(numbers)
        self.outcome = compare(*numbers)
        self.trace = Trace(text, self.outcome if isinstance(self.outcome, bool) else None, time)

    def has_changed(self) -> bool:
        """Return whether the outcome has changed, for an array whether the outcome of any element has changed."""
        changed = self.compare(*self.numbers) != self.outcome
        return changed if isinstance(changed, bool) else bool(changed.any())

    def check(self) -> None:
        """Raise FrozenBranchError if the outcome has changed."""
        if self.has_changed():
            raise flipped_guard(self.trace.text, self.outcome)


def flipped_guard(text: str, outcome: Any) -> FrozenBranchError:
    """Return the error for a comparison whose outcome has changed since it was recorded."""
    scalar = isinstance(outcome, bool)
    was = f"was {outcome} when it was recorded and no longer is" if scalar else "now has another outcome"
    return FrozenBranchError(f"{text} {was}: {_FIX}")


_BOUNDS = (le, ge)  # a value that is not below and not above its old value is unchanged


def unchanged(bound: Callable[[Any, Any], Any], dropped: Guard, side: int, name: str) -> Guard:
    """Return a comparison that fails as soon as the node has another value than now.

    It stands for all comparisons that a node no longer stores. Their outcomes at another value are unknown.
    """
    number = dropped.numbers[side]
    kept = number.copy() if hasattr(number, "copy") else number  # an array of a leaf can be edited in place
    text = f"one of the oldest comparisons of {name or 'a node'}, which was compared too often to store them all,"
    return Guard(bound, text, number, kept, time=dropped.trace.time)


def bounded(pairs: list[tuple[Trace, int]]) -> list[tuple[Trace, int]]:
    """Return the newest comparisons that depend on a node, after one that stands for the oldest if there are too many.

    The outcomes of the oldest comparisons at other values are unknown, so a graph that was recorded after one of them
    and before the last edit of its nodes cannot be recomputed.
    """
    dropped = pairs[:-LIMIT]
    if not dropped:
        return pairs
    text = "one of the oldest comparisons of computed nodes, which are too many to store them all,"
    oldest = Trace(text, None, min(trace.time for trace, _ in dropped))
    edits = [trace.expired[side] for trace, side in dropped]
    oldest.expired[0] = None if None in edits else max(filter(None, edits))
    return [(oldest, 0), *pairs[-LIMIT:]]


class Dependents:
    """The comparisons that depend on a node, through computed nodes that need not be in the same graph.

    Each comparison is stored once, at the node nearest to it that has an instance of this class, so that a loop of n
    comparisons stores n of them. An instance stores no nodes, to avoid reference cycles. `time` is the edit clock when
    the instance was made. If a leaf was edited since then, a computed node needs another one.
    """

    __slots__ = ("consumers", "of_leaf", "time", "traces")

    def __init__(self, of_leaf: bool, time: int, traces: Iterable[tuple[Trace, int]] = ()) -> None:
        self.of_leaf, self.time, self.traces = of_leaf, time, list(traces)
        self.consumers: list[Dependents] = []

    def add(self, trace: Trace, side: int) -> None:
        """Add a comparison, of which this side is the node or depends on it."""
        self.traces.append((trace, side))
        self.traces = bounded(self.traces)

    def found(self) -> list[tuple[Trace, int]]:
        """Return all comparisons that depend on the node, each with the side that does, in the order of their times."""
        seen, stack = {self}, [self]
        while stack:
            for consumer in stack.pop().consumers:
                if consumer not in seen:
                    seen.add(consumer)
                    stack.append(consumer)
        return sorted((pair for dependents in seen for pair in dependents.traces), key=lambda pair: pair[0].time)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the content for a copy or a pickle: flat, because recursion would exceed Python's limit."""
        return Dependents, (self.of_leaf, self.time, self.found())


class Metadata(_Slotted):
    """The metadata of one node, or of many nodes that have only a scope.

    `shared` is true for the metadata of many nodes, which do not change: `owned` makes a copy first. `guards` are the
    comparisons of the node itself, with the node's side in each. `dependents` are the comparisons that depend on the
    node through computed nodes. `before` are those of a leaf that were made before its last edit.
    """

    __slots__ = ("before", "dependents", "guards", "line", "name", "recorded", "scope", "shared", "token")

    def __init__(self) -> None:
        self.name = ""
        self.scope: tuple[str, ...] = ()
        self.line = ""
        self.shared = False
        self.token = object()  # represents the node in other nodes' keys; an id() can be reused after a node is deleted
        self.recorded: list[int] = []  # the times at which the node's graph was recorded, once `forward` recomputes it
        self.guards: dict[Any, tuple[Guard, int]] = {}
        self.dependents: Dependents | None = None
        self.before: list[tuple[Trace, int]] = []

    def __copy__(self) -> Metadata:
        """Return the metadata of a copy of the node, without comparisons, because the copy took part in none."""
        copy = Metadata()
        copy.name, copy.scope, copy.line = self.name, self.scope, self.line
        return copy

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return the content for a pickle or a deep copy. Meanwhile, another thread may store a comparison.

        A computed node gets new dependents when it is compared again, because the leaves of the copy do not know the
        old ones.
        """
        content = {name: getattr(self, name) for name in self.__slots__}
        known = self.dependents if self.dependents and self.dependents.of_leaf else None
        return None, {**content, "guards": dict(self.guards), "dependents": known}

    @property
    def compared(self) -> bool:
        """True if comparisons depend on the node."""
        return bool(self.guards or self.dependents or self.before)

    def remember(self, key: Any, guard: Guard, side: int) -> None:
        """Store a comparison in which this node is the operand with index `side`."""
        self.guards[key] = (guard, side)
        while len(self.guards) > (LIMIT if isinstance(guard.outcome, bool) else ARRAY_LIMIT):
            self._drop(next(key for key in self.guards if key not in _BOUNDS))

    def _drop(self, key: Any) -> None:
        """Replace a comparison by two that fail as soon as the node has another value than now."""
        dropped, side = self.guards.pop(key)
        for bound in _BOUNDS:
            if bound not in self.guards:
                self.guards[bound] = (unchanged(bound, dropped, side, self.name), 0)
        if dropped.has_changed():
            for bound in _BOUNDS:
                kept = self.guards[bound][0]
                if not kept.has_changed():
                    kept.outcome = not kept.outcome if isinstance(kept.outcome, bool) else ~kept.outcome

    def update(self, number: Any, edited: int | None = None) -> None:
        """Store the new value of the node in its comparisons. `edited` is the edit clock if the node is a leaf."""
        for guard, side in list(self.guards.values()):
            guard.numbers[side] = number
        if edited is not None and self.dependents:
            found, self.dependents = self.dependents.found(), None
            for trace, side in found:
                trace.expired[side] = trace.expired[side] or edited
            self.before = bounded([*self.before, *found])

    def dependent(self) -> list[tuple[Trace, int]]:
        """Return the comparisons that depend on a leaf through computed nodes, each with the side that does."""
        return [*self.before, *(self.dependents.found() if self.dependents else ())]

    def latest(self) -> int:
        """Return the latest time on the edit clock that the comparisons contain, or 0 without comparisons."""
        times = [0, *self.recorded]
        for trace in (*[guard.trace for guard, _ in self.guards.values()], *[trace for trace, _ in self.dependent()]):
            times += trace.time, *filter(None, trace.expired)
        return max(times)


def owned(metadata: Metadata | None) -> Metadata:
    """Return metadata that belong to one node: the given metadata, a copy if other nodes share them, or new ones."""
    return Metadata() if metadata is None else metadata.__copy__() if metadata.shared else metadata
