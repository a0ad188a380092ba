"""Derivatives of three orders, compared with PyTorch."""

import numpy as np
import pytest

from tinygraph import Tensor
from tinygraph.engine.autodiff import grad


def assert_three_orders(ours, theirs, x, rtol=1e-10, atol=1e-12):
    """Compare a function of a Tensor with the same function of a torch tensor.

    The first derivative is that of the weighted sum of the squared result, and each further derivative is that of the
    previous one along a direction.
    """
    torch = pytest.importorskip("torch", reason="no torch: pip install --group oracles")
    a, b = Tensor(x), torch.tensor(x, dtype=torch.float64, requires_grad=True)
    direction = np.sin(1.0 + np.arange(np.size(x))).reshape(np.shape(x))
    y, z = ours(a), theirs(torch, b)
    assert y.shape == tuple(z.shape)
    assert np.allclose(y.data, z.detach().numpy(), rtol=rtol, atol=atol)
    weights = np.cos(np.arange(y.size)).reshape(y.shape)
    first, second = (y * y * weights).sum(), (z * z * torch.tensor(weights)).sum()
    for _ in range(3):
        g = grad(first, a, create_graph=True)
        (h,) = torch.autograd.grad(second, b, create_graph=True)
        assert np.allclose(g.data, h.detach().numpy(), rtol=rtol, atol=atol)
        if not h.requires_grad:
            return
        first, second = (g * direction).sum(), (h * torch.tensor(direction)).sum()
