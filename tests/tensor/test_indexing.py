"""Indexing of Tensors."""

import numpy as np
import pytest

from tinygraph import Tensor


@pytest.mark.parametrize(
    "make",
    [lambda: np.array([0, 1]), lambda: [0, 1], lambda: np.array([True, True, False])],
    ids=["array", "list", "mask"],
)
@pytest.mark.parametrize("inside", [False, True], ids=["key", "tuple"])
def test_an_index_that_changes_later_moves_no_gradient(make, inside):
    key = make()
    t = Tensor([[1.0], [2.0], [3.0]])
    y = (t[key, 0] if inside else t[key]).sum()
    key[0] = key[-1]
    if len(key) == 3:
        key[-1] = True
    y.backward()
    assert t.grad.ravel().tolist() == [1.0, 1.0, 0.0]
    assert y.forward().data == 3.0
