"""Progress in a terminal."""

import sys

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
