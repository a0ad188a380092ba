"""CPU time of runs, and medians and minima of several runs that take turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]
Runs = dict[str, Run]


def timed(run: Run) -> float:
    """Return the seconds of one call, after a garbage collection."""
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def steady(run: Run) -> float:
    """Return the seconds per iteration for three iterations and a final garbage collection."""
    gc.collect()
    start = time.process_time()
    for _ in range(3):
        run()
    gc.collect()
    return (time.process_time() - start) / 3


def without_collector(run: Run) -> float:
    """Return the seconds of one call with garbage collection off."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        run()
        return time.process_time() - start
    finally:
        gc.enable()


def medians(runs: Runs, clock: Callable[[Run], float], rounds: int) -> dict[str, float]:
    """Return the median of each run, with all runs interleaved."""
    return {name: statistics.median(times) for name, times in _interleaved(runs, clock, rounds).items()}


def minima(runs: Runs, clock: Callable[[Run], float], rounds: int) -> dict[str, float]:
    """Return the shortest time of each run, with all runs interleaved."""
    return {name: min(times) for name, times in _interleaved(runs, clock, rounds).items()}


def _interleaved(runs: Runs, clock: Callable[[Run], float], rounds: int) -> dict[str, list[float]]:
    """Return the times of each run."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(clock(run))
    return times


def timed_without_collecting(run: Run, steps: int = 1) -> float:
    """Return the seconds per iteration, without collections, because arrays are freed when they are dropped."""
    start = time.process_time()
    for _ in range(steps):
        run()
    return (time.process_time() - start) / steps
