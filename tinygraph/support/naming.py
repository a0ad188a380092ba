"""Names of functions in messages and tracebacks, such as `Value.backward` instead of the name of an internal class."""

from __future__ import annotations

from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[..., object])


def renamed(function: F, name: str, owner: str = "") -> F:
    """Give a function that another function created a name, in messages and in tracebacks.

    Args:
        function: Function.
        name: New name.
        owner: Name of the class that contains the function, where pickle looks it up. Defaults to none.

    Returns:
        The same function.

    Examples:
        >>> renamed(lambda x: x, "identity")()
        Traceback (most recent call last):
        TypeError: identity() missing 1 required positional argument: 'x'
    """
    assert isinstance(function, FunctionType)
    function.__name__, function.__qualname__ = name, f"{owner}.{name}" if owner else name
    function.__code__ = function.__code__.replace(co_name=name)
    return function


def own_methods(kind: type) -> None:
    """Give a public class its own copy of each public method that it inherits, so that messages name this class.

    Args:
        kind: Class.

    Examples:
        >>> class Base:
        ...     def run(self): ...
        >>> class Public(Base): ...
        >>> own_methods(Public)
        >>> Public().run(1)
        Traceback (most recent call last):
        TypeError: Public.run() takes 1 positional argument but 2 were given
    """
    for name in dir(kind):
        method = getattr(kind, name, None)
        if name in vars(kind) or not isinstance(method, FunctionType) or (name.startswith("_") and name != "__init__"):
            continue
        copy = FunctionType(
            method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__
        )
        copy.__kwdefaults__, copy.__doc__, copy.__annotations__ = (
            method.__kwdefaults__,
            method.__doc__,
            method.__annotations__,
        )
        copy.__module__, copy.__qualname__ = kind.__module__, f"{kind.__name__}.{name}"
        setattr(kind, name, copy)
