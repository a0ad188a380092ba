"""Run a program that a reader typed. Only a page that runs in the reader's own browser may call this."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field

from tinygraph.engine.contexts import name_from, trace_lines
from tinygraph.engine.value import Value
from tinygraph.playground.problems import PROGRAM

LONGEST = 20_000  # maximum length of what a program prints, in characters


@dataclass(frozen=True)
class Run:
    """The result of a program."""

    root: Value
    named: dict[str, Value] = field(default_factory=dict)  # Values by the name of their variable


class Printed(io.StringIO):
    """What a program prints. Text beyond the limit is dropped, because a page cannot show it."""

    def __init__(self) -> None:
        super().__init__()
        self._full = False

    def write(self, text: str) -> int:
        """Append text, up to the limit."""
        room = LONGEST - self.tell()
        if len(text) <= room:
            return super().write(text)
        if not self._full:
            super().write(f"{text[:room]}\n… (the rest is not shown)\n")
            self._full = True
        return len(text)


@contextlib.contextmanager
def printed_to(target: Printed) -> Iterator[None]:
    """Collect what a program prints.

    Args:
        target: Where the text goes.
    """
    with contextlib.redirect_stdout(target), contextlib.redirect_stderr(target):
        yield


def names() -> dict[str, object]:
    """Return the names that a program starts with: those of `from tinygraph import *`."""
    space: dict[str, object] = {"__name__": "__main__"}
    exec("import tinygraph\nfrom tinygraph import *", space)
    return space


def remember_lines(program: str) -> None:
    """Keep the lines of a program where tracebacks and `trace_lines` look for them.

    Args:
        program: Text of the program.
    """
    linecache.cache[PROGRAM] = (len(program), None, program.splitlines(True), PROGRAM)


def run(program: str) -> Run:
    """Run a program, and return the last Value that it computes.

    Args:
        program: Text of the program. `Value`, `sigmoid` and the other names of `from tinygraph import *` exist already.

    Returns:
        The root and the Values by name.

    Raises:
        ValueError: If no variable contains a computed Value.
        Exception: Whatever the program raises.
    """
    tree = ast.parse(program, PROGRAM)
    remember_lines(program)
    space = names()
    given = dict(space)
    with trace_lines():
        result = _execute(tree, space)
    made = {key: value for key, value in space.items() if key not in given or value is not given[key]}
    values = {key: value for key, value in made.items() if isinstance(value, Value)}
    name_from(values)
    order = [name for name in _stored(tree) if name in values]
    computed = [values[name] for name in order if values[name].op is not None]
    if isinstance(result, Value) and result.op is not None:
        computed.append(result)
    if not computed:
        raise ValueError(
            "the program computes no Value, so there is no graph to draw: for example, write x = Value(2.0) and then "
            "y = x * x"
        )
    return Run(computed[-1], values)


def _execute(tree: ast.Module, space: dict[str, object]) -> object:
    """Run the statements, and return the value of the last one if it is an expression."""
    *first, last = tree.body or [ast.Pass()]
    if isinstance(last, ast.Expr):
        exec(compile(ast.Module(first, []), PROGRAM, "exec"), space)
        return eval(compile(ast.Expression(last.value), PROGRAM, "eval"), space)
    exec(compile(tree, PROGRAM, "exec"), space)
    return None


def _stored(tree: ast.Module) -> list[str]:
    """Return the names that a program assigns, in the order of their last assignment."""
    stores = [
        (node.lineno, node.col_offset, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys([name for *_, name in sorted(stores)][::-1]))[::-1]
