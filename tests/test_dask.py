"""Arrays that are not NumPy's: the vectorized model builds lazily on dask's chunks, and equals NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor
from tinygraph.logistic import LOSSES, no_loop

dask = pytest.importorskip("dask", reason="needs the extra dask")
da = pytest.importorskip("dask.array", reason="needs the extra dask")


class Computed(Exception):
    """Raised where anything computes a lazy array."""


def refuse(*args, **options):
    raise Computed


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 40))
def test_cost_and_gradient_build_lazily_and_equal_numpys(loss, seed, chunk):
    draw = np.random.default_rng(seed)
    X, Y = draw.normal(size=(3, 40)), (draw.random((1, 40)) < 0.5) * 1.0
    start = draw.normal(size=(3, 1))
    w, b = Tensor(start, "w"), Tensor(0.1, "b")
    with dask.config.set(scheduler=refuse):
        J = no_loop(w, b, da.from_array(X, chunks=(3, chunk)), da.from_array(Y, chunks=(1, chunk)), loss)
        J.backward()
        assert repr(J) == "Tensor(shape=(), name='J', op='div')"
        assert (w.grad.shape, b.grad.shape) == ((3, 1), ())
        with pytest.raises(Computed):
            J.data.compute()
    lazy = dask.compute(J.data, w.grad, b.grad)
    ours, bias = Tensor(start, "w"), Tensor(0.1, "b")
    eager = no_loop(ours, bias, X, Y, loss)
    eager.backward()
    for found, expected in zip(lazy, (eager.data, ours.grad, bias.grad), strict=True):
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_lazy_array_is_kept_as_it_is():
    lazy = da.ones((4, 6), chunks=2)
    assert Tensor(lazy, constant=True).data is lazy
    assert (Tensor(np.ones((4, 1))) * lazy).args[1] is lazy
    assert Tensor(da.ones(3, dtype=int, chunks=2)).data.dtype == np.float64


@pytest.mark.parametrize(
    "f",
    [
        lambda t: (t @ np.ones((6, 2))).sum(),
        lambda t: (t.T * t.T).mean(axis=0).sum(),
        lambda t: tinygraph.relu(t - 0.5).sum(),
        lambda t: tinygraph.tanh(t).reshape(24)[3:9].sum(),
        lambda t: t.max(),
        lambda t: (t / t.sum(axis=1, keepdims=True))[:, 2:].sum(),
    ],
)
def test_other_ops_build_lazily_too(f):
    array = np.arange(24.0).reshape(4, 6) / 7.0
    lazy, eager = Tensor(da.from_array(array, chunks=3), "t"), Tensor(array, "t")
    with dask.config.set(scheduler=refuse):
        y = f(lazy)
        y.backward()
    f(eager).backward()
    np.testing.assert_allclose(dask.compute(lazy.grad)[0], eager.grad, rtol=1e-12)


def test_strict_looks_at_no_lazy_number():
    with tinygraph.strict(), dask.config.set(scheduler=refuse):
        tinygraph.log(Tensor(da.zeros((2, 2), chunks=1))).sum().backward()
