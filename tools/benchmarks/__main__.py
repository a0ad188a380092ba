"""Print ratios to other engines: `OPENBLAS_NUM_THREADS=1 python -m tools.benchmarks` (group `bench`).

Each part runs in a separate process, first with the accelerator and then in pure Python. The engines of a part take
turns, and the figures are minima of CPU time over several rounds, because another process can only add time. Garbage is
collected before each timed call, outside the measured time. The command does not assert anything, and a ratio under 1.5
is undecided on a busy machine.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import tinygraph
from tools.benchmarks import floor, large
from tools.benchmarks.clocks import Run, Runs, minima, steady, timed, timed_without_collecting, without_collector
from tools.benchmarks.report import MODE, Report, write
from tools.benchmarks.workloads import OURS, Engine, chain, data, logistic_regression, mlp_step

PARTS = ("micrograd", "torch", "arrays", "recorded", "large")
BOTH = ("micrograd", "arrays")  # the parts whose figures depend most on the accelerator, which also run in pure Python
BOUNDS = {  # ÷ micrograd
    "accelerated": {"W2 single": 0.02, "W2 steady": 0.012, "W2 collector off": 0.07, "W1 single": 0.04,
                    "W1 collector off": 0.16, "chain": 0.02, "bytes per node": 0.125},
    "pure": {"W2 single": 1 / 6, "W1 single": 1 / 6},
}[MODE]  # fmt: skip
# The large bounds are for training, where the features of an example are neighbors in memory.
ARRAY_BOUNDS = {
    ("W4 (20, 1000)", "tinygraph"): 1.4, ("W4 (784, 10000)", "in training"): 0.9,
    ("W4 (12288, 209)", "in training"): 0.6, ("W7 size 1", "tinygraph"): 2.0, ("W7 size 100", "tinygraph"): 2.0,
}  # fmt: skip


def engines(peer: str) -> dict[str, Engine]:
    """Return the engines to compare: tinygraph, the peer, and the C floor if a compiler is installed."""
    found = {"tinygraph": OURS}
    if peer == "micrograd":
        from tools.benchmarks import micrograd_rows

        found["micrograd"] = micrograd_rows.engine()
        if floor.compiler() is not None:
            found["C floor"] = floor.engine()
    if peer == "torch":
        from tools.benchmarks import torch_rows

        found["torch"] = torch_rows.engine()
    return found


def bytes_per_node(engine: Engine, n: int = 20_000) -> float:
    """Return the memory of a recorded chain, per op, as far as Python's allocators count it."""
    gc.collect()
    tracemalloc.start()
    root = chain(engine, n)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del root
    return used / n


def main() -> None:
    """Measure each part in a separate process, because a loaded torch makes every garbage collection slower."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each measurement (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="two rounds, small sizes: shows that everything runs")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures as JSON")
    parser.add_argument("--growth", metavar="FILE", type=Path, help="JSON of tools.benchmarks.operations to include")
    parser.add_argument("--peer", choices=PARTS, nargs="*", default=PARTS, help="these parts only (default: all)")
    parser.add_argument("--mode", choices=("both", "accelerated", "pure"), default="both", help="(default: both)")
    parser.add_argument("--here", metavar="PART", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.here is not None:
        report = Report()
        measure(report, options.here, 2 if options.quick else options.rounds, options.quick)
        options.json.write_text(json.dumps(report.rows), encoding="utf-8")
        return
    modes = ("accelerated", "pure") if options.mode == "both" else (options.mode,)
    tasks = [
        (part, mode) for part in options.peer for mode in modes if mode == modes[0] or part in BOTH
    ]  # fmt: skip
    rows = [row for i, task in enumerate(tasks) for row in in_child(*task, f"{i + 1} of {len(tasks)}", options)]
    if options.json:
        growth = json.loads(options.growth.read_text(encoding="utf-8"))["rows"] if options.growth else []
        write(options.json, rows, growth)


def in_child(part: str, mode: str, number: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of a part, measured in a new process."""
    print(f"part {number}: {part}, {mode}", file=sys.stderr, flush=True)
    environment = os.environ | {"TINYGRAPH_PURE": "1" if mode == "pure" else "0"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.json")
        command = [sys.executable, "-m", "tools.benchmarks", "--here", part, "--json", str(path)]
        command += ["--rounds", str(options.rounds), *["--quick"] * options.quick]
        subprocess.run(command, check=True, env=environment)
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def measure(report: Report, part: str, rounds: int, quick: bool) -> None:
    """Measure one part in this process."""
    sys.setrecursionlimit(10_000_000)  # micrograd traverses its graph by recursion
    if part == "arrays":
        measure_arrays(report, rounds, quick)
    elif part == "recorded":
        measure_recorded(report, rounds, quick)
    elif part == "large":
        large.measure(report.add, rounds, quick)
    else:
        measure_values(report, part, rounds, quick)


def measure_values(report: Report, peer: str, rounds: int, quick: bool) -> None:
    """Measure graphs of Values: W1, W2 and a chain, as ratios to one engine."""
    known = engines(peer)
    X, Y = data(50 if quick else 1000)
    known["with dot nodes"] = known["tinygraph"]._replace(dot=tinygraph.dot, total=tinygraph.total)
    w2: Runs = {name: (lambda engine=engine: logistic_regression(engine, X, Y)) for name, engine in known.items()}
    w1: Runs = {name: (lambda engine=engine: mlp_step(engine)) for name, engine in known.items() if "dot" not in name}

    def compare(workload: str, runs: Runs, clock: Callable[[Run], float], times: int = rounds) -> None:
        found = minima(runs, clock, times)
        for name, seconds in found.items():
            bound = BOUNDS.get(workload) if name == "tinygraph" and peer == "micrograd" else None
            report.add(workload, name, seconds / found[peer], f"÷ {peer}", bound, seconds)

    compare("W2 single", w2, timed)
    if peer == "torch":
        return
    compare("W2 steady", w2, steady)
    compare("W2 collector off", w2, without_collector)
    compare("W1 single", w1, timed)
    compare("W1 collector off", w1, without_collector)
    n = 10_000 if quick else 1_000_000
    chains: Runs = {name: (lambda engine=known[name]: chain(engine, n).backward()) for name in w1}
    compare("chain", chains, timed, 1 if quick else 3)
    memory = {name: bytes_per_node(known[name]) for name in w1 if name != "C floor"}
    for name, used in memory.items():
        bound = BOUNDS.get("bytes per node") if name == "tinygraph" else None
        report.add("bytes per node", name, used / memory[peer], f"÷ {peer}", bound)
    for name, program in (("tinygraph", "import tinygraph; tinygraph.Value(1.0)"), (peer, "import micrograd.engine")):
        report.add("import, over bare Python", name, 1e3 * large.importing(program, rounds), "ms")


def measure_arrays(report: Report, rounds: int, quick: bool) -> None:
    """Measure W4 and W7 as ratios to NumPy written by hand, with all engines in this process."""
    import numpy as np

    from tools.benchmarks.array_workloads import CHAIN, LOGISTIC

    def compare(workload: str, runs: Runs, times: int, steps: int = 1) -> None:
        truth = runs["by hand"]()
        for name, run in runs.items():
            for ours, theirs in zip(run(), truth, strict=True):
                np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-6, atol=1e-12, err_msg=name)
            run()  # the second call warms up
        found = minima(runs, lambda run: timed_without_collecting(run, steps), times)
        for name, seconds in found.items():
            bound = ARRAY_BOUNDS.get((workload, name)) if MODE == "accelerated" else None
            report.add(workload, name, seconds / found["by hand"], "÷ NumPy by hand", bound, seconds)

    draw = np.random.default_rng(0)
    for n, m in ((20, 1000),) if quick else ((20, 1000), (784, 10_000), (12_288, 209)):
        X, w, b = draw.normal(size=(n, m)), draw.normal(size=(n, 1)) * 0.01, np.zeros((1, 1))
        Y = (draw.random((1, m)) < 0.5).astype(np.float64)
        runs = {name: make(X, Y, w, b) for name, make in LOGISTIC.items() if installed(name)}
        # (20, 1000) takes 0.1 ms: a single call would find the previous engine's data in the caches.
        compare(f"W4 ({n}, {m})", runs, rounds * 4, steps=20 if n == 20 else 1)
    for size in (1, 100):
        x = draw.normal(size=size)
        compare(f"W7 size {size}", {name: make(x) for name, make in CHAIN.items() if installed(name)}, rounds * 2)


def measure_recorded(report: Report, rounds: int, quick: bool) -> None:
    """Measure W3: recording and compiling once, and each call, as ratios to NumPy written by hand and to CasADi."""
    import numpy as np

    from tools.benchmarks.recorded_workloads import LOGISTIC, MLP

    draw = np.random.default_rng(0)

    def compare(workload: str, makers: dict[str, Callable[[], Any]], size: int) -> None:
        calls, made = {}, {}
        for name, make in makers.items():
            gc.collect()
            start = time.process_time()
            calls[name] = make()
            made[name] = time.process_time() - start
        p = 0.1 * draw.normal(size=size)
        truth = np.hstack([np.ravel(part) for part in _flat(calls["by hand"](p))])
        for call in calls.values():
            np.testing.assert_allclose(np.hstack([np.ravel(x) for x in _flat(call(p))]), truth, rtol=1e-8, atol=1e-12)
        runs: Runs = {name: lambda call=call: call(p) for name, call in calls.items() if name != "micrograd"}
        found = minima(runs, timed_without_collecting, rounds * 20)
        if "micrograd" in calls:
            found |= minima({"micrograd": lambda: calls["micrograd"](p)}, timed, 3)
        for name, seconds in found.items():
            report.add(workload, name, seconds / found["by hand"], "÷ NumPy by hand", None, seconds)
            if "casadi" in found:
                report.add(f"{workload}, a call", name, seconds / found["casadi"], "÷ CasADi", None, seconds)
                report.add(f"{workload}, to compile", name, made[name] / made["casadi"], "÷ CasADi", None, made[name])

    for m in (50,) if quick else (1000, 10_000):
        makers = {name: partial(make, m) for name, make in LOGISTIC.items() if installed(name)}
        compare(f"W3 of W2, m = {m:,}", makers, 21)
    compare("W3 of W1", {name: make for name, make in MLP.items() if installed(name)}, 337)


def _flat(parts: Any) -> list[Any]:
    return [x for part in parts for x in _flat(part)] if isinstance(parts, (tuple, list)) else [parts]


def installed(engine: str) -> bool:
    """Return whether this engine can be imported."""
    return " " in engine or importlib.util.find_spec(engine) is not None


if __name__ == "__main__":
    main()
