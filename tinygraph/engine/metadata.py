"""Metadata that only some nodes have: a name, a scope, a source line, and comparisons."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMIT = 1000  # maximum number of comparisons that a node stores; the oldest comparisons are dropped
ARRAY_LIMIT = 16  # the same for comparisons of arrays, which take more memory


class FrozenBranchError(RuntimeError):
    """A comparison between nodes has another outcome than when the graph was recorded, or its outcome is unknown."""


_FIX = "record the graph again, or compare .data if no branch depends on it"


class Guard:
    """A comparison and its outcome. A guard stores numbers or arrays instead of nodes, to avoid reference cycles.

    `time` is the edit clock at the comparison, or -1 for a comparison that was read from a file. `expired` is the edit
    clock at the first edit of a compared leaf. `computed` is true for each side that is a node but not a leaf.
    """

    __slots__ = ("compare", "computed", "expired", "numbers", "outcome", "text", "time")

    def __init__(self, compare: Callable[[Any, Any], Any], text: str, *numbers: Any, time: int = -1) -> None:
        self.compare, self.text, self.numbers, self.time = compare, text, list(numbers), time
        self.outcome = compare(*numbers)
        self.computed = [False, False]
        self.expired: int | None = None

    def check(self) -> None:
        """Raise FrozenBranchError if the outcome has changed, for an array if any element has changed."""
        changed = self.compare(*self.numbers) != self.outcome
        if changed if isinstance(changed, bool) else changed.any():
            raise flipped_guard(self.text, self.outcome)

    def unknown(self) -> FrozenBranchError:
        """Return the error for a comparison that a graph cannot repeat."""
        was = f"was {self.outcome}" if isinstance(self.outcome, bool) else "was computed"
        return FrozenBranchError(
            f"{self.text} {was} when this graph was recorded, but the graph does not contain both compared nodes, so "
            f"the outcome at other values is unknown: {_FIX}"
        )


def flipped_guard(text: str, outcome: Any) -> FrozenBranchError:
    """Return the error for a comparison whose outcome has changed since it was recorded."""
    scalar = isinstance(outcome, bool)
    was = f"was {outcome} when it was recorded and no longer is" if scalar else "now has another outcome"
    return FrozenBranchError(f"{text} {was}: {_FIX}")


class Metadata:
    """The metadata of one node."""

    __slots__ = ("guards", "line", "name", "recorded", "scope", "token")

    def __init__(self) -> None:
        self.name = ""
        self.scope: tuple[str, ...] = ()
        self.line = ""
        self.token = object()  # represents the node in other nodes' keys; an id() can be reused after a node is deleted
        self.recorded: int | None = None  # the edit clock when the node was recorded, if `forward` has recomputed it
        self.guards: dict[Any, tuple[Guard, int]] = {}

    def __copy__(self) -> Metadata:
        """Return the metadata of a copy of the node, without comparisons, because the copy took part in none."""
        copy = Metadata()
        copy.name, copy.scope, copy.line = self.name, self.scope, self.line
        return copy

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return the content for a pickle or a deep copy. Meanwhile, another thread may store a comparison."""
        content = {name: getattr(self, name) for name in self.__slots__}
        return None, {**content, "guards": dict(self.guards)}

    def remember(self, key: Any, guard: Guard, side: int) -> None:
        """Store a comparison in which this node is the operand with index `side`."""
        self.guards[key] = (guard, side)
        if len(self.guards) > (LIMIT if isinstance(guard.outcome, bool) else ARRAY_LIMIT):
            del self.guards[next(iter(self.guards))]

    def update(self, number: Any, edited: int | None = None) -> None:
        """Store the new value of the node in its comparisons. `edited` is the edit clock if the node is a leaf."""
        for guard, side in list(self.guards.values()):
            guard.numbers[side] = number
            guard.expired = guard.expired or edited
