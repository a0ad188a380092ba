"""Names and formulas are set as in a textbook, and other text does not change."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import Value
from tinygraph.engine.op import TABLE
from tinygraph.explaining.notation import expression
from tinygraph.explaining.textbook.derivatives import formula
from tinygraph.explaining.textbook.typesetting import in_ascii, typeset, wrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w1 × x1 + w2 × x2 + b", "w₁ × x₁ + w₂ × x₂ + b"),
        ("dJ/dw_1 · ∂z/∂w_1", "dJ/dw₁ · ∂z/∂w₁"),
        ("dsigma", "dσ"),
        ("delta/Delta", "δ/Δ"),
        ("W[0,1]", "W[0,1]"),
        ("x_n", "xₙ"),
        ("x_max", "x_max"),
        ("learning_rate_2", "learning_rate_2"),
        ("gamma(x1)", "gamma(x₁)"),
        ("1e5 + 2.5e-10", "1e5 + 2.5e-10"),
        ("<lambda>", "<lambda>"),
        ("n0:port", "n0:port"),
        ("‘mu x1’ × x1²", "‘mu x1’ × x₁²"),
        ("w1ᵀ · X1", "w₁ᵀ · X₁"),
        ("σ(z1)σ(-z1)", "σ(z₁)σ(-z₁)"),
        ("3x1²/√w1", "3x1²/√w₁"),
    ],
)
def test_names_are_set(text, expected):
    assert typeset(text) == expected


@pytest.mark.parametrize("op", [op for op in TABLE.values() if not op.variadic], ids=lambda op: op.name)
def test_each_formula_has_a_form_in_ascii(op):
    node = op(*[Value(x, name) for x, name in zip((0.6, 0.3), "xy", strict=False)][: op.arity])
    texts = [expression(node), *[formula(node, slot) for slot in range(op.arity)]]
    for text in texts:
        assert in_ascii(text).isascii(), text


@given(text=st.text("abcw12xσ×+-=()·, ", max_size=80), width=st.integers(5, 40))
def test_wrapping_changes_only_spaces_to_newlines(text, width):
    lines = wrapped(text, width)
    assert lines.replace("\n", " ") == text


@given(count=st.integers(1, 30), width=st.integers(12, 60))
def test_each_line_of_a_sum_fits(count, width):
    text = " + ".join(f"w{i} × x{i}" for i in range(count))
    for line in wrapped(text, width).split("\n"):
        assert len(line) <= width


def test_a_formula_is_broken_outside_parentheses_first():
    assert wrapped("(a + b + c) × (d + e + f)", 15) == "(a + b + c)\n× (d + e + f)"
    assert wrapped("f(a + b + c + d + e + f)", 12).split("\n")[0] == "f(a + b + c"
    assert re.fullmatch(r"[^\n]+", wrapped("a + b", 5))
