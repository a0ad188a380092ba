"""Stepping through a backward pass in Python, in a terminal and on an HTML page."""
