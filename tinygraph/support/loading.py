"""Classes that a plugin can use when they are loaded, so that the plugin does not load them itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Class = TypeVar("Class", bound=type)

_LOADED: dict[str, type] = {}
_WAITING: dict[str, list[Callable[[type], None]]] = {}


def loaded(cls: Class) -> Class:
    """Call the functions that wait for a class. This function is a class decorator.

    Args:
        cls: The class.

    Returns:
        The class, unchanged.
    """
    _LOADED[cls.__name__] = cls
    for use in _WAITING.pop(cls.__name__, []):
        use(cls)
    return cls


def when_loaded(name: str, use: Callable[[type], None]) -> None:
    """Call a function with a class, now or when the module of the class is loaded.

    Args:
        name: Name of a class that has the decorator `loaded`.
        use: Function of the class.

    Examples:
        >>> when_loaded("OfTheExample", lambda cls: print("loaded", cls.__name__))
        >>> @loaded
        ... class OfTheExample: ...
        loaded OfTheExample
    """
    if name in _LOADED:
        use(_LOADED[name])
    else:
        _WAITING.setdefault(name, []).append(use)
