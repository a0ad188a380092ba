"""The table of all ops by name. Importing this file loads every file of the library that defines an elementwise op."""

from __future__ import annotations

from tinygraph.engine import ops  # noqa: F401  (this import and the next one add the ops to the table)
from tinygraph.engine.more_ops import activations, circles, powers, remainders, rounding, special  # noqa: F401
from tinygraph.engine.op import TABLE as TABLE
