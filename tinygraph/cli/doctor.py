"""`tinygraph doctor`: what is installed, what is not, and the command that installs it."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys

from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError, candidates, find_engine, svg
from tinygraph.support.terminal import echo
from tinygraph.support.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.cli.options import Commands

PACKAGES = {  # distribution: its purpose, and the extra that installs it ("" for a dependency)
    "numpy": ("arrays", ""),
    "graphviz": ("writes the DOT of a picture", ""),
    "graphviz-pure": ("lays out pictures, where there is no Graphviz", "render"),
    "rich": ("progress in the terminal", "cli"),
    "hypothesis": ("property-based gradient tests", "test"),
    "mpmath": ("the oracle of 50 digits", "test"),
    "dask": ("data in chunks", "dask"),
}


def add_parsers(commands: Commands) -> None:
    """Add the parser of `tinygraph doctor`.

    Args:
        commands: Subcommands of the main parser.
    """
    parser = commands.add_parser(
        "doctor",
        help="what is there, what is missing, and how to bring it",
        description="Say which packages and which programs that draw pictures are there, and the commands that bring "
        "the others. The exit code is 1 where no picture can be drawn.",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:  # noqa: ARG001
    return int(not doctor())


def doctor() -> bool:
    """Print what is installed, what is not, and how to install it.

    Returns:
        True if all required packages are installed and a diagram can be drawn.
    """
    from importlib import metadata  # takes 10 ms, and no other subcommand needs it

    echo(f"tinygraph {__version__}, Python {platform.python_version()} at {sys.executable}")
    echo("\nPackages")
    complete = True
    for name, (purpose, extra) in PACKAGES.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            remedy = f"pip install 'tinygraph-autodiff[{extra}]'" if extra else "pip install tinygraph-autodiff"
            found = f"not there; {remedy} brings it"
            complete = complete and bool(extra)
        echo(f"  {name:<14} {purpose}: {found}")
    echo("\nWhat draws pictures, the first that is there")
    for place, path in candidates():
        echo(f"  {place:<32} {f'{path} ({_version(path)})' if path else '-'}")
    try:
        engine = find_engine()
        svg("digraph { a -> b }", None, 10.0, False)
    except (EngineNotFoundError, LayoutError) as error:
        echo(f"  No picture can be drawn: {error}")
        return False
    echo(f"  A picture was drawn with {engine}.")
    return complete


def _version(path: str) -> str:
    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run: {error}"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[0] if lines else f"exit code {done.returncode}"
