"""The table of ATen ops, filled: importing this file loads every file with entries."""

from tinygraph.bridges.pytorch.ops import elementwise, layers, losses, masks, reducing, shaping
from tinygraph.bridges.pytorch.ops.table import TABLE

__all__ = ["TABLE", "elementwise", "layers", "losses", "masks", "reducing", "shaping"]
