"""Each expression of the list gives NumPy's value, and the gradient that differences, autograd and torch give."""

import operator
import re
from functools import reduce
from importlib.metadata import version

import numpy as np
import pytest

import tinygraph
from tests.oracles.derivatives import STEP, assert_close, difference, differences, weights_of
from tests.oracles.numpy_peers import COMPARED, PEERS, STORED, rights
from tests.tensor.numpy_expressions import EXPRESSIONS, TENSORS, lifted, pieces
from tests.tensor.pending_expressions import PENDING
from tinygraph import Tensor, Value
from tinygraph.engine.graph import Node


def data_of(piece):
    """Return the number or the array of a part of a result."""
    return np.asarray(piece.data if isinstance(piece, Node) else piece)


def added(terms):
    """Return the sum of a list of nodes, which is a node."""
    return reduce(operator.add, terms)


def scalar(parts):
    """Return the weighted sum of nodes, which is a node."""
    terms = []
    for i, part in enumerate(parts):
        product = part * weights_of(part.shape, i) if isinstance(part, Tensor) else part * float(weights_of((), i))
        terms.append(product.sum() if isinstance(part, Tensor) else product)
    return added(terms)


def recorded(expression, point):
    """Return the result with nodes as operands, and the nodes of each operand."""
    operands, leaves = {}, {}
    for name, value in point.items():
        operands[name], leaves[name] = lifted(name, value)
    return expression.evaluate(operands), leaves


def gradients_of(expression, point):
    """Return tinygraph's gradient of the weighted sum, in the shape of each operand."""
    result, leaves = recorded(expression, point)
    flat = [leaf for nodes in leaves.values() for leaf in nodes]
    found = iter(tinygraph.grad(scalar(pieces(result)), flat))
    return {name: np.array([next(found) for _ in nodes]).reshape(point[name].shape) for name, nodes in leaves.items()}


def second_derivative(expression, point, directions):
    """Return the derivative of tinygraph's gradient along the given directions, from the graph of the gradient."""
    result, leaves = recorded(expression, point)
    flat = [leaf for nodes in leaves.values() for leaf in nodes]
    along = [np.reshape(d, np.shape(leaf.data)) for name, nodes in leaves.items()
             for leaf, d in zip(nodes, directions[name].reshape(len(nodes), -1), strict=True)]  # fmt: skip
    first = tinygraph.grad(scalar(pieces(result)), flat, create_graph=True)
    terms = [(g * d).sum() if isinstance(g, Tensor) else g * float(d) for g, d in zip(first, along, strict=True)]
    found = iter(tinygraph.grad(added(terms), flat))
    return {name: np.array([next(found) for _ in nodes]).reshape(point[name].shape) for name, nodes in leaves.items()}


def check_value(expression):
    """Compare the value with NumPy's: the same structure, shapes and numbers, in float64."""
    result, _ = recorded(expression, expression.variables)
    ours, theirs = pieces(result), pieces(expression.plain())
    if isinstance(result, np.ndarray) and result.dtype == object:
        theirs = list(np.asarray(theirs[0]).ravel())
        assert result.shape == np.shape(expression.plain())
    assert len(ours) == len(theirs)
    for mine, its in zip(ours, theirs, strict=True):
        if expression.kind == "differentiable":
            assert isinstance(mine, (Tensor, Value)), f"a plain {type(mine).__name__} has no gradient"
        array = data_of(mine)
        assert array.dtype == np.float64
        assert array.shape == np.shape(its)
        np.testing.assert_allclose(array, np.asarray(its, dtype=float), rtol=1e-12, atol=1e-13)


def check_gradients(expression):
    """Compare the first derivatives with differences of NumPy, and the second with differences of the first."""
    point = expression.variables
    ours, theirs = gradients_of(expression, point), differences(expression, point)
    for name in point:
        assert_close(ours[name], theirs[name], f"the gradient of {name}")
    directions = {name: np.sin(1.0 + np.arange(x.size)).reshape(x.shape) for name, x in point.items()}
    second = second_derivative(expression, point, directions)
    for name in point:

        def gradient(h, name=name):
            return gradients_of(expression, {key: x + h * directions[key] for key, x in point.items()})[name]

        assert_close(second[name], difference(gradient, 0.0, 1.0), f"the second derivative with respect to {name}")


def listed(*kinds):
    """Return the expressions of these kinds; those that do not work yet are expected to fail."""
    waiting = pytest.mark.xfail(strict=True, reason="in PENDING: remove the expression from it if it passes")
    return [pytest.param(e, marks=[waiting] * (e.text in PENDING), id=e.text) for e in EXPRESSIONS if e.kind in kinds]


def skip_without_pandas(expression):
    if expression.needs_pandas:
        pytest.importorskip("pandas", reason="no pandas: pip install 'tinygraph-autodiff[dask]'")


@pytest.mark.parametrize("expression", listed("differentiable"))
def test_value_and_derivatives(expression):
    skip_without_pandas(expression)
    check_value(expression)
    check_gradients(expression)


@pytest.mark.parametrize("expression", [e for e in EXPRESSIONS if e.kind == "differentiable"], ids=str)
def test_the_operands_are_smooth(expression):
    """Differences with two steps agree: no element is near a kink, where the test above would compare noise."""
    skip_without_pandas(expression)
    coarse, fine = (differences(expression, expression.variables, step) for step in (STEP, 0.6 * STEP))
    for name in coarse:
        assert_close(coarse[name], fine[name], name, rel=5e-11)


def compared_with(name):
    """Return the expressions that another library gets right, and that work here."""
    chosen = [e for e in COMPARED if name in STORED["right"].get(e.text, "").split() and e.text not in PENDING]
    return [pytest.param(name, e, id=f"{name}: {e.text}") for e in chosen]


@pytest.mark.parametrize(("name", "expression"), [pair for name in PEERS for pair in compared_with(name)])
def test_another_library_computes_the_same(name, expression):
    pytest.importorskip(name, reason=f"no {name}: pip install --group oracles")
    _, theirs = PEERS[name](expression, expression.variables)
    ours = gradients_of(expression, expression.variables)
    for operand in ours:
        assert_close(ours[operand], theirs[operand], f"the gradient of {operand}")


@pytest.mark.parametrize("name", PEERS)
def test_the_stored_results_of_another_library(name):
    """The page "NumPy coverage" shows them: `python -m tools.numpy_coverage` measures them again."""
    pytest.importorskip(name, reason=f"no {name}: pip install --group oracles")
    assert [e.text for e in COMPARED] == list(STORED["right"])
    stored = {text for text, names in STORED["right"].items() if name in names.split()}
    assert len(stored) > {"autograd": 390, "mygrad": 280, "torch": 470}[name]
    if version(name) == STORED["versions"][name]:
        assert {text for text, names in rights([name]).items() if names} == stored


@pytest.mark.parametrize("expression", listed("constant"))
def test_constants(expression):
    check_value(expression)
    result, _ = recorded(expression, expression.variables)
    assert isinstance(result, np.ndarray) or result.constant


@pytest.mark.parametrize("expression", listed("plain"))
def test_plain_results(expression):
    result, _ = recorded(expression, expression.variables)
    expected = expression.plain()
    assert not any(isinstance(piece, Node) for piece in pieces(result))
    assert type(result) is type(expected) or np.ndim(expected) == 0
    assert len(pieces(result)) == len(pieces(expected))
    for ours, theirs in zip(pieces(result), pieces(expected), strict=True):
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_array_equal(ours, theirs)


ADVICE = re.compile(
    r"\b(use|call|leave|make|pass|compute|take|give|compare|write|do|fill|convert|functions|unsupported operand)\b"
)
NEVER_ASKED = ("np.frombuffer(t)", "np.fft.fft([x, y])", "np.linalg.inv([[x]])")  # NumPy does not ask the node


@pytest.mark.parametrize("expression", listed("refused"))
def test_refused(expression):
    skip_without_pandas(expression)
    with pytest.raises(expression.error) as caught:
        recorded(expression, expression.variables)
    message = str(caught.value)
    assert "\n" not in message
    assert "no implementation found" not in message  # NumPy's message for a type that it does not know
    assert ADVICE.search(message) or expression.text in NEVER_ASKED


def test_the_list():
    texts = [e.text for e in EXPRESSIONS]
    assert len(set(texts)) == len(texts) >= 260
    assert set(texts) >= PENDING
    assert TENSORS.keys() <= {name for e in EXPRESSIONS for name in e.names}
