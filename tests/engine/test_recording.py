"""Fast recording gives the same graph as `value.record`, bit for bit."""

import contextlib

import pytest
from hypothesis import given

from tinygraph import Value, sigmoid
from tinygraph.engine import recording, value
from tinygraph.engine.graph import order
from tinygraph.engine.operators import Operators
from tinygraph.testing import graphs
from tinygraph.testing.strategies import public_ops

_OPERATORS = [f"__{side}{name}__" for name in ("add", "sub", "mul", "truediv") for side in ("", "r")]


@contextlib.contextmanager
def clear_recording():
    """Let Value record everything with `value.record`."""
    clear = {name: vars(Operators)[name] for name in _OPERATORS}
    clear["_record"] = staticmethod(lambda op, x, y=None: value.record(op, (x,) if y is None else (x, y)))
    clear["_record_activation"] = clear["_record"]
    clear["_record_lists"] = staticmethod(lambda op, xs, ys: value.record(op, xs if ys is None else xs + ys))
    before = {name: vars(Value)[name] for name in clear if name in vars(Value)}
    try:
        for name, method in clear.items():
            setattr(Value, name, method)
        yield
    finally:
        for name in clear:
            setattr(Value, name, before[name]) if name in before else delattr(Value, name)


def bits(root):
    """Return everything that recording writes into each node, with operands as positions."""
    nodes = order(root)
    place = {node: i for i, node in enumerate(nodes)}
    return [
        (
            type(node),
            node.op,
            float(node.raw).hex(),
            [place[arg] if isinstance(arg, Value) else float(arg).hex() for arg in node.args],
            [partial if partial is None else float(partial).hex() for partial in node.partials],
            (node.awaited, node.version, node.grad, node.name),
        )
        for node in nodes
    ]


@given(program=graphs(max_steps=20))
def test_both_record_the_same_bits(program):
    fast, _ = program.record()
    with clear_recording():
        clear, _ = program.record()
    assert bits(fast) == bits(clear)


@given(program=graphs(max_steps=20))
def test_both_are_differentiated_to_the_same_bits(program):
    gradients = []
    for context in (contextlib.nullcontext(), clear_recording()):
        with context:
            root, leaves = program.record()
            root.backward()
            gradients.append([leaf.grad if leaf.grad is None else leaf.grad.hex() for leaf in leaves])
    assert gradients[0] == gradients[1]


@pytest.mark.parametrize("second", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("op", [op for op in public_ops() if op.arity == 2 and not op.variadic], ids=lambda op: op.name)
def test_an_op_of_a_sigmoid_and_a_number(op, second):
    """The accelerator records an op on a sigmoid in another way only if it is the loss of a probability."""
    z = Value(0.3)
    a = sigmoid(z)
    alone = Value(a.data)
    node, wanted = op(a, second), op(alone, second)
    assert node.data == pytest.approx(wanted.data, rel=1e-14, nan_ok=True)
    assert node.op is wanted.op
    node.backward()
    wanted.backward()
    slope = None if alone.grad is None else alone.grad * a.data * (1.0 - a.data)
    assert z.grad == (slope if slope is None else pytest.approx(slope, rel=1e-12, abs=1e-15, nan_ok=True))


def test_the_clear_methods_replace_the_fast_ones():
    fast = [getattr(Value, name) for name in _OPERATORS]
    with clear_recording():
        assert not {getattr(Value, name) for name in _OPERATORS} & set(fast)
    assert [getattr(Value, name) for name in _OPERATORS] == fast
    assert Value.__add__ is recording.Arithmetic.__add__
