"""Copies and pickles of nodes: identity in containers, linear size, depth, subclasses, and processes."""

import copy
import copyreg
import io
import multiprocessing
import pickle
import subprocess
import sys
import threading
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value
from tinygraph.engine import copies
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.saving.verification import all_nodes
from tinygraph.testing import graphs, tensor_programs


class Weight(Value):
    """A subclass with a `__dict__`."""


class Slotted(Weight):
    """A subclass with slots too, one of them private."""

    __slots__ = ("__hidden", "rate", "unset")

    def __init__(self, data, rate, hidden):
        super().__init__(data)
        self.rate, self.__hidden = rate, hidden

    def hidden(self):
        return self.__hidden


class Parameter(Tensor):
    """A Tensor with one more slot."""

    __slots__ = ("partner",)


def in_python(protocol):
    """Return a round trip with the pickler that is written in Python."""

    def way(things):
        file = io.BytesIO()
        pickle._Pickler(file, protocol).dump(things)
        return pickle._loads(file.getvalue())

    return way


WAYS = {
    **{f"protocol {p}": lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(6)},
    **{f"in Python, protocol {p}": in_python(p) for p in (0, 2, 4)},  # 5 cannot store two empty arrays
    "deepcopy": copy.deepcopy,
}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def chain(n):
    """Return a list of n + 1 nodes, in which each is computed from the one before."""
    nodes = [Value(1.0)]
    for _ in range(n):
        nodes.append(nodes[-1] * 1.0000001)
    return nodes


# --- identity


@ways
def test_a_leaf_in_a_container_is_the_leaf_of_the_loss(way):
    w = Value(3.0, name="w")
    again = way({"w": w, "loss": w * w})
    again["loss"].backward()
    assert again["w"].grad == 6.0
    assert again["w"] is again["loss"].args[0] is not w


@ways
def test_the_order_in_a_container_makes_no_difference(way):
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    y, z = a * b, a + b
    for things in ([y, a, z, b], [a, z, y], (z, {"a": a}, [[y]], {y: b}), [y, y, y * 1.0]):
        again = way(things)
        assert partition(again) == partition(things)


def things_in(value):
    """Yield the nodes of nested containers, in order."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from things_in(key)
            yield from things_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from things_in(inner)


def everything(value):
    """Return all nodes of the graphs in a container, with repetitions, in an order that depends only on structure."""
    return [node for root in things_in(value) for node in order(root)]


def partition(value):
    """Return, for each occurrence of a node, the position where the same object occurred first."""
    first = {}
    return [first.setdefault(node, i) for i, node in enumerate(everything(value))]


def bits(x):
    """Return a number or an array as something that compares bit for bit."""
    return x if x is None else (np.shape(x), np.asarray(x).tobytes())


def content(value):
    """Return what a copy must keep of each node."""
    return [
        (
            type(node), repr(node.op), bits(node.raw), bits(node.grad), node.name, node.scope, node.line,
            [None if isinstance(x, Node) else bits(x) for x in node.args],
            [x if x is True else bits(x) for x in node.stored_partials],
            [(guard.trace.text, guard.outcome, guard.numbers) for guard, _ in node.metadata.guards.values()]
            if node.metadata else [],
        )
        for node in everything(value)
    ]  # fmt: skip


def containers(nodes):
    """Return a strategy for nested containers of the given nodes."""
    one = st.sampled_from(nodes)
    return st.recursive(
        st.lists(one, min_size=1, max_size=5),
        lambda inner: (
            st.lists(inner | one, max_size=3)
            | st.dictionaries(one | st.text(max_size=2), inner | one, max_size=3)
            | st.tuples(inner, one)
        ),
        max_leaves=4,
    )


def recorded(program):
    """Run a program, compare two of its nodes, and return its nodes."""
    leaves = [program.leaf(x, name) for x, name in zip(program.at, "abcd", strict=False)]
    with tinygraph.scope("part"):
        nodes = [node for node in program.run(leaves) if isinstance(node, Node)]
    _ = nodes[-1] < 3.0
    if isinstance(nodes[-1], Value):
        _ = leaves[0] < nodes[-1]
    return nodes


@given(programs=st.lists(graphs() | tensor_programs(), min_size=1, max_size=2), data=st.data())
def test_a_round_trip_keeps_sharing_and_bits(programs, data):
    nodes = []
    for program in programs:
        nodes += recorded(program)
        if data.draw(st.booleans()) and not nodes[-1].constant:
            nodes[-1].backward(seed=2.0)
    things = data.draw(containers(nodes))
    way = WAYS[data.draw(st.sampled_from(sorted(WAYS)))]
    again = way(things)
    assert partition(again) == partition(things)
    assert content(again) == content(things)
    assert not set(everything(again)) & set(everything(things))
    for old, new in zip(things_in(things), things_in(again), strict=True):
        if not old.constant and not np.shape(old.raw):
            old.backward()
            new.backward()
    assert content(again) == content(things)


def reaction(root):
    """Return what a graph does next: the results of backward and forward, or the types of the errors."""
    found = []
    for action in (root.backward, root.forward, root.backward):
        try:
            action()
            found.append([(bits(node.raw), bits(node.grad)) for node in order(root)])
        except (StaleGraphError, FrozenBranchError) as error:
            found.append(type(error))
    return found


@given(program=graphs() | tensor_programs(), data=st.data())
def test_a_copy_reacts_to_an_edit_as_the_original(program, data):
    nodes = recorded(program)
    root = next(node for node in reversed(nodes) if not np.shape(node.raw))
    _ = nodes[0] < root
    leaves = [node for node in nodes if node.op is None and not node.constant]
    i = data.draw(st.integers(0, len(leaves) - 1))
    new = leaves[i].data * data.draw(st.sampled_from([-1.0, 0.5, 1.0])) + 1.0
    way = WAYS[data.draw(st.sampled_from(sorted(WAYS)))]
    if data.draw(st.booleans()):
        leaves[i].data = new
        again = way([root, *leaves])
    else:
        again = way([root, *leaves])
        leaves[i].data = new
        again[1 + i].data = new
    assert reaction(again[0]) == reaction(root)


class Layer:
    """An ordinary object that contains parameters."""

    def __init__(self):
        self.weights, self.bias = [Value(1.0), Value(2.0)], Tensor([1.0, 2.0])

    def __call__(self):
        return self.weights[0] * self.weights[1], (self.bias * 2.0).sum()


Pair = namedtuple("Pair", "first second")


@ways
def test_parameters_of_an_object_stay_the_leaves_of_its_losses(way):
    layer = Layer()
    y, z = layer()
    y.backward()
    kept = {"layer": layer, "losses": Pair(y, z), "used": {y, z, layer.bias}, "once": frozenset(layer.weights)}
    again = way(kept)
    layer, (y, z) = again["layer"], again["losses"]
    assert y.args == tuple(layer.weights)
    assert again["once"] == set(layer.weights)
    assert again["used"] == {y, z, layer.bias}
    assert [weight.grad for weight in layer.weights] == [2.0, 1.0]
    z.backward()
    assert layer.bias.grad.tolist() == [2.0, 2.0]


@ways
def test_an_object_array_keeps_identity(way):
    values = np.array([Value(1.0), Value(2.0)], dtype=object)
    again, total = way([values, values.sum()])
    assert total.args == tuple(again)


@ways
def test_comparisons_of_nodes_in_a_container_are_kept(way):
    x, w = Value(3.0, name="x"), Value(2.0)
    y = w * x if w < x else w + x
    again, leaf, other = way([y, w, x])
    leaf.data = 4.0
    with pytest.raises(FrozenBranchError):
        again.forward()
    other.data = 5.0
    assert again.forward().data == 20.0


@ways
def test_an_array_is_shared_between_a_constant_and_its_container(way):
    X = np.array([1.0, 2.0])
    array, loss = way([X, (Tensor([3.0, 4.0]) * Tensor(X, constant=True)).sum()])
    constant = next(node for node in order(loss) if node.constant)
    assert constant.raw is array is not X


def test_a_deep_copy_owns_its_constant_arrays():
    X = np.array([1.0, 2.0])
    y = Tensor([3.0, 4.0]) * X
    assert copy.deepcopy(y).args[1] is not X


def test_a_shallow_copy_of_a_leaf_has_its_own_array():
    w = Tensor([1.0, 2.0])
    y = (w * w).sum()
    twin = copy.copy(w)
    twin.data -= 1.0
    assert w.data.tolist() == [1.0, 2.0]
    y.backward()
    assert w.grad.tolist() == [2.0, 4.0]


@ways
@pytest.mark.parametrize(
    "program",
    [
        lambda a, b: ((np.transpose(a, (1, 2, 0)) @ b) * 2.0).exp().mean(),
        lambda a, b: ((a[::-1, :, ::-1] @ a[:, 3:].sum(axis=0).T).sum(axis=1) ** 2).sum() + b.sum(),
        lambda a, b: ((b + a[0, 0, 0]) * (b[0] * np.ones((20, 9)))).exp().sum(),
    ],
)
def test_a_copy_keeps_the_memory_order_on_which_the_last_bits_depend(program, way):
    """NumPy pickles a transposed array of three axes in C order, and the product then has other last bits."""
    rng = np.random.default_rng(1)
    a, b = Tensor(rng.normal(size=(20, 30, 40))), Tensor(rng.normal(size=(20, 9)))
    y = program(a, b)
    again, c, d = way([y, a, b])
    y.backward()
    again.backward()
    assert (c.grad.tobytes(), d.grad.tobytes()) == (a.grad.tobytes(), b.grad.tobytes())
    assert [np.sign(node.raw.strides).tolist() for node in order(again)] == [
        np.sign(node.raw.strides).tolist() for node in order(y)
    ]


@pytest.mark.parametrize("mode", ["buffers", "file"])
def test_a_loaded_leaf_can_be_edited(mode, tmp_path):
    """The buffers of another process, and a file that is mapped to memory, are read-only."""
    w = Tensor([1.0, 2.0])
    if mode == "buffers":
        buffers = []
        stored = pickle.dumps([w, (w * w).sum()], 5, buffer_callback=buffers.append)
        leaf, loss = pickle.loads(stored, buffers=[bytes(buffer) for buffer in buffers])
    else:
        joblib = pytest.importorskip("joblib")
        joblib.dump([w, (w * w).sum()], tmp_path / "w")
        leaf, loss = joblib.load(tmp_path / "w", mmap_mode="r")
    assert type(leaf.data) is np.ndarray
    leaf.data -= 1.0
    loss.forward().backward()
    assert leaf.grad.tolist() == [0.0, 2.0]


def test_a_loaded_leaf_shares_no_buffer_with_the_original():
    w = Tensor([1.0, 2.0])
    buffers = []
    stored = pickle.dumps(w, 5, buffer_callback=buffers.append)
    pickle.loads(stored, buffers=buffers).data -= 1.0
    assert w.data.tolist() == [1.0, 2.0]


def test_repeated_elements_are_stored_once():
    y = Tensor([1.0, 2.0]) + np.ones((1000, 2))
    expanded = next(node for node in order(y) if node.op.name.startswith("expand"))
    assert len(pickle.dumps(expanded)) < 2000
    assert pickle.loads(pickle.dumps(expanded)).data.tolist() == expanded.data.tolist()


# --- picklers: a node cannot see who pickles it, so it finds out


class Storing:
    """A pickler that stays alive, and its unpickler."""

    def __init__(self):
        self.written, self.kind = io.BytesIO(), pickle.Pickler
        self.pickler = pickle.Pickler(self.written)

    def load_all(self, n):
        unpickler = pickle.Unpickler(io.BytesIO(self.written.getvalue()))
        return [unpickler.load() for _ in range(n)]


@given(turns=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=40))
def test_several_picklers_in_turn_keep_identity_each(turns):
    nodes = chain(3)
    nodes += [nodes[1] * nodes[3], nodes[0] + 1.0, nodes[2].sin()]
    stores = [Storing() for _ in range(4)]
    given_to = [[] for _ in stores]
    for who, which in turns:
        stores[who].pickler.dump(nodes[which])
        given_to[who].append(nodes[which])
    for store, things in zip(stores, given_to, strict=True):
        assert partition(store.load_all(len(things))) == partition(things)


def test_a_pickle_does_not_contain_what_another_pickler_stores():
    nodes = chain(1000)
    other = Storing()
    other.pickler.dump(nodes[-1])
    alone = len(pickle.dumps(Value(1.0)))
    assert len(pickle.dumps(nodes[0])) < 2 * alone
    assert len(order(pickle.loads(pickle.dumps(nodes[500])))) == 501


def test_hundreds_of_picklers_in_turn_need_no_recursion():
    nodes = chain(2)
    stores = [Storing() for _ in range(400)]
    for node in nodes:
        for store in stores:
            store.pickler.dump(node)
    assert partition(stores[200].load_all(3)) == partition(nodes)


def test_a_cleared_pickler_stores_nodes_again():
    x = Value(2.0)
    store = Storing()
    store.pickler.dump(x)
    store.pickler.clear_memo()
    store.written.seek(0)
    store.written.truncate()
    store.pickler.dump([x * x, x])
    y, leaf = pickle.loads(store.written.getvalue())
    assert y.x is leaf


def test_a_pickler_without_a_memory_stores_each_node_with_its_graph():
    x = Value(2.0)
    store = Storing()
    store.pickler.fast = True
    store.pickler.dump([x, x * x])
    leaf, y = store.load_all(1)[0]
    assert (leaf.data, y.data) == (2.0, 4.0)
    assert y.args[0] is y.args[1] is not leaf


def test_a_pickler_with_its_own_dispatch_table_keeps_identity():
    x = Weight(2.0)
    x.tag = complex(1, 2)
    store = Storing()
    store.pickler.dispatch_table = copyreg.dispatch_table | {complex: lambda z: (str, (f"{z}",))}
    store.pickler.dump([x, x * x])
    leaf, y = store.load_all(1)[0]
    assert y.args == (leaf, leaf)
    assert leaf.tag == "(1+2j)"


class Nested:
    """An object that pickles a node into bytes while it is pickled."""

    def __init__(self, node):
        self.node = node

    def __reduce__(self):
        return pickle.loads, (pickle.dumps([self.node, self.node * 2.0]),)


def test_a_pickle_inside_a_pickle_keeps_identity():
    nodes = chain(4)
    first, (inner, double), *rest = pickle.loads(pickle.dumps([nodes[1], Nested(nodes[2]), *nodes]))
    assert double.x is inner
    assert rest[1] is first is rest[2].x
    assert inner is not rest[2]


def test_threads_that_pickle_at_once_keep_identity():
    nodes = chain(300)
    found, interval = [], sys.getswitchinterval()

    def work(part):
        found.append((part, pickle.loads(pickle.dumps(part))))

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(nodes[i : 300 : i + 1],)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
    finally:
        sys.setswitchinterval(interval)
    assert len(found) == 8
    for part, again in found:
        assert len({id(node) for node in everything(again)}) == len({id(node) for node in everything(part)})


def test_a_pickler_that_is_dropped_keeps_no_node_alive():
    w = Weight(1.0)
    store = Storing()
    store.pickler.dump([w, w * w])
    before = len(copies._sessions)
    assert before
    del store
    assert len(copies._sessions) == before - 1
    references = sys.getrefcount(w)
    pickle.dumps([w, w * w])
    assert sys.getrefcount(w) == references


def test_the_same_pickle_has_the_same_bytes():
    nodes = chain(5)
    assert pickle.dumps(nodes) == pickle.dumps(nodes)


# --- size and depth


@pytest.mark.parametrize("direction", [1, -1])
def test_a_list_of_linked_nodes_has_linear_size(direction):
    def size(n):
        return len(pickle.dumps(chain(n)[::direction]))

    assert size(2000) < 120 * 2000
    assert size(2000) - size(1000) < 1.1 * (size(1000) - size(1))


def count_blank(monkeypatch, function, *args):
    """Return how many nodes a function creates as copies."""
    created = []
    true = copies.blank
    monkeypatch.setattr(copies, "blank", lambda *content: created.append(content) or true(*content))
    function(*args)
    monkeypatch.undo()
    return len(created)


def test_each_node_is_copied_once(monkeypatch):
    nodes = chain(500)
    for things in (nodes, nodes[::-1], {"y": nodes[-1], "all": nodes}):
        assert count_blank(monkeypatch, copy.deepcopy, things) == 501
        assert count_blank(monkeypatch, lambda x: pickle.loads(pickle.dumps(x)), things) == 501


def test_each_node_is_visited_once(monkeypatch):
    visits = []
    true = Node.operands.fget
    nodes = chain(500)
    monkeypatch.setattr(Node, "operands", property(lambda node: visits.append(1) or true(node)))
    for way in (copy.deepcopy, pickle.dumps, all_nodes):
        visits.clear()
        way(nodes)
        assert len(visits) <= 3 * len(nodes), way


def test_a_long_chain_in_any_container_needs_no_recursion():
    nodes = chain(30_000)
    for things in ([nodes[0], nodes[-1]], {"y": nodes[-1], "half": nodes[15_000]}, nodes[::300]):
        for way in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
            assert partition_of_roots(way(things)) == partition_of_roots(things)


def partition_of_roots(things):
    """Return which of the last roots contain which roots: `partition` would list a long graph once per root."""
    nodes = list(things_in(things))
    below = [set(order(node)) for node in nodes[-2:]]
    return [[node in graph for node in nodes] for graph in below]


# --- across processes


def square(things):
    things["w"].grad = None
    things["loss"].backward()
    return things


def test_a_container_crosses_processes():
    w = Value(3.0, name="w")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        again = pool.submit(square, {"w": w, "loss": w * w}).result(timeout=120)
    assert again["w"].grad == 6.0
    assert again["w"] is again["loss"].x


def error_in_another_process(program, read):
    """Run a program that prints a pickle, and another one that reads it. Return the error of the second program."""
    written = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=120).stdout
    failed = subprocess.run([sys.executable, "-c", read], input=written, capture_output=True, check=False, timeout=120)
    return failed.stderr.decode()


def test_a_stale_constant_from_another_process_is_noticed():
    program = (
        "import pickle, sys, tinygraph; c = tinygraph.Value(2.0, constant=True); k = c * c; c.data = 3.0\n"
        "sys.stdout.buffer.write(pickle.dumps([k, c]))"
    )
    read = "import pickle, sys, tinygraph; k, c = pickle.load(sys.stdin.buffer); tinygraph.Value(1.0) * k"
    assert StaleGraphError.__name__ in error_in_another_process(program, read)


def test_a_comparison_from_another_process_is_older_than_a_new_node():
    program = (
        "import pickle, sys, tinygraph; x = tinygraph.Value(2.0)\n"
        "for i in range(9): x < 3.0 + i\n"
        "sys.stdout.buffer.write(pickle.dumps(x))"
    )
    read = "import pickle, sys; x = pickle.load(sys.stdin.buffer); y = x * 2.0\nx.data = 5.0; y.forward()"
    assert FrozenBranchError.__name__ in error_in_another_process(program, read)


def test_dask_keeps_identity_in_its_processes():
    dask = pytest.importorskip("dask")
    w = Value(3.0, name="w")
    (again,) = dask.compute(dask.delayed(square)({"w": w, "loss": w * w}), scheduler="processes", num_workers=1)
    assert again["w"].grad == 6.0
    assert again["w"] is again["loss"].x


def test_equal_graphs_have_equal_hashes_in_joblib():
    joblib = pytest.importorskip("joblib")
    x = Value(3.0, name="x")
    things = [x, x * x, x < 4.0]
    assert joblib.hash(things) == joblib.hash(copy.deepcopy(things))


@pytest.mark.parametrize("module", ["cloudpickle", "joblib"])
def test_other_picklers_keep_identity(module):
    library = pytest.importorskip(module)

    class Local(Value):
        pass

    w = Weight(3.0) if module == "joblib" else Local(3.0)
    w.rate = 0.5
    things = [w, w * w, {"w": w}]
    if module == "joblib":
        file = io.BytesIO()
        library.dump(things, file)
        file.seek(0)
        again = library.load(file)
    else:
        again = pickle.loads(library.dumps(things))
    assert again[0] is again[1].x is again[2]["w"]
    assert again[0].rate == 0.5


# --- subclasses


@ways
def test_a_subclass_keeps_its_class_and_attributes(way):
    w, v = Weight(2.0, name="w"), Slotted(3.0, 0.5, "secret")
    w.tags, v.note = ["a"], "n"
    y = w * v
    loss, twin, other = way([y, w, v])
    assert (type(twin), type(other)) == (Weight, Slotted)
    assert (twin.tags, twin.name) == (["a"], "w")
    assert (other.note, other.rate, other.hidden()) == ("n", 0.5, "secret")
    assert not hasattr(other, "unset")
    assert twin.tags is not w.tags
    assert loss.args == (twin, other)
    below = way(y).args
    assert (type(below[0]), below[1].rate) == (Weight, 0.5)


def test_a_shallow_copy_of_a_subclass_shares_its_attributes():
    v = Slotted(3.0, [0.5], "secret")
    v.note = "n"
    twin = copy.copy(v)
    assert (type(twin), twin.rate, twin.hidden(), twin.note) == (Slotted, v.rate, "secret", "n")
    assert twin.rate is v.rate
    twin.note = "m"
    assert v.note == "n"


@ways
def test_an_attribute_can_refer_to_any_node(way):
    p = Parameter([1.0, 2.0])
    loss = (p * p).sum()
    p.partner = [loss, p]
    again = way(p)
    assert again.partner[1] is again
    again.partner[0].backward()
    assert again.grad.tolist() == [2.0, 4.0]
    y, q = way([loss, p])
    assert q.partner[0] is y


@pytest.mark.parametrize("name", ["__reduce__", "__getstate__", "__setstate__", "__deepcopy__", "__copy__"])
@pytest.mark.parametrize("base", [Value, Tensor, Weight])
def test_a_subclass_with_its_own_copies_is_refused_where_it_is_defined(base, name):
    with pytest.raises(TypeError, match=f"class Own must not define {name}"):
        type("Own", (base,), {name: lambda self, *_: None})
    mixin = type("Mixin", (), {name: lambda self, *_: None})
    with pytest.raises(TypeError, match="class Own must not define"):
        type("Own", (mixin, base), {})


@pytest.mark.parametrize("name", ["grad", "raw", "metadata", "version"])
@pytest.mark.parametrize("base", [Value, Tensor, Weight])
def test_a_subclass_that_hides_a_slot_of_every_node_is_refused(base, name):
    """A copy reads the slots of `Node`, so it would lose the content of the new slot."""
    for body in ({"__slots__": (name,)}, {name: property(lambda self: 0.0)}, {name: None}):
        with pytest.raises(TypeError, match=f"class Own must not define {name}, which every node has"):
            type("Own", (base,), body)
    if issubclass(base, Tensor):
        with pytest.raises(TypeError, match="class Own must not define watched"):
            type("Own", (base,), {"watched": None})


@pytest.mark.parametrize("base", [Value, Tensor])
def test_a_node_of_a_subclass_can_be_constant(base):
    kind = type("Own", (base,), {})
    own = kind(2.0, constant=True)
    product = own * 3.0
    for node in (own, copy.copy(own), copy.deepcopy(own), product, own * own, kind(2.0).detach()):
        assert node.constant
    assert repr(own) == "Own(2.0, constant=True)"
    assert [type(node) for node in (product, own * base(3.0), kind(2.0).detach(), own.detach())] == [base] * 4
    x = base(3.0)
    (own * x).backward()
    assert (own.grad, x.grad) == (None, 2.0)
    with pytest.raises(AttributeError):
        own.constant = False


def test_save_refuses_a_subclass(tmp_path):
    w = Weight(2.0, name="w")
    with pytest.raises(TypeError, match=r"a file stores Values and Tensors, and Weight\(2.0, name='w'\) is a Weight"):
        tinygraph.save(w * w, tmp_path / "y.json")


@pytest.mark.parametrize("turn", [1, -1])
def test_save_keeps_identity_between_roots(tmp_path, turn):
    nodes = chain(50)[::turn]
    again = tinygraph.load(tinygraph.save([*nodes, nodes[0]], tmp_path / "all.json"))
    assert partition(again) == partition([*nodes, nodes[0]])


@pytest.mark.parametrize("name", ["silu", "acosh", "exp2", "fmod", "floor", "erf_dx"])
def test_an_op_is_found_in_a_process_that_has_not_loaded_its_file(name):
    """The files of `more_ops` are loaded on first use, so a pickled op also names its file."""
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer).name)"
    pickled = pickle.dumps(TABLE[name])
    found = subprocess.run([sys.executable, "-c", program], input=pickled, capture_output=True, check=True, timeout=120)
    assert found.stdout.decode().strip() == name


def test_a_constant_that_was_edited_in_another_process_is_noticed(monkeypatch):
    older = Value(2.0, constant=True)
    Value(0.0).data = 1.0  # the edit clock advances
    fresh = older * Value(3.0, constant=True) + Value(4.0, constant=True) * 0.0  # the product has the time of its leaf
    stale = Value(2.0, constant=True) * 3.0
    stale.x.data = 5.0
    contents = [pickle.dumps(node) for node in (fresh, stale)]
    monkeypatch.setattr(clock, "constant_edits", 0)  # as in a process without edits
    x = Value(1.0)
    assert (x * pickle.loads(contents[0])).data == 6.0
    assert clock.constant_edits == 0
    found = pickle.loads(contents[1])
    with pytest.raises(StaleGraphError, match="was edited after this graph was recorded"):
        x * found
    assert clock.constant_edits >= found.x.version


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))])
def test_a_copy_and_its_original_can_be_renamed(copied):
    original = Value(1.0, "a")
    assert original > 0.5
    twin = copied(original)
    twin.name = "b"
    assert (original.name, twin.name) == ("a", "b")
    original.name = "c"
    assert (original.name, twin.name) == ("c", "b")
    number = len(original.metadata.guards)
    assert twin > 0.25
    assert len(original.metadata.guards) == number


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_graph_with_an_edited_constant_array_is_not_copied(copied):
    c = np.array([1.0, 2.0])
    y = Tensor([3.0, 4.0]) * c
    c[0] = 5.0
    with pytest.raises(StaleGraphError, match="a constant array was edited in place"):
        copied(y)


def test_a_pickler_that_stores_a_reference_before_its_marker_stores_the_nodes_again():
    """Nothing is known of such a pickler, so it is not the one that stored the node last."""
    x = Value(1.0) * 2.0
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream)
    pickler.dump(x)
    for other in (None, copies.Marker()):
        if other:
            other.__reduce__()  # begins another search
        marker = copies.Marker()
        _, (found, place) = copies.Reference(x, marker).__reduce__()
        assert isinstance(found, copies.Batch)
        assert found.nodes[place] is x
        assert marker.session is not None
        assert not other or other.session is None


@pytest.mark.parametrize("wrong", [-1, 1])
def test_batches_of_a_pickle_in_another_order_are_refused(wrong):
    nodes = [Value(1.0), Value(2.0)]
    archive = copies.Archive()
    batch = copies.Batch(archive, nodes, {id(node): i for i, node in enumerate(nodes)})
    make, (_, start, kinds, constants), _ = batch.__reduce__()
    make(archive, start, kinds, constants)
    assert len(archive.nodes) == 2
    with pytest.raises(ValueError, match=f"node 2 must come before node {2 + wrong}"):
        make(archive, 2 + wrong, kinds, constants)
