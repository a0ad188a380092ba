"""Compiled graphs of PyTorch programs return the bits of forward() and backward()."""

import numpy as np
import pytest

import tinygraph
from tinygraph import FrozenBranchError, from_torch
from tinygraph.bridges import named_leaves

pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from tests.bridges.pytorch.programs import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_imported_program_can_be_compiled(name):
    f, args = PROGRAMS[name]()
    root = from_torch(f, *args, check=False)
    root = root.sum() if root.shape else root
    leaves = {name: leaf for name, leaf in named_leaves(root).items() if not leaf.constant}
    compiled, given = tinygraph.compile(root, [leaves]), {name: np.array(x.data) for name, x in leaves.items()}
    for name, leaf in leaves.items():
        leaf.data = given[name]
    try:
        root.forward().backward()
    except FrozenBranchError:  # a compared node is not in the graph, so its outcome is unknown
        with pytest.raises(FrozenBranchError):
            compiled(given)
        return
    value, gradients = compiled(given)
    assert np.float64(value).tobytes() == np.asarray(root.data).tobytes()
    for name, gradient in gradients[0].items():
        wanted = np.zeros(leaves[name].shape) if leaves[name].grad is None else np.asarray(leaves[name].grad)
        assert np.asarray(gradient).tobytes() == wanted.tobytes()
