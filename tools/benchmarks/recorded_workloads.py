"""W3: record a graph once, then compute its value and gradient for other numbers, with each engine.

Each function records and compiles a graph. It returns a function of the parameters, one flat array, that returns
(value, gradient).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygraph
from tools.benchmarks.array_workloads import jitted
from tools.benchmarks.workloads import OURS, Engine, data, logistic_cost, mlp_loss, moons

Call = Callable[[Any], tuple[Any, Any]]

# --- W2: the two loops ------------------------------------------------------------------------------


def logistic_with_tinygraph(m: int) -> Call:
    """Record the loops with tinygraph, vectorize and compile them."""
    J, w, b = logistic_cost(OURS, *data(m))
    f = tinygraph.compile(J, [[*w, b]])

    def call(p: Any) -> tuple[Any, Any]:
        value, (gradient,) = f(p)
        return value, gradient

    return call


def logistic_in_parts(m: int) -> Call:
    """Record the loops with tinygraph, with w and b as separate inputs, as a user would."""
    J, w, b = logistic_cost(OURS, *data(m))
    f = tinygraph.compile(J, [w, b])
    return lambda p: f(p[:-1], float(p[-1]))


def logistic_with_casadi(m: int) -> Call:
    """Record the same loops with CasADi's SX."""
    J, w, b = logistic_cost(_casadi_engine(), *data(m))
    return _casadi_call(J, [*w, b])


def logistic_with_micrograd(m: int) -> Call:
    """Run the loops in micrograd at each call, because it cannot run a recorded graph again."""
    from tools.benchmarks import micrograd_rows

    engine, (X, Y) = micrograd_rows.engine(), data(m)

    def call(p: Any) -> tuple[Any, Any]:
        numbers = iter(p.tolist())
        given = engine._replace(value=lambda _: engine.value(next(numbers)))
        J, w, b = logistic_cost(given, X, Y)
        J.backward()
        return J.data, [node.grad for node in (*w, b)]

    return call


def logistic_with_jax(m: int) -> Call:
    """Compile a program vectorized by hand with JAX, whose compiler does not finish for the loops."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, Y = (jnp.asarray(a) for a in data(m))

    def cost(p: Any) -> Any:
        A = jax.nn.sigmoid(X @ p[:-1] + p[-1])
        return -jnp.mean(Y * jnp.log(A) + (1.0 - Y) * jnp.log1p(-A))

    return jitted(cost)


def logistic_by_hand(m: int) -> Call:
    """Write W2 in NumPy, as in the lecture."""
    examples, labels = data(m)
    X, Y = np.ascontiguousarray(np.array(examples).T), np.array([labels])

    def call(p: Any) -> tuple[Any, Any]:
        w, b = p[:-1].reshape(-1, 1), p[-1]
        Z = np.dot(w.T, X) + b
        A = 1 / (1 + np.exp(-Z))
        J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
        dZ = (A - Y) / m
        return J, np.append(np.dot(X, dZ.T), np.sum(dZ))

    return call


LOGISTIC: dict[str, Callable[[int], Call]] = {
    "by hand": logistic_by_hand,
    "tinygraph": logistic_with_tinygraph,
    "tinygraph, w and b": logistic_in_parts,
    "casadi": logistic_with_casadi,
    "jax": logistic_with_jax,
    "micrograd": logistic_with_micrograd,
}

# --- W1: the MLP on two moons -----------------------------------------------------------------------


def _layered(layers: list[Any]) -> list[Any]:
    return [p for layer in layers for w, b in layer for p in (*w, b)]


def mlp_with_tinygraph() -> Call:
    """Record micrograd's program with tinygraph, vectorize and compile it."""
    loss, layers = mlp_loss(OURS)
    f = tinygraph.compile(loss, [_layered(layers)])

    def call(p: Any) -> tuple[Any, Any]:
        value, (gradient,) = f(p)
        return value, gradient

    return call


def mlp_with_casadi() -> Call:
    """Record the same program with CasADi's SX, with the points as numbers."""
    import casadi

    loss, layers = mlp_loss(_casadi_engine(), casadi.SX)
    return _casadi_call(loss, _layered(layers))


def mlp_with_micrograd() -> Call:
    """Run the program in micrograd at each call."""
    from tools.benchmarks import micrograd_rows

    engine = micrograd_rows.engine()

    def call(p: Any) -> tuple[Any, Any]:
        numbers = iter(p.tolist())
        # The numbers are the parameters, with each neuron's bias after its weights, followed by the points.
        loss, layers = mlp_loss(engine._replace(value=lambda x: engine.value(next(numbers, x))), lambda x: x)
        loss.backward()
        return loss.data, [node.grad for node in _layered(layers)]

    return call


def mlp_by_hand() -> Call:
    """Write W1 in NumPy, with the layers as matrices and the parameters in the order of the program."""
    draw = random.Random(1)
    for n, m in ((2, 16), (16, 16), (16, 1)):
        for _ in range(n * m):
            draw.uniform(-1.0, 1.0)
    points = moons(draw)
    X, Y = np.array([x for x, _ in points]).T.copy(), np.array([[label for _, label in points]])

    def call(p: Any) -> tuple[Any, Any]:
        first, second, third = p[:48].reshape(16, 3), p[48:320].reshape(16, 17), p[320:].reshape(1, 17)
        Z1 = first[:, :2] @ X + first[:, 2:]
        A1 = np.maximum(Z1, 0)
        Z2 = second[:, :16] @ A1 + second[:, 16:]
        A2 = np.maximum(Z2, 0)
        margin = 1 - Y * (third[:, :16] @ A2 + third[:, 16:])
        J = np.mean(np.maximum(margin, 0)) + 1e-4 * np.dot(p, p)
        dZ3 = -Y * (margin > 0) / 100
        dZ2 = third[:, :16].T @ dZ3 * (Z2 > 0)
        dZ1 = second[:, :16].T @ dZ2 * (Z1 > 0)
        parts = [
            np.hstack([dZ @ A.T, dZ.sum(axis=1, keepdims=True)]).ravel() for dZ, A in ((dZ1, X), (dZ2, A1), (dZ3, A2))
        ]
        return J, np.concatenate(parts) + 2e-4 * p

    return call


def mlp_with_jax() -> Call:
    """Compile a program vectorized by hand with JAX."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    draw = random.Random(1)
    for _ in range(2 * 16 + 16 * 16 + 16):
        draw.uniform(-1.0, 1.0)
    points = moons(draw)
    X, Y = jnp.array([x for x, _ in points]).T, jnp.array([[label for _, label in points]])

    def loss(p: Any) -> Any:
        first, second, third = p[:48].reshape(16, 3), p[48:320].reshape(16, 17), p[320:].reshape(1, 17)
        A1 = jax.nn.relu(first[:, :2] @ X + first[:, 2:])
        A2 = jax.nn.relu(second[:, :16] @ A1 + second[:, 16:])
        return jnp.mean(jax.nn.relu(1 - Y * (third[:, :16] @ A2 + third[:, 16:]))) + 1e-4 * jnp.dot(p, p)

    return jitted(loss)


MLP: dict[str, Callable[[], Call]] = {
    "by hand": mlp_by_hand,
    "tinygraph": mlp_with_tinygraph,
    "casadi": mlp_with_casadi,
    "jax": mlp_with_jax,
    "micrograd": mlp_with_micrograd,
}

# --- CasADi -----------------------------------------------------------------------------------------


def _casadi_engine() -> Engine:
    import casadi

    return Engine(
        lambda number: casadi.SX.sym("p"),
        lambda z: 1.0 / (1.0 + casadi.exp(-z)),
        lambda a, y: -(y * casadi.log(a) + (1.0 - y) * casadi.log(1.0 - a)),
        lambda x: casadi.fmax(x, 0.0),
    )


def _casadi_call(cost: Any, parameters: list[Any]) -> Call:
    """Return value and gradient from the buffers of the SX virtual machine, without conversions."""
    import casadi

    p = casadi.vertcat(*parameters)
    function = casadi.Function("f", [p], [cost, casadi.gradient(cost, p)])
    buffers, run = function.buffer()
    value, gradient = np.zeros(1), np.zeros(len(parameters))
    buffers.set_res(0, memoryview(value))
    buffers.set_res(1, memoryview(gradient))

    def call(numbers: Any) -> tuple[Any, Any]:
        buffers.set_arg(0, memoryview(numbers))
        run()
        return value[0], gradient

    return call
