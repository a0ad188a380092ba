"""where, clip and nan_to_num of Tensors agree with NumPy in value, and with differences in their derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, mutually_broadcastable_shapes

import tinygraph
from tinygraph import Tensor, grad
from tinygraph.engine.graph import order
from tinygraph.tensor.functions.elementwise import select

NUMBERS = st.floats(-10.0, 10.0, width=32)
shapes = mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3)


def of(shape, elements=NUMBERS):
    return arrays(np.float64, shape, elements=elements)


@given(data=st.data(), shapes=shapes)
def test_where_selects_values_and_gradients_as_a_product_with_the_mask_would(data, shapes):
    mask = data.draw(arrays(bool, shapes.input_shapes[0]))
    x, y = (data.draw(of(shape)) for shape in shapes.input_shapes[1:])
    up = data.draw(of(shapes.result_shape))
    s, t = Tensor(x), Tensor(y)
    for z, wanted in (
        (np.where(mask, s, t), (s, t)), (np.where(mask, s, y), (s,)), (tinygraph.where(mask, x, t), (t,)),
    ):  # fmt: skip
        assert np.array_equal(z.data, np.where(mask, x, y))
        assert z.shape == shapes.result_shape
        found = grad(z, list(wanted), seed=up)
        product = Tensor(x), Tensor(y)
        kept = np.broadcast_to(mask, shapes.result_shape) * 1.0
        other = product[0] * kept + product[1] * (1.0 - kept)
        expected = dict(zip((s, t), grad(other, list(product), seed=up), strict=True))
        for leaf, gradient in zip(wanted, found, strict=True):
            np.testing.assert_allclose(gradient, expected[leaf], rtol=1e-12, atol=1e-12)


def test_what_is_not_selected_gives_no_nan():
    """A product with a mask would give 0 * inf and 0 * NaN."""
    x, y = Tensor([1.0, np.inf, np.nan]), Tensor([np.nan, 2.0, -np.inf])
    z = np.where([True, False, False], x, y)
    assert z.data.tolist() == [1.0, 2.0, -np.inf]
    z.backward(seed=np.array([np.nan, np.inf, 1.0]))
    assert np.array_equal(x.grad, [np.nan, 0.0, 0.0], equal_nan=True)
    assert y.grad.tolist() == [0.0, np.inf, 1.0]
    t = Tensor([4.0, 0.0, -1.0])
    safe = np.where(t > 0, np.sqrt(np.where(t > 0, t, 1.0)), 0.0)
    assert grad(safe.sum(), t).tolist() == [0.25, 0.0, 0.0]


DROPPING = {
    "where": lambda y, mask: np.where(mask, y, 0.5),
    "where, the other operand": lambda y, mask: np.where(~mask, 0.5, y),
    "sum": lambda y, mask: y.sum(where=mask),
    "prod": lambda y, mask: y.prod(where=mask),
    "mean": lambda y, mask: y.mean(where=mask),
    "max": lambda y, mask: y.max(where=mask, initial=-9.0),
    "set_at": lambda y, mask: tinygraph.set_at(y, ~mask, 0.5),
    "triu": lambda y, mask: np.triu(y.reshape(1, -1) * np.ones((3, 1)))[-1],
}


@pytest.mark.parametrize("x", [-1.0, 0.0])
@pytest.mark.parametrize("name", DROPPING)
def test_forward_mode_agrees_beside_an_element_that_is_not_selected(name, x):
    """The derivative at an element that is not selected is 0 times NaN or infinity, in both modes."""
    t = Tensor([x, x, 4.0])
    y = DROPPING[name](np.log(t), np.array([False, False, True]))
    assert np.isfinite(y.data).all()
    gradient = grad(y, t, seed=np.ones(y.shape))
    assert np.array_equal(np.isnan(gradient), [True, True, False])
    for i in range(3):
        tangent = np.zeros(3)
        tangent[i] = 2.0
        forward = np.sum(tinygraph.jvp(y, {t: tangent}))
        # A direction of 0 times a local derivative that is not finite is NaN, too.
        assert np.isnan(forward)
    safe = DROPPING[name](np.log(np.where(t.data > 0, t, 1.0)), np.array([False, False, True]))
    assert np.sum(tinygraph.jvp(safe, {t: [5.0, 7.0, 2.0]})) == grad(safe, t, seed=np.ones(safe.shape)) @ [5, 7, 2.0]


def test_derivatives_of_higher_order_and_forward_mode():
    t, w = Tensor([1.0, -2.0, 3.0]), Tensor([0.5, 1.5, -2.5])
    z = np.where(t > 0, t**3 * w, w**2 * t).sum()
    dt = grad(z, t, create_graph=True)
    assert dt.data.tolist() == [1.5, 2.25, -67.5]
    second = grad(dt.sum(), [t, w], create_graph=True)
    assert [x.data.tolist() for x in second] == [[3.0, 0.0, -45.0], [3.0, 3.0, 27.0]]
    assert grad(second[0].sum(), t).tolist() == [3.0, 0.0, -15.0]
    assert tinygraph.jvp(z, {t: np.array([1.0, 1.0, 0.0]), w: np.array([0.0, 1.0, 1.0])}) == 1.5 + 2.25 - 6.0 + 27.0


def test_a_condition_is_a_number_an_array_or_a_comparison():
    t = Tensor([1.0, -2.0])
    for condition, expected in ((True, [1.0, -2.0]), (0, [0.0, 0.0]), ([1, 0], [1.0, 0.0]), (np.nan, [1.0, -2.0])):
        assert np.where(condition, t, 0.0).data.tolist() == expected == np.where(condition, t.data, 0.0).tolist()
    assert np.where(t > 0, t, 0.0).data.tolist() == [1.0, 0.0]
    assert tinygraph.where([True, False], [1, 2], 0).tolist() == [1.0, 0.0]
    assert tinygraph.where(True, 1, 2) == 1.0
    assert type(tinygraph.where(np.True_, 1, 2)) is float


def test_an_edit_that_changes_the_outcome_of_a_comparison_is_noticed():
    t = Tensor([1.0, -2.0])
    y = np.where(t > 0, t, 0.0).sum()
    t.data = np.array([3.0, -1.0])
    assert y.forward().item() == 3.0
    t.data = np.array([3.0, 1.0])
    with pytest.raises(tinygraph.FrozenBranchError):
        y.forward()


def test_the_caller_may_edit_the_mask():
    mask, t = np.array([True, False]), Tensor([1.0, 2.0])
    y = np.where(mask, t, 0.0)
    mask[:] = False
    assert y.forward().data.tolist() == [1.0, 0.0]
    assert grad(y.sum(), t).tolist() == [1.0, 0.0]


def test_a_selection_is_drawn_explained_and_saved(tmp_path):
    t = Tensor([1.0, -2.0], "t")
    y = np.where(np.array([True, False]), t, 0.5).sum()
    y.backward()
    assert "where(mask, t, [0.5, 0.5])" in str(tinygraph.tree(y))
    assert "kept where the mask is true" in str(tinygraph.explain(y, t))
    assert "where" in tinygraph.draw(y).source
    again = tinygraph.load(tinygraph.save(y, tmp_path / "graph.json"), verify=True)
    assert again.item() == 1.5
    (op,) = [node.op for node in order(again) if node.op is not None and node.op.name == "where"]
    assert op.maker is select
    assert op.parameters[0].tolist() == [True, False]


def test_wrong_arguments_are_refused():
    t = Tensor([1.0, 2.0])
    with pytest.raises(
        TypeError, match=r"np\.where with one argument .* no derivative: pass \.data, as in np\.where\(t\.data\)"
    ):
        np.where(t)
    with pytest.raises(TypeError, match="where: the condition is a Tensor: compare it, for example t > 0"):
        np.where(t, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"where needs shapes that broadcast, not \(3,\), \(2,\), \(\)"):
        np.where([True, False, True], t, 0.0)
    with pytest.raises(ValueError, match=r"where needs shapes that broadcast, not \(3,\), \(2,\), \(\)"):
        tinygraph.where([True, False, True], [1.0, 2.0], 0.0)
    with pytest.raises(TypeError, match=r"where: the condition: array\(\['a'"):
        np.where(np.array(["a", "b"]), t, 0.0)
    with pytest.raises(TypeError, match="masked"):
        np.where(np.ma.masked_array([True, False], [True, False]), t, 0.0)
    with pytest.raises(TypeError, match=r"np\.nan_to_num cannot change a node in place"):
        np.nan_to_num(t, copy=False)
    with pytest.raises(ValueError, match="a_max and max are two names of one argument"):
        t.clip(0.0, 1.0, a_max=2.0)
    with pytest.raises(TypeError, match=r"clip: out=.* is not supported here"):
        t.clip(0.0, 1.0, out=np.zeros(2))


BOUNDS = st.none() | NUMBERS | of((3,)) | of((2, 1))


@given(x=of((2, 3)), low=BOUNDS, high=BOUNDS)
def test_clip_is_that_of_numpy(x, low, high):
    t = Tensor(x)
    expected = x if low is None and high is None else np.clip(x, low, high)
    for y in (np.clip(t, low, high), np.clip(t, a_min=low, a_max=high), t.clip(low, high), t.clip(min=low, max=high)):
        assert np.array_equal(y.data, expected)
    assert np.array_equal(tinygraph.clip(x, low, high), expected)
    slope = grad(np.clip(t, low, high).sum(), t)
    below = -np.inf if low is None else low
    above = np.inf if high is None else high
    inside, outside = (x > below) & (x < above), (x < below) | (x > above)
    assert (slope[inside] == 1.0).all()
    assert (slope[outside] == 0.0).all()
    assert ((slope == 0.5) | (slope == 0.25) | (slope == 0.0) | inside).all()  # ties share


def test_bounds_can_be_nodes_and_nan_is_kept():
    x, low, high = Tensor([-2.0, 0.5, 3.0, np.nan]), Tensor(-1.0), Tensor([1.0, 1.0, 2.0, 2.0])
    y = np.clip(x, low, high)
    y.backward(seed=np.ones(4))
    assert np.array_equal(y.data, np.clip(x.data, -1.0, high.data), equal_nan=True)
    assert x.grad[:3].tolist() == [0.0, 1.0, 0.0]
    assert high.grad[:3].tolist() == [0.0, 0.0, 1.0]
    assert math.isnan(y.data[3])


@given(x=of((4,), st.floats()), nan=NUMBERS, posinf=st.none() | NUMBERS, neginf=st.none() | NUMBERS)
def test_nan_to_num_is_that_of_numpy(x, nan, posinf, neginf):
    t = Tensor(x)
    expected = np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
    y = np.nan_to_num(t, nan=nan, posinf=posinf, neginf=neginf)
    assert np.array_equal(y.data, expected)
    assert np.array_equal(np.nan_to_num(t, True, nan, posinf, neginf).data, expected)
    assert np.array_equal(tinygraph.nan_to_num(x, nan, posinf, neginf), expected)
    assert grad(y.sum(), t).tolist() == np.isfinite(x).astype(float).tolist()
