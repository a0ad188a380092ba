"""What is wrong with a program, in plain English, with the line of the error."""

from __future__ import annotations

import ast
import re
import traceback
from dataclasses import dataclass

from tinygraph.cli.expressions import ExpressionError

PROGRAM = "program"  # name of the program in tracebacks
MOST = 600  # maximum length of a message, in characters
_HEAVY = ("numpy", "torch", "jax", "matplotlib", "pandas", "scipy", "sklearn", "dask", "PIL", "cairosvg")


@dataclass(frozen=True)
class Problem:
    """A message for the reader, with its place in the text."""

    message: str
    line: int = 0  # 0 if the error is not on a line of the text
    column: int = 0  # counted from 1; 0 if only the line is known


def of_expression(error: ExpressionError, text: str) -> Problem:
    """Return what is wrong with an expression.

    Args:
        error: Error of `parse`.
        text: The expression.

    Returns:
        The message, with the place of the error.
    """
    message = re.sub(r"pass \S+=\.\.\., or | and pass \S+=\S+$", "", error.message)
    lines = text.split("\n")
    line = lines.index(error.text) + 1 if error.text in lines else 1 if len(lines) == 1 else 0
    return Problem(_sentence(message), line, error.column + 1 if line and error.text else 0)


def of_program(error: BaseException, program: str) -> Problem:
    """Return what is wrong with a program.

    Args:
        error: Exception that the program raised, or the error of Python's parser.
        program: Text of the program.

    Returns:
        The message, with the last line of the program that was running.
    """
    if isinstance(error, SyntaxError) and error.filename == PROGRAM:
        return Problem(_sentence(_syntax(error, program)), error.lineno or 0, error.offset or 0)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == PROGRAM]
    return Problem(_sentence(_plain(error, program)), frames[-1].lineno or 0 if frames else 0)


def of_graph(error: Exception) -> Problem:
    """Return why a graph cannot be shown, although its program is correct.

    Args:
        error: Error of the layout or of the graph.

    Returns:
        The message, without a line.
    """
    return Problem(_sentence(str(error)))


def _sentence(text: str) -> str:
    text = text.strip() or "The program failed without a message"
    text = text if len(text) <= MOST else f"{text[:MOST]} …"
    first = re.match(r"[a-z]+(?= )", text)
    text = text[0].upper() + text[1:] if first else text
    return text if text.endswith((".", "!", "?", "…", ":")) or "\n" in text else f"{text}."


def _syntax(error: SyntaxError, program: str) -> str:
    message = error.msg or "invalid syntax"
    if isinstance(error, TabError):
        return "this line mixes tabs and spaces: indent every line with spaces"
    if isinstance(error, IndentationError):
        return f"the indentation is wrong ({message}): lines of one block start in the same column"
    lines = program.split("\n")
    line = lines[error.lineno - 1] if error.lineno and error.lineno <= len(lines) else ""
    if re.search(r"(?<![\w.])\d+[a-zA-Z_(]", line) and "invalid" in message:
        return f"Python cannot read this line ({message}): write a product with *, as in 3*a"
    if message == "invalid syntax":
        return "Python cannot read this line: look for a missing operator, bracket or colon at the mark"
    return f"Python cannot read this line: {message}"


def _plain(error: BaseException, program: str) -> str:
    """Return a message for an exception. Those of tinygraph already say what to do."""
    said = str(error)
    match error:
        case ModuleNotFoundError(name=name):
            first = (name or "").partition(".")[0]
            if first in _HEAVY or first.startswith("_"):
                named = "NumPy" if first == "numpy" else first
                return f"this needs {named}, which does not run in this page: use a notebook with tinygraph installed"
            return f"there is no module named {first!r} in this page, which has tinygraph and Python's basic modules"
        case UnboundLocalError():
            return f"a function uses {error.name or 'a variable'!r} before it gives it a value"
        case NameError(name=name):
            close = _similar(name or "", program)
            hint = f"did you mean {close!r}?" if close else f"write {name} = Value(1.0) first, or correct the name"
            return f"there is nothing named {name!r} yet: {hint}"
        case RecursionError():
            return (
                "a function calls itself too often, or a chain is too deep for a browser, whose limit is about 1,000 "
                "links: use fewer links, or a notebook"
            )
        case ZeroDivisionError():
            return "this line divides by zero: a plain number, not a Value, is divided"
        case MemoryError():
            return "the program needs more memory than this page has: make the graph smaller"
        case SystemExit() | KeyboardInterrupt():
            return "the program ended itself"
        case AssertionError():
            return f"this assertion is false{f': {said}' if said else ''}"
        case _ if type(error).__module__.partition(".")[0] == "tinygraph":
            return said
        case TypeError() | ValueError() | AttributeError() | KeyError() | IndexError():
            return said if isinstance(error, (TypeError, ValueError, AttributeError)) else f"there is no item {said}"
        case _:
            return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _similar(name: str, program: str) -> str:
    import difflib

    tree = ast.parse(program)
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    close = difflib.get_close_matches(name, sorted(known | {"Value", "sigmoid", "exp", "log", "tanh", "relu"}), 1)
    return close[0] if close else ""
