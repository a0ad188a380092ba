"""More op definitions, in the style of `engine.ops`: the elementwise functions that NumPy and PyTorch also have.

Each file defines the ops of one subject, and lists the public ones in its `__all__`.
"""

from __future__ import annotations

from tinygraph.engine.more_ops import rounding
from tinygraph.engine.more_ops.rounding import *  # noqa: F403

__all__ = [*rounding.__all__]
