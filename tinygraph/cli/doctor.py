"""`tinygraph doctor`: list the packages that are installed, and the commands that install the others."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys

from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError, candidates, find_engine, svg
from tinygraph.support.terminal import echo
from tinygraph.support.version import __version__

PACKAGES = {  # distribution: (purpose, extra that installs the distribution, or "" if it is required)
    "numpy": ("arrays", ""),
    "graphviz": ("writes diagrams in the DOT language", ""),
    "graphviz-pure": ("lays out diagrams if Graphviz is not installed", "render"),
    "rich": ("progress bars in the terminal", "cli"),
    "anywidget": ("live players in a notebook", "notebook"),
    "cairosvg": ("frames of a walkthrough as PNG, GIF and PDF", "film"),
    "pillow": ("animations as GIF", "film"),
    "hypothesis": ("property-based gradient tests", "test"),
    "mpmath": ("reference values with hundreds of digits", "test"),
    "dask": ("data that does not fit into memory", "dask"),
}


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph doctor`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Show which packages and Graphviz executables are installed, and the commands that install the others. The "
        "exit code is 1 if a required package is not installed, or if no diagram can be drawn."
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:  # noqa: ARG001
    return int(not doctor())


def doctor() -> bool:
    """Print which packages are installed, and how to install the others.

    Returns:
        True if all required packages are installed and a diagram can be drawn.
    """
    from importlib import metadata  # this import takes 10 ms, and no other subcommand needs it

    echo(f"tinygraph {__version__}, Python {platform.python_version()} at {sys.executable}")
    echo(f"Engine: {_running()}")
    echo("\nPackages")
    complete = True
    for name, (purpose, extra) in PACKAGES.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            remedy = f"'.[{extra}]'" if extra else "."
            found = f"not installed; run pip install {remedy} in your clone of tinygraph"
            complete = complete and bool(extra)
        echo(f"  {name:<14} {purpose}: {found}")
    echo("\nGraphviz executables (tinygraph uses the first one that is installed)")
    for place, path in candidates():
        echo(f"  {place:<32} {f'{path} ({_version(path)})' if path else '-'}")
    try:
        engine = find_engine()
        svg("digraph { a -> b }", None, 10.0)
    except (EngineNotFoundError, LayoutError) as error:
        echo(f"  No diagram can be drawn: {error}")
        return False
    echo(f"  A diagram was drawn with {engine}.")
    return complete


def _running() -> str:
    """Return which engine runs, why, and what to do to run the accelerated one."""
    from importlib import util  # like `metadata` above, only for this subcommand

    name = "tinygraph.engine._speed"
    if (module := sys.modules.get(name)) is not None:
        return f"accelerated by {module.__file__}"
    if os.environ.get("TINYGRAPH_PURE") == "1":
        return "pure Python, because TINYGRAPH_PURE is 1; unset this variable to use the accelerator"
    if util.find_spec(name) is None:
        return (
            "pure Python, because the accelerator is not built for this Python\n  The results are equal, but slower. "
            "To build the accelerator, install a C compiler, and run pip install . in your clone of tinygraph."
        )
    try:
        importlib.import_module(name)
    except ImportError as error:
        return f"pure Python, because the accelerator cannot be loaded: {error}"
    return "pure Python, although the accelerator is installed; start Python again"


def _version(path: str) -> str:
    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run: {error}"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[0] if lines else f"exit code {done.returncode}"
