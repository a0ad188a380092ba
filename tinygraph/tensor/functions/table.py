"""The table of the NumPy functions that work on Tensors, and the call of such a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np

from tinygraph.kernels.options import is_default, unknown_function, unknown_option

Function = TypeVar("Function", bound=Callable[..., Any])

FUNCTIONS: dict[str, Callable[..., Any]] = {}  # by NumPy's name, for example "dot" or "linalg.norm"


def numpy_function(*names: str) -> Callable[[Function], Function]:
    """Register a function as NumPy's function of this name, for Tensors.

    The parameters have NumPy's names and meaning. NumPy's other parameters can be left out: an argument for one of
    them is refused, unless it is a default such as `out=None`, or asks for what a Tensor is (`dtype=float`).

    Args:
        *names: NumPy's names, such as "linalg.norm". Defaults to the name of the function.

    Returns:
        A decorator that returns the function unchanged.

    Examples:
        >>> @numpy_function("sum_of_squares")
        ... def of_squares(a):
        ...     return (a * a).sum()
        >>> from tinygraph import Tensor
        >>> call("sum_of_squares", (Tensor([1.0, 2.0]),), {})
        Tensor(5.0, op='sum')
        >>> del FUNCTIONS["sum_of_squares"]
    """

    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(names or [function.__name__], function))
        return function

    return register


@cache
def name_of(function: Callable[..., object]) -> str:
    """Return the name of a NumPy function in the table.

    Args:
        function: Function of NumPy.

    Returns:
        The name, without "numpy.".

    Examples:
        >>> name_of(np.dot), name_of(np.linalg.norm)
        ('dot', 'linalg.norm')
    """
    return f"{function.__module__}.{function.__name__}".removeprefix("numpy.")


def call(
    name: str, args: Sequence[object], options: Mapping[str, object], numpy: Callable[..., object] | None = None
) -> Any:
    """Call the function of the table with the arguments of a NumPy call.

    Args:
        name: NumPy's name.
        args: Positional arguments.
        options: Keyword arguments.
        numpy: NumPy's function, whose signature gives names to the positional arguments.

    Returns:
        The result of the function.

    Raises:
        TypeError: If the function is not in the table, or does not understand an argument.

    Examples:
        >>> from tinygraph import Tensor
        >>> call("concatenate", ([Tensor([1.0]), [2.0]],), {"dtype": float})
        Tensor([1.0, 2.0], op='concatenate')
    """
    ours, in_common = _found(name, numpy)
    if not options and len(args) <= in_common:  # names would take twice the time of a small `np.dot`
        return ours(*args)
    if numpy is not None:
        args, options = _named(numpy, args, options)
    known = _parameters(ours)
    kept = {key: value for key, value in options.items() if not _is_default(name, key, value, key in known)}
    return ours(*args, **kept)


def _named(
    numpy: Callable[..., object], args: Sequence[object], options: Mapping[str, object]
) -> tuple[Sequence[object], Mapping[str, object]]:
    """Return the arguments with the names of NumPy's parameters, where NumPy's function shows them."""
    signature = _signature(numpy)
    if signature is None:
        return args, options
    named = signature.bind(*args, **options).arguments
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    unnamed = [name for name in named if kinds[name] is inspect.Parameter.POSITIONAL_ONLY]
    return [named.pop(name) for name in unnamed], named


@cache
def _found(name: str, numpy: Callable[..., object] | None) -> tuple[Callable[..., Any], int]:
    """Return a function of the table, and how many positional arguments mean the same in NumPy's function.

    The first argument always does.
    """
    ours = FUNCTIONS.get(name)
    if ours is None:
        raise unknown_function(name, "Tensor")
    signature = _signature(numpy) if numpy is not None else None
    if signature is None:
        return ours, 1
    pairs = zip(inspect.signature(ours).parameters.values(), signature.parameters.values(), strict=False)
    same = [x.name == y.name and x.kind is not inspect.Parameter.KEYWORD_ONLY for x, y in pairs]
    return ours, max(1, [*same, False].index(False))


@cache
def _signature(function: Callable[..., object]) -> inspect.Signature | None:
    """Return the signature of a NumPy function, or None if it is unknown or has `*args`."""
    try:
        found = inspect.signature(function)
    except ValueError:  # a function in C
        return None
    stars = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return None if any(parameter.kind in stars for parameter in found.parameters.values()) else found


@cache
def _parameters(function: Callable[..., object]) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def check_defaults(name: str, options: Mapping[str, object]) -> None:
    """Check that arguments which a function does not understand have the values that change nothing.

    Args:
        name: NumPy's name of the function.
        options: The arguments by name.

    Raises:
        TypeError: If an argument has another value.

    Examples:
        >>> check_defaults("sum", {"out": None, "dtype": float})
    """
    for option, value in options.items():
        _is_default(name, option, value, False)


def _is_default(name: str, option: str, value: object, known: bool) -> bool:
    """Return whether an argument changes nothing. Raise TypeError for another one that the function does not know."""
    if value is np._NoValue:
        return True
    if known:
        return False
    if is_default(option, value):
        return True
    raise unknown_option(name, "Tensor", option, value)
