"""Print ratios to other engines: `OPENBLAS_NUM_THREADS=1 python -m tools.benchmarks` (group `bench`).

Engines take turns, and the figures are medians of several rounds. Garbage is collected before each timed call, outside
the measured time. Machines are noisy, so the command does not assert anything, and a ratio under 1.5 is undecided.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import tinygraph
from tools.benchmarks.clocks import Run, Runs, medians, steady, timed, timed_without_collecting, without_collector
from tools.benchmarks.workloads import OURS, Engine, chain, data, logistic_regression, mlp_step

PEERS = ("micrograd", "torch")


def engines(names: list[str]) -> dict[str, Engine]:
    """Return the engines that are installed, tinygraph first."""
    found = {"tinygraph": OURS}
    if "micrograd" in names:
        from tools.benchmarks import micrograd_rows

        found["micrograd"] = micrograd_rows.engine()
    if "torch" in names:
        from tools.benchmarks import torch_rows

        found["torch"] = torch_rows.engine()
    return found


def importing(program: str) -> Run:
    """Return a function that runs the program in a new interpreter."""
    return lambda: subprocess.run([sys.executable, "-I", "-c", program], check=True)


def bytes_per_node(engine: Engine, n: int = 20_000) -> float:
    """Return the memory of a recorded chain, per op."""
    gc.collect()
    tracemalloc.start()
    root = chain(engine, n)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del root
    return used / n


def main() -> None:
    """Measure each peer in a separate process, because a loaded torch makes every garbage collection slower."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each measurement (default: %(default)s)")
    parser.add_argument("--peer", choices=(*PEERS, "arrays", "recorded"), help="only this one, in this process")
    options = parser.parse_args()
    if options.peer == "arrays":
        measure_arrays(options.rounds)
        return
    if options.peer == "recorded":
        measure_recorded(options.rounds)
        return
    if options.peer is not None:
        measure(options.peer, options.rounds)
        return
    for peer in (*PEERS, "arrays", "recorded"):
        command = [sys.executable, "-m", "tools.benchmarks", "--peer", peer, "--rounds", str(options.rounds)]
        subprocess.run(command, check=True)


def measure(peer: str, rounds: int) -> None:
    """Print the table of ratios to one engine."""
    known = engines([peer])
    sys.setrecursionlimit(10_000_000)  # micrograd traverses its graph by recursion
    X, Y = data(1000)
    known["dot nodes"] = known["tinygraph"]._replace(dot=tinygraph.dot, total=tinygraph.total)
    w2 = {name: (lambda engine=engine: logistic_regression(engine, X, Y)) for name, engine in known.items()}
    w1 = {name: (lambda engine=engine: mlp_step(engine)) for name, engine in known.items() if name != "dot nodes"}

    def report(
        workload: str, runs: Runs, clock: Callable[[Run], float], goals: dict[str, str], n: int = rounds
    ) -> None:
        found = medians(runs, clock, n)
        for name, goal in goals.items():
            what = workload + (" with dot nodes" if name == "dot nodes" else "")
            ratio = found[name] / found[peer]
            print(
                f"{what:<36} {found[name] * 1e3:10.1f} ms {found[peer] * 1e3:10.1f} ms {ratio:8.3f}   {goal}",
                flush=True,
            )

    print(f"{'workload':<36} {'ours':>13} {peer:>13} {'ratio':>8}   goal")
    report("W2 single", w2, timed, {"tinygraph": "≤ 0.10", "dot nodes": "≤ 0.025"})
    if peer == "torch":
        return
    report("W2 steady", w2, steady, {"tinygraph": "≤ 0.08", "dot nodes": ""})
    report("W2 collector off", w2, without_collector, {"tinygraph": "≤ 0.33", "dot nodes": ""})
    report("W1 single", w1, timed, {"tinygraph": ""})
    report("W1 collector off", w1, without_collector, {"tinygraph": "≤ 0.5"})
    w5 = {name: (lambda engine=known[name]: chain(engine, 1_000_000).backward()) for name in ("tinygraph", peer)}
    report("W5 chain of 1,000,000", w5, timed, {"tinygraph": "≤ 0.06"}, n=3)
    ours, theirs = bytes_per_node(known["tinygraph"]), bytes_per_node(known[peer])
    print(f"{'bytes per node':<36} {ours:10.0f} B  {theirs:10.0f} B  {ours / theirs:8.3f}   ≤ 0.2")
    programs = {"tinygraph": "import tinygraph; tinygraph.Value(1.0)", peer: "import micrograd.engine"}
    seconds = medians({name: importing(program) for name, program in {"bare": "pass", **programs}.items()}, timed, 15)
    ours, theirs = (1e3 * (seconds[name] - seconds["bare"]) for name in programs)
    print(f"{'W6 import over bare Python':<36} {ours:10.1f} ms {theirs:10.1f} ms {'':>8}   ≤ 20 ms")


def measure_arrays(rounds: int) -> None:
    """Print W4 and W7 as ratios to NumPy written by hand, with all engines in this process."""
    import numpy as np

    from tools.benchmarks.array_workloads import CHAIN, LOGISTIC

    def compare(workload: str, runs: Runs, n: int, goals: dict[str, str], steps: int = 1) -> None:
        truth = runs["by hand"]()
        for name, run in runs.items():
            for ours, theirs in zip(run(), truth, strict=True):
                np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-6, atol=1e-12, err_msg=name)
            run()  # the second call warms up
        found = medians(runs, lambda run: timed_without_collecting(run, steps), n)
        for name, seconds in found.items():
            ratios = " ".join(f"{seconds / found[peer]:8.2f}" for peer in runs if peer.startswith("by hand"))
            print(f"{workload:<24} {name:<18} {seconds * 1e3:10.3f} ms {ratios}   {goals.get(name, '')}", flush=True)

    print(f"{'workload':<24} {'engine':<18} {'':>13} ÷ by hand (÷ accurate)   goal")
    draw = np.random.default_rng(0)
    for n, m in ((20, 1000), (784, 10_000), (12_288, 209)):
        X, w, b = draw.normal(size=(n, m)), draw.normal(size=(n, 1)) * 0.01, np.zeros((1, 1))
        Y = (draw.random((1, m)) < 0.5).astype(np.float64)
        runs = {name: make(X, Y, w, b) for name, make in LOGISTIC.items() if installed(name)}
        if n == 20:  # 0.1 ms: a single call would find the previous engine's data in the caches
            compare(f"W4 ({n}, {m}), alone", runs, rounds * 40, {"tinygraph": ""})
            compare(f"W4 ({n}, {m})", runs, rounds * 4, {"tinygraph": "≤ 2, ≤ 1.5"}, steps=20)
        else:
            compare(f"W4 ({n}, {m})", runs, rounds * 5, {"tinygraph": "≤ 1.05"})
    for size in (1, 100):
        x = draw.normal(size=size)
        runs = {name: make(x) for name, make in CHAIN.items() if installed(name)}
        compare(f"W7 size {size}", runs, rounds * 2, {"tinygraph": "≤ 3"})


def measure_recorded(rounds: int) -> None:
    """Print W3: recording and compiling once, and each call, as ratios to NumPy written by hand and to CasADi."""
    import numpy as np

    from tools.benchmarks.recorded_workloads import LOGISTIC, MLP

    sys.setrecursionlimit(10_000_000)  # micrograd uses recursion
    draw = np.random.default_rng(0)

    def compare(workload: str, makers: dict[str, Callable[[], Any]], size: int, goals: dict[str, str]) -> None:
        calls, made = {}, {}
        for name, make in makers.items():
            gc.collect()
            start = time.perf_counter()
            calls[name] = make()
            made[name] = time.perf_counter() - start
        p = 0.1 * draw.normal(size=size)
        truth = np.hstack([np.ravel(part) for part in _flat(calls["by hand"](p))])
        for call in calls.values():
            np.testing.assert_allclose(np.hstack([np.ravel(x) for x in _flat(call(p))]), truth, rtol=1e-8, atol=1e-12)
        runs: Runs = {name: lambda call=call: call(p) for name, call in calls.items() if name != "micrograd"}
        found = medians(runs, timed_without_collecting, rounds * 20)
        if "micrograd" in calls:
            found |= medians({"micrograd": lambda: calls["micrograd"](p)}, timed, 3)
        for name, seconds in found.items():
            ratio = seconds / found["by hand"]
            casadi = f"{seconds / found['casadi']:8.3f}" if "casadi" in found else ""
            setup = f"{made[name]:8.2f} s" + (f" {made[name] / made['casadi']:6.3f}" if "casadi" in made else "")
            line = f"{workload:<16} {name:<20} {seconds * 1e6:10.0f} µs {ratio:8.2f} {casadi} {setup}"
            print(f"{line}   {goals.get(name, '')}", flush=True)

    print(f"{'workload':<16} {'engine':<20} {'a call':>11} ÷ by hand ÷ casadi  to compile ÷ casadi   goal")
    for m, goal in ((1000, "≤ 2, ≤ 0.4; ≤ 0.2"), (10_000, "≤ 0.2")):
        makers = {name: partial(make, m) for name, make in LOGISTIC.items() if installed(name)}
        compare(f"W2, m = {m:,}", makers, 21, {"tinygraph": goal, "tinygraph, w and b": goal})
    compare("W1", {name: make for name, make in MLP.items() if installed(name)}, 337, {"tinygraph": "≤ 0.5 of casadi"})


def _flat(parts: Any) -> list[Any]:
    return [x for part in parts for x in _flat(part)] if isinstance(parts, (tuple, list)) else [parts]


def installed(engine: str) -> bool:
    """Return whether this engine can be imported."""
    return " " in engine or importlib.util.find_spec(engine) is not None


if __name__ == "__main__":
    main()
