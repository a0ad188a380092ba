"""Errors explain shapes that do not match, and `strict` rejects the traps of broadcasting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, scope, strict


def test_shapes_that_do_not_fit_are_explained():
    x, y = Tensor(np.ones((2, 3)), "x"), Tensor(np.ones((2, 4)), "y")
    with pytest.raises(ValueError, match=r"add of x \(2, 3\) and y \(2, 4\): axis -1 has length 3 .* and 4 in"):
        x + y
    with pytest.raises(
        ValueError, match=r"matmul of x \(2, 3\) and y \(2, 4\): the last axis of the first operand has length 3"
    ):
        x @ y
    with pytest.raises(ValueError, match=r"sub of an array \(3, 1\) and y \(2, 4\): axis -2 has length 3"):
        np.ones((3, 1)) - y
    with pytest.raises(ValueError, match=r"the matrix product @ would give \(2, 4\)"):
        x * Tensor(np.ones((3, 4)), "v")
    with pytest.raises(
        ValueError, match=r"matmul of x .* axis -1 has length 5 in the first operand and 2 in the second"
    ):
        Tensor(np.ones((5, 2, 3)), "x") @ Tensor(np.ones((2, 3, 1)), "y")
    with pytest.raises(ValueError, match=r"reshape: 6 elements \(shape \(2, 3\)\) do not fit into shape \(4, -1\)"):
        x.reshape(4, -1)
    for axes in ((0, 0), (1, 1), (0,), (0, 1, 2), (0, 2), (-3, 0)):
        with pytest.raises(ValueError, match=r"transpose .*\(2, 3\): .* is not a permutation of its axes"):
            x.transpose(*axes)
    with pytest.raises(ValueError, match="not a permutation"):
        Tensor(1.0).transpose(0)
    with pytest.raises(ValueError, match=r"matmul needs vectors or matrices: for a scalar, use \*"):
        x @ 2.0
    with pytest.raises(
        ValueError, match=r"max of an array of shape \(0, 2\): it has no elements, so it needs initial="
    ):
        Tensor(np.zeros((0, 2))).max()
    for key in (7, (0, 0, 0), [5]):
        with pytest.raises(IndexError):
            x[key]
    with pytest.raises(ValueError, match="must match exactly"):
        tinygraph.concatenate([x, y], axis=0)
    with pytest.raises(ValueError, match="must have the same shape"):
        tinygraph.stack([x, y])


@given(pair=st.tuples(*[st.lists(st.integers(0, 3), max_size=3).map(tuple)] * 2))
def test_whatever_numpy_refuses_to_broadcast_is_refused_in_words(pair):
    a, b = pair
    x, y = Tensor(np.ones(a), "x"), Tensor(np.ones(b), "y")
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match=r"axes are matched from the last"):
            x * y
    else:
        assert (x * y).shape == shape
    if a and b:
        try:
            shape = np.matmul(x.data, y.data).shape
        except ValueError:
            with pytest.raises(ValueError, match=r"matmul of x .* and y "):
                x @ y
        else:
            assert (x @ y).shape == shape


def test_traps_are_sprung_only_under_strict():
    column, row, A = Tensor(np.ones((3, 1)), "c"), Tensor(np.ones(3), "r"), Tensor(np.ones((1, 3)), "A")
    assert (column + row).shape == (3, 3)
    assert (A * column).shape == (3, 3)
    assert row.T.shape == (3,)
    with strict():
        with pytest.raises(ValueError, match=r"strict: add of c \(3, 1\) and r \(3,\) returns shape \(3, 3\).*reshape"):
            column + row
        with pytest.raises(
            ValueError, match=r"strict: A \(1, 3\) \* c \(3, 1\) returns shape \(3, 3\).* @ would give \(1, 1\)"
        ):
            A * column
        with pytest.raises(ValueError, match=r"strict: r has shape \(3,\), and .T of a 1-D array.*reshape\(-1, 1\)"):
            _ = row.T
        assert (row + 1.0).shape == (3,)
        assert (row.reshape(-1, 1) + column).shape == (3, 1)
        assert (Tensor(np.ones((2, 3))) + row).shape == (2, 3)
        assert column.T.shape == (1, 3)
        assert Tensor(1.0).T.shape == ()
    with scope("layer"):
        assert (column + row).shape == (3, 3)
        assert row.T.shape == (3,)


def test_the_way_out_of_a_trap_works():
    with strict():
        A, column = Tensor(np.ones((1, 3)), "A"), np.ones((3, 1))
        assert (np.broadcast_to(A, (3, 3)) * np.broadcast_to(column, (3, 3))).shape == (3, 3)
        y = np.broadcast_to(Tensor(np.ones(3)), (2, 3)).sum()
    y.backward()
    assert y.args[0].args[0].grad.tolist() == [2.0, 2.0, 2.0]
