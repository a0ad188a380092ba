"""Scalar loops vectorized: from a graph of floats to a graph of arrays, its program text, and a compiled function."""
