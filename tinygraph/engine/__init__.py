"""Ops, graphs and backpropagation. Read `ops`, `op`, `graph`, `autodiff` and `value` first, in this order."""
