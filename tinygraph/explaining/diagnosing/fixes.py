"""Kinds of problems and common fixes for values that are not finite, op by op."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining.diagnosing.recognition import cross_entropy_around
from tinygraph.explaining.notation import called

TOO_SMALL = (
    "use activations that do not saturate (such as relu), standardized inputs, other initial weights, or a shorter path"
)
TOO_LARGE = "use smaller initial weights, standardized inputs, or a bound on the gradient"
SELECTED = (
    "a mask does not select this element, but its local derivative is computed too, and 0 times NaN is NaN: "
    "also select before you compute, as in where(mask, log(where(mask, t, 1.0)), 0.0)"
)
SELECTIONS = ("where", "masked")  # names of the ops that select elements by a mask
FLAT: dict[Op | None, str] = {
    ops.relu: "the derivative of relu is 0 below 0: use other initial weights, a smaller learning rate, or softplus",
    ops.sign: "the derivative of sign is 0: use tanh",
    ops.heaviside: "the derivative of a step function is 0: use sigmoid",
}


def kind_of(op: Op, numbers: Sequence[float], result: float) -> str:
    """Return the kind of problem that made an op's result infinite or NaN.

    Args:
        op: Op that was computed.
        numbers: Values of the operands. The sequence is empty if an element of the result depends on several elements
            of an operand.
        result: Result of the op, which is not finite.

    Returns:
        The kind, such as "overflow".
    """
    if not numbers:
        return "overflow in a sum" if math.isinf(result) else "inf - inf in a sum"
    if any(math.isnan(x) for x in numbers):
        return "nan operand"
    x, y = (*numbers, math.nan)[:2]
    if op is ops.div and y == 0:
        return "0 / 0" if x == 0 else "division by 0"
    if op is ops.mul and 0.0 in (x, y):
        return "0 · inf"
    if op in (ops.add, ops.sub, ops.total, ops.dot) and math.isnan(result):
        return "inf - inf"
    if op is ops.binary_cross_entropy and x in (0.0, 1.0):
        return "log of 0"
    if op in (ops.log, ops.log1p, ops.log_partial, ops.logit):
        return "log of 0" if math.isinf(result) else "log of a negative number"
    if (op is ops.sqrt or is_power(op)) and x < 0:
        return "negative base"
    if is_power(op) and x == 0:
        return "0 to a negative power"
    if all(map(math.isfinite, numbers)) and not op.domain.holds(numbers):
        return "outside the domain"
    return "overflow" if math.isinf(result) else "not a number"


def is_power(op: Op) -> bool:
    """Return whether an op raises its operand to a power.

    Args:
        op: Op to check.

    Returns:
        True if the op raises its operand to a power.
    """
    return op is ops.pow or op.maker in (ops.power, ops.power_partial)


def fix_of(node: Node, kind: str, nodes: Sequence[Node]) -> str:
    """Return a common fix for a value that is not finite.

    Args:
        node: Node whose value is not finite.
        kind: Kind of problem, from `kind_of`.
        nodes: Nodes of the graph.

    Returns:
        The fix as text, or "" if no fix is known.
    """
    op, args = node.op, node.args
    fed = args[0].op if args and isinstance(args[0], Node) else None
    z = called(args[0].args[0]) if fed is ops.sigmoid else "z"
    if op is ops.binary_cross_entropy and kind == "log of 0":
        return f"use binary_cross_entropy_with_logits({z}, y), the same loss computed from {z}"
    if op in (ops.log, ops.log1p) and (loss := cross_entropy_around(node, nodes)):
        return f"use {loss.call}, {loss.reason}"
    if op is ops.log and fed is ops.sigmoid:
        return f"use log_sigmoid({z}), which avoids a value that rounds to 0"
    if op is ops.log and fed in (ops.exp, ops.add, ops.total):
        return "use logaddexp or softplus, which take the exponents instead of the exponentials"
    if kind.startswith("log of"):
        return "take the logarithm of a value that is always positive, such as exp or softplus of a parameter"
    if op in (ops.exp, ops.expm1, ops.cosh, ops.sinh):
        return "subtract the largest exponent first, or compute with logarithms (logaddexp, softplus, log_sigmoid)"
    if kind in ("division by 0", "0 / 0"):
        return "use a divisor that cannot be 0; add a small constant to a norm or a variance"
    if kind == "negative base":
        return "use an integer exponent, or a base that is always positive"
    if kind.startswith("inf - inf") or kind == "0 · inf":
        return "check where the infinite operand comes from"
    if kind.startswith("overflow"):
        return "use a smaller learning rate, standardized inputs (datasets.Scaler), or the logarithm of the product"
    return ""


def fix_of_derivative(node: Node, kind: str, infinite: bool) -> str:
    """Return a common fix for a contribution that is not finite.

    Args:
        node: Node that the contribution comes from.
        kind: Kind of problem, as text.
        infinite: If true, the upstream gradient or the local derivative is not finite.

    Returns:
        The fix as text, or "" if no fix is known.
    """
    if infinite and node.op is not None and (node.op is ops.sqrt or is_power(node.op)):
        return "a root has an infinite derivative at 0: keep its operand above 0, or compare squares instead"
    if node.op is ops.binary_cross_entropy:
        return "use binary_cross_entropy_with_logits, whose derivative a - y is always finite"
    if infinite:
        return "keep the operand away from the boundary of the op's domain"
    return "use smaller values: scale the inputs, or take the logarithm of the product" if kind == "overflow" else ""
