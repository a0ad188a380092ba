"""Reductions: NumPy's results for all forms of the arguments, derivatives of three orders, and special cases."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.torch_orders import assert_three_orders
from tests.tensor.test_array_ops import axes
from tinygraph import Tensor
from tinygraph.engine.autodiff import grad
from tinygraph.testing import arrays, shapes

rng = np.random.default_rng(1)
inf, nan = np.inf, np.nan

OPTIONS = {
    **dict.fromkeys(["sum", "prod", "max", "min", "nansum", "nanprod", "nanmax", "nanmin"], ("initial", "where")),
    **dict.fromkeys(["mean", "nanmean"], ("where",)),
    **dict.fromkeys(["var", "std", "nanvar", "nanstd"], ("ddof", "correction", "where")),
    "ptp": (),
}
METHODS = ("sum", "prod", "max", "min", "mean", "var", "std")
numbers = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])


@st.composite
def options(draw, name, shape):
    found = {}
    for option in OPTIONS[name]:
        if draw(st.booleans()):
            if option == "where":
                masks = st.sampled_from([shape, shape[1:], (1,) * len(shape)])
                found[option] = draw(arrays(draw(masks), elements=st.sampled_from([0.0, 1.0]))) > 0
            elif option == "initial":
                found[option] = draw(numbers)
            elif not found.keys() & {"ddof", "correction"}:
                found[option] = draw(st.sampled_from([0, 1, 2, 0.5]))
    return found


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data())
def test_every_form_of_the_arguments_is_numpys(name, data):
    (shape,) = data.draw(shapes(1))
    x = data.draw(arrays(shape, elements=numbers | st.just(nan) if name.startswith("nan") else numbers))
    axis, keepdims = data.draw(axes(x.ndim)), data.draw(st.booleans())
    chosen = data.draw(options(name, shape))
    function = getattr(np, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = function(x, axis=axis, keepdims=keepdims, **chosen)
        except ValueError:  # no elements, or a mask without a number for the case that it selects none
            with pytest.raises(ValueError, match=name.removeprefix("nan") if name != "ptp" else "max"):
                function(Tensor(x), axis=axis, keepdims=keepdims, **chosen)
            return
    t = Tensor(x)
    out = function(t, axis=axis, keepdims=keepdims, **chosen)
    assert isinstance(out, Tensor)
    assert out.shape == np.shape(expected)
    assert np.allclose(out.data, expected, rtol=1e-13, atol=1e-13, equal_nan=True)
    if name in METHODS:
        method = getattr(t, name)(axis, keepdims=keepdims, **chosen)
        assert np.array_equal(method.data, out.data, equal_nan=True)
    assert grad(out, t, seed=np.ones(out.shape)).shape == x.shape


@pytest.mark.parametrize("name", OPTIONS)
def test_a_mask_selects_what_counts(name):
    """The derivatives are those of the selected elements alone. The others get 0, even if they are NaN or infinite."""
    if "where" not in OPTIONS[name]:
        return
    x = np.array([1.5, nan, 0.5, -2.0, inf])
    mask = np.array([True, False, True, True, False])
    extra = {"initial": -5.0 if "max" in name else 5.0} if name.endswith(("max", "min")) else {}
    t, kept = Tensor(x), Tensor(x[mask])
    getattr(np, name)(t, where=mask, **extra).backward()
    getattr(np, name)(kept, **extra).backward()
    assert np.allclose(t.grad[mask], kept.grad, rtol=1e-13)
    assert t.grad[~mask].tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:Degrees of freedom", "ignore:invalid value")
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["mean", "var", "std", "nanmean", "nanvar", "nanstd"])
def test_an_average_of_nothing_is_nan_and_so_is_its_derivative(name, keepdims, axis):
    x = rng.normal(size=(2, 3))
    for mask in (False, np.zeros((2, 3), bool), np.array([[False], [True]]), np.array([True, False, True])):
        t = Tensor(x)
        out = getattr(np, name)(t, axis=axis, keepdims=keepdims, where=mask)
        expected = getattr(np, name)(x, axis=axis, keepdims=keepdims, where=mask)
        assert np.allclose(out.data, expected, rtol=1e-12, equal_nan=True)
        empty = np.broadcast_to(~np.any(np.broadcast_to(mask, x.shape), axis=axis, keepdims=True), x.shape)
        gradient, forward = grad(out, t, seed=np.ones(out.shape)), tinygraph.jvp(out, {t: np.ones_like(x)})
        assert np.array_equal(np.isnan(gradient), empty)
        assert np.array_equal(np.isnan(forward), np.isnan(expected))
        assert (gradient[~np.broadcast_to(mask, x.shape) & ~empty] == 0.0).all()


@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 4], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_a_product_has_all_derivatives_at_zeros(zeros, axis):
    x = np.array([[1.5, -0.7], [2.0, 0.3], [-1.2, 0.8]])
    x.ravel()[zeros] = 0.0

    def theirs(torch, b):
        factors = b.reshape(6, 1) if axis is None else torch.movedim(b, axis, 0)
        out = factors[0]
        for factor in factors[1:]:
            out = out * factor
        return out[0] if axis is None else out

    assert_three_orders(lambda a: a.prod(axis), theirs, x)


@pytest.mark.parametrize("n", range(8))
def test_a_product_of_any_length(n):
    x = rng.normal(size=(n, 2))
    t = Tensor(x)
    t.prod(0).sum().backward()
    expected = [[np.prod(np.delete(x[:, j], i)) for j in range(2)] for i in range(n)]
    assert np.allclose(t.grad, np.reshape(expected, x.shape), rtol=1e-13)


@pytest.mark.parametrize(
    "options", [{}, {"ddof": 1}, {"correction": 1}, {"axis": 0, "ddof": 1}, {"axis": 1, "keepdims": True}]
)
@pytest.mark.parametrize("name", ["var", "std"])
def test_three_orders_of_the_variance_are_those_of_torch(name, options):
    given = {"correction": options.get("ddof", options.get("correction", 0)), "dim": options.get("axis")}
    given["keepdim"] = options.get("keepdims", False)
    assert_three_orders(lambda a: getattr(a, name)(**options), lambda torch, b: getattr(b, name)(**given),
                        rng.normal(size=(3, 4)))  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"ddof": 1}, {"axis": 0}])
def test_the_derivatives_of_a_standard_deviation_of_0_are_0(options):
    """As in PyTorch. NumPy-like 0 / 0 would be NaN."""
    t = Tensor([[2.0, 5.0], [2.0, 5.0]] if options.get("axis") == 0 else [[2.0, 2.0], [2.0, 2.0]])
    y = t.std(**options)
    assert not y.data.any()
    first = grad(y, t, seed=np.ones(y.shape), create_graph=True)
    assert not first.data.any()
    assert not grad(first.sum(), t).any()
    assert not np.nanstd(t, axis=options.get("axis")).data.any()


def test_the_mean_of_squares_does_not_cancel():
    """The deviations from the mean are squared, so a large mean does no harm."""
    x = np.array([1e9, 1e9 + 1.0, 1e9 + 2.0])
    assert Tensor(x).var().item() == pytest.approx(2 / 3, rel=1e-12)


@given(data=st.data())
def test_a_weighted_average_is_numpys(data):
    x = data.draw(arrays((2, 3), elements=numbers))
    axis = data.draw(st.sampled_from([None, 0, 1, -1, (0, 1), (1, 0)]))
    w_shape = {0: [(2, 3), (2,)], 1: [(2, 3), (3,)], -1: [(2, 3), (3,)], (1, 0): [(2, 3), (3, 2)]}.get(axis, [(2, 3)])
    w = data.draw(arrays(data.draw(st.sampled_from(w_shape)), elements=st.sampled_from([0.5, 1.0, 2.0])))
    keepdims = data.draw(st.booleans())
    expected, total = np.average(x, axis, w, returned=True, keepdims=keepdims)
    for a, b in ((Tensor(x), w), (x, Tensor(w)), (Tensor(x), Tensor(w))):
        out, weights = np.average(a, axis, b, returned=True, keepdims=keepdims)
        assert np.allclose(out.data, expected, rtol=1e-14, atol=1e-14)
        assert np.allclose(getattr(weights, "data", weights), total, rtol=1e-14)
        assert out.shape == np.shape(expected)
    t, u = Tensor(x), Tensor(w)
    np.average(t, axis, u).sum().backward()
    v = Tensor(w if w.shape == x.shape else np.broadcast_to(1.0, x.shape))
    if w.shape == x.shape:
        s = Tensor(x)
        ((s * v).sum(axis) / v.sum(axis)).sum().backward()
        assert np.allclose(t.grad, s.grad, rtol=1e-13)
        assert np.allclose(u.grad, v.grad, rtol=1e-12, atol=1e-13)


def test_an_average_without_weights_returns_the_counts():
    out, counts = np.average(Tensor(np.ones((2, 3))), axis=0, returned=True)
    assert (out.data.tolist(), counts.data.tolist()) == ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0])


def test_nan_is_left_out_of_new_data_too():
    """`forward` looks for NaN in the current elements."""
    t = Tensor([1.0, nan, 3.0])
    functions = [np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin]
    results = [f(t) for f in functions]
    t.data = np.array([nan, 4.0, 2.0])
    for f, y in zip(functions, results, strict=True):
        assert y.forward().item() == pytest.approx(f(t.data), rel=1e-14)
        fresh = Tensor(t.data)
        f(fresh).backward()
        y.backward()
        assert np.array_equal(t.grad, fresh.grad)
        assert t.grad[0] == 0.0


def test_a_mask_is_copied():
    mask = np.array([True, False])
    y = np.sum(Tensor([1.0, 2.0]), where=mask)
    mask[1] = True
    assert y.forward().item() == 1.0


t = Tensor([[1.0, 2.0], [3.0, 4.0]])
WRONG = {
    "a mask of numbers": (lambda: t.sum(where=[1, 0]), TypeError, r"where must be an array of bools, not \[1, 0\]"),
    "a Tensor as a mask": (lambda: t.sum(where=t), TypeError, "not a Tensor: compare it"),
    "a mask of another shape": (lambda: t.mean(where=[True] * 3), ValueError, r"the mask has shape \(3,\)"),
    "a mask without a number": (lambda: t.max(where=[True, False]), ValueError, "max with where= needs initial="),
    "no elements": (lambda: Tensor([]).min(), ValueError, r"shape \(0,\): it has no elements"),
    "an array as a number": (lambda: t.sum(initial=[1.0, 2.0]), TypeError, "sum: initial"),
    "two names": (lambda: t.var(ddof=1, correction=1), ValueError, "two names of one argument"),
    "float32": (lambda: t.std(dtype=np.float32), TypeError, "does not understand dtype="),
    "an axis": (lambda: t.prod(axis=2), np.exceptions.AxisError, r"prod of an array of shape \(2, 2\): axis 2"),
    "an axis twice": (lambda: np.mean(t, axis=(0, 0)), ValueError, "duplicate"),
    "weights of another shape": (
        lambda: np.average(t, 0, [1.0] * 3),
        ValueError,
        r"weights of shape \(3,\) do not fit",
    ),
    "weights without an axis": (lambda: np.average(t, weights=[1.0, 2.0]), TypeError, "need an axis"),
    "weights of 0": (lambda: np.average(t, weights=t * 0.0), ZeroDivisionError, "have the sum 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused(case):
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()


def test_a_product_of_a_million_elements_needs_few_ops():
    x = Tensor(np.full(1_000_000, 1.0))
    assert grad(x.prod(), x).sum() == 1e6
    small = Tensor(np.full(64, 1.0))
    first = grad(small.prod(), small, create_graph=True)
    assert len(tinygraph.engine.graph.order(first)) < 100
