"""Benchmarks against other libraries, and how the cost grows with the graph."""
