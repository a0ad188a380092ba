"""Graphs: order, recomputing, copies, size and depth."""

import copy
import gc
import importlib.util
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, check_fresh, order
from tinygraph.testing import graphs

# --- order


@given(program=graphs())
def test_order_is_topological_and_complete(program):
    root, _ = program.record()
    nodes = order(root)
    place = {node: i for i, node in enumerate(nodes)}
    assert nodes[0] is root
    assert len(place) == len(nodes)
    for node in nodes:
        for operand in node.operands:
            assert place[node] < place[operand]


@given(program=graphs())
def test_the_same_program_gives_the_same_order_and_bits(program):
    def trace():
        root, _ = program.record()
        root.backward()
        return [(node.name, node.op and node.op.name, repr(node.data), repr(node.grad)) for node in order(root)]

    assert trace() == trace()


# --- recomputing


@given(program=graphs(), data=st.data())
def test_recomputing_in_place_gives_the_bits_of_recording_anew(program, data):
    root, leaves = program.record()
    at = [data.draw(st.floats(-3.0, 3.0)) for _ in leaves]
    for leaf, x in zip(leaves, at, strict=True):
        leaf.data = x
    assert root.forward() is root
    fresh = program(*[Value(x) for x in at])
    assert [repr(node.data) for node in order(root)] == [repr(node.data) for node in order(fresh)]
    assert [repr(node.partials) for node in order(root)] == [repr(node.partials) for node in order(fresh)]
    root.backward()
    fresh.backward()
    assert [repr(node.grad) for node in order(root)] == [repr(node.grad) for node in order(fresh)]


@given(program=graphs(), data=st.data())
def test_a_stale_graph_is_refused_by_every_pass(program, data):
    root, leaves = program.record()
    leaf = data.draw(st.sampled_from(leaves))
    root.backward()
    leaf.data = leaf.data + 1.0
    if leaf in order(root):
        for run in (root.backward, lambda: tinygraph.grad(root, leaf), lambda: tinygraph.jvp(root, {leaf: 1.0})):
            with pytest.raises(StaleGraphError, match=f"name='{leaf.name}'"):
                run()
        assert all(node.awaited <= 0 for node in order(root))
        root.forward()
    root.backward()


def test_recomputing_a_fresh_graph_disturbs_no_other():
    old, x = Value(0.0), Value(2.0)
    x.data = 3.0
    part = old + x * x
    whole = part * 2.0
    part.forward()
    whole.backward()
    assert x.grad == 12.0


def test_a_new_node_on_a_stale_graph_can_be_recorded_but_not_passed():
    w, constant = Value(2.0, name="w"), Value(1.0, constant=True)
    square = w * w
    w.data = 3.0
    constant.data = 2.0
    y = tinygraph.sqrt(square)
    for run in (y.backward, lambda: tinygraph.grad(y, w), lambda: tinygraph.jvp(y, {w: 1.0})):
        with pytest.raises(StaleGraphError, match="name='w'"):
            run()
    assert y.forward().data == 3.0


def test_a_graph_with_a_flipped_comparison_stays_stale(monkeypatch):
    """The graph stays stale even if the edited node is not in it, and even if this is the first edit."""
    monkeypatch.setattr(clock, "edits", 0)
    x, threshold = Value(2.0), Value(1.0)
    y = x * 3.0 if x > threshold else x
    threshold.data = 5.0
    with pytest.raises(FrozenBranchError):
        y.forward()
    with pytest.raises(StaleGraphError):
        y.backward()


# --- copies


@given(program=graphs())
def test_copies_keep_numbers_gradients_and_sharing(program):
    root, leaves = program.record()
    root.backward()

    def state(root):
        return [(x.name, x.op, *map(repr, (x.data, x.grad, x.x_partial, x.y_partial))) for x in order(root)]

    before = state(root)
    for twin in (copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        assert state(twin) == before
        assert all(node.awaited == 0 for node in order(twin)), "no pass is under way in a copy"
        assert not set(order(twin)) & set(order(root))
        twin.backward(seed=2.0)
        for leaf in order(twin):
            leaf.grad = 99.0
        assert state(root) == before
    shallow = copy.copy(root)
    assert shallow is not root
    assert shallow.operands == root.operands
    roots = copy.deepcopy([root, *leaves])
    used = [leaf for leaf, old in zip(roots[1:], leaves, strict=True) if old in order(root)]
    assert set(used) <= set(order(roots[0]))


@pytest.mark.parametrize("size", range(1, 5))
def test_copies_keep_all_operands(size):
    root = tinygraph.concatenate([Tensor([float(i)]) for i in range(size)])
    for twin in (copy.copy(root), copy.deepcopy(root), pickle.loads(pickle.dumps(root))):
        assert [list(part.data) for part in twin.operands] == [[float(i)] for i in range(size)]
        partials = tinygraph.grad(twin.sum(), twin.operands)
        assert [list(local) for local in partials] == [[1.0]] * size


def test_copies_notice_edits():
    w = Value(2.0, name="w")
    y = w * w
    w.data = 3.0
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        with pytest.raises(StaleGraphError):
            twin.backward()
        twin.forward().backward()
        assert twin.args[0].grad == 6.0
        twin.args[0].data = 4.0
        with pytest.raises(StaleGraphError):
            twin.backward()


def test_a_pickle_from_another_process_notices_edits():
    """The edit clock of another process may be far ahead of ours."""
    program = (
        "import pickle, sys, tinygraph; w = tinygraph.Value(2.0)\n"
        "for i in range(1000): w.data += 1\n"
        "y = w * w\n"
        "sys.stdout.buffer.write(pickle.dumps(y))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    y = pickle.loads(out)
    y.backward()
    y.args[0].data = 3.0
    with pytest.raises(StaleGraphError):
        y.backward()


def test_in_a_new_process_no_leaf_is_younger_than_a_node():
    spec = importlib.util.find_spec("tinygraph.engine.clock")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert Value(2.0).version <= fresh.clock.edits


# --- size and depth


def chain(n):
    x = Value(1.0)
    y = x
    for _ in range(n // 2):
        y = y * 1.0000001 + 0.0000001
    return x, y


def test_a_million_node_chain_needs_no_recursion():
    limit = sys.getrecursionlimit()
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad == pytest.approx(math.pow(1.0000001, 500_000), rel=1e-9)
    assert tinygraph.grad(y, x) == x.grad
    del x, y
    assert sys.getrecursionlimit() == limit


def test_a_deep_chain_does_everything_else_too():
    x, y = chain(60_000)
    assert tinygraph.jvp(y, {x: 1.0}) == pytest.approx(tinygraph.grad(y, x), rel=1e-9)
    first = tinygraph.grad(y, x, create_graph=True)
    assert tinygraph.grad(first, x) == 0.0
    x.data = 2.0
    y.forward()
    assert pickle.loads(pickle.dumps(y)).data == copy.deepcopy(y).data == y.data


def test_a_sum_of_a_million():
    leaves = [Value(float(i)) for i in range(1_000_000)]
    y = sum(leaves)
    y.backward()
    assert y.data == 499999500000.0
    assert all(leaf.grad == 1.0 for leaf in leaves)
    z = tinygraph.total(leaves[:100_000])
    z.backward(seed=2.0)
    assert z.data == 4999950000.0
    assert leaves[99_999].grad == 2.0


def test_a_diamond_of_two_to_the_sixty_paths():
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
    assert tinygraph.grad(y, x) == 2.0**60
    assert tinygraph.jvp(y, {x: 1.0}) == 2.0**60


def test_dropped_graphs_leave_no_node_behind():
    """Nodes form no reference cycles: even with the collector off, every node is freed immediately."""
    gc.collect()
    gc.disable()
    try:

        def nodes():
            made = [thing for thing in gc.get_objects() if issubclass(type(thing), Node)]
            return len([node for node in made if hasattr(node, "op")])  # the others were allocated in advance

        before = nodes()
        for i in range(1000):
            with tinygraph.scope("step"):
                w = Value(float(i), name="w")
                u = w * w
                if u < w or w > 3.0 or u >= u:
                    u = u + 1.0
                y = tinygraph.total([u, tinygraph.sigmoid(w), w**2, -u / 3.0])
            y.backward()
            tinygraph.grad(tinygraph.grad(y, w, create_graph=True), w)
        del w, u, y
        assert nodes() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_only_constants_are_checked_when_they_are_used(kind):
    """A stale node that is not a constant is found by backward, and can be recomputed after it was used."""
    x, c = kind(3.0), kind(1.0, constant=True)
    y = x * 2.0
    c.data = 5.0
    x.data = 4.0
    z = tinygraph.maximum(y, c) * y
    with pytest.raises(StaleGraphError):
        z.backward()
    assert z.forward().item() == 64.0


@pytest.mark.parametrize(("uses", "named"), [(1, "mul"), (2, "add")])
def test_an_edited_array_is_reported_with_the_last_operation_that_uses_it(uses, named):
    c, x = np.array([1.0, 2.0]), Tensor([3.0, 4.0])
    y = x * c
    for _ in range(uses - 1):
        y = y + c
    nodes = order(y.sum())
    c[0] = 5.0
    with pytest.raises(StaleGraphError, match=f"a constant array was edited in place after the operation '{named}'"):
        check_fresh(nodes)


def test_a_function_in_place_of_a_node_gets_a_hint_only_from_grad():
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"value_and_grad\(f\) differentiates a function"):
        tinygraph.grad(lambda: x, x)
    for call in (lambda: tinygraph.grad(3.0, x), lambda: tinygraph.jvp(abs, {x: 1.0}), lambda: tinygraph.Stepper(abs)):
        with pytest.raises(TypeError, match="must be a node of a graph") as caught:
            call()
        assert "value_and_grad" not in str(caught.value)
