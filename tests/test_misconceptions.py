"""The lab: each wrong pass is wrong only at its trap, and `tinygraph.testing` finds its smallest example."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, example, find, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.engine import ops
from tinygraph.engine.graph import order
from tinygraph.misconceptions import (
    DEPTH_FIRST,
    LAB,
    NOT_ZEROING,
    OVERWRITING,
    TIMES_FOR_DOT,
    WRONG_SIGN,
    Misconception,
    twice_twice,
)
from tinygraph.practicing.wrong_passes import correct, edges
from tinygraph.testing import arrays, expressions, graphs, tensor_programs

PASSES = [DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN]


def named(lab):
    return getattr(lab, "name", "code")


def by_name(comparison, found):
    return {node.name: found[node] for node in comparison.nodes}


# --- the smallest graphs, with numbers computed by hand


def test_depth_first_counts_the_half_finished_gradient_twice():
    comparison = DEPTH_FIRST.compare()
    assert by_name(comparison, comparison.correct) == {"c": 1.0, "b": 2.0, "a": 4.0}
    assert by_name(comparison, comparison.wrong) == {"c": 1.0, "b": 2.0, "a": 6.0}  # (1 + 1) + (2 + 2)
    should, was = comparison.first
    assert (should.upstream, was.upstream, was.operand.name) == (2.0, 1.0, "a")


def test_overwriting_keeps_the_last_contribution():
    comparison = OVERWRITING.compare()
    assert by_name(comparison, comparison.wrong) == {"c": 1.0, "b": 1.0, "a": 1.0}
    should, was = comparison.first
    assert (should.after, was.after, was.operand.name) == (2.0, 1.0, "b")


def test_without_zeroing_inner_gradients_count_again():
    comparison = NOT_ZEROING.compare()
    assert by_name(comparison, comparison.wrong) == {"c": 1.0, "b": 4.0, "a": 12.0}  # not 8: b had 2, so 4 + 2 · 4
    x = Value(3.0, "x")
    cube = x * x * x
    wrong = NOT_ZEROING.compare(cube).wrong
    assert (wrong[x], tinygraph.grad(cube, x)) == (72.0, 27.0)  # micrograd's 72


def test_a_wrong_sign_climbs():
    comparison = WRONG_SIGN.compare()
    assert by_name(comparison, comparison.correct) == {"c": 1.0, "a": 1.0, "b": -1.0}
    assert by_name(comparison, comparison.wrong) == {"c": 1.0, "a": 1.0, "b": 1.0}


def test_times_for_dot_has_the_right_shapes_and_wrong_numbers():
    comparison = TIMES_FOR_DOT.compare()
    w = next(node for node in comparison.nodes if node.name == "w")
    assert comparison.correct[w].tolist() == [[3.0], [4.0]]
    assert comparison.wrong[w].tolist() == [[7.0], [7.0]]
    should, was = comparison.first
    assert (should.kind, should.after.tolist()) == ("forward", [[11.0]])
    assert was.after.tolist() == [[3.0, 6.0], [4.0, 8.0]]
    with pytest.raises(ValueError, match="strict"), tinygraph.strict():
        w.T * Tensor([[3.0], [4.0]], "x")


@pytest.mark.parametrize("lab", LAB, ids=named)
def test_it_says_what_is_wrong_and_what_mends_it(lab):
    text = str(lab.compare())
    assert lab.belief in text
    assert lab.fix in text
    assert "<-" in text
    assert "should be" in text
    assert not lab.compare().agrees


# --- correct without the trap


@given(program=expressions(ops=[ops.add, ops.mul, ops.exp, ops.tanh, ops.neg]))
@pytest.mark.parametrize("lab", [DEPTH_FIRST, OVERWRITING], ids=named)
def test_on_a_tree_these_passes_are_right(lab, program):
    root, _ = program.record()
    uses = [operand for node in order(root) for _, operand, _ in edges(node)]
    comparison = lab.compare(root)
    assert comparison.agrees or len(uses) > len(set(uses))  # an input may be used twice
    if len(uses) == len(set(uses)):
        assert "the two passes agree" in str(comparison)


@given(program=graphs(ops=[ops.add, ops.mul, ops.div, ops.exp, ops.maximum]))
def test_without_a_subtraction_no_sign_is_wrong(program):
    assert WRONG_SIGN.compare(program.record()[0]).agrees


def test_without_a_product_of_matrices_dot_is_not_missed():
    x = Tensor([1.0, 2.0], "x")
    assert TIMES_FOR_DOT.compare((x * x).sum()).agrees


@given(program=graphs())
@pytest.mark.parametrize("lab", PASSES, ids=named)
def test_the_right_numbers_are_those_of_backward_and_nothing_is_written(lab, program):
    root, _ = program.record()
    comparison = lab.compare(root)
    assert all(node.grad is None for node in order(root))
    root.backward()
    assert all(
        comparison.correct[node] == (node.grad or 0.0) or comparison.correct[node] is None for node in order(root)
    )
    if comparison.agrees:
        assert comparison.wrong == pytest.approx(comparison.correct, rel=1e-9, abs=1e-9, nan_ok=True)
        assert not any(map(comparison.is_wrong, comparison.nodes))


@given(program=graphs())
def test_the_first_pass_is_right_and_is_what_the_second_begins_with(program):
    comparison = NOT_ZEROING.compare(program.record()[0])
    if comparison.first is not None:
        should, was = comparison.first
        assert (should.before, was.before) == (None, comparison.correct[was.operand]) or was.after == should.after
        assert was.after == was.before + should.contribution


@pytest.mark.parametrize("length", [1, 2, 5])
def test_without_zeroing_a_node_k_steps_down_has_k_plus_1_times_its_gradient(length):
    y = x = Value(0.5, "x")
    for _ in range(length):
        y = y * 2.0
    comparison = NOT_ZEROING.compare(y)
    assert (comparison.correct[x], comparison.wrong[x]) == (2.0**length, (length + 1) * 2.0**length)


# --- the first step that differs


def runs(walk, root, count):
    """Return the first steps of a pass, and the gradients after them."""
    grad = {root: 1.0}
    events = list(itertools.islice(walk(root, grad), count))
    return events, grad


@settings(max_examples=50)
@given(program=graphs(ops=[ops.add, ops.sub, ops.mul, ops.neg], max_steps=5))
@pytest.mark.parametrize("lab", PASSES, ids=named)
def test_the_first_event_is_the_first_by_trying_every_beginning(lab, program):
    root, _ = program.record()

    def numbers(events):
        return [(result, slot, upstream, contribution) for result, slot, _, upstream, _, contribution in events]

    rule = set(numbers(runs(correct, root, None)[0]))

    def is_fine(count):
        events, grad = runs(lab.run, root, count)
        walked = numbers(events)
        sums = {root: 1.0}
        for event in events:
            sums[event[2]] = sums.get(event[2], 0.0) + event[-1]
        return len(set(walked)) == len(walked) and set(walked) <= rule and all(grad[x] == sums[x] for x in sums)

    total = len(runs(lab.run, root, None)[0])
    faults = [count for count in range(1, total + 1) if not is_fine(count)]
    first = lab.compare(root).first
    assert (first is not None) == bool(faults)
    if faults:
        events, grad = runs(lab.run, root, faults[0])
        result, slot, operand, upstream, local, contribution = events[-1]
        was = first[1]
        assert (was.result, was.slot, was.operand) == (result, slot, operand)
        assert (was.upstream, was.local, was.contribution) == (upstream, local, contribution)
        assert was.after == grad[operand]


@example(weights=[0.1, 0.2, 0.3])  # 0.1 + (0.2 + 0.3) is 0.6, but (0.1 + 0.2) + 0.3 is not
@given(weights=st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3))
def test_contributions_in_another_order_are_not_wrong(weights):
    x = Value(1.0, "x")
    p, q, r = (x * weight for weight in weights)
    comparison = DEPTH_FIRST.compare(p + (q + r))
    assert comparison.agrees
    assert "<-" not in str(comparison)


def test_passing_on_the_same_number_twice_is_found_where_the_second_begins():
    a = Value(2.0, "a")
    b = a + a
    comparison = DEPTH_FIRST.compare(b * 1.0 + b * 0.0)
    assert (comparison.correct[a], comparison.wrong[a]) == (2.0, 4.0)
    should, was = comparison.first
    assert (should, was.operand, was.before, was.after) == (None, a, 2.0, 3.0)
    assert "should be  nothing more" in str(comparison)


def test_a_pass_that_leaves_something_out_is_found_too():
    def forgetful(root, grad):
        return iter(())

    lab = Misconception("forgetful", "the rest will come by itself", "walk every edge", twice_twice, forgetful)
    comparison = lab.compare()
    assert comparison.first[0].operand.name == "b"
    assert comparison.first[1] is None
    assert "but was    nothing" in str(comparison)


def test_an_outer_product_is_a_product():
    w, x = Tensor([[1.0], [2.0]], "w"), Tensor([[3.0, 4.0, 5.0]], "x")
    assert TIMES_FOR_DOT.compare(((w @ x) * w).sum()).agrees


def test_the_same_values_with_other_gradients_differ():
    w, x = Tensor(np.eye(2), "w"), Tensor(np.eye(2), "x")
    comparison = TIMES_FOR_DOT.compare((w @ x).sum())
    should, was = comparison.first
    assert (should.operand.name, was.kind) == ("x", "backward")
    assert comparison.correct[w].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert comparison.wrong[w].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_long_table_is_cut():
    y = x = Value(1.0, "x")
    for _ in range(50):
        y = y + 1.0
    text = str(OVERWRITING.compare(y + x))
    assert "  … and 22 more nodes, 1 of them wrong" in text
    assert len(text.splitlines()) < 40


# --- the property-based test that finds a misconception


WITHIN_THE_DEFAULT = settings(  # Hypothesis's default, not that of conftest
    max_examples=100, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
ARITHMETIC = graphs(ops=[ops.add, ops.sub, ops.mul])
PRODUCTS = tensor_programs(ops=[ops.mul], moves=["matmul"], max_inputs=1)


@pytest.mark.parametrize(
    ("lab", "programs", "smallest"),
    [
        (DEPTH_FIRST, ARITHMETIC, "def f(a):\n    t1 = a + a\n    return t1 + t1\n\nat = (0.0,)"),
        (OVERWRITING, ARITHMETIC, "def f(a):\n    return a + a\n\nat = (0.0,)"),
        (NOT_ZEROING, ARITHMETIC, "def f(a):\n    return a + a\n\nat = (0.0,)"),
        (WRONG_SIGN, ARITHMETIC, "def f(a):\n    return a - a\n\nat = (0.0,)"),
        (TIMES_FOR_DOT, PRODUCTS, "def f(a):\n    return a @ a\n\nat = (np.zeros((0,)),)"),
    ],
    ids=named,
)
def test_random_programs_find_it_in_its_smallest_form(lab, programs, smallest):
    def is_wrong(program):
        return not lab.compare(program.record()[0]).agrees

    assert repr(find(programs, is_wrong, settings=WITHIN_THE_DEFAULT)) == smallest


@given(data=st.data(), n=st.integers(1, 4))
def test_random_vectors_find_the_missing_sum(data, n):
    w = Tensor(data.draw(arrays((n, 1))), "w")
    x = Tensor(data.draw(arrays((n, 1))), "x", constant=True)
    comparison = TIMES_FOR_DOT.compare((w.T @ x).sum())
    assert comparison.agrees == (n == 1)


# --- limits


def test_a_deep_graph_is_told_apart_from_a_wrong_one():
    y = Value(1.0, "x")
    for _ in range(5_000):
        y = y + 1.0
    with pytest.raises(ValueError, match="too deep"):
        DEPTH_FIRST.compare(y)
    assert OVERWRITING.compare(y).agrees


def test_a_graph_of_too_many_paths_is_refused():
    y = Value(1.0, "x")
    for _ in range(30):
        y = y + y
    with pytest.raises(ValueError, match="more than 100,000 steps"):
        DEPTH_FIRST.compare(y)


def test_what_is_no_graph_is_refused():
    with pytest.raises(TypeError, match="compare: root must be a node of a graph"):
        DEPTH_FIRST.compare(3.0)


def test_a_program_that_cannot_be_run_says_which_shapes_do_not_fit():
    w, x = Tensor(np.ones((1, 3)), "w"), Tensor(np.ones((3, 2)), "x")
    y = (w @ x).sum()
    with pytest.raises(ValueError, match="the matrix product @ would give"):
        TIMES_FOR_DOT.compare(y)
