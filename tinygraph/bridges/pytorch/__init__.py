"""The bridge to PyTorch: `from_torch` and `to_torch`."""
