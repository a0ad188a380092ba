"""A table with two classes, its split into training and test rows, and the standardization of its features."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import counted, described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEST_SHARE = 0.2


class TableError(ValueError):
    """A table cannot be used. The message names the file, the row and the column if they are known."""


@dataclass(frozen=True)
class Table:
    """A table with two classes.

    Args:
        features: Names of the n features.
        target: Name of the column with the classes.
        classes: Names of the two classes, in numerical order if both names are numbers, and otherwise in
            alphabetical order.
        X: Features: m rows of n numbers.
        y: Class of each row, 0 or 1, as an index into `classes`.
        source: Origin of the data.
        license: License of the data.
    """

    features: tuple[str, ...]
    target: str
    classes: tuple[str, str]
    X: list[list[float]]
    y: list[int]
    source: str = ""
    license: str = ""

    def split(self, seed: int = 0) -> tuple[Table, Table]:
        """Split the rows at random: 80% of each class for training and 20% for testing.

        Args:
            seed: Seed of the random number generator. Defaults to 0.

        Returns:
            The training table and the test table.

        Raises:
            TableError: If a class has fewer than two rows.
        """
        draw = random.Random(check_integer("seed", seed))
        test: set[int] = set()
        for label, name in enumerate(self.classes):
            rows = [i for i, y in enumerate(self.y) if y == label]
            if len(rows) < 2:
                raise TableError(
                    f"column {self.target!r}: one row of class {name!r} is not enough to train and test; add a row"
                )
            test.update(draw.sample(rows, max(1, round(TEST_SHARE * len(rows)))))
        train = [i for i in range(len(self.y)) if i not in test]
        return self._rows(train), self._rows(sorted(test))

    def _rows(self, rows: Sequence[int]) -> Table:
        return replace(self, X=[self.X[i] for i in rows], y=[self.y[i] for i in rows])


@dataclass(frozen=True)
class Scaler:
    """The mean and the standard deviation of each feature, for the standardization of tables.

    Args:
        mean: Mean of each of the n features.
        std: Standard deviation of each of the n features: the square root of the mean squared difference from `mean`.

    References:
        Why features should be standardized: Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", in
        Neural Networks: Tricks of the Trade, Lecture Notes in Computer Science 1524, Springer, 1998.
    """

    mean: list[float]
    std: list[float]

    @classmethod
    def fit(cls, X: Sequence[Sequence[float]]) -> Scaler:
        """Compute the mean and the standard deviation of each column.

        Args:
            X: Table with m rows of n numbers.

        Returns:
            The scaler. The standard deviation of a constant column is set to 1.

        Examples:
            >>> Scaler.fit([[1.0, 7.0], [3.0, 7.0]])
            Scaler(mean=[2.0, 7.0], std=[1.0, 1.0])
        """
        rows = _rows_of_numbers(X)
        if not rows or not rows[0]:
            raise ValueError(f"X must have at least one row and one column, not {described(X)}")
        mean, std = zip(*map(_mean_and_std, zip(*rows, strict=True)), strict=True)
        return cls(list(mean), list(std))

    def transform(self, X: Sequence[Sequence[float]]) -> list[list[float]]:
        """Standardize a table: subtract the means, then divide by the standard deviations.

        Args:
            X: Table with rows of n numbers.

        Returns:
            The standardized rows, as new lists.

        Examples:
            >>> Scaler([2.0], [0.5]).transform([[3.0]])
            [[2.0]]
        """
        X = _rows_of_numbers(X, len(self.mean))
        rows = [[(x - mu) / s for x, mu, s in zip(row, self.mean, self.std, strict=True)] for row in X]
        for row, scaled in zip(X, rows, strict=True):
            for j, x in enumerate(scaled):
                if math.isinf(x):  # the difference of huge numbers overflows, but their quotients do not
                    scaled[j] = row[j] / self.std[j] - self.mean[j] / self.std[j]
        return rows


def _rows_of_numbers(X: Any, n: int | None = None) -> list[list[float]]:
    """Return a table as lists of floats, after checking that it has rows of n numbers (or of equal length)."""
    if isinstance(X, (str, bytes, dict)) or not hasattr(type(X), "__iter__"):
        raise TypeError(f"X must be a table: a sequence of rows of numbers, not {described(X)}")
    rows = []
    for i, row in enumerate(X):
        if isinstance(row, (str, bytes, dict)) or not hasattr(type(row), "__iter__"):
            raise TypeError(f"row {i} of X must be a sequence of numbers, not {described(row)}")
        rows.append([plain_number(x, f"row {i} of X") for x in row])
        n = len(rows[0]) if n is None else n
        if len(rows[i]) != n:
            raise ValueError(f"row {i} of X must have {counted(n, 'number')}, not {len(rows[i])}")
    return rows


def _mean_and_std(column: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the standard deviation of a column.

    If a column is constant up to rounding, its standard deviation is set to 1, because a division by the tiny standard
    deviation would amplify the rounding errors.
    """
    largest = max(map(abs, column))
    try:
        mean = math.fsum(column) / len(column)
        std = math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))
    except OverflowError:  # the squares or the sum are too large for a float
        mean, std = (largest * x for x in _mean_and_std([x / largest for x in column]))
    return mean, std if std > 1e-12 * largest else 1.0
