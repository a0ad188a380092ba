"""Models with loops, as users write them, for the tests of `vectorize` and `compile`."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import tinygraph
from tinygraph import Value
from tinygraph.logistic import two_loops

Family = tuple[Value, list[Any]]  # the root, and the inputs: nodes, or nested lists of nodes


def _draw(seed: int) -> Callable[[], float]:
    gauss = random.Random(seed).gauss
    return lambda: gauss(0.0, 1.0)


def logistic_regression(m: int = 7, n: int = 3, penalty: float = 0.0) -> Family:
    """Record logistic regression with the lecture's two loops."""
    draw = _draw(0)
    w, b = [Value(0.1 * j - 0.1, f"w{j + 1}") for j in range(n)], Value(0.1, "b")
    J = two_loops(w, b, [[draw() for _ in range(n)] for _ in range(m)], [float(draw() > 0) for _ in range(m)])
    if penalty:
        J = J + penalty * sum(w_j * w_j for w_j in w)
    return J, [w, b]


def with_dots(m: int = 7, n: int = 3) -> Family:
    """Record logistic regression with `dot` and `total`."""
    draw = _draw(1)
    w, b = [Value(0.1 * j, f"w{j + 1}") for j in range(n)], Value(0.1, "b")
    losses = []
    for _ in range(m):
        z = tinygraph.dot(w, [draw() for _ in range(n)]) + b
        losses.append(tinygraph.binary_cross_entropy_with_logits(z, float(draw() > 0)))
    return tinygraph.total(losses) / m, [w, b]


def two_moons(m: int = 8, sizes: Sequence[int] = (2, 4, 3, 1), penalty: float = 1e-4) -> Family:
    """Record micrograd's demo: an MLP with relu, hinge loss and L2 regularization; the coordinates are nodes too."""
    uniform, draw = random.Random(2).uniform, _draw(3)
    layers = []
    for n, k in itertools.pairwise(sizes):
        layers.append([([Value(uniform(-1.0, 1.0)) for _ in range(n)], Value(0.0)) for _ in range(k)])
    losses = []
    for i in range(m):
        angle, label = math.pi * (i // 2) / (m / 2), 1.0 if i % 2 else -1.0
        point = (math.cos(angle), math.sin(angle)) if i % 2 else (1 - math.cos(angle), 0.5 - math.sin(angle))
        x: Any = [Value(coordinate + 0.1 * draw()) for coordinate in point]
        for depth, layer in enumerate(layers):
            outs = [sum((w_j * x_j for w_j, x_j in zip(w, x, strict=True)), b) for w, b in layer]
            x = outs if depth == len(layers) - 1 else [out.relu() for out in outs]
        losses.append((1.0 + -label * x[0]).relu())
    parameters = [p for layer in layers for w, b in layer for p in (*w, b)]
    J = sum(losses) * (1.0 / len(losses)) + penalty * sum(p * p for p in parameters)
    return J, [[[w for w, _ in layer], [b for _, b in layer]][k] for layer in layers for k in (0, 1)]


def softmax(m: int = 6, n: int = 3, k: int = 4) -> Family:
    """Record softmax regression, whose loss selects the logit of the correct class."""
    draw = _draw(4)
    W = [[Value(0.3 * draw(), f"w{c}_{j}") for j in range(n)] for c in range(k)]
    b = [Value(0.1 * c, f"b{c}") for c in range(k)]
    J: Any = 0.0
    for i in range(m):
        x = [draw() for _ in range(n)]
        z = [sum((w * x_j for w, x_j in zip(row, x, strict=True)), bias) for row, bias in zip(W, b, strict=True)]
        J = J + tinygraph.log(sum(z_c.exp() for z_c in z)) - z[(3 * i + 1) % k]
    return J / m, [W, b]


def polynomial(at: Callable[[list[Value], float], Any], m: int = 9, degree: int = 3) -> Family:
    """Record a polynomial fitted by least squares."""
    draw = _draw(5)
    c = [Value(0.5 * draw(), f"c{k}") for k in range(degree + 1)]
    J: Any = 0.0
    for i in range(m):
        x, y = 2.0 * i / m - 1.0, draw()
        J = J + (at(c, x) - y) ** 2
    return J / m, [c]


def by_horner(c: list[Value], x: float) -> Any:
    """Return ((c3 x + c2) x + c1) x + c0."""
    p: Any = c[-1]
    for c_k in reversed(c[:-1]):
        p = p * x + c_k
    return p


def by_powers(c: list[Value], x: float) -> Any:
    """Return Σ c_k x^k."""
    return sum(c_k * x**k for k, c_k in enumerate(c))


def recurrence(steps: int = 6, sequences: int = 3) -> Family:
    """Record a recurrent network of one neuron over several sequences: each step needs the previous one."""
    draw = _draw(6)
    w, u, b = Value(0.7, "w"), Value(-0.4, "u"), Value(0.1, "b")
    J: Any = 0.0
    for _ in range(sequences):
        h: Any = 0.0
        for _ in range(steps):
            h = tinygraph.tanh(w * h + u * draw() + b)
        J = J + (h - draw()) ** 2
    return J, [w, u, b]


def pairs(n: int = 5) -> Family:
    """Record the energy of charges on a line: a sum over pairs i < j."""
    x = [Value(1.5 * i + 0.1 * math.sin(i), f"x{i}") for i in range(n)]
    return sum(1.0 / abs(x[i] - x[j]) for i in range(n) for j in range(i)), [x]  # type: ignore[return-value]


def all_pairs(n: int = 4, k: int = 5) -> Family:
    """Record a kernel: a sum over all i and j."""
    draw = _draw(7)
    x, y = [Value(draw(), f"x{i}") for i in range(n)], [Value(draw(), f"y{j}") for j in range(k)]
    return sum(tinygraph.exp(-((x_i - y_j) ** 2)) for x_i in x for y_j in y), [x, y]


def factorization(m: int = 4, n: int = 5, k: int = 2) -> Family:
    """Record the factorization of a matrix into two."""
    draw = _draw(8)
    U = [[Value(draw(), f"u{i}_{r}") for r in range(k)] for i in range(m)]
    V = [[Value(draw(), f"v{j}_{r}") for r in range(k)] for j in range(n)]
    J: Any = 0.0
    for i in range(m):
        for j in range(n):
            J = J + (sum(a * b for a, b in zip(U[i], V[j], strict=True)) - draw()) ** 2
    return J, [U, V]


def neighbours(n: int = 8) -> Family:
    """Record a smooth curve: a sum over neighbors."""
    draw = _draw(9)
    x = [Value(draw(), f"x{i}") for i in range(n)]
    J = sum((x[i + 1] - x[i]) ** 2 for i in range(n - 1)) + sum((x_i - draw()) ** 2 for x_i in x)
    return J, [x]


def ragged(n: int = 6) -> Family:
    """Record sums with different numbers of terms."""
    draw = _draw(10)
    x = [Value(draw(), f"x{i}") for i in range(n)]
    J: Any = 0.0
    for i in range(1, n):
        J = J + sum(tinygraph.sin(x_j) * draw() for x_j in x[: i + 1]).sigmoid()
    return J, [x]


def no_structure(steps: int = 40, seed: int = 11) -> Family:
    """Record a program without a pattern."""
    choose = random.Random(seed)
    x = [Value(choose.uniform(-1.0, 1.0), f"x{i}") for i in range(4)]
    values: list[Any] = list(x)
    for _ in range(steps):
        a, b = choose.choice(values[-8:]), choose.choice(values)
        step = choose.choice(["+", "*", "-", "tanh", "sin", "sigmoid"])
        values.append({"+": a + b, "*": a * b, "-": a - b}[step] if step in "+*-" else getattr(a, step)())
    return sum(v.sin() for v in values[-6:]), [x]


FAMILIES: dict[str, Callable[[], Family]] = {
    "logistic regression": logistic_regression,
    "with a penalty": lambda: logistic_regression(penalty=0.1),
    "dot and total": with_dots,
    "two moons": two_moons,
    "softmax": softmax,
    "polynomial": lambda: polynomial(by_horner),
    "powers": lambda: polynomial(by_powers),
    "recurrence": recurrence,
    "one sequence": lambda: recurrence(sequences=1),
    "pairs": pairs,
    "all pairs": all_pairs,
    "factorization": factorization,
    "neighbours": neighbours,
    "ragged": ragged,
    "no structure": no_structure,
}


def flat(inputs: Any) -> list[Value]:
    """Return the nodes of nested lists as a flat list."""
    return [inputs] if isinstance(inputs, Value) else [node for entry in inputs for node in flat(entry)]
