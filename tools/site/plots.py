"""The plots of the pages. Each function takes the results of a page, and returns a function of the theme."""

from __future__ import annotations

import functools
import io
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinygraph.drawing.themes import DARK, LIGHT, Theme

PAGES = Path(__file__).parents[2] / "docs"


class Plot:
    """A plot for each theme: call it with the name of a theme. A notebook shows the light version."""

    def __init__(self, figure: Callable[[str], Figure]) -> None:
        self._figure = figure

    def __call__(self, theme: str) -> Figure:
        """Return the figure in the colors of the theme."""
        return self._figure(theme)

    def svg(self, theme: str, background: str = "none") -> bytes:
        """Return the figure as SVG; the same data give the same bytes."""
        with matplotlib.rc_context({"svg.hashsalt": "tinygraph"}):
            buffer = io.BytesIO()
            self(theme).savefig(buffer, format="svg", facecolor=background, metadata={"Date": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        return "<plot>"

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()  # a surface in three dimensions has 5 MB as SVG
        self("light").savefig(buffer, format="png", dpi=144, facecolor="white")
        return buffer.getvalue()


def themed(draw: Callable[..., None]) -> Callable[..., Plot]:
    """Make a plot of a function that draws on axes: `draw(axes, colours, ...)`, called for each theme.

    `size` is in inches; `wide=n` gives it a list of n axes beside each other.
    """

    @functools.wraps(draw)
    def plot(*data: Any, size: tuple[float, float] = (6.4, 3.6), wide: int = 1, **options: Any) -> Plot:
        def figure(theme: str) -> Figure:
            colours = DARK if theme == "dark" else LIGHT
            made = Figure(figsize=size, layout="constrained")
            axes = [made.add_subplot(1, wide, k + 1, **options.get("axes", {})) for k in range(wide)]
            for one in axes:
                _dress(one, colours)
            draw(axes[0] if wide == 1 else axes, colours, *data, **{k: v for k, v in options.items() if k != "axes"})
            for one in axes:
                _dress_texts(one, colours)
            return made

        return Plot(figure)

    return plot


def _dress(axes: Axes, colours: Theme) -> None:
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(colours.muted)
    axes.tick_params(colors=colours.muted, which="both")
    axes.grid(True, color=colours.muted, alpha=0.2, linewidth=0.6)
    axes.set_axisbelow(True)
    lines = [colours.forward, colours.backward, colours.parameter[1], colours.output[1], colours.muted]
    axes.set_prop_cycle(color=lines)


def _dress_texts(axes: Axes, colours: Theme) -> None:
    for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
        text.set_color(colours.ink)
    legend = axes.get_legend()
    if legend:
        legend.get_frame().set_visible(False)
        for text in legend.get_texts():
            text.set_color(colours.ink)


@themed
def steps(
    axes: Axes,
    colours: Theme,
    costs: dict[str, Sequence[float]],
    xlabel: str = "step",
    ylabel: str = "cost J",
    *,
    above: bool = False,
) -> None:
    """Plot cost against iterations, one line per name. `above` puts the legend above the plot."""
    for name, line in costs.items():
        axes.plot(line, label=name, linewidth=1.8)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if above:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(costs))
    else:
        axes.legend()


@themed
def row(axes: Axes, colours: Theme, op: Any, second: float) -> None:
    """Plot an op and its local derivative: small, and without text."""
    from tools.site.optable import curve

    x, value, local = curve(op, second)
    axes.plot(x, value, color=colours.forward, linewidth=2)
    axes.plot(x, local, color=colours.backward, linewidth=1.3, linestyle="--")
    shown = value[np.isfinite(value)]
    low, high = (max(shown.min(), -3.5), min(shown.max(), 3.5)) if shown.size else (-1.0, 1.0)
    margin = 0.15 * max(high - low, 0.5)
    axes.set_ylim(min(low, 0) - margin, max(high, 0) + margin)
    axes.set_xlim(-3, 3)
    axes.set_xticks([0], [])
    axes.set_yticks([0], [])
    axes.tick_params(length=0)


@themed
def growth(axes: Axes, colours: Theme, page: str) -> None:
    """Plot the table of a page on log-log axes: each column against the number of nodes in the first column."""
    titles, *lines = [
        line.strip("| \n").split(" |") for line in (PAGES / page).read_text("utf-8").splitlines() if line[:1] == "|"
    ]
    lines = [[cell.strip() for cell in line] for line in lines if "---" not in line[0]]
    nodes = [float(line[0].replace(",", "")) for line in lines]
    styles = ["-", "-", "-", "-", ":", "--", "--", "-."]
    for k, (title, style) in enumerate(zip(titles[1:], styles, strict=True), 1):
        points = [(n, _seconds(line[k])) for n, line in zip(nodes, lines, strict=True) if len(line) > k and line[k]]
        axes.loglog(*zip(*points, strict=True), style, marker="o", markersize=3, label=title.strip(), linewidth=1.6)
    axes.set_xlabel("scalar nodes")
    axes.set_ylabel("seconds")
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8)


@themed
def operations(axes: Axes, colours: Theme, graph: str) -> None:
    """Plot the measured time per node of each operation on log-log axes, for one kind of graph."""
    from tools.site.benchmarks import figures

    rows = [row for row in figures()["growth"] if row["graph"] == graph]
    rows.sort(key=lambda row: -max(row["microseconds per node"].values()))
    for k, row in enumerate(rows):
        times = row["microseconds per node"]
        style = ("-", "--", ":", "-.")[k % 4]
        axes.loglog(list(map(int, times)), list(times.values()), style, marker="o", markersize=2.5, linewidth=1.2,
                    label=row["operation"])  # fmt: skip
    axes.set_xlabel("nodes")
    axes.set_ylabel("µs per node")
    axes.minorticks_off()
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02), fontsize=6)


@themed
def ratios(axes: Axes, colours: Theme, unit: str, workloads: Sequence[str]) -> None:
    """Plot the measured time of each engine as bars, relative to one engine, with a logarithmic scale."""
    from tools.site.benchmarks import figures

    rows = [row for row in figures()["rows"] if row["unit"] == unit and row["workload"] in workloads]
    names = [f"{row['workload']}: {row['engine']}{', pure' * (row['mode'] == 'pure')}" for row in rows]
    kept = dict(zip(names, rows, strict=True))  # the last of two runs of an engine
    ours = ["tinygraph" in row["engine"] for row in kept.values()]
    shades = [colours.forward if own else colours.muted for own in ours]
    axes.barh(list(kept)[::-1], [row["figure"] for row in kept.values()][::-1], color=shades[::-1], height=0.7)
    axes.set_xscale("log")
    axes.set_xlabel(unit)
    axes.tick_params(axis="y", labelsize=7)
    axes.minorticks_off()


def _seconds(cell: str) -> float:
    number, unit = cell.split()[:2]
    return float(number) * {"µs": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


@themed
def lines(
    axes: Axes,
    colours: Theme,
    x: Any,
    curves: dict[str, Any],
    xlabel: str,
    ylabel: str,
    *,
    log: bool = False,
) -> None:
    """Plot curves over x, one line per name."""
    for name, y in curves.items():
        draw = axes.loglog if log else axes.plot
        draw(x, y, "o-" if log else "-", label=name, linewidth=1.8, markersize=3)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if log:
        axes.minorticks_off()
    axes.legend()


@themed
def descent(axes: Axes, colours: Theme, w: Any, J: Any, path: Sequence[tuple[float, float]]) -> None:
    """Plot a cost over one parameter, and the iterations of gradient descent on it."""
    axes.plot(w, J, color=colours.forward, linewidth=1.8)
    for (x, y), (x2, y2) in itertools.pairwise(path):
        arrow = {"arrowstyle": "->", "color": colours.backward, "linewidth": 1.4, "shrinkA": 2, "shrinkB": 2}
        axes.annotate("", (x2, y2), (x, y), arrowprops=arrow)
    axes.plot(*zip(*path, strict=True), "o", color=colours.backward, markersize=4)
    axes.set_xlabel("w")
    axes.set_ylabel("cost J(w)")


@themed
def surfaces(both: list[Axes], colours: Theme, w: Any, costs: dict[str, Any]) -> None:
    """Plot costs over two parameters as surfaces side by side; costs[i, j] is at w1 = w[i] and w2 = w[j]."""
    for axes, (name, Z) in zip(both, costs.items(), strict=True):
        X, Y = np.meshgrid(w, w, indexing="ij")
        axes.plot_surface(X, Y, Z, cmap=_shades(colours), rcount=len(w), ccount=len(w), linewidth=0, antialiased=False)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("w1", labelpad=-8)
        axes.set_ylabel("w2", labelpad=-8)
        axes.set_zlabel("J", labelpad=-9)
        axes.tick_params(labelsize=7, pad=-3)
        axes.locator_params(nbins=5)
        axes.view_init(38, -125)
        axes.zaxis.label.set_color(colours.ink)
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
            axis.set_pane_color((0, 0, 0, 0))
            axis.line.set_color(colours.muted)
            axis._axinfo["grid"]["color"] = (*_rgb(colours.muted), 0.25)


def _shades(colours: Theme) -> Any:
    """Return a color map whose low end is close to the background."""
    from matplotlib.colors import LinearSegmentedColormap

    low, high = (colours.input[0], colours.forward) if colours is LIGHT else (colours.forward, colours.input[0])
    return LinearSegmentedColormap.from_list("", [low, high])


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


@themed
def tangents(
    axes: Axes, colours: Theme, f: Callable[[Any], Any], at: dict[float, float], over: tuple[float, float]
) -> None:
    """Plot a function, and its tangents at points with known derivatives."""
    x = np.linspace(*over, 300)
    axes.plot(x, f(x), color=colours.forward, linewidth=1.8, label="f(a)")
    tall = float(np.ptp(f(x))) or 1.0
    for k, (a, local) in enumerate(at.items()):
        # All tangents have the same visible length.
        width = 0.16 * (over[1] - over[0]) / np.hypot(1.0, local * (over[1] - over[0]) / tall)
        near = np.array([a - width, a + width])
        axes.plot(near, f(a) + local * (near - a), color=colours.backward, linewidth=1.6)
        axes.plot([a], [f(a)], "o", color=colours.backward, markersize=5, label="tangent" if not k else None)
        axes.annotate(f"slope {local:.4g}", (a, f(a)), (8, -12), textcoords="offset points", color=colours.backward)
    axes.set_xlabel("a")
    axes.legend()


def loop_against_dot() -> Plot:
    """Measure and plot the time of a dot product of n numbers, with loops and vectors, with and without a graph."""
    import time

    from tinygraph import Tensor, Value, dot

    def seconds(run: Callable[[], Any]) -> float:
        times, start = [], time.perf_counter()
        while len(times) < 3 or (len(times) < 200 and time.perf_counter() - start < 0.05):
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        return float(np.median(times))

    def by_loop(w: Any, x: Any) -> float:
        z = 0.0
        for w_j, x_j in zip(w, x, strict=True):
            z += w_j * x_j
        return z

    sizes = [10**k for k in range(1, 6)]
    found: dict[str, list[float]] = {
        "loop over Values": [],
        "dot of Values": [],
        "loop over floats": [],
        "Tensor": [],
        "np.dot": [],
    }
    rng = np.random.default_rng(0)
    for n in sizes:
        w, x = rng.normal(size=n), rng.normal(size=n)
        floats, numbers = w.tolist(), x.tolist()
        nodes, row, column = [Value(w_j) for w_j in floats], Tensor(w.reshape(1, n)), x.reshape(n, 1)
        runs = [
            functools.partial(by_loop, nodes, numbers),
            functools.partial(dot, nodes, numbers),
            functools.partial(by_loop, floats, numbers),
            functools.partial(np.dot, row, column),
            functools.partial(np.dot, w, x),
        ]
        for name, run in zip(found, runs, strict=True):
            found[name].append(seconds(run))
    return lines(sizes, found, "n", "seconds", log=True, size=(5.2, 3.6))


@themed
def drawn_by(axes: Axes, colours: Theme, draw: Callable[..., None], *data: Any) -> None:
    """Plot with a function of a script that draws on axes, in the style of the pages."""
    axes.grid(False)
    draw(axes, *data)


@themed
def distances(axes: Axes, colours: Theme, paths: dict[str, Sequence[float]]) -> None:
    """Plot the distance from the minimum after 1, 2, … iterations on log-log axes, one line per method."""
    for name, distance in paths.items():
        axes.loglog(range(1, len(distance) + 1), distance, "o-", markersize=3, linewidth=1.8, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("distance from the minimum")
    axes.minorticks_off()
    axes.legend()


@themed
def valleys(
    both: list[Axes], colours: Theme, w: Any, costs: dict[str, Any], paths: dict[str, Sequence[Sequence[Any]]]
) -> None:
    """Plot costs over two parameters as contour maps, with the paths of gradient descent."""
    for axes, (name, Z) in zip(both, costs.items(), strict=True):
        levels = Z.min() + np.ptp(Z) * np.linspace(0, 1, 17) ** 2  # closer together near the minimum
        axes.contourf(w, w, Z.T, levels=levels, cmap=_shades(colours), alpha=0.6)
        axes.contour(w, w, Z.T, levels=levels, colors=[colours.muted], linewidths=0.4, alpha=0.6)
        for path in paths[name]:
            axes.plot(*zip(*path, strict=True), color=colours.backward, linewidth=1.5)
            start, end = path[0], path[-1]
            axes.plot(*start, "o", color=colours.backward, markersize=5, markerfacecolor="none", label="start")
            axes.plot(*end, "o", color=colours.backward, markersize=6, label="end")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("w1")
        axes.set_ylabel("w2")
        axes.set_aspect("equal")
        axes.grid(False)
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[:2], names[:2], loc="upper right", fontsize=8)


@themed
def rises(axes: Axes, colours: Theme, f: Callable[[Any], Any], at: Sequence[float], over: tuple[float, float]) -> None:
    """Plot a function, and at some points the triangle of a change of 1 in x and the change in f."""
    x = np.linspace(*over, 300)
    axes.plot(x, f(x), color=colours.forward, linewidth=1.8)
    for a in at:
        axes.plot([a, a + 1, a + 1], [f(a), f(a), f(a + 1)], color=colours.backward, linewidth=1.6)
        axes.plot([a], [f(a)], "o", color=colours.forward, markersize=5)
        side: dict[str, Any] = {"textcoords": "offset points", "color": colours.backward}
        axes.annotate("width 1", (a + 0.5, f(a)), (0, -13), ha="center", **side)
        axes.annotate(f"height {f(a + 1) - f(a):g}", (a + 1, (f(a) + f(a + 1)) / 2), (6, 0), va="center", **side)
    axes.set_xlabel("a")
    axes.set_ylabel("f(a)")
