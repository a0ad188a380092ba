"""Wrong local derivatives of single ops, as students compute them: a rule of another op, or a lost factor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

from tinygraph.engine import ops
from tinygraph.engine.graph import Node

Kind = Literal["factor", "rule"]


class WrongLocal(NamedTuple):
    """A wrong local derivative.

    Attributes:
        kind: "factor" for a lost factor or term, or "rule" for a rule that belongs to another op.
        local: The wrong local derivative.
        hint: Sentence that tells what is wrong.
    """

    kind: Kind
    local: float
    hint: str


Wrong = tuple[Kind, Callable[..., float], str]  # the kind, a function of (out, x) or (out, x, y), and the sentence

_AS_A_PRODUCT = "You used the value of the other operand, as for a product. A sum and a difference pass on 1 or -1."
_AS_A_POWER = "exp is not a power of its operand: its derivative is exp again."
# By the name of the op, one list per operand.
WRONG: dict[str, tuple[list[Wrong], ...]] = {
    "add": ([("rule", lambda out, x, y: y, _AS_A_PRODUCT)], [("rule", lambda out, x, y: x, _AS_A_PRODUCT)]),
    "sub": ([("rule", lambda out, x, y: y, _AS_A_PRODUCT)], [("rule", lambda out, x, y: x, _AS_A_PRODUCT)]),
    "div": (
        [("rule", lambda out, x, y: y, "You multiplied by the divisor. The derivative of x / y by x is 1/y.")],
        [
            ("factor", lambda out, x, y: -x / y, "You left out the square: the derivative of x / y by y is -x/y**2."),
            ("factor", lambda out, x, y: -1 / y**2, "You left out the numerator: x / y has the derivative -x/y**2."),
        ],
    ),
    "exp": ([("rule", lambda out, x: x * math.exp(x - 1), _AS_A_POWER)],),
    "sqrt": (
        [("factor", lambda out, x: 1 / out, "You left out the factor 1/2: sqrt(x) has the derivative 1/(2*sqrt(x)).")],
    ),
    "sigmoid": (
        [
            ("factor", lambda out, x: out, "You left out a factor: with a = sigmoid(z), the derivative is a*(1 - a)."),
            ("factor", lambda out, x: 1 - out, "You left out a factor: with a = sigmoid(z), it is a*(1 - a)."),
            ("rule", lambda out, x: x * (1 - x), "You used z instead of a = sigmoid(z) in a*(1 - a)."),
        ],
    ),
    "tanh": (
        [
            (
                "factor",
                lambda out, x: 1 - out,
                "You left out the square: with a = tanh(z), it is 1 - a**2.",
            ),
            ("factor", lambda out, x: out * out, "You left out “1 -”: with a = tanh(z), it is 1 - a**2."),
            ("rule", lambda out, x: 1 - x * x, "You used z instead of a = tanh(z) in 1 - a**2."),
            ("rule", lambda out, x: out * (1 - out), "That is the rule of sigmoid. With a = tanh(z), it is 1 - a**2."),
        ],
    ),
}


def _of_a_power(exponent: float) -> list[Wrong]:
    lowered = "x" if exponent == 2 else f"x**{exponent - 1:g}"
    rule = f"x**{exponent:g} has the derivative {exponent:g}*{lowered}."
    return [
        ("factor", lambda out, x: x ** (exponent - 1), f"You left out the factor {exponent:g}: {rule}"),
        ("rule", lambda out, x: exponent * out, f"You kept the exponent: {rule}"),
    ]


def wrong_locals(node: Node, slot: int) -> list[WrongLocal]:
    """Return the wrong local derivatives of a node by one of its operands.

    Args:
        node: Result of an op on scalars.
        slot: Index of the operand.

    Returns:
        The wrong local derivatives that are finite. One of them can be equal to the right one.

    Examples:
        >>> from tinygraph.engine.value import Value
        >>> [wrong.local for wrong in wrong_locals(Value(2.0, "x") ** 3, 0)]
        [4.0, 24.0]
    """
    op = node.op
    if op is None:
        return []
    several = (_of_a_power(op.parameters[0]),) if op.maker is ops.power else WRONG.get(op.name, ())
    found = []
    for kind, function, hint in several[slot] if slot < len(several) else ():
        try:
            local = function(node.raw, *node.numbers)
        except (ArithmeticError, ValueError):
            continue
        if isinstance(local, float) and math.isfinite(local):  # a power of a negative number can be complex
            found.append(WrongLocal(kind, local, hint))
    return found
