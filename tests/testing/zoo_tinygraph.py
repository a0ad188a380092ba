"""Functions of Values and Tensors, and custom ops, with one planted bug each, and their correct twins."""

import math

import numpy as np

import tinygraph
from tests.testing.zoo import Case
from tinygraph.engine.op import Op


def of(f):
    return lambda: f


def op(floats, partial, arrays=None):
    """Return a function that applies a custom op."""
    own = Op("own", floats, partials=(partial,), arrays=arrays)
    return lambda x: own(x)


def swish(partial):
    own = op(lambda x: x * tinygraph.sigmoid(x), partial)
    return lambda x: own(x) * x


def entropy(cut):
    def f(z):
        p = tinygraph.sigmoid(z)
        return -(p * cut(tinygraph.log(p))).sum()

    return f


def first_one_wrong(out, x):
    return tinygraph.cos(x) * np.linspace(1.0, 1.1, x.size)


ONE, VECTOR = ((),), ((4,),)
ZOO_TINYGRAPH = {
    "tinygraph: data in a function": Case(
        lambda x: x * x.exp(), of(lambda x: x * math.exp(x.data)), ONE, "the graph is cut: the constant .* with x.*zoo_"
    ),
    "tinygraph: detach": Case(entropy(lambda t: t), of(entropy(lambda t: t.detach())), VECTOR, "the graph is cut: .*z"),
    "tinygraph: item": Case(
        lambda x: x / (x * x).sum() ** 0.5, of(lambda x: x / (x * x).sum().item() ** 0.5), VECTOR,
        "the graph is cut: the constant .* changes with x.*zoo_tinygraph",
    ),
    "tinygraph: NumPy on data": Case(
        lambda x: x / abs(x).max(), of(lambda x: x / np.abs(x.data).max()), VECTOR, "the graph is cut: .*zoo_tinygraph"
    ),
    "tinygraph: a local derivative without its second term": Case(
        swish(lambda out, x: tinygraph.sigmoid(x) + out * tinygraph.sigmoid(-x)),
        of(swish(lambda out, x: tinygraph.sigmoid(x))), ONE, "the derivative with respect to x",
    ),
    "tinygraph: a local derivative with the wrong sign": Case(
        op(math.cos, lambda out, x: -tinygraph.sin(x), "cos"), of(op(math.cos, lambda out, x: tinygraph.sin(x), "cos")),
        VECTOR, "gradient of x(.*\n)+.*wrong sign",
    ),
    "tinygraph: a local derivative with another factor": Case(
        op(lambda x: x * x, lambda out, x: 2.0 * x, "square"),
        of(op(lambda x: x * x, lambda out, x: 3.0 * x, "square")), VECTOR, r"gradient of x(.*\n)+.*1\.5 times",
    ),
    "tinygraph: the tail of tanh": Case(
        lambda x: tinygraph.tanh(4.0 * x),
        lambda: lambda x: op(math.tanh, lambda out, x: 1.0 - (1.0 - 1e-3) * out * out, "tanh")(4.0 * x),
        VECTOR, "gradient of x is wrong in",
    ),
    "tinygraph: abs without its sign": Case(
        op(abs, lambda out, x: out / x, "absolute"), of(op(abs, lambda out, x: out / out, "absolute")), ((12,),),
        "gradient of x is wrong in",
    ),
    "tinygraph: NaN as a local derivative": Case(
        op(math.sin, lambda out, x: tinygraph.cos(x), "sin"), of(op(math.sin, lambda out, x: x * math.nan, "sin")),
        VECTOR, "gradient of x is wrong in 4 of 4(.*\n)+.*NaN",
    ),
    "tinygraph: one element of a local derivative": Case(
        op(math.sin, lambda out, x: tinygraph.cos(x), "sin"), of(op(math.sin, first_one_wrong, "sin")), VECTOR,
        "gradient of x is wrong in 3 of 4",
    ),
}  # fmt: skip
