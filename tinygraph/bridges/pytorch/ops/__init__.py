"""The ATen ops that `from_torch` knows, by subject."""
