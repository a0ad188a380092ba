"""The edit clock, and the lock for backward passes and edits.

Each edit of a leaf, and each comparison, advances the clock. A node stores the time that the clock showed *before* the
node's operands were read, and an edit stamps its leaf *after* it has written the new value. So if an edit happens while
another thread records, the new node is older than the leaf, and the graph is known to be stale. This order does not
rely on the global interpreter lock.
"""

from __future__ import annotations

import os
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

edits = 0  # the edit clock, which advances whenever the value of a leaf is written, and at each comparison
changed = 0  # the edit clock at the last change of a value; a comparison changes no value, so a node can be younger
constant_edits = 0  # the edit clock at the last edit of a constant (no backward pass reaches constants)


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


lock = fork_safe_lock()  # for whatever must not overlap: a pass, an edit, and the recomputation of a graph
owned: Callable[[], bool] = lock._is_owned  # type: ignore[attr-defined]  # whether the calling thread has the lock
guard_lock = fork_safe_lock()  # for the metadata of nodes, which a pass does not use
_tick_lock = fork_safe_lock()


def tick() -> int:
    """Advance the edit clock because a value changes, and return the new time."""
    global changed, edits
    with _tick_lock:
        changed = edits + 1  # first: whoever sees the new time also sees this
        edits = changed
        return edits


def tick_of_comparison() -> int:
    """Advance the edit clock for a comparison, and return the new time."""
    global edits
    with _tick_lock:
        edits += 1
        return edits


def catch_up(version: int) -> None:
    """Advance the edit clock to the version of a node from another process, whose edit clock is ahead."""
    global changed, edits
    with _tick_lock:
        changed = max(changed, version)
        edits = max(edits, version)
