"""Functions that move or copy elements are linear, up to a constant. So NumPy's results give their exact Jacobians."""

import numpy as np
import pytest

import tinygraph
from tinygraph import Tensor

LETTERS = "abcd"


def cases(text):
    """Return a parametrization of a test by lines of the form `expression; shape, shape`, with operands a, b, c."""
    lines = [line.partition(";") for line in text.strip().splitlines()]
    pairs = [(code.strip(), eval(f"[{shapes}]")) for code, _, shapes in lines]
    return pytest.mark.parametrize(("code", "shapes"), pairs, ids=[f"{code} {shapes}" for code, shapes in pairs])


def evaluated(code, operands):
    """Return the results of an expression as a list."""
    names = dict(zip(LETTERS, operands, strict=False))
    result = eval(code, {"np": np, "tinygraph": tinygraph}, names)
    return list(result) if isinstance(result, (list, tuple)) else [result]


def integers(shapes):
    """Return arrays of small integers. Sums and products of them are exact, in any order."""
    rng = np.random.default_rng(7)
    return [rng.integers(-4, 5, size=shape).astype(float) for shape in shapes]


def assert_linear(code, shapes):
    """Check values, gradients and second derivatives: exactly, because all numbers are integers."""
    operands = integers(shapes)
    expected = [np.asarray(x) for x in evaluated(code, operands)]
    tensors = [Tensor(x) for x in operands]
    results = evaluated(code, tensors)
    assert [type(x) for x in results] == [Tensor] * len(expected)
    for ours, theirs in zip(results, expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.array_equal(ours.data, theirs)
    zeros = [np.zeros(shape) for shape in shapes]
    base = [np.asarray(x) for x in evaluated(code, zeros)]
    weights = integers([x.shape for x in expected])
    cost = sum((x * x * y).sum() for x, y in zip(results, weights, strict=True))
    firsts = tinygraph.grad(cost, tensors, create_graph=True)
    directions = integers(shapes)
    along = sum((g * v).sum() for g, v in zip(firsts, directions, strict=True))
    seconds = tinygraph.grad(along, tensors)
    moved = [np.asarray(x) - y for x, y in zip(evaluated(code, directions), base, strict=True)]  # the JVP
    for k, x in enumerate(operands):
        for place in np.ndindex(*x.shape):
            unit = [y.copy() for y in zeros]
            unit[k][place] = 1.0
            column = [np.asarray(y) - z for y, z in zip(evaluated(code, unit), base, strict=True)]
            pairs = list(zip(expected, weights, column, moved, strict=True))
            assert firsts[k].data[place] == sum(np.sum(2.0 * y * w * c) for y, w, c, _ in pairs)
            assert seconds[k][place] == sum(np.sum(2.0 * m * w * c) for _, w, c, m in pairs)


def assert_refused(code, shapes):
    """Check that NumPy and a Tensor both refuse an expression, and that ours is one sentence of the package."""
    operands = integers(shapes)
    with pytest.raises((ValueError, TypeError, IndexError)):
        evaluated(code, operands)
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        evaluated(code, [Tensor(x) for x in operands])
    assert "\n" not in str(caught.value)
    function = code.replace("linalg.", "").partition("(")[0].rpartition(".")[2]
    assert function in str(caught.value)
