"""Formulas are LaTeX: balanced, without a sign that LaTeX does not know, and Matplotlib can read them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value, explain
from tinygraph.explaining.tex import tex

FORMULAS = {
    "w.T @ X": r"w^{T} \, X",
    "wᵀ · X": r"w^{T} \cdot X",
    "t⁻ᵀ · upstream": r"t^{-T} \cdot \mathrm{upstream}",
    "t.T.T": r"t^{TT}",
    ".T": r"(\cdot)^{T}",
    "x**2": "x^{2}",
    "x**-0.5": "x^{-0.5}",
    "a**b": "a^{b}",
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
    assert not re.search(r"[#$%&~@ᵀ⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉×·⊙…]", plain), code
    assert not re.search(r"[\^_](?!\{)", plain), code  # each index and each exponent is a group
    assert not re.search(r"\^\{[^{}]*\}\s*\^", plain), code  # LaTeX refuses a double superscript
    assert not re.search(r"_\{[^{}]*\}\s*_", plain), code


@given(st.text(st.sampled_from("aZxθσ_0129.-+*/()[]{}#$%&~^\\@ ×·⊙…ᵀ⁻¹,=<>'éT"), max_size=30))
def test_every_text_becomes_latex(text):
    check(tex(text))


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
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="no Matplotlib: pip install '.[plot]'")
    known = code.replace(r"\Big|", "|").replace(r"\&", "+")  # Matplotlib knows neither
    assert mathtext.MathTextParser("path").parse(f"${known}$").width > 0
