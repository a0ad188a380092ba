"""Hand-written gradients with one planted bug each, and their correct twins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A correct function, a maker of the function with the bug, the shapes of its inputs, and the message."""

    right: Callable[..., Any]
    make: Callable[[], Callable[..., Any]]
    shapes: tuple[tuple[int, ...], ...]
    message: str


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logistic(w, X, y):
    """The mean cross-entropy of a logistic regression, with its gradients."""
    z, t = X @ w, 1.0 / (1.0 + np.exp(-y))
    dz = (sigmoid(z) - t) / len(z)
    return np.mean(np.logaddexp(0.0, z) - t * z), (X.T @ dz, np.outer(dz, w), -z * t * (1.0 - t) / len(z))


def changed(which, change):
    """Return a maker of `logistic` with one changed gradient."""

    def wrong(w, X, y):
        value, gradients = logistic(w, X, y)
        return value, tuple([change(g) if i == which else g for i, g in enumerate(gradients)])

    return lambda: wrong


def affine(W, b, x):
    """The squared norm of an affine map with a broadcast bias."""
    z = x @ W + b
    return (z**2).sum(), (x.T @ (2.0 * z), (2.0 * z).sum(0), 2.0 * z @ W.T)


def affine_with(which, change):
    """Return a maker of `affine` where a function of z and the gradient replaces one gradient."""

    def wrong(W, b, x):
        value, gradients = affine(W, b, x)
        z = x @ W + b
        return value, tuple([change(z, g) if i == which else g for i, g in enumerate(gradients)])

    return lambda: wrong


def square(x):
    return (x**2).sum(), 2.0 * x


def accumulating():
    kept = {}

    def f(x):
        kept["g"] = kept.get("g", 0.0) + 2.0 * x
        return (x**2).sum(), kept["g"]

    return f


def reusing():
    buffer = np.zeros(3)

    def f(x):
        np.multiply(x, 2.0, out=buffer)
        return (x**2).sum(), buffer

    return f


def stale():
    cache = {}

    def f(x):
        return (x**2).sum(), 2.0 * cache.setdefault("x", x.copy())

    return f


def in_place():
    def f(x):
        value = (x**2).sum()
        x *= 2.0
        return value, x

    return f


def of(f):
    return lambda: f


LOGISTIC, AFFINE = ((3,), (5, 3), (5,)), ((3, 4), (4,), (5, 3))
ZOO = {
    "sign": Case(logistic, changed(0, np.negative), LOGISTIC, "gradient of w.*\n(.*\n)+.*wrong sign"),
    "sum for mean": Case(logistic, changed(0, lambda g: g * 5), LOGISTIC, "5 times .* 5 is the length of axis 0 of X"),
    "mean for sum": Case(logistic, changed(2, lambda g: g / 5), LOGISTIC, "1/5 times .* a mean where a sum is right"),
    "missing 2": Case(square, of(lambda x: ((x**2).sum(), x)), ((3,),), "is a factor 2 missing"),
    "a factor 2 too many": Case(logistic, changed(1, lambda g: 2 * g), LOGISTIC, "gradient of X(.*\n)+.*2 too many"),
    "another factor": Case(logistic, changed(1, lambda g: 1.37 * g), LOGISTIC, "1.37 times the right number"),
    "one part in 10,000": Case(logistic, changed(1, lambda g: 1.0001 * g), LOGISTIC, "1.0001 times the right number"),
    "transposed": Case(logistic, changed(1, np.transpose), LOGISTIC, r"shape \(3, 5\).*is it transposed"),
    "transposed square": Case(
        lambda X: ((X @ X).sum(), np.ones((3, 3)) @ X.T + X.T @ np.ones((3, 3))),
        of(lambda X: ((X @ X).sum(), X @ np.ones((3, 3)) + np.ones((3, 3)) @ X)),
        ((3, 3),),
        "the elements are transposed",
    ),
    "flipped": Case(logistic, changed(0, lambda g: g[::-1]), LOGISTIC, "in other places"),
    "wrong order of a reshape": Case(
        logistic, changed(1, lambda g: g.ravel("F").reshape(g.shape)), LOGISTIC, "reshaped in another order"
    ),
    "one element": Case(logistic, changed(1, lambda g: g + 0.1 * (np.arange(15) == 7).reshape(5, 3)), LOGISTIC,
                        r"gradient of X is wrong in 1 of 15 elements\n +X\[2, 1\]"),
    "zero": Case(logistic, changed(2, lambda g: 0.0 * g), LOGISTIC, "gradient of y(.*\n)+.*every element is 0"),
    "a constant added": Case(logistic, changed(0, lambda g: g + 0.5), LOGISTIC, "off by the same amount, 0.5"),
    "bias not summed back": Case(affine, affine_with(1, lambda z, g: 2.0 * z), AFFINE, "sum over the broadcast axes"),
    "wrong axis of a sum": Case(affine, affine_with(1, lambda z, g: 2.0 * z.sum(1)), AFFINE, r"of b has shape \(5,\)"),
    "sum over all axes": Case(affine, affine_with(1, lambda z, g: 2.0 * z.sum()), AFFINE, r"of b has shape \(\)"),
    "sum over all, same shape": Case(
        affine, affine_with(1, lambda z, g: np.full(4, 2.0 * z.sum())), AFFINE, "every element is the same"
    ),
    "mean over an axis": Case(affine, affine_with(1, lambda z, g: g / 5), AFFINE, "a mean where a sum is right"),
    "missing nonlinearity": Case(
        lambda x: (np.tanh(x).sum(), 1.0 - np.tanh(x) ** 2),
        of(lambda x: (np.tanh(x).sum(), 1.0 - np.tanh(x))), ((4,),), "gradient of x is wrong",
    ),
    "derivative of z for a": Case(
        lambda z: (sigmoid(z).sum(), sigmoid(z) * (1.0 - sigmoid(z))),
        of(lambda z: (sigmoid(z).sum(), z * (1.0 - z))), ((4,),), "gradient of z is wrong",
    ),
    "missing term": Case(
        lambda x: ((x * np.exp(x)).sum(), np.exp(x) + x * np.exp(x)),
        of(lambda x: ((x * np.exp(x)).sum(), np.exp(x))), ((3,),), "gradient of x is wrong in 3 of 3",
    ),
    "missing regularization": Case(
        lambda w: ((w**2).sum() + 0.1 * (w**4).sum(), 2 * w + 0.4 * w**3),
        of(lambda w: ((w**2).sum() + 0.1 * (w**4).sum(), 2 * w)), ((3,),), "gradient of w is wrong",
    ),
    "swapped gradients": Case(
        lambda x, y: ((x * y**2).sum(), (y**2, 2 * x * y)),
        of(lambda x, y: ((x * y**2).sum(), (2 * x * y, y**2))), ((3,), (3,)), "gradient of x(.*\n)+.*gradient of y",
    ),
    "accumulation": Case(square, accumulating, ((3,),), "accumulates over calls"),
    "a reused array": Case(square, reusing, ((3,),), "reuses the arrays of its gradients"),
    "stale cache": Case(square, stale, ((3,),), "keep numbers from an earlier call"),
    "changed input": Case(square, in_place, ((3,),), r"f changes its input: x\[0\] from"),
    "float32 gradient": Case(square, of(lambda x: ((x**2).sum(), np.float32(2.0 * x))), ((3,),), "has dtype float32"),
    "float32 value": Case(square, of(lambda x: (np.float32(x @ x), 2.0 * x)), ((3,),), "value has dtype float32"),
    "float32 inside": Case(
        square, of(lambda x: (float((x.astype(np.float32) ** 2).sum()), 2.0 * x)), ((3,),), "float32 inside"
    ),
    "integer division": Case(
        lambda x: ((x**2 / 2).sum(), x), of(lambda x: ((x**2 / 2).sum(), x // 1)), ((3,),), "gradient of x is wrong"
    ),
    "integer gradient": Case(square, of(lambda x: ((x**2).sum(), (2 * x).astype(int))), ((3,),), "dtype int64"),
    "where with NaN": Case(
        lambda x: (np.where(x > 9, 1 / x, x).sum(), np.ones(3)),
        of(lambda x: (np.where(x > 9, 1 / x, x).sum(), np.where(np.arange(3) == 1, np.nan, 1.0))),
        ((3,),), r"x\[1\](.*\n)+.*NaN where f is smooth|NaN",
    ),
    "relu without its mask": Case(
        lambda x: (np.maximum(x, 0).sum(), 1.0 * (x > 0)),
        of(lambda x: (np.maximum(x, 0).sum(), np.ones_like(x))), ((9,),), "gradient of x is wrong",
    ),
    "max to all elements": Case(
        lambda x: (x.max(), 1.0 * (x == x.max())), of(lambda x: (x.max(), np.ones(4))), ((4,),), "wrong in 3 of 4"
    ),
    "abs without sign": Case(
        lambda x: (np.abs(x).sum(), np.sign(x)), of(lambda x: (np.abs(x).sum(), np.ones(9))), ((9,),), "is wrong in"
    ),
    "softmax without its off-diagonal": Case(
        lambda z: (np.exp(z)[0] / np.exp(z).sum(),
                   np.exp(z)[0] / np.exp(z).sum() * (np.eye(4)[0] - np.exp(z) / np.exp(z).sum())),
        of(lambda z: (np.exp(z)[0] / np.exp(z).sum(), np.eye(4)[0] * np.exp(z)[0] / np.exp(z).sum())),
        ((4,),), "gradient of z is wrong in 4 of 4",
    ),
    "tail of tanh": Case(
        lambda x: (np.tanh(9 * x).sum(), 9 / np.cosh(9 * x) ** 2),
        of(lambda x: (np.tanh(9 * x).sum(), 9 * np.maximum(1 - np.tanh(9 * x) ** 2, 1e-3))), ((9,),), "of x is wrong",
    ),
    "clipped sigmoid": Case(
        lambda z: (sigmoid(4 * z).sum(), 4 * sigmoid(4 * z) * sigmoid(-4 * z)),
        of(lambda z: (sigmoid(4 * z).sum(), 4 * sigmoid(4 * z) * np.where(abs(z) > 0.5, 0, sigmoid(-4 * z)))),
        ((9,),), "of z is wrong",
    ),
    "max shared with the loser": Case(
        lambda x, y: (np.maximum(x, y).sum(), (1.0 * (x > y), 1.0 * (y >= x))),
        of(lambda x, y: (np.maximum(x, y).sum(), (1.0 * (x > y), 1.0 * (y >= x) + 0.5 * (x > y)))),
        ((6,), (6,)), "gradient of y is wrong",
    ),
    "chain rule without the inner derivative": Case(
        lambda x: (np.sin(3 * x).sum(), 3 * np.cos(3 * x)), of(lambda x: (np.sin(3 * x).sum(), np.cos(3 * x))),
        ((4,),), "0.333333 times",
    ),
    "quotient with a wrong sign": Case(
        lambda x, y: ((x / (1 + y**2)).sum(), (1 / (1 + y**2), -2 * x * y / (1 + y**2) ** 2)),
        of(lambda x, y: ((x / (1 + y**2)).sum(), (1 / (1 + y**2), 2 * x * y / (1 + y**2) ** 2))),
        ((3,), (3,)), "gradient of y(.*\n)+.*wrong sign",
    ),
    "norm without its square root": Case(
        lambda x: (np.sqrt((x**2).sum()), x / np.sqrt((x**2).sum())),
        of(lambda x: (np.sqrt((x**2).sum()), x / (x**2).sum())), ((4,),), "times the right number",
    ),
    "matrix product in the wrong order": Case(
        lambda A, B: ((A @ B).sum(), (np.ones((3, 3)) @ B.T, A.T @ np.ones((3, 3)))),
        of(lambda A, B: ((A @ B).sum(), (B.T @ np.ones((3, 3)), A.T @ np.ones((3, 3))))),
        ((3, 3), (3, 3)), "gradient of A",
    ),
    "cumulative sum not reversed": Case(
        lambda x: ((np.arange(4) * np.cumsum(x)).sum(), np.cumsum(np.arange(4.0)[::-1])[::-1]),
        of(lambda x: ((np.arange(4) * np.cumsum(x)).sum(), np.cumsum(np.arange(4.0)))), ((4,),), "of x is wrong",
    ),
    "repeated index counted once": Case(
        lambda x: (x[[0, 0, 1]].sum(), np.array([2.0, 1.0, 0.0])),
        of(lambda x: (x[[0, 0, 1]].sum(), np.array([1.0, 1.0, 0.0]))), ((3,),), r"1 of 3 elements\n +x\[0\]",
    ),
    "mean over m with m + 1": Case(
        lambda x: ((x**2).mean(), 2 * x / 5), of(lambda x: ((x**2).mean(), 2 * x / 6)), ((5,),), "0.833333 times"
    ),
    "variance without the mean": Case(
        lambda x: (((x - x.mean()) ** 2).sum(), 2 * (x - x.mean())),
        of(lambda x: (((x - x.mean()) ** 2).sum(), 2 * x)), ((4,),), "off by the same amount",
    ),
    "dropout with two masks": Case(
        square, lambda: (lambda r: lambda x: ((x**2).sum(), 2 * x * r.uniform(size=3)))(np.random.default_rng(0)),
        ((3,),), "another gradient: is f random",
    ),
    "too few gradients": Case(logistic, of(lambda w, X, y: (1.0, (w, X))), LOGISTIC, "2 gradients for 3 inputs"),
}  # fmt: skip
