"""When two results on arrays agree: bit for bit, or in proportion to the terms that were summed."""

import numpy as np

import tinygraph
from tinygraph.engine.graph import order


def same(x, y):
    """The same bits, but for the sign of zeros and nans."""
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=True)


def close(x, y, scale, rel):
    """Within `rel` of the terms that were summed."""
    return x.shape == y.shape and np.all(np.abs(x - y) <= rel * np.maximum(np.abs(scale), np.abs(y)) + 1e-300)


def absolute_masses(root, seed=1.0):
    """For each node what its gradient was summed from: the pass again, over absolute seeds and slopes."""
    terms = {root: np.abs(np.broadcast_to(seed, root.shape))}
    for node in order(root):
        if node.op is None or node not in terms:
            continue
        for operand, local in zip(node.args, node.partials, strict=True):
            if local is not None:
                terms[operand] = terms.get(operand, 0.0) + magnitude(node, local, terms[node])
    return terms


def magnitude(node, local, up):
    """|slope| applied to `up`: wiring is applied again with absolute operands."""
    if not isinstance(local, tinygraph.tensor.array_ops.Jacobian):
        return up * np.abs(local)
    if local.op is not tinygraph.tensor.linalg.matmul:
        return np.abs(up * local)  # no negative entry in it
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
