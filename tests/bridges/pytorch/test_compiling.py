"""Compiled graphs of PyTorch programs return the bits of forward() and backward()."""

import numpy as np
import pytest

import tinygraph
from tinygraph import from_torch
from tinygraph.bridges import named_leaves

pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from tests.bridges.pytorch.programs import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_imported_program_can_be_compiled(name):
    f, args = PROGRAMS[name]()
    root = from_torch(f, *args, check=False)
    root = root.sum() if root.shape else root
    leaves = named_leaves(root)
    root.forward().backward()
    value, gradients = tinygraph.compile(root, [leaves])(leaves and {name: x.data for name, x in leaves.items()})
    assert np.float64(value).tobytes() == np.asarray(root.data).tobytes()
    for name, gradient in gradients[0].items():
        wanted = np.zeros(leaves[name].shape) if leaves[name].grad is None else np.asarray(leaves[name].grad)
        assert np.asarray(gradient).tobytes() == wanted.tobytes()
