"""The programs of this folder need PyTorch, and are left out where it is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["programs.py"]
