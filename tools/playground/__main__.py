"""Build the playground page: `python -m tools.playground` writes the folder for the site and the offline file.

npm installs Pyodide and Graphviz as WebAssembly in the versions of `package-lock.json`, whose hashes it checks. Nothing
is downloaded if the result is up to date.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tools.playground.build import ROOT, BuildError, build, is_current

INSTALLED = ROOT / "tinygraph" / "playground" / "playground.html"


def main() -> int:
    """Build the page, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.playground", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--force", action="store_true", help="build even if the result is up to date")
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, help="also copy the offline page to this file")
    text = "also copy the offline page into the package, where the command `tinygraph playground` finds it"
    parser.add_argument("--install", action="store_true", help=text)
    options = parser.parse_args()
    try:
        target = build() if options.force or not is_current() else ROOT / "build" / "playground"
    except BuildError as error:
        print(f"tools.playground: {error}", file=sys.stderr)
        return 2
    page = target / "playground.html"
    for copy in [options.out] * bool(options.out) + [INSTALLED] * options.install:
        shutil.copyfile(page, copy)
        print(f"wrote {copy}")
    print(f"wrote {page} ({page.stat().st_size / 1e6:.1f} MB) and {target / 'site'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
