"""Kernels for floats: the functions that the ops in `engine.more_ops` compute, each as accurate as `floats`."""
