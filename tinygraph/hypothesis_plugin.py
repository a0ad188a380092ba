"""The plugin that Hypothesis loads: `st.from_type(Value)` and `st.from_type(Tensor)` draw leaves.

Hypothesis calls `register` when it is imported, in each project of an environment in which tinygraph is installed.
Therefore, this module loads neither NumPy nor `tinygraph.testing` before a strategy is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tinygraph.engine.value import Value
from tinygraph.support.loading import when_loaded

if TYPE_CHECKING:
    from tinygraph.tensor.tensor import Tensor


def register() -> None:
    """Register the strategies for Value and Tensor. Hypothesis calls this function."""
    st.register_type_strategy(Value, values)
    when_loaded("Tensor", lambda cls: st.register_type_strategy(cls, tensors))


def values(of: type[Value]) -> st.SearchStrategy[Value]:
    """Return a strategy for leaves of a scalar graph, whose values are numbers of all sizes.

    Args:
        of: Value, or a subclass.

    Returns:
        The strategy.

    Examples:
        >>> from hypothesis import find
        >>> find(values(Value), lambda x: x.data > 0.0)
        Value(1.0)
    """
    from tinygraph.testing.input_strategies import arrays_like

    return arrays_like(()).map(of)


def tensors(of: type[Tensor]) -> st.SearchStrategy[Tensor]:
    """Return a strategy for leaf Tensors of different shapes, whose elements are numbers of all sizes.

    Args:
        of: Tensor, or a subclass.

    Returns:
        The strategy.

    Examples:
        >>> from hypothesis import find
        >>> from tinygraph import Tensor
        >>> find(tensors(Tensor), lambda x: x.ndim == 1 and x.size > 0 and x.data.all())
        Tensor([1.0])
    """
    from tinygraph.testing.array_strategies import shapes
    from tinygraph.testing.input_strategies import arrays_like

    return shapes(1).flatmap(lambda drawn: arrays_like(drawn[0])).map(of)
