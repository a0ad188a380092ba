"""Vectorized graphs: the values of the scalar graph, element by element, in few ops."""

import gc
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tests.interrupts import interrupted
from tests.oracles import families
from tests.oracles.families import FAMILIES
from tests.vectorizing.agreement import assert_close, assert_same
from tinygraph import StaleGraphError, Tensor, Value, draw, vectorize
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.stepping.stepper import Stepper
from tinygraph.testing import graphs

TAME = [ops.add, ops.sub, ops.mul, ops.neg, ops.sin, ops.tanh, ops.sigmoid, ops.softplus, ops.squared_error, ops.relu]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_the_families_agree(family):
    assert_same(*family())


@given(program=graphs(max_steps=20))
def test_random_programs_agree(program):
    root, leaves = program.record()
    assert_same(root, [leaves])


@given(
    program=graphs(ops=TAME, max_inputs=4, max_steps=8),
    m=st.integers(1, 4),
    n=st.integers(1, 3),
    shared=st.integers(0, 3),
    as_nodes=st.booleans(),
    seed=st.integers(0, 99),
)
def test_random_programs_in_loops_agree(program, m, n, shared, as_nodes, seed):
    """The sum is Σ_i σ(Σ_j f(…)). An input can be shared, or differ for each i, for each j, or for both."""
    uniform = random.Random(seed).uniform
    k = len(program.at)
    every = [Value(uniform(-2.0, 2.0), "p") for _ in range(k)]
    by_j = [[Value(uniform(-2.0, 2.0), f"q{j}") for j in range(n)] for _ in range(k)]
    by_i = [[Value(uniform(-2.0, 2.0)) if as_nodes else uniform(-2.0, 2.0) for _ in range(m)] for _ in range(k)]
    total = Value(0.5)
    for i in range(m):
        inner = Value(0.1)
        for j in range(n):
            choices = [every, [row[j] for row in by_j], [row[i] for row in by_i]]
            operands = [choices[(shared + c) % 3][c] for c in range(k)]
            if not any(isinstance(x, Value) for x in operands):
                operands[0] = every[0]
            inner = inner + program(*operands)
        total = total + inner.tanh()
    inputs = [every, by_j, [x for row in by_i for x in row] if as_nodes else every[:0] or Value(1.0)]
    assert_same(total, inputs)


# --- the vectorized graph ---------------------------------------------------------------------------

SIZED = {
    "logistic regression": (lambda k: families.logistic_regression(5 * k, 2 + k), 11),
    "softmax regression": (lambda k: families.softmax(3 + 2 * k, 2 + k, 2 + k), 16),
    "an MLP": (lambda k: families.two_moons(6 * k, (2, 2 + k, 3 + k, 1)), 44),
}


@pytest.mark.parametrize(("family", "most"), SIZED.values(), ids=SIZED.keys())
def test_the_number_of_ops_does_not_depend_on_m_and_n(family, most):
    counts = {len(order(vectorize(family(k)[0]).root)) for k in (1, 2, 5)}
    assert len(counts) == 1
    assert counts.pop() <= most


def ops_of(root):
    return [node.op.name for node in reversed(order(root)) if node.op is not None]


def test_the_two_loops_become_the_lecture():
    found = vectorize(families.logistic_regression()[0])
    assert ops_of(found.root) == ["transpose", "matmul", "expand", "add", "sigmoid", "binary_cross_entropy", "mean"]
    assert {name: leaf.shape for name, leaf in found.leaves.items()} == {"w": (3, 1), "b": ()}
    by_name = {node.name: node.shape for node in order(found.root) if node.name}
    assert by_name["z"] == by_name["a"] == by_name["loss"] == (1, 7)


def test_a_sum_over_all_pairs_has_two_axes():
    found = vectorize(families.all_pairs()[0])
    assert found.leaves["x"].shape == (4, 1)
    assert found.leaves["y"].shape == (1, 5)
    assert "index" not in ops_of(found.root)


def test_what_follows_no_axis_is_picked_by_index_and_said():
    found = vectorize(families.pairs()[0])
    assert "index" in ops_of(found.root)
    assert "10 elements are selected" in found.report()
    assert "different numbers of terms" in vectorize(families.ragged()[0]).report()


def test_neighbours_are_slices():
    found = vectorize(families.neighbours()[0])
    keys = [node.op.parameters[0] for node in order(found.root) if node.op is not None and node.op.name == "index"]
    assert keys
    assert all(isinstance(key, slice) for pair in keys for key in pair)


def test_a_recurrence_stays_in_order():
    steps = [len(order(vectorize(families.recurrence(steps, 4)[0]).root)) for steps in (3, 6, 9)]
    assert steps[2] - steps[1] == steps[1] - steps[0] > 0  # the ops per step do not depend on the number of sequences
    assert steps[1] == len(order(vectorize(families.recurrence(6, 9)[0]).root))


def test_the_result_is_a_graph_like_any_other():
    J, _ = families.logistic_regression()
    found = vectorize(J)
    assert isinstance(found.root, Tensor)
    assert "wᵀ · (3, 7)" in draw(found.root).source
    last = list(Stepper(found.root))[-1]
    assert last.numbers if hasattr(last, "numbers") else last
    found.leaves["w"].data = found.leaves["w"].data + 0.1
    found.root.forward()
    for j, w in enumerate(node for node in found.nodes_of("w")):
        w.data = w.data + 0.1
        assert found.where(w)[1] == (j, 0)
    assert_close(found.root.item(), J.forward().data, 1.0, "after an edit")


def test_where_and_scatter_go_both_ways():
    J, _ = families.two_moons()
    found = vectorize(J)
    inside = set()
    for node in order(J):
        try:
            tensor, index = found.where(node)
        except LookupError:
            inside.add(node)
        else:
            assert tensor.data[index] == pytest.approx(node.data, rel=1e-12)
    assert {node.op.name for node in inside} == {"add", "mul"}  # partial sums, and products of a matrix product
    with pytest.raises(LookupError, match="is inside"):
        found.where(inside.pop())
    with pytest.raises(ValueError, match="call root"):
        found.scatter()
    with pytest.raises(LookupError, match="not a node of the graph"):
        found.where(Value(1.0))


def test_names_keep_leaves_apart():
    found = vectorize(sum(Value(1.0, name) * 2.0 for name in ("alpha", "beta", "gamma")))
    assert sorted(found.leaves) == ["alpha", "beta", "gamma"]
    assert list(vectorize(sum(Value(1.0, f"x[{i}]") * 2.0 for i in range(3))).leaves) == ["x"]


# --- bad input --------------------------------------------------------------------------------------


def test_what_is_no_scalar_graph_is_refused():
    for use in (vectorize, lambda root: tinygraph.compile(root, [])):
        for refused in (3.0, None):
            with pytest.raises(TypeError, match="the root of a graph of Values"):
                use(refused)
    with pytest.raises(TypeError, match="the root of a graph of Values"):
        vectorize(Tensor([1.0]))
    with pytest.raises(ValueError, match="root must be a scalar, but it has shape"):
        tinygraph.compile(Tensor([1.0]), [])
    for refused in (3.0, None):
        with pytest.raises(TypeError, match="root must be the root of a graph, not"):
            tinygraph.source(refused)
    with pytest.raises(ValueError, match="the gradients need a scalar root"):
        tinygraph.source(Tensor([1.0]))


def test_a_stale_graph_is_refused():
    x = Value(1.0)
    y = x.exp() * 2.0
    x.data = 2.0
    for use in (vectorize, tinygraph.source, lambda root: tinygraph.compile(root, x)):
        with pytest.raises(StaleGraphError):
            use(y)


def test_faults_that_a_fuzzer_found():
    """Each of these graphs once raised an error, or gave a wrong shape."""
    a, b, c = Value(0.3, "a"), Value(0.7), Value(0.2)
    x = [Value(0.1 * i, f"x{i}") for i in range(4)]
    shared = [tinygraph.squared_error(b, b), tinygraph.squared_error(b, b)]
    assert_same((a * 0.1 + sum(shared) / 2.0 + sum(shared) / 2.0).tanh(), [[a, b]])  # means of the same terms
    assert_same(sum(total + a for total in (sum(x), sum(x), sum(x))).tanh(), [x, a])
    sums = [x[i] * c + sum([x[j].relu() for j in range(3)]) for i in range(4)]  # terms that have no other axis
    assert_same(sum(s.sin() * x[i] for i, s in enumerate(sums)), [x, c])
    ragged = [tinygraph.total([a] * (i + 1)) for i in range(3)]  # one leaf, in sums of different lengths
    assert_same(sum(s.sin() * x[i] for i, s in enumerate(ragged)), [x, a])
    text = tinygraph.source(sum(x_i * k for x_i, k in zip(x, (1.0, 2.0, 3.0, 4.0), strict=True)))
    assert np.ravel(text.run()["dx"]).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.shape(tinygraph.source(sum(x)).run()["dx"]) == (1, 4)


def test_a_sum_beside_its_terms():
    x, y, z = ([Value(0.1 * i + k, f"{name}{i}") for i in range(3)] for k, name in enumerate("xyz"))
    assert_same(sum((v - sum(x) / 3) ** 2 for v in x), [x])
    assert_same(sum((p + p + q).sin() * r for p in x for q in y for r in z), [x, y, z])


@given(program=graphs(max_steps=30))
def test_progress_grows_to_the_number_of_all_steps(program):
    root, leaves = program.record()
    reports = []
    found = vectorize(root, on_progress=lambda done, steps: reports.append((done, steps)))
    done, steps = zip(*reports, strict=True)
    assert list(done) == sorted(set(done)), "each report shows more steps than the one before"
    assert done[-1] == steps[-1] == steps[0] >= len(order(root))
    silent = vectorize(root)
    assert (found.report(), repr(found.root)) == (silent.report(), repr(silent.root))
    reported = tinygraph.compile(root, leaves, on_progress=lambda *report: reports.append(report))
    assert reported.text == tinygraph.compile(root, leaves).text
    assert reports[-1] == (done[-1], steps[-1])


def test_a_large_graph_makes_at_most_a_few_hundred_reports():
    x, reports = Value(0.5, "x"), []
    y = x
    for k in range(3000):
        y = (y * x).sin() if k % 2 else (y + 1.0 / (k + 1)).tanh()
    vectorize(y, on_progress=lambda *report: reports.append(report))
    assert 100 < len(reports) < 300


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 1.0])
def test_an_error_in_the_function_that_gets_reports_stops_the_work(at):
    x = Value(0.5, "x")
    y = sum(((x * k).sin() for k in range(20)), x)
    y.backward()
    before = [(node.data, node.grad) for node in order(y)]

    def stop(done, steps):
        if done >= at * steps:
            raise LookupError("stop")

    for function in (vectorize, lambda root, on_progress: tinygraph.compile(root, x, on_progress=on_progress)):
        with pytest.raises(LookupError, match="stop"):
            function(y, on_progress=stop)
        assert gc.isenabled()
    assert [(node.data, node.grad) for node in order(y)] == before
    assert_same(y, [[x]])


@settings(max_examples=10)
@given(delay=st.floats(0.0005, 0.05))
def test_ctrl_c_leaves_the_graph_and_the_collector_as_they_were(delay):
    x = Value(0.5, "x")
    y = x
    for k in range(1000):
        y = (y * x).sin() if k % 2 else (y + 1.0 / (k + 1)).tanh()
    y.backward()
    before = [(node.data, node.grad) for node in order(y)]
    interrupted(lambda: vectorize(y, on_progress=lambda done, steps: None), delay)
    assert gc.isenabled()
    assert [(node.data, node.grad) for node in order(y)] == before
    assert vectorize(y).root.data == pytest.approx(y.data)


def test_progress_needs_a_function():
    x = Value(2.0)
    for call in (
        lambda: vectorize(x * x, on_progress=3),
        lambda: tinygraph.compile(x * x, x, on_progress=3),
        lambda: tinygraph.compile(Tensor(2.0) * 2.0, [], on_progress=3),
    ):
        with pytest.raises(TypeError, match="on_progress must be a function, not 3"):
            call()
