"""Turn functions of PyTorch, JAX and autograd into functions that return their value and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.flat import cotangent
from tinygraph.functional import numbers_of, refilled
from tinygraph.support.arguments import check_function

if TYPE_CHECKING:
    from typing import Any

    from tinygraph.functional import Function, Tree

    ValueAndGrad = Callable[..., tuple[object, list[Tree]]]


def _adapted(f: Function, differentiate: Callable[[Callable[[Sequence[Any]], Any], list[Any]], Any]) -> ValueAndGrad:
    """Return a function of nested arrays whose value and gradients another framework computes.

    `differentiate` gets a function of a flat list and the list of arrays. It returns the value and the gradients.
    """
    check_function("f", f)

    def value_and_gradients(*args: Tree) -> tuple[object, list[Tree]]:
        leaves = [np.array(x, dtype=float) for x in numbers_of(args)]
        value, gradients = differentiate(lambda xs: f(*refilled(args, xs)), leaves)
        return value, refilled(list(args), gradients)

    return update_wrapper(value_and_gradients, f)


def from_torch(f: Function) -> ValueAndGrad:
    """Return a function that computes the value and the gradients of a PyTorch function.

    Args:
        f: Function of float64 torch tensors. `torch.autograd.Function.apply` is one too. If its result is not a scalar,
            it is multiplied by random weights (`numpy.random.default_rng(0)`) and summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`.

    Examples:
        >>> import numpy as np
        >>> from_torch(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (array(5.), [array([2., 4.])])
    """

    def differentiate(of: Callable[[Sequence[Any]], Any], arrays: list[Any]) -> tuple[object, list[object]]:
        torch = import_module("torch")
        leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
        y = of([leaf * 1.0 for leaf in leaves])  # a copy, so that f may work in place
        if not torch.is_tensor(y):
            raise TypeError(f"f must return a torch tensor, not {type(y).__name__}")
        if y.ndim:
            y = (y * torch.tensor(cotangent(tuple(y.shape), 0), dtype=y.dtype)).sum()
        if not y.requires_grad:  # f cuts the graph
            return y.numpy(), [np.zeros_like(array) for array in arrays]
        found = torch.autograd.grad(y, leaves, allow_unused=True)
        gradients = [np.zeros_like(array) if g is None else g.numpy() for array, g in zip(arrays, found, strict=True)]
        return y.detach().numpy(), gradients

    return _adapted(f, differentiate)


def from_jax(f: Function) -> ValueAndGrad:
    """Return a function that computes the value and the gradients of a JAX function.

    Args:
        f: Function of float64 JAX arrays, for example a `jax.custom_vjp`. If its result is not a scalar, it is
            multiplied by random weights (`numpy.random.default_rng(0)`) and summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`. It raises `TypeError` if JAX computes with
        float32.

    Examples:
        >>> import numpy as np
        >>> from_jax(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (array(5.), [array([2., 4.])])
    """

    def differentiate(of: Callable[[Sequence[Any]], Any], arrays: list[Any]) -> tuple[object, list[object]]:
        jax = import_module("jax")
        if not jax.config.jax_enable_x64:
            raise TypeError('JAX computes with float32: first call jax.config.update("jax_enable_x64", True)')
        value, gradients = jax.value_and_grad(lambda xs: _projected(of(xs)))([jax.numpy.asarray(x) for x in arrays])
        return np.asarray(value), [np.asarray(gradient) for gradient in gradients]

    return _adapted(f, differentiate)


def from_autograd(f: Function) -> ValueAndGrad:
    """Return a function that computes the value and the gradients of a function for HIPS autograd.

    Args:
        f: Function that uses `autograd.numpy`, for example a `primitive` with `defvjp`. If its result is not a scalar,
            it is multiplied by random weights (`numpy.random.default_rng(0)`) and summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`.

    Examples:
        >>> import numpy as np
        >>> from_autograd(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (5.0, [array([2., 4.])])
    """

    def differentiate(of: Callable[[Sequence[Any]], Any], arrays: list[Any]) -> tuple[object, list[object]]:
        # A 0-d array is a float for autograd.
        leaves = [array if array.ndim else float(array) for array in arrays]
        value, gradients = import_module("autograd").value_and_grad(lambda xs: _projected(of(xs)))(leaves)
        return value, list(gradients)

    return _adapted(f, differentiate)


def _projected(y: Any) -> Any:
    shape = tuple(np.shape(y))
    return (y * cotangent(shape, 0)).sum() if shape else y
