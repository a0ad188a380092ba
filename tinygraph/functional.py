"""Differentiating a function, in the words of autograd and jax: numbers in, value and gradient out."""

from __future__ import annotations

from tinygraph.engine import autodiff, graph
from tinygraph.engine.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Turn f into a function that returns its value and its gradient, in autograd's and jax's words.

    `argnums` says by which arguments to differentiate; each is a number, or a list, tuple or dict
    of them at any depth, and its gradient has the same form. f is called with Values, or with
    Tensors where there is an array among the numbers.

    >>> value_and_grad(lambda w, x: w[0] * x + w[1])([2.0, 1.0], 5.0)
    (11.0, [5.0, 1.0])
    >>> import numpy as np
    >>> value_and_grad(lambda w: (w * w).sum())(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """

    def wrapped(*args: Any, **options: Any) -> tuple[float, Any]:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if not all(0 <= i < len(args) for i in chosen):
            raise ValueError(f"argnums is {argnums!r}, but there are {len(args)} positional argument(s), from 0 on")
        numbers: list[Any] = []
        for i in chosen:
            map_numbers(numbers.append, args[i])
        kind: Any = Value
        if any(getattr(number, "shape", ()) for number in numbers):
            from tinygraph.tensor.tensor import Tensor

            kind = Tensor
        leaves: list[Any] = []

        def leaf(number: Any) -> Any:
            leaves.append(number if isinstance(number, graph.Node) else kind(number))
            return leaves[-1]

        inputs = {i: map_numbers(leaf, args[i]) for i in chosen}
        y = f(*(inputs.get(i, arg) for i, arg in enumerate(args)), **options)
        if not isinstance(y, graph.Node):  # f does not depend on its inputs
            y = kind(y, constant=True)
        partials = dict(zip(leaves, autodiff.grad(y, leaves), strict=True))
        gradients = tuple(map_numbers(partials.__getitem__, inputs[i]) for i in chosen)
        return y.item(), gradients[0] if isinstance(argnums, int) else gradients

    return wrapped


def map_numbers(f: Callable[[Any], Any], tree: Any) -> Any:
    """f on every number of a nested list, tuple or dict, which keeps its form."""
    if isinstance(tree, dict):
        return {key: map_numbers(f, branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_numbers(f, branch) for branch in tree)
    return f(tree)
