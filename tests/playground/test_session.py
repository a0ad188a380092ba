"""The Python side of the playground: programs, inputs, new numbers, errors, files, and code blocks of pages."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import tinygraph
from tests.drawing.test_draw import engines
from tests.engines import needed_engine
from tinygraph import Stepper, Value
from tinygraph.cli.expressions import parse
from tinygraph.drawing.options import DrawOptions
from tinygraph.engine.graph import order
from tinygraph.playground import inputs
from tinygraph.playground.examples import EXAMPLES
from tinygraph.playground.session import LARGEST, Playground
from tinygraph.practicing.questions import GradientQuestions
from tinygraph.stepping.document import drawing_of, groups_of, marked
from tinygraph.stepping.renumbering import label_texts, renumbered

LECTURE = EXAMPLES[0]


@pytest.fixture
def playground():
    needed_engine()
    return Playground()


def ask(playground, kind, **request):
    """Send a request as the page does: as JSON."""
    return json.loads(playground.answer(json.dumps({"kind": kind, **request})))


def run_example(playground, example, **more):
    return ask(playground, "run", mode=example.mode, text=example.text, numbers=example.numbers, **more)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


def complex_step(example, name):
    """Return a derivative of an expression with respect to an input, from complex arithmetic."""
    import cmath

    functions = {"log": cmath.log, "exp": cmath.exp, "σ": lambda z: 1 / (1 + cmath.exp(-z))}
    space = {**functions, **example.numbers}
    space[name] = complex(example.numbers[name], 1e-30)
    exec(example.text, {}, space)
    return list(space.values())[-1].imag / 1e-30


# --- by hand


def test_by_hand_asks_the_questions_of_the_exercise_from_the_first_step_on(playground):
    for example in EXAMPLES:
        answer = run_example(playground, example, by_hand=True, at=10**6)
        data = data_of(answer["page"])
        asked = GradientQuestions(Stepper(playground.root, phase="both").steps)
        assert data["start"] == 0
        assert [float(q["answer"]) for q in data["hand"]["questions"]] == [q.answer for q in asked], example.title
        assert data_of(run_example(playground, example)["page"])["hand"] is None


def test_too_many_questions_are_a_problem_and_keep_what_was_printed(playground):
    text = "print('here')\nx = Value(2.0)\ny = x\nfor _ in range(120): y = y + x"
    answer = ask(playground, "run", mode="python", text=text, by_hand=True)
    assert answer["printed"] == "here\n"
    assert answer["problem"]["message"].startswith("A page asks at most 200 questions, but this graph has 240")
    assert answer["problem"]["line"] == 0


# --- both modes


@pytest.mark.parametrize("example", [x for x in EXAMPLES if x.mode == "expression"], ids=lambda x: x.title)
def test_an_expression_has_the_derivatives_of_the_complex_step(playground, example):
    answer = run_example(playground, example)
    assert [x["name"] for x in answer["inputs"]] == inputs.inputs_of(example.text)
    for name in example.numbers:
        leaf = playground.leaves[name]
        found = tinygraph.grad(playground.root, leaf)
        assert found == pytest.approx(complex_step(example, name), rel=1e-12)
        shown = {row["name"]: row["gradient"] for row in answer["values"]}[name]
        assert float(shown) == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize("example", [x for x in EXAMPLES if x.mode == "python"], ids=lambda x: x.title)
def test_a_program_has_the_gradients_that_it_has_outside_of_the_page(playground, example):
    answer = run_example(playground, example)
    space = {}
    exec("from tinygraph import *\n" + example.text, space)
    root = space["L" if "L" in space else "J"]
    root.backward()
    assert playground.root.data == root.data
    for row in answer["inputs"]:
        mine = playground.leaves[row["name"]]
        assert tinygraph.grad(playground.root, mine) == space[row["name"]].grad


def test_every_example_names_a_page_that_exists():
    from pathlib import Path

    docs = Path(__file__).parents[2] / "docs"
    assert all((docs / f"{x.page}.md").is_file() for x in EXAMPLES if x.page)
    assert len(EXAMPLES) >= 10
    assert len({x.title for x in EXAMPLES}) == len(EXAMPLES)


def test_the_page_is_that_of_the_package_and_starts_where_it_is_asked_to(playground):
    answer = run_example(playground, LECTURE, at=5)
    root = parse(LECTURE.text, LECTURE.numbers)
    stepper = Stepper(root, phase="both")
    assert answer["steps"] == len(stepper)
    data = data_of(answer["page"])
    assert data["start"] == 5
    assert len(data["steps"]) == len(stepper)
    assert data_of(run_example(playground, LECTURE, at=10**6)["page"])["start"] == len(stepper)


def test_the_root_is_the_last_value_that_the_program_computes(playground):
    def root(text):
        return ask(playground, "run", mode="python", text=text)["values"][-1]["name"]

    assert root("x = Value(2.0)\ny = x * x\nz = y + 1\nw = Value(1.0)") == "z"
    assert root("x = Value(2.0)\nz = x + 1\ny = x * z\nz = y * y") == "z"
    assert root("x = Value(2.0)\ny = x * x\nx = y + 1\nprint(x)") == "x"
    ask(playground, "run", mode="python", text="x = Value(2.0)\ny = x * x\ny * 3")
    assert playground.root.data == 12.0


def test_what_a_program_prints_is_returned_up_to_a_limit(playground):
    text = "x = Value(2.0)\ny = x * x\nprint('y is', y.data)\nimport sys\nprint('!', file=sys.stderr)"
    assert ask(playground, "run", mode="python", text=text)["printed"] == "y is 4.0\n!\n"
    long = ask(playground, "run", mode="python", text="x = Value(2.0)\ny = x * x\nfor i in range(99999): print(i)")
    assert len(long["printed"]) < 25_000
    assert "(the rest is not shown)" in long["printed"]
    failed = ask(playground, "run", mode="python", text="print('before')\n1/0")
    assert (failed["printed"], failed["problem"]["line"]) == ("before\n", 2)


# --- inputs


def test_an_unknown_name_gets_a_slider_but_a_product_is_questioned(playground):
    answer = ask(playground, "run", mode="expression", text="J = a*q", numbers={"a": 2.0, "old": 9.0})
    assert [(x["name"], x["value"]) for x in answer["inputs"]] == [("a", 2.0), ("q", 1.0)]
    problem = ask(playground, "run", mode="expression", text="a + bc", numbers={"b": 3.0, "c": 2.0})["problem"]
    assert problem == {"message": "'bc' has no value: write the product b*c.", "line": 1, "column": 5}


@pytest.mark.parametrize("value", [0.0, 3.0, -250.0, 1e-5, -1e300, 5e-324, 0.1, 99.9, 1e17])
def test_a_slider_reaches_its_number_and_has_100_steps_on_each_side(value):
    made = inputs.as_input("x", value)
    assert made.least <= made.value <= made.most
    assert made.most / made.step == pytest.approx(100)


@pytest.mark.parametrize("value", [0.0, 3.0, -250.0, 0.1, 1e-300, -1e300, 1e15, 123456789.123, 2.0**60])
def test_a_number_in_a_program_is_replaced_by_the_same_number(value):
    program = "é, a = Value(1.0), Value(-2e3, 'ü')  # a = Value(7)\nfor b in [Value(1)]: pass\na.data"
    text = inputs.with_numbers(program, {"a": value, "b": 5.0})
    assert {x.name: x.value for x in inputs.literals_of(text)} == {"é": 1.0, "a": value}
    assert text.partition("Value(1.0)")[0] == program.partition("Value(1.0)")[0]
    assert text.endswith(", 'ü')  # a = Value(7)\nfor b in [Value(1)]: pass\na.data")


def test_only_inputs_that_the_graph_reads_get_a_slider(playground):
    text = "a, b, c = Value(1.0), Value(2.0), Value(3.0)\nd = Value(len('four'))\nc = Value(5.0)\ny = a * c + d"
    assert [x["name"] for x in ask(playground, "run", mode="python", text=text)["inputs"]] == ["a"]


# --- new numbers without a new layout


def texts_in(root):
    """Return the texts of each group of an SVG document that is not blank."""
    found = {}
    for key, group in groups_of(root).items():
        texts = [(text.text or "").strip() for text in group.iter("text")]
        found[key] = [text for text in texts if text]
    return found


@engines
@pytest.mark.parametrize("options", [{}, {"detail": "plain"}, {"compact": True}, {"direction": "TB"}])
def test_the_texts_of_the_labels_are_those_of_the_layout(options, engine):
    graphs = [parse(x.text, x.numbers) for x in EXAMPLES if x.mode == "expression"]
    x = Value(2.0, "x<&>\\N] 'q'")
    graphs.append((x * x + x / -3.0).tanh() ** 2)
    for root in graphs:
        steps = Stepper(root, phase="both").steps
        look = DrawOptions(theme="auto", engine=engine, **options)
        svg, _ = marked(steps, look)
        drawn = texts_in(svg)
        labels = label_texts(drawing_of(steps, look)[0].source)
        assert {key for key in labels if key.rstrip("b")[1:].isdigit()} == set(labels)
        assert {key: drawn[key] for key in labels} == labels
        assert {key for key, texts in drawn.items() if texts and key[0] in "nce"} <= set(labels)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda x: x.title)
def test_a_moved_input_gives_the_numbers_of_a_new_page(playground, example):
    run_example(playground, example)
    moved = {name: value + 0.25 for name, value in playground.numbers.items()}
    answer = ask(playground, "move", numbers=moved)
    other = Playground()
    fresh = ask(other, "run", mode=example.mode, text=example.text, numbers=moved)
    if example.title.startswith("Gradient descent"):  # the program changes its inputs, so it has another result
        assert answer["values"] != fresh["values"]
        return
    assert answer["values"] == fresh["values"]
    data = data_of(fresh["page"])
    assert answer["numbers"]["steps"] == data["steps"]
    assert answer["numbers"]["breakdowns"] == data["breakdowns"]
    told = re.findall(r'<li><a href="#step=\d+">(.*)</a></li>', fresh["page"])
    assert answer["numbers"]["told"] == told
    assert answer["numbers"]["texts"] == renumbered(other.stepper(), other.options)["texts"]
    svg = re.search(r"<svg.*?</svg>", fresh["page"], re.DOTALL)[0].replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    drawn = texts_in(ElementTree.fromstring(svg))
    assert answer["numbers"]["texts"] == {key: drawn[key] for key in answer["numbers"]["texts"]}


def test_an_input_that_changes_a_branch_runs_the_program_again(playground):
    text = "x = Value(2.0)\nif x > 1:\n    y = x * x\nelse:\n    y = x + 5"
    ask(playground, "run", mode="python", text=text)
    assert "numbers" in ask(playground, "move", numbers={"x": 3.0})
    assert ask(playground, "move", numbers={"x": 0.5}) == {"again": True}
    again = ask(playground, "run", mode="python", text=text, numbers={"x": 0.5})
    assert again["values"][-1]["value"] == "5.5"
    assert again["text"] == text.replace("2.0", "0.5")


# --- errors


@pytest.mark.parametrize(
    ("mode", "text", "line", "said"),
    [
        ("expression", "J = 3*(a + d", 1, r"never closed"),
        ("expression", "u = 3*b\nJ = foo(u)", 2, r"There is no function 'foo'"),
        ("expression", "J = 3a", 1, r"Write a product with \*: 3\*a"),
        ("expression", "J = a^2", 1, r"Write a power with \*\*"),
        ("expression", "", 1, r"The expression is empty"),
        ("python", "x = Value(2\ny = 3", 1, r"Python cannot read this line: '\(' was never closed"),
        ("python", "x = Value(2)\ny = 3x", 2, r"write a product with \*"),
        ("python", "x = Value(2)\n  y = 3", 2, r"The indentation is wrong"),
        ("python", "x = Value(2)\nyes = x\nz = ye * 2", 3, r"There is nothing named 'ye' yet: did you mean 'yes'\?"),
        ("python", "x = Value(2)\ny = x * w", 2, r"nothing named 'w' yet: write w = Value\(1\.0\) first"),
        ("python", "def f():\n    return f()\nx = f()", 2, r"calls itself too often"),
        ("python", "x = 1 / 0", 1, r"divides by zero"),
        ("python", "x = Value(2)\nif x: pass", 2, r"A Value has no truth value"),
        ("python", "x = Value([1, 2])", 1, r"\[1, 2\] \(list\) is not a real number"),
        ("python", "import nosuch", 1, r"There is no module named 'nosuch' in this page"),
        ("python", "raise SystemExit", 1, r"The program ended itself"),
        ("python", "x = [][3]", 1, r"list index out of range"),
        ("python", "x = Value(2)", 0, r"The program computes no Value"),
        ("python", "x = Value(2)\ny = x * x\nx.data = 3", 0, r"was edited after this graph was recorded"),
        (
            "python",
            "x = Value(1)\nfor i in range(300): x = x * 2",
            0,
            rf"301 nodes, and this page draws at most {LARGEST}",
        ),
    ],
)
def test_an_error_is_one_sentence_at_its_line(playground, mode, text, line, said):
    problem = ask(playground, "run", mode=mode, text=text)["problem"]
    assert re.search(said, problem["message"])
    assert problem["line"] == line
    assert problem["message"].endswith(("?", ".", "…"))
    assert "\n" not in problem["message"]
    assert "Traceback" not in problem["message"]


def test_numpy_is_explained_where_it_is_missing():
    program = """
import sys
sys.modules["numpy"] = None
from tinygraph.playground.session import Playground
for text in ("import numpy as np", "from tinygraph import Tensor; t = Tensor([1.0])"):
    print(Playground().answered({"kind": "run", "mode": "python", "text": text})["problem"]["message"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    line = "This needs NumPy, which does not run in this page: use a notebook with tinygraph installed."
    assert done.stdout.splitlines() == [line, line]


def test_the_session_loads_no_numpy():
    program = """
import sys, tinygraph
from tinygraph.drawing import use_engine
use_engine(lambda dot: "<svg width='10pt' height='10pt' viewBox='0 0 10 10'></svg>")
from tinygraph.playground.session import HANDLERS
print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_request_that_the_page_never_sends_is_refused(playground):
    with pytest.raises(ValueError, match="kind must be one of 'start'"):
        ask(playground, "stop")


def test_a_new_worker_asks_for_the_program_again(playground):
    assert ask(playground, "move", numbers={}) == {"again": True}
    said = "There is no graph yet: run an expression or a program first."
    assert ask(playground, "export", format="svg")["problem"]["message"] == said


def test_a_program_with_an_error_keeps_the_graph_that_is_shown(playground):
    run_example(playground, LECTURE)
    ask(playground, "run", mode="python", text="x = Value(2.0)\ny = x *")
    assert ask(playground, "move", numbers={"b": 7.0})["values"][-1]["value"] == "57"
    assert "u = b*c" in ask(playground, "export", format="python")["file"]["text"]


# --- files


@pytest.mark.parametrize("example", [EXAMPLES[0], EXAMPLES[5], EXAMPLES[7]], ids=lambda x: x.title)
def test_every_file_can_be_saved(playground, example, tmp_path):
    run_example(playground, example)
    for kind in ("svg", "animation", "worksheet", "python"):
        file = ask(playground, "export", format=kind)["file"]
        assert re.fullmatch(r"[\w-]+\.(svg|html|py)", file["name"])
        if kind in ("svg", "animation"):
            ElementTree.fromstring(file["text"])
        (tmp_path / file["name"]).write_text(file["text"], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / file["name"]], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.startswith("step 1/")
    assert (tmp_path / f"{playground.root.name}.svg").is_file()


def test_a_file_that_the_graph_does_not_have_gets_one_sentence(playground):
    ask(playground, "run", mode="python", text="x = Value(2.0)\ny = x * x")
    assert "must be one of 'svg'" in ask(playground, "export", format="exe")["problem"]["message"]


# --- code blocks of the documentation


def test_a_block_runs_after_the_blocks_above_it(playground):
    blocks = [
        ["from tinygraph import Value, draw\n", "x = Value(3.0, 'x')\n"],
        ["y = x * x\n", "y\n"],
        ["x.data += 1\n", "x.data\n"],
    ]
    last = ask(playground, "block", page="a", blocks=blocks, at=1)
    assert (last["text"], last["problem"]) == ("Value(9.0, op='mul')\n", None)
    assert ask(playground, "block", page="a", blocks=blocks, at=2)["text"] == "4.0\n"
    assert ask(playground, "block", page="a", blocks=blocks, at=2)["text"] == "4.0\n", (
        "a second run starts from the top"
    )
    assert ask(playground, "block", page="b", blocks=[["x\n"]], at=0)["problem"]["message"].startswith(
        "There is nothing"
    )


def test_a_block_shows_diagrams(playground):
    blocks = [
        ["from tinygraph import Value, draw, Stepper\n", "y = Value(3.0, 'x') * 2\n", "draw(y)\n", "Stepper(y)\n"]
    ]
    answer = ask(playground, "block", page="a", blocks=blocks, at=0)
    assert [picture[:4] for picture in answer["pictures"]] == ["<svg", "<svg"]
    assert answer["text"] == ""


def test_the_leaves_belong_to_the_graph(playground):
    for example in EXAMPLES:
        run_example(playground, example)
        assert set(playground.leaves.values()) <= set(order(playground.root))
