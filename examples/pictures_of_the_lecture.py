"""Draw the lecture's graphs: J = 3(a + bc), with an animation of its backward pass, and logistic regression.

    python examples/pictures_of_the_lecture.py [FOLDER]

The script writes each graph as two .svg files, light and dark, or as .dot files if no layout engine is installed.
"""

import random
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Stepper, Tensor, Value, draw, name_from, scope
from tinygraph.drawing import EngineNotFoundError
from tinygraph.logistic import no_loop, two_loops


def computation_graph():
    """Return the graph of J = 3(a + bc), computed in three steps as in the lecture."""
    a, b, c = Value(5), Value(3), Value(2)
    u = b * c
    v = a + u
    J = 3 * v
    name_from(locals())
    return J, {"title": "J = 3(a + bc)"}


def one_example():
    """Return the graph of logistic regression with one example: z, a and the loss, each in a separate scope."""
    x1, x2, y = Value(1), Value(2), Value(1, constant=True)
    w1, w2, b = Value(0.5), Value(-0.25), Value(0.1)
    with scope("linear"):
        p1 = w1 * x1
        p2 = w2 * x2
        z = tinygraph.total([p1, p2, b])
    with scope("sigmoid"):
        a = tinygraph.sigmoid(z)
    with scope("loss"):
        L = tinygraph.binary_cross_entropy(a, y)
    name_from(locals())
    return L, {"title": "logistic regression, one example (y = 1)", "parameters": [w1, w2, b]}


def data(m=1000, n=20):
    """Return random examples, one per row, and labels."""
    draw_number = random.Random(0).gauss
    return [[draw_number(0, 1) for _ in range(n)] for _ in range(m)], [float(i % 2) for i in range(m)]


def two_loops_folded():
    """Return the cost over 1000 examples with 20 features, computed with two loops: 43,000 nodes in eleven boxes."""
    X, Y = data()
    w, b = [Value(0.1 * j, f"w{j + 1}") for j in range(len(X[0]))], Value(0.1, "b")
    return two_loops(w, b, X, Y), {"title": "two loops over 1000 examples of 20 features", "parameters": [*w, b]}


def no_loops():
    """Return the same cost without loops: a graph of Tensors that resembles the folded diagram."""
    rows, labels = data()
    w, b = Tensor([[0.1 * j] for j in range(len(rows[0]))], "w"), Tensor(0.1, "b")
    X = Tensor(np.array(rows).T, "X", constant=True)
    Y = Tensor(np.array([labels]), "Y", constant=True)
    return no_loop(w, b, X, Y), {"title": "the same, vectorized", "parameters": [w, b]}


def drawings():
    """Yield the name and the drawing of each graph."""
    for make in (computation_graph, one_example, two_loops_folded, no_loops):
        root, options = make()
        root.backward()
        for theme in ("light", "dark"):
            yield f"{make.__name__}-{theme}", draw(root, theme=theme, **options)


def main(folder: Path) -> None:
    """Draw all graphs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in drawings():
        try:
            path = drawing.save(folder / f"{name}.svg")
        except EngineNotFoundError:
            path = drawing.save(folder / f"{name}.dot")
        print(f"{path.name}: {drawing}")
    root, options = computation_graph()
    stepper = Stepper(root, **options)
    for theme in ("light", "dark"):
        try:
            path = stepper.save(folder / f"stepping-{theme}.svg", theme=theme)
        except EngineNotFoundError:
            return
        print(f"{path.name}: animation of {len(stepper)} steps")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
