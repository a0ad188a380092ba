"""What large graphs cost: time per node of `vectorize`, drawings, files, a Stepper and derivatives, with its bound.

The graph without structure has no two nodes that were computed in the same way. The mesh has nodes with two neighbors,
of which many look alike, so folding it is the worst case of a drawing.
"""

from __future__ import annotations

import functools
import gc
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinygraph
from tinygraph import Stepper, Value
from tinygraph.engine.graph import order
from tools.benchmarks.clocks import Run
from tools.benchmarks.workloads import OURS, chain, data, logistic_cost, mlp_loss

Add = Callable[..., None]


def irregular(n: int) -> Value:
    """Return the root of a random graph of about n nodes, without structure."""
    draw = random.Random(0)
    nodes = [Value(draw.uniform(0.5, 1.5)) for _ in range(10)]
    functions = [tinygraph.sin, tinygraph.tanh, tinygraph.exp, tinygraph.cos, lambda x: x * x.sigmoid()]
    while len(nodes) < n:
        x, y = nodes[-1] if draw.random() < 0.5 else draw.choice(nodes[-50:]), draw.choice(nodes[-50:])
        kind = draw.random()
        node = draw.choice(functions)(x) if kind < 0.3 else x * y if kind < 0.6 else x + y if kind < 0.8 else x - y
        nodes.append(node if abs(node.data) < 1e3 else tinygraph.tanh(node))
    return functools.reduce(lambda x, y: x + y, nodes[-50:])


def mesh(size: int) -> Value:
    """Return the root of a mesh of size × size products, each followed by tanh."""
    above: list[Any] = [Value(0.1 * j) for j in range(size)]
    for _ in range(size):
        row: list[Any] = []
        for x in above:
            row.append(x * (row[-1] if row else 1.01))
        above = [tinygraph.tanh(x) for x in row]
    return functools.reduce(lambda x, y: x + y, above)


def shortest(run: Run, rounds: int) -> float:
    """Return the shortest CPU time of several calls. A call of more than three seconds is not repeated."""
    found: list[float] = []
    while len(found) < rounds and (not found or found[-1] < 3.0):
        gc.collect()
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def importing(statement: str, rounds: int) -> float:
    """Return the CPU time in which a new interpreter runs a statement, without the start of the interpreter."""

    def seconds(program: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(seconds(statement) for _ in range(rounds)) - min(seconds("pass") for _ in range(rounds))


def measure(add: Add, rounds: int, quick: bool) -> None:
    """Measure every row that has a bound per node, and call `add(workload, engine, figure, unit, bound)`."""
    n = 1_000 if quick else 10_000
    graph = irregular(n)
    graph.backward()
    nodes = len(order(graph))

    def per_node(what: str, run: Run, count: int, bound: float | None) -> float:
        found = shortest(run, rounds) / count
        add(f"{what}, {count:,} nodes", "tinygraph", found * 1e6, "µs per node", bound)
        return found

    per_node("vectorize, graph without structure", lambda: tinygraph.vectorize(graph), nodes, 15.0)
    loops = logistic_cost(OURS, *data(n // 43))[0]
    per_node("vectorize, two loops", lambda: tinygraph.vectorize(loops), len(order(loops)), 4.0)
    if not quick:
        mlp = mlp_loss(OURS)[0]
        per_node("vectorize, MLP", lambda: tinygraph.vectorize(mlp), len(order(mlp)), 4.0)
    for size in (20,) if quick else (20, 60, 150):
        root = mesh(size)
        root.backward()
        per_node("folded drawing, mesh", _drawing(root, "folded"), len(order(root)), 30.0)
    for what, root in (("mesh", mesh(20)), ("two loops", logistic_cost(OURS, *data(23))[0])):
        root.backward()
        per_node(f"drawing with full detail, {what}", _drawing(root, "full"), len(order(root)), 150.0)
    small = irregular(1_000)
    small.backward()
    per_node("drawing with full detail, no structure", _drawing(small, "full"), len(order(small)), 150.0)
    for what, root in (("chain", chain(OURS, 10 * n)), ("two loops", logistic_cost(OURS, *data(10 * n // 43))[0])):
        _files(per_node, what, root)
    _passes(add, per_node, chain(OURS, 10_000 if quick else 1_000_000))
    add("import of the command", "tinygraph", importing("import tinygraph.cli.main", rounds), "s", 0.12)


def _drawing(root: Value, detail: Any) -> Run:
    return lambda: tinygraph.draw(root, detail=detail).source


def _files(per_node: Callable[..., float], what: str, root: Value) -> None:
    count = len(order(root))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "graph.json")
        per_node(f"save, {what}", lambda: tinygraph.save(root, path), count, None)
        per_node(f"load, {what}", lambda: tinygraph.load(path), count, None)


def _passes(add: Add, per_node: Callable[..., float], root: Value) -> None:
    """Compare a Stepper and `grad` with `backward` on a chain."""
    nodes = order(root)
    backward = per_node("backward, chain", root.backward, len(nodes), None)
    for what, run, bound in (
        ("Stepper, made and at its end", lambda: Stepper(root).end(), 6.0),
        ("grad of one leaf", lambda: tinygraph.grad(root, nodes[-1]), 4.0),
    ):
        ratio = per_node(f"{what}, chain", run, len(nodes), None) / backward
        add(f"{what}, chain of {len(nodes):,} nodes", "tinygraph", ratio, "÷ backward()", bound)
