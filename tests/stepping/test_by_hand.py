"""The exercises of the HTML page: their data, and the page in a browser, with the keyboard and on a phone."""

import json
import random
import re

import pytest
from hypothesis import given

from tests.engines import needed_engine
from tests.stepping.test_player import Page
from tinygraph import Stepper, Tensor, Value
from tinygraph.cli.expressions import parse
from tinygraph.drawing.options import DrawOptions
from tinygraph.explaining.step import Steps
from tinygraph.explaining.walk import Walk
from tinygraph.practicing.answers import read
from tinygraph.practicing.find_bug import NAMES, opponents
from tinygraph.practicing.questions import GradientQuestions
from tinygraph.stepping.by_hand import exercises
from tinygraph.stepping.player import page
from tinygraph.testing import graphs

AUTO = DrawOptions(theme="auto")


def example():
    return parse("u = b*c; v = a - u; J = 3*v + u*u", {"a": 5.0, "b": 3.0, "c": 2.0})


def neuron():
    return parse("z = w*x + b; a = sigmoid(z); L = -log(a)", {"w": 0.7, "x": 1.3, "b": -0.4})


def questions_of(root):
    return [*GradientQuestions(Steps(Walk(root, 1.0)))]


# --- the data


@given(program=graphs())
def test_every_question_is_on_the_page_with_its_wrong_answers(program):
    from tinygraph.drawing.arrows import Style
    from tinygraph.drawing.diagram import diagram

    root, _ = program.record()
    steps = Stepper(root, phase="both").steps
    if not len(steps.walk):
        return
    data, found = exercises(steps, diagram(steps.walk, Style()), str)
    assert [(x["ask"], x["answer"], len(x["wrong"])) for x in data["questions"]] == [
        (question.text, repr(question.answer), len(question.wrong)) for question in questions_of(root)
    ]
    for asked in data["questions"]:
        assert repr(float(steps[asked["step"] - 1].after)) == asked["answer"]
    assert [opponent.mistake.name for opponent in found] == list(opponents(Stepper(root).steps))
    json.dumps(data, allow_nan=False)  # a page could not read NaN


@pytest.mark.parametrize("save", [lambda root, path: Stepper(root).save(path, by_hand=True)])
def test_what_has_no_exercise_is_refused(tmp_path, save):
    needed_engine()
    with pytest.raises(ValueError, match=r"needs a graph of scalars, but t has the shape \(2,\)"):
        save(Tensor([1.0, 2.0], "t").sum(), tmp_path / "x.html")
    with pytest.raises(ValueError, match="has no gradient to compute"):
        save(Value(1.0, "x"), tmp_path / "x.html")
    with pytest.raises(ValueError, match=r"by_hand=True needs an \.html file, not 'x\.svg'"):
        save(example(), tmp_path / "x.svg")
    with pytest.raises(ValueError, match="leave out phase='forward'"):
        Stepper(example(), phase="forward").save(tmp_path / "x.html", by_hand=True)
    y = Value(1.0, "x")
    for _ in range(201):
        y = -y
    with pytest.raises(ValueError, match="a page asks at most 200 questions, but this graph has 201"):
        save(y, tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def test_a_page_without_exercises_does_not_contain_them():
    needed_engine()
    text = page(Stepper(example()), AUTO)
    assert "ANSWERS" not in text
    assert 'id="hand"' not in text
    text = page(Stepper(example()), AUTO, by_hand=True)
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "//" not in re.sub(r"(?m)(?:^|\s)// .*$", "", outside), "no address but the names of SVG"
    assert len(text.encode()) < 100_000


# --- in a browser


class HandPage(Page):
    """A page with exercises that is open in the browser."""

    def type(self, text):
        self.run("document.getElementById('answer').value = ''")
        self.driver.find_element("id", "answer").send_keys(text + "\n")

    def text(self, what):
        return self.run("return document.getElementById(arguments[0]).textContent", what)

    def visible(self, what):
        return self.run("return document.getElementById(arguments[0]).checkVisibility()", what)

    def choose(self, value):
        self.run(
            "const it = document.getElementById('exercise'); it.value = arguments[0]; "
            "it.dispatchEvent(new Event('change'))",
            value,
        )


@pytest.fixture
def opened(browser, tmp_path):
    needed_engine()

    def opening(root, **options):
        return HandPage(browser, Stepper(root, **options).save(tmp_path / "hand.html", by_hand=True))

    return opening


@pytest.mark.parametrize("phase", ["backward", "both"])
def test_fill_in_the_gradients(opened, phase):
    root = example()
    page = opened(root, phase=phase)
    for question in questions_of(root):
        assert page.text("asked") == question.text
        assert page.text("given") == question.given
        assert page.k == question.step.index - 1 + (len(Stepper(root, phase=phase)) - len(Stepper(root)))
        page.press("END")  # it does not go further than the answers
        for control in ("step", "last"):
            page.click(control)
        assert page.text("asked") == question.text
        told = page.run(
            "return [...document.querySelectorAll('#steps li')]"
            ".map((x) => x.checkVisibility({ visibilityProperty: true }))"
        )
        assert [i for i, visible in enumerate(told) if visible] == [*range(page.k)], "later steps are not told"
        page.type(question.shown)
        assert page.text("verdict") == f"Right: {question.symbol} = {question.shown}."
    assert page.text("score") == "9 of 9 right at the first answer"
    assert page.text("mistakes") == ""
    assert not page.visible("reply")
    page.check_silent()


@pytest.mark.parametrize("make", [example, neuron])
def test_the_page_judges_like_python(opened, make):
    root = make()
    page = opened(root)
    rng = random.Random(3)
    for question in questions_of(root):
        texts = [repr(question.answer), question.shown, "0.1", "1e9", *[repr(wrong.number) for wrong in question.wrong]]
        texts += [f"{float(text):.{rng.randint(1, 4)}g}" for text in texts[4:]]
        verdicts = {text: question.judge(read(text), text) for text in texts}
        wrong = {text: verdict.text for text, verdict in verdicts.items() if not verdict.right}
        found = page.run(
            """return arguments[0].map((text) => {
              document.getElementById('answer').value = text;
              document.getElementById('check').click();
              return document.getElementById('verdict').textContent;
            });""",
            [*wrong],
        )
        assert dict(zip(wrong, found, strict=True)) == wrong
        page.type(question.shown)
    page.check_silent()


def test_wrong_answers_and_the_score(opened):
    page = opened(parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0}))
    page.type("3,0")
    assert page.text("verdict") == "Write a decimal point instead of a comma, such as 1.5, not “3,0”."
    page.type("three")
    assert page.text("verdict") == "“three” is not a number. Write a number such as 6, -0.5 or 1/3."
    page.type("9/3")
    page.type("-3")
    assert page.text("verdict") == "Not yet: dJ/da is not -3. The sign is wrong: look at the sign of ∂v/∂a."
    page.type("3")
    page.click("reveal")
    assert page.text("verdict") == "dJ/du = 3."
    page.type("9")
    page.type("6")
    assert page.text("score") == "2 of 5 right at the first answer, 1 after a mistake, 1 shown, 1 to go".replace(
        "2 of 5", "1 of 5"
    ).replace("1 after", "2 after")
    page.type("9")
    assert page.text("score") == "2 of 5 right at the first answer, 2 after a mistake, 1 shown"
    lines = page.run("return [...document.querySelectorAll('#mistakes li')].map((x) => x.textContent)")
    assert lines == ["1 time: wrong sign", "1 time: used the local derivative for another operand"]
    page.click("again")
    assert page.text("score") == "0 of 5 right at the first answer, 5 to go"
    assert page.text("mistakes") == ""
    page.check_silent()


def test_find_each_bug(opened):
    root = example()
    page = opened(root, phase="both")
    for i, (name, opponent) in enumerate(opponents(Stepper(root).steps).items()):
        page.choose(str(i))
        assert page.text("count") == f"1 / {len(opponent.steps)}"
        assert page.text("asked") == "Which step is the first wrong one?"
        if opponent.first > 2:
            page.click("step")
            page.click("pick")
            assert page.text("verdict") == "Step 2 is right. Look at the steps after it."
        page.click("last")
        for step in opponent.steps:
            assert step.equation in page.run("return document.getElementById('steps').textContent")
        page.click("pick")
        assert page.text("verdict") == f"A step before step {len(opponent.steps)} is already wrong."
        page.click("first")
        for _ in range(opponent.first):
            page.click("step")
        page.click("pick")
        assert page.text("verdict") == (
            f"Right: step {opponent.first} is wrong. {opponent.correction} {opponent.mistake.explained}"
        ), name
        assert page.text("score") == "0 of 1 right at the first answer, 1 after a mistake"
    page.check_silent()


def test_a_wrong_pass_shows_only_its_own_gradients(opened):
    root = example()
    page = opened(root)
    page.choose("1")
    page.click("last")
    last = {step.operand: step.after for step in opponents(Stepper(root).steps)["= for +="].steps[1:]}
    boxes = page.run("return [...document.querySelectorAll('#diagram .node:has(.grad)')].map((x) => x.textContent)")
    for node, gradient in last.items():
        if node.name:
            shown = next(text for text in boxes if text.split()[0].startswith(node.name))
            assert f"grad{gradient:g}" in "".join(shown.split())
    hidden = page.run(
        "return [...document.querySelectorAll('#diagram .late, #diagram text.back')].map((x) => x.checkVisibility("
        "{ visibilityProperty: true }))"
    )
    assert hidden
    assert not any(hidden)
    assert not page.visible("breakdown")
    page.choose("fill")
    assert page.text("asked").startswith("What is dJ/d")


def test_a_surprise_asks_for_the_name(opened):
    root = example()
    page = opened(root)
    found = opponents(Stepper(root).steps)
    page.choose("any")
    page.click("reveal")
    first = int(page.text("count").partition(" / ")[0])
    steps = page.run("return document.getElementById('steps').textContent")
    name = next(name for name, one in found.items() if one.first == first and all(
        step.equation in steps for step in one.steps))  # fmt: skip
    assert page.text("verdict").startswith(f"Step {first} is the first wrong step. ")
    assert page.text("asked") == "Which mistake does the pass make?"
    wrong = next(other for other in NAMES if other != name)
    buttons = {button.text: button for button in page.driver.find_elements("css selector", "#names button")}
    assert list(buttons) == list(NAMES)
    buttons[wrong].click()
    assert page.text("verdict") == f"It is not “{wrong}”. {found[name].correction}"
    buttons[name].click()
    assert page.text("verdict") == f"Right. {found[name].mistake.explained}"
    assert page.text("score") == "0 of 2 right at the first answer, 1 after a mistake, 1 shown"
    page.check_silent()


def test_the_keyboard_alone(opened):
    root = example()
    page = opened(root)
    for _ in range(40):
        if page.run("return document.activeElement.id") == "answer":
            break
        page.press("TAB")
    for question in questions_of(root):
        page.driver.switch_to.active_element.send_keys("0-")  # characters that zoom elsewhere
        page.press("BACKSPACE", "BACKSPACE", "ARROW_LEFT", "HOME", "END")
        assert page.text("asked") == question.text
        page.driver.switch_to.active_element.send_keys(question.shown)
        page.press("ENTER")
        assert page.text("verdict").startswith("Right: ")
    assert page.run("return document.querySelector('#diagram > svg').style.width") == page.run(
        "document.getElementById('fit').click(); return document.querySelector('#diagram > svg').style.width"
    ), "nothing was zoomed"
    page.check_silent()


def test_none_watches_the_steps(opened):
    root = example()
    page = opened(root)
    page.choose("watch")
    page.click("last")
    assert page.k == len(Stepper(root))
    assert not page.visible("answer")
    assert page.text("score") == ""


@pytest.mark.parametrize("width", [400, 1300])
def test_a_phone_and_a_large_window(opened, browser, width):
    browser.set_window_size(width, 900)
    page = opened(example())
    assert page.run("return document.documentElement.scrollWidth <= innerWidth"), "only the figure scrolls"
    sizes = page.run(
        "return ['answer', 'check', 'reveal', 'exercise'].map((id) => "
        "{ const it = document.getElementById(id).getBoundingClientRect(); return [it.left, it.right, it.height] })"
    )
    assert all(left >= 0 and right <= width and height >= 24 for left, right, height in sizes)
    browser.set_window_size(1200, 900)


@pytest.mark.parametrize("name", ["</script><b>x</b>", '"><img src=x onerror=alert(1)>', "{{hand}}", "<!--"])
def test_a_name_is_text_and_not_code(opened, name):
    x = Value(2.0, name)
    y = x * x
    y.name = "y"
    page = opened(y)
    page.type("5")
    assert page.text("verdict").startswith("Not yet: ")
    page.type("2")
    assert page.text("verdict").startswith("Right: ")
    page.check_silent()


def test_a_frame_without_forms(opened):
    player = Stepper(example()).player(by_hand=True)
    assert 'id="hand"' in player._page
    assert "<form" not in player._page, "a sandboxed frame submits no form"
