"""Graphs of arrays: what shapes, broadcasting and NumPy add to the engine."""
