"""Parametrized ops: functions that make ops, each with the kinds of its parameters, so that a reader can check them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from tinygraph.engine.op import Op

    Maker = TypeVar("Maker", bound=Callable[..., Op])
    Kind = Callable[[object], bool]

_HIGHEST_ORDER = 100  # of a derivative that somebody asks for by its order

PARAMETRIZED: dict[str, tuple[Callable[..., Op], tuple[Kind, ...]]] = {}  # by the name of the maker


def parametrized(*kinds: Kind) -> Callable[[Maker], Maker]:
    """Register a function that makes ops: by its name and its parameters, a saved op is made again.

    Args:
        *kinds: One predicate per parameter, true for a value that the parameter may have.

    Returns:
        A decorator, which returns the function as it is.

    Examples:
        >>> from tinygraph.engine import ops
        >>> make, kinds = PARAMETRIZED["power"]
        >>> make is ops.power, [kind(3.0) for kind in kinds]
        (True, [True])
    """

    def register(maker: Maker) -> Maker:
        PARAMETRIZED[maker.__name__] = maker, kinds
        return maker

    return register


def is_number(x: object) -> bool:
    """Return whether a parameter is a number."""
    return type(x) in (int, float)


def is_order(x: object) -> bool:
    """Return whether a parameter is the order of a derivative."""
    return type(x) is int and 0 <= x <= _HIGHEST_ORDER


def is_integer(x: object) -> bool:
    """Return whether a parameter is an integer."""
    return type(x) is int


def is_flag(x: object) -> bool:
    """Return whether a parameter is true or false."""
    return type(x) is bool
