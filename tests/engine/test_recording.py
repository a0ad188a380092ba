"""Fast recording gives the same graph as `value.record`, bit for bit."""

import contextlib

from hypothesis import given

from tinygraph import Value
from tinygraph.engine import recording, value
from tinygraph.engine.graph import order
from tinygraph.engine.operators import Operators
from tinygraph.testing import graphs

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


def test_the_clear_methods_replace_the_fast_ones():
    fast = [getattr(Value, name) for name in _OPERATORS]
    with clear_recording():
        assert not {getattr(Value, name) for name in _OPERATORS} & set(fast)
    assert [getattr(Value, name) for name in _OPERATORS] == fast
    assert Value.__add__ is recording.Arithmetic.__add__
