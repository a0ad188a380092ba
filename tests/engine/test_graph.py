"""Laws of the graph, over random programs with shared nodes: all ways to a gradient agree."""

import copy
import gc
import importlib.util
import math
import pickle
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value
from tinygraph.checking.comparison import masses
from tinygraph.engine import backward, graph
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.graph import Node, order
from tinygraph.testing import graphs

seeds = st.floats(0.25, 4.0) | st.floats(-4.0, -0.25)


def agree(xs, ys, scale, rel=1e-12):
    for x, y, s in zip(xs, ys, scale, strict=True):
        assert x == pytest.approx(y, rel=rel, abs=rel * s)


# --- all ways to a gradient


@given(program=graphs(), seed=seeds)
def test_the_fast_loop_gives_the_bits_of_the_clear_one(program, seed):
    root, _ = program.record()
    adjoints = {}
    for _ in propagate(root, seed, adjoints):
        pass
    root.backward(seed=seed)
    for node in order(root):
        assert repr(node.grad) == repr(adjoints.get(node))
        assert node.awaited <= 0


@given(program=graphs(), seed=seeds)
def test_one_walk_is_enough_just_where_only_leaves_are_shared(program, seed):
    root, _ = program.record()
    inner = [
        operand for node in order(root) for operand, dx in zip(node.args, node.partials, strict=True) if dx is not None
    ]
    shared = any(inner.count(node) > 1 for node in order(root) if node.op is not None)
    assert backward._accumulate_at_once(root, seed) is not shared
    at_once = [node.grad for node in order(root)]
    if not shared:
        backward._count_consumers(root)
        root.grad = seed
        backward._accumulate(root)
        assert repr(at_once) == repr([node.grad for node in order(root)])


@given(program=graphs(), seed=seeds)
def test_contributions_sum_to_gradients_and_touch_nothing(program, seed):
    root, _ = program.record()
    sums = {root: seed}
    for node, slot, operand, upstream, local, contribution in propagate(root, seed, {}):
        assert node.args[slot] is operand
        assert node.partials[slot] == local
        assert upstream == sums[node], "every node passes on only what is complete"
        assert contribution == upstream * local
        sums[operand] = sums.get(operand, 0.0) + contribution
    assert all(node.grad is None for node in order(root))
    root.backward(seed=seed)
    for node, total in sums.items():
        assert node.grad == total


@given(program=graphs())
def test_forward_mode_agrees_with_reverse(program):
    root, leaves = program.record()
    scale = [masses(root).get(leaf, 0.0) for leaf in leaves]
    agree([tinygraph.jvp(root, {leaf: 1.0}) for leaf in leaves], tinygraph.grad(root, leaves), scale)


@given(program=graphs())
def test_a_direction_is_a_sum_of_directions(program):
    root, leaves = program.record()
    tangents = {leaf: 0.5 + i for i, leaf in enumerate(leaves)}
    partials = tinygraph.grad(root, leaves)
    total = math.fsum(local * tangents[leaf] for leaf, local in zip(leaves, partials, strict=True))
    scale = sum(masses(root).get(leaf, 0.0) * tangents[leaf] for leaf in leaves)
    assert tinygraph.jvp(root, tangents) == pytest.approx(total, rel=1e-12, abs=1e-12 * scale)


@given(program=graphs())
def test_gradients_as_nodes_have_the_same_numbers(program):
    root, leaves = program.record()
    scale = [masses(root).get(leaf, 0.0) for leaf in leaves]
    nodes = tinygraph.grad(root, leaves, create_graph=True)
    assert all(isinstance(node, Value) for node in nodes)
    agree([node.data for node in nodes], tinygraph.grad(root, leaves), scale)


@given(program=graphs())
def test_gradients_agree_with_differences(program):
    check = tinygraph.check_grad(program, *program.at)
    assert check, str(check)


@given(program=graphs(max_steps=5))
def test_the_hessian_is_symmetric_and_the_slope_of_the_gradient(program):
    root, leaves = program.record()
    hessian = tinygraph.hessian(root, leaves)
    first = tinygraph.grad(root, leaves, create_graph=True)
    for i, row in enumerate(hessian):
        for j, entry in enumerate(row):
            scale = masses(first[i]).get(leaves[j], 0.0) + masses(first[j]).get(leaves[i], 0.0)
            assert entry == pytest.approx(hessian[j][i], rel=1e-9, abs=1e-9 * scale + 1e-300)


@given(program=graphs(), seed=seeds)
def test_twice_is_once(program, seed):
    root, _ = program.record()
    root.backward(seed=seed)
    first = [repr(node.grad) for node in order(root)]
    root.backward(seed=seed)
    assert [repr(node.grad) for node in order(root)] == first


@given(program=graphs(), times=st.integers(1, 4))
def test_accumulating_adds_passes_on_leaves_only(program, times):
    root, leaves = program.record()
    root.backward()
    once = {node: node.grad for node in order(root)}
    for leaf in leaves:
        leaf.grad = None
    for _ in range(times):
        root.backward(accumulate=True)
    for node in order(root):
        expected = once[node]
        if node.op is None and expected is not None:
            expected = math.fsum([expected] * times)
        assert node.grad == (None if expected is None else pytest.approx(expected, rel=1e-15))


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
    """Also where the edited number is in no graph, and where it is the first edit of all."""
    monkeypatch.setattr(graph, "edits", 0)
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
    """There the edit clock may be far ahead of ours."""
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
    spec = importlib.util.find_spec("tinygraph.engine.graph")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert Value(2.0).version <= fresh.edits


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
    """No reference cycle: with the collector off, every node is freed the moment it is dropped."""
    gc.collect()
    gc.disable()
    try:

        def nodes():
            made = [thing for thing in gc.get_objects() if issubclass(type(thing), Node)]
            return len([node for node in made if hasattr(node, "op")])  # the others are blank: allocated in advance

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


# --- interruption and threads


class Stop(Exception):
    """Stands in for Ctrl-C."""


class Bomb(float):
    """A slope at which a pass is left."""

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
            ):  # leaves may be in another's pass by now
                wrong.append("awaited")

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(leaf.awaited <= 0 for leaf in w)


# --- the functions


def test_grad_takes_one_or_several_and_touches_no_grad():
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    y = a * b
    assert tinygraph.grad(y, a) == 3.0
    assert tinygraph.grad(y, [a, c, b]) == [3.0, 0.0, 2.0]
    assert tinygraph.grad(y, (a,)) == [3.0]
    assert tinygraph.grad(y, y) == 1.0
    assert tinygraph.grad(y, a, seed=2.0) == 6.0
    assert a.grad is b.grad is y.grad is None
    zero = tinygraph.grad(y, c, create_graph=True)
    assert zero.data == 0.0
    assert zero.constant


@pytest.mark.parametrize("size", range(1, 7))
def test_data_in_a_dot_product_has_no_partial(size):
    weights, data = [Value(float(i)) for i in range(size)], [3.0] * size
    for node in (tinygraph.dot(weights, data), copy.copy(tinygraph.dot(weights, data))):
        assert node.partials == (*[3.0] * size, *[None] * size)
        first = tinygraph.grad(node, weights, create_graph=True)
        assert [local.data for local in first] == data


@pytest.mark.parametrize("seed", [0.5, 1.0, 2.0, -1.0])
def test_a_seed_multiplies_gradients_as_nodes_too(seed):
    x = Value(3.0)
    assert tinygraph.grad(x * x, x, seed=seed, create_graph=True).data == seed * 6.0
    assert tinygraph.grad(x + x, x, seed=seed, create_graph=True).data == seed * 2.0


def test_no_factor_of_one_clutters_a_derivative_graph():
    x, y = Value(2.0), Value(3.0)
    first = tinygraph.grad(x * y + x, x, create_graph=True)
    assert [node.op.name for node in order(first) if node.op] == ["add"]
    assert tinygraph.grad(x * y, x, create_graph=True) is y
    power = tinygraph.exp(x + y)
    assert tinygraph.grad(power, x, create_graph=True) is power


def test_a_tangent_that_is_given_stands():
    """Of a computed node too, whatever its operands do."""
    x = Value(2.0)
    square = x * x
    assert tinygraph.jvp(square * 3.0, {x: 1.0, square: 5.0}) == 15.0
    assert tinygraph.jvp(square * x, {x: 1.0}) == 12.0


@pytest.mark.parametrize("bad", [1.0, "x", None])
def test_what_is_no_node_is_refused(bad):
    x = Value(1.0)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(bad, x)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(x, [bad])
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.grad(x, bad)
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.jvp(bad, {x: 1.0})
    with pytest.raises(TypeError, match="must be a node"):
        tinygraph.jvp(x, {bad: 1.0})


def test_derivatives_of_every_order():
    x = Value(0.5)
    y = tinygraph.exp(x) * tinygraph.sin(x)
    for k in range(1, 9):
        y = tinygraph.grad(y, x, create_graph=True)
        expected = math.exp(0.5) * math.sqrt(2) ** k * math.sin(0.5 + k * math.pi / 4)
        assert y.data == pytest.approx(expected, rel=1e-13)


@settings(max_examples=30)
@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_value_and_grad_in_the_words_of_jax(x, y):
    f = lambda a, b: a * b + a  # noqa: E731
    assert tinygraph.value_and_grad(f)(x, y) == (x * y + x, y + 1.0)
    assert tinygraph.value_and_grad(f, argnums=1)(x, y) == (x * y + x, x)
    assert tinygraph.value_and_grad(f, argnums=(0, 1))(x, y) == (x * y + x, (y + 1.0, x))
    nested = lambda p: p["w"][0] * p["w"][1] + p["b"]  # noqa: E731
    assert tinygraph.value_and_grad(nested)({"w": [x, y], "b": 1.0}) == (x * y + 1.0, {"w": [y, x], "b": 1.0})
    assert tinygraph.value_and_grad(lambda a: 2.0)(x) == (2.0, 0.0)
    assert tinygraph.value_and_grad(lambda a, *, k: a * k)(x, k=3.0) == (x * 3.0, 3.0)
    with pytest.raises(ValueError, match="argnums is 1, but there are 1"):
        tinygraph.value_and_grad(f, argnums=1)(x)


def interrupted(run, times=40):
    """Run again and again, each time with a real Ctrl-C after a random moment; yields whether it struck."""
    import random
    import signal

    draw = random.Random(1)
    for _ in range(times):
        previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, draw.uniform(0.0005, 0.02))
        try:
            run()
            struck = False
        except KeyboardInterrupt:
            struck = True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, previous)
        yield struck


@pytest.mark.parametrize("end", [lambda y: y, lambda y: y * y], ids=["one walk", "counted"])
def test_ctrl_c_in_a_pass_leaves_the_graph_usable(end):
    x, y = chain(10_000)
    y = end(y)
    y.backward()
    right = x.grad
    strikes = 0
    for struck in interrupted(lambda: [y.backward() for _ in range(20)]):
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
    for struck in interrupted(edit_and_recompute):
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
    """That would take as long as the pass itself; an edit elsewhere, or before, is no reason for it."""
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


def test_a_pass_that_was_left_keeps_nobody_out(monkeypatch):
    """An interrupt may leave its thread's name, and counts in its nodes, where no walk overwrites them."""
    x = Value(2.0)
    u = x * 3.0
    v = u * u
    y = v * v
    monkeypatch.setattr(backward, "_passing", threading.get_ident())
    backward._unfinished.append(y)
    u.awaited = v.awaited = 2
    y.backward()
    assert x.grad == 4 * 2.0**3 * 3.0**4


def test_what_a_gradient_starts_from_is_said_by_name():
    x = Value(2.0)
    with pytest.raises(TypeError):
        tinygraph.grad(x * x, x, 3.0)
    assert tinygraph.grad(x * x, x, seed=3.0) == 12.0
