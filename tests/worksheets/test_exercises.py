"""Exercises are graphs of small integers, and one seed always gives one graph."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import tree
from tinygraph.engine.graph import order
from tinygraph.worksheets import exercise
from tinygraph.worksheets.exercises import LARGEST


@given(seed=st.integers(0, 10**6), inputs=st.integers(1, 4), more=st.integers(0, 3), shared=st.booleans())
def test_every_value_and_gradient_is_a_small_integer(seed, inputs, more, shared):
    steps = max(1, inputs - 1 + more + shared)
    J = exercise(seed, inputs=inputs, steps=steps, shared=shared)
    J.backward()
    nodes = order(J)
    for node in nodes:
        for number in (node.data, node.grad):
            assert number == int(number)
            assert 0 < abs(number) <= LARGEST
    leaves = [node.name for node in nodes if node.op is None]
    assert sorted(leaves) == list("abcd"[:inputs])
    assert len(nodes) == inputs + steps
    assert len({node.name for node in nodes}) == len(nodes)
    uses = [sum(other.operands.count(node) for other in nodes) for node in nodes[1:]]
    assert (max(uses) > 1) == shared


def test_a_seed_gives_one_graph_on_every_version_of_python():
    first, *_ = str(tree(exercise(1))).splitlines()
    assert first == "J = v × w   data -36.0   grad ·"
    assert str(tree(exercise(7))) == str(tree(exercise(7)))
    assert len({str(tree(exercise(seed))) for seed in range(50)}) > 45


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": 9, "steps": 8}, "at most 8 inputs and 8 steps, not 9 and 8"),
        ({"steps": 9}, "at most 8 inputs and 8 steps"),
        ({"inputs": 0}, "inputs must be an integer of at least 1, not 0"),
        ({"inputs": 4, "steps": 2}, "steps must be an integer of at least 3, not 2"),
        ({"inputs": 4, "steps": 3, "shared": True}, "steps must be an integer of at least 4, not 3"),
    ],
)
def test_impossible_exercises_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        exercise(1, **options)


def test_any_object_with_a_truth_value_is_a_flag():
    assert str(tree(exercise(1, shared=[0]))) == str(tree(exercise(1, shared=True)))
    assert str(tree(exercise(1, shared=None))) == str(tree(exercise(1)))
