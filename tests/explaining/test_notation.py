"""Expressions are shown whole if they fit, and are folded at the least important place if they do not."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tests.oracles.textbook import evaluated
from tinygraph import Tensor, Value, binary_cross_entropy
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
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
        (-a + b) / c: "(-a + b)/c",
        -a / b: "-a/b",
        -(a + b) / c: "-(a + b)/c",
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


PATTERNS = (
    "-{}", "{} ** 2", "{} ** -1", "2.0 ** {}", "abs({})", "-2.0 * {}", "{} + -2.0",
    "{} + {}", "{} - {}", "{} * {}", "{} / {}", "{} ** {}",
)  # fmt: skip
NAMES = {"a": 1.25, "b": 0.75, "c": 2.5, "d": 0.5}


def nested(depth, letters="abcd"):
    """Yield the Python code of each expression with one op in another, `depth` ops deep."""
    for pattern in PATTERNS:
        slots = pattern.count("{}")
        leaves, rest = letters[:slots], letters[slots - 1 :]
        if depth == 1:
            yield f"({pattern.format(*leaves)})"
            continue
        for inner in nested(depth - 1, rest):
            for slot in range(slots):
                yield f"({pattern.format(*[inner if k == slot else letters[0] for k in range(slots)])})"


def check_text(code):
    """Check that the text of an expression has the value that the expression computes."""
    known = {"tinygraph": tinygraph, "Value": Value} | {name: Value(x, name) for name, x in NAMES.items()}
    node = eval(code, known)
    if node.op is None or not all(math.isfinite(part.data) and abs(part.data) < 1e6 for part in order(node)):
        return False
    for text in (label(node, ".17g", 10**6), expression(node, ".17g", 10**6)):
        if "…" not in text:
            found = float(evaluated(text, NAMES)[0])
            assert found == pytest.approx(node.data, rel=1e-9, abs=1e-9), f"{code} is shown as {text}"
    return True


def test_each_op_within_another_is_shown_with_its_value():
    checked = [check_text(code) for code in nested(3)]
    assert sum(checked) > 0.9 * len(checked)


def expressions():
    """Return a strategy for the Python code of expressions of nodes."""
    patterns = (*PATTERNS, "{} ** 0.5", "tinygraph.sqrt({})", "1.5 - {}", "-1.0 / {}", "tinygraph.sum([{}, {}])")
    return st.recursive(
        st.sampled_from([*NAMES, "Value(-3.0)"]),
        lambda inner: st.builds(
            lambda pattern, x, y: f"({pattern.format(*(x, y)[: pattern.count('{}')])})",
            st.sampled_from(patterns),
            inner,
            inner,
        ),
        max_leaves=8,
    )


@given(code=expressions())
def test_a_random_expression_is_shown_with_its_value(code):
    assume(check_text(code))


@given(st.text("ab(][){} …", max_size=40), st.integers(4, 30))
def test_a_shortened_text_keeps_pairs_of_brackets(text, length):
    def balanced(text):
        while (shorter := re.sub(r"\(\)|\[\]|\{\}", "", text)) != text:
            text = shorter
        return not text

    short = notation.cut(text, length)
    assert len(short) <= length
    if balanced(re.sub(r"[^][(){}]", "", text)):
        assert balanced(re.sub(r"[^][(){}]", "", short))


def test_a_shortened_call_keeps_the_name_of_its_function():
    A = Tensor([[0.5, 0.25, 0.75]], "A")
    loss = binary_cross_entropy(A, np.array([[1.0, 0.0, 1.0]]))
    assert notation.called(loss) == "(binary_cross_entropy(…))"
    assert notation.cut("binary_cross_entropy(A, [1, 0, 1])", 12) == "bina…ropy(…)"
    assert notation.cut("hidden_layer[10,11]", 12) == "hidd…ayer[…]"


def test_a_shortened_text_keeps_pairs_of_quotes():
    x = Value(2.0, "50% of a_b & {c}")
    assert notation.called(x * x) == "(‘…’ × ‘…’)"
