"""Backpropagation made visible: a small autodiff engine whose graph can be read and stepped through.

>>> import tinygraph
>>> a, b, c = tinygraph.Value(5), tinygraph.Value(3), tinygraph.Value(2)
>>> J = 3 * (a + b * c)
>>> J.backward()
>>> b.grad
6.0
"""

from tinygraph.engine import more_ops, ops
from tinygraph.engine.contexts import name_from, scope, strict, trace_lines
from tinygraph.engine.graph import StaleGraphError
from tinygraph.engine.metadata import FrozenBranchError
from tinygraph.engine.ops import *  # noqa: F403  (the `__all__` of `ops` lists the public ops)
from tinygraph.engine.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.bridges.jax.exporting import to_jax as to_jax
    from tinygraph.bridges.jax.importing import from_jax as from_jax
    from tinygraph.bridges.pytorch.exporting import to_torch as to_torch
    from tinygraph.bridges.pytorch.importing import from_torch as from_torch
    from tinygraph.checking.comparison import check_grad
    from tinygraph.checking.numeric import numeric_grad
    from tinygraph.drawing.comparison import compare
    from tinygraph.drawing.draw import draw
    from tinygraph.engine.autodiff import grad, hessian
    from tinygraph.engine.more_ops import *  # noqa: F403
    from tinygraph.engine.more_ops.custom import op
    from tinygraph.explaining.breakdown import explain
    from tinygraph.explaining.diagnosing.diagnosis import diagnose
    from tinygraph.explaining.step import Step
    from tinygraph.explaining.tree import tree
    from tinygraph.functional import jvp, value_and_grad
    from tinygraph.saving.reader import load as load
    from tinygraph.saving.writer import save as save
    from tinygraph.stepping.stepper import Stepper
    from tinygraph.support.version import __version__ as __version__
    from tinygraph.tensor.functions.joining import concatenate as concatenate
    from tinygraph.tensor.functions.joining import stack as stack
    from tinygraph.tensor.functions.parts import set_at as set_at
    from tinygraph.tensor.functions.probabilities import cross_entropy as cross_entropy
    from tinygraph.tensor.functions.probabilities import log_softmax as log_softmax
    from tinygraph.tensor.functions.probabilities import logsumexp as logsumexp
    from tinygraph.tensor.functions.probabilities import softmax as softmax
    from tinygraph.tensor.tensor import Tensor as Tensor
    from tinygraph.vectorizing.compiling import compile as compile
    from tinygraph.vectorizing.source import source as source
    from tinygraph.vectorizing.vectorized import vectorize as vectorize
    from tinygraph.worksheets.worksheet import worksheet

sum = ops.total  # NumPy's name for `total`

# These names are imported on first use, so that a REPL starts quickly.
_LATER = {
    **dict.fromkeys(more_ops.FILES, "engine.more_ops"),
    "__version__": "support.version",
    "op": "engine.more_ops.custom",
    "grad": "engine.autodiff",
    "hessian": "engine.autodiff",
    "jvp": "functional",
    "value_and_grad": "functional",
    "Tensor": "tensor.tensor",
    "concatenate": "tensor.functions.joining",
    "stack": "tensor.functions.joining",
    "cross_entropy": "tensor.functions.probabilities",
    "log_softmax": "tensor.functions.probabilities",
    "logsumexp": "tensor.functions.probabilities",
    "softmax": "tensor.functions.probabilities",
    "set_at": "tensor.functions.parts",
    "from_jax": "bridges.jax.importing",
    "from_torch": "bridges.pytorch.importing",
    "to_torch": "bridges.pytorch.exporting",
    "to_jax": "bridges.jax.exporting",
    "compare": "drawing.comparison",
    "draw": "drawing.draw",
    "Step": "explaining.step",
    "Stepper": "stepping.stepper",
    "explain": "explaining.breakdown",
    "tree": "explaining.tree",
    "check_grad": "checking.comparison",
    "numeric_grad": "checking.numeric",
    "compile": "vectorizing.compiling",
    "diagnose": "explaining.diagnosing.diagnosis",
    "load": "saving.reader",
    "save": "saving.writer",
    "source": "vectorizing.source",
    "vectorize": "vectorizing.vectorized",
    "worksheet": "worksheets.worksheet",
    "bridges": "",
    "checking": "",
    "drawing": "",
    "datasets": "",
    "logistic": "",
    "misconceptions": "",
    "nn": "",
    "testing": "",
    "worksheets": "",
}

# `from tinygraph import *` leaves out names that load NumPy (such as Tensor), and `sum` (which would hide a built-in).
__all__ = [
    *ops.__all__,
    "FrozenBranchError",
    "StaleGraphError",
    "Step",
    "Stepper",
    "Value",
    "check_grad",
    "compare",
    "diagnose",
    "draw",
    "explain",
    "grad",
    "hessian",
    "jvp",
    "name_from",
    "numeric_grad",
    "op",
    "scope",
    "strict",
    "trace_lines",
    "tree",
    "value_and_grad",
    "worksheet",
]
__all__.extend(more_ops.FILES)  # a call, because griffe, which builds the reference, only knows lists of strings


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
