"""ATen ops that compute losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.bridges.masks import chosen
from tinygraph.bridges.operands import Imported, array
from tinygraph.bridges.pytorch.ops.table import aten
from tinygraph.engine import ops
from tinygraph.engine.more_ops.functions import huber as huber_of

Array = np.ndarray[Any, np.dtype[Any]]


@aten("mse_loss")
def mse_loss(x: Imported, y: Imported, reduction: int = 1) -> Imported:
    return reduced((x - y) ** 2, reduction)


@aten("l1_loss")
def l1_loss(x: Imported, y: Imported, reduction: int = 1) -> Imported:
    return reduced(ops.abs(x - y), reduction)


@aten("huber_loss")
def huber_loss(x: Imported, y: Imported, reduction: int = 1, delta: float = 1.0) -> Imported:
    return reduced(huber_of(x, y, float(delta)), reduction)


@aten("smooth_l1_loss")
def smooth_l1_loss(x: Imported, y: Imported, reduction: int = 1, beta: float = 1.0) -> Imported:
    return reduced(huber_of(x, y, float(beta)) / beta if beta else ops.abs(x - y), reduction)


@aten("binary_cross_entropy")
def binary_cross_entropy(x: Imported, y: Imported, weight: Imported = None, reduction: int = 1) -> Imported:
    losses = ops.binary_cross_entropy(x, y)
    return reduced(losses if weight is None else weight * losses, reduction)


@aten("binary_cross_entropy_with_logits")
def bce_with_logits(
    x: Imported, y: Imported, weight: Imported = None, pos_weight: Imported = None, reduction: int = 1
) -> Imported:
    if pos_weight is None:
        losses = ops.binary_cross_entropy_with_logits(x, y)
    else:
        losses = (1.0 - y) * x + (1.0 + (pos_weight - 1.0) * y) * ops.softplus(-x)
    return reduced(losses if weight is None else weight * losses, reduction)


def reduced(losses: Imported, reduction: int) -> Imported:
    """Return the losses (0), their mean (1), or their sum (2): PyTorch's numbers for the parameter `reduction`.

    Args:
        losses: Losses of all elements.
        reduction: The number.

    Returns:
        The node.
    """
    return losses if not reduction else losses.mean() if reduction == 1 else losses.sum()


@aten("nll_loss_forward", "nll_loss2d_forward")
def nll_loss(
    x: Imported, target: Array, weight: Imported, reduction: int, ignore_index: int
) -> tuple[Imported, Imported]:
    axis = 0 if x.ndim == 1 else 1
    kept = target != ignore_index
    classes = np.where(kept, target, 0)
    grid: list[Any] = list(np.ogrid[tuple(map(slice, target.shape))])
    grid.insert(axis, classes if classes.ndim else int(classes))
    losses = -x[tuple(grid)]
    weights = np.ones(target.shape) if weight is None else array(weight)[classes]
    if not kept.all():
        weights = chosen(kept, weights, 0.0)
        losses = chosen(kept, losses, 0.0)
    if weight is not None:
        losses = weights * losses
    total = weights.sum()
    if reduction == 1:
        return losses.mean() if weight is None and kept.all() else losses.sum() / total, total
    return reduced(losses, reduction), total
