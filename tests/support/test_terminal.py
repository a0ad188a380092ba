"""Progress in a terminal."""

import sys

from tinygraph.support import terminal


def test_lines_in_a_terminal_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with terminal.progress("descent", 3) as on_iteration:
        for iteration in (1, 2, 3):
            on_iteration(iteration, 1.0 / iteration)
    assert capsys.readouterr().out.count("descent: iteration") == 3
