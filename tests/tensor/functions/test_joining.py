"""Functions that join arrays."""

import numpy as np
import pytest

import tinygraph
from tests.tensor.functions.linearity import assert_linear, assert_refused, cases
from tinygraph import Tensor

LINEAR = """
np.vstack([a,b]); (3,),(2,3)
np.vstack((a,b)); (3,),(3,)
np.vstack([a]); ()
np.hstack([a,b]); (3,),(2,)
np.hstack([a,b]); (2,3),(2,1)
np.hstack([a,b]); (),()
np.hstack(a); (2,3)
np.vstack(a); (2,3)
np.dstack([a,b]); (3,),(3,)
np.dstack([a,b]); (2,3),(2,3)
np.dstack([a,b]); (2,3,1),(2,3,2)
np.column_stack([a,b]); (3,),(3,)
np.column_stack([a,b]); (3,2),(3,)
np.column_stack([a,b]); (),()
np.column_stack([a]); (2,3,1)
np.concatenate([a,b],axis=None); (2,3),(2,)
np.concat([a,b],axis=0); (2,),(2,)
np.block([a,b]); (2,),(3,)
np.block([[a,b],[b,a]]); (2,3),(2,3)
np.block([[a],[b]]); (3,),(3,)
np.block([[[a]],[[b]]]); (2,3),(2,3)
np.block(a); (2,3)
np.block([[a, 1.0], [2.0, b]]); (),()
np.block([[a, np.ones((2,2))],[np.zeros((1,5))]]); (2,3)
np.append(a,b); (2,3),(2,)
np.append(a,b,axis=0); (2,3),(1,3)
np.append(a,b,axis=-1); (2,3),(2,1)
np.append(a,1.5); (2,)
np.append([1.0,2.0],a); (2,)
np.insert(a,1,b); (4,),()
np.insert(a,1,b); (4,),(2,)
np.insert(a,[1,3],b); (4,),(2,)
np.insert(a,[3,1],b); (4,),(2,)
np.insert(a,[1,1],b); (4,),(2,)
np.insert(a,[1,2],b); (4,),()
np.insert(a,1,b,axis=1); (2,3),(2,)
np.insert(a,[1],b,axis=1); (2,3),(2,1)
np.insert(a,[1],b,axis=1); (2,3),(2,)
np.insert(a,1,b,axis=0); (2,3),(3,)
np.insert(a,1,b,axis=0); (2,3),()
np.insert(a,(0,2),b,axis=1); (2,3),(2,2)
np.insert(a,(0,2),b,axis=1); (2,3),(2,)
np.insert(a,(0,2),b,axis=1); (2,3),()
np.insert(a,slice(0,2),b); (4,),(2,)
np.insert(a,slice(0,1),b); (4,),(2,)
np.insert(a,-1,b); (4,),()
np.insert(a,np.array([True,False,True,False]),b); (4,),(2,)
np.insert(a,[],b); (4,),()
np.insert(a,[],b); (4,),(0,)
np.insert(a,1,b); (2,3),()
np.insert(a,1,b,axis=-1); (2,3),(2,1)
np.insert(a,1,b,axis=1); (2,3,2),(2,2)
np.insert(a,[1,2],b,axis=1); (2,3,2),(2,2)
np.insert(a,[1,2],b,axis=1); (2,3,2),(2,2,2)
np.insert([1.0,2.0],1,a); ()
np.insert(a,1,3.0); (4,)
np.insert(a,0,b,axis=0); (2,2),(1,1,2)
np.stack([a,b],axis=1); (3,),(3,)
np.stack(a); (2,3)
"""

REFUSED = """
np.vstack([a,b]); (3,),(2,)
np.hstack([a,b]); (2,3),(3,)
np.block([a, [b]]); (2,),(2,)
np.block([[], a]); (2,)
np.block([[a],[b]]); (3,),(2,)
np.append(a,b,0); (2,3),(3,)
np.insert(a,9,b); (4,),()
np.insert(a,[0,9],b); (4,),()
np.insert(a,1.5,b); (4,),()
np.insert(a,[1.0,2.0],b); (4,),()
np.insert(a,[1,2],b); (4,),(3,)
np.insert(a,1,b); (0,),()
"""


@cases(LINEAR)
def test_value_and_derivatives(code, shapes):
    assert_linear(code, shapes)


@cases(REFUSED)
def test_refused_like_numpy(code, shapes):
    assert_refused(code, shapes)


@pytest.mark.parametrize("function", [tinygraph.concatenate, tinygraph.stack, np.concatenate, np.stack])
def test_tensors_that_are_not_in_a_list_are_refused_with_the_list(function):
    t, u = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    with pytest.raises(TypeError, match=rf"^{function.__name__}: axis is a Tensor: .* as in {function.__name__}\(\["):
        function(t, u)
