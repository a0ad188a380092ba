"""The loops of the wrong passes, compared with the correct pass and with the program that the mistake stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import Value, dot
from tinygraph.engine.graph import order
from tinygraph.practicing.wrong_passes import WRONG_PASSES, by_the_rule, correct, result_of, with_all_products
from tinygraph.testing import graphs

WEIGHTS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=4)


@given(program=graphs())
def test_the_loop_that_the_wrong_passes_change_is_the_correct_pass(program):
    root, _ = program.record()
    grad, steps = result_of(by_the_rule, root)
    expected, rule = result_of(correct, root)
    assert grad == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    assert [(step.result, step.slot) for step in steps] == [(step.result, step.slot) for step in rule]


@pytest.mark.parametrize("by_dot", [False, True])
@given(pairs=WEIGHTS)
def test_all_products_are_those_of_a_product_of_two_sums(by_dot, pairs):
    ws, xs = ([Value(float(pair[k])) for pair in pairs] for k in (0, 1))
    if by_dot:
        z = dot(ws, xs)
    else:
        first, *rest = (w * x for w, x in zip(ws, xs, strict=True))
        z = first
        for term in rest:
            z = z + term
    wrong, _ = result_of(with_all_products, z * 2.0 + 1.0)
    all_products = 2.0 * sum(ws[1:], start=ws[0]) * sum(xs[1:], start=xs[0])  # w.T * x, summed
    all_products.backward()
    assert [wrong[node] for node in [*ws, *xs]] == [node.grad for node in [*ws, *xs]]


@given(program=graphs())
@pytest.mark.parametrize("wrong", WRONG_PASSES, ids=lambda wrong: wrong.name)
def test_a_pass_writes_to_no_node(wrong, program):
    root, _ = program.record()
    result_of(wrong.run, root)
    assert all(node.grad is None for node in order(root))
