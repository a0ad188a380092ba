"""Bugs and habits of other libraries that tinygraph must not repeat, and programs written for those libraries."""

import copy
import itertools
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.peers import torch_rows
from tinygraph import StaleGraphError, Value
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.testing import RandomProgram, graphs


def test_x_plus_x_keeps_both_operands():
    x = Value(3.0)
    y = x + x
    assert y.args == (x, x)
    assert y.partials == (1.0, 1.0)


def test_a_second_backward_does_not_double():
    x = Value(3.0)
    y = x * x * x
    y.backward()
    y.backward()
    assert x.grad == 27.0


def test_copies_and_pickles_keep_gradients():
    x = Value(3.0)
    y = x * x
    y.backward()
    assert copy.deepcopy(y).args[0].grad == 6.0
    assert pickle.loads(pickle.dumps(y)).args[0].grad == 6.0


def test_an_array_does_not_poison_a_node():
    import numpy as np

    x = Value(2.0)
    products = x * np.array([1.0, 2.0])
    assert [type(node) for node in products] == [Value, Value]
    assert all(type(node.data) is float for node in products)


def test_powers_never_turn_complex():
    for y in (Value(-2.0) ** 0.5, Value(-2.0) ** Value(0.5), tinygraph.pow(-2.0, 0.5)):
        number = y.data if isinstance(y, Value) else y
        assert type(number) is float
        assert math.isnan(number)


def test_a_value_is_not_true():
    with pytest.raises(TypeError):
        bool(Value(0.0))


def test_relu_of_nan_is_nan_and_so_is_its_partial():
    x = Value(math.nan)
    y = x.relu()
    y.backward()
    assert math.isnan(y.data)
    assert math.isnan(x.grad)


def test_an_edit_gives_no_wrong_gradient_in_silence():
    x = Value(2.0)
    y = x * x
    x.data = 5.0
    with pytest.raises(StaleGraphError):
        y.backward()


@given(program=graphs())
def test_gradients_do_not_differ_between_runs(program):
    def run():
        root, leaves = program.record()
        root.backward()
        return [repr(leaf.grad) for leaf in leaves]

    assert run() == run()


def test_a_difference_is_recorded_as_typed():
    a, b = Value(2.0), Value(3.0)
    assert ((a - b).op.name, (a / b).op.name, (1.0 - a).op.name, (-a).op.name) == ("sub", "div", "sub", "neg")
    assert len(order(a - b)) == 3


def test_shared_nodes_are_visited_once():
    y = Value(1.0)
    for _ in range(14):
        y = y + y
    assert len(order(y)) == 15


def test_a_tie_of_maximum_loses_no_gradient():
    x, y = Value(2.0), Value(2.0)
    tinygraph.maximum(x, y).backward()
    assert x.grad + y.grad == 1.0


def test_no_hidden_epsilon():
    assert tinygraph.log(0.0) == -math.inf
    assert tinygraph.log(Value(1e-300)).data == math.log(1e-300)


def test_the_square_root_at_zero_does_not_raise():
    x = Value(0.0)
    tinygraph.sqrt(x).backward()
    assert x.grad == math.inf


def test_log_has_no_gradient_below_zero():
    x = Value(-1.0)
    tinygraph.log(x).backward()
    assert math.isnan(x.grad)


@pytest.mark.parametrize(
    ("row", "at", "local"),
    [
        (tinygraph.tanh, (20.0,), 4 * math.exp(-40.0)),
        (tinygraph.sigmoid, (40.0,), math.exp(-40.0)),
        (tinygraph.softplus, (-40.0,), math.exp(-40.0)),
        (tinygraph.binary_cross_entropy_with_logits, (40.0, 1.0), -math.exp(-40.0)),
        (tinygraph.binary_cross_entropy_with_logits, (-40.0, 0.0), math.exp(-40.0)),
    ],
)
def test_tails_are_right(row, at, local):
    x = Value(at[0])
    assert tinygraph.grad(row(x, *at[1:]), x) == pytest.approx(local, rel=1e-15)


def test_softplus_has_no_threshold():
    assert tinygraph.softplus(21.0) > 21.0


def test_why_topological_order():
    """This is the smallest graph on which a depth-first traversal gives a wrong gradient."""
    a = Value(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (b.grad, a.grad) == (2.0, 4.0)


# --- programs written for micrograd


class Neuron:
    """A neuron as users write it for micrograd, with operators and relu, and no import except the engine."""

    def __init__(self, engine, weights):
        self.w = [engine(x) for x in weights]
        self.b = engine(0)

    def __call__(self, x, *, nonlinear):
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if nonlinear else act


class MLP:
    def __init__(self, engine, sizes, draw):
        self.layers = [
            [Neuron(engine, [draw() for _ in range(n)]) for _ in range(m)] for n, m in itertools.pairwise(sizes)
        ]

    def __call__(self, x):
        for i, layer in enumerate(self.layers):
            x = [neuron(x, nonlinear=i < len(self.layers) - 1) for neuron in layer]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for neuron in layer for p in [*neuron.w, neuron.b]]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0


def two_moons(n):
    for i in range(n):
        angle = math.pi * i / n
        yield (math.cos(angle), math.sin(angle)), 1
        yield (1 - math.cos(angle), 0.5 - math.sin(angle)), -1


def train(engine, steps):
    """Run the loop of micrograd's demo: hinge loss with L2 on two moons, zeroing gradients before each backward."""
    import random

    draw = random.Random(1337)
    model = MLP(engine, [2, 8, 8, 1], lambda: draw.uniform(-1, 1))
    points = list(two_moons(10))
    history = []
    for k in range(steps):
        scores = [model([engine(x) for x in point]) for point, _ in points]
        losses = [(1 + -label * score).relu() for (_, label), score in zip(points, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + 1e-4 * sum(p * p for p in model.parameters())
        accuracy = sum((label > 0) == (s.data > 0) for (_, label), s in zip(points, scores, strict=True))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * 0.1 * p.grad
        history.append((loss.data, accuracy))
    return history, [p.grad for p in model.parameters()]


def every_operator(engine):
    """Run a program that uses every operator of micrograd, like micrograd's own test."""
    a, b = engine(-4.0), engine(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return [g.data, a.grad, b.grad, (2 - a).data, (a / b).data, (b**-1).data]


def test_a_program_for_micrograd_trains():
    history, _ = train(Value, 20)
    assert history[-1][0] < history[0][0]
    assert every_operator(Value) == pytest.approx([24.70408163265306, 138.8338192419825, 645.5772594752186, 6, -2, 0.5])


def test_it_gives_the_numbers_of_micrograd():
    engine = pytest.importorskip("micrograd.engine", reason="needs the dependency group oracles").Value
    assert every_operator(Value) == pytest.approx(every_operator(engine), rel=1e-14)
    ours, theirs = train(Value, 10), train(engine, 10)
    for (loss, accuracy), (expected, right) in zip(ours[0], theirs[0], strict=True):
        assert loss == pytest.approx(expected, rel=1e-10)
        assert accuracy == right
    assert ours[1] == pytest.approx(theirs[1], rel=1e-8, abs=1e-12)


# --- PyTorch as an oracle


@given(data=st.data())
def test_torch_agrees_on_random_programs(data):
    torch = pytest.importorskip("torch", reason="needs the dependency group oracles")
    table = torch_rows(torch)
    # Values are at most 6, because torch's derivatives of tanh and sigmoid lose their digits in the tails.
    program: RandomProgram = data.draw(graphs(ops=[TABLE[name] for name in table], limit=6.0))
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.at]

    def apply(op, *args):
        return table[op.name](*[torch.as_tensor(x, dtype=torch.float64) for x in args])

    theirs = program.run(inputs, apply)[-1]
    root, leaves = program.record()
    assert root.data == pytest.approx(theirs.item(), rel=1e-12, abs=1e-12)
    if not theirs.requires_grad:
        return
    theirs.backward()
    from tinygraph.checking.comparison import absolute_terms

    terms = absolute_terms(root)
    for leaf, x, local in zip(leaves, inputs, tinygraph.grad(root, leaves), strict=True):
        expected = 0.0 if x.grad is None else x.grad.item()
        scale = terms.get(leaf, 0.0)
        assert local == pytest.approx(expected, rel=1e-10, abs=1e-10 * scale + 1e-300)
