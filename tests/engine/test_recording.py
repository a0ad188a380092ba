"""Fast recording gives the same graph as `value.record`, bit for bit."""

import contextlib

import pytest
from hypothesis import given

from tinygraph import Value
from tinygraph.engine import ops, recording
from tinygraph.engine.graph import order
from tinygraph.testing import graphs


@contextlib.contextmanager
def clear_recording():
    """Restore the methods that `value` defines, in place of those of `recording`."""
    fast = {name: vars(Value)[name] for name in recording.CLEAR}
    try:
        for name, method in recording.CLEAR.items():
            setattr(Value, name, method)
        yield
    finally:
        for name, method in fast.items():
            setattr(Value, name, method)


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


def test_the_clear_methods_are_those_of_the_class_and_its_base():
    with clear_recording():
        assert "tinygraph.engine.recording" not in {
            getattr(getattr(Value, name), "__module__", "") for name in recording.CLEAR
        }
    assert {getattr(Value, name).__module__ for name in recording.CLEAR} == {"tinygraph.engine.recording"}


@pytest.mark.parametrize("op", [ops.sigmoid, ops.tanh, ops.log, ops.cos], ids=lambda op: op.name)
def test_recording_floats_takes_no_detour_over_ops(op, monkeypatch):
    """Calling ops would take a quarter longer."""

    def refuse(*_):
        raise AssertionError("an op was called")

    local = op.partials[0](op.floats(0.5), 0.5)
    monkeypatch.setattr(ops.Op, "__call__", refuse)
    assert Value._record(op, Value(0.5)).x_partial == local
