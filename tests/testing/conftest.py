"""Modules of this folder that need another library are left out where it is not installed."""

from importlib.util import find_spec

_NEEDS = {"torch_table.py": "torch", "zoo_torch.py": "torch", "zoo_jax.py": "jax"}
collect_ignore = [name for name, package in _NEEDS.items() if find_spec(package) is None]
