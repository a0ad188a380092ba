"""Metadata that only some nodes have: a name, a scope, a source line, and comparisons."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMIT = 1000  # maximum number of comparisons that a node stores; the oldest comparisons are dropped


class Guard:
    """A comparison and its outcome. A guard stores numbers instead of nodes, to avoid reference cycles."""

    __slots__ = ("compare", "numbers", "outcome", "text")

    def __init__(self, compare: Callable[[Any, Any], bool], text: str, *numbers: float) -> None:
        self.compare, self.text, self.numbers = compare, text, list(numbers)
        self.outcome = compare(*numbers)

    def flipped(self) -> bool:
        """Return whether the outcome has changed."""
        return self.compare(*self.numbers) != self.outcome


class FrozenBranchError(RuntimeError):
    """A comparison between nodes of a recorded graph now has the opposite outcome."""


def flipped_guard(text: str, outcome: bool) -> FrozenBranchError:
    """Return the error for a comparison whose outcome has changed since it was recorded."""
    return FrozenBranchError(
        f"{text} was {outcome} when it was recorded and no longer is: "
        "record the graph again, or compare .data if no branch depends on it"
    )


class Metadata:
    """The metadata of one node."""

    __slots__ = ("guards", "line", "name", "scope", "token")

    def __init__(self) -> None:
        self.name = ""
        self.scope: tuple[str, ...] = ()
        self.line = ""
        self.token = object()  # represents the node in other nodes' keys; an id() can be reused after a node is deleted
        self.guards: dict[Any, tuple[Guard, int]] = {}

    def __copy__(self) -> Metadata:
        """Return the metadata of a copy of the node, without comparisons, because the copy took part in none."""
        copy = Metadata()
        copy.name, copy.scope, copy.line = self.name, self.scope, self.line
        return copy

    def remember(self, key: Any, guard: Guard, side: int) -> None:
        """Store a comparison in which this node is the operand with index `side`."""
        self.guards[key] = (guard, side)
        if len(self.guards) > LIMIT:
            del self.guards[next(iter(self.guards))]

    def update(self, number: float) -> None:
        """Store the new value of the node in its comparisons."""
        for guard, side in self.guards.values():
            guard.numbers[side] = number
