"""PyTorch as a scalar engine: 0-d tensors of float64."""

from __future__ import annotations

import torch

from tools.benchmarks.workloads import Engine


def engine() -> Engine:
    """Return the functions of PyTorch, which then uses one thread."""
    torch.set_num_threads(1)
    labels = {y: torch.tensor(y, dtype=torch.float64) for y in (0.0, 1.0)}
    return Engine(
        lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True),
        torch.sigmoid,
        lambda a, y: torch.nn.functional.binary_cross_entropy(a, labels[y]),
        torch.relu,
    )
