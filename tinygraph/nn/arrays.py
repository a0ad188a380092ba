"""Layers of Tensors: one matrix of weights per layer, and a table with one row per example."""

from __future__ import annotations

import numpy as np

from tinygraph.kernels.arrays import as_array
from tinygraph.support.messages import counted
from tinygraph.tensor.tensor import Tensor


def parameters(rows: list[list[float]], label: int | str) -> tuple[Tensor, Tensor]:
    """Return the weights and the bias of a layer.

    Args:
        rows: Initial weights: one list per neuron.
        label: Number of the layer, or "".

    Returns:
        W with shape (nout, nin), and b, zeros with shape (nout,).

    Examples:
        >>> parameters([[1.0, 2.0]], 3)
        (Tensor([[1.0, 2.0]], name='W3'), Tensor([0.0], name='b3'))
    """
    return Tensor(rows, f"W{label}"), Tensor(np.zeros(len(rows)), f"b{label}")


def weighted_sum(x: object, W: Tensor, b: Tensor, single: bool = False) -> Tensor:
    """Return Z = X Wᵀ + b for one example or several.

    Args:
        x: Array or Tensor whose last axis contains the features.
        W: Weights, with shape (nout, nin), or (nin,) for one neuron.
        b: Bias, with shape (nout,) or ().
        single: If true, W has one row, and Z has no axis for the neurons. Defaults to false.

    Returns:
        Z, whose last axis contains the neurons, if W has two axes.

    Raises:
        TypeError: If x is not an array.
        ValueError: If the length of the last axis of x is not nin.

    Examples:
        >>> weighted_sum([1.0, 2.0], Tensor([[3.0, 4.0], [5.0, 6.0]]), Tensor([0.0, 1.0])).data
        array([11., 18.])
    """
    table = x if isinstance(x, Tensor) else as_array(x, "x")
    nin = W.shape[-1]
    if not table.ndim or table.shape[-1] != nin:
        raise ValueError(
            f"x must have {counted(nin, 'feature')} per example, so its shape must be ({nin},) for one example or "
            f"(m, {nin}) for m examples, not {table.shape}"
        )
    Z: Tensor = np.matmul(table, W.T if W.ndim == 2 else W) + b
    return Z.reshape(Z.shape[:-1]) if single else Z
