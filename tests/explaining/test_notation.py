"""Expressions are shown whole if they fit, and are folded at the least important place if they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.textbook import evaluated
from tinygraph import Value
from tinygraph.explaining.notation import expression, label
from tinygraph.testing import graphs


def values(names):
    return [Value(float(i), name) for i, name in enumerate(names, 1)]


def weighted(n):
    """Return a weighted sum of n inputs and a bias, as in the loop of the lecture."""
    total = Value(1.0, "w1") * Value(2.0, "x1")
    for i in range(2, n + 1):
        total = total + Value(1.0, f"w{i}") * Value(2.0, f"x{i}")
    return total + Value(3.0, "b")


def test_the_formulas_of_the_lecture_are_whole():
    a, b, c = values("abc")
    assert expression(3 * (a + b * c)) == "3 × (a + b × c)"
    assert expression(weighted(2)) == "w1 × x1 + w2 × x2 + b"
    assert expression(tinygraph.sigmoid(weighted(2)), width=40) == "σ(w1 × x1 + w2 × x2 + b)"


@pytest.mark.parametrize(
    ("n", "width", "expected"),
    [
        (5, 80, "w1 × x1 + w2 × x2 + w3 × x3 + w4 × x4 + w5 × x5 + b"),
        (5, 40, "w1 × x1 + w2 × x2 + … + b"),
        (20, 80, "w1 × x1 + w2 × x2 + … + b"),
        (20, 20, "… + … + … + b"),
    ],
)
def test_a_long_sum_shows_its_ends(n, width, expected):
    assert expression(weighted(n), width=width) == expected


def test_a_sum_of_a_list_is_written_with_plus():
    a, b, c = values("abc")
    assert expression(tinygraph.sum([a, b, c])) == "a + b + c"
    assert expression(tinygraph.sum(values([f"a{i}" for i in range(20)]))) == "a0 + a1 + … + a19"
    assert expression(tinygraph.dot([a, b], [b, c])) == "dot([a, b], [b, c])"


def test_parentheses_stand_where_they_are_needed():
    a, b, c = values("abc")
    expected = {
        a + (b + c): "a + (b + c)",
        a - (b - c): "a - (b - c)",
        a - b + c: "a - b + c",
        a + (-b): "a + (-b)",
        -a + b: "-a + b",
        a / (b * c): "a/(b × c)",
        a / b / c: "a/b/c",
        a * (b / c): "a × (b/c)",
        (a - b) ** 2: "(a - b)²",
        a**-1: "a⁻¹",
        2**a: "2^a",
        (-a) ** 2: "(-a)²",
        a**2 * b: "a² × b",
        (a**2) ** 3: "(a²)³",
        abs(a - b): "|a - b|",
        tinygraph.sqrt(a + b): "√(a + b)",
    }
    assert {expression(node) for node in expected} == set(expected.values())
    for node, text in expected.items():
        assert expression(node) == text


def test_a_formula_does_not_repeat_a_literal_number():
    a, y = values("ay")
    assert expression(tinygraph.binary_cross_entropy(a, 1)) == "binary_cross_entropy(a, 1)"
    assert expression(tinygraph.binary_cross_entropy(a, y)) == "-(y · log(a) + (1 - y) · log(1 - a))"


def test_a_part_of_an_expression_is_the_shorter_of_formula_and_call():
    (a,) = values("a")
    assert label(tinygraph.softplus(a) * 2) == "softplus(a) × 2"
    assert label(tinygraph.square(a) * 2) == "a² × 2"


@given(program=graphs(), width=st.integers(10, 100))
def test_an_expression_keeps_to_its_width(program, width):
    root, _ = program.record()
    text = expression(root, width=width)
    assert len(text) <= width
    assert text == expression(root, width=width)


@given(program=graphs())
def test_a_whole_expression_has_the_value_of_the_node(program):
    root, leaves = program.record()
    names = {f"n{chr(97 + i)}": leaf.data for i, leaf in enumerate(leaves)}
    for name, leaf in zip(names, leaves, strict=True):
        leaf.name = name
    text = expression(root, ".17g", width=10**6)
    if root.op is None or "…" in text or "NaN" in text or "(" in root.op.symbol:
        return
    try:
        found = evaluated(text, names)[0]
    except KeyError:  # a function that the calculator does not know
        return
    if root.data == root.data and abs(root.data) < 1e6:
        assert float(found) == pytest.approx(root.data, rel=1e-6, abs=1e-6), text
