"""The debugger prints sentences, in a terminal and through a pipe."""

import contextlib
import io
import os
import pty
import subprocess
import sys

import pytest

from tinygraph import Stepper
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.stepping.debugger import Debugger


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def talk(stepper, *lines):
    """Return the output of the debugger for these lines."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(out):
        Debugger(stepper, io.StringIO("\n".join(lines) + "\n")).cmdloop()
    return out.buffer.getvalue().decode()


def test_the_words_of_pdb_and_rr():
    stepper = Stepper(lecture())
    out = talk(
        stepper,
        "s",
        "",
        "u b",
        "rs",
        "p v",
        "e b",
        "b a",
        "w c",
        "b",
        "start",
        "c",
        "c",
        "rc",
        "l",
        "v",
        "d 1",
        "ru J",
    )
    assert "step 2/6" in out  # Enter repeats the last command
    assert "step 5/6  u = b × c" in out
    assert "v.grad = 3" in out
    assert "written by step 2" in out
    assert "not arrived yet (·): 1 of 1 contribution" in out
    assert "breakpoint 2: the gradient of c" in out
    assert "->   3  dJ/da += dJ/dv · ∂v/∂a = 3 × 1 = 3" in out
    assert "◄" in out
    assert stepper.index == 1
    assert all(node.grad is None for node in order(stepper.root))


def test_until_step_0_goes_to_the_start():
    stepper = Stepper(lecture())
    heard = talk(stepper, "s 3", "u 0")
    assert "no later step" not in heard
    assert stepper.index == 0


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("foo", "there is no command 'foo'; h lists the commands"),
        ("u zzz", "no node is named 'zzz'; the names are J, a, b, c, u, v"),
        ("u", "this command needs the name of a node"),
        ("s x", "the argument must be an integer from 0 to 999,999,999, not 'x'"),
        ("s ²", "the argument must be an integer from 0 to 999,999,999, not '²'"),
        ("s " + "9" * 5000, "the argument must be an integer from 0 to 999,999,999, not '99999"),
        ("u ²", "no node is named '²'"),
        ("g 99", "the position k must be from 0 to 6 (the number of steps), not 99"),
        ("d 9", "there is no breakpoint with the number 9"),
        ("rs", "this is the first position"),
        ("b", "there are no breakpoints"),
        ("__import__('os').system('x')", "there is no command"),
        ("h", "s, step [N]: take one step forward, or N steps."),
    ],
)
def test_the_debugger_answers_in_a_sentence(line, answer):
    stepper = Stepper(lecture())
    assert answer in talk(stepper, line)
    assert stepper.index == 0


def test_apply_and_quit():
    stepper = Stepper(lecture())
    out = talk(stepper, "end", "apply", "q", "start")
    assert "stored the current gradients in .grad" in out
    assert stepper.index == 6
    assert stepper.find("c").grad == 9.0


def test_the_command_works_with_piped_input_and_without_unicode(tmp_path):
    command = [sys.executable, "-m", "tinygraph", "step", "J = 3*(a + b*c)", "a=5", "b=3", "c=2", "--phase", "both"]
    run = subprocess.run(command, input="s 4\nv\n", capture_output=True, text=True, env={"PYTHONIOENCODING": "ascii"})
    assert run.returncode == 0, run.stderr
    assert "step 4/9" in run.stdout
    assert run.stdout.isascii()


def test_a_conversation_in_a_terminal():
    pytest.importorskip("rich", reason="colours need the extra cli")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tinygraph", "step", "u = b*c; v = a + u; J = 3*v", "a=5", "b=3", "c=2"]
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    said = b""

    def until(text):
        nonlocal said
        while text.encode() not in said:
            said += os.read(ours, 65536)
        heard, said = said, b""
        return heard.decode()

    first = until("(step) ")
    assert "at the start of 6 steps" in first
    assert "Enter repeats" in first
    for typed, answer in [
        ("s 4", "dJ/du"),
        ("", "c.grad 0 → 9"),
        ("rs", "step 5/6"),
        ("v", "J = 3 × v"),
        ("", "J = 3 × v"),
    ]:
        os.write(ours, typed.encode() + b"\n")
        assert answer in (heard := until("(step) "))
    assert "Traceback" not in heard
    os.write(ours, b"s\n")
    assert "\x1b[31m" in until("(step) "), "an event is red where there are colours"
    os.write(ours, b"\x04")  # the end of input
    assert process.wait(30) == 0
    os.close(ours)
