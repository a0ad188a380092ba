"""A graph of Tensors as a function of arrays, compared with the graph that the same program records elsewhere."""

import numpy as np
import pytest
from hypothesis import given

import tinygraph
from tests.tensor.agreement import absolute_masses, close
from tinygraph import StaleGraphError, Tensor
from tinygraph.kernels.quiet import quietly
from tinygraph.testing import tensor_programs
from tinygraph.vectorizing.array_graph import array_function


@given(program=tensor_programs(max_steps=5))
def test_the_value_and_the_gradients_are_those_of_the_graph(program):
    root, leaves = program.record()
    tinygraph.grad(root, leaves)
    root.backward()
    reached = [leaf for leaf in leaves if leaf.grad is not None]
    masses = absolute_masses(root)
    given_ = [leaf.raw if leaf.ndim else leaf.item() for leaf in leaves]
    value, gradients = quietly(array_function(root, leaves, reached), *given_)
    assert value == pytest.approx(root.item(), rel=1e-9, abs=1e-9)
    for leaf, gradient in zip(reached, gradients, strict=True):
        assert np.shape(gradient) == leaf.shape
        assert close(np.asarray(gradient), leaf.grad, masses[leaf], 1e-9)


@pytest.mark.parametrize("shapes", [((0, 0), (0, 1)), ((2, 0), (2, 1)), ((0, 3), (1, 3)), ((0, 1), (1, 3))])
def test_arrays_without_elements_have_gradients_without_elements_or_of_zero(shapes):
    """The number of the elements that are summed was divided by the number of results, which is 0 here."""
    leaves = [Tensor(np.ones(shape)) for shape in shapes]
    root = tinygraph.maximum(*leaves).sum()
    value, gradients = array_function(root, leaves, leaves)(*[leaf.data for leaf in leaves])
    assert value == 0.0
    for leaf, gradient in zip(leaves, gradients, strict=True):
        assert np.array_equal(gradient, np.zeros(leaf.shape))


@pytest.mark.parametrize("key", [(), ..., None, (None, ...), True])
def test_the_index_of_a_single_number_is_that_of_an_array(key):
    """The function computes with floats there, and a float has no elements."""
    x = Tensor(2.0, "x")
    root = ((x * 3.0)[key] * np.ones((2, 1))).sum()
    assert array_function(root, [x], [x])(2.0) == (12.0, (6.0,))
    scope: dict[str, object] = {}
    exec(tinygraph.source(root), scope)
    assert (scope["J"], scope["dx"]) == (12.0, 6.0)


def test_a_single_number_without_selected_elements_does_not_matter():
    x = Tensor(2.0, "x")
    root = (x * 3.0)[False].sum() + x
    assert array_function(root, [x], [x])(2.0) == (2.0, (1.0,))


def test_the_function_computes_at_other_arrays_of_variables_and_constants():
    def cost(w, b, X, Y):
        return (tinygraph.binary_cross_entropy_with_logits(w.T @ X + b, Y) * 0.5).mean() + (w * w).sum() / 8.0

    rng = np.random.default_rng(0)
    old, new = ([rng.normal(size=(3, 1)), 0.5 * k, rng.normal(size=(3, 7)), np.arange(7.0) % 2] for k in (1, 2))
    new[3] = new[3][::-1] * 0.75
    leaves = [Tensor(x, constant=k > 1) for k, x in enumerate(old)]
    f = array_function(cost(*leaves), leaves, leaves[:2])
    for numbers in (new, old):
        nodes = [Tensor(x) for x in numbers]
        J = cost(*nodes)
        J.backward()
        value, (dw, db) = f(*numbers)
        assert value == pytest.approx(J.item(), rel=1e-14)
        np.testing.assert_allclose(dw, nodes[0].grad, rtol=1e-13)
        np.testing.assert_allclose(db, nodes[1].grad, rtol=1e-13)


def test_a_call_changes_no_node():
    w, x = Tensor([1.0, 2.0]), Tensor([3.0, 4.0], constant=True)
    J = (w * x).sum()
    f = array_function(J, [w, x], [w])
    assert f(np.array([5.0, 6.0]), np.array([7.0, 8.0]))[0] == 83.0
    assert (J.item(), w.data.tolist(), w.grad, x.data.tolist()) == (11.0, [1.0, 2.0], None, [3.0, 4.0])


def test_graphs_that_are_not_functions_of_the_inputs_are_refused():
    w, v = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    with pytest.raises(ValueError, match=r"scalar root, but this Tensor has shape \(2,\)"):
        array_function(w * 3.0, [w], [w])
    with pytest.raises(ValueError, match=r"the root does not depend on Tensor\(\[3.0, 4.0\]\)"):
        array_function((w * w).sum(), [w, v], [w, v])
    J = (w * w).sum()
    w.data = [5.0, 6.0]
    with pytest.raises(StaleGraphError):
        array_function(J, [w], [w])
    with pytest.raises(ValueError, match=r"contains a comparison of Tensors: use tinygraph\.compile"):
        array_function((v if (v > 1.0).all() else -v).sum(), [v], [v])
