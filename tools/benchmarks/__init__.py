"""Benchmarks against other libraries, and measurements of how the cost grows with the graph."""
