"""Backpropagation of arrays: the second traversal of a backward pass over Tensors.

This traversal is faster than `autodiff.propagate`, and computes most local derivatives on the way. A test checks that
its gradients are bit-identical to those of `propagate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.engine.backward import schedule
from tinygraph.engine.graph import Node, edited_array
from tinygraph.engine.logits import ActivationOp, LogitPair
from tinygraph.engine.op import Op
from tinygraph.kernels.arrays import contiguous
from tinygraph.kernels.scalars import scalars
from tinygraph.tensor.fingerprints import edited

_ndarray = np.ndarray


def accumulate(root: Node) -> None:
    """Add up gradients in Kahn's order. At the end, no gradient shares memory with another gradient or with data.

    The counting traversal has set each `.grad` to 0.0, which the first contribution replaces. A contribution is passed
    on without a copy if the local derivative is 1, or if the contribution is a view. Gradients that share memory are
    copied at the end. The local derivatives of elementwise ops are computed here, from the operands.

    Args:
        root: Node to start from, with its seed in `.grad`.
    """
    contribution: Any
    node: Any
    sharing: list[Node] = []
    share = sharing.append
    for node in () if root.op is None or root.constant else schedule(root):
        op, y, up = node.op, node.y, node.raw_grad
        if node.watched is not None:
            if op is None:
                node._notice()  # if it was edited, the pass ends with an error
            elif edited(node.watched):
                raise edited_array(node)
        if type(y) is float and type(up) is _ndarray and type(op) is Op and node.x_partial is True:
            operand = node.x  # the most frequent case: a float is the second operand, and no contribution came before
            local = (op.array_functions or op.resolve())[1](node.raw, operand.raw, y)
            if up.shape and type(local) is float and type(operand.raw_grad) is float:
                if local == 1.0:
                    operand.raw_grad = up
                    share(operand)
                else:
                    operand.raw_grad = up * scalars[local]
                continue
        elif op is None:
            continue
        for operand, contribution in _contributions(node, up):
            if type(contribution) is not _ndarray:
                contribution = operand._gradient(contribution)
                if isinstance(contribution, LogitPair):
                    contribution.owner = operand
            elif contribution is up or contribution.base is not None:
                share(operand)
            if type(operand.raw_grad) is float:
                operand.raw_grad = contribution
            else:
                operand.raw_grad = operand._gradient(operand.raw_grad + contribution)
    for node in sharing:
        node.raw_grad = node.raw_grad.copy()


def _contributions(node: Any, up: Any) -> Sequence[tuple[Any, Any]]:
    """Return each operand that a gradient reaches, with the contribution of the node to its gradient."""
    op, x, y, out = node.op, node.x, node.y, node.raw
    paired = isinstance(up, LogitPair)
    if type(op) is Op and not paired:
        functions, dx, dy = op.array_functions or op.resolve(), node.x_partial, node.y_partial
        a = x.raw if isinstance(x, Node) else x
        numbers = (out, a) if y is None else (out, a, y.raw if isinstance(y, Node) else y)
        found = [] if dx is None else [(x, _times(up, functions[1](*numbers) if dx is True else dx))]
        return found if dy is None else [*found, (y, _times(up, functions[2](*numbers) if dy is True else dy))]
    up = contiguous(up)
    if type(op) is Op:  # a sigmoid, which needs its local derivative only for other contributions
        return [(x, up * (None if up.others is None else (op.array_functions or op.resolve())[1](out, x.raw)))]
    if paired:  # an op that moves the elements of an activation
        return [(x, up.through(lambda part: op.vjps[0](contiguous(part), out, x.raw)))]
    if type(op) is not ActivationOp:
        if y is None:
            return [(x, op.vjps[0](up, out, x.raw))]
        if node.y_partial is None:  # the second operand is data, as in a product with a data matrix
            return [(x, op.vjps[0](up, out, x.raw, y.raw if isinstance(y, Node) else y))]
    return [(x, up * local) for x, local in zip(node.args, node._partials(), strict=True) if local is not None]


def _times(up: Any, local: Any) -> Any:
    """Return the product of an upstream gradient and an elementwise local derivative."""
    if type(local) is not float:
        return up * local
    return up if local == 1.0 else up * (scalars[local] if type(up) is _ndarray else local)
