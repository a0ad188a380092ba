"""Time two versions of tinygraph against each other in one run.

    OPENBLAS_NUM_THREADS=1 python -m tools.benchmarks.versions BEFORE AFTER --rounds 15

BEFORE and AFTER are folders that contain a package `tinygraph`. Each version runs in a separate process. The two take
turns, call by call. The result is the median of the ratios AFTER ÷ BEFORE of neighboring calls, in CPU time.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = ("W1", "W1 collector off", "W2", "W2 collector off", "W2 dot nodes", "W4 (20, 1000)", "W4 (784, 10000)",
             "W5", "W7 size 1", "W7 size 100", "compiled call", "import")  # fmt: skip


def main() -> None:
    """Print one ratio per workload."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.versions", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("before", type=Path, help="folder of the version to compare with")
    parser.add_argument("after", type=Path, help="folder of the version to measure")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of calls per workload (default: %(default)s)")
    parser.add_argument("--only", choices=WORKLOADS, nargs="*", default=WORKLOADS, help="these workloads only")
    options = parser.parse_args()
    before, after = _Worker(options.before), _Worker(options.after)
    print(f"{'workload':<20} {'before':>12} {'after':>12}   after ÷ before (quartiles)")
    for name in options.only:
        pairs = []
        for k in range(options.rounds + 1):
            order = (before, after) if k % 2 else (after, before)
            seconds = {worker: worker.time(name) for worker in order}
            pairs.append((seconds[before], seconds[after]))
        ratios = [y / x for x, y in pairs[1:]]  # the first pair warms up
        low, middle, high = statistics.quantiles(ratios, n=4)
        x, y = (1e3 * statistics.median(column) for column in zip(*pairs[1:], strict=True))
        print(f"{name:<20} {x:9.3f} ms {y:9.3f} ms   {middle:.3f} ({low:.3f} to {high:.3f})", flush=True)


class _Worker:
    """A process that imports one version and times workloads on request."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(folder.resolve())}
        command = [sys.executable, __file__]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, cwd=folder)

    def time(self, name: str) -> float:
        """Return the seconds of one call."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        print(name, file=stdin, flush=True)
        return float(stdout.readline())


def serve(asked: IO[str]) -> None:
    """Time each requested workload, with the version that this process imports."""
    sys.path.append(str(ROOT))  # the workloads come from here, tinygraph from an earlier entry
    runs: dict[str, Callable[[], Any]] = {}
    for line in asked:
        name = line.strip()
        if name == "import":
            start = os.times()
            subprocess.run([sys.executable, "-c", "import tinygraph; tinygraph.Value(1.0)"], check=True)
            end = os.times()
            print(end.children_user + end.children_system - start.children_user - start.children_system, flush=True)
            continue
        run = runs.get(name) or runs.setdefault(name, workload(name))
        gc.collect()
        if name.endswith("off"):
            gc.disable()
        start_time = time.process_time()
        run()
        print(time.process_time() - start_time, flush=True)
        gc.enable()


def workload(name: str) -> Callable[[], Any]:
    """Return one call of a workload."""
    import tinygraph
    from tools.benchmarks.workloads import OURS, chain, data, logistic_cost, logistic_regression, mlp_step

    X, Y = data(1000)
    if name.startswith("W1"):
        return lambda: mlp_step(OURS)
    if name == "W2 dot nodes":
        engine = OURS._replace(dot=tinygraph.dot, total=tinygraph.total)
        return lambda: repeat(10, lambda: logistic_regression(engine, X, Y))
    if name.startswith("W2"):
        return lambda: logistic_regression(OURS, X, Y)
    if name == "W5":
        return lambda: chain(OURS, 1_000_000).backward()
    if name == "compiled call":
        import numpy as np

        J, w, b = logistic_cost(OURS, X, Y)
        f = tinygraph.compile(J, [w, b])
        numbers = np.linspace(0.0, 0.2, len(w))
        return lambda: repeat(2000, lambda: f(numbers, 0.5))
    return array_workload(name)


def array_workload(name: str) -> Callable[[], Any]:
    """Return one call of a workload on arrays."""
    import numpy as np

    from tools.benchmarks.array_workloads import CHAIN, LOGISTIC

    draw = np.random.default_rng(0)
    if name.startswith("W7"):
        size = int(name.split()[-1])
        run = CHAIN["tinygraph"](draw.normal(size=size))
        return lambda: repeat(20, run)
    n, m = (20, 1000) if "(20" in name else (784, 10_000)
    X, w, b = draw.normal(size=(n, m)), draw.normal(size=(n, 1)) * 0.01, np.zeros((1, 1))
    run = LOGISTIC["tinygraph"](X, (draw.random((1, m)) < 0.5).astype(np.float64), w, b)
    return lambda: repeat(500 if n == 20 else 5, run)


def repeat(n: int, run: Callable[[], Any]) -> None:
    """Call a function this many times."""
    for _ in range(n):
        run()


if __name__ == "__main__":
    if sys.stdin.isatty() or len(sys.argv) > 1:
        main()
    else:
        serve(sys.stdin)
