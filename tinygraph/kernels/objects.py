"""NumPy calls on single objects, such as `np.sum(v)` and `np.squeeze(v)`: each object becomes an array without axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def elementwise(function: Callable[..., Any], inputs: Sequence[object], kind: type) -> Any:
    """Call a function for each element of arrays and lists, of which some are or contain objects.

    Args:
        function: Function of as many elements as there are inputs.
        inputs: Objects, numbers and arrays.
        kind: Class of the objects.

    Returns:
        An array of the function's results.

    Examples:
        >>> elementwise(lambda x, y: f"{x}{y}", ("a", [1, 2]), str)
        array(['a1', 'a2'], dtype=object)
    """
    return np.frompyfunc(function, len(inputs), 1)(
        *[np.array(x, dtype=object) if isinstance(x, kind) else x for x in inputs]
    )


def item(x: Any) -> Any:
    """Return the element of an array of objects without axes. Return anything else unchanged.

    Examples:
        >>> item(np.array("a", dtype=object)), item("a")
        ('a', 'a')
    """
    return x.item() if getattr(x, "dtype", None) is np.dtype(object) and not x.shape else x


def call(function: Callable[..., Any], args: Sequence[object], options: Mapping[str, object], kind: type) -> Any:
    """Call a NumPy function with objects in place of arrays.

    Args:
        function: Function of NumPy.
        args: Positional arguments.
        options: Keyword arguments.
        kind: Class of the objects, whose dict `numpy_functions` contains functions that replace NumPy's by name.

    Returns:
        The result, or its only element if the result is an array without axes.

    Examples:
        >>> call(np.squeeze, ("a",), {}, str)
        'a'
    """
    own = getattr(kind, "numpy_functions", {}).get(function.__name__)
    if own is not None and (found := own(*args, **options)) is not NotImplemented:
        return found
    boxed = {name: _boxed(option, kind) for name, option in options.items()}
    result = function(*[_boxed(x, kind) for x in args], **boxed)
    return result[()] if isinstance(result, np.ndarray) and not result.ndim else result


def _boxed(x: object, kind: type) -> object:
    """Return an object as an array without axes. In lists and tuples, do the same with each object."""
    if isinstance(x, kind):
        return np.array(x, dtype=object)
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:  # np.stack would find the objects in it
        return [_boxed(entry, kind) for entry in x]
    if type(x) is list:
        return [_boxed(entry, kind) for entry in x]
    return tuple([_boxed(entry, kind) for entry in x]) if type(x) is tuple else x
