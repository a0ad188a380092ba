"""Train on a table larger than memory: `OPENBLAS_NUM_THREADS=1 python -m tools.benchmarks.cluster` (extra `dask`).

The table has 20 features and is in chunks. The command trains with one and with two worker processes of this machine,
each with 400 MiB. The table is generated again at each iteration, read from files, or kept in the workers' memory where
it fits. The command prints the seconds per iteration, the rows per second, the largest memory of a worker, and the
overhead per chunk.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import dask.array as da
import numpy as np

from tinygraph.logistic import LogisticRegression

N = 20
LIMIT = "400MiB"
TRUTH = np.linspace(-1.0, 1.0, N)


def made(rows: int, chunk: int) -> Any:
    """Return a table that is generated again whenever it is read."""
    return da.random.default_rng(0).normal(size=(rows, N), chunks=(chunk, N))


def stored(rows: int, chunk: int, folder: Path) -> Any:
    """Return a table in files, one per chunk."""
    paths = []
    for i, start in enumerate(range(0, rows, chunk)):
        path = folder / f"{i}.npy"
        if not path.exists():
            np.save(path, np.random.default_rng(i).normal(size=(min(chunk, rows - start), N)))
        paths.append(path)
    blocks = [da.from_delayed(_load(path), (min(chunk, rows - i * chunk), N), float) for i, path in enumerate(paths)]
    return da.concatenate(blocks)


def _load(path: Path) -> Any:
    import dask

    return dask.delayed(np.load)(path)


def seconds_per_iteration(X: Any, iterations: int = 4) -> float:
    """Return the median time of the iterations, without the first one."""
    times: list[float] = []
    y = (X @ TRUTH > 0.0).astype(int)
    model = LogisticRegression(backend="tensor", learning_rate=1.0, iterations=iterations, tol=None)
    model.fit(X, y, on_iteration=lambda *_: times.append(perf_counter()))
    return median(b - a for a, b in pairwise(times))


def peak() -> float:
    """Return the peak memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def on_workers(n: int, run: Callable[[], float]) -> tuple[float, float]:
    """Return the time of a run on this many workers, and the largest peak memory of a worker."""
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=n, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        taken = run()
        return taken, max(client.run(peak).values())


def main() -> None:
    """Measure each variant, and print the results."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.cluster", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--rows", type=int, default=13_200_000, help="rows of the large table (default: %(default)s, 2.1 GB)"
    )
    options = parser.parse_args()
    rows = options.rows
    print("| table | workers | time per iteration | rows per second per worker | peak memory of a worker |")
    print("|---|---:|---:|---:|---:|")

    def say(what: str, n: int, m: int, found: tuple[float, float]) -> None:
        taken, memory = found
        print(f"| {what} | {n} | {taken:.2f} s | {m / taken / n / 1e6:.2f} million | {memory:.0f} MiB |", flush=True)

    for n in (1, 2):
        say(
            f"{rows * N * 8 / 1e9:.1f} GB, generated in each iteration",
            n,
            rows,
            on_workers(n, lambda: seconds_per_iteration(made(rows, 100_000))),
        )
    with tempfile.TemporaryDirectory() as folder:
        files = stored(rows, 100_000, Path(folder))
        for n in (1, 2):
            say(
                f"{rows * N * 8 / 1e9:.1f} GB, read from files",
                n,
                rows,
                on_workers(n, lambda: seconds_per_iteration(files)),
            )
    small = 400_000
    for n in (1, 2):
        say(
            "0.06 GB, kept in memory",
            n,
            small,
            on_workers(n, lambda: seconds_per_iteration(made(small, 100_000).persist(), 12)),
        )
    taken, _ = on_workers(2, lambda: seconds_per_iteration(made(2_000, 1).persist(), 4))
    print(f"\na chunk of one row: {taken / 2_000 * 1e3:.2f} ms, which is what a chunk costs besides its rows")


if __name__ == "__main__":
    main()
