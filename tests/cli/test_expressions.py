"""Expressions have Python's values and the graph's gradients; all other text raises an error."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Value
from tinygraph.cli.expressions import LONGEST, ExpressionError, parse

NUMBERS = {"a": 1.5, "b": -0.75, "c": 2.0}
leaves = st.sampled_from([*NUMBERS, "2", "0.5", "3"])
texts = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"tanh({t})"),
        inner.map(lambda t: f"{t}**2" if t.isalnum() else f"({t})**2"),
    ),
    max_leaves=12,
)


@given(text=texts)
def test_an_expression_has_the_value_and_the_slope_that_python_gives_it(text):
    names = {name: NUMBERS[name] for name in NUMBERS if name in text.replace("tanh", "")}
    if not names:
        with pytest.raises(ExpressionError, match="contains no name"):
            parse(text, {})
        return
    root = parse(text, names)
    assert root.data == pytest.approx(eval(text, {"tanh": math.tanh, **names}), rel=1e-12, abs=1e-12)
    mine = {name: Value(number) for name, number in names.items()}
    other = eval(text, {"tanh": tinygraph.tanh, **mine})
    root.backward()
    other.backward()
    found = {node.name: node.grad for node in tinygraph.engine.graph.order(root) if node.name}
    for name, value in mine.items():
        assert found[name] == pytest.approx(value.grad, rel=1e-12, abs=1e-12)


def test_steps_are_named():
    J = parse("u = b*c\nv = a + u; J = 3*v", {"a": 5, "b": 3, "c": 2})
    names = [node.name for node in tinygraph.engine.graph.order(J)]
    assert sorted(names) == ["J", "a", "b", "c", "u", "v"]
    assert J.data == 33.0
    assert parse("a = 2*b; a*2", {"b": 1.0}).data == 4.0


BAD = {
    "3*(a + d)": (7, "'d' has no value: pass d=..."),
    "3(a)": (0, "write a product with *"),
    "a^2": (0, "write a power with **"),
    "a @ b": (0, "not matrices"),
    "a +": (3, "something is missing here, or something must be removed"),
    "exp(a": (3, "'(' was never closed"),
    "a = 3": (0, "'a' already has a value"),
    "u = 2*a; u = b": (9, "'u' already has a value"),
    "J = a": (4, "this node is already named 'a': remove the second name"),
    "  2*a\n   + d": (5, "'d' has no value"),
    "u, v = a": (0, "give each step one name"),
    "u = v = a": (0, "give each step one name"),
    "a == b": (0, "an expression cannot contain a comparison"),
    "a, b": (0, "a point as the decimal separator"),
    "sigmod(a)": (0, "there is no function 'sigmod'; the most similar name is 'sigmoid'"),
    "zzz(a)": (0, "the functions are abs, acos, acosh, add"),
    "total(a)": (0, "there is no function 'total'"),
    "exp(a, b)": (0, "exp takes 1 operand, got 2"),
    "exp(x=a)": (0, "write a product with *, and call a function by its name"),
    "exp + a": (0, "'exp' is a function: write exp(...)"),
    "a * 'x'": (4, "this is not a number"),
    "a * True": (4, "this is not a number"),
    "a * 2j": (4, "this is not a number"),
    "a * " + "9" * 400: (4, "too large for a float"),
    "__import__('os')": (0, "there is no function '__import__'"),
    "a.real": (0, "this is not supported"),
    "a[0]": (0, "this is not supported"),
    "lambda: a": (0, "this is not supported"),
    "lambda*a": (8, "'lambda' is a reserved word of Python: choose another name"),
    "[a for a in b]": (0, "this is not supported"),
    "import os": (0, "this is not an expression"),
    "del a": (0, "this is not an expression"),
    "é*q": (0, "'é' has no value"),
    "é = 2*a; é*q": (11, "'q' has no value"),
    "ab": (0, "'ab' has no value: pass ab=..., or write the product a*b"),
    "u = 2*a; aub": (9, "or write the product a*u*b"),
    "sina": (0, "'sina' has no value: pass sina=..., or write sin(a)"),
    "sin a": (4, "call the function as sin(a)"),
    "σ a": (2, "call the function as σ(a)"),
    "a b": (2, "write a product with *: a*b"),
    "2a": (0, "write a product with *: 2*a"),
    "2.5ab": (2, "write a product with *: 2.5*ab"),
    "a²b": (2, "write a product with *: a²*b"),
    "3 + a⁻¹²b": (8, "write a product with *: a⁻¹²*b"),
    "a² b": (3, "write a product with *: a²*b"),
    "a²3": (2, "write a product with *: a²*3"),
    "a²√(b)": (2, "write a product with *: a²*√"),
    "(a + b)²b": (8, "write a product with *: (...)²*b"),
    "a**2b": (3, "write a product with *: a**2*b"),
    "b(a + 1)": (0, "'b' is not a function: write a product with *, as in b*(...)"),
    "2*a = b": (0, "only a name can be on the left of =: name = expression"),
    "√a": (0, "'√' (U+221A) is not supported; an expression can contain"),
    "a×b·q": (4, "'q' has no value"),
    "a² − q": (5, "'q' has no value"),
    "µ*a": (0, "'μ' has no value: pass μ=..."),
    "a*₁": (2, "'₁' (U+2081) is not supported"),
    "2*a; 3*b": (0, "no later step can use this result: give it a name, or remove it"),
    "u = 2*a; 3*b": (0, "no later step uses 'u': use it, or remove it"),
    "v = 2*a; u = 3*v; w = 4*b": (9, "no later step uses 'u'"),
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_understood_is_pointed_at(text):
    column, message = BAD[text]
    with pytest.raises(ExpressionError) as caught:
        parse(text, {"a": 1.0, "b": 2.0})
    assert message in caught.value.message
    assert caught.value.column == column
    *_, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^") :][:1] == text.split("\n")[-1][column : column + 1]


@given(text=texts)
def test_the_signs_of_a_textbook_mean_the_operators(text):
    signs = {"**2": "²", "*": "×", "-": "−", "tanh": "σ"}
    written = text
    for operator, sign in signs.items():
        written = written.replace(operator, sign)
    names = {name: NUMBERS[name] for name in NUMBERS if name in text.replace("tanh", "")}
    if names:
        assert parse(written, names).data == parse(text.replace("tanh", "sigmoid"), names).data


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a⁻¹ ÷ b", "a**-1 / b"), ("a²³", "a**23"), ("√(a)·b", "sqrt(a)*b"), ("ln(a) – b", "log(a) - b"),
        ("（a＋b）", "(a+b)"), ("a\u00a0⋅ b", "a * b"), ("-a²", "-a**2"), ("σ(a)²", "sigmoid(a)**2"),
    ],
)  # fmt: skip
def test_a_formula_of_a_textbook_is_the_expression(text, plain):
    numbers = {"a": 0.75, "b": 2.0}
    numbers = {name: number for name, number in numbers.items() if name in text}
    assert parse(text, numbers).data == parse(plain, numbers).data


def test_names_have_one_spelling():
    root = parse("µ*w₁ + x₁₂", {"μ": 2.0, "w1": 3.0, "x12": 1.0})
    assert {node.name for node in tinygraph.engine.graph.order(root)} == {"", "μ", "w1", "x12"}
    assert parse("σ*σ(σ)", {"σ": 0.0}).data == 0.0, "a name and a function"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the expression is empty"),
        ("  # nothing", "the expression is empty"),
        ("3*4", "contains no name"),
        ("a*" * LONGEST + "a", "more than the limit"),
        ("(" * 1000 + "a" + ")" * 1000, "nested"),
        ("-" * 5000 + "a", "too deeply nested"),
        ("a*" + "9" * 5000, "integer string conversion"),
        ("a\x00", "null bytes"),
        ("b", "'a' has a value, but does not occur"),
    ],
)
def test_what_is_too_much_or_too_little_is_one_error(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text, {"a": 1.0, "b": 2.0} if text == "b" else {"a": 1.0})


def test_a_long_sum_is_a_graph_or_one_error():
    """Python 3.11 cannot parse the sum, but Python 3.13 can."""
    try:
        assert parse("+".join("a" * 3000), {"a": 1.0}).data == 3000.0
    except ExpressionError as error:
        assert "too deeply nested" in str(error)  # noqa: PT017


@given(text=st.text(max_size=60) | st.text("ab+-*/()=;, .0123456789e\n×·²⁻σ√₁µ−（", max_size=60))
def test_any_text_gives_a_graph_or_one_error(text):
    with contextlib.suppress(ExpressionError):
        assert isinstance(parse(text, {"a": 1.0, "b": 2.0}), Value)


def test_a_long_sum_is_not_a_deep_one():
    assert parse(" + ".join(["a*a"] * 500), {"a": 2.0}).data == 2000.0
    assert parse("  u = a*2;\n    v = u*3", {"a": 1.0}).data == 6.0


def test_powers_of_powers_do_not_hang():
    assert parse("a * 10**10**10", {"a": 1.0}).data == math.inf
