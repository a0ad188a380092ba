"""Explanations of broadcasting errors: shapes that do not match, or that match in a way that is rarely intended."""

from __future__ import annotations

import math

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.tensor.array_ops import Operand, Shape


def explain_shapes(op: Op, x: Operand, y: Operand) -> None:
    """Raise an error that shows which axis of an elementwise op's operands does not match.

    Args:
        op: Elementwise op.
        x: First operand.
        y: Second operand.

    Raises:
        ValueError: If the shapes cannot be broadcast together.
    """
    a, b = shape_of(x), shape_of(y)
    product = op is ops.mul and len(a) == len(b) == 2 and a[1] == b[0]
    hint = f"; the matrix product @ would give {(a[0], b[1])}" if product else ""
    _explain_axes(f"{op.name} of {_sides(x, y)}", a, b, hint)


def explain_product(x: Operand, y: Operand) -> None:
    """Raise an error that shows which axis of a matrix product's operands does not match.

    Args:
        x: First operand.
        y: Second operand.

    Raises:
        ValueError: If the shapes do not match.
    """
    a, b = shape_of(x), shape_of(y)
    what = f"matmul of {_sides(x, y)}"
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ValueError(
            f"{what}: the last axis of the first operand has length {a[-1]}, but the "
            f"{'second to last' if len(b) > 1 else 'only'} axis of the second operand has length {inner}"
        ) from None
    _explain_axes(what, a[:-2], b[:-2])


def _explain_axes(what: str, a: Shape, b: Shape, hint: str = "") -> None:
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            raise ValueError(
                f"{what}: axis -{i} has length {a[-i]} in the first operand and {b[-i]} in the second; axes are "
                f"matched from the last to the first, and their lengths must be equal unless one is 1{hint}"
            ) from None


def check_traps(op: Op, x: Operand, y: Operand, shape: Shape) -> None:
    """Raise the error of `strict` if broadcasting gives a result that is rarely intended.

    Args:
        op: Elementwise op.
        x: First operand.
        y: Second operand.
        shape: Shape of the result.

    Raises:
        ValueError: If a 1-D array is broadcast against a column, or `*` looks like a matrix product.
    """
    a, b = shape_of(x), shape_of(y)
    first, second = _side(x, "the first"), _side(y, "the second")
    if len(a) != len(b) and 1 in (len(a), len(b)) and math.prod(shape) > max(math.prod(a), math.prod(b)):
        raise ValueError(
            f"strict: {op.name} of {first} and {second} returns shape {shape}, because the 1-D array is "
            "treated as a row: make it a column with .reshape(-1, 1), or a row with .reshape(1, -1) if you want "
            "that shape"
        )
    if op is ops.mul and len(a) == len(b) == 2 and a != b and a[1] == b[0] and (a[0], b[1]) != shape:
        raise ValueError(
            f"strict: {first} * {second} returns shape {shape}, because * multiplies elementwise and repeats operands; "
            f"the matrix product @ would give {(a[0], b[1])}. If you want the elementwise product, repeat operands "
            f"explicitly with np.broadcast_to(x, {shape})"
        )


def _sides(x: Operand, y: Operand) -> str:
    return f"{_side(x, 'the first')} and {_side(y, 'the second')}"


def _side(x: Operand, place: str) -> str:
    return f"{(x.name or place) if isinstance(x, Node) else 'an array'} {shape_of(x)}"


def shape_of(x: Operand) -> Shape:
    """Return the shape of an operand.

    Args:
        x: Node, array or number.

    Returns:
        The shape, or () for a number.
    """
    shape: Shape = getattr(x.raw if isinstance(x, Node) else x, "shape", ())
    return shape
