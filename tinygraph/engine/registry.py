"""Registration of the functions that create parametrized ops, by name, and the kinds of parameters."""

from __future__ import annotations

from functools import wraps

from tinygraph.kernels.numbers import plain_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from tinygraph.engine.op import Op

    Maker = TypeVar("Maker", bound=Callable[..., Op])
    Kind = Callable[[object], bool]

_HIGHEST_ORDER = 100  # highest order of a derivative in a saved graph

PARAMETRIZED: dict[str, tuple[Callable[..., Op], tuple[Kind, ...]]] = {}  # makers and kinds, by the maker's name


def parametrized(*kinds: Kind) -> Callable[[Maker], Maker]:
    """Register a function that creates ops, so that a saved op can be created again from its name and parameters.

    Args:
        *kinds: Predicates, one per parameter, that return True for allowed values.

    Returns:
        A decorator that returns the function unchanged.

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


def of_a_number(maker: Callable[[float], Op]) -> Callable[[float], Op]:
    """Register a cached function of a number, and check its argument first. A cache cannot hash a list, for example.

    Args:
        maker: Cached function that creates an op.

    Returns:
        A function of a number, whose attribute `__wrapped__` is the cached function.

    Examples:
        >>> from tinygraph.engine.ops import power
        >>> power([])
        Traceback (most recent call last):
        TypeError: power: [] (list) is not a real number; make one Value per element: [Value(x) for x in elements]
    """

    @wraps(maker)
    def make(exponent: float) -> Op:
        return maker(plain_number(exponent, maker.__name__))

    return parametrized(is_number)(make)


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
    """Return whether a parameter is a bool."""
    return type(x) is bool
