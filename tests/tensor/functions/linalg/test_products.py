"""NumPy's products of Tensors have NumPy's values, and the derivatives that complex numbers give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.holomorphic import check_derivatives
from tinygraph import Tensor

PAIRS = {
    "dot": [
        ((3,), (3,)), ((2, 3), (3, 4)), ((2, 3), (4, 3, 5)), ((2, 2, 3), (3,)), ((2, 2, 3), (3, 2)), ((), (3,)),
        ((2, 3), ()), ((2,), (3, 2, 4)), ((2, 2, 3), (2, 3, 2)), ((2, 0), (0, 3)), ((0, 2), (4, 2, 3)),
    ],
    "inner": [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (2, 4, 3)), ((), (3,)), ((2, 0), (3, 0))],
    "outer": [((2,), (3,)), ((2, 2), (3,)), ((), (3,)), ((0,), (2,))],
    "kron": [((2, 3), (3, 2)), ((2,), (3, 2)), ((2, 3, 2), (3,)), ((), (2,)), ((2, 2), ())],
    "cross": [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 1, 3))],
    "tensordot": [((2, 3, 4), (3, 4, 2)), ((2, 3), (2, 3))],
    "linalg.outer": [((2,), (3,))],
    "linalg.matmul": [((2, 3), (3, 1)), ((2, 2, 3), (3,))],
    "linalg.cross": [((2, 3), (2, 3))],
}  # fmt: skip
CASES = [(name, *pair) for name, pairs in PAIRS.items() for pair in pairs]


def drawn(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


def of_numpy(name):
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize(("name", "first", "second"), CASES)
def test_a_product_has_numpys_value_and_its_derivatives(name, first, second):
    function, (a, b) = of_numpy(name), drawn(first, second)
    check_derivatives(function, a, b)
    for mixed in (function(Tensor(a), b), function(a, Tensor(b))):
        assert isinstance(mixed, Tensor)
        np.testing.assert_allclose(mixed.data, function(a, b), rtol=1e-13)


# np.vdot and np.vecdot conjugate complex operands, so the complex step needs another function.
CONJUGATING = {
    "vdot": (np.vdot, lambda a, b: np.sum(a.ravel() * b.ravel()), (2, 3), (3, 2)),
    "vecdot": (np.vecdot, lambda a, b: np.sum(a * b, axis=-1), (2, 3), (3,)),
    "linalg.vecdot": (
        lambda a, b: np.linalg.vecdot(a, b, axis=0),
        lambda a, b: np.sum(a * b, axis=0),
        (3, 2),
        (3, 2),
    ),
}


@pytest.mark.parametrize("name", CONJUGATING)
def test_a_product_that_conjugates_has_the_derivatives_of_real_arrays(name):
    function, analytic, *shapes = CONJUGATING[name]
    check_derivatives(function, *drawn(*shapes), analytic=analytic)


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy 2.2 added matvec and vecmat")
def test_products_of_matrices_and_vectors():
    check_derivatives(np.matvec, *drawn((2, 3, 4), (4,)))
    check_derivatives(np.vecmat, *drawn((2, 3), (2, 3, 4)), analytic=lambda x, A: (x[..., None, :] @ A)[..., 0, :])


@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (1, [(2, 3), (3, 4)]),
        (0, [(2,), (3,)]),
        (([0, 1], [1, 0]), [(2, 3, 4), (3, 2, 2)]),
        ((0, -1), [(2, 4), (3, 2)]),
        (((), ()), [(2,), (3,)]),
        ([1, 0], [(2, 3), (3, 4)]),
    ],
)
def test_tensordot_sums_over_the_given_axes(axes, shapes):
    check_derivatives(lambda a, b: np.tensordot(a, b, axes=axes), *drawn(*shapes))


@given(axes=st.tuples(*[st.integers(-2, 1)] * 3))
def test_the_vectors_of_a_cross_product_are_along_any_axis(axes):
    a, b = drawn((3, 3), (3, 3))
    expected = np.cross(a, b, *axes)
    np.testing.assert_allclose(np.cross(Tensor(a), Tensor(b), *axes).data, expected, rtol=1e-13)


def test_the_axis_of_a_cross_product_counts_for_all():
    check_derivatives(lambda a, b: np.cross(a, b, axis=0), *drawn((3, 2), (3, 2)))


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 4)],
        [(2, 3), (3, 4), (4, 1)],
        [(3,), (3, 4), (4, 1), (1,)],
        [(3,), (3,)],
        [(5, 2), (2, 6), (6, 1), (1, 4)],
        [(2,), (2, 3), (3, 3)],
    ],
)
def test_multi_dot_is_the_product_of_all_matrices(shapes):
    check_derivatives(lambda *xs: np.linalg.multi_dot(xs), *drawn(*shapes), orders=2)


def test_multi_dot_needs_as_few_multiplications_as_possible():
    a, b, c = map(Tensor, drawn((30, 2), (2, 30), (30, 1)))
    node = np.linalg.multi_dot([a, b, c])
    assert node.args[0] is a
    assert node.args[1].args == (b, c)


def test_the_method_dot_is_numpys_function():
    a, b = drawn((2, 3), (4, 3, 2))
    check_derivatives(lambda x, y: x.dot(y), a, b)
    assert isinstance(Tensor(a).dot(b), Tensor)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.vdot(t, t[0]), r"the same number of elements, got the shapes \(2, 3\) and \(3,\)"),
        (lambda t: np.dot(t, t), "matmul of"),
        (lambda t: np.inner(t, t[:, :2]), r"axes \(1,\) of shape \(2, 3\) and axes \(1,\) of shape \(2, 2\)"),
        (lambda t: np.tensordot(t, t, 3), r"axes must be at most 2 for the shapes \(2, 3\) and \(2, 3\), got 3"),
        (lambda t: np.tensordot(t, t, ([0, 0], [0, 0])), "repeated axis"),
        (lambda t: np.tensordot(t, t, (1, 2, 3)), "must be an integer or a pair"),
        (lambda t: np.cross(t[:, :2], t[:, :2]), "3 elements, got 2 and 2: for a plane"),
        (lambda t: np.linalg.multi_dot([t]), "at least two arrays, got 1"),
        (lambda t: np.linalg.multi_dot([t, t[0], t]), r"got an array of shape \(3,\)"),
        (lambda t: np.linalg.outer(t, t), "1-D arrays"),
    ],
)
def test_shapes_that_do_not_match_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(Tensor(np.ones((2, 3))))
