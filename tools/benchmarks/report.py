"""The figures of a benchmark: printed as they are measured, and written as JSON with the machine and the versions."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tinygraph.engine.acceleration import ACCELERATED

PACKAGES = ("tinygraph", "numpy", "micrograd", "torch", "jax", "casadi", "autograd", "mygrad", "graphviz")
MODE = "accelerated" if ACCELERATED else "pure"


class Report:
    """The figures of one process.

    Attributes:
        rows: One dictionary per figure.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(
        self,
        workload: str,
        engine: str,
        figure: float,
        unit: str,
        bound: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Print a figure, and keep it.

        Args:
            workload: What was measured.
            engine: The library, or the variant of tinygraph.
            figure: The result.
            unit: Unit of the result, such as "÷ micrograd".
            bound: Largest result that is intended.
            seconds: Time per call, if the result is a ratio.
        """
        row = {"workload": workload, "engine": engine, "mode": MODE, "figure": figure, "unit": unit, "bound": bound}
        self.rows.append(row | {"seconds": seconds})
        time = "" if seconds is None else f"{seconds * 1e3:12.3f} ms"
        limit = "" if bound is None else f"   ≤ {bound:g}"
        print(f"{workload:<48} {engine:<20} {MODE:<12} {time:>15} {figure:10.3f} {unit}{limit}", flush=True)


def machine() -> dict[str, str]:
    """Return what describes this machine: processor, cores and system."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {"processor": model, "cores": str(os.cpu_count()), "system": f"{platform.system()} {platform.machine()}"}


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write(path: Path, rows: Sequence[dict[str, Any]], growth: Iterable[dict[str, Any]] = ()) -> None:
    """Write figures with the machine and the versions.

    Args:
        path: File to write.
        rows: Figures of all processes.
        growth: Rows of `tools.benchmarks.operations`.
    """
    content = {"machine": machine(), "versions": versions(), "rows": list(rows), "growth": list(growth)}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
