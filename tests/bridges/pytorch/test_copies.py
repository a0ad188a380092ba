"""Data of a PyTorch program are copied at most once, and an edit in place never changes a graph silently."""

import tracemalloc

import numpy as np
import pytest

from tinygraph import StaleGraphError, from_torch
from tinygraph.bridges import named_leaves

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from tests.bridges.pytorch.programs import random  # noqa: E402

F, nn, F64 = torch.nn.functional, torch.nn, torch.float64
MANY = 200_000


class Copies(TorchDispatchMode):
    """Counts the copies of large tensors that PyTorch makes."""

    count = 0

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        found = op(*args, **(kwargs or {}))
        if str(op).startswith(("aten._to_copy", "aten.clone", "aten.copy_")) and found.numel() == MANY:
            self.count += 1
        return found


def first(x, c):
    return (x[:2] * c).sum()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("trained", [True, False])
def test_data_are_copied_at_most_once(dtype, trained):
    c = torch.ones((), dtype=dtype, requires_grad=True)
    from_torch(first, torch.ones(3, dtype=dtype, requires_grad=trained), c, check=False)  # imports what it needs
    x = torch.ones(MANY, dtype=dtype, requires_grad=trained)
    tracemalloc.start()
    try:
        with Copies() as copies:
            root = from_torch(first, x, c, check=False)
        arrays = round(tracemalloc.get_traced_memory()[1] / (8 * MANY))
    finally:
        tracemalloc.stop()
    assert copies.count + arrays == (0 if dtype == F64 and not trained else 1)
    leaf = named_leaves(root)["x"]
    assert leaf.raw.dtype == np.float64
    if dtype == F64:
        assert np.shares_memory(leaf.raw, x.detach().numpy()) == (not trained)


def edited_programs():
    """Yield programs, each with its arguments and a function that edits a tensor of the program in place."""
    y = torch.tensor([0, 2])
    yield "labels", lambda x: F.cross_entropy(x, y), random(2, 3), lambda: y.fill_(1)
    index = torch.tensor([0, 2])
    yield "index", lambda x: (x[index] ** 2).sum(), random(3), lambda: index.fill_(1)
    places = torch.tensor([0, 2])
    yield "gather", lambda x: (x.gather(0, places) ** 2).sum(), random(3), lambda: places.fill_(1)
    targets = torch.tensor([0, 2])
    yield (
        "scatter_add",
        lambda x: (torch.zeros(3, dtype=F64).scatter_add(0, targets, x) ** 2).sum(),
        random(2),
        lambda: targets.fill_(1),
    )
    turned = torch.tensor([[0], [2]])
    yield (
        "view of an index",
        lambda x: (torch.zeros(3, dtype=F64).index_add(0, turned.view(-1), x) ** 2).sum(),
        random(2),
        lambda: turned.fill_(1),
    )
    mask = torch.tensor([True, False, True])
    yield "mask", lambda x: torch.where(mask, x * x, 0.0).sum(), random(3), lambda: mask.fill_(False)
    k = random(3, seed=1)
    yield "constant", lambda x: (x * k).sum(), random(3, grad=True), lambda: k.fill_(9.0)
    whole = torch.tensor([1, 2, 3])
    yield "integers", lambda x: (x * whole).sum(), random(3), lambda: whole.fill_(9)
    norm = nn.BatchNorm1d(3).double().eval()
    yield "buffer", lambda x: norm(x).pow(2).sum(), random(2, 3, grad=True), lambda: norm.running_mean.fill_(9.0)
    weight = nn.Parameter(random(3, seed=1))
    yield "parameter", lambda x: (x * weight).sum(), random(3, grad=True), lambda: weight.data.fill_(9.0)
    x = random(3, grad=True)
    yield "argument", lambda x: (x**3).sum(), x, lambda: x.data.fill_(9.0)


@pytest.mark.parametrize("program", list(edited_programs()), ids=lambda program: program[0])
def test_an_edit_of_the_model_never_changes_a_graph_silently(program):
    _, f, x, edit = program
    root = from_torch(f, x)
    root.backward()
    leaf = named_leaves(root)["x"]
    value, gradient = root.item(), leaf.grad.copy()
    edit()
    try:
        root.backward()
    except StaleGraphError:
        root.forward().backward()
        again = x.detach().clone().requires_grad_()
        f(again).backward()
        assert root.item() == pytest.approx(f(again).item(), rel=1e-12)
        assert leaf.grad == pytest.approx(again.grad.numpy(), rel=1e-9)
    else:
        assert np.array_equal(leaf.grad, gradient)
        root.forward().backward()
        assert root.item() == value
        assert np.array_equal(leaf.grad, gradient)
