"""`tinygraph doctor` reports what is installed, and how to install Graphviz."""

import os

import tinygraph
from tests.cli.commands import LECTURE, run
from tinygraph.cli.main import main


def test_without_an_engine_draw_and_doctor_say_what_to_do(tmp_path):
    nothing = {"PATH": str(tmp_path), "TINYGRAPH_DOT": "nowhere"}
    out = run(*LECTURE, "-o", "J.svg", cwd=tmp_path, env=nothing)
    assert out.returncode == 2
    assert "pip install '.[render]'" in out.stderr
    assert "Traceback" not in out.stderr
    assert run(*LECTURE, "-o", "J.dot", cwd=tmp_path, env=nothing).returncode == 0
    doctor = run("doctor", cwd=tmp_path, env=nothing)
    assert doctor.returncode == 1
    assert "No diagram can be drawn: the variable TINYGRAPH_DOT='nowhere'" in doctor.stdout
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
    assert f"A diagram was drawn with {engine}" in out
