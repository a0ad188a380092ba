"""The diagnosis of a graph: where a NaN comes from, and where a gradient stops, vanishes or explodes."""
