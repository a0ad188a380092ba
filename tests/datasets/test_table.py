"""A split keeps the proportions of the classes, and a scaler standardizes the columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph.datasets import Scaler, Table, TableError, load_breast_cancer


@given(seed=st.integers())
def test_a_split_is_a_partition_that_keeps_the_shares(seed):
    table = load_breast_cancer()
    train, test = table.split(seed)
    assert sorted([*map(tuple, train.X), *map(tuple, test.X)]) == sorted(map(tuple, table.X))
    assert len(test.X) == 113
    assert test.y.count(1) == 42
    assert table.split(seed) == (train, test)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=2, max_size=20))
def test_scaled_columns_have_mean_0_and_deviation_1(X):
    scaler = Scaler.fit(X)
    for j, column in enumerate(zip(*scaler.transform(X), strict=True)):
        values = [row[j] for row in X]
        if max(values) - min(values) > 1e-3 * max(1.0, *map(abs, values)):
            assert sum(column) / len(column) == pytest.approx(0.0, abs=1e-6)
            assert sum(x * x for x in column) / len(column) == pytest.approx(1.0, rel=1e-6)
    assert Scaler.fit([[0.1 + 0.2, 5.0], [0.3, 5.0]]).std == [1.0, 1.0]


def test_too_few_rows_of_a_class_to_split():
    with pytest.raises(TableError, match="one row of class 'b'"):
        Table(("x",), "label", ("a", "b"), [[1.0], [2.0], [3.0]], [0, 0, 1]).split()
