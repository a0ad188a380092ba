"""NumPy without its floating-point warnings: special values are results, as IEEE 754 defines them."""

from __future__ import annotations

import contextvars
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
    the run time of an addition. A hot path calls `calm.run` directly, which adds 0.05 µs.

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
    return calm.run(function, *args)  # type: ignore[no-any-return]


class _Calm(threading.local):
    """For each thread, a function that calls other functions without NumPy's warnings.

    Attributes:
        run: Function that calls a function in a prepared context. It raises RuntimeError if it is running already.
    """

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        context.run(_inside.set, True)
        self.run: Callable[..., Any] = context.run


calm = _Calm()
