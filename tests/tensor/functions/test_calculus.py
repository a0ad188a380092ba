"""Differences, integrals, convolutions and interpolation have NumPy's values, and exact derivatives."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.holomorphic import check_derivatives
from tinygraph import Tensor, grad
from tinygraph.functional import jvp


def drawn(*shape, seed=2):
    return np.random.default_rng(seed).normal(size=shape)


def check(function, *operands, **options):
    """Check values and derivatives, forward mode, and that the ops can be pickled."""
    node = check_derivatives(function, *operands, **options)
    assert repr(pickle.loads(pickle.dumps(node)).op) == repr(node.op)
    leaves, tangents = [Tensor(x) for x in operands], [drawn(*x.shape, seed=3) for x in operands]
    up = drawn(*node.shape, seed=4)
    moved = jvp(function(*leaves), dict(zip(leaves, tangents, strict=True)))
    pulled = grad(function(*leaves), leaves, seed=up)
    back = sum(np.sum(g * t) for g, t in zip(pulled, tangents, strict=True))
    assert np.sum(moved * up) == pytest.approx(back, rel=1e-11, abs=1e-12)


PLACES = np.array([0.0, 0.4, 1.0, 1.1, 2.5])
CASES = {
    "diff": (np.diff, drawn(2, 4)),
    "diff, n": (lambda a: np.diff(a, n=2, axis=0), drawn(4, 2)),
    "diff, n = 0": (lambda a: np.diff(a, n=0) * 2.0, drawn(4)),
    "diff, number in front": (lambda a: np.diff(a, prepend=1.0), drawn(2, 3)),
    "diff, arrays at the ends": (
        lambda a, b, c: np.diff(a, axis=0, prepend=b, append=c), drawn(2, 3), drawn(1, 3), drawn(2, 3),
    ),
    "diff, number at the end": (lambda a, b: np.diff(a, append=b), drawn(2, 3), drawn()),
    "diff of one element": (np.diff, drawn(3, 1)),
    "ediff1d": (np.ediff1d, drawn(2, 3)),
    "ediff1d, ends": (lambda a, b: np.ediff1d(a, to_end=b, to_begin=[1.0, 2.0]), drawn(2, 3), drawn()),
    "trapezoid": (np.trapezoid, drawn(2, 4)),
    "trapezoid, axis": (lambda y: np.trapezoid(y, axis=0), drawn(4, 2)),
    "trapezoid, dx": (lambda y: np.trapezoid(y, dx=0.3), drawn(2, 4)),
    "trapezoid, x": (lambda y, x: np.trapezoid(y, x, axis=0), drawn(5, 2), PLACES),
    "trapezoid, more axes in x": (np.trapezoid, drawn(3), drawn(2, 3)),
    "trapezoid, x and y": (np.trapezoid, drawn(2, 5), drawn(2, 5)),
    "gradient": (np.gradient, drawn(5)),
    "gradient of two elements": (np.gradient, drawn(2)),
    "gradient, axis": (lambda f: np.gradient(f, 0.5, axis=1), drawn(2, 4)),
    "gradient, places": (lambda f: np.gradient(f, PLACES), drawn(5)),
    "gradient, places, axis": (lambda f: np.gradient(f, PLACES, axis=0), drawn(5, 2)),
    "gradient, edges": (lambda f: np.gradient(f, edge_order=2), drawn(5)),
    "gradient, edges, three": (lambda f: np.gradient(f, 0.5, edge_order=2), drawn(3)),
    "gradient, edges and places": (lambda f: np.gradient(f, PLACES, edge_order=2), drawn(5)),
    "gradient, edges, places, axis": (lambda f: np.gradient(f, PLACES, axis=0, edge_order=2), drawn(5, 2)),
    "gradient, two axes": (lambda f: np.gradient(f, 0.5, PLACES)[1], drawn(3, 5)),
    "gradient, one distance for two axes": (lambda f: np.gradient(f, 0.5)[0], drawn(3, 5)),
    "polyval": (np.polyval, drawn(4), drawn(2, 3)),
    "polyval, number": (lambda p: np.polyval(p, 1.5), drawn(4)),
    "polyval, coefficients": (lambda x: np.polyval([1.0, -2.0, 3.0], x), drawn(2)),
    "polyval, several": (np.polyval, drawn(3, 2), drawn(4, 1)),
    "polyval, constant": (lambda x: np.polyval([3.0], x), drawn(2)),
    **{f"convolve, {mode}, {n}, {m}": (lambda a, v, mode=mode: np.convolve(a, v, mode), drawn(n), drawn(m))
       for mode in ("full", "same", "valid") for n, m in ((5, 3), (3, 5), (4, 2), (2, 4), (3, 3), (1, 1))},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_function_has_numpys_value_and_its_derivatives(name):
    function, *operands = CASES[name]
    check(function, *operands)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("lengths", [(5, 3), (3, 5), (4, 2), (2, 4), (3, 3)])
def test_correlate(mode, lengths):
    """np.correlate conjugates the second vector."""
    a, v = map(drawn, lengths)
    check(lambda a, v: np.correlate(a, v, mode), a, v, analytic=lambda a, v: np.correlate(a, np.conj(v), mode))


def test_gradient_returns_one_derivative_per_axis():
    f = drawn(3, 4, 5)
    for found, right in zip(np.gradient(Tensor(f), 1.0, 2.0, 3.0), np.gradient(f, 1.0, 2.0, 3.0), strict=True):
        np.testing.assert_allclose(found.data, right, rtol=1e-13)
    for found, right in zip(np.gradient(Tensor(f), axis=(2, 0)), np.gradient(f, axis=(2, 0)), strict=True):
        np.testing.assert_allclose(found.data, right, rtol=1e-13)


def hats(x, places, values, left=None, right=None):
    """Return the interpolation with complex places: the interval is that of the real part."""
    x = np.asarray(x)
    i = np.clip(np.searchsorted(places, x.real, side="right") - 1, 0, len(places) - 2)
    inside = values[i] + (x - places[i]) * (values[i + 1] - values[i]) / (places[i + 1] - places[i])
    before = values[0] if left is None else left
    after = values[-1] if right is None else right
    return np.where(x.real < places[0], before, np.where(x.real > places[-1], after, inside))


X = np.array([[-0.7, 0.2, 0.7], [1.05, 1.8, 3.1]])  # two of them are outside


@pytest.mark.parametrize(("left", "right"), [(None, None), (5.0, None), (None, -1.0), (5.0, -1.0)])
def test_interp_has_a_gradient_to_the_places_and_the_values(left, right):
    options = {"radius": 0.01, "rtol": 1e-8, "analytic": lambda x, fp: hats(x, PLACES, fp, left, right)}
    check(lambda x, fp: np.interp(x, PLACES, fp, left, right), X, drawn(5), **options)
    fp = drawn(5)
    check(lambda x: np.interp(x, PLACES, fp, left=left, right=right), X, radius=0.01,
          analytic=lambda x: hats(x, PLACES, fp, left, right))  # fmt: skip


def test_interp_with_a_period():
    """The places 1, 1.4, 2, 2.1 and 3.5 = 0.5 + 3 are sorted within the period, and repeated at its ends."""
    places, order = np.array([-0.9, 0.5, 1.0, 1.4, 2.0, 2.1, 3.5]), [3, 4, 0, 1, 2, 3, 4]
    check(
        lambda x, fp: np.interp(x, PLACES + 1.0, fp, period=3.0),
        X,
        drawn(5),
        analytic=lambda x, fp: hats(x - np.floor(np.real(x) / 3.0) * 3.0, places, fp[order]),
        radius=0.01,
        rtol=1e-8,
    )


@given(x=st.floats(-1.0, 4.0), one=st.booleans())
def test_the_weights_of_the_points_add_up_to_one(x, one):
    """The gradient to the values contains the weights: they are those of a straight line too."""
    places = PLACES[:1] if one else PLACES
    fp = Tensor(np.ones(len(places)))
    weights = grad(np.interp(x, places, fp), fp)
    assert weights.sum() == pytest.approx(1.0, rel=1e-14)
    assert weights @ places == pytest.approx(np.clip(x, places[0], places[-1]), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: np.diff(t[0]), ValueError, "at least one axis, got a scalar"),
        (lambda t: np.diff(t, n=-1), ValueError, "n must be an integer of at least 0, not -1"),
        (lambda t: np.gradient(t[:1]), ValueError, "edge_order=1 needs 2 samples per axis, got 1"),
        (lambda t: np.gradient(t[:2], edge_order=2), ValueError, "edge_order=2 needs 3 samples per axis, got 2"),
        (lambda t: np.gradient(t, edge_order=3), ValueError, "edge_order must be one of 1, 2, not 3"),
        (lambda t: np.gradient(t, [0.0, 1.0]), ValueError, r"axis 0 must have shape \(4,\), got \(2,\)"),
        (lambda t: np.gradient(t, 1.0, 2.0), TypeError, r"one per axis \(1\), got 2"),
        (lambda t: np.convolve(t.reshape(2, 2), t), ValueError, r"vectors that are not empty, got shape \(2, 2\)"),
        (lambda t: np.convolve(t, t, "some"), ValueError, "mode must be one of 'valid', 'same', 'full', not 'some'"),
        (lambda t: np.interp(1.0, t, t), TypeError, "no gradient here: pass xp.data"),
        (lambda t: np.interp(1.0, [1.0, 2.0], t), ValueError, r"got the shapes \(2,\) and \(4,\)"),
        (lambda t: np.polyval(t[0], 1.0), TypeError, "the coefficients must be a vector"),
    ],
)
def test_arguments_that_do_not_fit_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(Tensor([1.0, 2.0, 4.0, 3.0]))
