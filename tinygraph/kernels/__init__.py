"""Accurate functions of plain floats and arrays that follow IEEE 754. They do not depend on the graph."""
