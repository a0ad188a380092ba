"""The garbage collector, paused."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector, which would only waste time on new nodes and texts, because they contain no cycles.

    Yields:
        None. Afterwards, the collector runs again if it was enabled before.
    """
    collecting = gc.isenabled()
    try:
        gc.disable()  # inside `try`, because Ctrl-C can interrupt right after this call
        yield
    finally:
        if collecting:
            gc.enable()
