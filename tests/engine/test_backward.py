"""The fast backward pass: interrupted passes, passes in several threads, and work that it can skip."""

import math
import random
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.interrupts import interrupted
from tinygraph import Tensor, Value
from tinygraph.engine import backward
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import order
from tinygraph.testing import graphs


def chain(n):
    x = Value(1.0)
    y = x
    for _ in range(n // 2):
        y = y * 1.0000001 + 0.0000001
    return x, y


class Stop(Exception):
    """An exception in place of Ctrl-C."""


class Bomb(float):
    """A local derivative that interrupts a pass."""

    def __rmul__(self, other):
        raise Stop


@given(program=graphs(), data=st.data())
def test_an_interrupted_pass_leaves_every_node_usable(program, data):
    root, leaves = program.record()
    root.backward()
    right = [repr(node.grad) for node in order(root)]
    with_partial = [node for node in order(root) if node.x_partial is not None]
    if not with_partial:
        return
    victim = data.draw(st.sampled_from(with_partial))
    local, victim.x_partial = victim.x_partial, Bomb(victim.x_partial)
    try:
        with pytest.raises(Stop):
            root.backward()
        assert all(node.awaited <= 0 for node in order(root))
        assert all(leaf.grad is None for leaf in leaves if leaf in order(root))
        for leaf in leaves:
            leaf.grad = 7.0
        with pytest.raises(Stop):
            root.backward(accumulate=True)
        assert all(leaf.grad == 7.0 for leaf in leaves), "accumulated gradients are not lost"
    finally:
        victim.x_partial = local
    for leaf in leaves:
        leaf.grad = None
    root.backward()
    assert [repr(node.grad) for node in order(root)] == right


def test_a_pass_within_a_pass_is_refused():
    class Reentrant(float):
        def __rmul__(self, other):
            root.backward()

    x = Value(2.0)
    root = x * 3.0
    root.x_partial = Reentrant(3.0)
    with pytest.raises(RuntimeError, match="within a backward pass"):
        root.backward()
    root.x_partial = 3.0
    root.backward()
    assert x.grad == 3.0


def test_an_interrupted_clean_up_is_done_by_the_next_pass():
    x = Value(2.0)
    y = x * x
    backward._unfinished.append(y)
    x.awaited = 2
    y.backward()
    assert x.grad == 4.0


def test_threads_that_share_leaves_do_not_disturb_each_other():
    w = [Value(0.1 * i) for i in range(50)]
    shared = set(w)
    wrong = []

    def work(factor):
        for _ in range(30):
            y = tinygraph.total([w_i * w_i * factor for w_i in w])
            partials = tinygraph.grad(y, w)
            if partials != [pytest.approx(2 * factor * w_i.data) for w_i in w]:
                wrong.append(factor)
            y.backward()
            if any(
                node.awaited > 0 for node in order(y) if node not in shared
            ):  # another pass may already use the leaves
                wrong.append("awaited")

    threads = [threading.Thread(target=work, args=(float(i),), daemon=True) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
        assert not thread.is_alive()
    assert not wrong
    assert all(leaf.awaited <= 0 for leaf in w)


def interruptions(run, times=40):
    """Run `times` times, each time with a real Ctrl-C after a random delay; yield whether it interrupted the run."""
    draw = random.Random(1)
    for _ in range(times):
        yield interrupted(run, draw.uniform(0.0005, 0.02))


@pytest.mark.parametrize("end", [lambda y: y, lambda y: y * y], ids=["one walk", "counted"])
def test_ctrl_c_in_a_pass_leaves_the_graph_usable(end):
    x, y = chain(10_000)
    y = end(y)
    y.backward()
    right = x.grad
    strikes = 0
    # So many passes take longer than the longest delay, also with the accelerator.
    for struck in interruptions(lambda: [y.backward() for _ in range(500)]):
        strikes += struck
        y.backward()
        assert x.grad == right
        assert all(node.awaited <= 0 for node in order(y)[:100])
    assert strikes > 20


def test_ctrl_c_while_recomputing_leaves_the_graph_stale_and_whole():
    x, y = chain(5_000)
    total = tinygraph.total([y, y * x, x])

    def edit_and_recompute():
        for _ in range(20):
            x.data += 0.125
            total.forward()

    strikes = 0
    for struck in interruptions(edit_and_recompute):
        strikes += struck
        total.forward().backward()
        fresh = x.data * math.pow(1.0000001, 2500)
        assert y.data == pytest.approx(fresh + 0.00025, rel=1e-6)
        assert total.data == pytest.approx(y.data + y.data * x.data + x.data, rel=1e-12)
    assert strikes > 20


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("use", [lambda u: u + 1.0, lambda u: 1.0 + u, lambda u: u], ids=["left", "right", "listed"])
def test_a_node_passes_on_what_all_its_consumers_gave(use, count):
    x = Value(2.0)
    u = x * 1.5
    tinygraph.total([use(u) for _ in range(count)]).backward()
    assert (u.grad, x.grad) == (count, 1.5 * count)


def test_a_fresh_graph_is_not_searched_for_edits(monkeypatch):
    """A search would take as long as the pass itself, and an edit elsewhere, or before, does not require one."""
    x, edited = Value(2.0), Value(1.0)
    edited.data = 3.0
    u = x * edited
    y = u * u
    monkeypatch.setattr(backward, "check_fresh", lambda nodes: pytest.fail("searched"))
    y.backward()
    assert x.grad == 36.0


def test_a_pass_waits_for_that_of_another_thread():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(float):
        def __rmul__(self, other):
            begun.set()
            go_on.wait(5.0)
            return other * float(self)

    x, y = Value(2.0), Value(3.0)
    slow, quick = x * 3.0, y * 5.0
    slow.x_partial = Slow(3.0)
    threads = [threading.Thread(target=root.backward, daemon=True) for root in (slow, quick)]
    threads[0].start()
    assert begun.wait(5.0)
    threads[1].start()
    threads[1].join(0.02)
    assert threads[1].is_alive()
    assert y.grad is None
    go_on.set()
    for thread in threads:
        thread.join(5.0)
    assert (x.grad, y.grad) == (3.0, 5.0)


@pytest.mark.parametrize("accumulate", [False, True])
def test_a_pass_that_was_left_keeps_nobody_out(accumulate):
    """An interrupted cleanup leaves counts in nodes that the next traversal does not overwrite."""
    x = Value(2.0)
    u = x * 3.0
    v = u * u
    y = v * v
    backward._unfinished.append(y)
    u.awaited = v.awaited = 2
    y.backward(accumulate=accumulate)
    assert x.grad == 4 * 2.0**3 * 3.0**4


def test_the_options_of_backward_are_given_by_name():
    with pytest.raises(TypeError, match="positional argument"):
        Value(1.0).backward(2.0)


def test_an_inner_node_that_has_passed_its_gradient_on_is_not_reached_again_by_a_list():
    """The single traversal must give up, because the second contribution would come too late."""
    x = Value(3.0)
    h = x * 2.0
    J = tinygraph.total([tinygraph.total([h, 1.0]), h])
    J.backward()
    assert (h.grad, x.grad) == (2.0, 4.0)
    J = tinygraph.dot([tinygraph.dot([h, 1.0], [2.0, 3.0]), h], [1.0, 1.0])
    J.backward()
    assert (h.grad, x.grad) == (3.0, 6.0)


def test_a_child_process_cleans_up_only_a_pass_of_another_thread():
    x = Value(2.0)
    y = x * x
    backward.count_consumers(y)
    backward._unfinished.append(y)
    with clock.lock:  # this thread would go on with its own pass
        backward._clean_up_in_child()
        assert (backward._unfinished, x.awaited) == ([y], 2)
    backward._clean_up_in_child()
    assert (backward._unfinished, x.awaited) == ([], 0)


def edit_while_gradients_are_computed(monkeypatch, edit):
    """Call a function during the next passes. No other thread can edit then, but a signal handler can."""
    compute = backward.adjoints

    def interrupted_by_an_edit(nodes, seed):
        found = compute(nodes, seed)
        edit()
        return found

    monkeypatch.setattr(backward, "adjoints", interrupted_by_an_edit)


def test_an_edit_while_gradients_are_computed_is_noticed(monkeypatch):
    x = Value(2.0)
    y = x * x
    edit_while_gradients_are_computed(monkeypatch, lambda: setattr(x, "data", 5.0))
    with pytest.raises(tinygraph.StaleGraphError, match="was edited"):
        tinygraph.grad(y, x)


def test_an_edit_of_another_graph_while_gradients_are_computed_does_not_matter(monkeypatch):
    x, other = Value(2.0), Value(1.0)
    y = x * x
    edit_while_gradients_are_computed(monkeypatch, lambda: setattr(other, "data", 2.0))
    assert tinygraph.grad(y, x) == 4.0


def test_an_array_that_is_edited_while_gradients_are_computed_is_noticed(monkeypatch):
    c, x = np.array([1.0, 2.0]), Tensor([3.0, 4.0])
    y = (x * c).sum()
    edit_while_gradients_are_computed(monkeypatch, lambda: c.fill(5.0))
    with pytest.raises(tinygraph.StaleGraphError, match="a constant array was edited in place"):
        tinygraph.grad(y, x)
