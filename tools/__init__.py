"""Tools for the house, which no program imports."""
