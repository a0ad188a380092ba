"""Backpropagation of arrays: the second traversal of a backward pass over Tensors.

This traversal is faster than `autodiff.propagate`, and computes most local derivatives on the way. A test checks that
its gradients are bit-identical to those of `propagate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.engine.graph import Node, edited_array
from tinygraph.engine.logits import ActivationOp, LogitPair
from tinygraph.engine.op import Op
from tinygraph.kernels.arrays import contiguous
from tinygraph.kernels.scalars import scalars

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
    stack: list[Any] = [] if root.op is None or root.constant else [root]
    sharing: list[Node] = []
    pop, push, share = stack.pop, stack.append, sharing.append
    while stack:
        node = pop()
        op, dx, operand, y = node.op, node.x_partial, node.x, node.y
        up: Any = node.raw_grad
        out = node.raw
        if node.watched is not None:
            for source, bits in node.watched:  # like `fingerprints.edited`
                if source.tobytes() != bits:
                    raise edited_array(node)
        edges: Any = ()
        if type(op) is not Op or type(up) is LogitPair:
            if type(up) is _ndarray and not up.flags.c_contiguous:
                up = up.copy()  # see `contiguous`, which a call would make slower
            if type(op) is Op:  # a sigmoid, which needs its local derivative only for other contributions
                contribution = up * (
                    None if up.others is None else (op.array_functions or op.resolve())[1](out, operand.raw)
                )
            elif isinstance(up, LogitPair):  # an op that moves the elements of an activation
                contribution = up.through(lambda part: op.vjps[0](contiguous(part), out, operand.raw))  # noqa: B023
            elif type(op) is ActivationOp:
                partials = zip(node.args, node._partials(), strict=True)
                (operand, contribution), *edges = [(x, up * local) for x, local in partials if local is not None]
            elif y is None:
                contribution = op.vjps[0](up, out, operand.raw)
            elif node.y_partial is None:  # the second operand is data, as in a product with a data matrix
                contribution = op.vjps[0](up, out, operand.raw, y.raw if isinstance(y, Node) else y)
            else:
                partials = zip(node.args, node._partials(), strict=True)
                (operand, contribution), *edges = [(x, up * local) for x, local in partials if local is not None]
        else:
            if type(y) is float and dx is True:  # the most frequent case
                local = (op.array_functions or op.resolve())[1](out, operand.raw, y)
            elif dx is not True and dx is not None:
                local = dx  # stored when the node was recorded
            elif y is None:
                local = (op.array_functions or op.resolve())[1](out, operand.raw)
            else:
                functions = op.array_functions or op.resolve()
                a = operand.raw if isinstance(operand, Node) else operand
                b = y.raw if isinstance(y, Node) else y
                if dx is None:
                    operand, local = y, functions[2](out, a, b)
                else:
                    local = functions[1](out, a, b)
                    if node.y_partial is not None:
                        edges = ((y, up * functions[2](out, a, b)),)
            if type(local) is not float:
                contribution = up * local
            elif local == 1.0:
                contribution = up
            else:
                contribution = up * (scalars[local] if type(up) is _ndarray else local)
        while True:
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
            operand.awaited = left = operand.awaited - 1
            if not left:
                if operand.op is not None:
                    push(operand)
                elif operand.watched is not None:
                    operand._notice()  # if it was edited, the pass ends with an error
            if not edges:
                break
            (operand, contribution), *edges = edges
    for node in sharing:
        node.raw_grad = node.raw_grad.copy()
