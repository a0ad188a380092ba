"""The base class of networks, and the choice between Values and Tensors."""

from __future__ import annotations

from tinygraph.engine.backward import as_gradient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.engine.value import Value
    from tinygraph.tensor.tensor import Tensor

BACKENDS = ("scalar", "tensor")
"""The values of `backend`: "scalar" (one Value per parameter) and "tensor" (one matrix of weights per layer)."""


class Module:
    """A part of a network: something with parameters. `Neuron`, `Layer` and `MLP` are modules.

    To write your own module, derive a class and override `parameters`.

    Examples:
        >>> from tinygraph.nn import Layer
        >>> class TwoLayers(Module):
        ...     def __init__(self):
        ...         self.first, self.second = Layer(2, 3), Layer(3, 1, nonlin=False)
        ...     def __call__(self, x):
        ...         return self.second(self.first(x))
        ...     def parameters(self):
        ...         return self.first.parameters() + self.second.parameters()
        >>> len(TwoLayers().parameters())
        13
    """

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to 0.

        A training loop does not need this method, because each `backward()` starts from zero. It has an effect before
        `backward(accumulate=True)`.

        Examples:
            >>> from tinygraph.nn import Neuron
            >>> model = Neuron(2)
            >>> model([1.0, 2.0]).backward()
            >>> model.zero_grad()
            >>> [p.grad for p in model.parameters()]
            [0.0, 0.0, 0.0]
        """
        for p in self.parameters():
            p.grad = as_gradient(p, None)

    def parameters(self) -> list[Value | Tensor]:
        """Return the parameters: the leaves that training changes.

        Returns:
            A list. In this class, the list is empty.

        Examples:
            >>> Module().parameters()
            []
        """
        return []
