"""Read CSV files. Each error message names the file and, where they apply, the row and the column."""

from __future__ import annotations

import csv
import difflib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tinygraph.datasets.table import Table, TableError
from tinygraph.support.messages import counted, short


def read_csv(path: str | Path, target: str) -> Table:
    r"""Read a CSV file with a header row.

    Args:
        path: CSV file, in UTF-8.
        target: Name of the column with the two classes. All other columns must contain numbers.

    Returns:
        The table. Labels that are numbers are compared as numbers, so that 9 and 9.0 are the same class.

    Raises:
        TableError: If the file cannot be used. The message names the file and, where they apply, the row (the line in
            the file) and the column.

    Examples:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "tumors.csv")
        >>> _ = path.write_text("radius,diagnosis\n17.99,malignant\n9.5,benign\n")
        >>> table = read_csv(path, "diagnosis")
        >>> table.features, table.classes, table.X, table.y
        (('radius',), ('benign', 'malignant'), [[17.99], [9.5]], [1, 0])
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _parse(str(path), csv.reader(file, strict=True), target)
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except OSError as error:
        raise TableError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: the file is not UTF-8 text (byte {error.start}); save the file as UTF-8") from None


def _parse(path: str, reader: Iterator[list[str]], target: str) -> Table:
    rows = _numbered(path, reader)
    _, cells = next(rows, (0, []))
    header = [name.strip() for name in cells]
    _check_header(path, header, target)
    at = header.index(target)
    X: list[list[float]] = []
    labels: list[str] = []
    seen: dict[float | str, str] = {}  # first spelling of each class
    for line, cells in rows:
        if len(cells) != len(header):
            found = counted(len(cells), "cell")
            raise TableError(f"{path}, row {line}: the row has {found}, but the header has {len(header)}")
        labels.append(_label(path, line, target, cells[at].strip(), seen))
        X.append([_number(path, line, header[i], cell) for i, cell in enumerate(cells) if i != at])
    if not X:
        raise TableError(f"{path}: the file has a header but no rows")
    if len(seen) == 1:
        only = _quoted(labels[0])
        raise TableError(
            f"{path}, column {_quoted(target)}: all {len(X)} rows are of class {only}, but two classes are needed"
        )
    numeric = all(isinstance(key, float) for key in seen)
    low, high = (seen[key] for key in sorted(seen, key=None if numeric else str))
    features = tuple(name for i, name in enumerate(header) if i != at)
    return Table(features, target, (low, high), X, [int(label == high) for label in labels])


def _check_header(path: str, header: list[str], target: str) -> None:
    if not header:
        raise TableError(f"{path}: the file is empty")
    if target not in header:
        close = difflib.get_close_matches(target, header[:1000], 1)
        names = ", ".join(map(short, header[:8])) + ", …" * (len(header) > 8)
        hint = f"the most similar name is {_quoted(close[0])}" if close else f"the columns are {names}"
        raise TableError(f"{path}: the file has no column {_quoted(target)}; {hint}")
    if len(set(header)) < len(header):
        twice = Counter(header).most_common(1)[0][0]
        raise TableError(f"{path}, row 1: two columns have the name {_quoted(twice)}; rename one of the columns")
    if len(header) == 1:
        raise TableError(f"{path}: the only column is {_quoted(target)}, so there is no feature to learn from")


def _label(path: str, line: int, target: str, label: str, seen: dict[float | str, str]) -> str:
    """Return the label in the first spelling of its class. Add a new class to `seen`."""
    where = f"{path}, row {line}, column {_quoted(target)}"
    if not label:
        raise TableError(f"{where}: the cell is empty")
    label = seen.setdefault(_key(label), label)
    if len(seen) > 2:
        first, second, third = map(_quoted, seen.values())
        raise TableError(f"{where}: {third} is a third class, after {first} and {second}")
    return label


def _numbered(path: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, with their line numbers in the file."""
    try:
        for row in reader:
            if row:
                yield reader.line_num, row  # type: ignore[attr-defined]
    except csv.Error as error:
        raise TableError(f"{path}, row {reader.line_num}: the file is not CSV: {error}") from None  # type: ignore[attr-defined]


def _key(label: str) -> float | str:
    """Return the key of a label's class: the label as a number if possible, and otherwise the label itself."""
    try:
        number = float(label)
    except ValueError:
        return label
    return number if number == number else label


def _number(path: str, line: int, column: str, cell: str) -> float:
    where = f"{path}, row {line}, column {_quoted(column)}"
    try:
        if "_" in cell:  # Python accepts 1_000 as a number, but a CSV file should not contain it
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
