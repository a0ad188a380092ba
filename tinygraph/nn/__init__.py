"""Neural networks with micrograd's interface: `Neuron`, `Layer` and `MLP`, made of Values or of Tensors.

Each layer is a scope in the diagram. Networks of Values do not need NumPy.

Examples:
    >>> import random
    >>> random.seed(1)
    >>> model = MLP(2, [3, 1])
    >>> model
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
    >>> score = model([1.0, -2.0])
    >>> score.backward()
    >>> for p in model.parameters():
    ...     p.data -= 0.1 * p.grad
"""

from __future__ import annotations

from tinygraph.nn.layers import MLP, Layer, Neuron
from tinygraph.nn.module import BACKENDS, Module

__all__ = ["BACKENDS", "MLP", "Layer", "Module", "Neuron"]
