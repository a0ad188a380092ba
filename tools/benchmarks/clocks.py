"""How a run is timed, and medians of several that take turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]
Runs = dict[str, Run]


def timed(run: Run) -> float:
    """Seconds of one call, garbage collected before."""
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def steady(run: Run) -> float:
    """Seconds a step over three steps and the closing collection."""
    gc.collect()
    start = time.perf_counter()
    for _ in range(3):
        run()
    gc.collect()
    return (time.perf_counter() - start) / 3


def without_collector(run: Run) -> float:
    """Seconds of one call with the cyclic collector off."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    finally:
        gc.enable()


def medians(runs: Runs, clock: Callable[[Run], float], rounds: int) -> dict[str, float]:
    """The median of each, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(clock(run))
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def timed_without_collecting(run: Run, steps: int = 1) -> float:
    """Seconds of a step, of so many in a row: arrays are freed when they are dropped, so nothing is to be collected."""
    start = time.perf_counter()
    for _ in range(steps):
        run()
    return (time.perf_counter() - start) / steps
