"""Vectorized scalar loops: from a graph of floats to a graph of arrays, its source text, and a compiled function."""
