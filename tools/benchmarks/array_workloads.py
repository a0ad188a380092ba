"""The workloads of the Tensor backend, written for each engine as its users would write them.

Each function returns a function without arguments that returns (cost, gradient...), so that the results can be
compared before they are timed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygraph
from tinygraph import Tensor
from tinygraph.logistic.objectives import Sigmoid
from tinygraph.logistic.training import backward_on

Run = Callable[[], tuple[Any, ...]]


def jitted(function: Callable[..., Any], **options: Any) -> Callable[..., tuple[Any, Any]]:
    """Return a compiled JAX function for value and gradient in float64; a call waits for the result."""
    import jax

    jax.config.update("jax_enable_x64", True)
    step = jax.jit(jax.value_and_grad(function, **options))

    def call(*args: Any) -> tuple[Any, Any]:
        value, gradients = step(*args)
        return value.block_until_ready(), gradients

    return call


# --- W4: the vectorized logistic-regression step, cost and gradient -----------------------------------


def by_hand(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 in plain NumPy, as in the lecture."""

    def run() -> tuple[Any, ...]:
        Z = np.dot(w.T, X) + b
        A = 1 / (1 + np.exp(-Z))
        J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
        dZ = A - Y
        return J, np.dot(X, dZ.T) / X.shape[1], np.sum(dZ) / X.shape[1]

    return run


def by_hand_accurate(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 in NumPy from the logits: accurate in both tails, with one exponential for cost and gradient."""

    def run() -> tuple[Any, ...]:
        Z = np.dot(w.T, X) + b
        size = np.absolute(Z)
        e = np.exp(-size)
        J = np.mean(np.where(Z > 0, 1 - Y, Y) * size + np.log1p(e))
        near, far = 1 / (1 + e), e / (1 + e)
        dZ = np.where(Z >= 0, (1 - Y) * near - Y * far, (1 - Y) * far - Y * near)
        return J, np.dot(X, dZ.T) / X.shape[1], np.sum(dZ) / X.shape[1]

    return run


def with_tinygraph(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 with tinygraph; each call records the graph again."""

    def run() -> tuple[Any, ...]:
        column, bias = Tensor(w), Tensor(b)
        J = tinygraph.binary_cross_entropy_with_logits(np.dot(column.T, X) + bias, Y).mean()
        J.backward()
        return J.data, column.grad, bias.grad

    return run


def in_training(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 as `LogisticRegression` does, from a table in C order: the features of an example are neighbors."""
    table, objective = np.ascontiguousarray(X.T), Sigmoid("cross_entropy_with_logits")
    parameters = objective.leaves(w, b.ravel(), "tensor")
    backward = backward_on(objective, parameters, table, Y.ravel(), None, math.inf)
    return lambda: (backward(), *[np.reshape(x.grad, like.shape) for x, like in zip(parameters, (w, b), strict=True)])


def with_torch(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 with PyTorch, in one thread."""
    import torch

    torch.set_num_threads(1)
    Xt, Yt = torch.from_numpy(X), torch.from_numpy(Y)

    def run() -> tuple[Any, ...]:
        column, bias = torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)
        J = torch.nn.functional.binary_cross_entropy_with_logits(column.T @ Xt + bias, Yt)
        J.backward()
        return J.detach(), column.grad, bias.grad

    return run


def with_autograd(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 with HIPS/autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def cost(parameters: Any) -> Any:
        Z = anp.dot(parameters[0].T, X) + parameters[1]
        return anp.mean(anp.maximum(Z, 0) - Z * Y + anp.log1p(anp.exp(-anp.abs(Z))))

    step = value_and_grad(cost)

    def run() -> tuple[Any, ...]:
        J, (dw, db) = step((w, b))
        return J, dw, db

    return run


def with_mygrad(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 with MyGrad."""
    import mygrad as mg

    def run() -> tuple[Any, ...]:
        column, bias = mg.tensor(w), mg.tensor(b)
        Z = mg.matmul(column.T, X) + bias
        J = mg.mean(mg.maximum(Z, 0.0) - Z * Y + mg.log1p(mg.exp(-mg.abs(Z))))
        J.backward()
        return J.data, column.grad, bias.grad

    return run


def with_jax(X: Any, Y: Any, w: Any, b: Any) -> Run:
    """Compute W4 with JAX, compiled."""
    import jax.numpy as jnp

    def cost(w: Any, b: Any, X: Any, Y: Any) -> Any:
        Z = w.T @ X + b
        return jnp.mean(jnp.maximum(Z, 0) - Z * Y + jnp.log1p(jnp.exp(-jnp.abs(Z))))

    step = jitted(cost, argnums=(0, 1))
    Xj, Yj = jnp.asarray(X), jnp.asarray(Y)

    def run() -> tuple[Any, ...]:
        J, (dw, db) = step(w, b, Xj, Yj)
        return J, dw, db

    return run


LOGISTIC: dict[str, Callable[..., Run]] = {
    "by hand": by_hand,
    "by hand, accurate": by_hand_accurate,
    "tinygraph": with_tinygraph,
    "in training": in_training,
    "torch": with_torch,
    "autograd": with_autograd,
    "mygrad": with_mygrad,
    "jax": with_jax,
}

# --- W7: a chain of 1000 ops on a short array, forward and backward -------------------------------------

PAIRS = 500  # repetitions of x = x * 1.0001 + 0.0001


def chain_by_hand(x: Any) -> Run:
    """Compute W7 in NumPy, without a graph."""

    def run() -> tuple[Any, ...]:
        y = x
        for _ in range(PAIRS):
            y = y * 1.0001 + 0.0001
        gradient = np.ones_like(x)
        for _ in range(PAIRS):
            gradient = gradient * 1.0001
        return y.sum(), gradient

    return run


def _chain(leaf: Callable[[], Any]) -> Run:
    def run() -> tuple[Any, ...]:
        x = y = leaf()
        for _ in range(PAIRS):
            y = y * 1.0001 + 0.0001
        J = y.sum()
        J.backward()
        return J.detach().item() if hasattr(J, "detach") else J.item(), x.grad

    return run


def chain_with_tinygraph(x: Any) -> Run:
    """Compute W7 with tinygraph."""
    return _chain(lambda: Tensor(x))


def chain_with_torch(x: Any) -> Run:
    """Compute W7 with PyTorch."""
    import torch

    return _chain(lambda: torch.tensor(x, requires_grad=True))


def chain_with_mygrad(x: Any) -> Run:
    """Compute W7 with MyGrad."""
    import mygrad as mg

    return _chain(lambda: mg.tensor(x))


def _chained(x: Any) -> Any:
    for _ in range(PAIRS):
        x = x * 1.0001 + 0.0001
    return x.sum()


def chain_with_autograd(x: Any) -> Run:
    """Compute W7 with HIPS/autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    step = value_and_grad(lambda x: anp.sum(_chained(x)))
    return lambda: step(x)


def chain_with_jax(x: Any) -> Run:
    """Compute W7 with JAX, compiled: the whole chain becomes one loop over the array."""
    step = jitted(_chained)
    return lambda: step(x)


CHAIN: dict[str, Callable[[Any], Run]] = {
    "by hand": chain_by_hand,
    "tinygraph": chain_with_tinygraph,
    "torch": chain_with_torch,
    "autograd": chain_with_autograd,
    "mygrad": chain_with_mygrad,
    "jax": chain_with_jax,
}
