"""Accurate functions of plain floats and arrays that follow IEEE 754. These functions do not depend on the graph."""
