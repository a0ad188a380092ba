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
    pop, push, reach = stack.pop, stack.append, reached.append
    while stack:
        node = pop()
        op = node.op
        if op is None:
            continue
        up, out = node.grad, node._data
        edges: Any = ()
        if type(op) is Op:
            operand, y, functions = node.x, node.y, op._of_arrays or op.of_arrays()
            if y is None:
                slope = functions[1](out, operand._data)
            else:
                a = operand._data if isinstance(operand, Node) else operand
                b = y if type(y) is float else y._data if isinstance(y, Node) else y
                if node.dx is None:
                    operand, slope = y, functions[2](out, a, b)
                else:
                    slope = functions[1](out, a, b) if node.dx is True else node.dx
                    if node.dy is not None:
                        edges = ((y, up * functions[2](out, a, b)),)
            contribution = up if type(slope) is float and slope == 1.0 else up * slope
        elif node.dy is None and not op.variadic:
            operand = node.x
            contribution = op.dx(up, out, *[x._data if isinstance(x, Node) else x for x in node.args])
        else:
            slopes = zip(node.args, node._slopes(), strict=True)
            (operand, contribution), *edges = [(x, up * slope) for x, slope in slopes if slope is not None]
        while True:
            if type(contribution) is not np.ndarray:
                contribution = operand._gradient(contribution)
            if type(operand.grad) is float:
                operand.grad = contribution
                reach(operand)
            else:
                operand.grad = operand.grad + contribution
            operand.pending = left = operand.pending - 1
            if not left:
                push(operand)
            if not edges:
                break
            (operand, contribution), *edges = edges
    seen = set()
    for node in reached:
        gradient = node.grad
        if type(gradient) is np.ndarray:
            if gradient.base is not None or id(gradient) in seen:
                node.grad = gradient.copy()
            else:
                seen.add(id(gradient))
        elif type(gradient) is np.float64:  # the sum of two arrays of shape ()
            node.grad = np.array(gradient)
