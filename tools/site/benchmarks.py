"""The tables and plots of the page of benchmarks, from `figures.json`, which `python -m tools.benchmarks` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parents[1] / "benchmarks" / "figures.json"
NOTES = Path(__file__).parents[1] / "benchmarks" / "notes.json"  # why a bound is not reached, by workload
Row = dict[str, Any]


@lru_cache(maxsize=1)
def figures() -> dict[str, Any]:
    """Return the content of the file."""
    found: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def table(which: str) -> str:
    """Return a table of the page as Markdown.

    Args:
        which: "machine" (a sentence), "bounds", "ratios" or "growth".

    Returns:
        The Markdown text.
    """
    return {"machine": _machine, "bounds": _bounds, "ratios": _ratios, "growth": _growth}[which]()


def _machine() -> str:
    machine, versions = figures()["machine"], figures()["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"Measured on {machine['cores']} cores of an {machine['processor']}, {machine['system']}, with {listed}."


def _bounds() -> str:
    """Return each figure that has a bound beside its bound, with the figure of the C floor where there is one."""
    rows = figures()["rows"]
    notes: dict[str, str] = json.loads(NOTES.read_text(encoding="utf-8"))
    floor = {row["workload"]: row for row in rows if row["engine"] == "C floor" and row["mode"] == "accelerated"}
    lines = ["| workload | mode | figure | bound | reached | C floor | note |", "|---|---|---:|---:|---|---:|---|"]
    for row in rows:
        if row["bound"] is None:
            continue
        below = floor.get(row["workload"])
        reached = row["figure"] <= row["bound"]
        cells = [
            row["workload"], row["mode"], f"{_number(row['figure'])} {row['unit']}", _number(row["bound"]),
            "yes" if reached else "no", _number(below["figure"]) if below else "",
            "" if reached else next((note for start, note in notes.items() if row["workload"].startswith(start)), ""),
        ]  # fmt: skip
        lines.append(_line(cells))
    return "\n".join(lines)


def _ratios() -> str:
    """Return one line per workload and unit, with one column per engine."""
    rows = [row for row in figures()["rows"] if row["unit"].startswith("÷") and row["unit"] != "÷ backward()"]
    engines = dict.fromkeys(_engine(row) for row in rows)
    lines = [_line(["workload", "ratio", *engines]), f"|---|---|{'---:|' * len(engines)}"]
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        cells.setdefault((row["workload"], row["unit"]), {}).setdefault(_engine(row), _number(row["figure"]))
    lines += [_line([*key, *[found.get(engine, "") for engine in engines]]) for key, found in cells.items()]
    return "\n".join(lines)


def _growth() -> str:
    """Return the time per node of each operation, for each size of graph."""
    rows = figures()["growth"]
    sizes = sorted({int(size) for row in rows for size in row["microseconds per node"]})
    lines = [_line(["operation", "graph", *[f"{size:,} nodes" for size in sizes], "factor"])]
    lines.append(f"|---|---|{'---:|' * (len(sizes) + 1)}")
    for row in rows:
        times = row["microseconds per node"]
        cells = [_number(times[str(size)]) if str(size) in times else "" for size in sizes]
        lines.append(_line([row["operation"], row["graph"], *cells, f"{row['factor']:.1f}"]))
    return "\n".join(lines)


def _engine(row: Row) -> str:
    return "tinygraph, pure" if row["engine"] == "tinygraph" and row["mode"] == "pure" else str(row["engine"])


def _number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
