"""Check that recording, passes and errors leave nothing behind: `python -m tools.reference_counts --count 100000`.

Each kind of work is done many times, and drops everything that it made. After a warm-up, the number of references
(only a debug build of Python counts them) and of allocated blocks must not grow. The garbage collector runs before
each measurement. The exit code is 1 if a number grows with the count. Only kinds of work that need no NumPy are done,
so that a debug build without NumPy can run the command: see `tools.memory_check`.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import gc
import pickle
import signal
import sys
from collections.abc import Callable
from itertools import pairwise
from threading import Thread
from typing import Any

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Value, dot, grad, op, sigmoid, tanh, total
from tinygraph.engine.graph import order

SLACK = 60  # blocks and references that caches may add, however often the work is done


class Sub(Value):
    """A Value with attributes."""


class Local:
    """A local derivative that ends a pass."""

    def __rmul__(self, upstream: float) -> float:
        raise KeyError("a local derivative failed")


def operators() -> None:
    """Record and differentiate the four operators, with operands of every kind."""
    x, y = Value(2.0), Value(-3.0, "y")
    z = (x + y) * (x - 1) / (y * 2.5) - 3 / x + 2 * y + (1.5 - x) + (x - x) * (x / x)
    z = z + x / 0.0 + 0.0 / y + x / 1e308 / 1e10 + Value(2.0, constant=True) * 3.0 + True + 2**70 * y
    z.backward()
    z.backward(seed=0.5, accumulate=True)
    repr(z), str(z.partials), z.args


def functions() -> None:
    """Record ops with one operand, two operands, and any number of operands."""
    x, y = Value(0.5), Value(0.25)
    parts = [tanh(x), sigmoid(x * y), x**2, x**y, 2.0**x, tinygraph.exp(y), tinygraph.maximum(x, y), abs(-x), x.relu()]
    parts += [tinygraph.binary_cross_entropy(sigmoid(x), 1.0), tinygraph.log(x - 0.5), tinygraph.squared_error(x, 2)]
    z = total([*parts, 1.0, x]) + dot(parts, [0.5] * len(parts)) + dot([x, y], [y, x])
    z.backward()
    x.data = 0.75
    z.forward()
    z.backward()


def derivatives() -> None:
    """Differentiate twice, and in forward mode."""
    x, y = Value(0.5), Value(0.25)
    z = x * y * x + sigmoid(x / y)
    first, _ = grad(z, [x, y], create_graph=True)
    grad(first, [x, y])
    tinygraph.jvp(z, {x: 1.0, y: 0.5})
    tinygraph.hessian(z, [x, y])
    order(z)


def errors() -> None:
    """Raise the errors of operators, of passes and of edits."""
    x, y = Value(2.0), Value(3.0)
    for other in ("2", None, 1j, [1.0], {}, object()):
        for function in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b):
            with contextlib.suppress(TypeError):
                function(x, other)
            with contextlib.suppress(TypeError):
                function(other, x)
    with contextlib.suppress(OverflowError, ValueError):
        x + 10**400
    z = x * y if x < y else x
    x.data = 2.5
    with contextlib.suppress(StaleGraphError):
        z.backward()
    x.data = 4.0
    with contextlib.suppress(FrozenBranchError):
        z.forward()
    with contextlib.suppress(FloatingPointError), tinygraph.strict():
        x / 0.0
    with contextlib.suppress(TypeError, ValueError, AttributeError, RuntimeError):
        Value(1.0, constant=True).backward(seed="1")
    with contextlib.suppress(AttributeError):
        z.data = 1.0


def failing_passes() -> None:
    """End passes by an error in a local derivative."""
    x = Value(2.0)
    y = x * x
    z = y * 3.0 + x
    y.x_partial = Local()
    for pass_ in (z.backward, lambda: z.backward(accumulate=True), lambda: grad(z, x)):
        with contextlib.suppress(KeyError):
            pass_()  # type: ignore[operator]


def broken_nodes() -> None:
    """Delete slots and put wrong objects into them, which must end in an error and not in a crash."""
    for slot in ("x", "y", "x_partial", "y_partial", "raw", "raw_grad", "op", "version", "metadata"):
        for wrong in (Value(1.0), "text", None, (), (1.0,), object()):
            x = Value(2.0)
            y = x * 3.0 + x
            z, whole = y * y, getattr(y, slot)
            with contextlib.suppress(Exception):
                setattr(y, slot, wrong)
                z.backward()
            with contextlib.suppress(Exception):
                order(z)
            with contextlib.suppress(Exception):
                delattr(y, slot)
                z.backward()
            with contextlib.suppress(Exception):
                z + y, tanh(y), order(z), grad(z, x)
            setattr(y, slot, whole)
            Value(1.0).backward()  # this pass cleans up after the one that failed


def subclasses() -> None:
    """Record a subclass with attributes, also in a cycle, which the garbage collector frees."""
    x = Sub(2.0)
    x.note = [x]  # type: ignore[attr-defined]
    z = x * x + x / 2.0 - Value(1.0) * x
    z.backward()
    Value.__new__(Value), Sub.__new__(Sub)


def comparisons() -> None:
    """Compare nodes with each other, which both remember."""
    x, y = Value(2.0), Value(3.0)
    _ = x < y, y < x, x <= 2.0, x * y > y
    (x * y + x).backward()


def contexts() -> None:
    """Record in each context."""
    x = Value(2.0)
    with tinygraph.scope("part"), tinygraph.trace_lines():
        y = x * x + tanh(x)
    with tinygraph.strict():
        y = y * 2.0
    y.name = "y"
    y.backward()


def copies() -> None:
    """Pickle and copy a graph."""
    x = Value(2.0, "x")
    y = x * x + sigmoid(x)
    y.backward()
    copy.deepcopy(y), pickle.loads(pickle.dumps(y)), copy.copy(x), y.detach()


def deep_chains() -> None:
    """Free a chain that is deeper than the stack of C allows for a recursion."""
    x = y = Value(1.0)
    for _ in range(30_000):
        y = y + x
    y.backward()


def threads() -> None:
    """Record and differentiate in two threads, which share a leaf."""
    x = Value(2.0)

    def work() -> None:
        for _ in range(5):
            y = x * x + tanh(x)
            y.backward()

    both = [Thread(target=work) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()


def interrupts() -> None:
    """Interrupt a pass by a signal."""
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y + x
    with contextlib.suppress(KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        for _ in range(1000):
            y.backward()
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    y.backward()


def custom_ops() -> None:
    """Record an op whose kernel fails, and one whose kernel records other nodes."""
    failing = op("failing", lambda x: 1.0 / x, partials=(lambda out, x: -out / x,))
    nested = op("nested", lambda x: (Value(x) * 2.0).data, partials=(lambda out, x: 2.0,))  # noqa: ARG005
    x = Value(0.0)
    for function in (failing, nested):
        with contextlib.suppress(ZeroDivisionError, TypeError, ValueError):
            function(x).backward()


WORK: dict[str, tuple[Callable[[], None], int]] = {  # and how many times more expensive than one graph it is
    "operators": (operators, 1),
    "functions": (functions, 1),
    "derivatives": (derivatives, 2),
    "errors": (errors, 2),
    "failing passes": (failing_passes, 1),
    "broken nodes": (broken_nodes, 20),
    "subclasses": (subclasses, 1),
    "comparisons": (comparisons, 1),
    "contexts": (contexts, 1),
    "copies": (copies, 2),
    "deep chains": (deep_chains, 2000),
    "threads": (threads, 20),
    "interrupts": (interrupts, 2000),
    "custom ops": (custom_ops, 5),
}


def held() -> dict[str, int]:
    """Return the numbers of blocks and references of the process."""
    gc.collect()
    counts = {"blocks": sys.getallocatedblocks()}
    if hasattr(sys, "gettotalrefcount"):
        counts["references"] = sys.gettotalrefcount()
    return counts


def growth(work: Callable[[], None], count: int) -> dict[str, int]:
    """Return how many more a process has after it has done work so many times: the smaller result of two rounds."""

    def strike(*_: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, strike)
    try:
        measured = []
        for times in (max(3, count // 10), count, count):  # the first round is a warm-up
            for _ in range(times):
                work()
            measured.append(held())
    finally:
        signal.signal(signal.SIGALRM, previous)
    return {name: min(after[name] - before[name] for before, after in pairwise(measured)) for name in measured[0]}


def main() -> None:
    """Do all kinds of work, and print how much each leaves behind."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.reference_counts", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--count", type=int, default=100_000, help="graphs of a kind (default: %(default)s)")
    parser.add_argument("--only", choices=WORK, help="do this work alone")
    options = parser.parse_args()
    accelerated = "tinygraph.engine._speed" in sys.modules
    print(f"{'accelerated' if accelerated else 'pure Python'}, Python {sys.version.split()[0]}", flush=True)
    wrong = 0
    for name in [options.only] if options.only else WORK:
        work, cost = WORK[name]
        count = max(10, options.count // cost)
        grown = growth(work, count)
        bad = max(grown.values()) > max(SLACK, count // 10)
        wrong += bad
        print(f"{name:<16} {count:>8,} times: {grown}{'  GROWS' * bad}", flush=True)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
