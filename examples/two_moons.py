"""A small neural network on two moons: 2 inputs, 16 and 16 hidden neurons, 1 output, written as single numbers.

    python examples/two_moons.py [FOLDER]

The network is recorded once, neuron by neuron and point by point, and compiled: 65,000 nodes become a function of
arrays. Prints cost and accuracy, and writes two_moons.svg, the decision boundary (extra `plot`).
"""

import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np

import tinygraph
from tinygraph import Value
from tinygraph.engine.graph import order

SIZES = (2, 16, 16, 1)
STEPS = 1500


def moons(m=100, noise=0.1, seed=0):
    """Points on two half circles, one for each class, -1 and 1."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(m)
    upper = np.arange(m) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + noise * rng.normal(size=(m, 2)), np.where(upper, -1.0, 1.0)


def layers():
    """The parameters: for each layer a list of neurons, each its weights and its bias."""
    rng = np.random.default_rng(1)
    return [
        [
            ([Value(w, f"w{k}") for w in rng.normal(scale=inputs**-0.5, size=inputs)], Value(0.0, f"b{k}"))
            for _ in range(outputs)
        ]
        for k, (inputs, outputs) in enumerate(pairwise(SIZES), 1)
    ]


def score(network, x):
    """What the network says about a point, above 0 for the class 1: for Values as for numbers and arrays."""
    for k, layer in enumerate(network, 1):
        z = [sum(w_j * x_j for w_j, x_j in zip(w, x, strict=True)) + b for w, b in layer]
        x = z if k == len(network) else [tinygraph.tanh(z_j) for z_j in z]
    return x[0]


def train(X, Y):
    """Record the cost of all points, compile it, and go down; returns the network as plain numbers."""
    network = layers()
    scores = [score(network, x.tolist()) for x in X]
    losses = [tinygraph.softplus(-y * s) for y, s in zip(Y, scores, strict=True)]  # the cross-entropy for -1 and 1
    J = tinygraph.total(losses) / len(losses)
    parameters = [p for layer in network for w, b in layer for p in (*w, b)]
    start = perf_counter()
    cost = tinygraph.compile(J, [parameters])
    print(f"{len(order(J)):,} nodes, {len(parameters)} parameters, compiled in {perf_counter() - start:.1f} s")

    p = np.array([parameter.data for parameter in parameters])
    momentum = np.zeros_like(p)
    start = perf_counter()
    for step in range(STEPS + 1):
        value, (slopes,) = cost(p)
        if step % 300 == 0:
            print(f"step {step:4}: cost {value:.4f}")
        momentum = 0.9 * momentum + slopes
        p -= 0.05 * momentum
    print(f"{STEPS} steps in {perf_counter() - start:.1f} s")
    numbers = iter(p.tolist())
    return [[([next(numbers) for _ in w], next(numbers)) for w, _ in layer] for layer in network]


def boundary(axes, network, X, Y):
    """Plot what the network says about every place, and the points it learned from."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = {-1.0: "#d1603d", 1.0: "#2f86c4"}
    # From one class to the other by way of nothing, so that it stands on a light page and on a dark one.
    shades = LinearSegmentedColormap.from_list("", [f"{colours[-1.0]}80", "#80808000", f"{colours[1.0]}80"])
    left, right, low, high = place = (-1.6, 2.6, -1.2, 1.7)
    x, y = np.meshgrid(np.linspace(left, right, 211), np.linspace(low, high, 146))
    probability = tinygraph.sigmoid(score(network, (x, y)))
    axes.imshow(probability, extent=place, origin="lower", cmap=shades, vmin=0, vmax=1, interpolation="bilinear")
    axes.contour(x, y, probability, levels=[0.5], colors="#8c959f", linewidths=1.5)
    for label, colour in colours.items():
        axes.scatter(*X[label == Y].T, color=colour, edgecolor="white", linewidth=0.7, s=32, label=f"class {label:g}")
    axes.set_xlabel("x1")
    axes.set_ylabel("x2")
    axes.legend(loc="upper right")


def main(folder: Path) -> None:
    """Train, count, draw."""
    X, Y = moons()
    network = train(X, Y)
    right = np.mean(np.sign(score(network, X.T)) == Y)
    X_new, Y_new = moons(m=1000, seed=2)
    new = np.mean(np.sign(score(network, X_new.T)) == Y_new)
    print(f"{right:.1%} of the {len(Y)} points are right, and {new:.1%} of 1,000 new ones")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: matplotlib is missing, pip install 'tinygraph-autodiff[plot]'")
        return
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    boundary(figure.add_subplot(), network, X, Y)
    figure.savefig(folder / "two_moons.svg")
    print("wrote two_moons.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
