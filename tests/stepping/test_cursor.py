"""The steps are the same as in backpropagation, and moving back restores every bit."""

import contextlib
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Stepper, Tensor, Value, explain
from tinygraph.cli.expressions import parse
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.graph import order
from tinygraph.explaining import walk
from tinygraph.testing import graphs, tensor_programs


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def bits(stepper):
    return [repr(stepper.grad(node)) for node in order(stepper.root)]


@given(program=graphs(), seed=st.floats(-4, 4))
def test_the_events_are_those_of_backpropagation(program, seed):
    root, _ = program.record()
    adjoints = {}
    truth = list(propagate(root, seed, adjoints))
    stepper = Stepper(root, seed=seed)
    events = list(stepper)
    assert len(stepper) == len(events) == len(truth) + 1
    assert (events[0].kind, events[0].after) == ("seed", seed)
    for event, (node, slot, operand, upstream, local, contribution) in zip(events[1:], truth, strict=True):
        assert (event.result, event.slot, event.operand) == (node, slot, operand)
        assert repr((event.upstream, event.local, event.contribution)) == repr((upstream, local, contribution))
    assert [event.index for event in events] == list(range(1, len(events) + 1))
    for node in order(root):
        assert repr(stepper.grad(node)) == repr(adjoints.get(node))
        assert node.grad is None


@given(program=graphs(), moves=st.lists(st.integers(-30, 30), max_size=20))
def test_going_back_restores_the_very_bits(program, moves):
    root, _ = program.record()
    stepper = Stepper(root)
    history = [bits(stepper)]
    for _ in stepper:
        history.append(bits(stepper))
    for move in moves:
        (stepper.step if move > 0 else stepper.back)(abs(move))
        assert bits(stepper) == history[stepper.index]
    for k in (0, len(stepper) // 2, len(stepper)):
        stepper.goto(k)
        assert bits(stepper) == history[k]


@given(program=tensor_programs(max_steps=5))
def test_tensors_are_walked_by_the_same_laws(program):
    root, _ = program.record()
    stepper = Stepper(root)
    history = [bits(stepper)]
    for step in stepper:
        assert str(step)
        history.append(bits(stepper))
    while stepper.index:
        stepper.back()
        assert bits(stepper) == history[stepper.index]
    stepper.end()
    stepper.apply()
    walked = [node.grad for node in order(root)]
    root.backward()
    for mine, theirs in zip(walked, [node.grad for node in order(root)], strict=True):
        assert (mine is None) == (theirs is None)
        assert mine is None or np.array_equal(mine, theirs, equal_nan=True)


@given(program=graphs())
def test_leaving_halfway_leaves_the_graph_and_apply_commits(program):
    root, _ = program.record()
    root.backward(seed=2.0)
    before = [(node.grad, node.awaited > 0, node.version) for node in order(root)]
    stepper = Stepper(root)
    stepper.step(3)
    assert [(node.grad, node.awaited > 0, node.version) for node in order(root)] == before
    stepper.apply()
    assert [repr(node.grad) for node in order(root)] == bits(stepper)
    stepper.end()
    stepper.apply()
    applied = [repr(node.grad) for node in order(root)]
    root.backward()
    assert [repr(node.grad) for node in order(root)] == applied


@given(program=graphs(), phase=st.sampled_from(["forward", "both"]), granularity=st.sampled_from(["edge", "node"]))
def test_phases_and_granularities_cover_the_same_events(program, phase, granularity):
    root, _ = program.record()
    stepper = Stepper(root, phase=phase, granularity=granularity)
    computed = [node for node in reversed(order(root)) if node.op is not None]
    kinds = [event.kind for event in stepper.steps]
    assert kinds == ["forward"] * len(computed) + ["seed"] * (phase == "both") + ["backward"] * kinds.count("backward")
    places = [0]
    while stepper.step() is not None:
        places.append(stepper.index)
    assert places[-1] == len(stepper)
    ends = [
        k for k in range(1, len(stepper)) if granularity == "edge" or stepper.steps.at(k) != stepper.steps.at(k + 1)
    ]
    assert places == [0, *ends, len(stepper)] or not len(stepper)
    for place in places[-2::-1]:
        stepper.back()
        assert stepper.index == place


def test_running_until_and_back():
    J = lecture()
    stepper = Stepper(J)
    u = stepper.find("u")
    assert stepper.run_until(u).index == 4
    assert stepper.run_until(lambda step: step.contribution == 9).index == 6
    assert stepper.run_back_until("v").index == 2
    assert stepper.run_until(tinygraph.engine.ops.mul).index == 5
    assert stepper.run_until("a") is None
    assert stepper.index == len(stepper)
    assert stepper.run_back_until(lambda step: False) is None
    assert stepper.index == 0


def test_breakpoints_stop_in_both_directions():
    stepper = Stepper(lecture())
    first, second = stepper.break_on("a"), stepper.watch("c")
    assert [stepper.continue_().index, stepper.continue_().index, stepper.continue_()] == [3, 6, None]
    assert stepper.index == len(stepper) == 6
    assert [stepper.reverse_continue().index, stepper.reverse_continue()] == [3, None]
    stepper.start()
    stepper.delete(first)
    assert stepper.continue_().index == 6
    stepper.delete(second)
    assert stepper.continue_() is None
    with pytest.raises(KeyError):
        stepper.delete(second)


def test_looking_at_events_does_not_move():
    stepper = Stepper(lecture())
    stepper.step(2)
    assert len(stepper.steps) == 6
    assert stepper.steps[-1].symbol == "dJ/dc += dJ/du · ∂u/∂c"
    assert [event.index for event in stepper.steps[1:4]] == [2, 3, 4]
    with pytest.raises(IndexError):
        stepper.steps[6]
    assert stepper.index == 2
    assert stepper.current.index == 2
    assert stepper.last_write("v").index == 2
    assert stepper.last_write("c") is None
    assert stepper.last_write("J").kind == "seed"
    assert repr(stepper) == "<stepper of J: 2 of 6 steps>"


def test_what_cannot_be_walked_is_an_error():
    J = lecture()
    for make, kind, message in [
        (lambda: Stepper(3.0), TypeError, "root must be a node"),
        (lambda: Stepper(J, phase="sideways"), ValueError, "phase must be"),
        (lambda: Stepper(J, granularity="fine"), ValueError, "granularity must be"),
        (lambda: Stepper(J).goto(7), IndexError, r"the position k must be from 0 to 6 \(the number of steps\), not 7"),
        (lambda: Stepper(J).grad("z"), KeyError, "no node is named 'z'; the names are J, a, b, c, u, v"),
        (lambda: Stepper(J).break_on(Value(1.0)), ValueError, "not a node of the graph"),
        (lambda: Stepper(J).break_on(3), TypeError, "a node, a name, an op or a function"),
        (lambda: explain(J, Value(1.0)), ValueError, "not a node of the graph"),
    ]:
        with pytest.raises(kind, match=message):
            make()
    a = Stepper(J).find("a")
    a.data = 7.0
    with pytest.raises(StaleGraphError):
        Stepper(J)


def test_a_long_chain_is_walked_without_recursion_and_lazily():
    x = y = Value(1.0, "x")
    for _ in range(50_000):
        y = y * 1.0
    stepper = Stepper(y)
    assert len(stepper) == 50_001
    assert "_final" not in vars(stepper.walk), "nothing is computed before it is looked at"
    assert stepper.step(10).index == 10
    assert stepper.run_until("x").index == 50_001
    stepper.start()
    assert stepper.grad(x) is None


def test_the_end_of_a_long_walk_is_reached_at_once_and_leaves_no_trace():
    x = y = Value(1.0, "x")
    for _ in range(20_000):
        y = y * 0.9999 + x
    y.backward(seed=3.0)
    before = [node.grad for node in order(y)]
    stepper = Stepper(y)
    assert stepper.end().index == len(stepper) == 60_001
    assert [node.grad for node in order(y)] == before
    assert stepper.back().after == stepper.grad(stepper.current.node)
    y.backward()
    stepper.end()
    assert [repr(stepper.grad(node)) for node in order(y)] == [repr(node.grad) for node in order(y)]


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_step_looks_only_at_arrays_that_can_be_edited(kind, monkeypatch):
    """Otherwise, the time to reach the end would grow with the square of the number of nodes."""
    x = y = kind(1.0, "x")
    for _ in range(100):
        y = y * y + 0.5
    seen = []
    monkeypatch.setattr("tinygraph.explaining.walk.edited", lambda nodes: seen.append(len(nodes)))
    Stepper(y).end()
    assert seen
    assert max(seen) == (0 if kind is Value else 1)
    assert x.grad is None


def test_the_steps_of_a_graph_with_many_arrays_look_at_each_array_a_few_times(monkeypatch):
    """Otherwise, the time to reach the end would grow with the square of the number of arrays."""
    weights = [Tensor(1.0, f"w{i}") for i in range(200)]
    y = Tensor(0.0, "y")
    for weight in weights:
        y = tinygraph.sigmoid(y + weight * np.array(0.5))
    looks = []
    edited = walk.edited
    monkeypatch.setattr(walk, "edited", lambda nodes: looks.extend(nodes) or edited(nodes))
    stepper = Stepper(y)
    assert [step.index for step in stepper] == list(range(1, len(stepper) + 1))
    counts = Counter(looks)
    assert set(weights) <= set(counts)
    assert max(counts.values()) <= 10


def _chain():
    """Return a graph whose steps read leaves, a constant array, and activations of activations."""
    leaves = [Tensor([1.0, 2.0], f"w{i}") for i in range(4)]
    constant = np.array([0.5, 0.25])
    y = tinygraph.sigmoid(leaves[0] * leaves[1]).reshape(2, 1) * 2.0
    y = (tinygraph.sigmoid(y.reshape(2) + leaves[2]) * constant + leaves[3] * leaves[3]).sum()
    return y, leaves, constant


@pytest.mark.parametrize("place", range(5))
def test_an_edit_in_place_is_noticed_at_the_latest_by_the_step_that_reads_the_array(place):
    true = [step.contribution for step in Stepper(_chain()[0])]
    for k in range(len(true)):
        y, leaves, constant = _chain()
        stepper = Stepper(y)
        stepper.goto(k)
        array = [*[leaf.data for leaf in leaves], constant][place]
        array[...] = 7.0
        with pytest.raises(StaleGraphError) if k < 2 else contextlib.suppress(StaleGraphError):
            for step in stepper:
                assert repr(step.contribution) == repr(true[step.index - 1])


def test_other_threads_see_no_gradient_of_a_walk():
    x = y = Value(1.001, "x")
    for _ in range(2000):
        y = (y * x).tanh() + y
    other, done = x * 5.0, threading.Event()

    def walk():
        while not done.is_set():
            assert Stepper(y).end() is not None

    thread = threading.Thread(target=walk, daemon=True)
    thread.start()
    try:
        for n in range(200):
            other.backward(seed=float(n))
            assert x.grad == 5.0 * n
    finally:
        done.set()
        thread.join(60.0)
    assert not thread.is_alive()


def test_numbers_that_change_during_a_walk_are_an_error():
    x, k = Value(3.0, "x"), Value(2.0, "k")
    y = (x * x) * k
    stepper = Stepper(y)
    stepper.step(2)
    Value(1.0).data = 2.0  # this leaf is in another graph
    assert stepper.step().index == 3
    x.data = 10.0
    y.forward()
    with pytest.raises(StaleGraphError, match="create a new Stepper"):
        stepper.step()
    assert "create a new Stepper" in stepper._repr_mimebundle_()["text/plain"]
    assert Stepper(y).end().after == 40.0


def test_arrays_of_a_walk_are_its_own():
    t = Tensor([1.0, 2.0], "t")
    stepper = Stepper((t * t).sum())
    stepper.end()
    stepper.apply()
    t.grad[:] = 0.0
    stepper.grad("t")[:] = 7.0
    assert stepper.grad("t").tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="read-only"):
        stepper.current.after[:] = 0.0


def test_a_walk_shows_under_strict_where_infinity_comes_from():
    with tinygraph.strict():
        w, big = Value(1e-200, "w"), Value(1e200, "big")
        events = list(Stepper((w * big) * 1e-100, seed=1e250))
    assert events[-1].contribution in (1e-50, float("inf"))
    assert any(event.after == float("inf") for event in events)


def test_a_node_of_many_operands_is_walked_in_linear_time(monkeypatch):
    """The test counts instead of timing: the local derivatives of a node are read once, not once per operand."""
    xs = [Value(float(i)) for i in range(200)]
    root = tinygraph.dot(xs, xs[::-1])
    asked, partials = 0, Value.partials

    def counted(node):
        nonlocal asked
        asked += node is root
        return partials.__get__(node)

    monkeypatch.setattr(Value, "partials", property(counted))
    assert len(list(Stepper(root))) == 401
    assert asked <= 2 + 2 * len(xs), "once for the walk, and for each operand's sum"
