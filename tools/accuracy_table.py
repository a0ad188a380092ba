"""Measure every row of the table against mpmath and write `docs/accuracy.md`.

python -m tools.accuracy_table
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.oracles.references import ROWS, points, row_partial, row_value, ulp_error

COUNT = 4000
PAGE = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
INTRODUCTION = """\
# How accurate is it?

Every row of the table was compared with mpmath at 50 digits, at {count} points of its domain that
are the same each time: the borders and their neighbouring floats, landmarks such as 0, 1/2, 1, π
and the edge where `exp` overflows, the lecture's range up to ±1000, and the extremes of float64,
subnormals included. For each row stand the worst error of its value and of its slopes, and where.

The unit is the ULP, the spacing of floats at the true result (5e-324 among the subnormals): half a
ULP is the best a float can do. The law is **value ≤ 2 ULP, slope ≤ 4 ULP**; `tests/engine/test_accuracy.py`
holds it at the first of these points and at random ones. A slope is taken through a graph, as every
user gets it. Where the true result is a difference that cancels, the last column says what the error is measured
against. These are the worst of the points that were tried, and not proven bounds; the elementary
functions underneath are those of Python's `math`, so another C library may move the last digit.

| row | domain | worst value | at | worst slope | at | exception |
|---|---|---|---|---|---|---|
"""
END = """
This page is written by

```
python -m tools.accuracy_table
```
"""


def worst(name: str, count: int = COUNT) -> tuple[tuple[float, str], tuple[float, str]]:
    """The largest errors of value and slope among the row's points, each with its point."""
    row, truth = ROWS[name]
    value, local = (-1.0, ""), (-1.0, "")
    for point in points(row, count):
        where = f"({', '.join(f'{x!r}' for x in point)})"
        error = ulp_error(row_value(row, point), truth.expected(point), truth.size(point))
        value = max(value, (error, where), key=lambda found: found[0])
        for slot in range(len(point)):
            error = ulp_error(row_partial(row, point, slot), truth.expected(point, slot), truth.size(point, slot))
            local = max(local, (error, where), key=lambda found: found[0])
    return value, local


def line(name: str) -> str:
    """One line of the page."""
    row, truth = ROWS[name]
    cells = [f"`{name}`", row.domain.text]
    for error, where in worst(name):
        cells += [f"{error:.2f}", f"`{where}`" if error else "·"]
    return " | ".join(["", *cells, truth.exception, ""]).strip() + "\n"


def main() -> None:
    """Measure and write."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(INTRODUCTION.format(count=COUNT) + "".join(map(line, ROWS)) + END, encoding="utf-8")


if __name__ == "__main__":
    main()
