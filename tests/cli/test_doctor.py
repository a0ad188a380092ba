"""`tinygraph doctor` reports what is installed, and how to install Graphviz."""

import importlib
import os
import sys
from importlib import util
from types import SimpleNamespace

import pytest

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


# --- which engine runs

SPEED = "tinygraph.engine._speed"


def first_lines(capsys):
    main(["doctor"])
    return capsys.readouterr().out.partition("Packages")[0]


def broken(name):
    raise ImportError("undefined symbol: spam")


@pytest.mark.parametrize(
    ("loaded", "setting", "spec", "text"),
    [
        (SimpleNamespace(__file__="/x/_speed.so"), "0", None, "Engine: accelerated by /x/_speed.so\n"),
        (None, "1", None, "Engine: pure Python, because TINYGRAPH_PURE is 1; unset this variable"),
        (None, "", None, "because the accelerator is not built for this Python\n  The results are equal"),
        (None, "", "a spec", "cannot be loaded: undefined symbol: spam\n"),
    ],
)
def test_the_doctor_tells_which_engine_runs_and_why(loaded, setting, spec, text, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, SPEED, loaded)
    monkeypatch.setenv("TINYGRAPH_PURE", setting)
    monkeypatch.setattr(util, "find_spec", lambda name: spec if name == SPEED else None)
    monkeypatch.setattr(importlib, "import_module", broken)
    assert text in first_lines(capsys)


def test_the_variable_selects_pure_python(tmp_path):
    out = run("doctor", cwd=tmp_path, env={**os.environ, "TINYGRAPH_PURE": "1"})
    assert "Engine: pure Python, because TINYGRAPH_PURE is 1" in out.stdout
