"""Products, and cumulative sums and products.

No pullback divides by an element, so the derivatives of every order are right at zeros too. The product of all other
elements, and a linear recurrence, are computed in pairs: n elements need log2(n) steps of a few ops each.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import is_flag, is_integer, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, is_axes
from tinygraph.tensor.indexing import concatenate, stack
from tinygraph.tensor.reductions import over, reduction_code, spread, sum_over
from tinygraph.tensor.shapes import reshape, transpose


@parametrized(is_axes, is_flag)
@lru_cache(maxsize=256)
def prod_over(axis: Axis, keepdims: bool = False) -> ArrayOp:
    """Return the op that multiplies the elements over the given axes.

    Args:
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        The op.

    Examples:
        >>> prod_over(0)(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([3., 8.])
    """
    return ArrayOp(
        "prod",
        lambda x: np.prod(x, axis=axis, keepdims=keepdims),
        symbol=over("prod", axis),
        code=reduction_code("prod", axis, keepdims),
        vjps=(lambda up, out, x: spread(up, x, axis) * product_of_others(x, axis),),
        jvp=lambda tangent, out, x: sum_over(axis, keepdims)(tangent * product_of_others(x, axis)),
        note=("{up} ⊙ the product of the other elements",),
        maker=prod_over,
        parameters=(axis, keepdims),
    )


def product_of_others(x: Operand, axis: Axis = None) -> Operand:
    """Return, for each element, the product of all other elements over the given axes.

    Args:
        x: Array or Tensor.
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        An array with the shape of `x`, or a node.

    Examples:
        >>> product_of_others(np.array([2.0, 0.0, 3.0]))
        array([0., 6., 0.])
    """
    axes = range(x.ndim) if axis is None else [axis % max(x.ndim, 1)] if isinstance(axis, int) else axis
    first = [a % x.ndim for a in axes if x.ndim]
    order = (*first, *(a for a in range(x.ndim) if a not in first))
    turned = transpose(order)(x)
    kept = turned.shape[len(first) :]
    rows = reshape((int(np.prod(turned.shape[: len(first)])), *kept))(turned)
    back = tuple(sorted(range(x.ndim), key=order.__getitem__))
    return transpose(back)(reshape(turned.shape)(_others(rows)))


def _others(x: Operand) -> Operand:
    """Return the products of all other elements along the first axis: those of pairs, times the partner in the pair."""
    half = len(x) // 2
    if not half:
        return np.ones(x.shape)
    left, right, rest = x[:half], x[half : 2 * half], x[2 * half :]
    outside = _others(concatenate(0)(left * right, rest))
    pairs = outside[:half]
    return concatenate(0)(pairs * right, pairs * left, outside[half:])


@parametrized(is_integer, is_flag)
@lru_cache(maxsize=256)
def cumsum_over(axis: int, backward: bool = False) -> ArrayOp:
    """Return the op that computes cumulative sums along an axis.

    Args:
        axis: Axis.
        backward: If true, start at the last element. This is the pullback of the other direction.

    Returns:
        The op.

    Examples:
        >>> cumsum_over(0)(np.array([1.0, 2.0, 3.0])), cumsum_over(0, True)(np.array([1.0, 2.0, 3.0]))
        (array([1., 3., 6.]), array([6., 5., 3.]))
    """

    def compute(x: Array) -> Array:
        return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if backward else np.cumsum(x, axis)

    return ArrayOp(
        "cumsum",
        compute,
        symbol=f"cumsum({{}}, axis={axis}{', backward' if backward else ''})",
        code="" if backward else "np.cumsum({}, axis={parameters[0]})",
        vjps=(lambda up, out, x: cumsum_over(axis, not backward)(up),),
        note=(f"summed from {'the first' if backward else 'the last'} element",),
        adds_terms=True,
        maker=cumsum_over,
        parameters=(axis, backward),
    )


@parametrized(is_integer)
@lru_cache(maxsize=256)
def cumprod_over(axis: int) -> ArrayOp:
    """Return the op that computes cumulative products along an axis.

    Args:
        axis: Axis, not negative.

    Returns:
        The op.

    Examples:
        >>> cumprod_over(0)(np.array([1.0, 2.0, 3.0]))
        array([1., 2., 6.])
    """

    def first(x: Operand) -> Operand:
        """Return the array with the axis at the front. The same swap moves the axis back."""
        order = list(range(x.ndim))
        order[0], order[axis] = axis, 0
        return transpose(tuple(order))(x) if axis else x

    def dx(up: Operand, out: Operand, x: Operand) -> Operand:
        x, before = first(x), _before(first(out))
        after = concatenate(0)(x[1:], np.zeros(x[:1].shape))  # the factor of each element's successor
        return first(before * recurrence(after[::-1], first(up)[::-1])[::-1])

    def change(tangent: Operand, out: Operand, x: Operand) -> Operand:
        x, before = first(x), _before(first(out))
        return first(recurrence(x, before * first(tangent)))

    return ArrayOp(
        "cumprod",
        lambda x: np.cumprod(x, axis),
        symbol=f"cumprod({{}}, axis={axis})",
        code="np.cumprod({}, axis={parameters[0]})",
        vjps=(dx,),
        jvp=change,
        note=("{up} ⊙ the products of the other elements",),
        maker=cumprod_over,
        parameters=(axis,),
    )


def _before(products: Operand) -> Operand:
    """Return the cumulative products without the element itself: 1 for the first element."""
    return concatenate(0)(np.ones(products[:1].shape), products[:-1])


def recurrence(factors: Operand, terms: Operand) -> Operand:
    """Return h with h[0] = terms[0] and h[i] = terms[i] + factors[i] · h[i - 1], along the first axis.

    Args:
        factors: Array or Tensor.
        terms: Array or Tensor of the same shape.

    Returns:
        The elements h: an array or a node.

    References:
        G. E. Blelloch, "Prefix sums and their applications", Technical Report CMU-CS-90-190, 1990, section 1.4.1.

    Examples:
        >>> recurrence(np.array([0.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
        array([ 1.,  3., 10.])
    """
    n = len(terms)
    if n < 2:
        return terms
    half = n // 2
    even, odd = slice(0, 2 * half, 2), slice(1, 2 * half, 2)
    at_odd = recurrence(factors[odd] * factors[even], terms[odd] + factors[odd] * terms[even])
    later = terms[2::2] + factors[2::2] * at_odd[: (n - 1) // 2]
    at_even = concatenate(0)(terms[:1], later)
    pairs = reshape((2 * half, *terms.shape[1:]))(stack(1)(at_even[:half], at_odd))
    return concatenate(0)(pairs, at_even[half:])
