"""PyTorch's own sample inputs: each function that tinygraph has gives PyTorch's value and PyTorch's gradient."""

import warnings
from functools import cache

import numpy as np
import pytest

import tinygraph
from tests.oracles.derivatives import assert_close, weights_of
from tests.oracles.op_info import BEYOND_NUMPY, OPS, OTHER_FUNCTIONS, NotOffered
from tests.tensor.numpy_expressions import pieces
from tinygraph import Tensor

# Functions of PyTorch whose counterpart does not work yet. A test fails if one of them works, until it is removed here.
PENDING: set[str] = {
    "heaviside",
    "linalg.norm",
    "linalg.vector_norm",
}
SAMPLES = 200  # of one function at most


@cache
def database():
    """Return PyTorch's descriptions of its functions, with their sample inputs, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("expecttest", reason="no expecttest: pip install --group oracles")
        pytest.importorskip("torch", reason="no torch: pip install --group oracles")
        from torch.testing._internal.common_methods_invocations import op_db
    found = {}
    for info in op_db:
        found.setdefault(info.name, []).append(info)
    return found


def converted(argument, leaves):
    """Return an argument for tinygraph: Tensors for the leaves, and arrays for the other tensors of PyTorch."""
    import torch

    if isinstance(argument, torch.Tensor):
        if not argument.requires_grad:
            return argument.detach().numpy()
        leaves.append((argument, Tensor(argument.detach().numpy())))
        return leaves[-1][1]
    if isinstance(argument, (list, tuple)):
        return type(argument)([converted(part, leaves) for part in argument])
    if isinstance(argument, (torch.dtype, complex)):
        raise NotOffered("dtype")
    return argument


def numpy_agrees(function, args, options, theirs):
    """Return whether NumPy gives PyTorch's value for plain arrays. PyTorch takes a few arguments in another way."""

    def plain(argument):
        if isinstance(argument, (list, tuple)):
            return type(argument)([plain(part) for part in argument])
        return argument.raw if isinstance(argument, Tensor) else argument

    try:
        result = function(*plain(args), **{name: plain(value) for name, value in options.items()})
        parts = [x for x in pieces(result) if np.asarray(x).dtype == np.float64]
        assert len(parts) == len(theirs)
        for x, y in zip(parts, theirs, strict=True):
            assert_close(x, y.detach().numpy(), "the value")
    except (AssertionError, ValueError, IndexError):
        return False
    return True


def compared(name, theirs, sample):
    """Compare one sample. Return whether tinygraph offers its arguments, and NumPy has the same function."""
    import torch

    function, leaves = OPS[name], []
    try:
        args = [converted(argument, leaves) for argument in (sample.input, *sample.args)]
        options = {key: converted(value, leaves) for key, value in sample.kwargs.items()}
        if not leaves or any(leaf.dtype != torch.float64 for leaf, _ in leaves):
            raise NotOffered("no gradient")
        theirs = [x for x in pieces(theirs(sample.input, *sample.args, **sample.kwargs)) if x.dtype == torch.float64]
        if name not in BEYOND_NUMPY and not numpy_agrees(function, args, options, theirs):
            raise NotOffered("NumPy refuses the arguments, or gives another meaning to them")
        ours = function(*args, **options)
    except NotOffered:
        return False
    ours = [x for x in pieces(ours) if isinstance(x, Tensor)]
    assert len(ours) == len(theirs)
    parts = [(x, y, weights_of(x.shape, i)) for i, (x, y) in enumerate(zip(ours, theirs, strict=True))]
    for x, y, _ in parts:
        assert_close(x.data, y.detach().numpy(), f"the value of {sample}")
    total = sum((y * torch.as_tensor(w)).sum() for _, y, w in parts)
    expected = torch.autograd.grad(total, [leaf for leaf, _ in leaves], allow_unused=True)
    mine = sum(((x * w).sum() for x, _, w in parts[1:]), (parts[0][0] * parts[0][2]).sum())
    found = tinygraph.grad(mine, [tensor for _, tensor in leaves])
    for gradient, truth in zip(found, expected, strict=True):
        truth = np.zeros(gradient.shape) if truth is None else truth.numpy()
        assert_close(gradient, truth, f"the gradient of {sample}")
    return True


@cache
def count(name):
    """Compare the samples of a function, and return their number."""
    import torch

    found = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for info in database()[name]:
            if (name, info.variant_test_name) in OTHER_FUNCTIONS:
                continue
            torch.manual_seed(1)
            samples = list(info.sample_inputs("cpu", torch.float64, requires_grad=True))
            found += sum(compared(name, info.op, sample) for sample in samples[:SAMPLES])
    return found


def marked(name):
    waits = pytest.mark.xfail(strict=True, reason="in PENDING: remove the function from it if it passes")
    return pytest.param(name, marks=[waits] * (name in PENDING))


@pytest.mark.parametrize("name", [marked(name) for name in OPS])
def test_the_samples_of_a_function(name):
    database()
    assert count(name) > 0


def test_the_number_of_samples():
    database()
    assert OPS.keys() >= PENDING
    assert sum(count(name) for name in OPS.keys() - PENDING) > 380
