"""A table with two classes, its split into training and test rows, and the standardization of its features."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

TEST_SHARE = 0.2


class TableError(ValueError):
    """A table cannot be used; the message names file, row and column."""


@dataclass(frozen=True)
class Table:
    """A table with two classes.

    Attributes:
        features: The names of the n features.
        target: The name of the column with the classes.
        classes: The names of the two classes, in alphabetical order, or in the order of numbers.
        X: m rows of n numbers.
        y: The class of each row, 0 or 1; `classes[y]` is its name.
        source: Where the data come from.
        license: The license of the data.
    """

    features: tuple[str, ...]
    target: str
    classes: tuple[str, str]
    X: list[list[float]]
    y: list[int]
    source: str = ""
    license: str = ""

    def split(self, seed: int = 0) -> tuple[Table, Table]:
        """Split the rows at random, 80 % of each class for training and 20 % for testing.

        Args:
            seed: Decides which rows are drawn.

        Returns:
            The training table and the test table.

        Raises:
            TableError: If a class has fewer than two rows.
        """
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
        return replace(self, X=[self.X[i] for i in rows], y=[self.y[i] for i in rows])


@dataclass(frozen=True)
class Scaler:
    """The mean and standard deviation of each feature, with which a table is standardized.

    Attributes:
        mean: The mean of each feature.
        std: The standard deviation of each feature.
    """

    mean: list[float]
    std: list[float]

    @classmethod
    def fit(cls, X: Sequence[Sequence[float]]) -> Scaler:
        """Measure the columns of a table.

        Args:
            X: m rows of n numbers.

        Returns:
            The scaler; the standard deviation of a constant column is set to 1.

        Examples:
            >>> Scaler.fit([[1.0, 7.0], [3.0, 7.0]])
            Scaler(mean=[2.0, 7.0], std=[1.0, 1.0])
        """
        mean, std = zip(*map(_mean_and_std, zip(*X, strict=True)), strict=True)
        return cls(list(mean), list(std))

    def transform(self, X: Sequence[Sequence[float]]) -> list[list[float]]:
        """Standardize a table: subtract the means, then divide by the standard deviations.

        Args:
            X: Rows of n numbers.

        Returns:
            New rows.

        Examples:
            >>> Scaler([2.0], [0.5]).transform([[3.0]])
            [[2.0]]
        """
        rows = [[(x - mu) / s for x, mu, s in zip(row, self.mean, self.std, strict=True)] for row in X]
        for row, scaled in zip(X, rows, strict=True):
            for j, x in enumerate(scaled):
                if math.isinf(x):  # the difference of huge numbers overflows, but their quotients do not
                    scaled[j] = row[j] / self.std[j] - self.mean[j] / self.std[j]
        return rows


def _mean_and_std(column: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; 1 for a column that is constant up to rounding, noise that it would amplify."""
    largest = max(map(abs, column))
    try:
        mean = math.fsum(column) / len(column)
        std = math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))
    except OverflowError:  # the squares or the sum are too large for a float
        mean, std = (largest * x for x in _mean_and_std([x / largest for x in column]))
    return mean, std if std > 1e-12 * largest else 1.0
