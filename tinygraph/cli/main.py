"""The command `tinygraph`: its parser, and an exit code for each error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from tinygraph.cli.options import Parser, binding
from tinygraph.support.terminal import fail
from tinygraph.support.version import __version__

# The module and the summary of each subcommand. A module is imported only if its subcommand runs, because NumPy and
# the drawing modules take several times as long as the rest of the start.
COMMANDS = {
    "demo": ("demo", "show backpropagation on J = 3(a + bc), then logistic regression with loops and vectors"),
    "draw": ("graphs", "draw the graph of an expression, with its derivatives"),
    "step": ("graphs", "step through the backward pass of an expression, in both directions"),
    "diagnose": ("graphs", "find the source of a NaN, an infinity, or a missing gradient"),
    "verify": ("graphs", "recompute a saved graph, and report the first value that differs"),
    "playground": ("playground", "open the page that runs tinygraph in a browser, or write it to a file"),
    "fit": ("fit", "train logistic regression on a CSV file"),
    "doctor": ("doctor", "show which packages are installed, and how to install the others"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Command-line arguments. Defaults to the arguments of the process.

    Returns:
        The exit code: 0 for success, 1 if `diagnose` or `doctor` found a problem, 2 for an error such as invalid input,
        130 for Ctrl-C, or 141 if the reader of a pipe stopped.
    """
    try:
        options = _parsed(sys.argv[1:] if argv is None else argv)
        return int(options.run(options) or 0)
    except KeyboardInterrupt:
        return fail("stopped", 130)
    except BrokenPipeError:  # the reader of a pipe stopped
        return 141
    except Exception as error:
        if (sentence := _sentence(error)) is None:
            raise
        return fail(sentence)


def _sentence(error: Exception) -> str | None:
    """Return what the user needs to know about an error, or None for an error that only a bug causes."""
    from tinygraph.cli.diagram_options import in_flags  # here, because no error needs these modules before it happens
    from tinygraph.cli.expressions import ExpressionError
    from tinygraph.datasets import TableError
    from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError
    from tinygraph.saving.format import GraphFileError

    if isinstance(error, (TableError, FloatingPointError, ExpressionError, GraphFileError)):
        return str(error)
    if isinstance(error, (EngineNotFoundError, LayoutError)):
        return in_flags(str(error))
    if isinstance(error, OSError):
        return f"{error.filename or 'standard input or output'}: {error.strerror or error}"
    return None


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = build_parser(argv)
    options, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(options, "numbers") or any(text.startswith("-") or "=" not in text for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # the rest contains values of inputs, written after an option
        try:
            options.numbers += map(binding, rest)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    return options


def build_parser(argv: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        argv: Command-line arguments. Only the subcommands that they name get their arguments. Defaults to all
            subcommands.

    Returns:
        The parser.
    """
    parser = Parser(prog="tinygraph", description="Backpropagation made visible.")
    parser.add_argument("--version", action="version", version=f"tinygraph {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name in argv:
            getattr(import_module(f"tinygraph.cli.{module}"), f"add_{name}")(command)
    return parser
