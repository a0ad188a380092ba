"""More op definitions, in the style of `engine.ops`: the elementwise functions that NumPy and PyTorch also have.

Each file defines the ops of one subject, and lists the public ones in its `__all__`. The file `functions` contains
public functions with options, which are made of these ops.
"""

from __future__ import annotations

from tinygraph.engine.more_ops import activations, circles, powers, remainders, rounding, special
from tinygraph.engine.more_ops.activations import *  # noqa: F403
from tinygraph.engine.more_ops.circles import *  # noqa: F403
from tinygraph.engine.more_ops.powers import *  # noqa: F403
from tinygraph.engine.more_ops.remainders import *  # noqa: F403
from tinygraph.engine.more_ops.rounding import *  # noqa: F403
from tinygraph.engine.more_ops.special import *  # noqa: F403

__all__ = [
    *activations.__all__,
    *circles.__all__,
    *powers.__all__,
    *remainders.__all__,
    *rounding.__all__,
    *special.__all__,
]
