"""Measure every op against mpmath and write `docs/accuracy.md`.

python -m tools.accuracy_table
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.oracles.references import ROWS, points, row_partial, row_value, ulp_error

COUNT = 4000
PAGE = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
INTRODUCTION = """\
# Accuracy

For every op, the results were compared with those of mpmath at {count:,} points of the op's domain. mpmath used 50
digits. The points are the same in each run and include:

- the bounds of the domain and the floats next to them
- special points, such as 0, 1/2, 1, π and the point where `exp` overflows
- the lecture's range, up to ±1000
- the extremes of float64, including subnormal numbers

For each op, the table on this page shows the worst error of its value, the worst error of its local derivatives, and
the operands for which each error occurred.

Errors are given in *ULP* (units in the last place). One ULP is the spacing of floats at the true result.
[Goldberg (1991)](https://doi.org/10.1145/103162.103163) explains this unit. For subnormal numbers, a ULP is 5e-324. The
float nearest to a true result can be half a ULP away, so no implementation can guarantee an error below 0.50 ULP.

Each op must meet two limits: **2 ULP for the value and 4 ULP for each local derivative**. The test
`tests/engine/test_accuracy.py` checks both limits at some of these points and at random points. The errors in the table
are the worst errors that were found, not proven bounds.

The local derivatives are taken from a graph, as in your own programs. If the true result is a difference and its terms
nearly cancel, one ULP of this result is too small a unit. In that case, the column "exception" shows the unit that is
used instead. The elementary functions come from Python's `math` module, so the last digit of a result can differ if
Python uses another C library.

At special points, `tests/engine/test_special_points.py` compares Values, Tensors and the limits that mpmath finds.
Special points are zeros of both signs, ±1, infinities, NaN, subnormal numbers and the largest floats. There, a Value
and a Tensor have the same value and the same derivatives of order 1 to 3, including the signs of zeros. Elsewhere, the
last digit of a function such as `exp` can differ, because NumPy does not call Python's `math` module. A result is the
limit wherever a limit exists. For example, the derivatives of `1 / x` at −0.0 are −∞, and those of `atan` at ∞ are 0.

| op | domain | worst error of the value | at | worst error of a local derivative | at | exception |
|---|---|---|---|---|---|---|
"""
END = """
With the extra `test` (`pip install '.[test]'`), the command `python -m tools.accuracy_table` generates this page. The
[list of ops](reference/ops.md) shows the formula and the local derivatives of each op. To
check the derivatives of your own functions, read [check a gradient](check-a-gradient.md).
"""


def worst(name: str, count: int = COUNT) -> tuple[tuple[float, str], tuple[float, str]]:
    """Return the largest errors of the value and of a local derivative, each with its point."""
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
    """Return one line of the table."""
    row, truth = ROWS[name]
    cells = [f"`{name}`", row.domain.text]
    for error, where in worst(name):
        cells += [f"{error:.2f}", f"`{where}`" if error else "·"]
    return " | ".join(["", *cells, truth.exception, ""]).strip() + "\n"


def main() -> None:
    """Measure the ops and write the page."""
    lines = []
    with ProcessPoolExecutor() as pool:
        for number, found in enumerate(pool.map(line, ROWS), 1):
            lines.append(found)
            print(f"\r{number} of {len(ROWS)} ops", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    PAGE.write_text(INTRODUCTION.format(count=COUNT) + "".join(lines) + END, encoding="utf-8")


if __name__ == "__main__":
    main()
