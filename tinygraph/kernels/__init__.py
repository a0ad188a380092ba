"""Functions of plain floats and arrays, accurate and without exceptions. They do not depend on the graph."""
