"""Functions that JAX composes of several primitives, and that are one op here: mean, softmax and log-sum-exp.

For softmax, JAX subtracts the largest element before `exp`, and stops the gradient of that element. The result does not
depend on the element, so the graph does not need it, and the diagram shows what the user called.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.bridges.operands import Imported, is_node, view
from tinygraph.engine import ops
from tinygraph.tensor.functions.probabilities import logsumexp
from tinygraph.tensor.more_ops.cuts import cut
from tinygraph.tensor.more_ops.softmax import softmax_over
from tinygraph.tensor.reductions import extremum, mean_over, sum_over
from tinygraph.tensor.shapes import expand, reshape


def mean_of(x: Imported, y: Imported) -> Imported | None:
    """Return the mean that a quotient computes, a sum divided by the number of its terms.

    Args:
        x: Dividend.
        y: Divisor.

    Returns:
        The node, or None for another quotient.
    """
    total = _below(x, reshape)
    if not isinstance(y, float) or not _made_by(total, sum_over) or not total.size:
        return None
    z, (axis, kept) = total.x, total.op.parameters
    if y != z.size / total.size or y == 1.0:
        return None
    kept = kept or x.shape == _kept(z, axis)
    return view(mean_over(axis, bool(kept))(z), x.shape)


def softmax_of(x: Imported, y: Imported) -> Imported | None:
    """Return the softmax that a quotient computes, exp(z - max)/sum(exp(z - max)).

    Args:
        x: Dividend.
        y: Divisor.

    Returns:
        The node, or None for another quotient.
    """
    total = _below(y, reshape, expand)
    found = _shifted(x) if _made_by(total, sum_over) and total.x is x else None
    if found is None or total.op.parameters[0] != found[1] or not _keeps_axes(y, *found):
        return None
    return softmax_over(found[1])(found[0])


def logsumexp_of(x: Imported, y: Imported) -> Imported | None:
    """Return the log-sum-exp that a sum computes, log(sum(exp(z - max))) + max.

    Args:
        x: First term.
        y: Second term.

    Returns:
        The node, or None for another sum.
    """
    if not (is_node(x) and x.op is ops.log and is_node(y)):
        return None
    total = x.x.x if is_node(x.x) and x.x.op is ops.abs else x.x  # JAX allows negative weights, and sums positive terms
    found = _shifted(total.x) if _made_by(total, sum_over) else None
    if found is None or total.op.parameters != (found[1], False) or y.shape != x.shape:
        return None
    return logsumexp(found[0], axis=found[1]) if not _made_by(y, expand) and _is_largest(y, *found) else None


def _shifted(x: Imported) -> tuple[Imported, Any] | None:
    """Return z and the axis of its largest element if a node is exp(z - max)."""
    if not (is_node(x) and x.op is ops.exp and is_node(x.x) and x.x.op is ops.sub):
        return None
    z, largest = x.x.x, x.x.y
    top = _below(largest, reshape, expand, cut.maker)
    axis = top.op.parameters[1] if _made_by(top, extremum) else None
    return (z, axis) if is_node(z) and _is_largest(largest, z, axis) and _keeps_axes(largest, z, axis) else None


def _is_largest(x: Imported, z: Imported, axis: Any) -> bool:
    """Return whether a node contains the largest elements of z along an axis, without their gradient."""
    kept = _below(x, reshape, expand)
    if not is_node(kept) or kept.op is not cut:
        return False
    top = _below(kept.x, reshape)
    return _made_by(top, extremum) and top.x is z and top.op.parameters[:2] == ("max", axis)


def _keeps_axes(x: Imported, z: Imported, axis: Any) -> bool:
    """Return whether x, before it is broadcast, has the shape of z, with length 1 along an axis."""
    shape = _below(x, expand).shape
    return bool((1,) * (z.ndim - len(shape)) + shape == _kept(z, axis))


def _kept(z: Imported, axis: Any) -> tuple[int, ...]:
    """Return the shape of a sum of z over an axis that is kept with length 1."""
    shape: tuple[int, ...] = np.broadcast_to(0.0, z.shape).sum(axis, keepdims=True).shape
    return shape


def _below(x: Imported, *makers: object) -> Imported:
    """Return the operand of nodes that only change the shape."""
    while _made_by(x, *makers):
        x = x.x
    return x


def _made_by(x: Imported, *makers: object) -> bool:
    return is_node(x) and x.op is not None and x.op.maker in makers
