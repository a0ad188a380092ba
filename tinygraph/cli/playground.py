"""`tinygraph playground`: write or open the page that runs tinygraph in a browser."""

from __future__ import annotations

import argparse
import webbrowser
from importlib.resources import as_file, files
from pathlib import Path

from tinygraph.support.files import check_writable, write_whole
from tinygraph.support.terminal import echo, fail

ASSET = "playground.html"
MISSING = (
    "this installation does not contain the playground page: in your clone of tinygraph, build it with "
    "`python -m tools.playground --install`, which needs npm, and then run this command again"
)


def add_playground(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tinygraph playground`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Open the playground: one file in which you type an expression or a program, and step through its graph. It "
        "needs no network and no installation, and sends nothing anywhere."
    )
    parser.epilog = "example: tinygraph playground -o playground.html"
    text = "write the page to this file (default: open the page in the browser)"
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help=text)
    parser.set_defaults(run=_playground)


def _playground(options: argparse.Namespace) -> int:
    page = files("tinygraph").joinpath("playground", ASSET)
    if not page.is_file():
        return fail(MISSING)
    if options.out is not None:
        check_writable(options.out)
        write_whole(options.out, page.read_bytes())
        echo(f"wrote {options.out.resolve()}")
        return 0
    with as_file(page) as path:
        if not webbrowser.open(path.resolve().as_uri()):
            return fail("no browser was found: write the page to a file with -o playground.html, and open that file")
        echo(f"opened {path.resolve()}")
    return 0
