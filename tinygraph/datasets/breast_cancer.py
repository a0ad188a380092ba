"""The data set that the package contains: Breast Cancer Wisconsin (Diagnostic)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinygraph.datasets.csv_files import read_csv
from tinygraph.datasets.table import Table


def load_breast_cancer() -> Table:
    """Return the Breast Cancer Wisconsin (Diagnostic) data set.

    The data set describes 569 tumors with 30 features each. The classes are benign (0) and malignant (1).

    Returns:
        The table.

    References:
        W. H. Wolberg, W. N. Street and O. L. Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning
        Repository, 1995, https://doi.org/10.24432/C5DW2B, license CC BY 4.0.

    Examples:
        >>> table = load_breast_cancer()
        >>> len(table.X), len(table.features), table.classes
        (569, 30, ('benign', 'malignant'))
    """
    table = read_csv(Path(__file__).with_name("breast_cancer.csv"), "diagnosis")
    source = "Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, doi:10.24432/C5DW2B"
    return replace(table, source=source, license="CC BY 4.0")
