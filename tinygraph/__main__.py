"""Run the command `tinygraph` as `python -m tinygraph`."""

import sys

from tinygraph.cli.process import run

if __name__ == "__main__":
    sys.exit(run())
