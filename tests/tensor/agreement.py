"""Whether two array results agree: bit for bit, or relative to the terms that were summed."""

import numpy as np

import tinygraph
from tinygraph.engine.graph import order


def same(x, y):
    """Return whether two arrays have the same bits, except for the signs of zeros and NaNs."""
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=True)


def close(x, y, scale, rel):
    """Return whether two arrays agree within `rel` of the terms that were summed."""
    return x.shape == y.shape and np.all(np.abs(x - y) <= rel * np.maximum(np.abs(scale), np.abs(y)) + 1e-300)


def absolute_masses(root, seed=1.0):
    """Return the absolute terms of each gradient: a pass with absolute seeds and local derivatives."""
    terms = {root: np.abs(np.broadcast_to(seed, root.shape))}
    for node in order(root):
        if node.op is None or node not in terms:
            continue
        for operand, local in zip(node.args, node.partials, strict=True):
            if local is not None:
                terms[operand] = terms.get(operand, 0.0) + magnitude(node, local, terms[node])
    return terms


def magnitude(node, local, up):
    """Return |local derivative| applied to `up`; a pullback is applied again with absolute operands."""
    if not isinstance(local, tinygraph.tensor.array_ops.Jacobian):
        return up * np.abs(local)
    if local.op is not tinygraph.tensor.linalg.matmul:
        return np.abs(up * local)  # this linear map has no negative elements
    operands = [np.abs(x) for x in local.operands]
    return local.op.vjp(local.slot, up, local.out, operands)


OPERATORS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "matmul": lambda x, y: x @ y,
}
