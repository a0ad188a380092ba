"""NumPy without its floating-point warnings: special values are results, as IEEE 754 defines them."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import numpy as np

_Ts = TypeVarTuple("_Ts")
_R = TypeVar("_R")
_inside = contextvars.ContextVar("inside quietly", default=False)


def quietly(function: Callable[[*_Ts], _R], *args: *_Ts) -> _R:
    """Call a function with NumPy's floating-point warnings turned off.

    The function runs in a prepared context, which adds 0.3 µs to the call. `np.errstate` would add 2.8 µs, three times
    the run time of an addition. A hot path calls `calm`, which adds 0.03 µs.

    Args:
        function: Function to call.
        *args: Arguments of the function.

    Returns:
        The function's result.

    Examples:
        >>> quietly(np.divide, 1.0, np.array([0.0]))
        array([inf])
    """
    if _inside.get():
        return function(*args)
    return _of_thread.run(function, *args)  # type: ignore[no-any-return]


def _prepared() -> Callable[..., Any]:
    """Return a function that calls another function in a new context without NumPy's warnings."""
    context = contextvars.Context()
    context.run(np.seterr, all="ignore")
    context.run(_inside.set, True)
    return context.run


class _OfThread(threading.local):
    """The prepared context of each thread, which `run` calls functions in."""

    def __init__(self) -> None:
        self.run = _prepared()


_of_thread = _OfThread()

_one_at_a_time = getattr(sys, "_is_gil_enabled", lambda: True)()
calm: Callable[..., Any] = _prepared() if _one_at_a_time else quietly
"""Like `quietly`, for the hot path: it uses one context for all threads, which costs a tenth of `quietly`.

It raises RuntimeError if it is running already, in this thread or another one. Then call `quietly`. Without the global
interpreter lock, two threads could enter the context at the same moment, so `calm` is then `quietly` itself.
"""
