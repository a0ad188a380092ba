"""The plots of the pages: each function takes what a page computed, and returns a function of the theme."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinygraph.drawing.themes import DARK, LIGHT, Theme

Plot = Callable[[str], Figure]


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

        return figure

    return plot


def _dress(axes: Axes, colours: Theme) -> None:
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(colours.muted)
    axes.tick_params(colors=colours.muted, which="both")
    axes.grid(True, color=colours.muted, alpha=0.2, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_prop_cycle(
        color=[colours.forward, colours.backward, colours.parameter[1], colours.output[1], colours.muted]
    )


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
    axes: Axes, colours: Theme, costs: dict[str, Sequence[float]], xlabel: str = "step", ylabel: str = "cost J"
) -> None:
    """Cost against steps, a line for each name."""
    for name, line in costs.items():
        axes.plot(line, label=name, linewidth=1.8)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.legend()


@themed
def row(axes: Axes, colours: Theme, op: Any, second: float) -> None:
    """A row of the table and its slope: small, without texts."""
    from optable import curve

    x, value, slope = curve(op, second)
    axes.plot(x, value, color=colours.forward, linewidth=2)
    axes.plot(x, slope, color=colours.backward, linewidth=1.3, linestyle="--")
    shown = value[np.isfinite(value)]
    low, high = (max(shown.min(), -3.5), min(shown.max(), 3.5)) if shown.size else (-1.0, 1.0)
    margin = 0.15 * max(high - low, 0.5)
    axes.set_ylim(min(low, 0) - margin, max(high, 0) + margin)
    axes.set_xlim(-3, 3)
    axes.set_xticks([0], [])
    axes.set_yticks([0], [])
    axes.tick_params(length=0)
