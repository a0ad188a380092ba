"""A step shows the chain rule in symbols and in numbers."""

import ast

import numpy as np
import pytest

from tinygraph import Step, Stepper, Tensor, Value, explain, trace_lines
from tinygraph.cli.expressions import parse
from tinygraph.explaining import notation


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def test_an_event_says_the_chain_rule():
    stepper = Stepper(lecture())
    step = stepper.run_until("b")
    assert isinstance(step, Step)
    assert str(step).split("\n") == [
        "step 5/6  u = b × c",
        "  dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6   (∂u/∂b = c = 2)",
        "  b.grad 0 → 6",
    ]
    assert str(stepper).endswith("next: dJ/dc += dJ/du · ∂u/∂c")
    assert str(Stepper(lecture(), phase="forward").step(2)) == "step 2/3  v = a + u = 11"
    with pytest.raises(AttributeError):
        step.index = 7
    w = Tensor([[1.0], [2.0]], "w")
    J = (w.T @ Tensor([[1.0], [1.0]], "x", constant=True)).sum()
    J.name = "J"
    said = [step.symbol for step in Stepper(J)]
    assert said[2:] == ["dJ/d(wᵀ) += dJ/d(wᵀ · x) · xᵀ", "dJ/dw += (dJ/d(wᵀ))ᵀ"]


def test_a_seed_stands_before_every_derivative():
    x = Value(2.0, "x")
    y = x * x
    y.name = "y"
    stepper = Stepper(y, seed=-3.0)
    assert [step.equation for step in stepper] == [
        "(-3) · dy/dy = -3",
        "(-3) · dy/dx += (-3) · dy/dy · ∂y/∂x = (-3) × 2 = -6",
        "(-3) · dy/dx += (-3) · dy/dy · ∂y/∂x = (-3) × 2 = -6",
    ]
    assert str(stepper.explain(x)).startswith("(-3) · dy/dx = -12\n")
    assert stepper.explain(x).latex().startswith(r"(-3) \cdot \frac{dy}{dx} = (-3) \cdot ")
    t = Tensor([1.0, 2.0], "t")
    assert Stepper(t * t, seed=np.ones(2)).step().symbol == "seed · d(t ⊙ t)/d(t ⊙ t)"
    assert Stepper((t * t).sum()).step().symbol.startswith("d")


def test_where_a_node_was_made_is_told():
    with trace_lines():
        x = Value(2.0)
        y = x * x
    assert Stepper(y).step(2).line.startswith(__file__)


def neuron(examples):
    """Return the cost of a neuron and the activations of all examples."""
    z = Tensor(np.linspace(-1.0, 1.0, examples).reshape(1, -1), "Z")
    a = z.sigmoid()
    J = (a * a).mean()
    a.name, J.name = "A", "J"
    return J, a, z


def test_a_step_shows_the_elements_of_a_small_array():
    J, a, z = neuron(3)
    (step,) = Stepper(J).explain(z).contributions
    numbers = [notation.in_line(x) for x in (step.upstream, step.local, step.contribution)]
    assert step.equation == f"dJ/dZ += dJ/dA ⊙ ∂A/∂Z = {numbers[0]} ⊙ {numbers[1]} = {numbers[2]}"
    for text, values in zip(
        numbers, (2 * a.data / 3, a.data * (1 - a.data), 2 * a.data**2 * (1 - a.data) / 3), strict=True
    ):
        assert np.allclose(ast.literal_eval(text), values, rtol=1e-3)
    assert f"Z.grad 0 → {numbers[2]}" in str(step)


def test_a_step_shows_the_shape_of_a_longer_array_once():
    J, _, z = neuron(40)
    (step,) = Stepper(J).explain(z).contributions
    assert step.equation == "dJ/dZ += dJ/dA ⊙ ∂A/∂Z = (1, 40)"
    assert step.numbers == "(1, 40)"
    assert step.why() == "∂A/∂Z = A ⊙ (1 - A) = σ(Z) ⊙ σ(-Z)"
    assert explain(J, z).latex().endswith(r"\odot \frac{\partial A}{\partial Z} = (1, 40)")
