"""Functions of plain floats and arrays, accurate and without exceptions. Nothing here knows of a graph."""
