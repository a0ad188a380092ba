"""The programs of this folder need JAX, and are left out where it is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("jax") else ["programs.py"]
