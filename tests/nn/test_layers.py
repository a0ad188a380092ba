"""Neurons, layers and networks of Values: micrograd's results, scopes and names, and the refusal of bad input."""

import copy
import math
import pickle
import random
import re
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, draw
from tinygraph.engine.graph import order
from tinygraph.nn import MLP, Layer, Neuron

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=3)
seeds = st.integers(0, 10**6)


def example(seed, nin):
    return np.random.default_rng(seed).normal(size=nin).tolist()


# --- micrograd's interface


def libraries():
    """Return (Value, module of layers) of micrograd and of tinygraph."""
    engine = pytest.importorskip("micrograd.engine", reason="needs the dependency group oracles")
    return (engine.Value, import_module("micrograd.nn")), (Value, tinygraph.nn)


@given(nin=st.integers(1, 4), nouts=sizes, seed=seeds)
def test_initial_weights_outputs_and_gradients_are_those_of_micrograd(nin, nouts, seed):
    nouts = [n + 1 for n in nouts[:-1]] + nouts[-1:]  # a hidden layer of one neuron is an error in micrograd
    found = []
    for kind, nn in libraries():
        random.seed(seed)
        model = nn.MLP(nin, nouts)
        x = [kind(number) for number in example(seed, nin)]
        out = model(x)
        out = out if isinstance(out, list) else [out]
        weights = [p.data for p in model.parameters()]
        sum([y * y for y in out]).backward()
        found.append((repr(model), weights, [y.data for y in out], [v.grad for v in (*x, *model.parameters())]))
    theirs, ours = found
    assert ours[:3] == theirs[:3]
    assert ours[3] == pytest.approx(theirs[3], rel=1e-12, abs=1e-12)


def moons(m, noise=0.1):
    rng = np.random.default_rng(3)
    angle = rng.uniform(0.0, np.pi, m)
    lower = np.arange(m) % 2
    points = np.stack([np.cos(angle) + lower, (0.5 * lower) + np.sin(angle) * (1 - 2 * lower)], axis=1)
    return points + noise * rng.normal(size=(m, 2)), 1 - 2 * lower


def train(kind, nn, iterations):
    """Train as micrograd's demo does, and return the cost and the accuracy of each iteration."""
    random.seed(1337)
    X, y = moons(16)
    model = nn.MLP(2, [6, 5, 1])
    history = []
    for k in range(iterations):
        scores = list(map(model, [list(map(kind, row)) for row in X]))
        losses = [(1 + -label * score).relu() for label, score in zip(y, scores, strict=True)]
        cost = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        correct = [(label > 0) == (score.data > 0) for label, score in zip(y, scores, strict=True)]
        model.zero_grad()
        cost.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / iterations) * p.grad
        history.append((cost.data, sum(correct) / len(correct)))
    return np.array(history)


def test_training_gives_the_costs_of_micrograd():
    theirs, ours = (train(*library, 30) for library in libraries())
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], rtol=1e-10)
    assert ours[:, 1].tolist() == theirs[:, 1].tolist()
    assert theirs[-1, 0] < 0.5 * theirs[0, 0]


def test_attributes_are_those_of_micrograd():
    model = MLP(3, [2, 1])
    first, last = model.layers
    assert [len(neuron.w) for neuron in first.neurons] == [3, 3]
    assert [first.neurons[0].nonlin, last.neurons[0].nonlin] == [True, False]
    assert first.neurons[1].parameters() == [*first.neurons[1].w, first.neurons[1].b]
    assert model.parameters() == [*first.neurons[0].parameters(), *first.neurons[1].parameters(), *last.parameters()]
    assert repr(Neuron(2, nonlin=False)) == "LinearNeuron(2)"
    assert repr(model) == "MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]"
    assert type(Layer(2, 1)([1.0, 2.0])) is Value
    assert len(Layer(2, 2, nonlin=False)([1.0, 2.0])) == 2
    assert Neuron(1, nonlin=0).nonlin is False


def test_a_hidden_layer_may_have_one_neuron():
    model = MLP(2, [1, 1, 2])
    for p in model.parameters():
        p.data = 2.0
    assert [y.data for y in model([1.0, 3.0])] == [2.0 * (2.0 * (2.0 + 6.0 + 2.0) + 2.0) + 2.0] * 2


@given(kind=st.sampled_from([list, tuple, iter, np.array, lambda x: map(Value, x)]), seed=seeds)
def test_an_example_is_any_sequence_of_numbers_or_values(kind, seed):
    random.seed(seed)
    model, x = MLP(3, [2, 2]), example(seed, 3)
    assert [y.data for y in model(kind(x))] == [y.data for y in model([Value(number) for number in x])]


# --- the graph


def test_each_layer_is_a_scope():
    model = MLP(2, [3, 1])
    x = [Value(1.0, "x1"), Value(-2.0, "x2")]
    J = (1.0 - model(x)).relu()
    scopes = {node.name: node.scope for node in order(J) if node.name}
    for k, count in ((1, 24), (2, 10)):
        own = {name for name, scope in scopes.items() if scope == (f"layer {k}",)}
        assert own == {name for name in scopes if name[1:2] == str(k) and name[0] != "x"}
        assert sum(node.scope == (f"layer {k}",) for node in order(J)) == count
    assert [x.scope for x in (*x, J)] == [()] * 3
    shown = draw(J, detail="scopes").source
    assert re.findall(r"layer \d", shown).count("layer 1") == re.findall(r"layer \d", shown).count("layer 2")
    with tinygraph.scope("network"):
        assert {node.scope for node in order(MLP(1, [1])([1.0]))} == {("network", "layer 1")}


def test_names_are_those_of_the_elements_of_the_arrays():
    model = MLP(2, [3, 1])
    J = model([1.0, 2.0])
    first = [f"{name}[{i}{j}]" for i in range(3) for name, j in (("W1", ",0"), ("W1", ",1"), ("b1", ""))]
    assert [p.name for p in model.parameters()] == [*first, "W2[0,0]", "W2[0,1]", "W2[0,2]", "b2"]
    named = [node.name for node in reversed(order(J)) if node.op is not None and node.name]
    assert sorted(named) == ["a1[0]", "a1[1]", "a1[2]", "z1[0]", "z1[1]", "z1[2]", "z2"]
    assert [a.name for a in Layer(1, 2)([1.0])] == ["a[0]", "a[1]"]
    assert [p.name for p in Layer(1, 2).parameters()] == ["W[0,0]", "b[0]", "W[1,0]", "b[1]"]
    assert Neuron(2)([1.0, 2.0]).name == "a"
    assert Neuron(2, nonlin=False)([1.0, 2.0]).name == "z"


def test_the_source_text_is_the_code_of_the_course():
    model = MLP(2, [3, 1])
    cost = tinygraph.total([model([Value(float(i)), Value(2.0 - i)]).softplus() for i in range(5)])
    lines = tinygraph.source(cost).splitlines()
    assert any(line.startswith("Z1 = ") and line.endswith("+ b1") for line in lines)
    assert "A1 = relu(Z1)" in lines
    found = tinygraph.source(cost).run()
    cost.backward()
    grads = np.array([[w.grad for w in neuron.w] for neuron in model.layers[0].neurons])
    assert np.sort(np.ravel(found["dW1"])) == pytest.approx(np.sort(np.ravel(grads)), rel=1e-12, abs=1e-14)


def test_a_network_is_compiled():
    random.seed(5)
    model, X = MLP(2, [4, 1]), np.random.default_rng(5).normal(size=(6, 2))
    cost = tinygraph.total([model(row) ** 2 for row in X])
    compiled = tinygraph.compile(cost, [model.parameters()])
    value, (slopes,) = compiled([p.data for p in model.parameters()])
    cost.backward()
    assert value == pytest.approx(cost.data, rel=1e-13)
    assert list(slopes) == pytest.approx([p.grad for p in model.parameters()], rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("backend", ["scalar", "tensor"])
def test_copies_of_a_network_learn_separately(backend):
    model = MLP(2, [3, 1], backend=backend)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        before = model([1.0, 2.0]).item()
        assert again([1.0, 2.0]).item() == before
        for p in again.parameters():
            p.data = p.data + 1.0
        assert again([1.0, 2.0]).item() != before
        assert model([1.0, 2.0]).item() == before
        assert again([1.0, 2.0]).scope == ("layer 2",)


def test_values_need_no_numpy():
    program = (
        "import tinygraph, sys; model = tinygraph.nn.MLP(2, [3, 1]); y = model([1.0, 2.0]); y.backward();"
        "model.zero_grad(); y.backward(accumulate=True); repr(model);"
        "print('numpy' in sys.modules, all(p.grad is not None for p in model.parameters()))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True"]


# --- bad input


@pytest.mark.parametrize("kind", [Neuron, Layer, MLP])
@pytest.mark.parametrize("backend", ["scalar", "tensor"])
@pytest.mark.parametrize("nin", [0, -1, 2.0, "2", None, [2]])
def test_a_bad_number_of_inputs_is_refused(kind, backend, nin):
    others = {Neuron: (), Layer: (2,), MLP: ([2],)}[kind]
    with pytest.raises((TypeError, ValueError), match=r"^nin must be an integer of at least 1, not "):
        kind(nin, *others, backend=backend)


@pytest.mark.parametrize(
    ("nouts", "message"),
    [
        ([], "nouts must contain at least one layer size"),
        ([3, 0], "each layer size in nouts must be an integer of at least 1, not 0"),
        ([2.5], "each layer size in nouts must be an integer of at least 1, not 2.5"),
        (3, "nouts must be a list of layer sizes"),
        ("31", "nouts must be a list of layer sizes"),
    ],
)
def test_bad_layer_sizes_are_refused(nouts, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MLP(2, nouts)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="nout must be an integer of at least 1, not 0"):
        Layer(2, 0)
    with pytest.raises(ValueError, match="number must be an integer of at least 0, not -1"):
        Layer(2, 1, number=-1)
    for make in (lambda b: Neuron(2, backend=b), lambda b: Layer(2, 1, backend=b), lambda b: MLP(2, [1], b)):
        with pytest.raises(ValueError, match="backend must be one of 'scalar', 'tensor', not 'gpu'"):
            make("gpu")


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0], ValueError, "x must be a list of 2 numbers or Values, not of 1$"),
        ([1.0, 2.0, 3.0], ValueError, "not of 3$"),
        (2.0, TypeError, r"x must be a list of 2 numbers or Values, not 2.0 \(float\)$"),
        (Value(2.0), TypeError, r"not Value\(2.0\) \(Value\)$"),
        (Tensor([1.0, 2.0]), TypeError, r"a Tensor needs a network with backend='tensor'$"),
        ("12", TypeError, "x must be a list of 2 numbers or Values, not '12'"),
        ({1.0, 2.0}, TypeError, "not {1.0, 2.0}"),
        ({1.0: 1, 2.0: 2}, TypeError, r"\(dict\)"),
        (dict, TypeError, "dict"),
        (None, TypeError, "not None"),
        (np.array(1.0), TypeError, "not array"),
        (np.ones((3, 2)), TypeError, "call the network once per example, or make it with backend='tensor'$"),
        ([[1.0, 2.0], [3.0, 4.0]], TypeError, "once per example"),
        ([Tensor([1.0]), 2.0], TypeError, "once per example"),
        (["a", 1.0], TypeError, "^x: 'a' .* is not a real number"),
        ([1j, 1.0], TypeError, "^x: 1j .* is not a real number"),
        ([Tensor(1.0), 1.0], TypeError, "^x: .*Tensor"),
    ],
)
@pytest.mark.parametrize("make", [Neuron, lambda nin: Layer(nin, 2), lambda nin: MLP(nin, [2, 1])])
def test_a_bad_example_is_refused(make, x, error, message):
    with pytest.raises(error, match=message):
        make(2)(x)


def test_values_that_are_not_finite_pass_through():
    neuron = Neuron(2, nonlin=False)
    assert math.isnan(neuron([math.nan, 1.0]).data)
