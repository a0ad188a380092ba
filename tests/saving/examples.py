"""Graphs to save, and their complete contents in a form that can be compared."""

import numpy as np

from tinygraph import Tensor, Value
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.logistic import no_loop


def lecture():
    J = parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})
    J.backward()
    return J


def vectorized():
    X, Y = np.array([[1.0, 3.0, -1.0], [2.0, -1.0, 0.5]]), np.array([[1.0, 0.0, 1.0]])
    J = no_loop(Tensor([[0.1], [-0.2]], "w"), Tensor(0.0, "b"), X, Y)
    J.backward()
    return J


def bits(x):
    return None if x is None else (np.shape(x), np.asarray(x, dtype=np.float64).tobytes())


def described(root):
    """Return the complete contents of a graph in a form that can be compared."""
    nodes = order(root)
    place = {node: i for i, node in enumerate(nodes)}

    def operand(x):
        return place[x] if x in place else bits(x)

    def one(node):
        args = [operand(x) if isinstance(x, (Value, Tensor)) else bits(x) for x in node.args]
        flows = [flow if flow is None or flow is True else bits(flow) for flow in node.stored_partials]
        same = (type(node), repr(node.op), args, flows, bits(node.raw), bits(node.grad))
        return (*same, node.name, node.scope, node.line, node.constant)

    return [one(node) for node in nodes]
