"""Ops with one mistake each, which the tests of ops and programs must find."""

import math

import numpy as np

import tinygraph
from tinygraph.engine import domain, ops
from tinygraph.engine.op import Op


def row(name, number, analytic, domain=None, arrays=None, **partials):
    options = {"arrays": arrays, **({"domain": domain} if domain else {})}
    return Op(name, number, analytic=analytic, **options, **partials)


def softplus_with_threshold(x):
    return x if x > 20.0 else math.log1p(math.exp(x))


WRONG = {
    "sign": row("square", lambda x: x * x, lambda m, x: x * x, partials=(lambda out, x: -2.0 * x,)),
    "missing factor": row("square", lambda x: x * x, lambda m, x: x * x, partials=(lambda out, x: x,)),
    "swapped operands": row(
        "quotient",
        ops.div.floats,
        lambda m, x, y: x / y,
        domain.NONZERO_DIVISOR,
        partials=(lambda out, x, y: -out / y,
        lambda out, x, y: 1.0 / y),
    ),
    "a threshold in softplus": row(
        "softplus", softplus_with_threshold, ops.softplus.analytic, partials=(lambda out, x: tinygraph.sigmoid(x),)
    ),
    "tanh' as 1 - t²": row("tanh", math.tanh, lambda m, x: m.tanh(x), partials=(lambda out, x: 1.0 - out * out,)),
    "sigmoid' as a(1 - a)": row(
        "sigmoid", ops.sigmoid.floats, ops.sigmoid.analytic, partials=(lambda out, x: out * (1.0 - out),)
    ),
    "|x| in a slope": row(
        "cube",
        lambda x: x * x * x,
        lambda m, x: x * x * x,
        partials=(lambda out, x: 3.0 * tinygraph.abs(x) * tinygraph.abs(x),),
    ),
    "a slope that is right to a millionth": row(
        "square", lambda x: x * x, None, partials=(lambda out, x: 2.000001 * x,)
    ),
    "a value that is off": row(
        "square", lambda x: x * x * (1 + 1e-14), lambda m, x: x * x, partials=(lambda out, x: 2.0 * x,)
    ),
    "a kernel for arrays that is off": row(
        "square", lambda x: x * x, lambda m, x: x * x, arrays=lambda m, x: x * x * (1 + 1e-14),
        partials=(lambda out, x: 2.0 * x,),
    ),
    "another slope for arrays": row(
        "square", lambda x: x * x, lambda m, x: x * x, arrays="square",
        partials=(lambda out, x: (3.0 if type(x) is np.ndarray else 2.0) * x,),
    ),
    "NaN in arrays": row(
        "square", lambda x: x * x, None, arrays=lambda m, x: x * math.nan, partials=(lambda out, x: 2.0 * x,)
    ),
}  # fmt: skip
