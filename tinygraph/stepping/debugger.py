"""A debugger for the chain rule in a plain terminal, with the words of pdb and rr; nothing typed is evaluated."""

from __future__ import annotations

import cmd
import sys
from collections.abc import Callable
from typing import IO, Any

from tinygraph.engine.graph import order
from tinygraph.engine.op import TABLE
from tinygraph.explaining import notation
from tinygraph.explaining.breakdown import explained
from tinygraph.explaining.step import Step
from tinygraph.explaining.tree import in_text
from tinygraph.stepping.stepper import Stepper
from tinygraph.support.terminal import echo as say

AROUND = 4  # events that `list` shows on either side


class Debugger(cmd.Cmd):
    """Walks a Stepper by commands, from a terminal or from a pipe."""

    prompt = "(step) "

    def __init__(self, stepper: Stepper, stdin: IO[str] | None = None) -> None:
        super().__init__(stdin=stdin)
        self.stepper = stepper
        self.use_rawinput = stdin is None and sys.stdin.isatty()
        if not self.use_rawinput:
            self.prompt = ""  # nobody reads it

    def preloop(self) -> None:
        """Say where we are, and how to get help."""
        _show(str(self.stepper))
        if self.use_rawinput:
            say("  s step, b back, c continue, u NODE until, l list, v view, h help, q quit; Enter repeats")

    def onecmd(self, line: str) -> bool:
        """Run a command; an error is one sentence."""
        try:
            return bool(super().onecmd(line))
        except (KeyError, ValueError, IndexError, TypeError) as error:
            say(f"  {error.args[0] if error.args else error}")
            return False

    def default(self, line: str) -> Any:
        """Aliases, the end of input, and what is unknown."""
        if line == "EOF":
            return True
        name, _, rest = line.strip().partition(" ")
        method = ALIASES.get(name)
        if method is None:
            say(f"  there is no command {name!r}; h lists them")
            return False
        return bool(getattr(self, f"do_{method}")(rest.strip()))

    def _moved(self, event: Step | None, missing: str = "") -> None:
        if event is None and missing:
            say(f"  {missing}")
        _show(str(self.stepper))

    # --- moving

    def do_step(self, text: str) -> None:
        """s, step [N]: go on by one event, or N."""
        self._moved(self.stepper.step(_count(text)), "there is no event left")

    def do_back(self, text: str) -> None:
        """b, back [N]: go back by one event, or N."""
        if not self.stepper.index:
            say("  this is the start")
        self._moved(self.stepper.back(_count(text)))

    def do_until(self, text: str) -> None:
        """u, until NODE: go on to the next event that writes this node's gradient; a number is an event's."""
        self._moved(
            self.stepper.goto(int(text)) if text.isdigit() else self.stepper.run_until(_named(text)),
            f"no event at {text} comes any more",
        )

    def do_runtil(self, text: str) -> None:
        """ru NODE: go back to the last event that wrote this node's gradient."""
        self._moved(self.stepper.run_back_until(_named(text)), f"no event at {text} came before")

    def do_continue(self, text: str) -> None:
        """c, continue: go on to the next breakpoint or watched gradient, or to the end."""
        self._moved(self.stepper.cont())

    def do_rcontinue(self, text: str) -> None:
        """rc, reverse-continue: go back to the last breakpoint or watched gradient, or to the start."""
        self._moved(self.stepper.cont_back())

    def do_goto(self, text: str) -> None:
        """g, goto K: go to where K events have happened."""
        self._moved(self.stepper.goto(_count(text)))

    def do_start(self, text: str) -> None:
        """start: go back to where nothing has happened."""
        self.stepper.start()
        self._moved(None)

    def do_end(self, text: str) -> None:
        """end: go to where everything has happened."""
        self._moved(self.stepper.end())

    # --- breakpoints

    def do_break(self, text: str) -> None:
        """br, break [NODE or OP]: stop there on continue; without one, list them."""
        if text:
            number = self.stepper.break_on(TABLE.get(text) if self._is_op(text) else _named(text))
            say(f"  breakpoint {number} at {text}")
            return
        for number, (kind, target) in self.stepper.breakpoints.items():
            say(f"  {number}  {kind} {getattr(target, 'name', target)}")
        if not self.stepper.breakpoints:
            say("  there are no breakpoints")

    def _is_op(self, text: str) -> bool:
        return text in TABLE and all(node.name != text for node in order(self.stepper.root))

    def do_watch(self, text: str) -> None:
        """w, watch NODE: stop on continue where its gradient is written."""
        say(f"  breakpoint {self.stepper.watch(_named(text))}: the gradient of {text}")

    def do_delete(self, text: str) -> None:
        """d, delete N: take breakpoint N away."""
        self.stepper.delete(_count(text))
        say(f"  breakpoint {text} is gone")

    # --- looking

    def do_print(self, text: str) -> None:
        """p, print NODE: its number, its gradient so far, and which event wrote that last."""
        node = self.stepper.find(_named(text))
        gradient = self.stepper.grad(node)
        say(f"  {text}.data = {notation.quantity(node.raw)}")
        say(f"  {text}.grad = {'·' if gradient is None else notation.quantity(gradient)}")
        write = self.stepper.last_write(node)
        if write is not None:
            say(f"  written by event {write.index}: {write.equation}")

    def do_explain(self, text: str) -> None:
        """e, explain NODE: every contribution to its gradient, and what is still to come."""
        _show(str(explained(self.stepper, _named(text))))

    def do_list(self, text: str) -> None:
        """l, list: the events around this one."""
        here = self.stepper.index
        first = max(1, here - AROUND)
        for step in self.stepper.events[first - 1 : here + AROUND]:
            say(f"  {'->' if step.index == here else '  '} {step.index:>3}  {step.equation}")

    def do_view(self, text: str) -> None:
        """v, view: the graph as a tree, with the gradients so far and a mark at this event's node."""
        here = self.stepper.current
        say(in_text(self.stepper.root, None, None, self.stepper.grad, here.node if here else None))

    def do_apply(self, text: str) -> None:
        """apply: write the gradients as they are now into the graph."""
        self.stepper.apply()
        say("  the gradients so far stand in .grad")

    def do_quit(self, text: str) -> bool:
        """q, quit: leave; the graph is as it was."""
        return True

    def do_help(self, text: str) -> None:
        """h, help: this list."""
        for name in self.get_names():
            if name.startswith("do_"):
                say(f"  {getattr(self, name).__doc__}")


ALIASES = {
    "s": "step", "n": "step", "b": "back", "u": "until", "ru": "runtil", "c": "continue", "rc": "rcontinue",
    "reverse-continue": "rcontinue", "g": "goto", "br": "break", "w": "watch", "d": "delete", "p": "print",
    "e": "explain", "l": "list", "v": "view", "h": "help", "?": "help", "q": "quit", "exit": "quit",
}  # fmt: skip


def _count(text: str) -> int:
    if not text:
        return 1
    if not text.isdigit():
        raise ValueError(f"a whole number is meant, not {text!r}")
    return int(text)


def _named(text: str) -> str:
    if not text:
        raise ValueError("the name of a node is missing")
    return text


def _show(text: str) -> None:
    """Say it, in colour where the terminal has some and rich is installed."""
    paint = _painter()
    for line in text.split("\n"):
        paint(line)


def _painter() -> Callable[[str], Any]:
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            return say
        console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

        def paint(line: str) -> None:
            style = "bold" if line.startswith("step ") else "dim" if line.startswith("  next") else "red"
            console.print(line, style=style)

        return paint
    return say
