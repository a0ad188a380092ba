"""Backpropagation of arrays: the second walk of a pass over Tensors.

It is `graph.propagate` again without its events, with slopes computed on the way; a test holds the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygraph.graph import Node
from tinygraph.row import Op


def accumulate(root: Node) -> None:
    """Kahn's order, as in `backpropagation`, with arrays; at the end none shares memory with another, or with data.

    The counting walk has left 0.0 in each `.grad`; the first contribution takes its place, and is passed on
    without a copy where a slope is 1, or is a view. A row's slopes are computed here, from the operands.
    """
    reached = [root]
    stack: list[Any] = [root]
    node: Any
    while stack:
        node = stack.pop()
        op = node.op
        if op is None:
            continue
        up = node.grad
        if type(op) is Op:
            x, y = node.x, node.y
            a = x._data if isinstance(x, Node) else x
            functions = op._of_arrays or op.of_arrays()
            if y is None:
                slopes: Any = ((x, functions[1](node._data, a)),)
            else:
                b = y._data if isinstance(y, Node) else y
                if node.dy is None:
                    slopes = ((x, functions[1](node._data, a, b) if node.dx is True else node.dx),)
                elif node.dx is None:
                    slopes = ((y, functions[2](node._data, a, b)),)
                else:
                    slopes = (x, functions[1](node._data, a, b)), (y, functions[2](node._data, a, b))
        elif node.dy is None and not op.variadic:
            contribution = op.dx(up, node._data, *[x._data if isinstance(x, Node) else x for x in node.args])
            slopes = ((node.x, contribution),)
            up = None
        else:
            slopes = [edge for edge in zip(node.args, node._slopes(), strict=True) if edge[1] is not None]
        for operand, slope in slopes:
            contribution = slope if up is None else up if type(slope) is float and slope == 1.0 else up * slope
            if type(contribution) is not np.ndarray:
                contribution = operand._gradient(contribution)
            if type(operand.grad) is float:
                operand.grad = contribution
                reached.append(operand)
            else:
                operand.grad = operand.grad + contribution
            operand.pending = left = operand.pending - 1
            if not left:
                stack.append(operand)
    seen = set()
    for node in reached:
        gradient = node.grad
        if getattr(gradient, "base", None) is not None or id(gradient) in seen:
            node.grad = gradient.copy()
        elif type(gradient) is np.float64:  # the sum of two arrays of shape ()
            node.grad = np.array(gradient)
        else:
            seen.add(id(gradient))
