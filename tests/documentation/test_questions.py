"""Each page of the lecture ends with three questions, whose hidden answers are right."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor, Value, grad

LECTURE = Path(__file__).parents[2] / "docs" / "lecture"
PAGES = sorted(path for path in LECTURE.glob("*.md") if path.stem != "index")
QUESTION = re.compile(
    r"\*\*(\d)\.\*\* (.+?)\n\n<details markdown>\n<summary>Answer</summary>\n\n(.+?)\n\n</details>\n", re.DOTALL
)


def questions(page):
    text = (LECTURE / f"{page}.md").read_text(encoding="utf-8")
    return QUESTION.findall(text.partition("\n## Questions\n\n")[2])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_ends_with_three_questions(path):
    text = path.read_text(encoding="utf-8")
    found = questions(path.stem)
    assert [number for number, _, _ in found] == ["1", "2", "3"]
    assert not QUESTION.sub("", text.partition("\n## Questions\n\n")[2]).strip(), "nothing follows"
    assert "```" not in text.partition("\n## Questions\n")[2], "in the notebook, the section is one cell"


def on(f, *at):
    values = [Value(x) for x in at]
    return grad(f(*values), values)


def entropy(a, y):
    return tinygraph.binary_cross_entropy(a, y)


def neuron():
    z = Value(np.log(0.8 / 0.2), "z")
    return grad(tinygraph.binary_cross_entropy_with_logits(z, 1.0), z)


def row_of_bias():
    b = Tensor([[0.0]])
    row = b + np.zeros((1, 4))
    row.backward(seed=np.array([[1.0, 2.0, 3.0, 4.0]]))
    return b.grad.item()


def forward():
    a, b, c = 1, 4, -2
    return f"u = {b * c}, v = {a + b * c}, and J = {3 * (a + b * c)}."


# The page, the number of the question, and what the answer must contain, computed here.
ANSWERS = [
    ("logistic-regression", 1, lambda: f"= {2 * 1 - 1 * 3 + 0.5:g}."),
    ("logistic-regression", 2, lambda: f"≈ {tinygraph.sigmoid(-0.5):.3f}"),
    ("loss-and-cost", 1, lambda: f"−log 0.25 ≈ {entropy(0.25, 1.0):.3f}. "),
    ("loss-and-cost", 1, lambda: f"−log 0.75 ≈ {entropy(0.25, 0.0):.3f}."),
    ("loss-and-cost", 3, lambda: f"= {np.mean([0.2, 0.5, 1.1]):.1f}."),
    ("gradient-descent", 1, lambda: f"= {2 - 0.1 * 0.5:g}."),
    ("derivatives", 1, lambda: f"By {5 * 0.001:g}, "),
    ("derivatives", 3, lambda: f"= {0.012 / 0.004:g}."),
    ("more-derivatives", 1, lambda: f"the slope is {on(lambda a: a**2, 5.0)[0]:g}."),
    ("more-derivatives", 2, lambda: f"the slope is {on(tinygraph.log, 4.0)[0]:g}."),
    ("more-derivatives", 3, lambda: f"3a² = {on(lambda a: a**3, 2.0)[0]:g}, "),
    ("more-derivatives", 3, lambda: f"= {2.001**3 - 8:.3f}."),
    ("computation-graph", 1, forward),
    ("derivatives-on-the-graph", 1, lambda: f"= {on(lambda a, b, c: 3 * (a + b * c), 5.0, 3.0, 4.0)[1]:g}."),
    ("derivatives-on-the-graph", 3, lambda: f"dy/dx = {on(lambda x: x * x + 2 * x, 3.0)[0]:g}."),
    ("logistic-regression-gradient-descent", 1, lambda: f"= {neuron():.1f}."),
    ("logistic-regression-gradient-descent", 2, lambda: f"= {2 * neuron():.1f}, and db = dz = {neuron():.1f}."),
    ("m-examples", 1, lambda: f"= {np.mean([0.2, -0.1, 0.3, 0.4]):g}."),
    ("m-examples", 2, lambda: f"is {1000 * 20:,}."),
    ("vectorization", 1, lambda: f"{np.dot(np.ones((20, 1)).T, np.ones((20, 1000))).shape}"),
    ("vectorizing-logistic-regression", 3, lambda: f"= {np.mean([0.2, -0.4, 0.5]):.1f}."),
    ("broadcasting", 1, lambda: f"{(np.ones((3, 1)) + np.ones((1, 4))).shape}"),
    ("broadcasting", 3, lambda: f"= {row_of_bias():g}."),
    ("rank-1-arrays", 1, lambda: f"{np.ones(5).T.shape} too"),
    ("rank-1-arrays", 2, lambda: f"= {np.dot([1, 2, 3], [1, 2, 3])}, "),
    ("why-this-cost", 1, lambda: f"= {1 - 0.7:.1f}."),
    ("why-this-cost", 2, lambda: f"= {0.5 * 0.8:.1f}, and the sum of the losses is −log 0.4 ≈ {-np.log(0.4):.3f}."),
]  # fmt: skip


@pytest.mark.parametrize(("page", "number", "result"), ANSWERS)
def test_an_answer_is_right(page, number, result):
    answer = " ".join(questions(page)[number - 1][2].split())
    assert result().replace("-", "−") in answer


def test_arrays_that_do_not_fit_raise():
    with pytest.raises(ValueError, match="broadcast"):
        np.ones((2, 3)) + np.ones(2)
    assert (np.ones((2, 3)) + np.ones(2).reshape(2, 1)).shape == (2, 3)
