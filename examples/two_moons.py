"""Train a small neural network on two moons, written with scalars: 2 inputs, 2 hidden layers of 16 neurons, 1 output.

    python examples/two_moons.py [FOLDER]

The script records the network once, neuron by neuron and point by point, and compiles its 67,839 nodes to a function of
arrays. It prints the cost and the accuracy. It writes two_moons.svg, a plot of the decision boundary. The plot needs
the extra `plot`.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np

import tinygraph
from tinygraph import Value
from tinygraph.engine.graph import order

SIZES = (2, 16, 16, 1)
ITERATIONS = 1500


def moons(m=100, noise=0.1, seed=0):
    """Return points on two half circles, one per class, and their labels -1 and 1."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(m)
    upper = np.arange(m) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + noise * rng.normal(size=(m, 2)), np.where(upper, -1.0, 1.0)


def layers():
    """Return the parameters: one list of neurons per layer, with the weights and the bias of each neuron."""
    rng = np.random.default_rng(1)
    return [
        [
            ([Value(w, f"w{k}") for w in rng.normal(scale=inputs**-0.5, size=inputs)], Value(0.0, f"b{k}"))
            for _ in range(outputs)
        ]
        for k, (inputs, outputs) in enumerate(pairwise(SIZES), 1)
    ]


def score(network, x):
    """Return the network's output for a point x of Values, floats or arrays. The output is above 0 for class 1."""
    for k, layer in enumerate(network, 1):
        z = [sum(w_j * x_j for w_j, x_j in zip(w, x, strict=True)) + b for w, b in layer]
        x = z if k == len(network) else [tinygraph.tanh(z_j) for z_j in z]
    return x[0]


def train(X, Y):
    """Record, compile and minimize the cost of all points. Return the network with floats as parameters."""
    network = layers()
    scores = [score(network, x.tolist()) for x in X]
    # For the labels -1 and 1, softplus(-y * s) is the cross-entropy.
    losses = [tinygraph.softplus(-y * s) for y, s in zip(Y, scores, strict=True)]
    J = tinygraph.total(losses) / len(losses)
    parameters = [p for layer in network for w, b in layer for p in (*w, b)]
    start = perf_counter()
    cost = tinygraph.compile(J, [parameters])
    print(f"{len(order(J)):,} nodes, {len(parameters)} parameters, compiled in {perf_counter() - start:.1f} s")

    p = np.array([parameter.data for parameter in parameters])
    momentum = np.zeros_like(p)
    start = perf_counter()
    for iteration in range(ITERATIONS + 1):
        value, (slopes,) = cost(p)
        if iteration % 300 == 0:
            print(f"iteration {iteration:4}: cost {value:.4f}")
        momentum = 0.9 * momentum + slopes
        p -= 0.05 * momentum
    print(f"{ITERATIONS} iterations in {perf_counter() - start:.1f} s")
    numbers = iter(p.tolist())
    return [[([next(numbers) for _ in w], next(numbers)) for w, _ in layer] for layer in network]


def boundary(axes, network, X, Y):
    """Plot the output of the network over the plane, and the training points."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = {-1.0: "#d1603d", 1.0: "#2f86c4"}
    # The colormap is transparent in the middle, so that the plot works on light and on dark pages.
    shades = LinearSegmentedColormap.from_list("", [f"{colors[-1.0]}80", "#80808000", f"{colors[1.0]}80"])
    left, right, low, high = place = (-1.6, 2.6, -1.2, 1.7)
    x, y = np.meshgrid(np.linspace(left, right, 211), np.linspace(low, high, 146))
    probability = tinygraph.sigmoid(score(network, (x, y)))
    axes.imshow(probability, extent=place, origin="lower", cmap=shades, vmin=0, vmax=1, interpolation="bilinear")
    axes.contour(x, y, probability, levels=[0.5], colors="#8c959f", linewidths=1.5)
    for label, color in colors.items():
        axes.scatter(*X[label == Y].T, color=color, edgecolor="white", linewidth=0.7, s=32, label=f"class {label:g}")
    axes.set_xlabel("x1")
    axes.set_ylabel("x2")
    axes.legend(loc="upper right")


def main(folder: Path) -> None:
    """Train the network, print its accuracy, and plot the decision boundary."""
    folder.mkdir(parents=True, exist_ok=True)
    X, Y = moons()
    network = train(X, Y)
    accuracy = np.mean(np.sign(score(network, X.T)) == Y)
    X_new, Y_new = moons(m=1000, seed=2)
    new = np.mean(np.sign(score(network, X_new.T)) == Y_new)
    print(f"accuracy {accuracy:.1%} on the {len(Y)} training points, {new:.1%} on 1,000 new points")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed; run `pip install '.[plot]'` in your clone of tinygraph")
        return
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    boundary(figure.add_subplot(), network, X, Y)
    figure.savefig(folder / "two_moons.svg")
    print("wrote two_moons.svg")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
