"""Worksheets hide the answers, the answer key shows them, and the page checks them in a browser."""

import json
import math
import re

import pytest
from hypothesis import given

import tinygraph
from tests.engines import needed_engine
from tests.stepping.test_player import HOSTILE, Page
from tinygraph import Stepper, Tensor, Value, worksheet
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
from tinygraph.testing import graphs
from tinygraph.worksheets import exercise


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def boxes(drawing):
    return {
        box.name or box.expression: (box.data, box.grad) for box in drawing._diagram.boxes if box.role != "constant"
    }


def test_the_lecture():
    sheet = worksheet(lecture())
    assert repr(sheet) == "<worksheet of J: 8 blanks>"
    assert [(question.number, question.symbol, question.answer) for question in sheet.questions] == [
        (1, "u", 6.0), (2, "v", 11.0), (3, "J", 33.0),
        (4, "dJ/dv", 3.0), (5, "dJ/da", 3.0), (6, "dJ/du", 3.0), (7, "dJ/db", 6.0), (8, "dJ/dc", 9.0),
    ]  # fmt: skip
    line = "_" * 6
    assert boxes(sheet.drawing) == {
        "a": ("5", f"(5) {line}"), "b": ("3", f"(7) {line}"), "c": ("2", f"(8) {line}"),
        "u": (f"(1) {line}", f"(6) {line}"), "v": (f"(2) {line}", f"(4) {line}"), "J": (f"(3) {line}", "1"),
    }  # fmt: skip
    assert boxes(sheet.key) == {
        "a": ("5", "(5) 3"), "b": ("3", "(7) 6"), "c": ("2", "(8) 9"),
        "u": ("(1) 6", "(6) 3"), "v": ("(2) 11", "(4) 3"), "J": ("(3) 33", "1"),
    }  # fmt: skip


def test_values_or_gradients_only():
    assert boxes(worksheet(lecture(), "values").drawing)["u"] == ("(1) ______", None)
    assert boxes(worksheet(lecture(), "values").drawing)["J"] == ("(3) ______", None)
    assert "backward" not in worksheet(lecture(), "values").drawing.source
    found = boxes(worksheet(lecture(), "gradients").drawing)
    assert (found["u"], found["J"]) == (("6", "(3) ______"), ("33", "1"))


@given(program=graphs())
def test_the_answers_are_the_values_and_gradients_and_steps(program):
    root, _ = program.record()
    sheet, stepper = worksheet(root), Stepper(root, phase="both")
    for question in sheet.questions:
        last = stepper.steps[question.steps[-1] - 1]
        assert last.node is question.node
        assert repr(question.answer) == repr(float(last.after))
    asked = {(question.kind, question.node) for question in sheet.questions}
    assert asked == {("value" if step.kind == "forward" else "gradient", step.node)
                     for step in stepper.steps if step.kind != "seed"}  # fmt: skip
    assert [question.number for question in sheet.questions] == list(range(1, len(asked) + 1))
    assert all(node.grad is None for node in order(root)), "nothing is written"


def test_the_sheet_does_not_contain_the_answers():
    def record():
        return parse("u = a*b; J = u*v", {"a": 41.5, "b": 37.0, "v": 29.0})

    root = record()
    for blanks in ("values", "gradients", "both"):
        sheet = worksheet(root, blanks)
        answers = {notation.number(question.answer) for question in sheet.questions}
        assert all(answer in sheet.key.source for answer in answers)
        if blanks == "gradients":
            answers -= {notation.number(node.data) for node in order(root)}
        answers -= {"29"}  # dJ/du = v, an input
        assert not [answer for answer in answers if answer in sheet.drawing.source]
    root.backward()
    assert worksheet(root).drawing.source == worksheet(record()).drawing.source, "stored gradients are not shown"


def test_what_cannot_be_a_worksheet_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"needs a graph of scalars, but t has the shape \(2,\): compute with Values"):
        worksheet(Tensor([1.0, 2.0], "t").sum())
    with pytest.raises(ValueError, match="the graph of x has nothing to fill in"):
        worksheet(Value(1.0, "x"))
    with pytest.raises(ValueError, match="blanks must be one of 'values', 'gradients', 'both', not 'all'"):
        worksheet(lecture(), "all")
    with pytest.raises(TypeError, match="color"):
        worksheet(lecture(), color="red")
    with pytest.raises(ValueError, match="the path must end in one of"):
        worksheet(lecture()).save(tmp_path / "sheet.txt")
    x = Value(1.0, "x")
    y = x * 2.0
    x.data = 3.0
    with pytest.raises(tinygraph.StaleGraphError):
        worksheet(y)


def test_without_graphviz_nothing_shows_the_answers(monkeypatch):
    monkeypatch.setenv("TINYGRAPH_DOT", "no-such-program")
    assert worksheet(lecture())._repr_mimebundle_() == {"text/plain": "<worksheet of J: 8 blanks>"}


# --- files and the page


@pytest.fixture
def engine():
    needed_engine()


@pytest.mark.usefixtures("engine")
def test_files(tmp_path):
    sheet = worksheet(exercise(1), title="Exercise 1")
    for name in ("sheet.svg", "sheet.html", "sheet.dot"):
        assert "Exercise 1" in sheet.save(tmp_path / name).read_text(encoding="utf-8")
    assert sheet.save(tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert sheet.key.save(tmp_path / "key.pdf").read_bytes().startswith(b"%PDF")
    text = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 60_000
    assert "default-src 'none'" in text
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "//" not in re.sub(r"(?m)(?:^|\s)// .*$", "", outside), "no address but the names of SVG"
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    assert [float(x["answer"]) for x in data] == [question.answer for question in sheet.questions]


class Sheet(Page):
    """A worksheet that is open in the browser."""

    def type(self, number, text, key="\n"):
        """Replace the text of a blank."""
        self.run(f"document.getElementById('blank-{number}').value = ''")
        self.driver.find_element("id", f"blank-{number}").send_keys(text + key)

    def states(self):
        return self.run(
            "return [...document.querySelectorAll('#diagram input')].map((x) => [x.id.slice(6), x.className])"
        )

    @property
    def score(self):
        return self.run("return document.getElementById('score').value")

    @property
    def focus(self):
        return self.run("return document.activeElement.id")


def open_sheet(driver, folder, root, **options):
    return Sheet(driver, worksheet(root, **options).save(folder / "sheet.html"))


@pytest.mark.usefixtures("engine")
def test_right_answers(browser, tmp_path):
    root = exercise(5, shared=True)
    questions = worksheet(root).questions
    page = open_sheet(browser, tmp_path, root)
    assert page.score == f"0 of {len(questions)} right"
    for question in questions:
        page.type(question.number, f"{question.answer:g}")
        assert page.message == f"Right: {question.symbol} = {question.answer:g}." or question is questions[-1]
        if question is not questions[-1]:
            assert page.focus == f"blank-{question.number + 1}", "Enter goes to the next blank"
    assert page.score == f"{len(questions)} of {len(questions)} right"
    assert page.message == f"All {len(questions)} answers are right."
    assert all(state == "right" for _, state in page.states())
    page.check_silent()


@pytest.mark.usefixtures("engine")
def test_wrong_answers_link_to_their_steps(browser, tmp_path):
    root = parse("s = x*x; y = s + 3*x", {"x": 2.0})
    sheet = worksheet(root)
    question = next(question for question in sheet.questions if question.symbol == "dy/dx")
    assert len(question.steps) == 3
    page = open_sheet(browser, tmp_path, root)
    assert not page.run("return document.getElementById('below').checkVisibility()")
    page.type(question.number, "4")
    steps = ", ".join(f"step {step}" for step in question.steps)
    assert page.message == f"Not yet: dy/dx is not 4. Look at {steps}."
    assert page.focus == f"blank-{question.number}"
    assert dict(page.states())[str(question.number)] == "wrong"
    page.driver.find_element("link text", f"step {question.steps[1]}").click()
    shown = page.run(
        "return [...document.querySelectorAll('#steps li')].filter((x) => x.checkVisibility()).map((x) => x.id)"
    )
    assert shown == [f"step-{question.steps[1]}"]
    assert page.focus == shown[0]
    equation = Stepper(root, phase="both").steps[question.steps[1] - 1].equation
    assert equation in page.run(f"return document.getElementById('{shown[0]}').innerText")
    page.type(question.number, "7")
    assert page.message == "Right: dy/dx = 7."
    page.check_silent()


@pytest.mark.usefixtures("engine")
def test_spellings_of_a_number_and_rounding(browser, tmp_path):
    root = parse("u = -a/b; J = u*100", {"a": 1.0, "b": 3.0})
    page = open_sheet(browser, tmp_path, root, blanks="values")
    for text, state in {
        "-1/3": "right", "−1/3": "right", " - 0.3333 ": "right", "-.333": "right", "-3.33e-1": "right",
        "-0.33": "wrong",
        "1/3": "wrong", "third": "wrong", "-1/0": "wrong", "": "", "1/2/3": "wrong", "-0.3": "wrong",
    }.items():  # fmt: skip
        blank = next(question for question in worksheet(root, "values").questions if question.symbol == "u").number
        page.type(blank, text)
        assert dict(page.states())[str(blank)] == state, text
    page.type(blank, "third")
    assert "“third” is not a number" in page.message
    exact = open_sheet(browser, tmp_path, parse("J = 3*a", {"a": 33.0}), blanks="values")
    for text, state in {"99": "right", "99.0": "right", "198/2": "right", "98.9": "wrong", "99.1": "wrong"}.items():
        exact.type(1, text)
        assert dict(exact.states()) == {"1": state}, text
    infinite = open_sheet(browser, tmp_path, Value(1.0, "a") / Value(0.0, "b"), blanks="values")
    for text, state in {
        "inf": "right",
        "∞": "right",
        "Infinity": "right",
        "1/0": "right",
        "-inf": "wrong",
        "1e300": "wrong",
    }.items():
        infinite.type(1, text)
        assert dict(infinite.states()) == {"1": state}, text
    assert math.isinf(worksheet(Value(1.0) / Value(0.0), "values").questions[0].answer)


@pytest.mark.usefixtures("engine")
def test_the_buttons(browser, tmp_path):
    page = open_sheet(browser, tmp_path, lecture())
    page.type(1, "6", "\t")
    page.type(2, "12", "\t")
    page.click("check")
    assert page.message == "1 wrong, and 6 to fill in."
    assert page.score == "1 of 8 right"
    page.click("answers")
    values = "return [...document.querySelectorAll('#diagram input')].map((x) => [Number(x.id.slice(6)), x.value])"
    assert dict(map(tuple, page.run(values))) == {1: "6", 2: "11", 3: "33", 4: "3", 5: "3", 6: "3", 7: "6", 8: "9"}
    assert page.score == "0 of 8 right", "answers that were shown do not count"
    page.click("again")
    assert {value for _, value in page.run(values)} == {""}
    assert page.focus == "blank-1"
    page.check_silent()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("width", [320, 1200, 2560])
def test_every_blank_lies_in_its_box_and_has_a_label(browser, tmp_path, width):
    from selenium.webdriver.common.keys import Keys  # noqa: F401  # selenium is installed if there is a browser

    browser.set_window_size(width, 900)
    page = open_sheet(browser, tmp_path, exercise(2, steps=6))
    inside = page.run("""return [...document.querySelectorAll('#diagram input')].map((input) => {
        const a = input.getBoundingClientRect(), b = input.closest('g.node').getBoundingClientRect();
        return a.width > 10 && a.left >= b.left && a.right <= b.right + 1 && a.top >= b.top && a.bottom <= b.bottom + 1;
    })""")
    assert len(inside) == len(worksheet(exercise(2, steps=6)).questions)
    assert all(inside)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth"), "only the figure scrolls"
    labels = page.run("return [...document.querySelectorAll('#diagram input')].map((x) => x.ariaLabel)")
    assert "blank 1: value of u" in labels
    browser.set_window_size(1200, 900)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_and_not_code(browser, tmp_path, name):
    x = Value(2.0, name)
    y = x * x
    y.name = name + "$"
    page = open_sheet(browser, tmp_path, y, title=name)
    page.type(1, "5")
    assert page.message.startswith("Not yet: ")
    page.type(1, "4")
    assert page.score == "1 of 2 right"
    page.check_silent()
