"""One model in three readings, side by side, and rolled up by itself: that they agree, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from tinygraph.engine.graph import order
from tinygraph.engine.value import Value
from tinygraph.logistic.model import no_loop, one_loop, two_loops
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.compiling import compile
from tinygraph.vectorizing.source import source
from tinygraph.vectorizing.vectorized import vectorize


@dataclass(frozen=True)
class Reading:
    """The cost and its gradient by one way of writing them, the nodes this took, and the seconds."""

    name: str
    nodes: int
    seconds: float
    J: float
    dw: np.ndarray[Any, Any]
    db: float

    def difference(self, other: Reading) -> float:
        """The largest difference in cost and gradient, relative to the largest entry."""
        ours, theirs = (np.array([r.J, r.db, *r.dw.ravel()]) for r in (self, other))
        return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(ours)))


def three_readings(
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    w: Sequence[float],
    b: float,
    loss: str = "cross_entropy",
    repeat: int = 20,
) -> list[Reading]:
    """Cost and gradient at w, b over m examples of n features, by two loops, one, and none.

    The last is repeated, and its median taken, because it is over before a clock has looked twice.

    >>> readings = three_readings([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
    >>> [reading.name for reading in readings]
    ['two loops', 'one loop', 'no loop']
    >>> max(reading.difference(readings[0]) for reading in readings) < 1e-12
    True
    """
    columns, labels = np.array(X, dtype=np.float64).T.copy(), np.array([Y], dtype=np.float64)

    def scalar() -> tuple[Any, Any, Any]:
        values, bias = [Value(w_j, f"w{j + 1}") for j, w_j in enumerate(w)], Value(b, "b")
        return two_loops(values, bias, X, Y, loss), values, bias

    def tensor(reading: Callable[..., Any]) -> Callable[[], tuple[Any, Any, Any]]:
        def record() -> tuple[Any, Any, Any]:
            column, bias = Tensor(np.reshape(w, (-1, 1)), "w"), Tensor(b, "b")
            return reading(column, bias, columns, labels, loss), column, bias

        return record

    return [
        _read("two loops", scalar, 1),
        _read("one loop", tensor(one_loop), 1),
        _read("no loop", tensor(no_loop), repeat),
    ]


def _read(name: str, record: Callable[[], tuple[Any, Any, Any]], repeat: int) -> Reading:
    seconds = []
    for _ in range(repeat):
        start = perf_counter()
        J, w, b = record()
        J.backward()
        seconds.append(perf_counter() - start)
    dw = w.grad if isinstance(w, Tensor) else np.array([[w_j.grad] for w_j in w])
    return Reading(name, len(order(J)), sorted(seconds)[repeat // 2], J.item(), dw, float(b.grad))


def rolled_up(
    X: Sequence[Sequence[float]], Y: Sequence[float], w: Sequence[float], b: float, loss: str = "cross_entropy"
) -> tuple[str, list[str]]:
    """The two loops, vectorized by themselves: the program that was found, and in words what it took.

    >>> text, lines = rolled_up([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
    >>> "Z = w.T @ X + b" in text, lines[-1]
    (True, 'they agree: cost and gradient differ by ... at most')
    """
    values, bias = [Value(w_j, f"w{j + 1}") for j, w_j in enumerate(w)], Value(b, "b")
    start = perf_counter()
    J = two_loops(values, bias, X, Y, loss)
    recorded = perf_counter()
    f = compile(J, [values, bias])
    compiled = perf_counter()
    J.backward()
    anew = recorded - start + perf_counter() - compiled
    columns, labels, numbers = np.array(X, dtype=np.float64).T.copy(), np.array([Y], dtype=np.float64), np.array(w)
    partials = np.array([[value.grad] for value in values])
    readings = [Reading("two loops, each time anew", len(order(J)), anew, J.data, partials, float(bias.grad or 0.0))]

    def tensors() -> tuple[float, Any, float]:
        column, offset = Tensor(numbers.reshape(-1, 1)), Tensor(b)
        cost = no_loop(column, offset, columns, labels, loss)
        cost.backward()
        return cost.item(), column.grad, float(offset.grad)

    def found() -> tuple[float, Any, float]:
        cost, (dw, db) = f(numbers, b)
        return cost, dw.reshape(-1, 1), db

    def numpy() -> tuple[float, Any, float]:
        Z = np.dot(numbers, columns) + b
        A = 1 / (1 + np.exp(-Z))
        cost = -np.mean(labels * np.log(A) + (1 - labels) * np.log(1 - A))
        dZ = (A - labels) / len(X)
        return float(cost), np.dot(columns, dZ.T), float(np.sum(dZ))

    ways = {"by itself, compiled": found, "by hand, as Tensors": tensors}
    ways |= {"by hand, plain NumPy": numpy} if loss == "cross_entropy" else {}
    for name, run in ways.items():
        seconds = []
        for _ in range(20):
            begin = perf_counter()
            cost, dw, db = run()
            seconds.append(perf_counter() - begin)
        readings.append(Reading(name, 0, sorted(seconds)[10], cost, dw, db))
    rolled = vectorize(J)
    lines = [
        f"{readings[0].nodes:,} scalar nodes became {len(order(rolled.root))} of arrays: recorded in "
        f"{recorded - start:.2f} s, rolled up and compiled in {compiled - recorded:.2f} s",
        *[f"{reading.name:<26} {reading.seconds * 1e3:>9.2f} ms" for reading in readings],
        _verdict(readings),
    ]
    return source(rolled), lines


def _verdict(readings: Sequence[Reading]) -> str:
    worst = max(readings[0].difference(reading) for reading in readings)
    verdict = "they agree: cost and gradient differ by" if worst < 1e-12 else "THEY DO NOT AGREE: the difference is"
    return f"{verdict} {worst:.1e} at most"


def report(readings: Sequence[Reading]) -> list[str]:
    r"""The readings in words, a line each, with the ratio of their times and whether they agree.

    >>> readings = three_readings([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
    >>> print(*report(readings), sep="\n")
    two loops  a graph of   17 nodes ... ms
    one loop   a graph of   17 nodes ... ms ...
    no loop    a graph of   10 nodes ... ms ...
    they agree: cost and gradient differ by ... at most
    """
    first = readings[0]
    width = max(len(f"{reading.nodes:,}") for reading in readings)
    lines = []
    for reading in readings:
        ratio = first.seconds / reading.seconds
        words = f"{ratio:,.0f} times as fast" if ratio >= 1 else f"{1 / ratio:.1f} times as long"
        text = f"{reading.name:<10} a graph of {reading.nodes:>{width + 2},} nodes {reading.seconds * 1e3:>10.2f} ms"
        lines.append(text if reading is first else f"{text}   {words} as two loops")
    return [*lines, _verdict(readings)]
