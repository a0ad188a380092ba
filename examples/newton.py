"""Use second derivatives in Newton's method: six iterations replace hundreds of iterations of gradient descent.

    python examples/newton.py [FOLDER]

The script finds a root. Then it trains logistic regression with the Hessian, and compares Newton's method with gradient
descent. It writes newton.svg: the graph of a second derivative.
"""

import math
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Value, draw, grad, hessian
from tinygraph.drawing import EngineNotFoundError

NAMES = ("w1", "w2", "b")


def square_root_of_two():
    """Print the iterations for the root of x² - 2. Each iteration roughly doubles the correct digits."""
    x = 1.0
    for iteration in range(6):
        print(f"  iteration {iteration}: x = {x:.16f}, off by {abs(x - math.sqrt(2)):.0e}")
        leaf = Value(x, "x")
        y = leaf**2 - 2.0
        x -= y.data / grad(y, leaf)


def data(m=200):
    """Return points of two overlapping classes in the plane, and their labels. No line separates the classes."""
    rng = np.random.default_rng(0)
    Y = np.arange(m) % 2
    return rng.normal(size=(m, 2)) + np.stack([1.5 * Y, 0.5 * Y], axis=1), Y


def cost(w, X, Y):
    """Return the mean cross-entropy of a neuron with the parameters w = [w1, w2, b], computed with scalars."""
    z = [w[0] * x1 + w[1] * x2 + w[2] for x1, x2 in X.tolist()]
    losses = [tinygraph.binary_cross_entropy_with_logits(z_i, float(y)) for z_i, y in zip(z, Y, strict=True)]
    return tinygraph.total(losses) / len(losses)


def by_newton(X, Y, iterations=6):
    """Iterate w := w - H⁻¹ dw, and return the parameters before each iteration and after the last iteration."""
    path = [np.zeros(3)]
    for iteration in range(iterations + 1):
        p = path[-1]
        w = [Value(p_j, name) for p_j, name in zip(p, NAMES, strict=True)]
        J = cost(w, X, Y)
        dw = np.array(grad(J, w))
        print(f"  iteration {iteration}: w1 = {p[0]:.15f}, J = {J.data:.15f}, |dw| = {np.linalg.norm(dw):.0e}")
        if iteration < iterations:
            path.append(p - np.linalg.solve(hessian(J, w), dw))
    return path


def by_gradient_descent(X, Y, goal, rate=1.0):
    """Iterate w := w - α dw until every parameter is within 1e-6 of the goal. Return all parameters on the way."""
    w = [Value(0.0, name) for name in NAMES]
    slope = tinygraph.compile(cost(w, X, Y), [w])
    path = [np.zeros(3)]
    while np.max(np.abs(path[-1] - goal)) > 1e-6:
        _, (gradient,) = slope(path[-1])
        path.append(path[-1] - rate * gradient)
    return path


def curvature():
    """Return the second derivative of the cross-entropy at z = 0.5, as a graph."""
    z = Value(0.5, "z")
    loss = tinygraph.binary_cross_entropy_with_logits(z, 1.0)
    second = grad(grad(loss, z, create_graph=True), z, create_graph=True)
    second.name = "d²L/dz²"
    return second


def main(folder: Path) -> None:
    """Find a root, train with both methods, and draw a second derivative."""
    folder.mkdir(parents=True, exist_ok=True)
    print("Newton's method for x² = 2:")
    square_root_of_two()

    X, Y = data()
    print("\nLogistic regression with three parameters, by Newton's method:")
    goal = by_newton(X, Y)[-1]
    iterations = len(by_gradient_descent(X, Y, goal)) - 1
    print(f"gradient descent takes {iterations} iterations to come within 1e-6 of these parameters")

    second = curvature()
    print(f"\nthe curvature of the loss at z = 0.5 is {second.data:.4f}. The curvature is also a graph:")
    print(tinygraph.tree(second))
    picture = draw(second, title="the second derivative of the cross-entropy: a(1 - a)")
    try:
        path = picture.save(folder / "newton.svg")
    except EngineNotFoundError:
        path = picture.save(folder / "newton.dot")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
