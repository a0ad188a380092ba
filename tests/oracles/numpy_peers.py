"""HIPS/autograd, MyGrad and PyTorch as references for the list of NumPy expressions.

Which expressions each of them gets right is stored in `tools/site/numpy_coverage.json`, which the command
`python -m tools.numpy_coverage` writes.
"""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.oracles.derivatives import Point, assert_close, differences, weights_of
from tests.tensor.numpy_expressions import EXPRESSIONS, Expression, pieces

# Groups that other libraries can run: the others contain tinygraph's own functions and classes.
SHARED = ("operators", "elementwise functions", "reductions", "shapes and indexing", "products", "linear algebra")
COMPARED = [e for e in EXPRESSIONS if e.group in SHARED]


def autograd(expression: Expression, point: Point) -> tuple[list[np.ndarray], Point]:
    """Return the value and the gradient of the weighted sum, computed by HIPS/autograd."""
    import autograd as library
    import autograd.numpy as anp
    from autograd.tracer import getval

    values: list[np.ndarray] = []

    def total(operands: Point) -> object:
        parts = pieces(expression.evaluate(operands, numpy=anp))
        values[:] = [np.asarray(getval(part)) for part in parts]
        return sum(anp.sum(part * weights_of(np.shape(getval(part)), i)) for i, part in enumerate(parts))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an output that does not depend on the input
        found = library.grad(total)(point)
    return values, {name: np.asarray(gradient) for name, gradient in found.items()}


def mygrad(expression: Expression, point: Point) -> tuple[list[np.ndarray], Point]:
    """Return the value and the gradient of the weighted sum, computed by MyGrad."""
    import mygrad as library

    try:
        return _mygrad(expression, point, np)  # NumPy's functions work on MyGrad's tensors
    except Exception:
        return _mygrad(expression, point, library)


def _mygrad(expression: Expression, point: Point, numpy: object) -> tuple[list[np.ndarray], Point]:
    import mygrad as library

    operands = {name: library.tensor(value) for name, value in point.items()}
    parts = pieces(expression.evaluate(operands, numpy=numpy))
    values = [np.asarray(getattr(part, "data", part)) for part in parts]
    terms = [library.sum(part * weights_of(x.shape, i)) for i, (part, x) in enumerate(zip(parts, values, strict=True))]
    total = sum(terms)
    total.backward()
    return values, {name: np.zeros_like(point[name]) if x.grad is None else x.grad for name, x in operands.items()}


def torch(expression: Expression, point: Point) -> tuple[list[np.ndarray], Point]:
    """Return the value and the gradient of the weighted sum, computed by PyTorch, which offers NumPy's functions."""
    import torch as library
    import torch._numpy as tnp

    leaves = {name: library.tensor(value, requires_grad=True) for name, value in point.items()}
    operands = {name: tnp.ndarray(leaf) for name, leaf in leaves.items()}
    parts = pieces(expression.evaluate(operands, numpy=tnp))
    parts = [part.tensor if isinstance(part, tnp.ndarray) else library.tensor(part) for part in parts]
    total = sum((part * library.tensor(weights_of(tuple(part.shape), i))).sum() for i, part in enumerate(parts))
    total.backward()
    gradients = {name: np.zeros(x.shape) if x.grad is None else x.grad.numpy() for name, x in leaves.items()}
    return [part.detach().numpy() for part in parts], gradients


PEERS: dict[str, Callable[[Expression, Point], tuple[list[np.ndarray], Point]]] = {
    "autograd": autograd,
    "mygrad": mygrad,
    "torch": torch,
}

STORED = json.loads((Path(__file__).parents[2] / "tools" / "site" / "numpy_coverage.json").read_text("utf-8"))


def is_right(name: str, expression: Expression, truth: Point) -> bool:
    """Return whether a library gets the value and the gradient of an expression right."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values, gradients = PEERS[name](expression, expression.variables)
        for ours, theirs in zip(values, pieces(expression.plain()), strict=True):
            assert_close(ours, theirs, "the value", rel=1e-12)
        for operand, gradient in truth.items():
            assert_close(gradients[operand], gradient, operand)
    except Exception:  # each library refuses in its way
        return False
    return True


def rights(names: list[str]) -> dict[str, list[str]]:
    """Return, for each expression, the libraries that get it right."""
    found = {}
    for expression in COMPARED:
        truth = differences(expression, expression.variables)
        found[expression.text] = [name for name in names if is_right(name, expression, truth)]
    return found
