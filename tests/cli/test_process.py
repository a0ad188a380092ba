"""The process of the command: closed and full streams, pipes whose reader stops, and Ctrl-C. Never a traceback."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.cli.commands import LECTURE, run
from tests.engines import needed_engine
from tinygraph.cli import main as main_module
from tinygraph.cli.main import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the shell and the signals are those of POSIX")

GRAPH = ["a*b", "a=1", "b=2"]
COMMANDS = {
    "help": ["--help"],
    "draw": ["draw", *GRAPH],
    "draw a file": ["draw", *GRAPH, "-o", "graph.dot"],
    "step": ["step", *GRAPH],
    "diagnose": ["diagnose", *GRAPH],
    "verify": ["verify", "graph.json"],
    "fit": ["fit", "table.csv", "--target", "y", "--iterations", "3"],
    "doctor": ["doctor"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with a saved graph and a table."""
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("x,y\n" + "1,no\n2,yes\n" * 10, encoding="utf-8")
    assert main(["draw", *GRAPH, "-o", "graph.json"]) == 0
    return tmp_path


def shell(arguments, redirections):
    """Run the command with redirections of a shell. Return the exit code and the text on stderr."""
    command = f'"$@" {redirections}'
    process = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, "bash", sys.executable, "-m", "tinygraph", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    return process.returncode, process.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_closed_streams_discard_text(name, folder):
    """Any closed stream was the end of a command that used it, in a traceback."""
    if name == "doctor":
        needed_engine()  # without one, the exit code of `doctor` is 1
    assert shell(COMMANDS[name], "<&- >&-") == (0, "")
    if name == "draw a file":
        assert (folder / "graph.dot").read_text(encoding="utf-8").startswith("digraph")
    if name == "fit":
        assert json.loads((folder / "model.json").read_text(encoding="utf-8"))["iterations"] == 3


def test_an_error_with_closed_stderr_is_an_exit_code():
    assert shell(["verify", "missing.json"], "2>&-") == (2, "")
    assert run("verify", "missing.json").stdout == ""
    out = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m tinygraph verify missing.json 2>&-'],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (out.returncode, out.stdout) == (2, ""), "the message must not move to stdout"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize("name", ["help", "draw", "step"])
def test_a_full_disk_is_one_sentence(name):
    code, text = shell(COMMANDS[name], ">/dev/full")
    assert code == 2
    assert text.startswith("tinygraph: standard ")
    assert text.endswith("output: No space left on device\n")
    assert text.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_message_that_cannot_be_written_leaves_the_exit_code():
    assert shell(["verify", "missing.json"], "2>/dev/full") == (2, "")


@pytest.mark.parametrize("name", ["help", "draw", "step"])
def test_a_pipe_whose_reader_stopped(name):
    assert shell(COMMANDS[name], "| true") == (141, "")


def test_a_broken_pipe_of_messages_and_output():
    """The shell may close the pipe only after a short output is written."""
    code, text = shell(["verify", "missing.json"], "2>&1 >/dev/null | true")
    assert (code, text) == (2, "")


def test_damaged_characters_on_stdin_are_an_unknown_command():
    process = subprocess.run(
        [sys.executable, "-m", "tinygraph", "step", *GRAPH],
        input=b"\xff\ns\n",
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0
    assert b"there is no command" in process.stdout
    assert b"step 1/3" in process.stdout
    assert process.stderr == b""


# --- Ctrl-C


def interrupted(arguments, *, after=None, **options):
    """Start the command, send SIGINT after a text on stdout, and return the exit code and the text on stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tinygraph", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores SIGINT
        **options,
    )
    limit = threading.Timer(60, process.kill)
    limit.start()
    try:
        if after is not None:
            while after not in (line := process.stdout.readline()):
                assert line, process.stderr.read()
            process.send_signal(signal.SIGINT)
        _, text = process.communicate()
    finally:
        limit.cancel()
        process.kill()
    return process.returncode, text


def test_ctrl_c_while_modules_are_imported(folder):
    """Most of the start of a subcommand is its imports, for example of graphviz."""
    fake = folder / "fake"
    fake.mkdir()
    (fake / "graphviz.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n", encoding="utf-8"
    )
    path = os.pathsep.join([str(fake), os.environ["PYTHONPATH"]])
    arguments = ["draw", *GRAPH, "-o", "graph.svg"]
    assert interrupted(arguments, env={**os.environ, "PYTHONPATH": path}) == (130, "tinygraph: stopped\n")


def test_ctrl_c_in_the_debugger():
    assert interrupted(["step", *GRAPH], after="at the start") == (130, "tinygraph: stopped\n")


@pytest.mark.parametrize("arguments", [["draw", *GRAPH, "-o", "graph.svg"], ["doctor"]])
def test_ctrl_c_while_graphviz_works(arguments, folder):
    engine = folder / "engine"
    engine.write_text("#!/bin/sh\nkill -INT $PPID\nexec sleep 60\n", encoding="utf-8")
    engine.chmod(0o755)
    env = {**os.environ, "TINYGRAPH_DOT": str(engine)}
    assert interrupted(arguments, env=env) == (130, "tinygraph: stopped\n")
    assert sorted(os.listdir(folder)) == ["engine", "graph.json", "table.csv"]


def test_ctrl_c_in_the_demo(folder):
    code, text = interrupted(["demo", "--out", "out"], after="Backward")
    assert (code, text) == (130, "tinygraph: stopped\n")


def test_ctrl_c_during_training_keeps_the_last_iteration(folder):
    code, text = interrupted(
        ["fit", "table.csv", "--target", "y", "--learning-rate", "1e-9", "--iterations", "1000000"], after="descent: "
    )
    assert code == 130
    assert "iterations; model.json was not changed\n" in text
    assert "Traceback" not in text
    assert json.loads((folder / "model-stopped.json").read_text(encoding="utf-8"))["iterations"] >= 1


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
def test_ctrl_c_in_every_command(name, monkeypatch, capsys):
    def parsed(argv):
        options = original(argv)
        options.run = stop
        return options

    def stop(_):
        raise KeyboardInterrupt

    original = main_module._parsed
    monkeypatch.setattr(main_module, "_parsed", parsed)
    assert main(COMMANDS[name]) == 130
    assert capsys.readouterr().err == "tinygraph: stopped\n"
    monkeypatch.setattr(main_module, "_parsed", stop)
    assert main(LECTURE) == 130
