"""Measure how the cost of each operation grows: `python -m tools.benchmarks.operations` (group `bench`).

Each operation runs on a chain and on a sum of products, with 10³ to 10⁶ nodes. The times are microseconds of CPU time
per node. The factor divides the time per node of the largest graph by that of the smallest one. It stays near 1 if the
cost is linear, and near 2 for n log n. At the end, the command names the operations whose factor is above 2, and those
that are not measured on the largest graph. `--json FILE` writes the same numbers as JSON.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinygraph
from tinygraph import Stepper, Value
from tinygraph.engine.graph import order
from tools.benchmarks.workloads import OURS, chain

Operation = Callable[[Value, Value, Path], Any]  # of the root, a leaf and a file
SIZES = (1_000, 10_000, 100_000, 1_000_000)
OPERATIONS: dict[str, tuple[int, Operation]] = {  # the largest size, and the operation
    "order": (1_000_000, lambda J, x, path: order(J)),
    "backward": (1_000_000, lambda J, x, path: J.backward()),
    "backward, accumulate": (1_000_000, lambda J, x, path: J.backward(accumulate=True)),
    "forward": (1_000_000, lambda J, x, path: J.forward()),
    "grad": (1_000_000, lambda J, x, path: tinygraph.grad(J, x)),
    "grad, create_graph": (100_000, lambda J, x, path: tinygraph.grad(J, x, create_graph=True)),
    "jvp": (1_000_000, lambda J, x, path: tinygraph.jvp(J, {x: 1.0})),
    "copy.deepcopy": (1_000_000, lambda J, x, path: copy.deepcopy(J)),
    "pickle": (1_000_000, lambda J, x, path: pickle.loads(pickle.dumps(J))),
    "save": (1_000_000, lambda J, x, path: tinygraph.save(J, path)),
    "save and load": (1_000_000, lambda J, x, path: tinygraph.load(tinygraph.save(J, path) or path)),
    "Stepper, to the end": (1_000_000, lambda J, x, path: Stepper(J).end()),
    "Stepper, 100 steps back": (1_000_000, lambda J, x, path: (stepper := Stepper(J)).end() and stepper.back(100)),
    "Stepper, every step": (100_000, lambda J, x, path: sum(1 for _ in Stepper(J))),
    "explain": (1_000_000, lambda J, x, path: str(tinygraph.explain(J, x))),
    "tree": (100_000, lambda J, x, path: tinygraph.tree(J)),
    "tree, 100 lines": (1_000_000, lambda J, x, path: tinygraph.tree(J, lines=100)),
    "diagnose": (100_000, lambda J, x, path: str(tinygraph.diagnose(J))),
    "draw, folded": (100_000, lambda J, x, path: tinygraph.draw(J, detail="folded").source),
    "draw, full": (10_000, lambda J, x, path: tinygraph.draw(J, detail="full").source),
    "draw around a node": (1_000_000, lambda J, x, path: tinygraph.draw(J, around=x).source),
    "compare": (100_000, lambda J, x, path: tinygraph.compare(J, J)),
    "vectorize": (100_000, lambda J, x, path: tinygraph.vectorize(J)),
    "compile": (100_000, lambda J, x, path: tinygraph.compile(J, [x])),
    "source": (10_000, lambda J, x, path: tinygraph.source(J)),
    "report of vectorize": (100_000, lambda J, x, path: tinygraph.vectorize(J).report()),
    "draw, scopes": (100_000, lambda J, x, path: tinygraph.draw(J, detail="scopes").source),
    "draw, plain": (10_000, lambda J, x, path: tinygraph.draw(J, detail="plain").source),
    "hessian": (1_000, lambda J, x, path: tinygraph.hessian(J, [x])),
    "worksheet": (1_000, lambda J, x, path: tinygraph.worksheet(J)),
}
# Names of `tinygraph` that do work for each node of a graph, with the operation that measures them.
MEASURED = {
    "Step": "Stepper, every step", "Stepper": "Stepper, to the end", "Value": "backward", "compare": "compare",
    "compile": "compile", "diagnose": "diagnose", "draw": "draw, full", "explain": "explain", "grad": "grad",
    "hessian": "hessian", "jvp": "jvp", "load": "save and load", "save": "save", "source": "source", "tree": "tree",
    "value_and_grad": "grad", "vectorize": "vectorize", "worksheet": "worksheet",
}  # fmt: skip


def wide(n: int) -> Value:
    """Return a sum of about n / 2 products with one leaf."""
    x = OURS.value(1.0)
    terms: Any = 0.0
    for k in range(n // 2):
        terms = terms + x * float(k)
    return terms


GRAPHS: dict[str, Callable[[int], Any]] = {"chain": lambda n: chain(OURS, n), "sum": wide}


def seconds(operation: Operation, J: Value, path: Path) -> float:
    """Return the shortest CPU time of three runs, or of one run that takes longer than a second."""
    leaf = order(J)[-1]
    found: list[float] = []
    while len(found) < 3 and (not found or found[-1] < 1.0):
        gc.collect()
        start = time.process_time()
        operation(J, leaf, path)
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    """Measure each operation on each graph, and print one line each."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.operations", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the times per node as JSON")
    parser.add_argument("--most", metavar="N", type=int, default=SIZES[-1], help="largest graph (default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only operations whose name contains this text")
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.most]
    rows: list[dict[str, Any]] = []
    print(f"| operation | graph | {' | '.join(f'{size:,}' for size in sizes)} | factor |")
    print(f"|---|---|{'---:|' * (len(sizes) + 1)}")
    with tempfile.TemporaryDirectory() as folder:
        for graph, make in GRAPHS.items():
            roots = {size: make(size) for size in sizes}
            for name, (largest, operation) in OPERATIONS.items():
                if options.only not in name:
                    continue
                times = {
                    size: seconds(operation, J, Path(folder, "J.json")) / size * 1e6
                    for size, J in roots.items()
                    if size <= largest
                }
                factor = list(times.values())[-1] / times[sizes[0]]
                rows.append({"operation": name, "graph": graph, "microseconds per node": times, "factor": factor})
                cells = [f"{times[size]:.2f}" if size in times else "" for size in sizes]
                print(f"| {name} | {graph} | {' | '.join(cells)} | {factor:.1f} |", flush=True)
    names = dict.fromkeys(row["operation"] for row in rows)
    faster = [name for name in names if any(row["factor"] > 2 for row in rows if row["operation"] == name)]
    limited = [f"{name} (up to {OPERATIONS[name][0]:,})" for name in names if OPERATIONS[name][0] < sizes[-1]]
    print(f"\nTime per node grows by more than a factor of 2: {', '.join(faster) or 'none'}.")
    print(f"Not measured on the largest graph: {', '.join(limited) or 'none'}.")
    if options.json:
        options.json.write_text(json.dumps({"python": sys.version, "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
