"""The choice between clear Python and the optional accelerator `_speed`, which repeats the hot functions in C.

The Python code is the definition, as in PEP 399: the package works in the same way without the accelerator, and a test
checks that both give the same bits. The environment variable `TINYGRAPH_PURE=1` turns the accelerator off.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Twin = TypeVar("Twin", bound=Callable[..., Any])
    Nodes = TypeVar("Nodes", bound=type)


def _accelerator() -> Any:
    """Return the compiled module, or None if it is turned off or not built."""
    setting = os.environ.get("TINYGRAPH_PURE", "")
    if setting not in ("", "0", "1"):
        raise ValueError(f"TINYGRAPH_PURE must be 0 or 1, not {setting!r}: set it to 1 to run without the accelerator")
    if setting == "1":
        return None
    try:
        from tinygraph.engine import _speed  # type: ignore[attr-defined,unused-ignore]  # a built wheel contains it
    except ImportError:
        return None
    return _speed


_speed = _accelerator()
ACCELERATED = _speed is not None
"""Whether the accelerator runs."""
TWINS: dict[str, Any] = {}  # the Python definitions that the accelerator repeats, by name


def accelerated(twin: Twin) -> Twin:
    """Return what `_speed` contains in place of a Python function or class, or the given object without `_speed`.

    Args:
        twin: Function or class, which the accelerator repeats under the same name.

    Examples:
        >>> from tinygraph.engine.graph import Slots
        >>> TWINS["Slots"].__name__
        'Slots'
    """
    TWINS[twin.__name__] = twin
    return getattr(_speed, twin.__name__) if ACCELERATED else twin


@accelerated
def untracked(kind: Nodes) -> Nodes:
    """Return a class of nodes, whose nodes the garbage collector does not track if the accelerator runs.

    Nodes are not part of reference cycles. Apply this class decorator only to a class whose nodes have no other
    attributes than slots.
    """
    return kind


def tell_accelerator(*parts: Any) -> None:
    """Tell the accelerator which objects of the package it uses. Without the accelerator, do nothing.

    Args:
        *parts: Objects, in the order of `introduce` in `_speed.c`.
    """
    if ACCELERATED:
        _speed.introduce(*parts)


@accelerated
class Caller:
    """The call of an op, which the accelerator shortens for floats, and for a Value and at most one float."""

    __slots__ = ()

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Compute on plain numbers and arrays, or record a node if an operand is a node."""
        return self._call(*operands, **options)

    def _call(self, *operands: Any) -> Any:
        raise NotImplementedError
