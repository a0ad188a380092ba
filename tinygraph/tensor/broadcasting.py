"""Broadcasting, explained: why two shapes do not fit, and where they fit in a way that is seldom meant."""

from __future__ import annotations

import math
from typing import Any

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op


def explain_shapes(op: Op, x: Any, y: Any) -> None:
    """Raise ValueError that says which axis does not fit."""
    a, b = _shape(x), _shape(y)
    sides = f"{_side(x, 'the first')} and {_side(y, 'the second')}"
    if op.name == "matmul":
        inner = b[-2] if len(b) > 1 else b[0]
        if a[-1] != inner:
            raise ValueError(
                f"matmul of {sides}: the last axis of the first has {a[-1]} entries, the "
                f"{'second to last' if len(b) > 1 else 'only'} axis of the second {inner}, and they must be as many"
            ) from None
        a, b = a[:-2], b[:-2]
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            product = op is ops.mul and len(a) == len(b) == 2 and a[1] == b[0]
            raise ValueError(
                f"{op.name} of {sides}: axis -{i} has {a[-i]} entries in the first and {b[-i]} in the second; axes "
                "are matched from the last, and must be as long, or have 1 entry"
                + (f"; the matrix product @ would give {(a[0], b[1])}" if product else "")
            ) from None


def check_traps(op: Op, x: Any, y: Any, shape: tuple[int, ...]) -> None:
    """Under `strict`, raise ValueError where broadcasting does what is seldom meant."""
    a, b = _shape(x), _shape(y)
    first, second = _side(x, "the first"), _side(y, "the second")
    if len(a) != len(b) and 1 in (len(a), len(b)) and math.prod(shape) > max(math.prod(a), math.prod(b)):
        raise ValueError(
            f"strict: {op.name} of {first} and {second} makes {shape}, each row with each column: "
            "the rank-1 array is taken for a row; make it a column with .reshape(-1, 1), or a row with "
            ".reshape(1, -1) if that is meant"
        )
    if op is ops.mul and len(a) == len(b) == 2 and a != b and a[1] == b[0] and (a[0], b[1]) != shape:
        raise ValueError(
            f"strict: {first} * {second} makes {shape}, entry by entry with one or both repeated; the "
            f"matrix product @ would give {(a[0], b[1])}. If entry by entry is meant, repeat them yourself, by "
            f"np.broadcast_to(x, {shape})"
        )


def _side(x: Any, place: str) -> str:
    return f"{(x.name or place) if isinstance(x, Node) else 'an array'} {_shape(x)}"


def _shape(x: Any) -> tuple[int, ...]:
    return getattr(x.raw if isinstance(x, Node) else x, "shape", ())
