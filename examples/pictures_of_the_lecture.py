"""The lecture's graphs as pictures: J = 3(a + bc), logistic regression of one example and of many; a moment of a walk.

    python examples/pictures_of_the_lecture.py [FOLDER]

Writes each as .svg, light and dark; where there is no Graphviz, as .dot.
"""

import random
import sys
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Stepper, Tensor, Value, draw, name_from, scope
from tinygraph.drawing import EngineNotFoundError
from tinygraph.logistic import no_loop, two_loops
from tinygraph.stepping.player import moment


def computation_graph():
    """J = 3(a + bc), step by step as in the lecture."""
    a, b, c = Value(5), Value(3), Value(2)
    u = b * c
    v = a + u
    J = 3 * v
    name_from(locals())
    return J, {"title": "J = 3(a + bc)"}


def one_example():
    """Logistic regression of one example: z, a, and the loss, each in its scope."""
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
    """Random examples, one a row, and labels."""
    draw_number = random.Random(0).gauss
    return [[draw_number(0, 1) for _ in range(n)] for _ in range(m)], [float(i % 2) for i in range(m)]


def two_loops_folded():
    """The cost over 1000 examples of 20 features, by two loops: 43,000 nodes in eleven cards."""
    X, Y = data()
    w, b = [Value(0.1 * j, f"w{j + 1}") for j in range(len(X[0]))], Value(0.1, "b")
    return two_loops(w, b, X, Y), {"title": "two loops over 1000 examples of 20 features", "parameters": [*w, b]}


def no_loops():
    """The same without a loop: the graph of the folded picture, with arrays for numbers."""
    rows, labels = data()
    w, b = Tensor([[0.1 * j] for j in range(len(rows[0]))], "w"), Tensor(0.1, "b")
    X = Tensor(np.array(rows).T, "X", constant=True)
    Y = Tensor(np.array([labels]), "Y", constant=True)
    return no_loop(w, b, X, Y), {"title": "the same, vectorized", "parameters": [w, b]}


def drawings():
    """Each picture with its name: the graphs, and the walk through J after five of six events."""
    for make in (computation_graph, one_example, two_loops_folded, no_loops):
        root, options = make()
        root.backward()
        for theme in ("light", "dark"):
            yield f"{make.__name__}-{theme}", draw(root, theme=theme, **options)
    stepper = Stepper(computation_graph()[0])
    stepper.goto(5)
    for theme in ("light", "dark"):
        yield f"stepping-{theme}", moment(stepper, theme=theme)


def main(folder: Path) -> None:
    """Draw them all."""
    for name, drawing in drawings():
        try:
            path = drawing.save(folder / f"{name}.svg")
        except EngineNotFoundError:
            path = drawing.save(folder / f"{name}.dot")
        print(f"{path.name}: {drawing}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
