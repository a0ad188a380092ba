"""Functions that repeat, shift, mirror and surround elements."""

import math

import numpy as np
import pytest

import tinygraph
from tests.tensor.functions.linearity import assert_linear, assert_refused, cases
from tinygraph import Tensor

LINEAR = """
np.tile(a,2); (3,)
np.tile(a,(2,1)); (3,)
np.tile(a,(2,3)); (2,3)
np.tile(a,2); (2,3)
np.tile(a,()); (2,)
np.tile(a,()); ()
np.tile(a,3); ()
np.tile(a,(2,2,2)); (2,)
np.tile(a,0); (3,)
np.tile(a,np.array([2,1])); (2,3)
np.repeat(a,2); (3,)
np.repeat(a,2); (2,3)
np.repeat(a,3,axis=1); (2,3)
np.repeat(a,[1,2],axis=0); (2,3)
np.repeat(a,[2],axis=0); (2,3)
np.repeat(a,[1,0,2],axis=-1); (2,3)
np.repeat(a,[1,2,0,0,3,1]); (2,3)
np.repeat(a,0); (3,)
np.repeat(a,2); ()
np.repeat(a,2,axis=0); ()
a.repeat(2); (3,)
a.repeat(np.array([1,2,3]),axis=0); (3,)
np.roll(a,1); (4,)
np.roll(a,-2); (2,3)
np.roll(a,1,axis=0); (2,3)
np.roll(a,(1,2),axis=(0,1)); (2,3)
np.roll(a,1,axis=(0,1)); (2,3)
np.roll(a,(1,2),axis=1); (2,5)
np.roll(a,(1,2),axis=(1,1)); (2,5)
np.roll(a,(1,2)); (2,3)
np.roll(a,1); ()
np.roll(a,1); (0,)
np.roll(a,7,axis=-1); (2,3)
np.flip(a); (2,3)
np.flip(a,1); (2,3)
np.flip(a,(0,-1)); (2,3)
np.flip(a,axis=()); (2,3)
np.flip(a); ()
np.flipud(a); (2,3)
np.fliplr(a); (2,3)
np.rot90(a); (2,3)
np.rot90(a,2); (2,3)
np.rot90(a,3); (2,3)
np.rot90(a,k=-1); (2,3)
np.rot90(a,4); (2,3)
np.rot90(a,1,(1,2)); (2,3,4)
np.rot90(a,1,axes=(1,0)); (2,3)
np.rot90(a,3,axes=(2,0)); (2,3,4)
np.pad(a,1); (3,)
np.pad(a,(1,2)); (3,)
np.pad(a,1); (2,3)
np.pad(a,((1,2),(0,1))); (2,3)
np.pad(a,((1,),(2,))); (2,3)
np.pad(a,((1,2),)); (2,3)
np.pad(a,1,constant_values=5.0); (2,3)
np.pad(a,1,'constant',constant_values=((1,2),(3,4))); (2,3)
np.pad(a,1,mode='constant',constant_values=(1,2)); (2,3)
np.pad(a,2,'edge'); (3,)
np.pad(a,((1,2),(3,0)),'edge'); (2,3)
np.pad(a,2,'reflect'); (3,)
np.pad(a,5,'reflect'); (3,)
np.pad(a,2,'reflect'); (1,)
np.pad(a,((2,3),(1,4)),'reflect'); (2,3)
np.pad(a,2,'symmetric'); (3,)
np.pad(a,7,'symmetric'); (3,)
np.pad(a,(4,5),'wrap'); (3,)
np.pad(a,((4,5),(1,1)),'wrap'); (3,2)
np.pad(a,2,'reflect',reflect_type='even'); (3,)
np.pad(a,2); (0,)
np.pad(a,2); ()
np.pad(a,{0:1,-1:(1,2)}); (2,3)
np.pad(a,{1:1},'edge'); (2,3)
np.resize(a,(3,4)); (2,3)
np.resize(a,2); (2,3)
np.resize(a,(2,)); (0,)
np.resize(a,()); (2,)
np.resize(a,6); (2,3)
np.resize(a,4); ()
"""

REFUSED = """
np.tile(a,-1); (3,)
np.repeat(a,-1); (3,)
np.repeat(a,[1,2]); (3,)
np.roll(a,(1,2),axis=(0,1,0)); (2,3)
np.roll(a,1,axis=0); ()
np.flip(a,(0,0)); (2,3)
np.flip(a,3); (2,3)
np.flipud(a); ()
np.fliplr(a); (2,)
np.rot90(a,1,(0,0)); (2,3)
np.rot90(a,1); (2,)
np.pad(a,2,'edge'); (0,)
np.pad(a,-1); (3,)
np.pad(a,1.0); (3,)
np.pad(a,1,'edge',constant_values=1); (3,)
np.pad(a,(1,2,3)); (3,)
np.resize(a,-1); (2,3)
"""


@cases(LINEAR)
def test_value_and_derivatives(code, shapes):
    assert_linear(code, shapes)


@cases(REFUSED)
def test_refused_like_numpy(code, shapes):
    assert_refused(code, shapes)


@pytest.mark.parametrize("mode", ["linear_ramp", "maximum", "mean", "median", "minimum", "empty", lambda *_: None])
def test_other_modes_of_pad_are_refused_by_name(mode):
    with pytest.raises(ValueError, match=r"pad: the mode of a Tensor must be one of 'constant', .*, not"):
        np.pad(Tensor([1.0, 2.0]), 1, mode)


def test_other_options_of_pad_are_refused_by_name():
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="reflect_type='odd': leave it out"):
        np.pad(t, 1, "reflect", reflect_type="odd")
    with pytest.raises(TypeError, match="stat_length=1"):
        np.pad(t, 1, "edge", stat_length=1)
    with pytest.raises(TypeError, match="Tensor"):
        np.pad(t, 1, constant_values=t)


def test_pad_keeps_the_sign_of_zero():
    padded = [np.pad(Tensor([1.0]), 1, constant_values=zero).data[0] for zero in (0.0, -0.0, 0.0)]
    assert [math.copysign(1.0, x) for x in padded] == [1.0, -1.0, 1.0]


def test_a_diagram_shows_the_call():
    t = Tensor([[1.0, 2.0]], "t")
    texts = {
        "roll(t, 1, axis=1)": np.roll(t, 1, axis=1),
        "tile(t, (2, 1))": np.tile(t, (2, 1)),
        "repeat(t, 2, axis=0)": t.repeat(2, axis=0),
        "pad(t, ((1, 1), (1, 1)), edge)": np.pad(t, 1, "edge"),
        "t[:, ::-1]": np.fliplr(t),
    }
    for text, node in texts.items():
        assert tinygraph.tree(node).startswith(text + " ")
