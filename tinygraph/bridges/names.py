"""Names in a program: what the user calls the arguments of a function, and the values that it refers to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tinygraph.support.messages import counted


def used(f: object) -> Iterator[tuple[str, object]]:
    """Yield the values that a function refers to, with the names of their variables, also through other functions.

    Args:
        f: Function.

    Yields:
        Pairs of a name and a value.
    """
    waiting, seen = [f], set()
    while waiting:
        for name, value in _referred(waiting.pop(0)):
            yield name, value
            if inspect.isfunction(value) and value not in seen:
                seen.add(value)
                waiting.append(value)


def _referred(f: object) -> Iterator[tuple[str, object]]:
    """Yield the values that a function refers to itself."""
    while isinstance(f, partial):
        for i, given in enumerate(f.args):
            yield f"args[{i}]", given
        yield from f.keywords.items()
        f = f.func
    owner = getattr(f, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        yield "self", owner
        yield from _attributes(owner)
    if inspect.isfunction(f) or inspect.ismethod(f):
        variables = inspect.getclosurevars(inspect.unwrap(f))
        for namespace in (variables.nonlocals, variables.globals):
            for name, value in namespace.items():
                yield name, value
                yield from _parts(name, value)
    else:
        yield "", f
        if not inspect.isroutine(f):
            yield from _attributes(f)


def _attributes(owner: object) -> Iterator[tuple[str, object]]:
    for name, value in getattr(owner, "__dict__", {}).items():
        yield name, value
        yield from _parts(name, value)


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the elements of a list, a tuple or a dict, with their names, such as `w[1]`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, entry in items:
        yield f"{name}[{key!r}]", entry


def numbered(name: str, scope: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> str:
    """Return the name of the scope for a call of a function or a module: a second call gets a number.

    Args:
        name: Name of the function or module.
        scope: Scopes around the call.
        counts: Number of the last call, by scope. This call is added.

    Returns:
        The name.

    Examples:
        >>> counts = {}
        >>> numbered("dense", (), counts), numbered("dense", (), counts), numbered("dense", ("loss",), counts)
        ('dense', 'dense[1]', 'dense')
    """
    count = counts[(*scope, name)] = counts.get((*scope, name), -1) + 1
    return f"{name}[{count}]" if count else name


def names_of_arguments(f: Callable[..., object], args: Sequence[object]) -> list[str]:
    """Return the names of the parameters to which a function binds its positional arguments.

    Args:
        f: Function, or module, whose method `forward` has the parameters.
        args: Positional arguments.

    Returns:
        One name per argument.

    Examples:
        >>> names_of_arguments(lambda x, *rest: x, (1, 2, 3))
        ['x', 'rest[0]', 'rest[1]']
    """
    try:
        parameters = list(inspect.signature(getattr(f, "forward", f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = []
    for i, _ in enumerate(args):
        if i < len(parameters) and parameters[i].kind in (
            parameters[i].POSITIONAL_ONLY,
            parameters[i].POSITIONAL_OR_KEYWORD,
        ):
            names.append(parameters[i].name)
        else:
            rest = [(k, p.name) for k, p in enumerate(parameters) if p.kind is p.VAR_POSITIONAL]
            names.append(f"{rest[0][1]}[{i - rest[0][0]}]" if rest else f"args[{i}]")
    return names


def check_call(f: Callable[..., object], args: Sequence[object], importer: str) -> None:
    """Raise TypeError if a function cannot be called with the arguments.

    Args:
        f: Function, or module with a method `forward`.
        args: Positional arguments.
        importer: Name of the function that imports `f`, for the message.

    Examples:
        >>> check_call(lambda x, y: x, (1,), "from_jax")
        Traceback (most recent call last):
        TypeError: f cannot be called with 1 argument (missing a required argument: 'y'): pass its arguments ...
    """
    try:
        signature = inspect.signature(getattr(f, "forward", f))
    except (TypeError, ValueError):  # a built-in function has no signature
        return
    try:
        signature.bind(*args)
    except TypeError as error:
        raise TypeError(
            f"f cannot be called with {counted(len(args), 'argument')} ({error}): pass its arguments after f, as in "
            f"{importer}(f, x, y). To test the gradients of f on many inputs, use tinygraph.testing.{importer}(f)"
        ) from None
