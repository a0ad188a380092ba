"""The accelerator gives the same bits, drawings and errors as the Python definitions that it repeats."""

import _thread
import gc
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import Tensor, Value
from tinygraph.engine import acceleration, autodiff, backward, graph, ops, recording
from tinygraph.engine.graph import Node, order
from tinygraph.testing import graphs

TWINS = acceleration.TWINS

# Random programs with plain numbers, constants, subclasses, scopes, edits, comparisons and activations. The output is
# everything that a user can see of them.
PROGRAM = """
import pickle, random
import tinygraph as tg
from tinygraph.engine.graph import order

class Own(tg.Value):
    pass

draw = random.Random(7)
for k in range(300):
    nodes = [tg.Value(draw.choice([0.0, -0.0, 1e-310, 700.0, draw.gauss(0, 1)]), f"x{i}") for i in range(3)]
    nodes += [tg.Value(2.5, constant=True), Own(draw.gauss(0, 1))]
    for _ in range(draw.randint(1, 25)):
        x, y = draw.choice(nodes), draw.choice([*nodes, 2, 3.0, -1, True, 10**20, 0.0, 1e300])
        kind = draw.randrange(12)
        with tg.scope("s") if draw.random() < 0.1 else tg.scope("t"):
            if kind < 8:
                x, y = draw.choice([(x, y), (y, x)])
                nodes.append((x + y, x - y, x * y, x / y)[kind % 4])
            elif kind == 8:
                nodes.append(draw.choice([tg.exp, tg.tanh, tg.sigmoid, tg.log, tg.relu])(x))
            elif kind == 9:
                nodes.append(tg.binary_cross_entropy(tg.sigmoid(x), draw.choice([0.0, 1.0, 0.25])))
            elif kind == 10:
                nodes.append(draw.choice([tg.total([x, x * 2.0]), tg.dot([x, nodes[0]], [2.0, 3.0]), tg.dot([x], [x])]))
            else:
                nodes.append(x if x < nodes[1] else x * 1.5)
    root = nodes[-1]
    try:
        root.backward()
    except Exception as error:
        print(type(error).__name__, error)
    print([(type(n).__name__, n.data.hex(), repr(n.grad), n.constant, n.version, n.scope, n.name,
            [repr(p) for p in n.partials], n.op and n.op.name) for n in order(root)])
    again = pickle.loads(pickle.dumps(root))
    print(tg.grad(again, [n for n in order(again) if n.op is None]) if k % 3 else tg.draw(root).source)
    nodes[0].data = 0.5
    try:
        root.backward()
    except Exception as error:
        print(type(error).__name__, error)
"""

accelerated = pytest.mark.skipif(
    not acceleration.ACCELERATED, reason="the accelerator is not built or turned off: pip install . with a C compiler"
)


def output(program, setting):
    environment = os.environ | {"TINYGRAPH_PURE": setting, "PYTHONHASHSEED": "0"}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


@accelerated
def test_both_versions_show_the_same():
    clear, fast = (output(PROGRAM, setting) for setting in ("1", "0"))
    assert clear.returncode == 0, clear.stderr
    assert clear.stdout == fast.stdout
    assert len(clear.stdout) > 100_000


def test_the_variable_turns_the_accelerator_off():
    program = "from tinygraph.engine import acceleration; print(acceleration.ACCELERATED)"
    assert output(program, "1").stdout == "False\n"
    assert output(program, "0").stdout == output(program, "").stdout


def test_another_setting_is_refused():
    error = output("import tinygraph", "yes").stderr.splitlines()[-1]
    assert error == ("ValueError: TINYGRAPH_PURE must be 0 or 1, not 'yes': set it to 1 to run without the accelerator")


@given(program=graphs())
def test_the_twins_of_the_traversals_agree(program):
    root, _ = program.record()
    assert order(root) == TWINS["order"](root)
    numbers = [adjoints(order(root), -0.5) for adjoints in (backward.adjoints, TWINS["adjoints"])]
    assert repr(numbers[0]) == repr(numbers[1])
    found = []
    for count, add in (
        (backward.count_consumers, backward.add_contributions),
        (TWINS["count_consumers"], TWINS["add_contributions"]),
    ):
        suspicious = count(root)
        counts = [node.awaited for node in order(root)]
        root.raw_grad = 1.0
        add(root)
        found.append((suspicious, counts, [repr(node.raw_grad) for node in order(root)]))
        assert all(node.awaited == 0 for node in order(root))
    assert found[0] == found[1]


@given(program=graphs())
def test_the_twins_of_the_schedule_list_the_nodes_of_a_pass(program):
    root, _ = program.record()
    lists = []
    for function in (backward.schedule, TWINS["schedule"]):
        backward.count_consumers(root)
        lists.append(function(root))
        assert all(node.awaited == 0 for node in lists[-1])
    assert lists[0] == lists[1]
    reached = {}
    backward.backward(root, 1.0, lambda _: reached.update(dict.fromkeys(backward.schedule(root))))
    position = {node: k for k, node in enumerate(reached)}
    assert all(position[node] < position[x] for node in reached for x in node.operands if x in position)
    adjoints = {}
    autodiff.exhaust(autodiff.propagate(root, 1.0, adjoints))
    assert set(adjoints) == set(reached)


@given(program=graphs(), edited=st.integers(0, 10))
def test_the_twins_find_the_same_nodes_that_are_older_than_an_edit(program, edited):
    root, _ = program.record()
    nodes = order(root)
    leaves = [node for node in nodes if node.op is None]
    leaf = leaves[edited % len(leaves)]
    leaf.data = leaf.data  # a leaf is edited, then the graph gets a new node
    nodes = [root * 2.0, *nodes]
    for time in (0, leaf.version, leaf.version + 1, 10**30):
        expected = [node for node in nodes if node.version < time]
        for older in (graph.older, TWINS["older"]):
            found = older(nodes, time)
            assert list(map(id, found)) == list(map(id, expected))


@pytest.mark.parametrize("version", ["module", "twin"])
def test_the_search_for_older_nodes_refuses_other_arguments(version):
    older = graph.older if version == "module" else TWINS["older"]
    blank = Value.__new__(Value)
    for nodes, time in (([1.0], 0), ([blank], 0), ([Value(1.0)], "text"), (3, 0)):
        with pytest.raises((AttributeError, TypeError)):
            older(nodes, time)
    x = Value(1.0)
    assert older((x, x), x.version + 1) == older([x, x], x.version + 0.5) == [x, x]


@pytest.mark.parametrize(
    "name",
    ["Slots", "State", "Arithmetic", "Caller", "adjoints", "node", "older", "order", "reset", "schedule", "untracked"],
)
def test_each_accelerated_name_has_a_twin(name):
    assert TWINS[name].__name__ == name


@pytest.mark.parametrize("version", ["module", "twin"])
@pytest.mark.parametrize("name", ["count_consumers", "add_contributions", "schedule"])
def test_a_damaged_graph_raises_an_error(name, version):
    x = Value(2.0)
    for damage in ({"x": "text"}, {"x": None}, {"x_partial": "text"}):
        y = x * 3.0
        y.raw_grad = x.raw_grad = 1.0
        for slot, content in damage.items():
            setattr(y, slot, content)
        run = getattr(backward, name) if version == "module" else TWINS[name]
        if name != "add_contributions" and "x_partial" in damage:
            continue  # this traversal does not read the number
        with pytest.raises((TypeError, AttributeError)):
            run(y)
        x.awaited = 0


@pytest.mark.parametrize("version", ["module", "twin"])
def test_the_chain_rule_refuses_nodes_in_a_wrong_order(version):
    adjoints = backward.adjoints if version == "module" else TWINS["adjoints"]
    x = Value(2.0)
    y = x * 3.0
    for nodes in ([y], [y, Value(2.0)], [1.0], []):
        with pytest.raises((AttributeError, IndexError, KeyError)):
            adjoints(nodes, 1.0)
    y.x_partial = "text"
    with pytest.raises(TypeError):
        adjoints([y, x], 1.0)
    y.x_partial = 3.0
    assert adjoints(order(y), 1.0) == [1.0, 3.0]


@pytest.mark.parametrize("version", ["module", "twin"])
def test_a_node_without_content_raises_an_error(version):
    blank = Value.__new__(Value)
    for function in (backward.count_consumers, backward.add_contributions, graph.order):
        run = function if version == "module" else TWINS[function.__name__]
        with pytest.raises(AttributeError):
            run(blank)


@pytest.mark.parametrize("version", ["module", "twin"])
def test_an_op_without_a_value_at_a_pole_takes_the_general_path(version):
    y = ops.log(Value(0.0)) if version == "module" else recording.record_op(ops.log, Value(0.0))
    assert (y.data, y.partials) == (-float("inf"), (float("inf"),))


@accelerated
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_the_collector_does_not_track_nodes(kind):
    class Own(kind):
        pass

    class Slotted(kind):
        __slots__ = ("more",)

    x = kind(2.0)
    for node in (x, x * 3.0, x.sigmoid(), kind(1.0, constant=True), x * Own(1.0)):
        assert not gc.is_tracked(node)
    for node in (Own(1.0), Slotted(1.0)):
        assert gc.is_tracked(node)


def test_a_tensor_frees_what_it_watches():
    class Own(Tensor):
        pass

    class Slotted(Tensor):
        __slots__ = ("more",)

    for kind in (Tensor, Own, Slotted):
        array = np.ones(3)
        before = sys.getrefcount(array)
        for _ in range(10):
            x = kind(np.ones(3))
            y = x * array + array  # these nodes keep a fingerprint of the array, and the array itself
            y.sum().backward()
            held = x.data  # the leaf then watches this array
        del x, y
        assert sys.getrefcount(array) == before
        assert sys.getrefcount(held) == 2


@accelerated
@pytest.mark.parametrize("thing", [2.0, int, Node(), None])
def test_only_a_class_of_nodes_can_be_untracked(thing):
    with pytest.raises(TypeError, match="the argument must be a class of nodes"):
        acceleration.untracked(thing)


def test_a_subclass_can_be_freed_from_a_cycle_of_attributes():
    class Own(Value):
        pass

    freed = []

    class Friend:
        def __del__(self):
            freed.append(True)

    x = Own(2.0)
    x.partner, x.friend = x, Friend()
    del x
    gc.collect()
    assert freed == [True]


def test_every_slot_is_a_slot_of_both():
    names = TWINS["Slots"].__slots__
    assert all(hasattr(graph.Slots, name) for name in names)
    assert isinstance(Value(1.0), graph.Slots)
    assert issubclass(Node, graph.Slots)


@pytest.mark.parametrize("number", [2, 2.0])
def test_an_op_on_a_constant_and_a_number_is_constant(number):
    c = Value(3.0, constant=True)
    for y in (c + number, number + c, c - number, number - c, c * number, number * c, c / number, number / c):
        assert (y.constant, y.partials) == (True, (None, None))


def test_an_interrupted_pass_leaves_a_clean_graph():
    x = y = Value(1.0)
    for k in range(50):
        y = y * 1.5 + (x if k % 3 else y)
    nodes = order(y)
    y.backward()
    right = [node.grad for node in nodes]
    backward.count_consumers(y)  # as if a signal came between the two traversals
    assert any(node.awaited for node in nodes)
    for function in (backward.reset, TWINS["reset"]):
        backward.count_consumers(y)
        function(y)
        assert all((node.awaited, node.grad) == (0, None) for node in nodes)
    y.backward()
    assert [node.grad for node in nodes] == right


def test_a_pass_gives_no_gradient_to_a_reader_that_a_later_contribution_changes():
    x = Value(2.0)
    y = x * x + x * 3.0
    y.backward()
    seen = x.grad
    y.backward(seed=2.0)
    assert (seen, x.grad) == (7.0, 14.0)


@pytest.mark.parametrize("what", ["order", "gradients"])
def test_the_order_of_a_graph_is_the_same_after_an_interrupt(what):
    x = y = Value(1.0)
    for _ in range(3000):
        y = y + x
    nodes = order(y)
    run = (lambda: order(y)) if what == "order" else (lambda: backward.adjoints(nodes, 1.0))

    def interrupt(*_):
        raise KeyboardInterrupt

    def run_again():
        for _ in range(1000):
            _thread.interrupt_main()
            run()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_again()
    finally:
        signal.signal(signal.SIGINT, previous)
    assert order(y) == TWINS["order"](y)
    assert backward.adjoints(nodes, 1.0) == TWINS["adjoints"](nodes, 1.0)


@accelerated
def test_the_class_of_a_value_cannot_become_one_with_another_memory_layout():
    class Own(Value):
        __slots__ = ()

    x = Value(1.0)
    with pytest.raises(TypeError):
        x.__class__ = Own
