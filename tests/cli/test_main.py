"""The command: what it prints and writes, and that bad input changes nothing."""

import json
import os
import pty
import subprocess
import sys

import pytest

import tinygraph
from tinygraph.cli.main import main
from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.layout_engines import find_engine
from tinygraph.support import terminal

GOOD = "x,y,label\n" + "".join(f"{i},{(i * 7) % 5},{'a' if i < 10 else 'b'}\n" for i in range(20))


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "t.csv"
    path.write_text(GOOD)
    return path


def run(*args, **options):
    return subprocess.run([sys.executable, "-m", "tinygraph", *args], capture_output=True, text=True, **options)


def test_the_demo(tmp_path):
    out = run("demo", cwd=tmp_path)
    assert out.returncode == 0, out.stderr
    lines = [line.strip() for line in out.stdout.splitlines()]
    for line in (
        "u = b × c = 3 × 2 = 6",
        "v = a + u = 5 + 6 = 11",
        "J = 3 × v = 3 × 11 = 33",
        "dJ/dv += dJ/dJ · dJ/dv = 1 × 3 = 3",
        "dJ/da += dJ/dv · dv/da = 3 × 1 = 3",
        "dJ/db += dJ/du · du/db = 3 × 2 = 6",
        "dJ/dc += dJ/du · du/dc = 3 × 3 = 9",
        "b: 3 → 3.001, J: 33 → 33.006, so dJ/db = 6.000 (backward: 6)",
    ):
        assert line in lines
    path = tmp_path / "tinygraph-demo" / "breast_cancer_model.json"
    assert f"wrote the parameters to {path}" in out.stdout
    model = json.loads(path.read_text())
    assert model["accuracy"]["test"] >= 0.95
    assert f"accuracy {model['accuracy']['train']:.1%} on the training rows" in out.stdout
    assert model["costs"] == sorted(model["costs"], reverse=True)
    assert len(model["coef"]) == len(model["features"]) == 30
    assert out.stdout.count("they agree: cost and gradient differ by") == 3
    assert "\n    Z = w.T @ X + b\n    A = sigmoid(Z)\n" in out.stdout  # the program that the loops became
    assert out.stdout.count("as two loops") == 4
    drawn = {
        path.stem for path in (tmp_path / "tinygraph-demo").glob("*.[sd][vo][gt]")
    }  # .svg, or .dot without an engine
    assert drawn == {"J", "one_example_scalar", "one_example_tensor"}


def test_fit_trains_and_saves(table, capsys):
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "50", "--learning-rate", "1", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    model = json.loads((table.parent / "model.json").read_text())
    assert model["features"] == ["x", "y"]
    assert model["classes"] == ["a", "b"]
    assert (model["iterations"], model["learning_rate"], model["seed"]) == (50, 1.0, 3)
    assert "accuracy 100.0% on the training rows" in out
    assert out.count("iteration ") == 11
    assert f"wrote the parameters to {table.parent / 'model.json'}" in out
    # The file says all that is needed to predict.
    row = [(x - m) / s for x, m, s in zip([19.0, 3.0], model["mean"], model["std"], strict=True)]
    z = sum(w * x for w, x in zip(model["coef"], row, strict=True)) + model["intercept"]
    assert model["classes"][z > 0] == "b"


@pytest.mark.parametrize("loss", ["cross_entropy", "cross_entropy_with_logits", "squared_error"])
def test_every_loss_and_output(table, loss):
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "3", "--loss", loss, "--out", "m/../x.json"]) == 2
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "3", "--loss", loss, "--out", "x.json"]) == 0
    assert json.loads((table.parent / "x.json").read_text())["loss"] == loss
    assert sorted(os.listdir(table.parent)) == ["t.csv", "x.json"]


BAD = {
    "no such file": ("none.csv", None, [], "none.csv: there is no such file"),
    "no such column": ("t.csv", GOOD, ["--target", "labl"], "t.csv: has no column 'labl'; did you mean 'label'?"),
    "not a number": ("t.csv", GOOD + "x,1,a\n", [], "t.csv, row 22, column 'x': 'x' is not a number"),
    "nan": ("t.csv", GOOD + "1,NaN,a\n", [], "t.csv, row 22, column 'y': 'NaN' is not a finite number"),
    "one class": ("t.csv", "x,label\n1,a\n2,a\n", [], "t.csv, column 'label': all 2 rows are of class 'a'"),
    "three classes": ("t.csv", GOOD + "1,2,c\n", [], "t.csv, row 22, column 'label': 'c' is a third class"),
    "empty": ("t.csv", "", [], "t.csv: is empty"),
    "no folder for the output": ("t.csv", GOOD, ["--out", "no/m.json"], "no/"),
    "the output is a folder": ("t.csv", GOOD, ["--out", "."], "folder"),
    "the output is the table": ("t.csv", GOOD, ["--out", "t.csv"], "t.csv: is the table itself"),
    "one row of a class": ("t.csv", "x,label\n1,a\n2,a\n3,b\n", [], "t.csv, column 'label': one row of class 'b'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence_and_changes_nothing(case, tmp_path, monkeypatch, capsys):
    name, text, options, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.json").write_text("mine")
    if text is not None:
        (tmp_path / name).write_text(text)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    target = [] if "--target" in options else ["--target", "label"]
    assert main(["fit", name, *target, *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tinygraph: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "options",
    [
        ["--learning-rate", "0"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "fast"],
        ["--iterations", "-1"],
        ["--iterations", "1.5"],
        ["--loss", "hinge"],
        ["--seed", "x"],
    ],
    ids=lambda options: "=".join(options),
)
def test_bad_options_are_refused(table, options, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fit", "t.csv", "--target", "label", *options])
    assert caught.value.code == 2
    assert options[0] in capsys.readouterr().err
    assert not (table.parent / "model.json").exists()


def test_divergence_is_one_sentence(table, capsys):
    table.write_text(GOOD + "3,4,b\n" * 5)  # no longer to be separated
    assert main(["fit", "t.csv", "--target", "label", "--loss", "cross_entropy", "--learning-rate", "1e6"]) == 2
    assert "lower the learning rate" in capsys.readouterr().err
    assert not (table.parent / "model.json").exists()


def test_ctrl_c_leaves_the_old_file(table, monkeypatch, capsys):
    (table.parent / "model.json").write_text("mine")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinygraph.logistic.model.LogisticRegression.fit", interrupted)
    assert main(["fit", "t.csv", "--target", "label"]) == 130
    assert "stopped" in capsys.readouterr().err
    assert (table.parent / "model.json").read_text() == "mine"


def test_ctrl_c_in_the_middle_of_training_saves_what_was_learned_beside(table, monkeypatch, capsys):
    (table.parent / "model.json").write_text("mine")
    ours = tinygraph.logistic.LogisticRegression.fit

    def interrupted(self, X, y, on_iteration):
        def stop(iteration, cost):
            if iteration == 5:
                raise KeyboardInterrupt

        return ours(self, X, y, stop)

    monkeypatch.setattr("tinygraph.logistic.model.LogisticRegression.fit", interrupted)
    assert main(["fit", "t.csv", "--target", "label"]) == 130
    assert "stopped after 5 of 100 iterations; model.json is as it was" in capsys.readouterr().err
    assert (table.parent / "model.json").read_text() == "mine"
    stopped = json.loads((table.parent / "model-stopped.json").read_text())
    monkeypatch.setattr("tinygraph.logistic.model.LogisticRegression.fit", ours)
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "5", "--out", "five.json"]) == 0
    assert stopped == json.loads((table.parent / "five.json").read_text())


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    from tinygraph.support.files import write_whole

    path = tmp_path / "m.json"
    write_whole(path, "old")

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.json"]


def test_a_closed_pipe_is_no_traceback(table):
    pipe = subprocess.Popen(
        [sys.executable, "-m", "tinygraph", "fit", "t.csv", "--target", "label", "--iterations", "2000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=table.parent,
    )  # fmt: skip
    pipe.stdout.readline()
    pipe.stdout.close()
    assert pipe.wait(60) == 141
    assert pipe.stderr.read() == ""
    pipe.stderr.close()


def test_help_and_version(capsys):
    for args in (["--help"], ["demo", "--help"], ["fit", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(args)
        assert caught.value.code == 0
        assert "usage: tinygraph" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tinygraph {tinygraph.__version__}\n"
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_ascii_where_the_output_is_not_unicode(table):
    out = run(
        "fit",
        "t.csv",
        "--target",
        "label",
        "--iterations",
        "2",
        cwd=table.parent,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert out.returncode == 0, out.stderr
    assert "cost 0.6931 -> " in out.stdout


def test_a_bar_in_a_terminal(table):
    pytest.importorskip("rich", reason="needs the extra cli")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygraph", "fit", "t.csv", "--target", "label", "--iterations", "20"],
        stdout=theirs, stderr=theirs, cwd=table.parent, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    text = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(ours)
    assert process.wait(60) == 0
    assert "━" in text.decode()
    assert "iteration 20/20" in text.decode()


def test_lines_in_a_terminal_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with terminal.progress("descent", 3) as on_iteration:
        for iteration in (1, 2, 3):
            on_iteration(iteration, 1.0 / iteration)
    assert capsys.readouterr().out.count("descent: iteration") == 3


# --- draw and doctor

LECTURE = ["draw", "u = b*c; v = a + u; J = 3*v", "a=5", "b=3", "c=2"]


def test_draw_prints_the_tree_and_writes_the_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(LECTURE) == 0
    assert capsys.readouterr().out.split("\n")[0] == "J = 3 × v   data 33.0   grad 1.0"
    assert main([*LECTURE, "-o", "J.dot", "--title", "J = 3(a + bc)", "--parameters", "a, b", "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'J.dot'}\n"
    source = (tmp_path / "J.dot").read_text()
    assert "dJ/du · du/db" in source
    assert source.count("class=parameter") == 2
    assert main([*LECTURE, "-o", "J.gv", "--forward", "--tree", "--notation", "dv", "--direction", "TB"]) == 0
    out = capsys.readouterr().out
    assert "grad ·" in out
    assert "class=backward" not in (tmp_path / "J.gv").read_text()
    assert "rankdir=TB" in (tmp_path / "J.gv").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", "J = 3*(a + d)", "a=5"], "'d' has no number: say d=...\n  J = 3*(a + d)\n             ^"),
        (["draw", "J = -a", "a=5", "b=2"], "'b' has a number, but does not occur"),
        (["draw", "J = -a", "a=5", "a=6"], "'a' has two numbers"),
        (["draw", "2*a", "a=5", "-o", "J.gif"], "--out J.gif: the name must end in one of .svg, .png, .pdf, .dot, .gv"),
        (["draw", "2*a", "a=5", "--parameters", "b"], "--parameters: 'b' is no input of the expression"),
        (["draw", "2*a", "a=5", "-o", "no/J.dot"], "no/"),
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
        assert main([*command, "--html", "walk.html"]) == 2
        assert "pip install" in capsys.readouterr().err
        return
    assert main([*command, "--html", "walk.html"]) == 0
    page = (tmp_path / "walk.html").read_text(encoding="utf-8")
    assert page.count('<li><a href="#step=') == 9, "both passes"
    assert "walk.html" in capsys.readouterr().out
    assert main([*command, "--phase", "forward", "--html", "walk.html"]) == 0
    assert (tmp_path / "walk.html").read_text(encoding="utf-8").count('<li><a href="#step=') == 3
    capsys.readouterr()
    assert main([*command, "--html", "walk.svg"]) == 2
    assert "--html walk.svg: the name must end in .html or .htm" in capsys.readouterr().err
    assert main(["step", "+".join(["x"] * 700), "x=1", "--html", "walk.html"]) == 2
    assert "--html: 700 cards on a page cannot be read" in capsys.readouterr().err
    assert main([*command, "--html", "no-folder/walk.html"]) == 2
    assert "no-folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["walk.html"]


def test_numbers_may_stand_behind_options(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "a*b", "--parameters", "a,b", "a=1", "b=2", "-o", "p.dot"]) == 0
    for wrong in (["--colour", "red"], ["x"], ["a=1=2"], ["--", "a=x"]):
        with pytest.raises(SystemExit):
            main(["draw", "a*b", "--tree", *wrong])
    assert main(["draw", "--tree", "--", "-a", "a=1"]) == 0
    assert "-a   data -1.0" in capsys.readouterr().out


@pytest.mark.parametrize("binding", ["a", "a=x", "=3", "3=a", "a b=2"])
def test_an_input_is_a_name_and_a_number(binding, capsys):
    with pytest.raises(SystemExit) as left:
        main(["draw", "2*a", binding])
    assert left.value.code == 2
    assert "is not" in capsys.readouterr().err


def test_without_an_engine_draw_and_doctor_say_what_to_do(tmp_path):
    nothing = {"PATH": str(tmp_path), "TINYGRAPH_DOT": "nowhere"}
    out = run(*LECTURE, "-o", "J.svg", cwd=tmp_path, env=nothing)
    assert out.returncode == 2
    assert "pip install 'tinygraph-autodiff[render]'" in out.stderr
    assert "Traceback" not in out.stderr
    assert run(*LECTURE, "-o", "J.dot", cwd=tmp_path, env=nothing).returncode == 0
    doctor = run("doctor", cwd=tmp_path, env=nothing)
    assert doctor.returncode == 1
    assert "No picture can be drawn: the variable TINYGRAPH_DOT='nowhere'" in doctor.stdout
    assert os.listdir(tmp_path) == ["J.dot"]


def test_the_doctor_says_what_is_there(capsys, tmp_path, monkeypatch):
    engine = tmp_path / "dot"
    engine.write_text("#!/bin/sh\necho dot version 7 >&2\necho '<svg/>'\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("TINYGRAPH_DOT", raising=False)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"tinygraph {tinygraph.__version__}" in out
    assert f"{engine} (dot version 7)" in out
    assert f"A picture was drawn with {engine}" in out


def test_a_graph_is_saved_verified_drawn_and_walked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*LECTURE, "-o", "J.json"]) == 0
    assert main(["verify", "J.json"]) == 0
    assert "J.json: 6 nodes, and every number is what its op computes" in capsys.readouterr().out
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
        "tinygraph: J.json, node 4 (v = a + u): its data is 12.0, but its row computes 11.0\n"
    )


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (None, ["draw"], "No such file"),
        ("{", ["verify"], "not JSON"),
        ("{}", ["step"], "no graph of this library"),
        ("one", ["draw", "a=3"], "has its own numbers"),
        ("two", ["draw"], "holds 2 graphs"),
        ("array", ["draw"], "an array of shape (2,)"),
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
    assert "every number and every gradient is finite" in capsys.readouterr().out
