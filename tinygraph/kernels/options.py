"""NumPy's calls on a node: which optional arguments change nothing, and the errors for the calls that do not work."""

from __future__ import annotations

import numpy as np

from tinygraph.support.messages import described
from tinygraph.support.other_libraries import PARAMETERS

_DEFAULTS: dict[str, tuple[object, ...]] = {
    "dtype": (float, np.float64, np.dtype(np.float64), "float64", "float", "d", "f8"),
    "order": ("C", "K"),
    "casting": ("same_kind", "safe"),
    "subok": (True, False),
    "copy": (True, False),  # the array of a node never changes, so a copy makes no difference
    "where": (True,),
}


def is_default(option: str, value: object) -> bool:
    """Return whether an optional argument of NumPy changes nothing.

    Args:
        option: Name of NumPy's parameter.
        value: Argument.

    Returns:
        True for an argument such as out=None, dtype=float or order="C".

    Examples:
        >>> is_default("dtype", np.float64), is_default("dtype", np.float32)
        (True, False)
    """
    if value is None or value is np._NoValue:
        return True
    return any(value is x or (type(value) is type(x) and value == x) for x in _DEFAULTS.get(option, ()))


_REMEDIES = {
    **{name: f"NumPy's name is {ours}=" for name, ours in PARAMETERS.items()},
    "out": "the result is a new node, so leave it out",
    "dtype": "the elements are float64, so leave it out",
    "where": "use tinygraph.where(mask, result, other)",
    **dict.fromkeys(("order", "casting", "subok", "copy", "like", "device", "overwrite_input"), "leave it out"),
}
_METHODS = {  # methods of ufuncs, and what computes the same
    "add.reduce": "np.sum",
    "multiply.reduce": "np.prod",
    "maximum.reduce": "np.max",
    "minimum.reduce": "np.min",
    "add.accumulate": "np.cumsum",
    "multiply.accumulate": "np.cumprod",
    "multiply.outer": "np.outer",
}


def unknown_function(name: str, kind: str) -> TypeError:
    """Return the error for a NumPy function that does not work on a node.

    Args:
        name: NumPy's name, such as "gcd" or "add.reduce".
        kind: Name of the node's class.

    Returns:
        The error.

    Examples:
        >>> unknown_function("add.reduce", "Tensor")
        TypeError('np.add.reduce does not work on a Tensor: use np.sum')
    """
    remedy = _METHODS.get(name)
    if remedy is None:
        x = "t" if kind == "Tensor" else "x"
        remedy = f"one of the functions on the page 'NumPy coverage', or pass {x}.data if you need no gradient"
    return TypeError(f"np.{name} does not work on a {kind}: use {remedy}")


def unknown_option(name: str, kind: str, option: str, value: object) -> TypeError:
    """Return the error for an argument of a NumPy function that a node does not understand.

    Args:
        name: NumPy's name of the function.
        kind: Name of the node's class.
        option: Name of the argument.
        value: Argument.

    Returns:
        The error.

    Examples:
        >>> print(unknown_option("sum", "Tensor", "dim", 0))
        np.sum of a Tensor does not understand dim=0 (int): NumPy's name is axis=
    """
    remedy = _REMEDIES.get(option)
    if remedy is None:
        x = "t" if kind == "Tensor" else "x"
        remedy = f"this argument is not supported, so pass {x}.data if you need no gradient"
    if option == "out" and isinstance(value, tuple) and len(value) == 1:  # as NumPy passes it on
        (value,) = value
    return TypeError(f"np.{name} of a {kind} does not understand {option}={described(value)}: {remedy}")


def where_without_operands(operands: int) -> TypeError:
    """Return the error for a call of `np.where` that does not have two operands.

    Args:
        operands: Number of operands after the condition: 0 or 1.

    Returns:
        The error.
    """
    if operands:
        return TypeError("np.where needs both x and y, or neither of them: write np.where(condition, x, y)")
    return TypeError(
        "np.where with one argument returns the indices of the elements that are not 0, which have no derivative: "
        "pass .data, as in np.where(t.data)"
    )
