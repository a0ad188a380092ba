"""micrograd with two more ops that W2 needs, sigmoid and log, written in micrograd's style."""

from __future__ import annotations

import math

from micrograd.engine import Value

from tools.benchmarks.workloads import Engine


def _sigmoid(x: Value) -> Value:
    s = 1.0 / (1.0 + math.exp(-x.data))
    out = Value(s, (x,), "sigmoid")

    def _backward() -> None:
        x.grad += s * (1.0 - s) * out.grad

    out._backward = _backward
    return out


def _log(x: Value) -> Value:
    out = Value(math.log(x.data), (x,), "log")

    def _backward() -> None:
        x.grad += out.grad / x.data

    out._backward = _backward
    return out


def _cross_entropy(a: Value, y: float) -> Value:
    return -(y * _log(a) + (1.0 - y) * _log(1.0 - a))


def engine() -> Engine:
    """Return the functions of micrograd, with the cross-entropy written out."""
    return Engine(Value, _sigmoid, _cross_entropy, lambda x: x.relu())
