"""Train a neural network on two moons with micrograd's interface: 2 inputs, 2 hidden layers of 16 neurons, 1 output.

    python examples/train_a_network.py [FOLDER]

The script trains a network of matrices, and prints its cost and its accuracy. Then it copies the weights to a network
of scalars, and compares the outputs and the gradients of both networks. It writes network-light.svg and
network-dark.svg, diagrams of the network of scalars for one point, in which each layer is a box.
"""

import random
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

from tinygraph import Value, draw
from tinygraph.drawing import EngineNotFoundError
from tinygraph.nn import MLP

SIZES = [16, 16, 1]
ITERATIONS = 300


def moons(m=100, noise=0.1, seed=0):
    """Return points on two half circles, one per class, and their labels -1 and 1."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(m)
    upper = np.arange(m) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + noise * rng.normal(size=(m, 2)), np.where(upper, -1.0, 1.0)


def cost(model, X, Y):
    """Return the cost of a network of matrices: the mean hinge loss, plus a small L2 regularization."""
    hinge = (1.0 - Y * model(X)).relu().mean()
    J = hinge + 1e-4 * sum((p * p).sum() for p in model.parameters())
    J.name = "J"
    return J


def train(X, Y):
    """Return a network of matrices after gradient descent, with a learning rate that decreases."""
    random.seed(1)
    model = MLP(2, SIZES, backend="tensor")
    for iteration in range(ITERATIONS + 1):
        J = cost(model, X, Y)
        J.backward()
        if iteration % 100 == 0:
            print(f"iteration {iteration:3}: cost {J.item():.4f}, accuracy {accuracy(model, X, Y):.1%}")
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * iteration / ITERATIONS) * p.grad
    return model


def accuracy(model, X, Y):
    """Return the fraction of points whose class the network predicts correctly."""
    return np.mean((model(X).data > 0) == (Y > 0))


def in_scalars(trained):
    """Return a network of scalars with the weights of a network of matrices."""
    model = MLP(2, SIZES)
    for layer, source in zip(model.layers, trained.layers, strict=True):
        for neuron, w, b in zip(layer.neurons, source.W.data.tolist(), source.b.data.tolist(), strict=True):
            neuron.b.data = b
            for parameter, weight in zip(neuron.w, w, strict=True):
                parameter.data = weight
    return model


def difference(matrices, scalars, point):
    """Return the largest difference between the outputs and the gradients of both networks for one point."""
    score, output = scalars([Value(x, f"x{j}") for j, x in enumerate(point, 1)]), matrices(point)
    score.backward()
    output.backward()
    differences = [score.data - output.item()]
    for layer, other in zip(scalars.layers, matrices.layers, strict=True):
        W = [[w.grad for w in neuron.w] for neuron in layer.neurons]
        b = [neuron.b.grad for neuron in layer.neurons]
        differences += [*np.ravel(W - other.W.grad), *(b - other.b.grad)]
    return np.abs(differences).max(), score


def main(folder: Path) -> None:
    """Train the network, compare it with a network of scalars, and draw it."""
    folder.mkdir(parents=True, exist_ok=True)
    X, Y = moons()
    model = train(X, Y)
    new = accuracy(model, *moons(m=1000, seed=2))
    print(f"accuracy {accuracy(model, X, Y):.1%} on the {len(Y)} training points, {new:.1%} on 1,000 new points")

    scalars = in_scalars(model)
    largest, score = difference(model, scalars, X[0].tolist())
    print(f"{len(scalars.parameters())} scalars: outputs and gradients differ by at most {largest:.0e}")

    for theme in ("light", "dark"):
        picture = draw(score, parameters=scalars.parameters(), detail="folded", theme=theme, title="one point")
        try:
            path = picture.save(folder / f"network-{theme}.svg")
        except EngineNotFoundError:
            path = picture.save(folder / f"network-{theme}.dot")
        print(f"wrote {path.name}: {picture}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
