"""JAX programs of many kinds. Each function returns a function of arrays, and its arguments."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


def random(*shape, seed=0, low=-1.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape)


# --- the cookbook of automatic differentiation


def sigmoid(x):
    return 0.5 * (jnp.tanh(x / 2) + 1)


INPUTS = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
TARGETS = np.array([True, True, False, True])


def predict(W, b, inputs):
    return sigmoid(jnp.dot(inputs, W) + b)


def logistic_loss(W, b):
    preds = predict(W, b, INPUTS)
    label_probs = preds * TARGETS + (1 - preds) * (1 - TARGETS)
    return -jnp.sum(jnp.log(label_probs))


def logistic_regression():
    return logistic_loss, (random(3), 0.3)


def derivative_of_tanh():
    return jax.grad(jnp.tanh), (2.0,)


def second_derivative_of_tanh():
    return jax.grad(jax.grad(jnp.tanh)), (2.0,)


def hessian_vector_product():
    def f(x):
        return jnp.sum(jnp.tanh(x) ** 2)

    def hvp(x, v):
        return jax.jvp(jax.grad(f), (x,), (v,))[1]

    return hvp, (random(3), random(3, seed=1))


def hessian_vector_product_in_reverse():
    def hvp(x, v):
        return jax.grad(lambda x: jnp.vdot(jax.grad(lambda x: logistic_loss(x, 0.3))(x), v))(x)

    return hvp, (random(3), random(3, seed=1))


def per_example_gradients():
    def example_loss(W, x, y):
        return (jnp.tanh(x @ W) - y) ** 2

    return jax.vmap(jax.grad(example_loss), in_axes=(None, 0, 0)), (random(3), random(4, 3, seed=1), random(4, seed=2))


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def clip_gradient(lo, hi, x):
    return x


clip_gradient.defvjp(lambda lo, hi, x: (x, None), lambda lo, hi, res, g: (jnp.clip(g, lo, hi),))


def clipped_gradient():
    return lambda x: jnp.sin(clip_gradient(-10.0, 10.0, x)), (0.5,)  # the bounds are far, so nothing is clipped


@jax.custom_jvp
def log1pexp(x):
    return jnp.log(1.0 + jnp.exp(x))


@log1pexp.defjvp
def log1pexp_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return log1pexp(x), (1 - 1 / (1 + jnp.exp(x))) * x_dot


def custom_jvp():
    return lambda x: log1pexp(x).sum(), (random(3),)


def fixed_point_by_while():
    def newton_sqrt(a):
        def going(state):
            before, now = state
            return jnp.abs(before - now) > 1e-12

        def improve(state):
            _, x = state
            return x, 0.5 * (x + a / x)

        return jax.lax.while_loop(going, improve, (a, 0.5 * (a + 1.0)))[1]

    return newton_sqrt, (3.0,)


def fixed_point_by_fori():
    def body(i, x):
        return jnp.cos(x) * 0.5

    return lambda x: jax.lax.fori_loop(0, 4, body, x), (0.7,)


def polynomial():
    def horner(coefficients, x):
        return jax.lax.fori_loop(0, 4, lambda i, y: y * x + coefficients[i], 0.0)

    return horner, (random(4), 1.5)


# --- calls, loops and branches


@jax.jit
def inner(x):
    return jnp.sin(x) * 2.0


@jax.jit
def outer(x):
    return inner(x) + inner(x + 1.0)


def nested_jit():
    return lambda x: outer(x).sum(), (random(2),)


def rematerialized():
    @jax.checkpoint
    def block(w, x):
        return jnp.sin(w * x)

    return lambda w, x: (block(w, x) * w).sum(), (random(3), random(3, seed=1))


def rnn():
    def cell(W, U):
        def step(h, x):
            h = jnp.tanh(W @ h + U @ x)
            return h, h.sum()

        return step

    def f(W, U, xs):
        h, sums = jax.lax.scan(cell(W, U), jnp.zeros(2), xs)
        return (h**2).sum() + sums.mean()

    return f, (random(2, 2), random(2, 3, seed=1), random(3, 3, seed=2))


def reversed_scan():
    def discounted(rewards):
        def step(value, reward):
            value = reward + 0.9 * value
            return value, value

        return jax.lax.scan(step, 0.0, rewards, reverse=True)[1]

    return discounted, (random(3),)


def cond():
    def up(x):
        return x**2

    def down(x):
        return -x

    return lambda x: jax.lax.cond(x.sum() > 0, up, down, x).sum(), (np.array([1.0, 2.0]),)


def switch():
    def f(i, x):
        return jax.lax.switch(i, [jnp.sin, jnp.cos, jnp.tanh], x).sum()

    return lambda x: f(1, x), (random(2),)


# --- networks


class Layer(NamedTuple):
    w: np.ndarray
    b: np.ndarray


def dense(layer, x):
    return x @ layer.w + layer.b


def mlp():
    def f(params, x, y):
        h = jnp.tanh(dense(params["hidden"], x))
        return ((dense(params["out"], h) - y) ** 2).mean()

    params = {
        "hidden": Layer(random(3, 4), random(4, seed=1)),
        "out": Layer(random(4, 1, seed=2), random(1, seed=3)),
    }
    return f, (params, random(2, 3, seed=4), random(2, 1, seed=5))


def nested_parameters():
    params = {
        "params": {
            "Dense_0": {"kernel": random(3, 2), "bias": random(2)},
            "Dense_1": [random(2, seed=2), {"scale": 1.5}],
        }
    }

    def f(params, x):
        p = params["params"]
        h = jax.nn.relu(x @ p["Dense_0"]["kernel"] + p["Dense_0"]["bias"])
        return (h @ p["Dense_1"][0] * p["Dense_1"][1]["scale"]).sum()

    return f, (params, random(4, 3, seed=1))


def attention():
    def f(q, k, v):
        scores = jnp.einsum("qhd,khd->hqk", q, k) / jnp.sqrt(q.shape[-1])
        return jnp.einsum("hqk,khd->qhd", jax.nn.softmax(scores, axis=-1), v)

    return f, tuple(random(3, 2, 2, seed=i) for i in range(3))


def cnn():
    def f(kernel, w, image):
        h = jax.lax.conv_general_dilated(image, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = jax.nn.relu(h)
        h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return (h.reshape(1, -1) @ w).sum()

    return f, (random(3, 3, 1, 2), random(8, 3, seed=1), random(1, 4, 4, 1, seed=2))


def strided_convolution():
    def f(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (2,), [(1, 1)], rhs_dilation=(2,), feature_group_count=2)

    return f, (random(1, 2, 7), random(2, 1, 2, seed=1))


def transposed_convolution():
    return lambda x, k: jax.lax.conv_transpose(x, k, (2,), "SAME"), (random(1, 3, 2), random(2, 2, 1, seed=1))


def average_pool():
    def f(x):
        sums = jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "VALID")
        return (sums / 4.0) ** 2

    return f, (random(1, 3, 3, 1),)


def layer_norm():
    def f(x, scale, shift):
        mean = x.mean(-1, keepdims=True)
        var = x.var(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * scale + shift

    return f, (random(2, 4), random(4, seed=1), random(4, seed=2))


def softmax_cross_entropy():
    labels = jax.nn.one_hot(np.array([0, 2]), 3)

    def f(logits):
        return -(labels * jax.nn.log_softmax(logits)).sum(-1).mean()

    return f, (random(2, 3),)


def cross_entropy_with_labels():
    labels = np.array([0, 2])

    def f(logits):
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=-1)
        return -picked.mean()

    return f, (random(2, 3),)


def log_sum_exp():
    return lambda x: jax.nn.logsumexp(x, axis=-1).sum(), (random(2, 3),)


def activations():
    def f(x):
        parts = [jax.nn.relu(x), jax.nn.silu(x), jax.nn.gelu(x, approximate=False), jax.nn.softplus(x), jax.nn.elu(x)]
        return sum(parts, jax.nn.sigmoid(x) + jax.nn.leaky_relu(x)).sum()

    return f, (random(3),)


# --- arrays


def embedding():
    places = np.array([[0, 2], [1, 2]])
    return lambda table: (table[places] ** 2).sum(), (random(4, 3),)


def norm():
    return lambda x: jnp.linalg.norm(x) + jnp.linalg.norm(x, ord=1), (random(3),)


def sorting():
    return lambda x: (jnp.sort(x) * jnp.arange(4.0)).sum() + x[jnp.argsort(x)[0]], (random(4),)


def accumulations():
    def f(x):
        return jnp.cumsum(x) * jnp.cumprod(x) + jax.lax.cummax(x) + jax.lax.cumlogsumexp(x) + jax.lax.cummin(x)

    return f, (random(4),)


def double_where():
    def safe_log(x):
        positive = x > 0
        return jnp.where(positive, jnp.log(jnp.where(positive, x, 1.0)), 0.0)

    return lambda x: safe_log(x).sum(), (np.array([-1.0, 0.0, 0.5, 2.0]),)


def segment_sum():
    segments = np.array([0, 0, 1, 2])
    return lambda x: jax.ops.segment_sum(x**2, segments, num_segments=3), (random(4),)


def updates_of_elements():
    def f(x, y):
        x = x.at[0].set(y[0] * 2.0)
        x = x.at[jnp.array([1, 1])].add(y)
        x = x.at[2].multiply(y[1])
        return jax.lax.dynamic_update_slice(x, y, (2,)) * jax.lax.dynamic_slice(x, (1,), (4,)).sum()

    return f, (random(5), random(2, seed=1))


def shapes():
    def f(x):
        y = jnp.concatenate([x.T[::-1], jnp.pad(x, ((0, 1), (1, 0)))[:, 1:].T], axis=1)
        a, b = jnp.split(jnp.stack([y, y * 2.0]), 2, axis=1)
        return a[0, :, :4] * b[1, :, 5:] + jnp.tile(jnp.squeeze(x[:1, None]), 1).sum() + jnp.roll(x, 1, 1).max()

    return f, (random(4, 4),)


def special_functions():
    def f(x):
        y = jax.scipy.special.gammaln(x) + jax.scipy.special.digamma(x) + jax.scipy.special.erfc(x)
        y += jnp.arctan2(x, 2.0) + jnp.cbrt(x) + jnp.exp2(x) + jnp.expm1(x) + jnp.log1p(x) + jnp.sinh(x) * jnp.cosh(x)
        y += jnp.arcsinh(x) + jnp.arccosh(x + 1.0) + jnp.arctanh(x / 4) + jnp.arcsin(x / 4) + jnp.arccos(x / 4)
        return (
            y + jnp.arctan(x) + jnp.tan(x / 4) + x**1.5 + x**-2 + jnp.floor(x) * x + jnp.mod(x, 0.7) + jnp.hypot(x, 1.0)
        )

    return f, (random(3, low=0.5, high=2.0),)


def extrema():
    def f(x):
        return x.max() * x.min() + jnp.clip(x, -0.5, 0.5).sum() + jnp.maximum(x, 0.1).prod() + jnp.abs(x[jnp.argmax(x)])

    return f, (random(4),)


def linear_algebra():
    def f(a, b):
        m = a @ a.T + 2.0 * jnp.eye(3)
        lower = jnp.linalg.cholesky(m)
        y = jax.scipy.linalg.solve_triangular(lower, b, lower=True)
        return (y**2).sum() + jnp.linalg.solve(m, b).sum() + jnp.linalg.det(m) + jnp.linalg.inv(m).sum()

    return f, (random(3, 3), random(3, seed=1))


def stopped_gradient():
    return lambda x: (jax.lax.stop_gradient(x) * x).sum(), (random(3),)


def named_scopes():
    def f(w, x):
        with jax.named_scope("encoder"):
            h = jnp.tanh(w * x)
        with jax.named_scope("decoder"):
            return ((w * h - x) ** 2).sum()

    return f, (random(3), random(3, seed=1))


PROGRAMS = {
    name: function
    for name, function in dict(globals()).items()
    if callable(function)
    and getattr(function, "__module__", "") == __name__
    and name
    not in (
        *("random", "sigmoid", "predict", "logistic_loss", "clip_gradient", "log1pexp", "log1pexp_jvp"),
        *("inner", "outer", "Layer", "dense"),
    )
}
