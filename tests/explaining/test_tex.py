"""Formulas are LaTeX: balanced, without a sign that LaTeX does not know, and Matplotlib can read them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.explaining.test_derivatives import ELEMENTWISE, nodes_of, points
from tinygraph import Tensor, Value, explain
from tinygraph.explaining import notation
from tinygraph.explaining.tex import tex
from tinygraph.explaining.textbook.derivatives import formula

FORMULAS = {
    "w.T @ X": r"w^{T} \, X",
    "wᵀ · X": r"w^{T} \cdot X",
    "t⁻ᵀ · upstream": r"t^{-T} \cdot \mathrm{upstream}",
    "t.T.T": r"t^{TT}",
    ".T": r"(\cdot)^{T}",
    "x**2": "x^{2}",
    "x**-0.5": "x^{-0.5}",
    "a**b": "a^{b}",
    "a^b": "a^{b}",
    "2^a": "2^{a}",
    "a^0.5": "a^{0.5}",
    "x^(-2.5)": "x^{-2.5}",
    "x^120 + 1": "x^{120} + 1",
    "c · a^(b + c)": r"c \cdot a^{b + c}",
    "a^(b^c)": "a^{b^{c}}",
    "(a + b)^w_1 - 1": "(a + b)^{w_{1}} - 1",
    "a^exp(b + 1)/c": r"a^{\exp(b + 1)}/c",
    "a^||b| - 1| · c": r"a^{||b| - 1|} \cdot c",
    "a^‘b ( c’": r"a^{\mathrm{b\ (\ c}}",
    "a^√(b + 1)": r"a^{\sqrt{b + 1}}",
    "θ^": r"\theta \hat{}",
    "x² if y ≤ 0": r"x^{2}\ \mathrm{if}\ y \leq 0",
    "√x": r"\sqrt{x}",
    "√(x + 1)/2": r"\sqrt{x + 1}/2",
    "√w₁": r"\sqrt{w_{1}}",
    "1/√√x": r"1/\sqrt{\sqrt{x}}",
    "∛(x · y)²": r"\sqrt[3]{x \cdot y}^{2}",
    "⌊x/y⌋": r"\lfloor x/y\rfloor",
    "⌈x⌉ ≠ y": r"\lceil x\rceil \neq y",
    "ψ″(π · x)": r"\psi ''(\pi \cdot x)",
    "pow⁽²,¹⁾(x, y)": r"\mathrm{pow}^{(2,1)}(x, y)",
    "tanh²(x) · log₂(x)": r"\tanh^{2}(x) \cdot \log_{2}(x)",
    "x²′": "x^{2}{}'",
    "a ⊙ b": r"a \odot b",
    "x_1 × x2": r"x_{1} \times x_{2}",
    "w₁₂": "w_{12}",
    "σ(z)": r"\sigma (z)",
    "alpha": r"\alpha",
    "exp(x)": r"\exp(x)",
    "sum(x, axis=0)": r"\mathrm{sum}(x, \mathrm{axis}=0)",
    "summed to ()": r"\mathrm{summed\ to}\ ()",
    "learning_rate": r"\mathrm{learning\_rate}",
    "2.5e-05": r"2.5 \times 10^{-5}",
    "-inf": r"-\infty",
    "‘a b_c’": r"\mathrm{a\ b\_c}",
    "50% & #1 {x}": r"50\% \& \#1 \{x\}",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_latex(text):
    assert re.sub(r" +(?=[^\w\\]|$)", "", tex(text)) == re.sub(r" +(?=[^\w\\]|$)", "", FORMULAS[text])


def check(code):
    """Check the grammar of LaTeX's math mode: groups, commands, and no sign with another meaning."""
    plain = re.sub(r"\\[{}_#$%&, ]|\\[a-zA-Z]+", "C", code)
    assert "\\" not in plain, code
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0, code
    assert depth == 0, code
    assert not re.search(r"[#$%&~@]", plain), code
    assert code.replace("é", "").isascii(), code  # the only letter in these tests that is not in LaTeX's math mode
    assert not re.search(r"[\^_](?!\{)", plain), code  # each index and each exponent is a group
    assert not re.search(r"\^\{[^{}]*\}\s*\^", plain), code  # LaTeX refuses a double superscript
    assert not re.search(r"_\{[^{}]*\}\s*_", plain), code


def check_in_mathtext(code):
    """Check that Matplotlib, which refuses double superscripts and unknown commands, can read LaTeX code."""
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="no Matplotlib: pip install '.[plot]'")
    known = code.replace(r"\Big|", "|").replace(r"\&", "+")  # Matplotlib knows neither
    assert mathtext.MathTextParser("path").parse(f"${known}$").width >= 0


@given(st.text(st.sampled_from("aZxθσ_0129.-+*/()[]{}#$%&~^\\@ ×·⊙…ᵀ⁻¹,=<>'éT√∛⌊⌋⌈⌉|≤≠π′″⁽⁾₂"), max_size=30))
def test_every_text_becomes_latex(text):
    check(tex(text))


def texts_of(op):
    """Yield what is shown of an op of named nodes, of numbers, and of expressions."""
    for kind in ("named", "literal", "expressions"):
        operands, _ = nodes_of(points(op, 1)[0], kind)
        node = op(*operands)
        yield notation.expression(node)
        yield notation.expression((1.5 - node) ** node / 2.0**node, width=500)
        yield from (formula(node, slot) for slot in range(len(node.args)))
    columns = np.array(points(op)).T
    node = op(*[Tensor(column, letter) for column, letter in zip(columns, "gh", strict=False)])
    yield from (formula(node, slot) for slot in range(len(node.args)))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formulas_of_an_op_are_latex(name):
    codes = [tex(text) for text in texts_of(ELEMENTWISE[name]) if text]
    for code in codes:
        check(code)
        assert r"\hat" not in code
        assert r"\ast \ast" not in code
    check_in_mathtext(max(codes[:4], key=len))  # Matplotlib takes much longer than the other checks


def graphs():
    """Yield a root and a node whose contributions show the notation of an op."""
    X, w, b = Tensor([[1.0, 2.0], [3.0, 4.0]], "X"), Tensor([[1.0], [2.0]], "w_1"), Tensor(0.5, "b")
    A = tinygraph.sigmoid(w.T @ X + b)
    J = tinygraph.binary_cross_entropy(A, np.array([[0.0, 1.0]])).mean()
    J.name = "J"
    yield from ((J, node) for node in (w, X, b, A))
    functions = (
        lambda t: t.T, lambda t: t.reshape(-1), lambda t: t[:, 1:], np.linalg.inv, lambda t: t @ t, lambda t: t.max(0),
        lambda t: t.mean(1), np.cumsum, tinygraph.softmax, lambda t: np.concatenate([t, t]), np.linalg.det, np.sort,
        lambda t: np.where(t > 2, t, 0.0), lambda t: np.einsum("ij,jk->ik", t, t), np.prod, np.tril, np.nansum,
        lambda t: t**-3, lambda t: np.linalg.cholesky(t @ t.T), lambda t: tinygraph.set_at(t, 0, 1.0), np.linalg.norm,
    )  # fmt: skip
    for function in functions:
        t = Tensor([[1.0, 2.0], [3.0, 5.0]], "t")
        yield function(t).sum(), t
    for name in ("x", "α", "learning_rate", "a'b", "dw", "", "50% of a_b & {c}", "θ^2"):
        x = Value(2.0, name)
        y = x * x + tinygraph.exp(x)
        y.name = "L(θ)"
        yield y, x


@pytest.mark.parametrize("case", list(graphs()), ids=lambda case: str(case[0].op))
def test_an_explanation_is_latex(case):
    code = explain(*case).latex()
    check(code)
    check_in_mathtext(code)


def products():
    """Return a graph with matrix products, transposes, elementwise products and broadcasting."""
    X, w, b = Tensor([[1.0, 2.0], [3.0, 4.0]], "X"), Tensor([[1.0], [2.0]], "w"), Tensor(0.5, "b")
    v = w.T
    s = X @ v.T
    t = s + b
    u = t * t
    J = (u * s + (s.T @ s)).sum()
    v.name, s.name, t.name, u.name, J.name = "v", "s", "t", "u", "J"
    return J, (X, w, b, v, s, t, u)


def test_latex_shows_the_formulas_of_the_text():
    J, nodes = products()
    for node in nodes:
        explanation = explain(J, node)
        code = explanation.latex()
        _, symbols, *_ = code.split(" = ")
        plain = re.sub(r"\\Big\|_\{\d\}", "", symbols).replace(r"\left(", "(").replace(r"\right)", ")")
        plain = re.sub(r"\\frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1/\2", plain)
        texts = [line.partition(" = ")[0][4:] for line in str(explanation).splitlines() if line.startswith("  + ")]
        parts = [f"({x})" if len(texts) > 1 and ", " in x else x for x in texts]
        expected = re.sub(r"\\mathrm\{d(\w)\}", r"d\1", tex(" + ".join(parts)))
        assert re.sub(r"\\? +", "", plain) == re.sub(r"\\? +", "", expected)
        assert "upstream" not in code


def test_latex_of_a_matrix_product():
    X, w = Tensor([[1.0, 2.0], [3.0, 4.0]], "X"), Tensor([[1.0], [2.0]], "w")
    s = X @ w
    J = (s**2).sum()
    s.name, J.name = "s", "J"
    expected = 2 * X.data.T @ X.data @ w.data
    assert (
        explain(J, w).latex()
        == rf"\frac{{dJ}}{{dw}} = X^{{T}} \cdot \frac{{dJ}}{{ds}} = {expected.astype(int).tolist()}"
    )
    y = Tensor([[1.0, 2.0]], "y")
    K = (y.T * 3).sum()
    K.name = "K"
    assert explain(K, y).latex() == r"\frac{dK}{dy} = \left(\frac{dK}{d(y^{T})}\right)^{T} = [[3, 3]]"


def test_latex_multiplies_arrays_elementwise():
    q = Tensor([2.0, 5.0], "q")
    r = q * q
    J = (r * r).sum()
    r.name, J.name = "r", "J"
    place = [rf"\frac{{dJ}}{{dr}} \odot \frac{{\partial r}}{{\partial q}}\Big|_{{{k}}}" for k in (1, 2)]
    numbers = r"[8, 50] \odot [2, 5]"
    assert explain(J, q).latex() == rf"\frac{{dJ}}{{dq}} = {' + '.join(place)} = {numbers} + {numbers} = [32, 500]"
