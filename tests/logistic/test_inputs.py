"""The layout in memory of the tables that the model accepts."""

import numpy as np
import pytest

from tinygraph.logistic.inputs import examples


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_table_of_floats_is_not_copied_and_a_converted_one_has_its_rows_in_memory(order):
    table = np.array(np.arange(6).reshape(2, 3), order=order)
    floats = np.array(table, dtype=float, order=order)
    assert np.shares_memory(examples(floats), floats)
    converted = examples(table)
    assert converted.flags.c_contiguous
    assert converted.tolist() == table.tolist()
