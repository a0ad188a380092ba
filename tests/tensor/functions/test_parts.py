"""Functions that select or replace elements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.tensor.functions.linearity import assert_linear, assert_refused, cases
from tests.tensor.test_array_ops import keys, whole
from tinygraph import Tensor
from tinygraph.testing import arrays, shapes

LINEAR = """
np.delete(a,1); (4,)
np.delete(a,1,axis=1); (2,3)
np.delete(a,[0,-1],0); (4,2)
np.delete(a,slice(None,None,2),axis=-1); (2,5)
np.delete(a,np.array([True,False,True,False])); (4,)
np.delete(a,[]); (4,)
np.delete(a,0); (2,3)
np.split(a,2); (4,)
np.split(a,[1,3]); (4,)
np.split(a,[3,1]); (4,)
np.split(a,[1,9]); (4,)
np.split(a,[-1]); (4,)
np.split(a,2,axis=1); (2,4)
np.split(a,np.array([1])); (4,)
np.array_split(a,3); (4,)
np.array_split(a,3,axis=-1); (2,4)
np.array_split(a,5); (3,)
np.hsplit(a,2); (4,)
np.hsplit(a,2); (2,4)
np.vsplit(a,2); (4,2)
np.dsplit(a,2); (1,2,4)
np.unstack(a); (2,3)
np.unstack(a,axis=1); (2,3)
np.unstack(a,axis=-1); (2,3,2)
np.diag(a); (3,)
np.diag(a,1); (3,)
np.diag(a,-2); (3,)
np.diag(a); (3,4)
np.diag(a,k=-1); (3,4)
np.diag(a,9); (3,4)
np.diagonal(a); (3,4)
np.diagonal(a,1); (3,4)
np.diagonal(a,offset=-1,axis1=1,axis2=2); (2,3,4)
np.diagonal(a,0,2,0); (2,3,4)
np.linalg.diagonal(a); (2,3,3)
np.linalg.trace(a); (2,3,3)
np.linalg.trace(a,offset=1); (2,3,3)
a.diagonal(); (3,3)
a.diagonal(1,0,1); (3,3)
np.trace(a); (3,3)
np.trace(a,1); (3,4)
np.trace(a,axis1=1,axis2=2); (2,3,4)
np.trace(a); (2,3,4)
np.trace(a,7); (3,4)
a.trace(); (3,3)
np.diagflat(a); (2,3)
np.diagflat(a,-1); (2,)
np.diagflat(a); ()
np.tril(a); (3,3)
np.tril(a,1); (2,3,4)
np.tril(a,k=-1); (3,3)
np.triu(a); (3,4)
np.triu(a,-1); (3,4)
np.triu(a,2); (2,3,4)
np.tril(a); (3,)
np.triu(a,1); (3,)
np.take(a,[0,2,2]); (2,3)
np.take(a,1); (2,3)
np.take(a,[[0,1],[1,0]],axis=1); (2,3)
np.take(a,-1,axis=0); (2,3)
np.take(a,[5,-9],axis=1,mode='wrap'); (2,3)
np.take(a,[5,-9],axis=1,mode='clip'); (2,3)
np.take(a,np.array([[7]]),mode='wrap'); (2,3)
np.take(a,[True,False]); (3,)
np.take(a,[]); (3,)
np.take(a,np.array([],dtype=int)); (3,)
np.take(a,0); ()
a.take([1,0]); (3,)
a.take([1,0],axis=1); (2,3)
a.take(1,0); (2,3)
np.take_along_axis(a,np.array([[0,1,0]]),axis=0); (2,3)
np.take_along_axis(a,np.array([[2],[-1]]),axis=1); (2,3)
np.take_along_axis(a,np.array([[2],[-1]])); (2,3)
np.take_along_axis(a,np.array([2,3]),axis=None); (2,3)
np.take_along_axis(a,np.array([[0]]),axis=0); (2,3)
np.take_along_axis(a,np.array([[0]]),axis=1); (2,3)
np.take_along_axis(a,np.array([[[0],[1]]]),axis=1); (2,3,2)
np.compress([True,False,True],a); (2,3)
np.compress([True,False],a,axis=0); (2,3)
np.compress([0,1,1],a,axis=1); (2,3)
a.compress([True,False,True],axis=1); (2,3)
np.extract(np.array([[True,False,True],[False,True,False]]),a); (2,3)
np.extract([True,False],a); (2,3)
"""

REFUSED = """
np.delete(a,9); (4,)
np.split(a,3); (4,)
np.split(a,2,axis=3); (2,4)
np.array_split(a,0); (3,)
np.hsplit(a,2); ()
np.vsplit(a,2); (4,)
np.dsplit(a,2); (2,4)
np.unstack(a); ()
np.diag(a); (2,2,2)
np.diag(a); ()
np.diagonal(a); (3,)
np.diagonal(a,0,1,1); (3,3)
np.trace(a); (3,)
np.tril(a); ()
np.take(a,[5],axis=1); (2,3)
np.take(a,[0]); (0,)
np.take_along_axis(a,np.array([[2,3]]),axis=None); (2,3)
np.take_along_axis(a,np.array([2,3]),axis=0); (2,3)
np.take_along_axis(a,np.array([[9]]),axis=0); (2,3)
np.take_along_axis(a,np.array([[True]]),axis=1); (2,3)
np.compress([True]*7,a,axis=1); (2,3)
np.compress([0,0,0,0,1],a,axis=1); (2,3)
"""


@cases(LINEAR)
def test_value_and_derivatives(code, shapes):
    assert_linear(code, shapes)


@cases(REFUSED)
def test_refused_like_numpy(code, shapes):
    assert_refused(code, shapes)


# --- set_at


def assigned(x, key, values):
    copy = np.array(x)
    copy[key] = values
    return copy


@given(data=st.data())
def test_set_at_is_numpys_assignment_to_a_copy(data):
    (shape,) = data.draw(shapes(1))
    key = data.draw(keys(shape))  # also positions that occur twice
    target = np.zeros(shape)[key].shape
    new = tuple(data.draw(st.sampled_from([1, n])) for n in target)[data.draw(st.integers(0, len(target))) :]
    x, y = data.draw(arrays(shape, elements=whole)), data.draw(arrays(new, elements=whole))
    weights = data.draw(arrays(shape, elements=whole))
    t, v = Tensor(x), Tensor(y)
    out = tinygraph.set_at(t, key, v)
    assert np.array_equal(out.data, assigned(x, key, y))
    assert np.array_equal(t.data, x)
    (out * weights).sum().backward()
    assert np.array_equal(t.grad, assigned(weights, key, 0.0))
    for place in np.ndindex(*new):
        unit = np.zeros(new)
        unit[place] = 1.0
        assert v.grad[place] == np.sum(weights * assigned(np.zeros(shape), key, unit))
    assert np.array_equal(tinygraph.set_at(x, key, v).data, out.data)
    assert np.array_equal(tinygraph.set_at(t, key, y).data, out.data)
    assert np.array_equal(tinygraph.set_at(x, key, y), out.data)


def test_the_last_of_several_values_for_one_element_wins_and_gets_the_gradient():
    t, v = Tensor([1.0, 2.0, 3.0]), Tensor([10.0, 20.0, 30.0, np.inf])
    out = tinygraph.set_at(t, [2, 0, 2, 0], v)
    assert out.tolist() == [np.inf, 2.0, 30.0]
    first = tinygraph.grad((out * [5.0, 6.0, 7.0]).sum(), [t, v], create_graph=True)
    assert [g.tolist() for g in first] == [[0.0, 6.0, 0.0], [0.0, 0.0, 7.0, 5.0]]
    assert tinygraph.jvp(out, {v: np.ones(4)}).tolist() == [1.0, 0.0, 1.0]
    cube = (tinygraph.set_at(t, [0, 0], t[1:]) ** 3).sum()  # 3**3 + 2**3 + 3**3
    assert tinygraph.hessian(cube, t).tolist() == [[0.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 36.0]]


@pytest.mark.parametrize("key", [2, (0, slice(None)), np.array([True, False]), [[0, 1]]], ids=str)
@pytest.mark.parametrize("values", [np.ones((3, 1)), np.ones((2, 1, 2, 2))], ids=str)
def test_set_at_refuses_what_numpy_refuses(key, values):
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises((ValueError, IndexError)):
        assigned(t.data, key, values)
    with pytest.raises((ValueError, IndexError), match=r"^set_at: "):
        tinygraph.set_at(t, key, values)


def test_set_at_copies_its_index_and_notices_an_edited_leaf():
    key = np.array([0, 1])
    t, v = Tensor([1.0, 2.0, 3.0], "t"), Tensor([5.0, 6.0], "v")
    out = tinygraph.set_at(t, key, v)
    key[:] = 2
    v.data[0] = 7.0
    with pytest.raises(tinygraph.StaleGraphError, match="v"):
        out.sum().backward()
    assert out.forward().tolist() == [7.0, 6.0, 3.0]
    out.sum().backward()
    assert (t.grad.tolist(), v.grad.tolist()) == ([0.0, 0.0, 1.0], [1.0, 1.0])


def test_an_assignment_to_an_element_names_what_to_do():
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"use tinygraph\.set_at\(.*tinygraph\.where or tinygraph\.stack"):
        t[0] = 1.0
    with pytest.raises(TypeError, match="set_at"):
        t[0] += 1.0
    assert t.tolist() == [1.0, 2.0]


# --- indices


@pytest.mark.parametrize(
    "call",
    [
        lambda t, k: t.take(k),
        lambda t, k: np.take(t, k, axis=0),
        lambda t, k: np.take_along_axis(t, k, 0),
        lambda t, k: np.delete(t, k),
        lambda t, k: np.repeat(t, k + 1),
    ],
)
def test_an_array_of_indices_is_copied(call):
    k = np.array([0, 1, 1])
    t = Tensor([1.0, 2.0, 4.0])
    out = call(t, k)
    value = out.tolist()
    k[:] = 2
    out.sum().backward()
    gradient = t.grad.tolist()
    assert out.forward().tolist() == value
    fresh = Tensor([1.0, 2.0, 4.0])
    call(fresh, np.array([0, 1, 1])).sum().backward()
    assert gradient == fresh.grad.tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.take([1.0, 2.0], t),
        lambda t: np.take_along_axis(np.ones(2), t, 0),
        lambda t: np.compress(t, [1.0, 2.0]),
        lambda t: np.extract(t, [1.0, 2.0]),
        lambda t: np.delete([1.0, 2.0], t),
        lambda t: np.insert([1.0, 2.0], t, 0.0),
        lambda t: np.split(np.ones(2), t),
        lambda t: tinygraph.set_at([1.0, 2.0], t, 0.0),
    ],
)
def test_positions_are_not_tensors(call):
    with pytest.raises(TypeError, match=r"Tensor.*use (its |x|t)\.data"):
        call(Tensor([0.0, 1.0]))


def test_triangles_do_not_spread_nan():
    t = Tensor([[1.0, np.nan], [2.0, np.inf]])
    out = np.tril(t, -1)
    assert out.tolist() == [[0.0, 0.0], [2.0, 0.0]]
    out.sum().backward()
    assert t.grad.tolist() == [[0.0, 0.0], [1.0, 0.0]]
