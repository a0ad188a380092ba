"""The other frameworks, which are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinygraph.support.messages import install_command

_NAMES = {"torch": "PyTorch", "jax": "JAX"}  # module, which is also the extra: name for readers


def framework(module: str) -> Any:
    """Return the module of a framework.

    Args:
        module: Name of the module: "torch" or "jax".

    Returns:
        The module.

    Raises:
        ImportError: If the framework is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{_NAMES[module]} is not installed: {install_command(module)}") from error
