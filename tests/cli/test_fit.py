"""The output and the files of `tinygraph fit`; bad input does not change any file."""

import json
import os
import pty
import subprocess
import sys

import pytest

import tinygraph
from tests.cli.commands import run
from tinygraph.cli.main import main

GOOD = "x,y,label\n" + "".join(f"{i},{(i * 7) % 5},{'a' if i < 10 else 'b'}\n" for i in range(20))


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "t.csv"
    path.write_text(GOOD)
    return path


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
    # The file contains everything that a prediction needs.
    row = [(x - m) / s for x, m, s in zip([19.0, 3.0], model["mean"], model["std"], strict=True)]
    z = sum(w * x for w, x in zip(model["coef"], row, strict=True)) + model["intercept"]
    assert model["classes"][z > 0] == "b"


@pytest.mark.parametrize("loss", ["cross_entropy", "cross_entropy_with_logits", "squared_error"])
def test_every_loss_and_output(table, loss):
    assert (
        main(["fit", "t.csv", "--target", "label", "--iterations", "3", "--loss", loss, "--out", "t.csv/x.json"]) == 2
    )
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "3", "--loss", loss, "--out", "x.json"]) == 0
    assert json.loads((table.parent / "x.json").read_text())["loss"] == loss
    assert sorted(os.listdir(table.parent)) == ["t.csv", "x.json"]


BAD = {
    "no such file": ("none.csv", None, [], "none.csv: there is no such file"),
    "no such column": ("t.csv", GOOD, ["--target", "labl"], "'labl'; the most similar name is 'label'"),
    "not a number": ("t.csv", GOOD + "x,1,a\n", [], "t.csv, row 22, column 'x': 'x' is not a number"),
    "nan": ("t.csv", GOOD + "1,NaN,a\n", [], "t.csv, row 22, column 'y': 'NaN' is not a finite number"),
    "one class": ("t.csv", "x,label\n1,a\n2,a\n", [], "t.csv, column 'label': all 2 rows are of class 'a'"),
    "three classes": ("t.csv", GOOD + "1,2,c\n", [], "t.csv, row 22, column 'label': 'c' is a third class"),
    "empty": ("t.csv", "", [], "t.csv: the file is empty"),
    "the folder of the output is a file": ("t.csv", GOOD, ["--out", "model.json/m.json"], "model.json/m.json: "),
    "the output is a folder": ("t.csv", GOOD, ["--out", "."], "folder"),
    "the output is the table": ("t.csv", GOOD, ["--out", "t.csv"], "t.csv: this is the input file"),
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
    table.write_text(GOOD + "3,4,b\n" * 5)  # no line separates the classes now
    assert main(["fit", "t.csv", "--target", "label", "--loss", "cross_entropy", "--learning-rate", "1.7e308"]) == 2
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

    def interrupted(self, X, y, *, on_iteration):
        def stop(iteration, cost):
            if iteration == 5:
                raise KeyboardInterrupt

        return ours(self, X, y, on_iteration=stop)

    monkeypatch.setattr("tinygraph.logistic.model.LogisticRegression.fit", interrupted)
    assert main(["fit", "t.csv", "--target", "label"]) == 130
    assert "stopped after 5 of 10000 iterations; model.json was not changed" in capsys.readouterr().err
    assert (table.parent / "model.json").read_text() == "mine"
    stopped = json.loads((table.parent / "model-stopped.json").read_text())
    monkeypatch.setattr("tinygraph.logistic.model.LogisticRegression.fit", ours)
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "5", "--out", "five.json"]) == 0
    assert stopped == json.loads((table.parent / "five.json").read_text())


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


def test_the_command_says_what_it_left_out(table, capsys):
    lines = GOOD.splitlines()
    table.write_text("\n".join([f",{lines[0]}", *[f"{i},{line}" for i, line in enumerate(lines[1:])]]) + "\n")
    assert main(["fit", "t.csv", "--target", "label", "--iterations", "1"]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("  t.csv: column 1 has no name, so it is left out\n")
    assert not out.err or "Warning" not in out.err
    assert json.loads((table.parent / "model.json").read_text())["features"] == ["x", "y"]


def test_a_gradient_of_zero_agrees_with_itself(table, capsys):
    """0/0 was reported as a disagreement of NaN."""
    table.write_text("x,label\n" + "".join(f"{i},{'a' if i < 10 else 'b'}\n" for i in (*range(5), *range(15, 20))))
    options = ["--learning-rate", "1e4", "--loss", "squared_error", "--iterations", "20"]
    assert main(["fit", "t.csv", "--target", "label", *options]) == 0
    assert "they agree" in capsys.readouterr().out
