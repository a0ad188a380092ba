"""Convolution of two vectors: an op whose pullback is a convolution with one vector reversed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import parametrized
from tinygraph.tensor.array_ops import ArrayOp, Operand, Shape
from tinygraph.tensor.indexing import index


def is_overlap(x: object) -> bool:
    """Return whether a parameter is the name of an overlap of two vectors.

    Args:
        x: Parameter to check.

    Returns:
        True for "full" and "valid".
    """
    return isinstance(x, str) and x in ("full", "valid")


def reverse(x: Operand) -> Operand:
    """Return a vector in reverse order.

    Args:
        x: Vector.

    Returns:
        The reversed vector.
    """
    return index((slice(None, None, -1),))(x)


@parametrized(is_overlap)
@lru_cache(maxsize=2)
def convolve(mode: str) -> ArrayOp:
    """Return the op that convolves two vectors. The first one is not shorter than the second one.

    Args:
        mode: "full" for all positions at which the vectors overlap, or "valid" for those with a complete overlap.

    Returns:
        The op.

    Examples:
        >>> convolve("full")(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        array([ 1., 12., 20.])
    """
    full, valid = mode == "full", "valid" if mode == "full" else "full"

    def dx(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
        return convolve(valid)(*_longer_first(up, reverse(y)))

    def dy(up: Operand, out: Operand, x: Operand, y: Operand) -> Operand:
        return convolve("valid")(up, reverse(x)) if full else reverse(convolve("valid")(x, reverse(up)))

    def shape(x: Shape, y: Shape) -> Shape:
        if len(x) != 1 or len(y) != 1 or not 0 < y[0] <= x[0]:
            raise ValueError(f"convolve does not accept the shapes {x} and {y}")
        return (x[0] + y[0] - 1 if full else x[0] - y[0] + 1,)

    return ArrayOp(
        "convolve",
        lambda x, y: np.convolve(x, y, mode),  # type: ignore[call-overload]
        symbol=f"convolve({{}}, {{}}, {mode})",
        code="np.convolve({}, {}, {parameters[0]})",
        vjps=(dx, dy),
        note=("convolved with {1}, reversed", "convolved with {0}, reversed"),
        shape=shape,
        adds_terms=True,
        maker=convolve,
        parameters=(mode,),
    )


def _longer_first(x: Operand, y: Operand) -> tuple[Operand, Operand]:
    return (x, y) if x.size >= y.size else (y, x)
