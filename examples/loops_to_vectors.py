"""Vectorize loops automatically: turn two loops over scalars into a program without loops.

    python examples/loops_to_vectors.py [FOLDER]

The script records the lecture's cost over 1,000 examples with 20 features, and prints the equivalent vectorized
program. It compares the run times of the loops, the compiled function and hand-written NumPy. It writes loops.svg
(folded) and vectors.svg.
"""

import random
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

import tinygraph
from tinygraph import Value, draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.engine.graph import order
from tinygraph.logistic import two_loops

M, N = 1000, 20


def milliseconds(run, times):
    """Return the median duration of a call, in milliseconds."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        run()
        taken.append(1e3 * (perf_counter() - start))
    return median(taken)


def data():
    """Return random examples, one per row, and their labels."""
    draw_number = random.Random(0).gauss
    rows = [[draw_number(0, 1) for _ in range(N)] for _ in range(M)]
    return rows, [float(sum(row) > 0) for row in rows]


def record(rows, labels):
    """Record the cost with two loops, run the backward pass, and return the cost and the parameters."""
    w, b = [Value(0.1, f"w{j + 1}") for j in range(N)], Value(0.0, "b")
    J = two_loops(w, b, rows, labels, loss="cross_entropy_with_logits")
    J.backward()
    return J, w, b


def main(folder: Path) -> None:
    """Record the loops, vectorize them, compare the run times, and draw both graphs."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, labels = data()
    J, w, b = record(rows, labels)
    found = tinygraph.vectorize(J)
    print(f"{len(order(J)):,} scalar nodes became {len(order(found.root))} array nodes. The vectorized program:\n")
    print(tinygraph.source(found))

    compiled = tinygraph.compile(J, [w, b])
    X, Y = np.array(rows).T.copy(), np.array([labels])

    def by_hand(w, b):
        Z = w @ X + b
        dZ = (1 / (1 + np.exp(-Z)) - Y[0]) / M
        return np.mean(np.logaddexp(0, Z) - Y[0] * Z), (X @ dZ, dZ.sum())

    numbers = np.full(N, 0.1)
    value, (dw, _) = compiled(numbers, 0.0)
    value_by_hand, (dw_by_hand, _) = by_hand(numbers, 0.0)
    apart = max(
        abs(value - J.data), abs(value_by_hand - J.data), *np.abs(dw - dw_by_hand), *np.abs(dw - [x.grad for x in w])
    )
    print(f"\ncost {value:.6f}; the loops, the compiled function and hand-written NumPy differ by at most {apart:.0e}")
    print(f"the two loops, recorded and differentiated: {milliseconds(lambda: record(rows, labels), 5):8.3f} ms")
    print(f"the compiled function:                      {milliseconds(lambda: compiled(numbers, 0.0), 200):8.3f} ms")
    print(f"hand-written NumPy:                         {milliseconds(lambda: by_hand(numbers, 0.0), 200):8.3f} ms")

    found.root.backward()
    pictures = {
        "loops": draw(J, parameters=[*w, b], direction="TB", title=f"two loops over {M:,} examples, folded"),
        "vectors": draw(found.root, parameters=found.leaves.values(), direction="TB", title="the same, vectorized"),
    }
    for name, picture in pictures.items():
        try:
            path = picture.save(folder / f"{name}.svg")
        except EngineNotFoundError:
            path = picture.save(folder / f"{name}.dot")
        print(f"wrote {path.name}: {picture}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
