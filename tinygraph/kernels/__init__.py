"""Accurate functions that follow IEEE 754, for plain floats and arrays. These functions do not depend on graphs."""
