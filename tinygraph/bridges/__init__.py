"""Bridges between graphs and other frameworks: import your model as a graph, and export a graph as a function.

`tinygraph.from_torch` returns the graph of a PyTorch function, and `tinygraph.from_jax` the graph of a JAX function.
This module contains what you need besides: the leaves of an imported graph by name, and the proof that the graph equals
your program.
"""

from tinygraph.bridges.leaves import named_leaves
from tinygraph.bridges.proof import DisagreementError, PrecisionWarning, Proof

__all__ = ["DisagreementError", "PrecisionWarning", "Proof", "named_leaves"]
