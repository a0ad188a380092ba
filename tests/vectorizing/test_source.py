"""The source text of a program: its contents, and that it runs."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings

import tinygraph
from tests.oracles import families
from tests.oracles.families import FAMILIES
from tests.oracles.textbook import evaluated
from tinygraph import Value, vectorize
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining.textbook.forms import operations
from tinygraph.testing import graphs


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
    assert text.run().keys() == known.keys()  # the program can run again
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


def test_the_text_runs_where_numbers_are_not_finite():
    a, b = Value(-2.0, "a"), Value(0.0, "b")
    assert tinygraph.source(a / b).run()["J"] == -math.inf
    assert math.isnan(tinygraph.source(a**0.5).run()["J"])
    assert tinygraph.source(Value(10.5, "a") ** 400.0).run()["J"] == math.inf
    assert math.isnan(tinygraph.source(sum(Value(x).exp() for x in (math.nan, 0.0, 2.0))).run()["J"])


def test_a_users_op_may_be_called_like_a_part_of_another():
    sig = tinygraph.op("sig", lambda x: 2.0 * x, partials=(lambda out, x: 2.0,))
    x = Value(0.0, "x")
    assert tinygraph.source(sig(x) + x.sigmoid()).run()["J"] == 0.5


CONSTANTS = [
    math.inf, -math.inf, math.nan, 0.0, -0.0, 1e15, -1e15, 1e-15, 1e16, 1.7e308, 5e-324, 2.2e-308, 1 / 3, 10**20, -7,
    True,
]  # fmt: skip
EXPRESSIONS = {
    "x * c": lambda x, c: x * c,
    "c - x": lambda x, c: c - x,
    "x / c": lambda x, c: x / c,
    "c / x": lambda x, c: c / x,
    "x**c": lambda x, c: x**c,
    "x + 709 - c": lambda x, c: x + 709 - c,
    "exp": lambda x, c: tinygraph.exp(x * c) + c,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("c", CONSTANTS)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_source_and_compiled_function_agree_with_the_graph_for_every_constant(name, c):
    x = Value(0.7, "x")
    J = EXPRESSIONS[name](x, c)
    J.backward()
    program = tinygraph.source(J).run()
    value, slope = tinygraph.compile(J, x)(0.7)
    wanted = pytest.approx([J.data, x.grad], rel=1e-12, abs=0.0, nan_ok=True)
    assert [float(program["J"]), float(program["dx"])] == wanted
    assert [value, slope] == wanted
    assert float(vectorize(J).root.data) == pytest.approx(J.data, rel=1e-12, abs=0.0, nan_ok=True)


def test_names_with_a_number_and_an_index_become_the_names_of_arrays():
    w = [[Value(0.5 + i - j, f"W2[{i},{j}]") for j in range(2)] for i in range(3)]
    a = [Value(1.0, "a1[0]"), Value(2.0, "a1[1]")]
    z = [tinygraph.total([w_ij * a_j for w_ij, a_j in zip(row, a, strict=True)]) for row in w]
    for i, z_i in enumerate(z):
        z_i.name = f"z2[{i}]"
    text = tinygraph.source(tinygraph.total([z_i * z_i for z_i in z]))
    assert {"Z2", "W2", "a1", "dW2", "dZ2", "da1"} <= text.run().keys()
    rows = [[(w_ij.data, a_j.data) for w_ij, a_j in zip(row, a, strict=True)] for row in w]
    exact = [sum(x * y for x, y in row) for row in rows]
    assert np.ravel(text.run()["Z2"]).tolist() == pytest.approx(exact, rel=1e-14)


WITH_FORMULA = sorted(
    name for name, op in TABLE.items() if op.public and op.elementwise and op.form and operations(op.form) > 1
)


@pytest.mark.parametrize("name", WITH_FORMULA)
def test_a_comment_shows_the_formula_of_a_function_and_the_formula_is_right(name):
    at = {"x": 0.7, "y": 0.4}
    op = TABLE[name]
    x, y = (Value(value, letter) for letter, value in at.items())
    root = op(x, y) if op.arity == 2 else op(x)
    root.name = "s"
    program = str(tinygraph.source(root, backward=False))
    calls = re.findall(r"^(?:s = .*  )?# (\w+\([^=]*\)) = (.*)$", program, re.MULTILINE)
    if f"{name}(" not in program.split("s = ")[-1]:
        assert not calls, "an operator needs no comment"
        return
    ((_, formula),) = calls
    for value in evaluated(formula, at):
        assert float(value) == pytest.approx(root.data, rel=1e-12)


def test_a_formula_is_shown_once_and_has_letters_for_long_operands():
    x = Value(0.5, "x")
    s = tinygraph.softplus(x * 3.0 + 1.0) * tinygraph.softplus(x)
    s.name = "s"
    program = str(tinygraph.source(s, backward=False))
    assert program.count("#") == 1
    assert "# softplus(z) = log(1 + exp(z))" in program
    assert "# sigmoid_minus(Z, Y) = σ(Z) - Y" in tinygraph.source(families.logistic_regression()[0])
