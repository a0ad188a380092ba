"""Ops, graphs and backpropagation. Read `ops`, `op`, `graph`, `autodiff` and `value` first, in this order."""

from tinygraph.engine import recording as recording  # the import replaces methods of Value with faster versions
