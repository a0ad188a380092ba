"""Ops of the softmax: its value, its logarithm, the logarithm of its denominator, and the cross-entropy.

With e = exp(x - max(x)), the softmax is e / (1 + rest), where `rest` is the sum of the elements of e without the 1 of
the maximum. The largest probability can be so close to 1 that 1 - softmax(x) would lose all digits. So this difference
is computed as rest / (1 + rest), and log(1 + rest) by `log1p`.

The derivatives of every order consist of the softmax and two private ops. Both are linear in their second operand:
`deviation` is u minus its mean, weighted by the probabilities. `softmax_minus` is softmax(x) · sum(y) - y, and its
matrix is the negative transpose of that of `deviation`.

References:
    P. Blanchard, D. J. Higham and N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", IMA
    Journal of Numerical Analysis 41(4), 2311-2330, 2021.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import is_flag, parametrized
from tinygraph.kernels.arrays import Array, add_up
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, is_axes
from tinygraph.tensor.reductions import over, spread, sum_over


@parametrized(is_axes)
@lru_cache(maxsize=256)
def softmax_over(axis: Axis) -> ArrayOp:
    """Return the op `softmax` along the given axes.

    Args:
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        The op.

    Examples:
        >>> softmax_over(0)(np.array([0.0, 0.0]))
        array([0.5, 0.5])
    """

    def compute(x: Array) -> Array:
        _, e, rest = _exponentials(x, axis)
        return e / (1.0 + rest)

    return ArrayOp(
        "softmax",
        compute,
        symbol=over("softmax", axis),
        code="tinygraph.softmax({}, axis={parameters[0]})",
        vjps=(lambda up, out, x: out * deviation_over(axis)(x, up),),
        jvp=lambda tangent, out, x: out * deviation_over(axis)(x, tangent),
        note=("({up} - sum({up} ⊙ a)) ⊙ a, where a = softmax({0})",),
        maker=softmax_over,
        parameters=(axis,),
    )


@parametrized(is_axes)
@lru_cache(maxsize=256)
def log_softmax_over(axis: Axis) -> ArrayOp:
    """Return the op `log_softmax` along the given axes.

    Args:
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        The op.

    Examples:
        >>> log_softmax_over(0)(np.array([0.0, -1e4]))
        array([     0., -10000.])
    """
    return ArrayOp(
        "log_softmax",
        lambda x: _log_softmax(x, axis),
        symbol=over("log_softmax", axis),
        code="tinygraph.log_softmax({}, axis={parameters[0]})",
        vjps=(lambda up, out, x: -softmax_minus(axis)(x, up),),
        jvp=lambda tangent, out, x: deviation_over(axis)(x, tangent),
        note=("{up} - sum({up}) ⊙ softmax({0})",),
        maker=log_softmax_over,
        parameters=(axis,),
    )


@parametrized(is_axes, is_flag)
@lru_cache(maxsize=256)
def logsumexp_over(axis: Axis, keepdims: bool = False) -> ArrayOp:
    """Return the op `logsumexp` over the given axes.

    Args:
        axis: Axis, tuple of axes, or None for all axes.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        The op.

    Examples:
        >>> logsumexp_over(1)(np.array([[0.0, -800.0]]))
        array([0.])
    """

    def compute(x: Array) -> Array:
        best, (_, _, rest) = _largest(x, axis), _exponentials(x, axis)
        out = np.where(np.isinf(best), best, best + np.log1p(rest))
        return out if keepdims else add_up(out, axis)  # a sum of one term: the reduced axes have length 1

    return ArrayOp(
        "logsumexp",
        compute,
        symbol=over("logsumexp", axis),
        code="tinygraph.logsumexp({}, axis={parameters[0]}, keepdims={parameters[1]})",
        vjps=(lambda up, out, x: spread(up, x, axis) * softmax_over(axis)(x),),
        jvp=lambda tangent, out, x: sum_over(axis, keepdims)(tangent * softmax_over(axis)(x)),
        note=("{up} ⊙ softmax({0})",),
        maker=logsumexp_over,
        parameters=(axis, keepdims),
    )


@parametrized(is_axes)
@lru_cache(maxsize=256)
def cross_entropy_over(axis: Axis) -> ArrayOp:
    """Return the op -sum(y · log_softmax(z)) over the given axes, where a probability y of 0 counts as 0.

    Args:
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        An op with two operands of the same shape: the logits z and the probabilities y.

    Examples:
        >>> cross_entropy_over(0)(np.array([0.0, 1000.0]), np.array([1.0, 0.0]))
        np.float64(1000.0)
    """

    def compute(z: Array, y: Array) -> Array:
        logs = _log_softmax(z, axis)
        return add_up(np.where((y == 0) & (logs == logs), 0.0, -y * logs), axis)

    return ArrayOp(
        "cross_entropy",
        compute,
        symbol=f"cross_entropy({{}}, {{}}, axis={axis})",
        code="tinygraph.cross_entropy({}, {}, axis={parameters[0]}, reduction='none')",
        vjps=(
            lambda up, out, x, y: spread(up, x, axis) * softmax_minus(axis)(x, y),
            lambda up, out, x, y: spread(-up, y, axis) * log_softmax_over(axis)(x),
        ),
        jvp=(lambda tangent, out, x, y: sum_over(axis)(tangent * softmax_minus(axis)(x, y)), None),
        note=("{up} ⊙ (softmax({0}) ⊙ sum({1}) - {1})", "-{up} ⊙ log_softmax({0})"),
        maker=cross_entropy_over,
        parameters=(axis,),
    )


@parametrized(is_axes)
@lru_cache(maxsize=256)
def softmax_minus(axis: Axis) -> ArrayOp:
    """Return the op softmax(x) · sum(y) - y. Where softmax(x) is close to 1, nothing cancels.

    Args:
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        An op with two operands of the same shape.

    Examples:
        >>> softmax_minus(0)(np.array([0.0, -40.0]), np.array([1.0, 0.0]))
        array([-4.24835426e-18,  4.24835426e-18])
    """

    def compute(x: Array, y: Array) -> Array:
        ties, e, rest = _exponentials(x, axis)
        p = e / (1.0 + rest)
        of_ties, others = (add_up(part, axis, True) for part in (np.where(ties, y, 0.0), np.where(ties, 0.0, y)))
        at_ties = p * (others + (of_ties - y)) - y * (rest / (1.0 + rest))
        return np.where(ties, at_ties, p * (others + of_ties) - y)

    def dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
        return sum_over(axis, True)(y) * softmax_over(axis)(x) * deviation_over(axis)(x, up)

    return ArrayOp(
        "softmax_minus",
        compute,
        symbol=f"(softmax({{0}}) ⊙ sum({{1}}) - {{1}}, axis={axis})",
        vjps=(dx, lambda up, out, x, y: -deviation_over(axis)(x, up)),
        jvp=(dx, None),  # the derivative of the softmax is a symmetric matrix
        maker=softmax_minus,
        parameters=(axis,),
    )


@parametrized(is_axes)
@lru_cache(maxsize=256)
def deviation_over(axis: Axis) -> ArrayOp:
    """Return the op u - sum(softmax(x) · u), the deviation of u from its mean, weighted by the probabilities.

    The element of u at the largest probability is subtracted first. So the deviation of this element is the sum of the
    other terms, and nothing cancels where this probability is close to 1.

    Args:
        axis: Axis, tuple of axes, or None for all axes.

    Returns:
        An op with two operands of the same shape: x and u.

    Examples:
        >>> deviation_over(0)(np.array([0.0, -40.0]), np.array([1.0, 0.0]))
        array([ 4.24835426e-18, -1.00000000e+00])
    """

    def compute(x: Array, u: Array) -> Array:
        ties, e, rest = _exponentials(x, axis)
        reference = add_up(np.where(ties, u, 0.0), axis, True) / add_up(ties, axis, True)
        d = u - reference
        return d - add_up(e / (1.0 + rest) * d, axis, True)

    def dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
        return -sum_over(axis, True)(up) * softmax_over(axis)(x) * out

    def along_x(tangent: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
        moved = sum_over(axis, True)(softmax_over(axis)(x) * out * tangent)
        return spread(-moved, x, axis)

    return ArrayOp(
        "deviation",
        compute,
        symbol=f"({{1}} - sum(softmax({{0}}) ⊙ {{1}}), axis={axis})",
        vjps=(dx, lambda up, out, x, y: -softmax_minus(axis)(x, up)),
        jvp=(along_x, None),
        maker=deviation_over,
        parameters=(axis,),
    )


# --- kernels


def _exponentials(x: Array, axis: Axis) -> tuple[Array, Array, Array]:
    """Return where the maximum is, exp(x - max), and the sum of these exponentials minus 1.

    The sum is NaN if infinite elements tie, because no limit exists there.
    """
    best = _largest(x, axis)
    ties = x == best
    e = np.where(ties, 1.0, np.exp(x - best))
    more = add_up(ties, axis, True) - 1.0
    rest = add_up(np.where(ties, 0.0, e), axis, True) + more
    return ties, e, np.where((more > 0) & np.isinf(best), np.nan, rest)


def _largest(x: Array, axis: Axis) -> Array:
    if type(x) is np.ndarray and not x.size:  # NumPy has no maximum of no elements
        return np.max(x, axis=axis, keepdims=True, initial=-np.inf)  # type: ignore[no-any-return]
    return np.max(x, axis=axis, keepdims=True)  # type: ignore[no-any-return]


def _log_softmax(x: Array, axis: Axis) -> Array:
    ties, _, rest = _exponentials(x, axis)
    return np.where(ties, 0.0, x - _largest(x, axis)) - np.log1p(rest)
