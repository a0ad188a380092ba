"""The Breast Cancer Wisconsin table is complete and correct."""

import subprocess
import sys

import pytest

from tinygraph.datasets import load_breast_cancer


def test_the_real_table():
    table = load_breast_cancer()
    assert (len(table.X), len(table.features)) == (569, 30)
    assert table.classes == ("benign", "malignant")
    assert table.y.count(1) == 212
    assert table.X[0][:3] == [17.99, 10.38, 122.8]
    assert table.license == "CC BY 4.0"
    assert "10.24432/C5DW2B" in table.source


def test_it_is_the_table_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets", reason="needs the dependency group oracles")
    theirs, ours = datasets.load_breast_cancer(), load_breast_cancer()
    assert theirs.data.tolist() == ours.X
    assert [1 - y for y in ours.y] == theirs.target.tolist()
    assert list(ours.features) == [name.replace(" ", "_") for name in theirs.feature_names]


def test_loading_needs_no_numpy():
    program = (
        "import sys; from tinygraph.datasets import load_breast_cancer as f; f().split(); print('numpy' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
