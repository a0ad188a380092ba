"""Stepping through a backward pass in Python, in a terminal or on an HTML page."""
