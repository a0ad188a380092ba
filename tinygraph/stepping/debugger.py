"""A debugger for the chain rule in a terminal, with commands like those of pdb and rr.

The debugger never evaluates its input as Python code.
"""

from __future__ import annotations

import cmd
import io
import sys
from collections.abc import Callable
from typing import IO, Any

from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining import notation
from tinygraph.explaining.breakdown import breakdown
from tinygraph.explaining.step import Step
from tinygraph.explaining.tree import in_text
from tinygraph.stepping.cursor import Cursor
from tinygraph.support.messages import short
from tinygraph.support.terminal import echo, is_terminal

_DIGITS = 9  # maximum number of digits of an argument, because Python cannot convert thousands of them
AROUND = 4  # steps that `list` shows before and after the current step


class Debugger(cmd.Cmd):
    """A debugger that moves a cursor with commands from a terminal or a pipe.

    Args:
        cursor: Cursor to move.
        stdin: Source of the commands. Defaults to standard input.
    """

    prompt = "(step) "

    def __init__(self, cursor: Cursor, stdin: IO[str] | None = None) -> None:
        # A process without a console has None instead of a standard stream. Without input, the debugger stops.
        super().__init__(stdin=stdin or sys.stdin or io.StringIO(), stdout=sys.stdout or io.StringIO())
        self.cursor = cursor
        self.use_rawinput = stdin is None and is_terminal(sys.stdin)
        if not self.use_rawinput:
            self.prompt = ""  # a pipe needs no prompt

    def preloop(self) -> None:
        """Print the current step and, in a terminal, the main commands."""
        _show(str(self.cursor))
        if self.use_rawinput:
            echo("  s step, rs reverse-step, c continue, u NODE until, l list, v view, h help, q quit; Enter repeats")

    def onecmd(self, line: str) -> bool:
        """Run a command. If the command raises an error, print the error message instead of a traceback.

        Args:
            line: Command with its arguments.

        Returns:
            True if the debugger should stop.
        """
        try:
            return bool(super().onecmd(line))
        except (KeyError, ValueError, IndexError, TypeError) as error:
            echo(f"  {error.args[0] if error.args else error}")
            return False

    def default(self, line: str) -> Any:
        """Run an alias, stop at the end of the input, or report an unknown command.

        Args:
            line: Command with its arguments.

        Returns:
            True if the debugger should stop.
        """
        if line == "EOF":
            return True
        name, _, rest = line.strip().partition(" ")
        method = ALIASES.get(name)
        if method is None:
            echo(f"  there is no command {name!r}; h lists the commands")
            return False
        return bool(getattr(self, f"do_{method}")(rest.strip()))

    def _moved(self, step: Step | None, missing: str = "") -> None:
        if step is None and missing:
            echo(f"  {missing}")
        _show(str(self.cursor))

    # --- moving

    def do_step(self, text: str) -> None:
        """s, step [N]: take one step forward, or N steps."""
        self._moved(self.cursor.step(_count(text)), "there are no more steps")

    def do_rstep(self, text: str) -> None:
        """rs, reverse-step [N]: take one step back, or N steps."""
        if not self.cursor.index:
            echo("  this is the first position")
        self._moved(self.cursor.back(_count(text)))

    def do_until(self, text: str) -> None:
        """u, until NODE or N: run to the next step that writes this node's gradient, or to step N."""
        if _is_count(text):
            self._moved(self.cursor.goto(int(text)))
        else:
            self._moved(self.cursor.run_until(_named(text)), f"no later step writes the gradient of {text}")

    def do_runtil(self, text: str) -> None:
        """ru NODE: run back to the last step that wrote this node's gradient."""
        self._moved(self.cursor.run_back_until(_named(text)), f"no earlier step writes the gradient of {text}")

    def do_continue(self, text: str) -> None:
        """c, continue: run to the next breakpoint or watched gradient, or to the end."""
        self._moved(self.cursor.continue_())

    def do_rcontinue(self, text: str) -> None:
        """rc, reverse-continue: run back to the last breakpoint or watched gradient, or to the start."""
        self._moved(self.cursor.reverse_continue())

    def do_goto(self, text: str) -> None:
        """g, goto K: go to the state after K steps."""
        self._moved(self.cursor.goto(_count(text)))

    def do_start(self, text: str) -> None:
        """start: go to the state before the first step."""
        self.cursor.start()
        self._moved(None)

    def do_end(self, text: str) -> None:
        """end: go to the state after the last step."""
        self._moved(self.cursor.end())

    # --- breakpoints

    def do_break(self, text: str) -> None:
        """b, break [NODE or OP]: set a breakpoint at a node or op; without an argument, list the breakpoints."""
        if text:
            number = self.cursor.break_on(TABLE[text] if self._is_op(text) else _named(text))
            echo(f"  breakpoint {number} at {text}")
            return
        for number, (kind, target) in self.cursor.breakpoints.items():
            echo(f"  {number}  {kind} {getattr(target, 'name', target)}")
        if not self.cursor.breakpoints:
            echo("  there are no breakpoints")

    def _is_op(self, text: str) -> bool:
        return text in TABLE and all(node.name != text for node in self.cursor.walk.nodes)

    def do_watch(self, text: str) -> None:
        """w, watch NODE: set a breakpoint at all steps that write this node's gradient."""
        echo(f"  breakpoint {self.cursor.watch(_named(text))}: the gradient of {text}")

    def do_delete(self, text: str) -> None:
        """d, delete N: delete breakpoint N."""
        self.cursor.delete(_count(text))
        echo(f"  deleted breakpoint {text}")

    # --- looking

    def do_print(self, text: str) -> None:
        """p, print NODE: show the node's value, its gradient so far, and the last step that wrote the gradient."""
        node = self.cursor.find(_named(text))
        gradient = self.cursor.grad(node)
        echo(f"  {text}.data = {notation.quantity(node.raw)}")
        echo(f"  {text}.grad = {'·' if gradient is None else notation.quantity(gradient)}")
        write = self.cursor.last_write(node)
        if write is not None:
            echo(f"  written by step {write.index}: {write.equation}")

    def do_explain(self, text: str) -> None:
        """e, explain NODE: show every contribution to the node's gradient, including those of later steps."""
        _show(str(breakdown(self.cursor.steps, self.cursor.index, _named(text))))

    def do_list(self, text: str) -> None:
        """l, list: show the steps around the current step."""
        here = self.cursor.index
        first = max(1, here - AROUND)
        for step in self.cursor.steps[first - 1 : here + AROUND]:
            echo(f"  {'->' if step.index == here else '  '} {step.index:>3}  {step.equation}")

    def do_view(self, text: str) -> None:
        """v, view: show the graph as a tree, with the gradients so far and a mark at the current node."""
        here = self.cursor.current
        echo(in_text(self.cursor.walk.nodes, None, None, self.cursor.grad, here.node if here else None))

    def do_apply(self, text: str) -> None:
        """apply: store the current gradients in .grad."""
        self.cursor.apply()
        echo("  stored the current gradients in .grad")

    def do_quit(self, text: str) -> bool:
        """q, quit: quit, and leave the graph unchanged."""
        return True

    def do_help(self, text: str) -> None:
        """h, help: show this list."""
        for name in self.get_names():
            if name.startswith("do_"):
                echo(f"  {getattr(self, name).__doc__}")


ALIASES = {
    "s": "step", "n": "step", "rs": "rstep", "reverse-step": "rstep", "u": "until", "ru": "runtil", "c": "continue",
    "rc": "rcontinue", "reverse-continue": "rcontinue", "g": "goto", "b": "break", "br": "break", "w": "watch",
    "d": "delete", "p": "print", "e": "explain", "l": "list", "v": "view", "h": "help", "?": "help", "q": "quit",
    "exit": "quit",
}  # fmt: skip


def _count(text: str) -> int:
    if not text:
        return 1
    if not _is_count(text):
        raise ValueError(f"the argument must be an integer from 0 to {10**_DIGITS - 1:,}, not {short(text)!r}")
    return int(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _named(text: str) -> str:
    if not text:
        raise ValueError("this command needs the name of a node")
    return text


def _show(text: str) -> None:
    """Print text, in color if the terminal supports it and rich is installed."""
    paint = _painter()
    for line in text.split("\n"):
        paint(line)


def _painter() -> Callable[[str], Any]:
    if is_terminal(sys.stdout):
        try:
            from rich.console import Console
        except ImportError:
            return echo
        console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

        def paint(line: str) -> None:
            style = "bold" if line.startswith("step ") else "dim" if line.startswith("  next") else "red"
            console.print(line, style=style)

        return paint
    return echo
