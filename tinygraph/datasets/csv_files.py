"""Read CSV files. Each error message names the file and, where applicable, the row and the column."""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tinygraph.datasets.table import Table, TableError
from tinygraph.support.arguments import as_path, check_kind
from tinygraph.support.messages import counted, short

SEPARATORS = ",;\t"


def read_csv(path: str | Path, target: str) -> Table:
    r"""Read a CSV file with a header row.

    The cells can be separated by commas, semicolons or tabs. `read_csv` tries these separators in this order, and uses
    the first one for which `target` is a column of the header. A column without a name is left out with a warning,
    because pandas and R write row numbers into such a column.

    Args:
        path: CSV file, in UTF-8.
        target: Name of the column with the two classes. All other columns must contain numbers.

    Returns:
        The table. Labels are compared as written, so 7 and 007 are two classes.

    Raises:
        TableError: If the file cannot be used. The message names the file and, where applicable, the row (the line in
            the file) and the column.

    Warns:
        UserWarning: If a column is left out.

    Examples:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "tumors.csv")
        >>> _ = path.write_text("radius,diagnosis\n17.99,malignant\n9.5,benign\n")
        >>> table = read_csv(path, "diagnosis")
        >>> table.features, table.classes, table.X, table.y
        (('radius',), ('benign', 'malignant'), [[17.99], [9.5]], [1, 0])
    """
    path = as_path("path", path)
    check_kind("target", target, str, "the name of a column")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            separator = _separator(file, target)
            file.seek(0)
            return _parse(str(path), csv.reader(file, strict=True, delimiter=separator), target)
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except OSError as error:
        raise TableError(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: the file is not UTF-8 text (byte {error.start}); save the file as UTF-8") from None


def _separator(file: io.TextIOBase, target: str) -> str:
    """Return the first separator for which the target is a column of the header, or a comma if there is none."""
    for separator in SEPARATORS:
        file.seek(0)
        try:
            header = next((row for row in csv.reader(file, delimiter=separator) if row), [])
        except csv.Error:
            continue
        if target in [name.strip() for name in header]:
            return separator
    return ","


def _parse(path: str, reader: Iterator[list[str]], target: str) -> Table:
    rows = _numbered(path, reader)
    _, cells = next(rows, (0, []))
    header = [name.strip() for name in cells]
    _check_header(path, header, target)
    at = header.index(target)
    columns = [i for i, name in enumerate(header) if name and i != at]
    for i, name in enumerate(header, 1):
        if not name:
            warnings.warn(f"{path}: column {i} has no name, so it is left out", stacklevel=3)
    X: list[list[float]] = []
    labels: list[str] = []
    seen: list[str] = []
    for line, cells in rows:
        if len(cells) != len(header):
            found = counted(len(cells), "cell")
            hint = "; add a header for the row names" if len(cells) == len(header) + 1 and line == 2 else ""
            raise TableError(f"{path}, row {line}: the row has {found}, but the header has {len(header)}{hint}")
        labels.append(_label(path, line, target, cells[at].strip(), seen))
        X.append([_number(path, line, header[i], cells[i]) for i in columns])
    if not X:
        raise TableError(f"{path}: the file has a header but no rows")
    if len(seen) == 1:
        only = _quoted(labels[0])
        raise TableError(
            f"{path}, column {_quoted(target)}: all {len(X)} rows are of class {only}, but two classes are needed"
        )
    numbers = [number for label in seen if (number := _as_decimal(label)) is not None]
    low, high = sorted(seen) if len(numbers) < 2 else [label for _, label in sorted(zip(numbers, seen, strict=True))]
    features = tuple(header[i] for i in columns)
    return Table(features, target, (low, high), X, [int(label == high) for label in labels])


def _check_header(path: str, header: list[str], target: str) -> None:
    if not header:
        raise TableError(f"{path}: the file is empty")
    if target not in header:
        close = difflib.get_close_matches(target, header[:1000], 1)
        shown = ", ".join(map(short, header[:8])) + ", …" * (len(header) > 8)
        hint = f"the most similar name is {_quoted(close[0])}" if close else f"the columns are {shown}"
        raise TableError(f"{path}: the file has no column {_quoted(target)}; {hint}")
    names = list(filter(None, header))
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise TableError(f"{path}, row 1: two columns have the name {_quoted(twice)}; rename one of the columns")
    if len(names) == 1:
        raise TableError(f"{path}: the only column is {_quoted(target)}, so there is no feature to learn from")


def _label(path: str, line: int, target: str, label: str, seen: list[str]) -> str:
    """Check a label, and return it. If the label is a new class, add it to `seen`."""
    where = f"{path}, row {line}, column {_quoted(target)}"
    if not label:
        raise TableError(f"{where}: the cell is empty")
    if label not in seen:
        seen.append(label)
    if len(seen) > 2:
        first, second, third = map(_quoted, seen)
        raise TableError(f"{where}: {third} is a third class, after {first} and {second}")
    return label


def _numbered(path: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, with their line numbers in the file."""
    try:
        for row in reader:
            if row:
                yield reader.line_num, row  # type: ignore[attr-defined]
    except csv.Error as error:
        raise TableError(f"{path}, row {reader.line_num}: the file is not a valid CSV file: {error}") from None  # type: ignore[attr-defined]


def _as_decimal(label: str) -> Decimal | None:
    """Return a label as an exact number, or None if the label is not a number."""
    try:
        number = Decimal(label)
    except InvalidOperation:
        return None
    return None if number.is_nan() else number


def _number(path: str, line: int, column: str, cell: str) -> float:
    where = f"{path}, row {line}, column {_quoted(column)}"
    shown = cell.strip()[:40]
    try:
        if "_" in cell or not cell.isascii():  # Python accepts 1_000 and digits of other scripts
            raise ValueError
        number = float(cell)
    except ValueError:
        if not shown:
            raise TableError(f"{where}: the cell is empty") from None
        hint = ""
        if _NUMBER_WITH_COMMA.fullmatch(shown):
            hint = "; use a point as the decimal separator, and remove thousands separators"
        elif not shown.isascii() and _is_number(shown):
            hint = "; use the digits 0 to 9"
        raise TableError(f"{where}: {shown!r} is not a number{hint}") from None
    if not math.isfinite(number):
        raise TableError(f"{where}: {shown!r} is not a finite number")
    return number


_NUMBER_WITH_COMMA = re.compile(r"[+-]?[\d.,]*,\d[\d.,]*(?:[eE][+-]?\d+)?", re.ASCII)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return repr(short(text))
