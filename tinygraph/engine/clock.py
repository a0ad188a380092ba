"""The edit clock, and the lock for backward passes and edits.

Each edit of a leaf, and each comparison, advances the clock. A node stores the time that the clock showed *before* the
node's operands were read, and an edit stamps its leaf *after* it has written the new value. So if an edit happens while
another thread records, the new node is older than the leaf, and the graph is known to be stale. This order does not
rely on the global interpreter lock.
"""

from __future__ import annotations

import os
from _thread import RLock

from tinygraph.engine.acceleration import accelerated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def at_fork(run: Callable[[], object]) -> None:
    """Call a function in each child process right after a fork, on systems that can fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=run)


def fork_safe_lock() -> RLock:
    """Return a lock that one thread can acquire several times, and that is free in a new child process.

    A thread that runs in the parent process does not exist in the child, so it could never release the lock there. The
    thread that forks keeps the lock if it has acquired it.
    """
    made = RLock()
    at_fork(lambda: made._is_owned() or made._at_fork_reinit())  # type: ignore[attr-defined]
    return made


@accelerated
class State:
    """What recording reads for each node."""

    __slots__ = ("changed", "constant_edits", "edits", "watch")


class Clock(State):
    """The edit clock."""

    edits: int  # advances whenever the value of a leaf is written, and at each comparison
    changed: int  # the time of the last change of a value; a comparison changes no value, so a node can be younger
    constant_edits: int  # the time of the last edit of a constant (no backward pass reaches constants)
    watch: Callable[[Any], None] | None  # called with each new node while a context is active

    def __init__(self) -> None:
        self.edits = self.changed = self.constant_edits = 0
        self.watch = None
        self.lock = fork_safe_lock()  # for whatever must not overlap: a pass, an edit, and a graph's recomputation
        self.owned: Callable[[], bool] = self.lock._is_owned  # type: ignore[attr-defined]  # by the calling thread
        self.guard_lock = fork_safe_lock()  # for the metadata of nodes, which a pass does not use
        self._tick_lock = fork_safe_lock()

    def tick(self) -> int:
        """Advance the clock because a value changes, and return the new time."""
        with self._tick_lock:
            self.changed = self.edits + 1  # first: whoever sees the new time also sees this
            self.edits = self.changed
            return self.edits

    def tick_of_comparison(self) -> int:
        """Advance the clock for a comparison, and return the new time."""
        with self._tick_lock:
            self.edits += 1
            return self.edits

    def catch_up(self, version: int) -> None:
        """Advance the clock to the version of a node from another process, whose clock is ahead."""
        with self._tick_lock:
            self.changed = max(self.changed, version)
            self.edits = max(self.edits, version)


clock = Clock()
