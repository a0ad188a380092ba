"""Functions of JAX with one planted bug each, and their correct twins. The module needs JAX, with float64."""

import jax
import jax.numpy as jnp

from tests.testing.zoo import Case
from tinygraph.testing import from_jax


def own(f, forward, backward):
    """Return a jax.custom_vjp. `backward` gets the residuals and the upstream gradient."""
    function = jax.custom_vjp(f)
    function.defvjp(forward, backward)
    return function


def with_inputs(f, backward):
    """Return a jax.custom_vjp whose residuals are the inputs."""
    return own(f, lambda *xs: (f(*xs), xs), lambda xs, g: backward(g, *xs))


def case(right, wrong, shapes, message):
    return Case(from_jax(right), lambda: from_jax(wrong), shapes, message)


def softplus(x):
    return jnp.logaddexp(x, 0.0)


ZOO_JAX = {
    "jax: another factor": case(
        lambda x: x**3, with_inputs(lambda x: x**3, lambda g, x: (2.0 * g * x**2,)), ((3,),), "0.666667 times"
    ),
    "jax: sign": case(
        jnp.cos, with_inputs(jnp.cos, lambda g, x: (g * jnp.sin(x),)), ((3,),), "gradient of x(.*\n)+.*wrong sign"
    ),
    "jax: the upstream gradient is not used": case(
        jnp.exp, with_inputs(jnp.exp, lambda g, x: (jnp.exp(x),)), ((3,),), "gradient of x is wrong in 3 of 3"
    ),
    "jax: swapped gradients": case(
        lambda x, y: x * y**2, with_inputs(lambda x, y: x * y**2, lambda g, x, y: (2.0 * g * x * y, g * y**2)),
        ((3,), (3,)), "gradient of x(.*\n)+.*gradient of y",
    ),
    "jax: stop_gradient": case(
        jax.nn.softmax, lambda x: jnp.exp(x) / jax.lax.stop_gradient(jnp.exp(x).sum()), ((4,),), "wrong in 4 of 4"
    ),
    "jax: float32 inside": case(
        lambda x: (x * jnp.sin(x)).sum(), lambda x: (x * jnp.sin(x.astype("float32"))).sum(), ((4,),), "float32 inside"
    ),
    "jax: where with NaN": case(
        lambda x: jnp.where(x > 0, jnp.sqrt(jnp.maximum(x, 1e-9)), 0.0), lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0),
        ((9,),), "gradient of x is wrong in(.*\n)+.*NaN",
    ),
    "jax: the forward pass returns another value": case(
        lambda x: 2.0 * x, own(lambda x: 2.0 * x, lambda x: (x, None), lambda _, g: (2.0 * g,)), ((3,),),
        "without gradients, f returns another value",
    ),
    "jax: clipped tail": case(
        lambda x: softplus(4.0 * x),
        with_inputs(lambda x: softplus(4.0 * x), lambda g, x: (4.0 * g * jnp.round(jax.nn.sigmoid(4.0 * x), 1),)),
        ((9,),), "gradient of x is wrong in",
    ),
    "jax: softmax without its off-diagonal": case(
        jax.nn.softmax,
        with_inputs(lambda x: jax.nn.softmax(x), lambda g, x: (g * jax.nn.softmax(x) * (1.0 - jax.nn.softmax(x)),)),
        ((4,),), "gradient of x is wrong in 4 of 4",
    ),
    "jax: transposed": case(
        lambda w, x: x @ w, with_inputs(lambda w, x: x @ w, lambda g, w, x: (g.T @ x, g @ w.T)), ((3, 3), (4, 3)),
        "gradient of w(.*\n)+.*transposed",
    ),
}  # fmt: skip
