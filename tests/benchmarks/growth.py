"""How cost grows with the graph: `OPENBLAS_NUM_THREADS=1 python -m tests.benchmarks.growth` (extra `bench`).

The lecture's two loops over m examples of 20 features, 10² to 10⁶ scalar nodes: recording, rolling up, compiling, and
each call, beside CasADi's and micrograd's. Prints a table; `--pictures FOLDER` draws it, too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import tinygraph
from tests.benchmarks.clocks import Run, medians, timed, timed_without_collecting
from tests.benchmarks.recorded_workloads import (
    logistic_by_hand,
    logistic_with_casadi,
    logistic_with_micrograd,
)
from tests.benchmarks.workloads import OURS, data, logistic_cost
from tinygraph.graph import order

EXAMPLES = (2, 23, 233, 2_326, 23_256)  # 43 nodes each
SERIES = {  # what is measured: its title, its colour in light and dark, how it is drawn, how far its title is shifted
    "record": ("recording", "#0067a5", "#58b4f0", "-", 0),
    "roll": ("rolling up", "#b5371a", "#ff8b6b", "-", 0),
    "call": ("a call", "#00795a", "#3fc79a", "-", 4),
    "hand": ("NumPy by hand", "#57606a", "#9da7b3", ":", -7),
    "casadi setup": ("CasADi: recording and compiling", "#8250df", "#c297ff", "--", None),  # those of peers in a legend
    "casadi call": ("CasADi: a call", "#9a6b00", "#e3b341", "--", None),
    "micrograd": ("micrograd: a step", "#1b1f24", "#e6edf3", "-.", None),
}


def seconds(run: Run, times: int, clock: Callable[[Run], float] = timed) -> float:
    """The median of so many calls."""
    return medians({"": run}, clock, times)[""]


def measure(m: int, peers: bool) -> dict[str, float]:
    """Seconds of each step for m examples."""
    X, Y = data(m)
    p = 0.1 * np.random.default_rng(0).normal(size=21)
    times = 7 if m < 1000 else 3
    J, w, b = logistic_cost(OURS, X, Y)
    f = tinygraph.compile(J, [w, b])
    hand = logistic_by_hand(m)
    found: dict[str, float] = {
        "nodes": len(order(J)),
        "record": seconds(lambda: logistic_cost(OURS, X, Y), times),
        "roll": seconds(lambda: tinygraph.vectorize(J), times),
        "compile": seconds(lambda: tinygraph.compile(J, [w, b]), times),
        "call": seconds(lambda: f(p[:-1], float(p[-1])), 50, timed_without_collecting),
        "hand": seconds(lambda: hand(p), 50, timed_without_collecting),
    }
    if peers:
        start = time.perf_counter()
        call = logistic_with_casadi(m)
        found["casadi setup"] = time.perf_counter() - start
        found["casadi call"] = seconds(lambda: call(p), 50, timed_without_collecting)
        step = logistic_with_micrograd(m)
        found["micrograd"] = seconds(lambda: step(p), 3)
    return found


def table(rows: list[dict[str, float]]) -> str:
    """The measurements as a table in Markdown; times a node in microseconds where they are paid once."""
    lines = [
        "| scalar nodes | recording | rolling up | compile, all of it | a call | NumPy by hand | CasADi: recording and "
        "compiling | CasADi: a call | micrograd: a step |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        nodes = row["nodes"]
        once = [f"{_time(row[key])} ({row[key] / nodes * 1e6:.1f} µs a node)" for key in ("record", "roll", "compile")]
        calls = [_time(row[key]) for key in ("call", "hand")]
        peers = [_time(row[key]) if key in row else "" for key in ("casadi setup", "casadi call", "micrograd")]
        lines.append(f"| {nodes:,.0f} | {' | '.join([*once, *calls, *peers])} |")
    return "\n".join(lines)


def _time(s: float) -> str:
    return f"{s * 1e6:.0f} µs" if s < 1e-3 else f"{s * 1e3:.3g} ms" if s < 1.0 else f"{s:.3g} s"


def draw(rows: list[dict[str, float]], folder: Path) -> None:
    """The log-log plot, for light and for dark pages."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    for theme, text in (("light", "#1b1f24"), ("dark", "#e6edf3")):
        figure, axes = pyplot.subplots(figsize=(7.2, 4.6))
        for key, (title, light, dark, style, shift) in SERIES.items():
            points = [(row["nodes"], row[key]) for row in rows if key in row]
            colour = light if theme == "light" else dark
            label = title if shift is None else None
            axes.loglog(*zip(*points, strict=True), style, color=colour, marker="o", markersize=3, label=label)
            if shift is not None:
                where = {"xytext": (7, shift), "textcoords": "offset points", "va": "center"}
                axes.annotate(title, points[-1], color=colour, fontsize=9, **where)
        axes.legend(loc="lower right", frameon=False, fontsize=9, labelcolor="linecolor")
        axes.set_xlim(60, 1.2e7)
        axes.set_xticks([1e2, 1e3, 1e4, 1e5, 1e6])
        axes.minorticks_off()
        axes.set_xlabel("scalar nodes", color=text)
        axes.set_ylabel("seconds", color=text)
        axes.tick_params(colors=text, which="both")
        axes.grid(alpha=0.2)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(text)
        matplotlib.rcParams["svg.hashsalt"] = "tinygraph"  # the same figures, the same file
        path = folder / f"growth-{theme}.svg"
        figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)
        print(f"wrote {path}", file=sys.stderr)


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.growth", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--pictures", type=Path, help="the folder to write growth-light.svg and growth-dark.svg into")
    options = parser.parse_args()
    sys.setrecursionlimit(10_000_000)  # for micrograd
    rows = []
    for m in EXAMPLES:
        rows.append(measure(m, peers=m < 10_000))
        print(f"{rows[-1]['nodes']:,.0f} nodes measured", file=sys.stderr)
    print(table(rows))
    if options.pictures:
        draw(rows, options.pictures)


if __name__ == "__main__":
    main()
