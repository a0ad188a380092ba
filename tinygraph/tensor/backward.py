"""Backpropagation of arrays: the second walk of a pass over Tensors.

It is `graph.propagate` again without its events, with slopes computed on the way; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op

_ndarray = np.ndarray


def accumulate(root: Node) -> None:
    """Kahn's order, as in `backpropagation`, with arrays; at the end none shares memory with another, or with data.

    The counting walk has left 0.0 in each `.grad`; the first contribution takes its place, and is passed on
    without a copy where a slope is 1, or is a view: those are copied at the end. A row's slopes are computed here,
    from the operands.
    """
    stack: list[Any] = [root] if root.op is not None else []
    sharing: list[Node] = []
    pop, push, share = stack.pop, stack.append, sharing.append
    while stack:
        node = pop()
        op, dx, operand, y = node.op, node.dx, node.x, node.y
        up, out = node.grad, node._data
        edges: Any = ()
        if type(op) is not Op:
            if y is None:
                contribution = op.dx(up, out, operand._data)
            elif node.dy is None:  # the data matrix of a product
                contribution = op.dx(up, out, operand._data, y._data if isinstance(y, Node) else y)
            else:
                slopes = zip(node.args, node._slopes(), strict=True)
                (operand, contribution), *edges = [(x, up * slope) for x, slope in slopes if slope is not None]
        else:
            if dx is not True and dx is not None:
                slope = dx  # kept when the node was recorded
            elif y is None:
                slope = (op._of_arrays or op.of_arrays())[1](out, operand._data)
            else:
                functions = op._of_arrays or op.of_arrays()
                a = operand._data if isinstance(operand, Node) else operand
                b = y if type(y) is float else y._data if isinstance(y, Node) else y
                if dx is None:
                    operand, slope = y, functions[2](out, a, b)
                else:
                    slope = functions[1](out, a, b)
                    if node.dy is not None:
                        edges = ((y, up * functions[2](out, a, b)),)
            contribution = up if type(slope) is float and slope == 1.0 else up * slope
        while True:
            if type(contribution) is not _ndarray:
                contribution = operand._gradient(contribution)
            elif contribution is up or contribution.base is not None:
                share(operand)
            if type(operand.grad) is float:
                operand.grad = contribution
            else:
                operand.grad = operand._gradient(operand.grad + contribution)
            operand.pending = left = operand.pending - 1
            if not left and operand.op is not None:
                push(operand)
            if not edges:
                break
            (operand, contribution), *edges = edges
    for node in sharing:
        node.grad = node.grad.copy()
