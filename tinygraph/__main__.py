"""Run the command `tinygraph` as `python -m tinygraph`."""

import sys

from tinygraph.cli.main import main

sys.exit(main())
