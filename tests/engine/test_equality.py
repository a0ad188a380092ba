"""== and != compare nodes by identity; with a number or an array, whose answer would always be False, they raise."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tinygraph import Tensor, Value

NODES = [Value(1.0), Value(1.0, constant=True), Tensor([1.0, 2.0]), Tensor(1.0)]
DATA = [
    1,
    1.0,
    True,
    1j,
    Fraction(1),
    Decimal(1),
    np.float64(1.0),
    np.int64(1),
    np.array(1.0),
    np.ones(2),
    np.ma.ones(2),
]
COMPARE = [lambda x, y: x == y, lambda x, y: x != y]


@pytest.mark.parametrize("node", NODES, ids=repr)
@pytest.mark.parametrize("compare", COMPARE, ids=["==", "!="])
def test_a_number_or_an_array_is_an_error_on_both_sides(node, compare):
    for other in DATA:
        for sides in ((node, other), (other, node)):
            with pytest.raises(TypeError, match=r"\.data|cannot be converted"):
                compare(*sides)


@pytest.mark.parametrize("compare", COMPARE, ids=["==", "!="])
def test_an_array_of_nodes_is_an_error_too(compare):
    array = np.array([Value(1.0), Value(2.0)])
    for sides in ((array, 1.0), (1.0, array), (array, np.ones(2)), (np.ones(2), array)):
        with pytest.raises(TypeError, match=r"x\.data"):
            compare(*sides)


@pytest.mark.parametrize("compare", COMPARE, ids=["==", "!="])
@pytest.mark.parametrize("other", [[1.0, 2.0], (1.0, 2.0)], ids=["list", "tuple"])
def test_a_sequence_is_an_array_to_a_tensor(compare, other):
    for sides in ((Tensor([1.0, 2.0]), other), (other, Tensor([1.0, 2.0]))):
        with pytest.raises(TypeError, match=r"x\.data"):
            compare(*sides)


@pytest.mark.parametrize("node", NODES, ids=repr)
def test_a_node_is_equal_to_itself_only(node):
    assert node == node
    assert not (node != node)  # noqa: SIM202  (the method itself is tested)
    for other in (*[x for x in NODES if x is not node], type(node)(node.data), None, "1.0", object()):
        assert node != other
        assert other != node
        assert not node == other
    assert {node: "found"}[node] == "found"
    assert len({*NODES, *NODES}) == len(NODES)
    assert NODES.index(node) == next(i for i, x in enumerate(NODES) if x is node)


def test_the_accuracy_of_predictions_is_an_error_and_not_0():
    A, Y = Tensor([0.9, 0.2]), np.array([1.0, 0.0])
    for mean in (lambda: np.mean(A == Y), lambda: np.mean(Y == A), lambda: np.mean(np.equal(A, Y))):
        with pytest.raises(TypeError, match=r"x\.data"):
            mean()


def test_a_conversion_that_cuts_the_graph_names_one_number_or_several():
    with pytest.raises(TypeError, match=r"^a Value cannot be converted to a plain number, .* for the number, and"):
        float(Value(1.0))
    with pytest.raises(TypeError, match=r"^a Tensor cannot be converted to plain numbers, .* for the numbers, and"):
        float(Tensor([1.0]))
