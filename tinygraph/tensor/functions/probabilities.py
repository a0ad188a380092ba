"""Functions of probabilities: softmax, its logarithm, log-sum-exp, and the softmax cross-entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Never

import numpy as np

from tinygraph.kernels.arrays import Array, as_array
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import one_of
from tinygraph.support.other_libraries import check_options
from tinygraph.tensor.arguments import plain
from tinygraph.tensor.array_ops import ArrayOp, Axis, Operand, Shape, TracedArray
from tinygraph.tensor.more_ops.softmax import cross_entropy_over, log_softmax_over, logsumexp_over, softmax_over
from tinygraph.tensor.operands import as_axis, operand


def softmax(x: Operand, axis: Axis = -1, **_unknown: Never) -> Operand:
    """Return exp(x) / sum(exp(x)): probabilities with the sum 1.

    Nothing overflows. An element of -inf gets the probability 0, and a single element of inf gets 1. The result is NaN
    if all elements are -inf (and there are several), or if several elements are inf.

    Args:
        x: Tensor or array.
        axis: Axis along which the probabilities have the sum 1, tuple of axes, or None for all axes. Defaults to the
            last axis.

    Returns:
        A Tensor, or an array if `x` is not a Tensor.

    Raises:
        TypeError: If `x` is not an array of real numbers.
        AxisError: If `x` does not have the axis.

    Examples:
        >>> from tinygraph import Tensor, softmax
        >>> softmax(Tensor([0.0, 1000.0, 1000.0]))
        Tensor([0.0, 0.5, 0.5], op='softmax')
    """
    check_options("softmax", _unknown)
    return _along("softmax", softmax_over(as_axis(axis)), x)


def log_softmax(x: Operand, axis: Axis = -1, **_unknown: Never) -> Operand:
    """Return log(softmax(x)), also where the softmax underflows to 0 or rounds to 1.

    Args:
        x: Tensor or array.
        axis: Axis along which the probabilities have the sum 1, tuple of axes, or None for all axes. Defaults to the
            last axis.

    Returns:
        A Tensor, or an array if `x` is not a Tensor.

    Raises:
        TypeError: If `x` is not an array of real numbers.
        AxisError: If `x` does not have the axis.

    Examples:
        >>> from tinygraph import Tensor, log_softmax
        >>> log_softmax(Tensor([0.0, 1000.0]))
        Tensor([-1000.0, 0.0], op='log_softmax')
    """
    check_options("log_softmax", _unknown)
    return _along("log_softmax", log_softmax_over(as_axis(axis)), x)


def logsumexp(x: Operand, axis: Axis = None, keepdims: bool = False, **_unknown: Never) -> Operand:
    """Return log(sum(exp(x))), without overflow. Its derivative is the softmax.

    Args:
        x: Tensor or array.
        axis: Axis, tuple of axes, or None for all axes. Defaults to None.
        keepdims: If true, keep the reduced axes with length 1.

    Returns:
        A Tensor, or an array if `x` is not a Tensor. Without elements, the result is -inf.

    Raises:
        TypeError: If `x` is not an array of real numbers.
        AxisError: If `x` does not have the axis.

    Examples:
        >>> from tinygraph import Tensor, logsumexp
        >>> logsumexp(Tensor([[1000.0, 0.0], [-50.0, -50.0]]), axis=1).data.round(4)
        array([1000.    ,  -49.3069])
    """
    check_options("logsumexp", _unknown)
    return _along("logsumexp", logsumexp_over(as_axis(axis), bool(keepdims)), x)


def cross_entropy(
    logits: Operand,
    labels: Operand | Sequence[int],
    axis: int = -1,
    reduction: Literal["mean", "sum", "none"] = "mean",
    **_unknown: Never,
) -> Operand:
    """Return the cross-entropy of softmax(logits) and the labels: -sum(labels * log_softmax(logits)).

    The gradient is softmax(logits) - labels, and it keeps its digits where the softmax is close to a label of 1.

    Args:
        logits: Tensor or array with one axis for the classes.
        labels: The class of each example, as integers from 0: an array with the shape of `logits` without `axis`. Or
            the probability of each class, for example one-hot labels: a Tensor or array with the shape of `logits`.
        axis: Axis of the classes. Defaults to the last axis.
        reduction: "mean" for the mean over all examples, "sum" for the sum, or "none" for the loss of each example.
            Defaults to "mean", as in PyTorch.

    Returns:
        A Tensor, or an array if neither `logits` nor `labels` is a Tensor.

    Raises:
        TypeError: If the labels are neither integers nor probabilities with the shape of `logits`.
        ValueError: If a class does not exist, if the shapes do not match, or for an unknown reduction.
        AxisError: If `logits` does not have the axis.

    Examples:
        >>> from tinygraph import Tensor
        >>> z = Tensor([[0.0, 0.0], [0.0, 1000.0]])  # two examples with two classes
        >>> cross_entropy(z, [1, 0], reduction="none").data.round(4)
        array([6.931e-01, 1.000e+03])
        >>> cross_entropy(z, [1, 0]).backward()
        >>> z.grad
        array([[ 0.25, -0.25],
               [-0.5 ,  0.5 ]])
    """
    check_options("cross_entropy", _unknown)
    one_of("reduction", reduction, ("mean", "sum", "none"))
    logits = operand(logits, "cross_entropy: logits")
    op = cross_entropy_over(_class_axis(axis, logits))
    losses = op(logits, _probabilities(labels, logits, axis))
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def _along(name: str, op: ArrayOp, x: Operand) -> Operand:
    x = operand(x, name)
    try:
        return op(x)
    except np.exceptions.AxisError as error:
        raise np.exceptions.AxisError(f"{name} of an array of shape {x.shape}: {error}") from None


def _class_axis(axis: int, logits: Operand) -> int:
    """Return the axis of the classes, or raise AxisError."""
    if not -logits.ndim <= check_integer("axis", axis) < logits.ndim:
        raise np.exceptions.AxisError(
            f"cross_entropy: logits of shape {logits.shape} have no axis {axis}: they need an axis for the classes"
        )
    return axis


def _probabilities(labels: Operand | Sequence[int], logits: Operand, axis: int) -> Operand:
    """Return labels as probabilities with the shape of the logits."""
    if not isinstance(labels, TracedArray):
        floats = as_array(labels, "cross_entropy: labels")
        classes = np.asarray(labels)
        if classes.ndim == logits.ndim - 1 and (classes.dtype.kind in "biu" or not classes.size):
            return _one_hot(classes, logits, axis)
        labels = floats
    if labels.shape == logits.shape:
        return labels
    one_fewer = _without(logits.shape, axis)
    if labels.shape == one_fewer:
        wrong = [x for x in np.ravel(plain(labels)).tolist() if not x.is_integer()]
        remedy = f"; for probabilities, the shape must be {logits.shape}" if wrong else ": use labels.astype(int)"
        raise TypeError(
            f"cross_entropy: labels of shape {labels.shape} must be an array of integers, the class of each example, "
            f"not {wrong[0] if wrong else 'of floats'}{remedy}"
        )
    raise ValueError(
        f"cross_entropy: labels have shape {labels.shape}, but logits of shape {logits.shape} with axis={axis} need "
        f"integers of shape {one_fewer}, or probabilities of shape {logits.shape}"
    )


def _without(shape: Shape, axis: int) -> Shape:
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _one_hot(classes: Array, logits: Operand, axis: int) -> Array:
    """Return 1 for the class of each example, and 0 for the other classes."""
    count, one_fewer = logits.shape[axis], _without(logits.shape, axis)
    if classes.shape != one_fewer:
        raise ValueError(
            f"cross_entropy: labels have shape {classes.shape}, but logits of shape {logits.shape} with axis={axis} "
            f"need integers of shape {one_fewer}"
        )
    wrong = classes[(classes < 0) | (classes >= count)]
    if wrong.size:
        raise ValueError(f"cross_entropy: labels must be integers from 0 to {count - 1}, not {wrong[0]}")
    column = np.arange(count).reshape((-1,) + (1,) * (-1 - axis if axis < 0 else logits.ndim - 1 - axis))
    return np.equal(np.expand_dims(classes, axis), column).astype(np.float64)
