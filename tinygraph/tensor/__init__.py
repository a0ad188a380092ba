"""Graphs of arrays: Tensors, broadcasting, shape and reduction ops, and NumPy's functions."""
