"""Backpropagation made visible: a small autodiff engine whose graph can be read and stepped through.

>>> import tinygraph
>>> a, b, c = tinygraph.Value(5), tinygraph.Value(3), tinygraph.Value(2)
>>> J = 3 * (a + b * c)
>>> J.backward()
>>> b.grad
6.0
"""

from tinygraph.engine.contexts import name_from, scope, strict, trace_lines
from tinygraph.engine.graph import FrozenBranchError, StaleGraphError, grad, hessian, jvp
from tinygraph.engine.op import op
from tinygraph.engine.ops import (
    abs,
    acos,
    add,
    asin,
    atan,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cos,
    cosh,
    div,
    dot,
    exp,
    expm1,
    heaviside,
    log,
    log1p,
    log_sigmoid,
    logaddexp,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqrt,
    squared_error,
    sub,
    tan,
    tanh,
    total,
)
from tinygraph.engine.value import Value
from tinygraph.functional import value_and_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.checking.comparison import check_grad, numeric_grad
    from tinygraph.drawing.draw import draw
    from tinygraph.explaining.breakdown import explain
    from tinygraph.explaining.diagnosis import diagnose
    from tinygraph.explaining.tree import tree
    from tinygraph.saving.writer import load, save
    from tinygraph.stepping.stepper import Step, Stepper
    from tinygraph.tensor.tensor import Tensor, concatenate, stack
    from tinygraph.vectorizing.compiling import compile, source
    from tinygraph.vectorizing.vectorized import vectorize

__version__ = "0.1.0"

# Loaded when first used: a learner's REPL should not wait for what it does not need.
_LATER = {
    "Tensor": "tensor.tensor",
    "concatenate": "tensor.tensor",
    "stack": "tensor.tensor",
    "draw": "drawing.draw",
    "Step": "stepping.stepper",
    "Stepper": "stepping.stepper",
    "explain": "explaining.breakdown",
    "tree": "explaining.tree",
    "check_grad": "checking.comparison",
    "numeric_grad": "checking.comparison",
    "compile": "vectorizing.compiling",
    "diagnose": "explaining.diagnosis",
    "load": "saving.writer",
    "save": "saving.writer",
    "source": "vectorizing.compiling",
    "vectorize": "vectorizing.vectorized",
    "checking": "",
    "drawing": "",
    "datasets": "",
    "logistic": "",
    "misconceptions": "",
    "testing": "",
}

__all__ = [
    "FrozenBranchError",
    "StaleGraphError",
    "Step",
    "Stepper",
    "Tensor",
    "Value",
    "abs",
    "acos",
    "add",
    "asin",
    "atan",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_grad",
    "compile",
    "concatenate",
    "cos",
    "cosh",
    "diagnose",
    "div",
    "dot",
    "draw",
    "exp",
    "explain",
    "expm1",
    "grad",
    "heaviside",
    "hessian",
    "jvp",
    "load",
    "log",
    "log1p",
    "log_sigmoid",
    "logaddexp",
    "maximum",
    "minimum",
    "mul",
    "name_from",
    "neg",
    "numeric_grad",
    "op",
    "pow",
    "power",
    "relu",
    "save",
    "scope",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "source",
    "sqrt",
    "squared_error",
    "stack",
    "strict",
    "sub",
    "tan",
    "tanh",
    "total",
    "trace_lines",
    "tree",
    "value_and_grad",
    "vectorize",
]


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'tinygraph' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"tinygraph.{_LATER[name] or name}")
    value: object = getattr(module, name) if _LATER[name] else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
