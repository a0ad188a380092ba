"""An op that lets values through, but no gradients: what `detach` and `no_grad` of PyTorch are in a graph."""

from __future__ import annotations

from functools import cache

import numpy as np

from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.tensor.array_ops import ArrayOp, Operand
from tinygraph.tensor.more_ops.masks import select


def _nothing(x: Operand) -> Operand:
    """Return zeros with the shape of an operand. They do not depend on its elements, not even on NaN."""
    return select(np.zeros(x.shape, bool))(x, np.zeros(x.shape))


@cache
def the_cut() -> ArrayOp:
    """Return the op whose value is its operand, and whose derivative is 0 everywhere.

    Unlike the constant copy that `detach` returns, its node stays in the graph, so `forward` recomputes it.

    Returns:
        The op.

    Examples:
        >>> the_cut()(np.array([1.0, 2.0]))
        array([1., 2.])
    """
    return ArrayOp(
        "cut",
        lambda x: x,
        symbol="cut({})",
        vjps=(lambda up, out, x: _nothing(up),),
        jvp=lambda tangent, out, x: _nothing(tangent),
        note=("0, because no gradient flows here",),
        maker=the_cut,
    )


PARAMETRIZED["cut"] = the_cut, ()
cut = the_cut()
