"""Tables for training: the Breast Cancer Wisconsin data set, and your own CSV files.

The tables do not need NumPy, because they store lists of rows.
"""

from __future__ import annotations

from tinygraph.datasets.breast_cancer import load_breast_cancer
from tinygraph.datasets.csv_files import read_csv
from tinygraph.datasets.table import Scaler, Table, TableError

__all__ = ["Scaler", "Table", "TableError", "load_breast_cancer", "read_csv"]
