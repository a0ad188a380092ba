"""The table of the JAX primitives that `from_jax` knows. Each entry is a function of nodes and of plain arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from tinygraph.bridges.operands import Entry

JaxArray: TypeAlias = Any  # JAX is imported when it is used, so its types have no names here
Jaxpr: TypeAlias = Any
Equation: TypeAlias = Any
Params = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]
_E = TypeVar("_E", bound=Entry)
TABLE: dict[str, Entry] = {}
# Parameters that do not change the result in float64.
IGNORED = (
    *("accuracy", "precision", "preferred_element_type", "out_sharding", "sharding", "weak_type", "is_stable"),
    *("indices_are_sorted", "unique_indices", "index_dtype", "algorithm", "out_dtype"),
)


class Whole(NamedTuple):
    """A function of JAX that becomes one node, instead of the primitives of which JAX composes it.

    Attributes:
        entry: The function of nodes.
        module: Name of the module of JAX that contains the function.
        axis: Whether the function needs an axis, which is that of its largest element.
    """

    entry: Entry
    module: str
    axis: bool = False


WHOLE: dict[str, Whole] = {}


def primitive(*names: str) -> Callable[[_E], _E]:
    """Put a function into the table.

    Args:
        *names: Names of JAX primitives, such as "mul" or "dot_general".

    Returns:
        A decorator that returns the function unchanged.

    Examples:
        >>> from tinygraph import Tensor
        >>> TABLE["mul"](Tensor([2.0]), 3.0)
        Tensor([6.0], op='mul')
    """

    def register(function: _E) -> _E:
        TABLE.update(dict.fromkeys(names, function))
        return function

    return register
