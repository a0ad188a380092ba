"""More op definitions, in the style of `engine.ops`: the elementwise functions that NumPy and PyTorch also have.

Each file defines the ops of one subject, and lists the public ones in its `__all__`. The file `functions` contains
public functions with options, which are made of these ops, and `selection` contains `where`.

A file is loaded when one of its names is used for the first time, because all of them would take a fifth of the time of
`import tinygraph`. To look up an op by its name, use `table`, which loads them all.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.engine.more_ops.activations import *  # noqa: F403
    from tinygraph.engine.more_ops.circles import *  # noqa: F403
    from tinygraph.engine.more_ops.functions import *  # noqa: F403
    from tinygraph.engine.more_ops.powers import *  # noqa: F403
    from tinygraph.engine.more_ops.remainders import *  # noqa: F403
    from tinygraph.engine.more_ops.rounding import *  # noqa: F403
    from tinygraph.engine.more_ops.selection import where as where
    from tinygraph.engine.more_ops.special import *  # noqa: F403

# The public names of each file, in words. A test compares them with the `__all__` of the file.
_NAMES = {
    "activations": "silu",
    "circles": "acosh asinh atan2 atanh hypot",
    "functions": "clip elu hinge huber leaky_relu nan_to_num",
    "powers": "cbrt deg2rad exp2 log2 log10 logaddexp2 positive rad2deg reciprocal square",
    "remainders": "floor_divide fmax fmin fmod mod",
    "rounding": "ceil floor rint trunc",
    "selection": "where",
    "special": "digamma erf erfc gelu lgamma sinc",
}
FILES = {name: file for file, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{FILES[name]}"), name)
    globals()[name] = value
    return value
