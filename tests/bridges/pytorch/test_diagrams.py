"""Diagrams of PyTorch programs: readable texts, names of the program, and no box without a purpose."""

import numpy as np
import pytest

from tests.bridges.diagrams import check_diagram, ops, texts_of
from tinygraph import from_torch
from tinygraph.engine.graph import order

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from tests.bridges.pytorch.programs import PROGRAMS, random, seeded  # noqa: E402

F, nn = torch.nn.functional, torch.nn


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_diagram_of_each_program_is_readable(name):
    f, args = PROGRAMS[name]()
    check_diagram(from_torch(f, *args, check=False))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(2, 2)
        self.layers = nn.ModuleList([nn.Tanh()])

    def forward(self, x):
        first = self.cell(x)
        second = self.layers[0](self.cell(first))
        return second.sum()


def test_results_have_the_names_of_local_variables_and_calls_have_scopes_of_their_own():
    root = from_torch(seeded(Recurrent()), random(3, 2))
    named = {node.name: node for node in order(root) if node.op is not None and node.name}
    assert {name: node.op.name for name, node in named.items()} == {"first": "add", "second": "tanh"}
    assert named["first"].scope == ("cell",)
    assert named["second"].scope == ("layers.0 (Tanh)",)
    assert named["second"].x.scope == ("cell[1]",)
    text = texts_of(root)
    assert "first · cell.weight" in text
    assert all(box in texts_of(root, detail="scopes") for box in ("cell[1]", "layers.0 (Tanh)"))


def test_a_variable_that_was_changed_in_place_or_whose_name_is_taken_gives_no_name():
    def f(x):
        y = x * 2.0
        y += 1.0
        x = y.exp()  # the argument has this name
        z = x.detach()  # has the value of another variable
        return (x * z).sum()

    assert {node.name for node in order(from_torch(f, random(2))) if node.op is not None} == {"", "z"}


def test_a_new_tensor_that_is_not_filled_contains_zeros():
    def f(x):
        y = torch.empty(3, dtype=torch.float64)
        y[:2] = x
        return y[:2].sum() + 0.0 * x.new_empty(2).sum()

    for _ in range(2):
        root = from_torch(f, random(2))
        assert np.isfinite(root.data)


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda x: F.max_pool2d(x, 2), ["index", "first_max"]),
        (lambda x: F.avg_pool2d(x[0], 2), ["index", "index", "mean"]),
        (lambda x: x.view(4, 8).view(8, 4).reshape(32), ["reshape"]),
        (lambda x: x.permute(1, 0, 3, 2).permute(1, 0, 3, 2) + 1.0, ["add"]),
        (lambda x: x.mT.mT + 1.0, ["add"]),
        (lambda x: torch.where(x > 0, x, 0.0), ["masked"]),
        (lambda x: x.masked_fill(x > 0, 2.0), ["masked"]),
        (lambda x: x.norm(dim=0), ["vector_norm"]),
    ],
)
def test_what_pytorch_composes_is_as_short_as_what_the_user_wrote(f, wanted):
    x = random(1, 2, 4, 4)
    root = from_torch(f, x)
    np.testing.assert_allclose(root.data, f(x), rtol=1e-12)
    if wanted != ["vector_norm"]:
        assert ops(root) == wanted
    assert "axis=(0,)" not in texts_of(root)
