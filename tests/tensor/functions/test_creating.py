"""Copies, arrays of the same shape, and other forms of a Tensor."""

import numpy as np
import pytest

import tinygraph
from tests.tensor.functions.linearity import assert_linear, cases
from tinygraph import Tensor

LINEAR = """
np.copy(a); (2,3)
np.copy(a,order="F"); (2,3)
a.copy(); ()
np.real(a); (2,)
a.astype(float); (2,)
a.real; (2,)
"""


@cases(LINEAR)
def test_value_and_derivatives(code, shapes):
    assert_linear(code, shapes)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "full_like", "empty_like"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype": int},
        {"dtype": np.float32, "order": "F"},
        {"shape": (2,)},
        {"dtype": bool, "shape": 3},
        {"subok": True},
    ],
    ids=str,
)
def test_arrays_of_the_same_shape_are_numpys(name, options):
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    fill = (2.0,) if name == "full_like" else ()
    ours, theirs = (getattr(np, name)(x, *fill, **options) for x in (t, t.data))
    assert type(ours) is np.ndarray
    assert (ours.shape, ours.dtype, ours.flags.f_contiguous) == (theirs.shape, theirs.dtype, theirs.flags.f_contiguous)
    assert name == "empty_like" or np.array_equal(ours, theirs)
    ours[...] = 1  # it is not a view of the Tensor
    assert t.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_an_array_of_the_value_of_a_tensor_gets_its_gradient():
    t, s = Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor(5.0)
    out = np.full_like(t, s)
    assert out.tolist() == [[5.0, 5.0], [5.0, 5.0]]
    out.sum().backward()
    assert s.grad == 4.0
    assert np.full_like(t, s, shape=3).tolist() == [5.0, 5.0, 5.0]
    with pytest.raises(TypeError, match="dtype must be float"):
        np.full_like(t, s, dtype=int)


def test_a_copy_is_a_node_and_a_detached_copy_is_not():
    w = Tensor([1.0, 2.0], "w")
    y = (w.copy() * w.detach()).sum()
    y.backward()
    assert w.grad.tolist() == [1.0, 2.0]
    assert np.copy(w).op.name == "copy"
    w.data[0] = 3.0
    with pytest.raises(tinygraph.StaleGraphError, match="w"):
        y.backward()
    assert Tensor([1.0], constant=True).copy().constant


def test_real_numbers():
    t = Tensor([1.0, 2.0])
    assert t.real is t.astype(float) is t.astype("float64", copy=False) is np.real_if_close(t) is t
    assert (np.isrealobj(t), np.iscomplexobj(t)) == (True, False)
    assert (np.isreal(t).tolist(), np.iscomplex(t).tolist()) == ([True, True], [False, False])
    assert t.tolist() == [1.0, 2.0]
    assert Tensor(2.0).tolist() == 2.0
    assert [x.item() for x in t.flat] == [1.0, 2.0]


@pytest.mark.parametrize("dtype", [int, np.float32, complex, "i4", bool, object, "wrong", [("x", float)]], ids=str)
def test_other_types_of_elements_are_refused(dtype):
    with pytest.raises(TypeError, match=r"astype: the elements of a Tensor are float64.*use the \.data"):
        Tensor([1.0]).astype(dtype)


def test_the_imaginary_part_is_refused():
    with pytest.raises(TypeError, match=r"np\.imag does not work on a Tensor"):
        np.imag(Tensor([1.0]))
    assert not hasattr(Tensor([1.0]), "imag")
