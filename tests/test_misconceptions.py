"""The lab: each wrong pass is wrong where its trap is, right elsewhere, and found by the kit in its smallest form."""

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, ops
from tinygraph.graph import order
from tinygraph.misconceptions import (
    DEPTH_FIRST,
    LAB,
    NOT_ZEROING,
    OVERWRITING,
    TIMES_FOR_DOT,
    WRONG_SIGN,
    edges,
)
from tinygraph.testing import arrays, expressions, graphs

PASSES = [DEPTH_FIRST, OVERWRITING, NOT_ZEROING, WRONG_SIGN]


def named(lab):
    return getattr(lab, "name", "code")


def recorded(program):
    return program(*map(Value, program.at))


def by_name(comparison, found):
    return {node.name: found[node] for node in comparison.nodes}


# --- the smallest graphs, with the numbers by hand


def test_depth_first_counts_the_half_finished_gradient_twice():
    comparison = DEPTH_FIRST.compare()
    assert by_name(comparison, comparison.right) == {"c": 1.0, "b": 2.0, "a": 4.0}
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
    assert by_name(comparison, comparison.right) == {"c": 1.0, "a": 1.0, "b": -1.0}
    assert by_name(comparison, comparison.wrong) == {"c": 1.0, "a": 1.0, "b": 1.0}


def test_times_for_dot_has_the_right_shapes_and_wrong_numbers():
    comparison = TIMES_FOR_DOT.compare()
    w = next(node for node in comparison.nodes if node.name == "w")
    assert comparison.right[w].tolist() == [[3.0], [4.0]]
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
    assert lab.mend in text
    assert "<-" in text
    assert "should be" in text
    assert not lab.compare().agrees


# --- right where the trap is not


@given(program=expressions(rows=[ops.add, ops.mul, ops.exp, ops.tanh, ops.neg]))
@pytest.mark.parametrize("lab", [DEPTH_FIRST, OVERWRITING], ids=named)
def test_on_a_tree_these_passes_are_right(lab, program):
    root = recorded(program)
    uses = [operand for node in order(root) for _, operand, _ in edges(node)]
    comparison = lab.compare(root)
    assert comparison.agrees or len(uses) > len(set(uses))  # an input may be used twice
    if len(uses) == len(set(uses)):
        assert "they agree" in str(comparison)


@given(program=graphs(rows=[ops.add, ops.mul, ops.div, ops.exp, ops.maximum]))
def test_without_a_subtraction_no_sign_is_wrong(program):
    assert WRONG_SIGN.compare(recorded(program)).agrees


def test_without_a_product_of_matrices_dot_is_not_missed():
    x = Tensor([1.0, 2.0], "x")
    assert TIMES_FOR_DOT.compare((x * x).sum()).agrees


@given(program=graphs())
@pytest.mark.parametrize("lab", PASSES, ids=named)
def test_the_right_numbers_are_those_of_backward_and_nothing_is_written(lab, program):
    root = recorded(program)
    comparison = lab.compare(root)
    assert all(node.grad is None for node in order(root))
    root.backward()
    assert all(comparison.right[node] == (node.grad or 0.0) or comparison.right[node] is None for node in order(root))
    assert not comparison.agrees or comparison.right == comparison.wrong


# --- the property test that finds it


@pytest.mark.parametrize(
    ("lab", "smallest"),
    [
        (DEPTH_FIRST, "def f(a):\n    t1 = a + a\n    return t1 + t1\n\nat = (0.0,)"),
        (OVERWRITING, "def f(a):\n    return a + a\n\nat = (0.0,)"),
        (NOT_ZEROING, "def f(a):\n    return a + a\n\nat = (0.0,)"),
        (WRONG_SIGN, "def f(a):\n    return a - a\n\nat = (0.0,)"),
    ],
    ids=named,
)
def test_random_programs_find_it_in_its_smallest_form(lab, smallest):
    def is_wrong(program):
        return not lab.compare(recorded(program)).agrees

    quietly = settings(max_examples=2000, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    assert repr(find(graphs(max_steps=3), is_wrong, settings=quietly)) == smallest


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
    with pytest.raises(ValueError, match="more than 100,000 events"):
        DEPTH_FIRST.compare(y)


def test_a_program_that_cannot_be_run_says_which_shapes_do_not_fit():
    w, x = Tensor(np.ones((1, 3)), "w"), Tensor(np.ones((3, 2)), "x")
    y = (w @ x).sum()
    with pytest.raises(ValueError, match="the matrix product @ would give"):
        TIMES_FOR_DOT.compare(y)
