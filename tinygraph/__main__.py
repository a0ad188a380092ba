"""`python -m tinygraph` is the command `tinygraph`."""

import sys

from tinygraph.cli.main import main

sys.exit(main())
