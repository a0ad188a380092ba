"""Measure how soon Ctrl-C ends a long computation: `python -m tools.interrupt_delay --nodes 1000000`.

A timer sends a signal at a random moment of each computation on a chain of nodes. The delay is the time between this
moment and the KeyboardInterrupt that reaches the caller. Afterwards, the next pass must give the right gradient.
"""

from __future__ import annotations

import argparse
import copy
import random
import signal
import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from tinygraph import Value, grad
from tinygraph.engine.graph import order


def chain(nodes: int) -> tuple[Value, Value]:
    """Return a leaf, and the end of a chain of so many nodes."""
    x = y = Value(1.0)
    for _ in range(nodes):
        y = y + x
    return x, y


def delays(function: Callable[[], object], rounds: int) -> list[float]:
    """Return the delays of the interrupts that struck while the function ran."""
    begin = perf_counter()
    function()
    duration = perf_counter() - begin
    struck_at = 0.0

    def strike(*_: Any) -> None:
        raise KeyboardInterrupt

    found = []
    previous = signal.signal(signal.SIGALRM, strike)
    pick = random.Random(0)
    try:
        for _ in range(rounds):
            wait = pick.uniform(0.1, 0.8) * duration
            try:
                struck_at = perf_counter() + wait
                signal.setitimer(signal.ITIMER_REAL, wait)
                function()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                found.append(perf_counter() - struck_at)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)
    return found


def main() -> None:
    """Measure, and print the delays."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.interrupt_delay", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--nodes", type=int, default=1_000_000, help="length of the chain (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="signals for each computation (default: %(default)s)")
    options = parser.parse_args()
    x, y = chain(options.nodes)
    y.backward()
    right = x.grad
    work: dict[str, Callable[[], object]] = {
        "backward": y.backward,
        "order": lambda: order(y),
        "grad": lambda: grad(y, x),
        "forward": y.forward,
        "copy": lambda: copy.deepcopy(y),
        "record": lambda: chain(options.nodes),
    }
    accelerated = "tinygraph.engine._speed" in sys.modules
    print(
        f"{'accelerated' if accelerated else 'pure Python'}, a chain of {options.nodes:,} nodes; delays in milliseconds"
    )
    for name, function in work.items():
        found = [1e3 * delay for delay in delays(function, options.rounds)]
        y.forward()
        y.backward()
        assert x.grad == right, name
        shown = f"median {statistics.median(found):.1f}, largest {max(found):.1f}" if found else "no signal struck"
        print(f"{name:<10} {len(found):>3} of {options.rounds} signals: {shown}", flush=True)


if __name__ == "__main__":
    main()
