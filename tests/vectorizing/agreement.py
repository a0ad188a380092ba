"""Check that the scalar graph, the vectorized graph, the compiled function and the source text agree."""

import numpy as np

import tinygraph
from tests.oracles.families import flat
from tinygraph import Value, vectorize
from tinygraph.engine.graph import order


def absolute_terms(root):
    """Return the sum of the absolute terms of each node's gradient, which rounding errors are relative to."""
    nodes = order(root)
    sizes = dict.fromkeys(nodes, 0.0)
    sizes[root] = 1.0
    for node in nodes:
        for operand, local in zip(node.args, node.partials, strict=False):
            if local is not None:
                sizes[operand] += sizes[node] * abs(local)
    return sizes


def assert_close(ours, exact, size, what):
    assert ours == exact or abs(ours - exact) <= 1e-12 * max(size, abs(exact), 1e-300), (what, ours, exact)


def assert_same(root, inputs):
    """Assert that all four versions of a graph agree in the value and in every gradient."""
    nodes = order(root)
    root.backward()
    eager, sizes = {node: node.grad for node in nodes}, absolute_terms(root)
    scale = sum(abs(node.data) * sizes[node] for node in nodes)  # the scale of the root's rounding error
    found = vectorize(root)
    for node in nodes:
        node.grad = None
    found.root.backward()
    found.scatter()
    assert_close(found.root.item(), root.data, scale, "value")
    for node, gradient in eager.items():
        if node.constant or gradient is None:
            assert node.grad is None
        else:
            assert_close(node.grad, gradient, sizes[node] * (1 + abs(node.data)), node)

    f = tinygraph.compile(root, inputs)
    value, gradients = f(*numbers(inputs))
    assert_close(value, root.data, scale, "compiled value")
    for leaf, ours in zip(flat(inputs), flattened(gradients), strict=True):
        assert_close(ours, eager.get(leaf) or 0.0, sizes.get(leaf, 0.0) * (1 + abs(leaf.data)), leaf)
    text = tinygraph.source(root, backward=False)
    last = text.splitlines()[-1].partition(" = ")[0]
    assert_close(float(text.run()[last]), root.data, scale, "the text's value")
    return found


def numbers(inputs):
    return inputs.data if isinstance(inputs, Value) else [numbers(entry) for entry in inputs]


def flattened(gradients):
    if isinstance(gradients, (list, tuple)):
        return [x for entry in gradients for x in flattened(entry)]
    return np.ravel(gradients).tolist()
