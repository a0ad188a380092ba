"""Validation of a saved node's op, local derivatives and shape."""

from __future__ import annotations

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import REGISTERED, Op
from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.kernels.arrays import Array
from tinygraph.saving.format import decode, decode_parameter, fail, shown

Partial = float | Array | bool | None


def read_op(found: object) -> Op:
    """Return the op that a file specifies.

    Args:
        found: Name of an op, or a list with the name of the function that creates the op, followed by the function's
            parameters.

    Returns:
        The op.
    """
    if isinstance(found, str):
        op = TABLE.get(found) or REGISTERED.get(found)
        if op is None and found in PARAMETRIZED and not PARAMETRIZED[found][1]:
            op = PARAMETRIZED[found][0]()
        return op or fail(f"there is no op {shown(found)}; if it is your own op, register it before loading")
    if not isinstance(found, list) or not found or not isinstance(found[0], str) or found[0] not in PARAMETRIZED:
        fail(
            '"op" must be the name of an op, or a list with the name of a parametrized op and its parameters, '
            f"not {shown(found)}"
        )
    name, *rest = found
    maker, kinds = PARAMETRIZED[name]
    parameters = list(map(decode_parameter, rest))
    if not 1 <= len(parameters) <= len(kinds) or not all(ok(x) for ok, x in zip(kinds, parameters, strict=False)):
        fail(f"{name} does not accept the parameters {shown(rest)}")
    try:
        return maker(*parameters)
    except Exception as error:
        fail(f"{name} does not accept the parameters {shown(rest)}: {error}")


def read_partial(found: object, operand: Node | float | Array, op: Op, of_arrays: bool) -> Partial:
    """Return a local derivative from a file.

    Args:
        found: Local derivative from the file: None if no gradient flows, True if a Tensor computes the derivative on
            access, or an encoded value.
        operand: Operand that the local derivative belongs to.
        op: Op of the node.
        of_arrays: If true, the node is a Tensor.

    Returns:
        The local derivative.
    """
    if found is None:
        if isinstance(operand, Node) and not operand.constant:
            fail(f"an operand of {op.name} has a gradient, so its local derivative must not be null")
        return None
    if not isinstance(operand, Node) or operand.constant:
        fail("no gradient flows to a constant, so its local derivative must be null")
    if of_arrays and (not op.elementwise or found is True):
        return True if found is True else fail(f"a local derivative of {op.name} must be true or null")
    local = decode(found, "a local derivative")
    if of_arrays != isinstance(local, np.ndarray) or (of_arrays and np.shape(local) != operand.raw.shape):
        fail(
            "a local derivative must be a number in a graph of scalars, and an array of the operand's shape "
            "in a graph of arrays"
        )
    return local


def check_shape(op: Op, args: tuple[Node | float | Array, ...], shape: tuple[int, ...]) -> None:
    """Check that an op returns an array of the given shape.

    After this check, the result of a recomputation needs no more memory than the stored data. If the result of an op is
    never larger than the operands, this check is skipped, and only `load` with `verify=True` checks the shape.

    Args:
        op: Op of a node.
        args: Operands of the node.
        shape: Shape of the node's data.
    """
    if op.variadic and op.elementwise:
        fail(f"{op.name} needs numbers")
    shapes = [getattr(x.raw if isinstance(x, Node) else x, "shape", ()) for x in args]
    if op.elementwise and shape in shapes and all(other in (shape, ()) for other in shapes):
        return  # most ops; the general rule would take a tenth of the time of loading
    try:
        made = op.result_shape(*shapes)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        fail(f"{op.name} does not accept operands of the shapes {shown(shapes)}: {error}")
    if made is not None and made != shape:
        fail(f"{op.name} returns shape {shown(made)}, but the data has shape {shown(shape)}")
