"""Graphs in files: the JSON format, its writer and reader, and the verification of stored values."""
