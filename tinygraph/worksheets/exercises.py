"""Graphs of small integers, for exercises on paper: each seed gives another graph."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tinygraph.engine import ops
from tinygraph.engine.backward import gradients
from tinygraph.engine.graph import order
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.support.arguments import check_integer

INPUTS, RESULTS = "abcdefgh", "uvwpqrst"
LARGEST = 60  # largest absolute value of a value or a gradient
_OPS: tuple[Op, ...] = (ops.add, ops.sub, ops.mul, ops.mul)
_TRIES = 200
_SMALL = (-3, -2, -1, 1, 2, 3, 4, 5)


def exercise(seed: int, *, inputs: int = 3, steps: int = 4, shared: bool = False) -> Value:
    """Return a random graph of sums, differences and products, in which every value and gradient is a small integer.

    The inputs are named a, b, c and so on, the results u, v, w and so on, and the root is J. One seed always gives one
    graph, so a teacher can give each student another seed.

    Args:
        seed: Seed of the random numbers.
        inputs: Number of inputs, from 1 to 8. Defaults to 3.
        steps: Number of ops, from `inputs` - 1 (or from `inputs`, if `shared`) to 8, and at least 1. Defaults to 4.
        shared: If true, at least one node is used more than once, so its gradient is a sum. Defaults to false, so that
            each node is used once.

    Returns:
        The root.

    Raises:
        TypeError: If an argument is not an integer.
        ValueError: If a number is out of range.

    Examples:
        >>> from tinygraph import tree
        >>> print(tree(exercise(seed=3)).splitlines()[0])
        J = ...   data ...   grad ·
    """
    check_integer("seed", seed)
    check_integer("inputs", inputs, least=1)
    check_integer("steps", steps, least=max(1, inputs if shared else inputs - 1))
    if inputs > len(INPUTS) or steps > len(RESULTS):
        raise ValueError(
            f"an exercise has at most {len(INPUTS)} inputs and {len(RESULTS)} steps, not {inputs} and {steps}"
        )
    rng = random.Random(seed)
    tries = 0
    while True:
        # Long chains of products are rarely small, so after many tries, only sums and differences are drawn.
        root = _drawn(rng, inputs, steps, shared, _OPS if tries < _TRIES else _OPS[:2])
        if root is not None and _has_small_gradients(root):
            return root
        tries += 1


def _drawn(rng: random.Random, inputs: int, steps: int, shared: bool, drawn_ops: Sequence[Op]) -> Value | None:
    """Return a random graph of small values, or None if this try failed."""
    unused = [Value(float(rng.choice(_SMALL)), name) for name in INPUTS[:inputs]]
    used: list[Value] = []
    was_shared = False
    for i in range(steps):
        x = unused.pop(rng.randrange(len(unused)))
        y: Value | float = float(rng.choice((2, 3)))
        operands: tuple[Value | float, Value | float] = (y, x)
        if len(unused) >= steps - i or (len(unused) > 1 and rng.random() < 0.5):
            y = unused.pop(rng.randrange(len(unused)))
            operands = (x, y)
            used.append(y)
        elif shared and (not was_shared or rng.random() < 0.5):
            operands, was_shared = (x, rng.choice([x, *used])), True
        used.append(x)
        result = rng.choice(drawn_ops)(*operands)
        if not 0 < abs(result.raw) <= LARGEST:
            return None
        result.name = RESULTS[i] if i < steps - 1 else "J"
        unused.append(result)
    return unused[0] if was_shared == bool(shared) else None


def _has_small_gradients(root: Value) -> bool:
    return all(0 < abs(x) <= LARGEST for x in gradients(root, 1.0, order(root)))
