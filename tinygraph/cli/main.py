"""The command `tinygraph`: its parser, and an exit code for each error."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tinygraph.cli import demo, doctor, fit, graphs
from tinygraph.cli.diagram_options import in_flags
from tinygraph.cli.expressions import ExpressionError
from tinygraph.cli.options import Parser, binding
from tinygraph.datasets import TableError
from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError
from tinygraph.saving.format import GraphFileError
from tinygraph.support.terminal import fail
from tinygraph.support.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Command-line arguments. Defaults to the arguments of the process.

    Returns:
        The exit code: 0 for success, 1 if `diagnose` or `doctor` found a problem, 2 for an error such as invalid input,
        130 for Ctrl-C, or 141 if the reader of a pipe stopped.
    """
    try:
        options = _parsed(argv)
        return int(options.run(options) or 0)
    except (TableError, FloatingPointError, ExpressionError, GraphFileError) as error:
        return fail(str(error))
    except (EngineNotFoundError, LayoutError) as error:
        return fail(in_flags(str(error)))
    except BrokenPipeError:  # the reader of a pipe stopped
        return 141
    except OSError as error:
        return fail(f"{error.filename or 'standard input or output'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return fail("stopped", 130)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    options, rest = parser.parse_known_args(argv)
    if rest and (not hasattr(options, "numbers") or any(text.startswith("-") or "=" not in text for text in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # the rest contains values of inputs, written after an option
        try:
            options.numbers += map(binding, rest)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    return options


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with all subcommands."""
    parser = Parser(prog="tinygraph", description="Backpropagation made visible.")
    parser.add_argument("--version", action="version", version=f"tinygraph {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (demo, graphs, fit, doctor):
        module.add_parsers(commands)
    return parser
