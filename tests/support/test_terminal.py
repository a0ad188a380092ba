"""Progress in a terminal."""

import sys

import pytest

from tinygraph import Stepper, Value, tree
from tinygraph.stepping.debugger import Debugger
from tinygraph.support import terminal


def test_lines_in_a_terminal_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with terminal.progress("descent", 3) as on_iteration:
        for iteration in (1, 2, 3):
            on_iteration(iteration, 1.0 / iteration)
    assert capsys.readouterr().out.count("descent: iteration") == 3


def test_a_long_task_in_a_terminal_shows_how_much_is_done(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    clock = iter([0.0, 0.5, 2.0, 3.0, 4.0, 5.0])
    monkeypatch.setattr(terminal, "monotonic", lambda: next(clock))

    def work():
        with terminal.percentage("vectorizing") as on_progress:
            on_progress(10, 100)  # after half a second: too early
            on_progress(20, 100)
            on_progress(100, 100)
            on_progress(30, 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    out, err = capsys.readouterr()
    lines = [line.strip() for line in err.split("\r")]
    assert [line for line in lines if line] == ["vectorizing: 20%", "vectorizing: 30%"]
    assert (out, lines[-1]) == ("", ""), "the line is removed"
    blank = len("  vectorizing: 20%") * " "
    assert err.count(blank) == 2


def test_a_long_task_outside_a_terminal_shows_nothing(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "monotonic", iter(range(0, 100, 10)).__next__)
    with terminal.percentage("vectorizing") as on_progress:
        on_progress(20, 100)
        monkeypatch.setattr(sys, "stderr", None)
        on_progress(100, 100)
    assert capsys.readouterr() == ("", "")


def test_a_process_without_a_console(monkeypatch, capsys):
    """Python sets the standard streams to None, for example under pythonw or in a service."""
    y = Value(2.0, "x") * 3.0
    shown = str(tree(y))
    with monkeypatch.context() as patch:
        for name in ("stdin", "stdout", "stderr"):
            patch.setattr(sys, name, None)
        assert str(tree(y)) == shown
        Debugger(Stepper(y)).cmdloop()
        terminal.echo("nothing")
        assert terminal.fail("nothing", 3) == 3
        with terminal.progress("descent", 1) as on_iteration:
            on_iteration(1, 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        terminal.fail("nothing")
    assert capsys.readouterr().out == ""
