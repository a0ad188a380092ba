"""Networks of Tensors agree with networks of Values, and with PyTorch."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine.graph import order
from tinygraph.nn import MLP, Layer, Neuron

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=3)
seeds = st.integers(0, 10**6)


def both(make, seed):
    """Return the same network of Values and of Tensors."""
    models = []
    for backend in ("scalar", "tensor"):
        random.seed(seed)
        models.append(make(backend))
    return models


def flat(numbers):
    return np.concatenate([np.ravel(x) for x in numbers])


def by_layer(scalar):
    """Return the gradients of the Values in the order of the Tensors: the weights and then the bias of each layer."""
    layers = getattr(scalar, "layers", [scalar])
    groups = [getattr(layer, "neurons", [layer]) for layer in layers]
    return [[w.grad for n in neurons for w in n.w] + [n.b.grad for n in neurons] for neurons in groups]


KINDS = {
    "Neuron": lambda nin, nouts, nonlin, b: Neuron(nin, nonlin, b),
    "Layer": lambda nin, nouts, nonlin, b: Layer(nin, nouts[0], nonlin, b),
    "MLP": lambda nin, nouts, nonlin, b: MLP(nin, nouts, b),
}


@pytest.mark.parametrize("kind", KINDS)
@given(nin=st.integers(1, 4), nouts=sizes, m=st.integers(1, 5), nonlin=st.booleans(), seed=seeds)
def test_both_backends_agree_in_outputs_and_gradients(kind, nin, nouts, m, nonlin, seed):
    scalar, tensor = both(lambda backend: KINDS[kind](nin, nouts, nonlin, backend), seed)
    assert repr(scalar) == repr(tensor)
    rng = np.random.default_rng(seed)
    X, nodes = rng.normal(size=(m, nin)), []
    rows = []
    for row in X:
        nodes.append([Value(x) for x in row])
        out = scalar(nodes[-1])
        rows.append(out if isinstance(out, list) else [out])
    data = Tensor(X, "X")
    with tinygraph.strict():
        out = tensor(data)
    single = len(rows[0]) == 1
    assert out.shape == ((m,) if single else (m, len(rows[0])))
    values = np.array([[y.data for y in row] for row in rows])
    np.testing.assert_allclose(out.data.reshape(values.shape), values, rtol=1e-12, atol=1e-13)
    seed = rng.normal(size=values.shape)
    tinygraph.dot([y for row in rows for y in row], seed.ravel().tolist()).backward()
    out.backward(seed=seed.reshape(out.shape))
    np.testing.assert_allclose(
        flat(p.grad for p in tensor.parameters()), flat(by_layer(scalar)), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(data.grad, [[x.grad for x in row] for row in nodes], rtol=1e-10, atol=1e-12)
    one = tensor(X[0])
    assert one.shape == out.shape[1:]
    np.testing.assert_allclose(one.data, out.data[0], rtol=1e-12, atol=1e-13)


@given(nin=st.integers(1, 4), nouts=sizes, seed=seeds)
def test_outputs_and_gradients_are_those_of_pytorch(nin, nouts, seed):
    torch = pytest.importorskip("torch", reason="needs the dependency group oracles")
    model = MLP(nin, nouts, backend="tensor")
    X = np.random.default_rng(seed).normal(size=(3, nin))
    theirs = [torch.tensor(p.data, requires_grad=True) for p in model.parameters()]
    hidden = torch.tensor(X)
    for k, (W, b) in enumerate(zip(theirs[::2], theirs[1::2], strict=True)):
        hidden = torch.nn.functional.linear(hidden, W, b)
        hidden = torch.relu(hidden) if k != len(nouts) - 1 else hidden
    (hidden**2).sum().backward()
    (model(X) ** 2).sum().backward()
    np.testing.assert_allclose(
        flat(p.grad for p in model.parameters()), flat(p.grad.numpy() for p in theirs), rtol=1e-10, atol=1e-12
    )


def test_each_layer_is_a_scope():
    model = MLP(2, [3, 1], backend="tensor")
    J = (1.0 - model(np.ones((5, 2)))).relu().mean()
    scopes = {node.name: node.scope for node in order(J) if node.name}
    first, second = ("layer 1",), ("layer 2",)
    assert scopes == {"W1": first, "b1": first, "Z1": first, "A1": first, "W2": second, "b2": second, "Z2": second}
    assert {node.scope for node in order(J)} == {(), first, second}


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((5, 3)), ValueError, r"x must have 2 features per example, .* \(2,\) .* \(m, 2\) .* not \(5, 3\)$"),
        ([1.0, 2.0, 3.0], ValueError, r"not \(3,\)$"),
        (2.0, ValueError, r"not \(\)$"),
        (Tensor([1.0]), ValueError, r"not \(1,\)$"),
        ([Value(1.0), Value(2.0)], TypeError, "^x: the elements are Values, .* cannot be mixed in one graph"),
        (["a", "b"], TypeError, "^x: "),
        ([[1.0], [1.0, 2.0]], TypeError, "^x: .*different lengths"),
        (Value(1.0), TypeError, "^x: "),
        (None, TypeError, "^x: "),
    ],
)
@pytest.mark.parametrize(
    "make", [Neuron, lambda nin, backend: Layer(nin, 2, backend=backend), lambda nin, backend: MLP(nin, [2], backend)]
)
def test_bad_examples_are_refused(make, x, error, message):
    with pytest.raises(error, match=message):
        make(2, backend="tensor")(x)


def test_data_frames_and_tensors_are_tables():
    pandas = pytest.importorskip("pandas", reason="needs the dependency group oracles")
    model = MLP(2, [3, 1], backend="tensor")
    X = np.random.default_rng(0).normal(size=(4, 2))
    expected = model(X).data.tolist()
    for table in (Tensor(X), X.tolist(), pandas.DataFrame(X, columns=["a", "b"])):
        assert model(table).data.tolist() == expected
