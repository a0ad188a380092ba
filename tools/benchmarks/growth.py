"""Measure how cost grows with the graph: `OPENBLAS_NUM_THREADS=1 python -m tools.benchmarks.growth` (group `bench`).

The graphs come from the lecture's two loops over m examples of 20 features, and have 10² to 10⁶ scalar nodes. The
command measures recording, vectorizing, compiling and each call, compared with CasADi and micrograd. It prints the
table of `docs/loops-that-become-vectors.md`, from which the plot on that page is drawn.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

import tinygraph
from tinygraph.engine.graph import order
from tools.benchmarks.clocks import Run, medians, timed, timed_without_collecting
from tools.benchmarks.recorded_workloads import (
    logistic_by_hand,
    logistic_with_casadi,
    logistic_with_micrograd,
)
from tools.benchmarks.workloads import OURS, data, logistic_cost

EXAMPLES = (2, 23, 233, 2_326, 23_256)  # 43 nodes each


def seconds(run: Run, times: int, clock: Callable[[Run], float] = timed) -> float:
    """Return the median time of this many calls."""
    return medians({"": run}, clock, times)[""]


def measure(m: int, peers: bool) -> dict[str, float]:
    """Return the seconds of each stage for m examples."""
    X, Y = data(m)
    p = 0.1 * np.random.default_rng(0).normal(size=21)
    times = 7 if m < 1000 else 3
    J, w, b = logistic_cost(OURS, X, Y)
    f = tinygraph.compile(J, [w, b])
    hand = logistic_by_hand(m)
    found: dict[str, float] = {
        "nodes": len(order(J)),
        "record": seconds(lambda: logistic_cost(OURS, X, Y), times),
        "roll": seconds(lambda: tinygraph.vectorize(J), times),
        "compile": seconds(lambda: tinygraph.compile(J, [w, b]), times),
        "call": seconds(lambda: f(p[:-1], float(p[-1])), 50, timed_without_collecting),
        "hand": seconds(lambda: hand(p), 50, timed_without_collecting),
    }
    if peers:
        start = time.perf_counter()
        call = logistic_with_casadi(m)
        found["casadi setup"] = time.perf_counter() - start
        found["casadi call"] = seconds(lambda: call(p), 50, timed_without_collecting)
        step = logistic_with_micrograd(m)
        found["micrograd"] = seconds(lambda: step(p), 3)
    return found


def table(rows: list[dict[str, float]]) -> str:
    """Return the measurements as a Markdown table, with one-time costs in microseconds per node."""
    lines = [
        "| scalar nodes | record | vectorize | compile (total) | call | hand-written NumPy "
        "| CasADi: record and compile | CasADi: call | micrograd: iteration |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        nodes = row["nodes"]
        once = [
            f"{_time(row[key])} ({row[key] / nodes * 1e6:.1f} µs per node)" for key in ("record", "roll", "compile")
        ]
        calls = [_time(row[key]) for key in ("call", "hand")]
        peers = [_time(row[key]) if key in row else "" for key in ("casadi setup", "casadi call", "micrograd")]
        lines.append(f"| {nodes:,.0f} | {' | '.join([*once, *calls, *peers])} |")
    return "\n".join(lines)


def _time(s: float) -> str:
    return f"{s * 1e6:.0f} µs" if s < 1e-3 else f"{s * 1e3:.3g} ms" if s < 1.0 else f"{s:.3g} s"


def main() -> None:
    """Measure each graph, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.growth", description=(__doc__ or "").splitlines()[0]
    )
    parser.parse_args()
    sys.setrecursionlimit(10_000_000)  # micrograd uses recursion
    rows = []
    for m in EXAMPLES:
        rows.append(measure(m, peers=m < 10_000))
        print(f"{rows[-1]['nodes']:,.0f} nodes measured", file=sys.stderr)
    print(table(rows))


if __name__ == "__main__":
    main()
