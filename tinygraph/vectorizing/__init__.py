"""Vectorization of scalar loops: a graph of floats becomes a graph of arrays, source text, or a compiled function."""
