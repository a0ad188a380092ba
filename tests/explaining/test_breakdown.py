"""A breakdown adds up to the gradient, and counts the paths."""

import pytest
from hypothesis import given

import tinygraph
from tinygraph import Stepper, Tensor, Value, draw, explain
from tinygraph.engine.graph import order
from tinygraph.explaining.walk import Walk
from tinygraph.testing import graphs


def walked(root, node):
    """Count the paths one by one, which is simple but slow."""
    if root is node:
        return 1
    return sum(
        walked(operand, node) for operand, flow in zip(root.args, root.stored_partials, strict=True) if flow is not None
    )


@given(program=graphs())
def test_a_ledger_adds_up_and_counts_paths(program):
    root, _ = program.record()
    stepper = Stepper(root)
    stepper.end()
    nodes = order(root)
    for node in nodes:
        ledger = stepper.explain(node)
        total = sum(step.contribution for step in ledger.contributions)
        size = sum(abs(step.contribution) for step in ledger.contributions)
        if ledger.contributions:
            assert ledger.total == pytest.approx(total, rel=1e-12, abs=1e-12 * size)
        assert ledger.happened == len(ledger.contributions)
        if ledger.contributions:
            assert stepper.last_write(node).index == ledger.contributions[-1].index
        assert ledger.paths == walked(root, node)
        assert str(ledger)
        assert len(ledger.table()) == len(ledger.contributions)
        assert ledger.latex().count("{") == ledger.latex().count("}")


def test_exponentially_many_paths_are_counted():
    x = y = Value(1.0, "x")
    for _ in range(200):
        y = y + y
    assert Walk(y).paths[x] == 2**200


def test_a_ledger_says_what_is_still_to_come():
    x = Value(2.0, "x")
    y = x * x + 3.0 * x
    y.name = "y"
    stepper = Stepper(y)
    stepper.run_until("x")
    text = str(stepper.explain("x"))
    assert text.startswith("dy/dx = 3\n")
    assert "not arrived yet (·): 2 of 3 contributions" in text
    assert "3 paths lead from x to y" in text
    assert str(explain(y, y)) == "dy/dy = 1: the backward pass starts here"
    c = Value(1.0, "c", constant=True)
    assert "no gradient reaches c" in str(explain(c * x, c))


def test_dz_is_a_minus_y():
    z, y = Value(0.7, "z"), 1.0
    a = tinygraph.sigmoid(z)
    L = tinygraph.binary_cross_entropy(a, y)
    a.name, L.name = "a", "L"
    ledger = explain(L, z)
    assert ledger.total == pytest.approx(a.data - y, rel=1e-15)
    assert "dL/da · ∂a/∂z" in str(ledger)
    assert ledger.together == (
        "dz = dL/dz = a - y = -0.3318, because (-y/a + (1 - y)/(1 - a)) · a(1 - a) = a - y, where y = 1"
    )
    assert str(ledger).endswith(f"\n  {ledger.together}")


def test_a_ledger_can_be_asked_for_before_anything_has_arrived():
    x = Value(2.0, "x")
    y = x * x
    y.name = "y"
    stepper = Stepper(y)
    assert str(stepper.explain(y)) == "dy/dy = · (nothing has arrived yet): the backward pass starts here"
    assert "=" in stepper.explain(x).latex()
    assert stepper.explain(x).latex().count("=") == 1, "no sum of what has not come"
    stepper.end()
    assert stepper.explain(x).latex().endswith("= 1 \\cdot 2 + 1 \\cdot 2 = 4")
    assert "no gradient" in str(Stepper(y, phase="forward").explain(x))


def test_an_operand_can_be_a_plain_number():
    """A search with == compared the node with the number, which is an error."""
    b = Value(3.0, "b")
    for root in (b * 4.0, 4.0 * b, b + 1, tinygraph.dot([b, 2.0], [3.0, b])):
        root.name = "J"
        assert "through" in str(explain(root, b))
        assert explain(root, b).latex()
        assert str(list(Stepper(root).steps))
        assert draw(root).source


def test_a_table_describes_pullbacks_with_the_names_of_the_operands():
    X, w = Tensor([[1.0, 2.0], [3.0, 4.0]], "X"), Tensor([[1.0], [2.0]], "w")
    y = w.T
    y.name = "y"
    J = ((X @ y.T) ** 2).sum()
    assert [row["local"] for row in explain(J, w).table()] == ["upstreamᵀ"]
    assert [row["local"] for row in explain(J, X).table()] == ["upstream · y"]
    J = ((X @ w) ** 2).sum()
    assert [row["local"] for row in explain(J, w).table()] == ["Xᵀ · upstream"]
