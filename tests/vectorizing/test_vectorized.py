"""Laws of vectorizing and compiling: the numbers of the scalar graph, entry by entry, in few ops."""

import gc
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tests.oracles import families
from tests.oracles.families import FAMILIES, flat
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value, draw, vectorize
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.kernels import arrays
from tinygraph.stepping.stepper import Stepper
from tinygraph.testing import graphs
from tinygraph.vectorizing.flat import Flat
from tinygraph.vectorizing.kinds import SUM
from tinygraph.vectorizing.rerolling import Roll

TAME = [ops.add, ops.sub, ops.mul, ops.neg, ops.sin, ops.tanh, ops.sigmoid, ops.softplus, ops.squared_error, ops.relu]


def absolute_terms(root):
    """For each node, the sum of the absolute terms of its gradient: what rounding is relative to."""
    nodes = order(root)
    sizes = dict.fromkeys(nodes, 0.0)
    sizes[root] = 1.0
    for node in nodes:
        for operand, local in zip(node.args, node.partials, strict=False):
            if local is not None:
                sizes[operand] += sizes[node] * abs(local)
    return sizes


def assert_close(ours, exact, size, what):
    assert ours == exact or abs(ours - exact) <= 1e-12 * max(size, abs(exact), 1e-300), (what, ours, exact)


def assert_same(root, inputs):
    """Eager, vectorized, compiled, and the text agree: value and every gradient."""
    nodes = order(root)
    root.backward()
    eager, sizes = {node: node.grad for node in nodes}, absolute_terms(root)
    scale = sum(abs(node.data) * sizes[node] for node in nodes)  # how far rounding anywhere can move the root
    found = vectorize(root)
    for node in nodes:
        node.grad = None
    found.root.backward()
    found.scatter()
    assert_close(found.root.item(), root.data, scale, "value")
    for node, gradient in eager.items():
        if node.constant or gradient is None:
            assert node.grad is None
        else:
            assert_close(node.grad, gradient, sizes[node] * (1 + abs(node.data)), node)

    f = tinygraph.compile(root, inputs)
    value, gradients = f(*numbers(inputs))
    assert_close(value, root.data, scale, "compiled value")
    for leaf, ours in zip(flat(inputs), flattened(gradients), strict=True):
        assert_close(ours, eager.get(leaf) or 0.0, sizes.get(leaf, 0.0) * (1 + abs(leaf.data)), leaf)
    text = tinygraph.source(root, backward=False)
    last = text.splitlines()[-1].partition(" = ")[0]
    assert_close(float(text.run()[last]), root.data, scale, "the text's value")
    return found


def numbers(inputs):
    return inputs.data if isinstance(inputs, Value) else [numbers(entry) for entry in inputs]


def flattened(gradients):
    if isinstance(gradients, (list, tuple)):
        return [x for entry in gradients for x in flattened(entry)]
    return np.ravel(gradients).tolist()


# --- the proof --------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_the_families_agree(family):
    assert_same(*family())


@given(program=graphs(max_steps=20))
def test_random_programs_agree(program):
    root, leaves = program.record()
    assert_same(root, [leaves])


@given(
    program=graphs(rows=TAME, max_inputs=4, max_steps=8),
    m=st.integers(1, 4),
    n=st.integers(1, 3),
    shared=st.integers(0, 3),
    as_nodes=st.booleans(),
    seed=st.integers(0, 99),
)
def test_random_programs_in_loops_agree(program, m, n, shared, as_nodes, seed):
    """Σ_i σ(Σ_j f(…)): some inputs are shared, some are one for each i, some one for each j, some both."""
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


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_compiled_functions_follow_new_numbers(family):
    """What is compiled at one point, and forward() and backward(), agree at others."""
    J, inputs = family()
    f = tinygraph.compile(J, inputs)
    gauss = random.Random(1).gauss
    for _ in range(3):
        for leaf in flat(inputs):
            leaf.data = leaf.data + gauss(0.0, 0.05)
        J.forward().backward()
        sizes = absolute_terms(J)
        value, gradients = f(*numbers(inputs))
        assert_close(value, J.data, sum(abs(node.data) * sizes[node] for node in order(J)), "value")
        for leaf, ours in zip(flat(inputs), flattened(gradients), strict=True):
            assert_close(ours, leaf.grad or 0.0, sizes[leaf] * (1 + abs(leaf.data)), leaf)


@given(program=graphs(max_steps=20))
def test_the_terms_of_one_sum_are_found_as_those_of_many(program):
    roll = Roll(Flat(program.record()[0]))
    for group in roll.groups:
        if group.op == SUM and group.single:
            fast, clear = roll._parts_of_one(group), roll._parts_of_many(group)
            assert [(part.sign, part.source, part.table.tolist(), part.owners) for part in fast] == [
                (part.sign, part.source, part.table.tolist(), part.owners) for part in clear
            ]
            assert [[axis.size for axis in part.axes] for part in fast] == [
                [axis.size for axis in part.axes] for part in clear
            ]


# --- what it becomes --------------------------------------------------------------------------------

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
    assert "10 entries are picked" in found.report()
    assert "different numbers of terms" in vectorize(families.ragged()[0]).report()


def test_neighbours_are_slices():
    found = vectorize(families.neighbours()[0])
    keys = [node.op.parameters[0] for node in order(found.root) if node.op is not None and node.op.name == "index"]
    assert keys
    assert all(isinstance(key, slice) for pair in keys for key in pair)


def test_a_recurrence_stays_in_order():
    steps = [len(order(vectorize(families.recurrence(steps, 4)[0]).root)) for steps in (3, 6, 9)]
    assert steps[2] - steps[1] == steps[1] - steps[0] > 0  # as many ops a step, whatever the number of sequences
    assert steps[1] == len(order(vectorize(families.recurrence(6, 9)[0]).root))


def test_the_result_is_a_graph_like_any_other():
    J, _ = families.logistic_regression()
    found = vectorize(J)
    assert isinstance(found.root, Tensor)
    assert "matmul" in draw(found.root).source or "@" in draw(found.root).source
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
    assert {node.op.name for node in inside} == {"add", "mul"}  # sums in parts, products of a matrix product
    with pytest.raises(LookupError, match="is inside"):
        found.where(inside.pop())
    with pytest.raises(ValueError, match="call root"):
        found.scatter()
    with pytest.raises(LookupError, match="no node of the graph"):
        found.where(Value(1.0))


def test_names_keep_leaves_apart():
    found = vectorize(sum(Value(1.0, name) * 2.0 for name in ("alpha", "beta", "gamma")))
    assert sorted(found.leaves) == ["alpha", "beta", "gamma"]
    assert list(vectorize(sum(Value(1.0, f"x[{i}]") * 2.0 for i in range(3))).leaves) == ["x"]


# --- bad input --------------------------------------------------------------------------------------


def test_what_is_no_scalar_graph_is_refused():
    for refused in (Tensor([1.0]), 3.0, None):
        for use in (vectorize, tinygraph.source, lambda root: tinygraph.compile(root, [])):
            with pytest.raises(TypeError, match="the root of a graph of Values"):
                use(refused)


def test_a_stale_graph_is_refused():
    x = Value(1.0)
    y = x.exp() * 2.0
    x.data = 2.0
    for use in (vectorize, tinygraph.source, lambda root: tinygraph.compile(root, x)):
        with pytest.raises(StaleGraphError):
            use(y)


def test_inputs_that_do_not_fit_are_refused():
    w, b = [Value(1.0), Value(2.0)], Value(3.0)
    y = w[0] * w[1] + b
    f = tinygraph.compile(y, [w, b])
    for inputs, error, text in [
        ([w, w[0]], ValueError, "an input twice"),
        ([y], ValueError, "is computed"),
        ([w, 3.0], TypeError, "must be a Value or a sequence"),
        ([[]], ValueError, "holds no nodes"),
        ("w", TypeError, "must be a Value"),
        (5, TypeError, "inputs must be a leaf of the graph, or a sequence of leaves, not 5"),
    ]:
        with pytest.raises(error, match=text):
            tinygraph.compile(y, inputs)
    with pytest.raises(TypeError, match="2 input"):
        f([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(3,\), but its nodes \(2,\)"):
        f([1.0, 2.0, 3.0], 1.0)
    for wrong in (["a", "b"], ["1", "2"], [None, 1.0], [w[0], w[1]]):
        with pytest.raises(TypeError, match="input 0"):
            f(wrong, 1.0)


# --- compile ----------------------------------------------------------------------------------------


def test_one_input_gives_one_gradient():
    x = Value(3.0)
    value, local = tinygraph.compile(x * x, x)(4.0)
    assert (value, local) == (16.0, 8.0)
    assert type(local) is float


def test_inputs_of_any_nesting_come_back_in_their_shapes():
    J, inputs = families.two_moons()
    f = tinygraph.compile(J, [inputs[:2], inputs[2:]])  # two lists of matrices and vectors
    value, ((W1, b1), (W2, b2, W3, b3)) = f(numbers(inputs[:2]), numbers(inputs[2:]))
    assert [np.shape(g) for g in (W1, b1, W2, b2, W3, b3)] == [(4, 2), (4,), (3, 4), (3,), (1, 3), (1,)]
    assert value == pytest.approx(J.data, rel=1e-12)
    with pytest.raises(ValueError, match="parts of different shapes"):
        f([1.0], numbers(inputs[2:]))


def test_an_input_that_is_not_reached_has_gradient_zero():
    x, y = Value(1.0), [Value(2.0), Value(3.0)]
    value, (dx, dy) = tinygraph.compile(x.exp(), [x, y])(0.0, [1.0, 1.0])
    assert (value, dx, dy.tolist()) == (1.0, 1.0, [0.0, 0.0])


def test_other_leaves_keep_their_numbers():
    x, c = Value(1.0), Value(5.0)
    f = tinygraph.compile(x * c, x)
    c.data = 7.0
    assert f(2.0) == (10.0, 5.0)


def test_data_can_be_an_input():
    w, data = [Value(0.5), Value(-0.5)], [[Value(1.0, constant=True), Value(2.0, constant=True)] for _ in range(3)]
    J = sum((w[0] * x + w[1] * y).tanh() for x, y in data)
    f = tinygraph.compile(J, [w, data])
    rows = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    value, (dw, ddata) = f([1.0, 2.0], rows)
    assert value == pytest.approx(sum(math.tanh(x + 2.0 * y) for x, y in rows), rel=1e-14)
    assert dw == pytest.approx(np.array(rows).T @ [1 - math.tanh(x + 2.0 * y) ** 2 for x, y in rows])
    assert not ddata.any()  # constants have no gradient


def test_results_are_arrays_of_ones_own():
    x = [Value(float(i)) for i in range(4)]
    J = sum(x_i * c for x_i, c in zip(x, [1.0, 2.0, 3.0, 4.0], strict=True))
    f = tinygraph.compile(J, [x])
    given_numbers = np.zeros(4)
    _, (partials,) = f(given_numbers)
    partials[:] = 99.0
    assert f(given_numbers)[1][0].tolist() == [1.0, 2.0, 3.0, 4.0]
    y = [Value(1.0), Value(2.0)]
    _, (partials,) = tinygraph.compile(0.5 * (y[0] * y[0] + y[1] * y[1]), [y])(ours := np.array([3.0, 4.0]))
    partials[0] = 5.0
    assert ours.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("m", [1, 5])
def test_a_comparison_that_flips_is_noticed(m):
    """Eager forward() and the compiled function raise at the same numbers."""
    w = Value(1.0, "w")
    J = Value(0.0)
    for i in range(m):
        z = w * float(i + 1)
        J = J + (z * z if z > 0.5 else -z)
    f = tinygraph.compile(J, w)
    for number in (1.0, 0.6, 0.4, 2.0, -1.0):
        w.data = number
        if number > 0.5:
            assert f(number)[0] == pytest.approx(J.forward().data, rel=1e-14)
        else:
            for use in (lambda number: J.forward(), f):
                with pytest.raises(FrozenBranchError, match=r"> 0\.5 was True when it was recorded and no longer is"):
                    use(number)


def test_comparisons_of_two_nodes_are_noticed_too():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    J = (a if a < b else b).exp() + a * b
    f = tinygraph.compile(J, [a, b])
    assert f(1.5, 1.6)[0] == pytest.approx(math.exp(1.5) + 1.5 * 1.6)
    with pytest.raises(FrozenBranchError, match="a < b"):
        f(3.0, 2.0)


def test_special_values_are_those_of_the_graph():
    x, y = Value(1.0), Value(2.0)
    J = x / y + y.log()
    f = tinygraph.compile(J, [x, y])
    for at in ((1.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (math.inf, 2.0), (1e308, 1e-308), (math.nan, 1.0)):
        x.data, y.data = at
        J.forward().backward()
        value, partials = f(*at)
        for ours, exact in zip((value, *partials), (J.data, x.grad, y.grad), strict=True):
            assert ours == exact or (math.isnan(ours) and math.isnan(exact))


def test_an_op_of_the_user_is_compiled():
    cube = tinygraph.op("cube_of_mine", lambda x: x * x * x, partials=(lambda out, x: 3.0 * x * x,))
    xs = [Value(1.0), Value(2.0)]
    f = tinygraph.compile(cube(xs[0]) + cube(xs[1]) + cube(xs[0] * xs[1]), [xs])
    value, (partials,) = f([1.0, 3.0])
    assert (value, partials.tolist()) == (55.0, [3.0 + 3 * 9.0 * 3.0, 27.0 + 3 * 9.0])
    known = tinygraph.source(cube(xs[0])).run()
    assert (known["J"], known["dp1"]) == (1.0, 3.0)


@given(x=st.lists(st.floats(allow_nan=True), min_size=1, max_size=9))
def test_what_is_computed_at_once_has_the_same_bits(x):
    """sigmoid(x) and sigmoid(-x) from one exponential, and from two."""
    x = np.array(x)
    for ours, alone in zip(arrays.sigmoid_and_rest(x), (arrays.sigmoid(x), arrays.sigmoid(-x)), strict=True):
        assert np.array_equal(ours, alone, equal_nan=True)


def test_a_compiled_function_does_not_keep_the_graph():
    x = Value(1.0)
    y = x.exp().sin()
    f = tinygraph.compile(y, x)
    count = sum(type(o) is Value for o in gc.get_objects())
    del y
    assert sum(type(o) is Value for o in gc.get_objects()) == count - 2
    assert f(0.0)[1] == math.cos(1.0)


def test_long_programs_are_replayed(monkeypatch):
    monkeypatch.setattr("tinygraph.vectorizing.compiling.LONGEST", 10)
    for family in (families.recurrence, families.no_structure):
        J, inputs = family()
        f = tinygraph.compile(J, inputs)
        assert f.text == ""
        value, gradients = f(*numbers(inputs))
        J.backward()
        assert value == J.data
        assert flattened(gradients) == [leaf.grad for leaf in flat(inputs)]


# --- source -----------------------------------------------------------------------------------------


def test_the_text_of_the_two_loops_is_that_of_the_lecture():
    text = tinygraph.source(families.logistic_regression()[0])
    for line in ("Z = w.T @ X + b", "A = sigmoid(Z)", "J = np.mean(loss)", "dw = X @ dZ.T", "db = np.sum(dZ)"):
        assert line in text.splitlines()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_the_text_gives_the_gradients(family):
    J, _ = family()
    J.backward()
    found, text = vectorize(J), tinygraph.source(J)
    known = text.run()
    assert text.run().keys() == known.keys()  # it can be run again
    assert not any(len(line) > 130 for line in text.splitlines() if "array" not in line)
    for name in found.leaves:
        dname = f"d{name}" if f"d{name}" in known else f"d{name.upper()}"
        exact = [node.grad for node in found.nodes_of(name)]
        assert np.ravel(known[dname]).tolist() == pytest.approx(exact, rel=1e-11, abs=1e-13)


def test_a_small_scalar_graph_is_plain_python():
    a, b, c = Value(5.0, "a"), Value(3.0, "b"), Value(2.0, "c")
    text = tinygraph.source(3.0 * (a + b * c), backward=False)
    assert text == "a = 5\nb = 3\nc = 2\n\nJ = 3 * (a + b * c)"
    assert "np" not in tinygraph.source((a * b).sigmoid() / c)


@pytest.mark.parametrize(
    "name", ["sigmoid", "np", "lambda", "2x", "exp", "arrays", "x y", "J", "π", "x²", "µ", "slice"]
)
def test_names_that_are_taken_are_changed(name):
    x = Value(0.5, name)
    known = tinygraph.source(tinygraph.exp(tinygraph.sigmoid(x))).run()
    assert any(value == 0.5 for value in known.values())
    exact = math.exp(1 / (1 + math.exp(-0.5)))
    assert any(value == pytest.approx(exact) for value in known.values() if type(value) is float)


@settings(max_examples=30)
@given(program=graphs(max_steps=15))
def test_the_same_graph_gives_the_same_text(program):
    first, second = (tinygraph.source(program.record()[0]) for _ in range(2))
    assert first == second


def test_faults_that_a_fuzzer_found():
    """Each was once an error, or a wrong shape."""
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


def test_the_text_runs_where_numbers_are_not_finite():
    a, b = Value(-2.0, "a"), Value(0.0, "b")
    assert tinygraph.source(a / b).run()["J"] == -math.inf
    assert math.isnan(tinygraph.source(a**0.5).run()["J"])
    assert tinygraph.source(Value(10.5, "a") ** 400.0).run()["J"] == math.inf
    assert math.isnan(tinygraph.source(sum(Value(x).exp() for x in (math.nan, 0.0, 2.0))).run()["J"])


def test_a_sum_beside_its_terms():
    x, y, z = ([Value(0.1 * i + k, f"{name}{i}") for i in range(3)] for k, name in enumerate("xyz"))
    assert_same(sum((v - sum(x) / 3) ** 2 for v in x), [x])
    assert_same(sum((p + p + q).sin() * r for p in x for q in y for r in z), [x, y, z])


def test_a_users_op_may_be_called_like_a_part_of_another():
    sig = tinygraph.op("sig", lambda x: 2.0 * x, partials=(lambda out, x: 2.0,))
    x = Value(0.0, "x")
    assert tinygraph.source(sig(x) + x.sigmoid()).run()["J"] == 0.5
