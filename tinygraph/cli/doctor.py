"""`tinygraph doctor`: what is there, what is missing, and the command that brings it."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys

import tinygraph
from tinygraph.drawing.layout_engines import EngineNotFoundError, LayoutError, candidates, find_engine, svg
from tinygraph.support.terminal import say

PACKAGES = {  # distribution: what it is for, and the extra that brings it; none for what must be there
    "numpy": ("arrays", ""),
    "graphviz": ("writes the DOT of a picture", ""),
    "graphviz-pure": ("lays out pictures, where there is no Graphviz", "render"),
    "rich": ("progress in the terminal", "cli"),
    "hypothesis": ("property-based gradient tests", "test"),
    "mpmath": ("the oracle of 50 digits", "test"),
    "dask": ("data in chunks", "dask"),
}


def doctor() -> bool:
    """Say what is there; whether all that is needed is."""
    say(f"tinygraph {tinygraph.__version__}, Python {platform.python_version()} at {sys.executable}")
    say("\nPackages")
    complete = True
    for name, (purpose, extra) in PACKAGES.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            remedy = f"pip install 'tinygraph-autodiff[{extra}]'" if extra else "pip install tinygraph-autodiff"
            found = f"not there; {remedy} brings it"
            complete = complete and bool(extra)
        say(f"  {name:<14} {purpose}: {found}")
    say("\nWhat draws pictures, the first that is there")
    for place, path in candidates():
        say(f"  {place:<32} {f'{path} ({_version(path)})' if path else '-'}")
    try:
        engine = find_engine()
        svg("digraph { a -> b }", None, 10.0, False)
    except (EngineNotFoundError, LayoutError) as error:
        say(f"  No picture can be drawn: {error}")
        return False
    say(f"  A picture was drawn with {engine}.")
    return complete


def _version(path: str) -> str:
    try:
        done = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot be run: {error}"
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[0] if lines else f"exit code {done.returncode}"
