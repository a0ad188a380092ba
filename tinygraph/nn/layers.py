"""Neuron, Layer and MLP (multilayer perceptron), with the interface and the initial weights of micrograd.

The nodes have the names of the lecture's code, in which the weights of layer 1 are the matrix W1. Among Values,
W1[2,0] is the weight of input 0 in neuron 2: the element [2, 0] of the Tensor W1.

References:
    A. Karpathy, micrograd, module `micrograd.nn`, 2020.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

from tinygraph.engine.contexts import scope
from tinygraph.engine.operators import Operators
from tinygraph.engine.ops import relu
from tinygraph.engine.value import Value
from tinygraph.kernels.numbers import plain_number
from tinygraph.nn.module import BACKENDS, Module
from tinygraph.support.arguments import check_integer, check_kind
from tinygraph.support.messages import counted, described, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from tinygraph.tensor.tensor import Tensor

    Input = ArrayLike | Tensor | Iterable[Value | float]

T = TypeVar("T", bound=Operators)


class Neuron(Module):
    """A neuron: the weighted sum of its inputs plus a bias, followed by ReLU.

    Args:
        nin: Number of inputs.
        nonlin: If false, the neuron is linear: it has no ReLU. Defaults to true.
        backend: "scalar" for one Value per weight, or "tensor" for one Tensor of all weights. Defaults to "scalar".

    Attributes:
        w: Weights: a list of Values, or a Tensor with shape (nin,). The initial weights come from
            `random.uniform(-1, 1)`, so you get the weights of micrograd after the same `random.seed`.
        b: Bias, which is 0 at first: a Value, or a Tensor with shape ().
        nonlin: True if the neuron has a ReLU.

    Raises:
        TypeError: If `nin` is not an integer.
        ValueError: If `nin` is less than 1, or if `backend` is not one of `BACKENDS`.

    Examples:
        >>> neuron = Neuron(2)
        >>> neuron
        ReLUNeuron(2)
        >>> neuron.w[0].data, neuron.w[1].data, neuron.b.data = 3.0, -1.0, 0.5
        >>> neuron([1.0, 2.0]).data
        1.5
    """

    def __init__(self, nin: int, nonlin: bool = True, backend: str = "scalar") -> None:
        one_of("backend", backend, BACKENDS)
        weights = _initial_weights(check_integer("nin", nin, least=1))
        self.nonlin = bool(nonlin)
        self.w: list[Value] | Tensor
        self.b: Any  # a Value or a Tensor, like the weights
        if backend == "tensor":
            from tinygraph.tensor.tensor import Tensor

            self.w, self.b = Tensor(weights, "w"), Tensor(0.0, "b")
        else:
            self.w, self.b = [Value(weight, f"w[{i}]") for i, weight in enumerate(weights)], Value(0.0, "b")
        self._names = ("z", "a")

    def _rename(self, layer: int | str, row: int, index: str) -> None:
        """Name the Values after the elements of the layer's arrays."""
        for i, weight in enumerate(self.w):
            weight.name = f"W{layer}[{row},{i}]"
        self.b.name = f"b{layer}{index}"
        self._names = (f"z{layer}{index}", f"a{layer}{index}")

    def __call__(self, x: Input) -> Value | Tensor:
        """Return the output of the neuron.

        Args:
            x: An example: a sequence of `nin` Values or numbers. With the backend "tensor", an array or a Tensor with
                shape (nin,) for one example, or (m, nin) for m examples.

        Returns:
            A Value, or a Tensor with one element per example.

        Raises:
            TypeError: If `x` is not a sequence of Values and numbers, or with the backend "tensor", not an array.
            ValueError: If `x` does not have `nin` features per example.

        Examples:
            >>> Neuron(2, backend="tensor")([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).shape
            (3,)
        """
        if isinstance(self.w, list):
            return self._output(_features(x, len(self.w)))
        from tinygraph.nn.arrays import weighted_sum

        return _activated(weighted_sum(x, self.w, self.b), self.nonlin, self._names)

    def _output(self, x: Sequence[Value | float]) -> Value:
        z: Value = self.b
        for w_i, x_i in zip(self.w, x, strict=True):
            z = z + w_i * x_i
        return _activated(z, self.nonlin, self._names)

    def parameters(self) -> list[Value | Tensor]:
        """Return the parameters: the weights, and the bias as the last element.

        Returns:
            A list of nin + 1 Values, or a list of two Tensors.

        Examples:
            >>> [p.name for p in Neuron(2).parameters()]
            ['w[0]', 'w[1]', 'b']
        """
        return [*self.w, self.b] if isinstance(self.w, list) else [self.w, self.b]

    def __repr__(self) -> str:
        return _text_of_neuron(len(self.w), self.nonlin)


class Layer(Module):
    """A layer: neurons with the same inputs. The nodes of a layer are in one scope.

    Args:
        nin: Number of inputs.
        nout: Number of neurons, which is the number of outputs.
        nonlin: If false, the neurons are linear: they have no ReLU. Defaults to true.
        backend: "scalar" for one Value per weight, or "tensor" for one matrix of weights. Defaults to "scalar".
        number: Number of the layer in its network, for names in the diagram: layer 1 has the scope "layer 1", the
            weights W1 and the bias b1. By default, the scope is "layer", and the names have no number.

    Attributes:
        neurons: The neurons. Only the backend "scalar" has this attribute.
        W: Weights, a Tensor with shape (nout, nin). Only the backend "tensor" has this attribute.
        b: Bias, a Tensor with shape (nout,). Only the backend "tensor" has this attribute.

    Raises:
        TypeError: If `nin`, `nout` or `number` is not an integer.
        ValueError: If `nin` or `nout` is less than 1, if `number` is less than 0, or if `backend` is not one of
            `BACKENDS`.

    Examples:
        >>> layer = Layer(2, 3, number=1)
        >>> layer
        Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)]
        >>> [a.name for a in layer([1.0, 2.0])]
        ['a1[0]', 'a1[1]', 'a1[2]']
        >>> Layer(2, 3, backend="tensor", number=1).W.shape
        (3, 2)
    """

    neurons: list[Neuron]
    W: Tensor
    b: Tensor

    def __init__(
        self, nin: int, nout: int, nonlin: bool = True, backend: str = "scalar", *, number: int | None = None
    ) -> None:
        one_of("backend", backend, BACKENDS)
        self._nin, self._nout = check_integer("nin", nin, least=1), check_integer("nout", nout, least=1)
        label = "" if number is None else check_integer("number", number, least=0)
        self._backend, self._nonlin, self._scope = backend, bool(nonlin), scope(f"layer {label}".rstrip())
        self._names = (f"Z{label}", f"A{label}")
        with self._scope:
            if backend == "tensor":
                from tinygraph.nn.arrays import parameters

                rows = [_initial_weights(self._nin) for _ in range(self._nout)]
                self.W, self.b = parameters(rows, label)
            else:
                self.neurons = [Neuron(self._nin, nonlin) for _ in range(self._nout)]
                for row, neuron in enumerate(self.neurons):
                    neuron._rename(label, row, f"[{row}]" if self._nout > 1 else "")

    def __call__(self, x: Input) -> Any:
        """Return the outputs of the layer.

        Args:
            x: An example: a sequence of `nin` Values or numbers. With the backend "tensor", an array or a Tensor with
                shape (nin,) for one example, or (m, nin) for m examples.

        Returns:
            A list of `nout` Values, or a Tensor with shape (nout,) or (m, nout). A layer of one neuron returns a
            Value, or a Tensor with shape () or (m,), as in micrograd.

        Raises:
            TypeError: If `x` is not a sequence of Values and numbers, or with the backend "tensor", not an array.
            ValueError: If `x` does not have `nin` features per example.

        Examples:
            >>> len(Layer(2, 3)([1.0, 2.0]))
            3
            >>> Layer(2, 3, backend="tensor")([[1.0, 2.0]]).shape, Layer(2, 1, backend="tensor")([[1.0, 2.0]]).shape
            ((1, 3), (1,))
        """
        return self._outputs(x, single=self._nout == 1)

    def _outputs(self, x: Input, single: bool = False) -> Any:
        """Return the outputs, as a list or with a last axis of length nout unless a single output is wanted."""
        if self._backend == "tensor":
            from tinygraph.nn.arrays import weighted_sum

            with self._scope:
                return _activated(weighted_sum(x, self.W, self.b, single), self._nonlin, self._names)
        features = _features(x, self._nin)
        with self._scope:
            out = [neuron._output(features) for neuron in self.neurons]
        return out[0] if single else out

    def parameters(self) -> list[Value | Tensor]:
        """Return the parameters: those of each neuron, or with the backend "tensor", W and b.

        Returns:
            A list of Values, or a list of two Tensors.

        Examples:
            >>> len(Layer(2, 3).parameters()), len(Layer(2, 3, backend="tensor").parameters())
            (9, 2)
        """
        return (
            [self.W, self.b]
            if self._backend == "tensor"
            else [p for neuron in self.neurons for p in neuron.parameters()]
        )

    def __repr__(self) -> str:
        return f"Layer of [{', '.join([_text_of_neuron(self._nin, self._nonlin)] * self._nout)}]"


class MLP(Module):
    """A multilayer perceptron: layers of ReLU neurons, and a linear layer at the end.

    Args:
        nin: Number of inputs.
        nouts: Number of neurons in each layer: a list such as [16, 16, 1].
        backend: "scalar" for one Value per weight, or "tensor" for one matrix of weights per layer. After the same
            `random.seed`, both backends have the same initial weights. Defaults to "scalar".

    Attributes:
        layers: The layers.

    Raises:
        TypeError: If `nouts` is not a list or a tuple, or if a size is not an integer.
        ValueError: If `nouts` is empty, if a size is less than 1, or if `backend` is not one of `BACKENDS`.

    References:
        D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors", Nature
        323, 533-536, 1986.

    Examples:
        >>> model = MLP(2, [16, 16, 1])
        >>> len(model.parameters())
        337
        >>> import tinygraph
        >>> tinygraph.draw(model([1.0, -2.0]), detail="scopes")
        <drawing of z3: 4 nodes, 3 edges; call backward() to draw the gradients>
        >>> import numpy as np
        >>> vectorized = MLP(2, [16, 16, 1], backend="tensor")
        >>> [p.name for p in vectorized.parameters()], vectorized(np.ones((100, 2))).shape
        (['W1', 'b1', 'W2', 'b2', 'W3', 'b3'], (100,))
    """

    def __init__(self, nin: int, nouts: Sequence[int], backend: str = "scalar") -> None:
        check_kind("nouts", nouts, (list, tuple), "a list of layer sizes, such as [16, 16, 1]")
        if not nouts:
            raise ValueError("nouts must contain at least one layer size, such as [16, 16, 1], but it is empty")
        sizes = [check_integer("each layer size in nouts", nout, least=1) for nout in nouts]
        last = len(sizes)
        self.layers = [
            Layer(n, nout, nonlin=k != last, backend=backend, number=k)
            for k, (n, nout) in enumerate(zip([nin, *sizes], sizes, strict=False), 1)
        ]

    def __call__(self, x: Input) -> Any:
        """Return the output of the network.

        Args:
            x: An example: a sequence of `nin` Values or numbers. With the backend "tensor", an array or a Tensor with
                shape (nin,) for one example, or (m, nin) for m examples.

        Returns:
            The outputs of the last layer: a list of Values, or a Tensor with one row per example. If the last layer
            has one neuron, a Value, or a Tensor with one element per example.

        Raises:
            TypeError: If `x` is not a sequence of Values and numbers, or with the backend "tensor", not an array.
            ValueError: If `x` does not have `nin` features per example.

        Examples:
            >>> model = MLP(2, [3, 1])
            >>> for p in model.parameters():
            ...     p.data = 0.5
            >>> model([1.0, 2.0]).data
            3.5
        """
        *hidden, last = self.layers
        for layer in hidden:
            x = layer._outputs(x)
        return last(x)

    def parameters(self) -> list[Value | Tensor]:
        """Return the parameters of all layers.

        Returns:
            A list of Values or of Tensors.

        Examples:
            >>> len(MLP(2, [3, 1]).parameters())
            13
        """
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _initial_weights(nin: int) -> list[float]:
    return [random.uniform(-1, 1) for _ in range(nin)]


def _activated(z: T, nonlin: bool, names: tuple[str, str]) -> T:
    z.name, a_name = names
    if not nonlin:
        return z
    a: T = relu(z)
    a.name = a_name
    return a


def _text_of_neuron(nin: int, nonlin: bool) -> str:
    return f"{'ReLU' if nonlin else 'Linear'}Neuron({nin})"


def _features(x: object, nin: int) -> list[Value | float]:
    """Return the features of one example as a list of Values and floats."""
    wanted = f"x must be a list of {counted(nin, 'number')} or Values"
    axes = getattr(x, "ndim", 1)
    if isinstance(x, (str, bytes, dict, set, Operators)) or not isinstance(x, Iterable) or axes == 0:
        hint = ": a Tensor needs a network with backend='tensor'" if hasattr(x, "ndim") and axes else ""
        raise TypeError(f"{wanted}, not {described(x)}{hint}")
    features = list(x) if axes == 1 else []
    if axes > 1 or any(isinstance(feature, (list, tuple)) or getattr(feature, "shape", ()) for feature in features):
        hint = "call the network once per example, or make it with backend='tensor'"
        raise TypeError(f"{wanted}, for one example, not {described(x)}: {hint}")
    if len(features) != nin:
        raise ValueError(f"{wanted}, not of {len(features):,}")
    return [feature if isinstance(feature, Value) else plain_number(feature, "x") for feature in features]
