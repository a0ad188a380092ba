"""Compare implementations of the same model: check that they agree, and measure their run times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import numpy as np

from tinygraph.engine.graph import order
from tinygraph.engine.value import Value
from tinygraph.logistic.costs import no_loop, one_loop, two_loops
from tinygraph.logistic.inputs import Array
from tinygraph.support.progress import OnProgress
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.compiling import compile
from tinygraph.vectorizing.source import source
from tinygraph.vectorizing.vectorized import vectorize

REPEAT = 20  # number of runs of a fast implementation; the median time is reported

# `Recorded` contains cost, weights and bias as nodes. `CostAndGradient` contains the cost and its gradient as numbers.
Recorded: TypeAlias = tuple[Value | Tensor, Sequence[Value] | Tensor, Value | Tensor]
CostAndGradient: TypeAlias = tuple[float, Array, float]


@dataclass(frozen=True)
class Implementation:
    """Cost, gradient, number of nodes and run time of one implementation.

    Attributes:
        name: Name of the implementation.
        nodes: Number of nodes in the recorded graph, or 0 if they were not counted.
        seconds: Run time in seconds.
        J: Cost.
        dw: Derivatives with respect to the weights.
        db: Derivative with respect to the bias.
    """

    name: str
    nodes: int
    seconds: float
    J: float
    dw: Array
    db: float

    def difference(self, other: Implementation) -> float:
        """Return the largest relative difference from another implementation.

        Args:
            other: Implementation to compare with.

        Returns:
            The largest difference between an element of this implementation's cost or gradient and the corresponding
            element of `other`, divided by the largest absolute value of this implementation's elements.
        """
        ours, theirs = (np.array([i.J, i.db, *i.dw.ravel()]) for i in (self, other))
        difference = np.max(np.abs(ours - theirs))
        return float(difference / np.max(np.abs(ours))) if difference else 0.0  # all elements can be 0


def compare_implementations(
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    w: Sequence[float],
    b: float,
    loss: str = "cross_entropy",
    repeat: int = REPEAT,
) -> list[Implementation]:
    """Compute the cost and its gradient with two loops, with one loop, and without loops.

    Args:
        X: Examples (m, n), one row per example.
        Y: Labels (m,), 0 or 1.
        w: Weights (n,).
        b: Bias.
        loss: Key of `LOSSES`. Defaults to "cross_entropy".
        repeat: Number of runs of the version without loops. The median run time is reported. Defaults to 20.

    Returns:
        A list of the implementations "two loops", "one loop" and "no loop", in this order.

    Examples:
        >>> found = compare_implementations([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
        >>> [implementation.name for implementation in found]
        ['two loops', 'one loop', 'no loop']
        >>> max(implementation.difference(found[0]) for implementation in found) < 1e-12
        True
    """
    columns, labels = _columns(X, Y)

    def loops() -> Recorded:
        values, bias = _values(w, b)
        return two_loops(values, bias, X, Y, loss), values, bias

    def tensors(cost: Callable[..., Tensor]) -> Callable[[], Recorded]:
        def record() -> Recorded:
            column, bias = Tensor(np.reshape(w, (-1, 1)), "w"), Tensor(b, "b")
            return cost(column, bias, columns, labels, loss), column, bias

        return record

    return [
        _measure("two loops", loops, 1),
        _measure("one loop", tensors(one_loop), 1),
        _measure("no loop", tensors(no_loop), repeat),
    ]


def _values(w: Sequence[float], b: float) -> tuple[list[Value], Value]:
    return [Value(w_j, f"w{j + 1}") for j, w_j in enumerate(w)], Value(b, "b")


def _columns(X: Sequence[Sequence[float]], Y: Sequence[float]) -> tuple[Array, Array]:
    """Return X and Y as the lecture's arrays, with one column per example."""
    return np.array(X, dtype=np.float64).T.copy(), np.array([Y], dtype=np.float64)


def _measure(name: str, record: Callable[[], Recorded], repeat: int) -> Implementation:
    seconds = []
    for _ in range(repeat):
        start = perf_counter()
        J, w, b = record()
        J.backward()
        seconds.append(perf_counter() - start)
    return Implementation(name, len(order(J)), sorted(seconds)[repeat // 2], *_gradient(J, w, b))


def _gradient(J: Value | Tensor, w: Sequence[Value] | Tensor, b: Value | Tensor) -> CostAndGradient:
    """Return the cost and the gradient that `backward()` stored on the parameters."""
    dw = w.grad if isinstance(w, Tensor) else np.array([[w_j.grad] for w_j in w])
    return J.item(), dw, float(b.grad or 0.0)


def vectorize_loops(
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    w: Sequence[float],
    b: float,
    loss: str = "cross_entropy",
    *,
    tell: Callable[[str], object] = str,
    on_progress: OnProgress | None = None,
) -> tuple[str, list[str]]:
    """Vectorize the graph of the two loops automatically, and compare the result with hand-written NumPy.

    Args:
        X: Examples (m, n), one row per example.
        Y: Labels (m,), 0 or 1.
        w: Weights (n,).
        b: Bias.
        loss: Key of `LOSSES`. Defaults to "cross_entropy".
        tell: Function that is called with a description of each part of the work before it starts. Defaults to a
            function that shows nothing.
        on_progress: Function that gets reports while the graph is vectorized, as in `vectorize`. Defaults to no
            reports.

    Returns:
        The source text of the vectorized program, and a report as a list of lines.

    Examples:
        >>> text, lines = vectorize_loops([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
        >>> "Z = w.T @ X + b" in text, lines[-1]
        (True, 'they agree: cost and gradient differ by at most ...')
    """
    values, bias = _values(w, b)
    tell("recording the two loops")
    start = perf_counter()
    J = two_loops(values, bias, X, Y, loss)
    recorded = perf_counter()
    nodes = len(order(J))
    tell(f"vectorizing and compiling {nodes:,} scalar nodes")
    begun = perf_counter()
    compiled = compile(J, [values, bias], on_progress=on_progress)
    done = perf_counter()
    tell("timing four implementations, and writing the program")
    begun_again = perf_counter()
    J.backward()
    again = recorded - start + perf_counter() - begun_again
    found = [Implementation("two loops, recorded each time", nodes, again, *_gradient(J, values, bias))]

    numbers = np.array(w)

    def automatic() -> CostAndGradient:
        cost, (dw, db) = compiled(numbers, b)
        return cost, dw.reshape(-1, 1), db

    functions = {"vectorized, compiled": automatic, **_by_hand(*_columns(X, Y), numbers, b, loss)}
    found += [_measure_function(name, function) for name, function in functions.items()]
    vectorized = vectorize(J, on_progress=on_progress)
    lines = [
        f"{nodes:,} scalar nodes became {len(order(vectorized.root))} array nodes: recorded in "
        f"{recorded - start:.2f} s, vectorized and compiled in {done - begun:.2f} s",
        *[f"{implementation.name:<29} {implementation.seconds * 1e3:>9.2f} ms" for implementation in found],
        _verdict(found),
    ]
    return source(vectorized), lines


def _by_hand(columns: Array, labels: Array, w: Array, b: float, loss: str) -> dict[str, Callable[[], CostAndGradient]]:
    """Return a dictionary of hand-written functions that compute the same cost and gradient without loops."""

    def tensors() -> CostAndGradient:
        column, offset = Tensor(w.reshape(-1, 1)), Tensor(b)
        J = no_loop(column, offset, columns, labels, loss)
        J.backward()
        return _gradient(J, column, offset)

    def plain_numpy() -> CostAndGradient:
        Z = np.dot(w, columns) + b
        A = 1 / (1 + np.exp(-Z))
        J = -np.mean(labels * np.log(A) + (1 - labels) * np.log(1 - A))
        dZ = (A - labels) / labels.size
        return float(J), np.dot(columns, dZ.T), float(np.sum(dZ))

    functions = {"by hand, as Tensors": tensors}
    return functions | {"by hand, plain NumPy": plain_numpy} if loss == "cross_entropy" else functions


def _measure_function(name: str, function: Callable[[], CostAndGradient]) -> Implementation:
    seconds = []
    for _ in range(REPEAT):
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return Implementation(name, 0, sorted(seconds)[REPEAT // 2], *result)


def _verdict(found: Sequence[Implementation]) -> str:
    worst = max(found[0].difference(implementation) for implementation in found)
    verdict = (
        "they agree: cost and gradient differ by at most"
        if worst < 1e-12
        else "THEY DO NOT AGREE: the largest difference is"
    )
    return f"{verdict} {worst:.1e}"


def report(found: Sequence[Implementation]) -> list[str]:
    r"""Return a report with one line per implementation.

    Each line contains the number of nodes and the run time of an implementation. Each line after the first also
    compares this run time with that of the first implementation. One more line at the end reports whether the
    implementations agree.

    Args:
        found: Implementations. The first implementation is the reference.

    Returns:
        The lines.

    Examples:
        >>> found = compare_implementations([[1.0, 2.0], [3.0, 4.0]], [0, 1], [0.1, -0.1], 0.0)
        >>> print(*report(found), sep="\n")
        two loops  a graph of   17 nodes ... ms
        one loop   a graph of   17 nodes ... ms ...
        no loop    a graph of   10 nodes ... ms ...
        they agree: cost and gradient differ by at most ...
    """
    first = found[0]
    width = max(len(f"{implementation.nodes:,}") for implementation in found)
    lines = []
    for each in found:
        ratio = first.seconds / each.seconds
        words = f"{ratio:,.0f} times as fast" if ratio >= 1 else f"{1 / ratio:.1f} times as long"
        text = f"{each.name:<10} a graph of {each.nodes:>{width + 2},} nodes {each.seconds * 1e3:>10.2f} ms"
        lines.append(text if each is first else f"{text}   {words} as two loops")
    return [*lines, _verdict(found)]
