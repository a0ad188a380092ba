"""The workloads, written once for all engines, with operators and four functions of each engine."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tinygraph


class Engine(NamedTuple):
    """The functions of a scalar engine."""

    value: Callable[[float], Any]
    sigmoid: Callable[[Any], Any]
    cross_entropy: Callable[[Any, float], Any]
    relu: Callable[[Any], Any]
    dot: Callable[[Sequence[Any], Sequence[float]], Any] | None = None
    total: Callable[[Sequence[Any]], Any] | None = None


OURS = Engine(tinygraph.Value, tinygraph.sigmoid, tinygraph.binary_cross_entropy, lambda x: x.relu())


def data(m: int, n: int = 20) -> tuple[list[list[float]], list[float]]:
    """Return the data of W2: m random examples with n features, and labels."""
    draw = random.Random(0)
    return [[draw.gauss(0.0, 1.0) for _ in range(n)] for _ in range(m)], [float(draw.random() < 0.5) for _ in range(m)]


def logistic_regression(engine: Engine, X: list[list[float]], Y: list[float]) -> list[Any]:
    """Run W2: cost and gradient with the lecture's two loops."""
    J, w, _ = logistic_cost(engine, X, Y)
    J.backward()
    return w


def logistic_cost(engine: Engine, X: list[list[float]], Y: list[float]) -> tuple[Any, list[Any], Any]:
    """Return the cost of W2, and its parameters."""
    w = [engine.value(0.01 * j) for j in range(len(X[0]))]
    b = engine.value(0.0)
    losses = []
    for x, y in zip(X, Y, strict=True):
        if engine.dot is not None:
            z = engine.dot(w, x) + b
        else:
            z = b
            for w_j, x_j in zip(w, x, strict=True):
                z = z + w_j * x_j
        losses.append(engine.cross_entropy(engine.sigmoid(z), y))
    if engine.total is not None:
        J = engine.total(losses)
    else:
        J = losses[0]
        for loss in losses[1:]:
            J = J + loss
    return J * (1.0 / len(losses)), w, b


def mlp_step(engine: Engine) -> Any:
    """Run W1: MLP(2, [16, 16, 1]) with hinge loss and L2 regularization on 100 points, forward and backward."""
    loss, _ = mlp_loss(engine)
    loss.backward()
    return loss


def moons(draw: random.Random) -> list[tuple[tuple[float, float], float]]:
    """Return 100 points of two moons, and their labels."""
    points = []
    for i in range(100):
        angle, label = math.pi * (i // 2) / 50, 1.0 if i % 2 else -1.0
        x, y = (math.cos(angle), math.sin(angle)) if i % 2 else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append(((x + draw.gauss(0.0, 0.1), y + draw.gauss(0.0, 0.1)), label))
    return points


def mlp_loss(engine: Engine, constant: Callable[[float], Any] | None = None) -> tuple[Any, list[Any]]:
    """Return the loss of W1, and its layers (W, b). The points are leaves too, unless `constant` is given."""
    draw = random.Random(1)
    sizes = [2, 16, 16, 1]
    layers = [
        [([engine.value(draw.uniform(-1.0, 1.0)) for _ in range(n)], engine.value(0.0)) for _ in range(m)]
        for n, m in itertools.pairwise(sizes)
    ]
    losses = []
    for point, label in moons(draw):
        x = [(constant or engine.value)(coordinate) for coordinate in point]
        for depth, layer in enumerate(layers):
            outs = [sum((w_j * x_j for w_j, x_j in zip(w, x, strict=True)), b) for w, b in layer]
            x = outs if depth == len(layers) - 1 else [engine.relu(out) for out in outs]
        losses.append(engine.relu(1.0 + -label * x[0]))
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]
    loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
    return loss, layers


def chain(engine: Engine, n: int) -> Any:
    """Return W5: a chain of n ops, `x = x * 1.0001 + 0.0001` repeated."""
    x = engine.value(1.0)
    for _ in range(n // 2):
        x = x * 1.0001 + 0.0001
    return x
