"""The table of JAX primitives, filled: importing this file loads every file with entries."""

from tinygraph.bridges.jax.ops import elementwise, indexing, layers, reducing, shaping
from tinygraph.bridges.jax.ops.table import TABLE

__all__ = ["TABLE", "elementwise", "indexing", "layers", "reducing", "shaping"]
