"""The output and the files of draw, step, diagnose and verify; each error is one sentence."""

import io
import os
import re

import pytest

import tinygraph
from tests.cli.commands import LECTURE
from tests.engines import needed_engine
from tinygraph.cli.expressions import parse
from tinygraph.cli.main import main
from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.layout_engines import find_engine
from tinygraph.worksheets import by_hand, find_bug


def test_draw_prints_the_tree_and_writes_the_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(LECTURE) == 0
    assert capsys.readouterr().out.split("\n")[0] == "J = 3 × v   data 33.0   grad 1.0"
    assert main([*LECTURE, "-o", "J.dot", "--title", "J = 3(a + bc)", "--parameters", "a, b", "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'J.dot'}\n"
    source = (tmp_path / "J.dot").read_text()
    assert "dJ/du · ∂u/∂b" in source
    assert source.count("class=parameter") == 2
    assert main([*LECTURE, "-o", "J.gv", "--forward", "--tree", "--notation", "dv", "--direction", "TB"]) == 0
    out = capsys.readouterr().out
    assert "grad ·" in out
    assert "class=backward" not in (tmp_path / "J.gv").read_text()
    assert "rankdir=TB" in (tmp_path / "J.gv").read_text()


def test_draw_takes_the_size_of_a_slide(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*LECTURE, "-o", "J.dot", "--compact"]) == 0
    assert ">data<" not in (tmp_path / "J.dot").read_text()
    for side in ("--width", "--height"):
        with pytest.raises(SystemExit):
            main([*LECTURE, "-o", "no.svg", side, "0"])
        assert f"argument {side}: 0 is not a positive number" in capsys.readouterr().err
    try:
        find_engine()
    except EngineNotFoundError:
        return
    assert main([*LECTURE, "-o", "J.svg", "--width", "1920", "--height", "1080"]) == 0
    assert 'width="1920" height="1080"' in (tmp_path / "J.svg").read_text(encoding="utf-8")
    assert not (tmp_path / "no.svg").exists()
    capsys.readouterr()
    assert main([*LECTURE, "-o", "large.png", "--width", "40000"]) == 2
    assert re.search(
        r"--out: a \.png of 40,000 × [\d,]+ pixels is too large: choose a smaller", capsys.readouterr().err
    )
    assert not (tmp_path / "large.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", "J = 3*(a + d)", "a=5"], "'d' has no value: pass d=...\n  J = 3*(a + d)\n             ^"),
        (["draw", "J = -a", "a=5", "b=2"], "'b' has a value, but does not occur"),
        (["draw", "J = -a", "a=5", "a=6"], "'a' has two values"),
        (["draw", "2*a", "a=5", "-o", "J.gif"], "--out J.gif: the name must end in one of .svg, .png, .pdf, .dot, .gv"),
        (["draw", "2*a", "a=5", "--parameters", "b"], "--parameters: 'b' is not an input of the expression"),
        (["draw", "2*a", "a=5", "-o", "/dev/null/J.dot"], "/dev/null/J.dot: "),
    ],
)
def test_draw_says_what_is_wrong_and_writes_nothing(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tinygraph: ")
    assert message in captured.err
    assert not os.listdir(tmp_path)


def test_step_writes_the_walk_as_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["step", "u = b*c; v = a + u; J = 3*v", "a=5", "b=3", "c=2"]
    try:
        find_engine()
    except EngineNotFoundError:
        assert main([*command, "--out", "walk.html"]) == 2
        assert "pip install" in capsys.readouterr().err
        return
    assert main([*command, "--out", "walk.html", "--title", "a <title>", "--number", ".1f"]) == 0
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert page.count('<li><a href="#step=') == 9, "both passes"
    assert "<title>a &lt;title&gt;</title>" in page
    assert ">33.0<" in page
    assert "walk.html" in capsys.readouterr().out
    assert main([*command, "--phase", "forward", "-o", "walk.html", "--hide"]) == 0
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert page.count('<li><a href="#step=') == 3
    assert '"hide":true' in page
    capsys.readouterr()
    assert main([*command, "--out", "walk.txt"]) == 2
    assert "--out: the path of a walkthrough must end in one of .html, .htm, .svg" in capsys.readouterr().err
    assert main(["step", "+".join(["x"] * 700), "x=1", "--out", "walk.html"]) == 2
    assert "--out: a player shows at most 600 nodes, got 700" in capsys.readouterr().err
    assert main([*command, "--out", "/dev/null/walk.html"]) == 2
    assert "/dev/null/walk.html: Not a directory" in capsys.readouterr().err
    assert main([*command, "--out", "walk.html", "--number", "pink"]) == 2
    assert "--number must be a format for floats, such as '.4g', not 'pink'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["walk.html"]


TWICE = ["step", "u = b*c; v = a + u; J = 3*v + u", "a=5", "b=3", "c=2"]  # u is used twice


def typed(monkeypatch, *lines):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))


def test_step_by_hand_asks_and_scores_as_the_exercise_does(monkeypatch, capsys):
    hand = by_hand(parse(TWICE[1], {"a": 5.0, "b": 3.0, "c": 2.0}))
    answers = [str(question.answer) for question in hand.questions]
    typed(monkeypatch, answers[0], "7", "show", *answers[2:])
    assert main([*TWICE, "--by-hand"]) == 0
    for answer in (answers[0], "7"):
        hand.answer(answer)
    hand.show()
    for answer in answers[2:]:
        hand.answer(answer)
    said = capsys.readouterr().out
    assert said.endswith(f"{hand.score}\n")
    assert [line for line in said.splitlines() if line.startswith("question ")] == [
        f"question {question.number}/{len(answers)}  {question.text}" for question in hand.questions
    ]


def test_step_finds_the_bug_of_a_chosen_and_of_a_random_opponent(monkeypatch, capsys):
    bug = find_bug(parse(TWICE[1], {"a": 5.0, "b": 3.0, "c": 2.0}), "= for +=")
    typed(monkeypatch, "6")
    assert main([*TWICE, "--find-bug", "--opponent", "= for +="]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{bug}\n")
    assert said.endswith(f"  {bug.pick(6).text}\n{bug.score}\n")
    typed(monkeypatch, "show", "show")
    assert main([*TWICE, "--find-bug"]) == 0
    assert "is the first wrong step" in (said := capsys.readouterr().out)
    assert said.endswith("0 of 2 right at the first answer, 2 shown\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by-hand", "--phase", "forward"], "--phase forward has no gradients to ask for: leave it out"),
        (["--opponent", "= for +="], "--opponent needs --find-bug without --out"),
        (["--find-bug", "--opponent", "= for +=", "--out", "walk.html"], "the reader chooses the opponent"),
        (["--find-bug", "--by-hand"], "not allowed with argument"),
        (["--find-bug", "--opponent", "none"], "invalid choice: 'none'"),
        (["--by-hand", "--out", "walk.gif"], "--out: --by-hand needs an .html file, not 'walk.gif'"),
    ],
)
def test_a_wrong_exercise_is_refused_in_one_sentence(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main([*TWICE, *arguments])
    except SystemExit as left:  # from argparse
        code = left.code
    assert code == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert not captured.out
    assert not os.listdir(tmp_path)


def test_an_opponent_that_makes_no_mistake_is_refused(capsys):
    assert main(["step", "z = a*b", "a=5", "b=3", "--find-bug", "--opponent", "= for +="]) == 2
    assert "'= for +=' makes no mistake on the graph of z: choose one of" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["--by-hand", "--find-bug"])
def test_step_writes_the_exercises_as_a_page(how, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    needed_engine()
    assert main([*TWICE, how, "--out", "hand.html"]) == 0
    assert '"questions":[' in (tmp_path / "hand.html").read_text(encoding="utf-8")


def test_step_writes_an_animation_and_frames(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["step", "u = b*c; v = a + u; J = 3*v", "a=5", "b=3", "c=2", "--parameters", "b"]
    needed_engine()
    assert main([*command, "--out", "walk.svg", "--seconds", "0.5", "--theme", "dark"]) == 0
    assert "walk.svg" in capsys.readouterr().out
    text = (tmp_path / "walk.svg").read_text(encoding="utf-8")
    assert "animation:6s step-end infinite" in text, "9 steps of 0.5 s, and 3 more at the end"
    assert "parameter" in text
    assert main([*command, "--out", "frames/{}.svg", "--no-caption", "--width", "1920", "--compact"]) == 0
    assert "0.svg ... 9.svg (10 files)" in capsys.readouterr().out
    assert len(list((tmp_path / "frames").iterdir())) == 10
    assert all('width="1920"' in path.read_text(encoding="utf-8") for path in (tmp_path / "frames").iterdir())
    assert not any("step 1/9" in path.read_text(encoding="utf-8") for path in (tmp_path / "frames").iterdir())


def test_a_graph_is_saved_verified_drawn_and_walked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*LECTURE, "-o", "J.json"]) == 0
    assert main(["verify", "J.json"]) == 0
    assert "J.json: 6 nodes, and every value matches the result of its op" in capsys.readouterr().out
    assert main(["draw", "J.json"]) == 0
    drawn = capsys.readouterr().out
    assert main(LECTURE) == 0
    assert drawn == capsys.readouterr().out
    assert main(["draw", "J.json", "-o", "again.json"]) == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "J.json").read_bytes()
    text = (tmp_path / "J.json").read_text(encoding="utf-8").replace("11.0", "12.0")
    (tmp_path / "J.json").write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert main(["verify", "J.json"]) == 2
    assert capsys.readouterr().err == (
        "tinygraph: J.json, node 4 (v = a + u): its data is 12.0, but its op computes 11.0\n"
    )


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, ["draw"], "No such file"),
        ("{", ["verify"], "not JSON"),
        ("{}", ["step"], "not a graph that tinygraph saved"),
        ("one", ["draw", "a=3"], "contains its own values"),
        ("two", ["draw"], "contains 2 graphs"),
        ("array", ["draw"], "a Tensor of shape (2,)"),
    ],
)
def test_a_saved_graph_that_cannot_be_used_gets_one_sentence(content, arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = tinygraph.Value(1.0, "x")
    graphs = {"one": x * x, "two": [x, x * x], "array": tinygraph.Tensor([1.0, 2.0]) * 2.0}
    if content in graphs:
        tinygraph.save(graphs[content], "J.json")
    elif content is not None:
        (tmp_path / "J.json").write_text(content, encoding="utf-8")
    command, *numbers = arguments
    assert main([command, "J.json", *numbers]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_diagnose_says_where_it_began(capsys):
    assert main(["diagnose", "a = sigmoid(z); L = log(a)", "z=-800"]) == 1
    assert capsys.readouterr().out.startswith("log of 0: log(a) = -inf, where a = 0\n")
    assert main(["diagnose", "2*a", "a=1"]) == 0
    assert "every value and every gradient is finite" in capsys.readouterr().out
