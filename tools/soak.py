"""Train for many iterations and check that time and memory stay flat: `python -m tools.soak --steps 100000`.

Each iteration records a graph, runs a backward pass and updates the parameters. Every thousandth graph is also stepped
through, explained, saved and loaded. For each tenth of the run, the command prints the seconds per iteration, the
allocated blocks and the memory of the process. `tests/tools/test_soak.py` is a short run.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import tinygraph
from tinygraph import Stepper, Tensor, Value, explain, load, save, tree
from tinygraph.logistic import no_loop, two_loops


@dataclass(frozen=True)
class Stretch:
    """The measurements of a tenth of the run."""

    seconds: float  # per iteration
    blocks: int  # allocated by Python
    resident: float  # peak memory so far, in MiB


def scalar() -> Callable[[int], None]:
    """Return an iteration of the two loops, for five examples with three features."""
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(5, 3)).tolist(), [0.0, 1.0, 1.0, 0.0, 1.0]
    w, b = [Value(0.1 * j, f"w{j}") for j in range(3)], Value(0.0, "b")
    path = Path(tempfile.mkdtemp()) / "graph.json"

    def step(i: int) -> None:
        J = two_loops(w, b, X, Y)
        J.backward()
        if i % 1000 == 0:
            look_at(J, w[0], path)
        for parameter in (*w, b):
            parameter.data -= 0.01 * (parameter.grad or 0.0)

    return step


def vectorized() -> Callable[[int], None]:
    """Return an iteration with arrays."""
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(3, 50)), (draw.random((1, 50)) < 0.5) * 1.0
    w, b = Tensor(np.zeros((3, 1)), "w"), Tensor(0.0, "b")
    path = Path(tempfile.mkdtemp()) / "graph.json"

    def step(i: int) -> None:
        J = no_loop(w, b, X, Y)
        J.backward()
        if i % 1000 == 0:
            look_at(J, w, path)
        w.data -= 0.01 * w.grad
        b.data -= 0.01 * b.grad

    return step


def look_at(J: Any, w: Any, path: Path) -> None:
    """Use a graph in the ways that users occasionally do."""
    stepper = Stepper(J)
    stepper.step(3), stepper.back(1), stepper.end()
    str(explain(J, w)), str(tree(J, lines=20))
    load(save(J, path), verify=True)
    tinygraph.grad(J, w, create_graph=True)
    str(tinygraph.diagnose(J))


WORK = {"scalar": scalar, "vectorized": vectorized}


def run(step: Callable[[int], None], steps: int, stretches: int = 10) -> list[Stretch]:
    """Return the measurements of a run."""
    found = []
    for k in range(stretches):
        start = perf_counter()
        for i in range(k * steps // stretches, (k + 1) * steps // stretches):
            step(i)
        seconds = (perf_counter() - start) / (steps // stretches)
        gc.collect()
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(Stretch(seconds, sys.getallocatedblocks(), resident))
    return found


def main() -> None:
    """Run the training, and print the measurements."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000, help="default: %(default)s")
    options = parser.parse_args()
    print("| work | steps | µs per step | blocks | MiB at most |\n|---|---:|---:|---:|---:|")
    for name, make in WORK.items():
        for k, stretch in enumerate(run(make(), options.steps), 1):
            done = k * options.steps // 10
            print(
                f"| {name} | {done:,} | {stretch.seconds * 1e6:.0f} | {stretch.blocks:,} | {stretch.resident:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
