"""Cumulative sums and products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.torch_orders import assert_three_orders
from tinygraph import Tensor
from tinygraph.engine.autodiff import grad
from tinygraph.testing import arrays, shapes

numbers = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
NAMES = ("cumsum", "cumprod", "nancumsum", "nancumprod")


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_values_are_numpys(name, data):
    (shape,) = data.draw(shapes(1))
    x = data.draw(arrays(shape, elements=numbers | st.just(np.nan) if name.startswith("nan") else numbers))
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]) if x.ndim else st.sampled_from([None, 0, -1]))
    t = Tensor(x)
    out, expected = getattr(np, name)(t, axis=axis), getattr(np, name)(x, axis=axis)
    assert isinstance(out, Tensor)
    assert out.shape == expected.shape
    assert np.allclose(out.data, expected, rtol=1e-14)
    if not name.startswith("nan"):
        assert np.array_equal(getattr(t, name)(axis).data, out.data)
    g = grad(out, t, seed=np.ones(out.shape))
    assert g.shape == x.shape
    assert not g[np.isnan(x)].any()


@pytest.mark.parametrize("zeros", [[], [4], [1, 5], [0, 3, 4], range(12)], ids=str)
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_three_orders_are_those_of_a_loop_in_torch(name, axis, zeros):
    x = np.random.default_rng(1).normal(size=(3, 4))
    x.ravel()[list(zeros)] = 0.0

    def theirs(torch, b):
        rows = torch.movedim(b, axis, 0)
        found = [rows[0]]
        for row in rows[1:]:
            found.append(found[-1] * row if name == "cumprod" else found[-1] + row)
        return torch.movedim(torch.stack(found), 0, axis)

    assert_three_orders(lambda a: getattr(a, name)(axis), theirs, x)


@pytest.mark.parametrize("n", range(1, 18))
def test_a_cumulative_product_of_any_length(n):
    x = np.random.default_rng(n).normal(size=n)
    t, up = Tensor(x), np.cos(np.arange(n))
    t.cumprod().backward(seed=up)
    expected = [sum(up[k] * np.prod(np.delete(x[: k + 1], i)) for k in range(i, n)) for i in range(n)]
    assert np.allclose(t.grad, expected, rtol=1e-12, atol=1e-14)


def test_wrong_axes_are_refused():
    t = Tensor([[1.0, 2.0]])
    with pytest.raises(np.exceptions.AxisError, match=r"cumsum of an array of shape \(1, 2\): it has no axis 2"):
        np.cumsum(t, axis=2)
    with pytest.raises(TypeError, match="axis must be an integer"):
        t.cumprod(axis=(0, 1))
    with pytest.raises(TypeError, match="does not understand dtype"):
        t.cumsum(dtype=np.float32)
