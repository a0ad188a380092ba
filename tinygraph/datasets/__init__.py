"""Tables to learn from: the real one that comes along, and a user's own CSV file.

No NumPy is needed: a table is a list of rows.
"""

from __future__ import annotations

import csv
import difflib
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinygraph.support.messages import short

TEST_SHARE = 0.2


class TableError(ValueError):
    """A table that cannot be used; the message names file, row and column."""


@dataclass(frozen=True)
class Table:
    """A table with two classes: `X` (m rows of n numbers), `y` (0 or 1), and what they are called.

    `classes[y]` is the name of the class; in the order of the alphabet, or of numbers.
    """

    features: tuple[str, ...]
    target: str
    classes: tuple[str, str]
    X: list[list[float]]
    y: list[int]
    source: str = ""
    licence: str = ""

    def split(self, seed: int = 0) -> tuple[Table, Table]:
        """A training and a test table; a fifth of each class, drawn at random, goes into the test."""
        draw = random.Random(seed)
        test: set[int] = set()
        for label, name in enumerate(self.classes):
            rows = [i for i, y in enumerate(self.y) if y == label]
            if len(rows) < 2:
                raise TableError(
                    f"column {self.target!r}: one row of class {name!r} is not enough to train and test on"
                )
            test.update(draw.sample(rows, max(1, round(TEST_SHARE * len(rows)))))
        train = [i for i in range(len(self.y)) if i not in test]
        return self._rows(train), self._rows(sorted(test))

    def _rows(self, rows: Sequence[int]) -> Table:
        X, y = [self.X[i] for i in rows], [self.y[i] for i in rows]
        return Table(self.features, self.target, self.classes, X, y, self.source, self.licence)


@dataclass(frozen=True)
class Scaler:
    """The mean and standard deviation of each feature, to bring all of them to one scale."""

    mean: list[float]
    deviation: list[float]

    @classmethod
    def of(cls, X: Sequence[Sequence[float]]) -> Scaler:
        """Measure the columns of X; a constant column keeps the scale 1.

        >>> Scaler.of([[1.0, 7.0], [3.0, 7.0]])
        Scaler(mean=[2.0, 7.0], deviation=[1.0, 1.0])
        """
        mean, deviation = zip(*map(_mean_and_deviation, zip(*X, strict=True)), strict=True)
        return cls(list(mean), list(deviation))

    def scale(self, X: Sequence[Sequence[float]]) -> list[list[float]]:
        """X less the mean, in units of the deviation.

        >>> Scaler([2.0], [0.5]).scale([[3.0]])
        [[2.0]]
        """
        rows = [[(x - mu) / s for x, mu, s in zip(row, self.mean, self.deviation, strict=True)] for row in X]
        for row, scaled in zip(X, rows, strict=True):
            for j, x in enumerate(scaled):
                if math.isinf(x):  # the difference of huge numbers, which the quotients are not
                    scaled[j] = row[j] / self.deviation[j] - self.mean[j] / self.deviation[j]
        return rows


def _mean_and_deviation(column: Sequence[float]) -> tuple[float, float]:
    """Of a column of numbers; the deviation is 1 where it is constant but for rounding, noise that it would amplify."""
    largest = max(map(abs, column))
    try:
        mean = math.fsum(column) / len(column)
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))
    except OverflowError:  # numbers whose squares, or whose sum, no float can hold
        mean, deviation = (largest * x for x in _mean_and_deviation([x / largest for x in column]))
    return mean, deviation if deviation > 1e-12 * largest else 1.0


def load_breast_cancer() -> Table:
    """The Breast Cancer Wisconsin (Diagnostic) table: 569 tumours, 30 measures, benign 0 or malignant 1.

    W. H. Wolberg, W. N. Street, O. L. Mangasarian, UCI Machine Learning Repository (1995),
    https://doi.org/10.24432/C5DW2B, licence CC BY 4.0.

    >>> table = load_breast_cancer()
    >>> len(table.X), len(table.features), table.classes
    (569, 30, ('benign', 'malignant'))
    """
    table = read_csv(Path(__file__).with_name("breast_cancer.csv"), "diagnosis")
    source = "Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, doi:10.24432/C5DW2B"
    return Table(table.features, table.target, table.classes, table.X, table.y, source, "CC BY 4.0")


def read_csv(path: str | Path, target: str) -> Table:
    """Read a CSV file with a header row; the column `target` has two classes, all others are numbers.

    Raises TableError, with one sentence that names file, row (the line of the file) and column.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _parse(str(path), csv.reader(file, strict=True), target)
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not UTF-8 text (byte {error.start})") from None


def _parse(path: str, reader: Iterator[list[str]], target: str) -> Table:
    rows = _numbered(path, reader)
    _, header = next(rows, (0, []))
    header = [name.strip() for name in header]
    if not header:
        raise TableError(f"{path}: is empty")
    if target not in header:
        close = difflib.get_close_matches(target, header[:1000], 1)
        names = ", ".join(map(short, header[:8])) + ", …" * (len(header) > 8)
        hint = f"did you mean {_quoted(close[0])}?" if close else f"it has {names}"
        raise TableError(f"{path}: has no column {_quoted(target)}; {hint}")
    if len(set(header)) < len(header):
        twice = Counter(header).most_common(1)[0][0]
        raise TableError(f"{path}, row 1: has two columns named {_quoted(twice)}")
    if len(header) == 1:
        raise TableError(f"{path}: has no column but {_quoted(target)}, so nothing to learn from")
    at = header.index(target)
    X: list[list[float]] = []
    labels: list[str] = []
    seen: dict[float | str, str] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise TableError(f"{path}, row {line}: has {len(cells)} cells where the header has {len(header)}")
        label = cells[at].strip()
        if not label:
            raise TableError(f"{path}, row {line}, column {_quoted(target)}: the cell is empty")
        label = seen.setdefault(_key(label), label)
        if len(seen) > 2:
            first, second, third = map(_quoted, seen.values())
            where = f"{path}, row {line}, column {_quoted(target)}"
            raise TableError(f"{where}: {third} is a third class, after {first} and {second}")
        labels.append(label)
        X.append([_number(path, line, header[i], cell) for i, cell in enumerate(cells) if i != at])
    if not X:
        raise TableError(f"{path}: has a header but no rows")
    if len(seen) == 1:
        only = _quoted(labels[0])
        raise TableError(
            f"{path}, column {_quoted(target)}: all {len(X)} rows are of class {only}, but two classes are needed"
        )
    numeric = all(isinstance(key, float) for key in seen)
    low, high = (seen[key] for key in sorted(seen, key=None if numeric else str))
    features = tuple(name for i, name in enumerate(header) if i != at)
    return Table(features, target, (low, high), X, [int(label == high) for label in labels])


def _numbered(path: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with their lines in the file."""
    try:
        for row in reader:
            if row:
                yield reader.line_num, row  # type: ignore[attr-defined]
    except csv.Error as error:
        raise TableError(f"{path}, row {reader.line_num}: is not CSV: {error}") from None  # type: ignore[attr-defined]


def _key(label: str) -> float | str:
    """What makes two labels the same class: their number if they are numbers."""
    try:
        number = float(label)
    except ValueError:
        return label
    return number if number == number else label


def _number(path: str, line: int, column: str, cell: str) -> float:
    where = f"{path}, row {line}, column {_quoted(column)}"
    try:
        if "_" in cell:  # Python reads 1_000 as a number, a table does not mean it
            raise ValueError
        number = float(cell)
    except ValueError:
        shown = cell.strip()[:40]
        raise TableError(f"{where}: {shown!r} is not a number" if shown else f"{where}: the cell is empty") from None
    if not math.isfinite(number):
        raise TableError(f"{where}: {cell.strip()[:40]!r} is not a finite number")
    return number


def _quoted(text: str) -> str:
    return repr(short(text))
