"""einsum on Tensors has NumPy's value, and the derivatives that complex numbers give, for every form of subscripts."""

import pickle
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.holomorphic import check_derivatives
from tinygraph import Tensor
from tinygraph.engine.autodiff import grad
from tinygraph.functional import jvp

FORMS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ij": [(3, 3, 2)],
    "ijij->i": [(2, 3, 2, 3)],
    "iii->i": [(2, 2, 2)],
    "ij->": [(2, 3)],
    "ij->j": [(2, 3)],
    "ij,k->j": [(2, 3), (4,)],
    "i,j": [(2,), (3,)],
    "ba": [(2, 3)],
    "aB,B": [(2, 3), (3,)],
    " i , i j , j ": [(2,), (2, 3), (3,)],
    "...i,...i": [(2, 3), (3,)],
    "...i,...i->...": [(2, 1, 3), (4, 3)],
    "b...a": [(2, 4, 3)],
    "...->...": [(2, 3)],
    ",i->i": [(), (3,)],
    "ij,ij->ij": [(1, 3), (2, 3)],
    "ij,ij->j": [(1, 3), (2, 3)],
    "ij,ij->i": [(2, 1), (1, 3)],
    "ii,ii->": [(1, 1), (3, 3)],
    "ij,jk,kl->il": [(2, 3), (3, 4), (4, 2)],
    "ij,jk,kl,lm->im": [(2, 3), (3, 1), (1, 2), (2, 2)],
}


def drawn(shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("subscripts", FORMS)
def test_a_form_of_subscripts_has_numpys_value_and_its_derivatives(subscripts):
    operands = drawn(FORMS[subscripts])
    node = check_derivatives(lambda *xs: np.einsum(subscripts, *xs), *operands)
    assert pickle.loads(pickle.dumps(node.op)) is node.op
    tangents = drawn(FORMS[subscripts], seed=2)
    leaves = [Tensor(x) for x in operands]
    moved = jvp(np.einsum(subscripts, *leaves), dict(zip(leaves, tangents, strict=True)))
    steps = [x + 1e-30j * t for x, t in zip(operands, tangents, strict=True)]
    np.testing.assert_allclose(moved, np.einsum(subscripts, *steps).imag / 1e-30, rtol=1e-13, atol=1e-13)


@st.composite
def calls(draw):
    """Draw subscripts and operands. Axes of length 1 are repeated, also where a letter occurs twice in an operand."""
    letters = string.ascii_letters[:5]
    lengths = {letter: draw(st.integers(0, 3)) for letter in letters}
    terms = draw(st.lists(st.text(letters, max_size=3), min_size=1, max_size=3))
    output = draw(st.permutations(sorted(set("".join(terms)))))
    output = "".join(output[: draw(st.integers(0, len(output)))])
    operands = []
    for term in terms:
        ones = {letter for letter in letters if draw(st.sampled_from([False, False, True]))}
        shape = [1 if letter in ones else lengths[letter] for letter in term]
        operands.append(np.random.default_rng(draw(st.integers(0, 99))).integers(-3, 4, shape).astype(float))
    return f"{','.join(terms)}->{output}", operands


@given(call=calls(), data=st.data())
def test_the_pullback_of_any_einsum_is_the_transpose_of_its_linear_maps(call, data):
    """<A t, up> equals <t, A^T up> exactly, because sums and products of small integers are exact."""
    subscripts, operands = call
    expected = np.einsum(subscripts, *operands)
    leaves = [Tensor(x) for x in operands]
    node = np.einsum(subscripts, *leaves)
    assert np.array_equal(node.data, expected)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    up = rng.integers(-3, 4, expected.shape).astype(float)
    for k, gradient in enumerate(grad(node, leaves, seed=up)):
        assert gradient.shape == operands[k].shape
        tangent = rng.integers(-3, 4, operands[k].shape).astype(float)
        pushed = np.einsum(subscripts, *[tangent if j == k else x for j, x in enumerate(operands)])
        assert np.sum(pushed * up) == np.sum(tangent * gradient)


def test_lists_of_integers_stand_for_letters():
    A, B = drawn([(2, 3), (3, 4)])
    check_derivatives(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), A, B)
    check_derivatives(lambda x, y: np.einsum(x, [30, 1], y, [1, 2]), A, B)
    check_derivatives(lambda x, y: np.einsum(x, [..., 1], y, [1, ...]), A, B[:, 0])
    with pytest.raises(TypeError, match="must be a list of integers"):
        np.einsum(Tensor(A), "ij")
    with pytest.raises(ValueError, match="integers from 0 to 51"):
        np.einsum(Tensor(A), [0, 52])


def test_large_operands_are_multiplied_as_matrices():
    A, B, C = drawn([(40, 30), (30, 50), (50, 20)])
    node = np.einsum("ij,jk,kl->il", Tensor(A), Tensor(B), Tensor(C), optimize=True)
    np.testing.assert_allclose(node.data, A @ B @ C, rtol=1e-12)


def test_an_array_among_the_operands_is_data():
    A, B = drawn([(2, 3), (3, 4)])
    for x, y in ((Tensor(A), B), (A, Tensor(B))):
        np.testing.assert_allclose(np.einsum("ij,jk", x, y).data, A @ B, rtol=1e-14)
    node = np.einsum("ij,jk", Tensor(A, "A"), B)
    assert node.op.text("A", "B") == "einsum(ij,jk->ik, A, B)"
    assert np.array_equal(tinygraph.grad(node.sum(), node.args[0]), np.ones((2, 4)) @ B.T)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk", [(2, 3)], "'ij,jk' has subscripts for 2 operands, got 1"),
        ("ij->ii", [(2, 3)], "must contain i only once"),
        ("ij->k", [(2, 3)], "contains k, which no operand has"),
        ("i->i", [(2, 3)], r"'i' do not fit the axes of an operand of shape \(2, 3\)"),
        ("ijk", [(2, 3)], r"'ijk' do not fit the axes"),
        ("...->", [(2, 3)], "must contain '...' in its output, because '...' has 2 axes"),
        ("i1", [(2, 3)], "must contain letters"),
        ("ij->i->j", [(2, 3)], "must contain letters"),
        ("ij,ij", [(2, 3), (3, 4)], "the letter [ij] in 'ij,ij' has the lengths . and .: they must be equal unless"),
        ("ii", [(1, 3)], "the letter i in 'ii' has the lengths 1 and 3: they must be equal$"),
    ],
)
def test_subscripts_that_numpy_refuses_are_refused_with_a_reason(subscripts, shapes, message):
    operands = drawn(shapes)
    with pytest.raises(ValueError, match=r"."):
        np.einsum(subscripts, *operands)
    with pytest.raises(ValueError, match=message):
        np.einsum(subscripts, *map(Tensor, operands))
