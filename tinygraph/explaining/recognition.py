"""Recognize the cross-entropy loss, and the sigmoid function, where a program writes their formulas out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.explaining.notation import Operand, called, exact

MOVES = ("transpose", "reshape", "expand")  # ops of Tensors that only move or repeat elements
PRODUCTS = ("mul", "matmul", "dot")


@dataclass(frozen=True)
class CrossEntropy:
    """The operands of a loss y log(a) + (1 - y) log(1 - a): the logit or activation, and the label.

    Attributes:
        activation: Operand a.
        logit: Node z with a = σ(z), or None if `activation` is not the result of a sigmoid function.
        label: Factor of log(a).
    """

    activation: Operand
    logit: Node | None
    label: Operand

    @property
    def call(self) -> str:
        """The call of the op that computes this loss for every logit, as text."""
        label, z = _text(self.label, "y"), "z" if self.logit is None else _text(self.logit, "z")
        return f"binary_cross_entropy_with_logits({z}, {label})"

    @property
    def reason(self) -> str:
        """What the call computes, as text."""
        if self.logit is None:
            return f"the same loss computed from z, where {_text(self.activation, 'a')} = sigmoid(z)"
        return f"the same loss computed from {_text(self.logit, 'z')}"


def cross_entropy_around(log: Node, nodes: Sequence[Node]) -> CrossEntropy | None:
    """Return the cross-entropy loss that a logarithm is a part of.

    The loss consists of two products, of log(a) and log(1 - a), whose other factors add up to 1.

    Args:
        log: Node of a logarithm.
        nodes: Nodes of the graph.

    Returns:
        The loss, or None if the logarithm is not a part of a cross-entropy loss.

    Examples:
        >>> from tinygraph import Value, log, sigmoid
        >>> from tinygraph.engine.graph import order
        >>> z, y = Value(3.0, "z"), Value(1.0, "y")
        >>> a = sigmoid(z)
        >>> L = -(y * log(a) + (1 - y) * log(1 - a))
        >>> logs = [node for node in order(L) if node.op is log]
        >>> {cross_entropy_around(node, order(L)).call for node in logs}
        {'binary_cross_entropy_with_logits(z, y)'}
    """
    products = [found for node in nodes for found in _factors(node)]
    for own, label in [product for product in products if product[0] is log]:
        for other, rest in products:
            if _add_up_to_one(label, rest):
                if _is_of_complement(other, own):
                    return CrossEntropy(_inside(own), logit_of(_inside(own)), label)
                if _is_of_complement(own, other):
                    return CrossEntropy(_inside(other), logit_of(_inside(other)), rest)
    return None


def logit_of(activation: Operand) -> Node | None:
    """Return the logit of a sigmoid function, which is an op or the formula 1 / (1 + exp(-z)).

    Args:
        activation: Operand that may be the result of a sigmoid function.

    Returns:
        The node z, or None if the operand is not σ(z).

    Examples:
        >>> from tinygraph import Value, exp
        >>> logit_of(1 / (1 + exp(-Value(2.0, "z"))))
        Value(2.0, name='z')
    """
    if not isinstance(activation, Node):
        return None
    if activation.op is ops.sigmoid:
        return _node(activation.args[0])
    if activation.op is not ops.div or not _is_one(activation.args[0]):
        return None
    below = activation.args[1]
    if not isinstance(below, Node) or below.op is not ops.add:
        return None
    for one, power in (below.args, below.args[::-1]):
        if _is_one(one) and isinstance(power, Node) and power.op is ops.exp:
            minus = power.args[0]
            if isinstance(minus, Node) and minus.op is ops.neg:
                return _node(minus.args[0])
    return None


def _factors(node: Node) -> list[tuple[Node, Operand]]:
    """Return the logarithms among the two factors of a product, each with the other factor."""
    if node.op is None or node.op.name not in PRODUCTS or len(node.args) != 2:
        return []
    left, right = map(_unmoved, node.args)
    pairs = ((left, right), (right, left))
    return [(x, factor) for x, factor in pairs if isinstance(x, Node) and x.op in (ops.log, ops.log1p)]


def _unmoved(x: Operand) -> Operand:
    """Return the operand behind ops that only move or repeat elements."""
    while isinstance(x, Node) and x.op is not None and x.op.name in MOVES:
        x = x.args[0]
    return x


def _inside(log: Node) -> Operand:
    return _unmoved(log.args[0])


def _is_of_complement(other: Node, log: Node) -> bool:
    """Return whether `log` is log(a), and `other` is log(1 - a) or log1p(-a)."""
    inside = _inside(other)
    if log.op is not ops.log or not isinstance(inside, Node):
        return False
    if other.op is ops.log1p:
        return inside.op is ops.neg and _unmoved(inside.args[0]) is _inside(log)
    return inside.op is ops.sub and _is_one(inside.args[0]) and _unmoved(inside.args[1]) is _inside(log)


def _add_up_to_one(x: Operand, y: Operand) -> bool:
    """Return whether two factors are y and 1 - y. For floats, y + (1 - y) is exactly 1 if y is between 0 and 1."""
    x, y = (node.raw if isinstance(node, Node) else node for node in (x, y))
    if getattr(x, "shape", ()) != getattr(y, "shape", ()):
        return False
    same = x + y == 1.0
    return bool(same.all()) if hasattr(same, "all") else bool(same)


def _is_one(x: Operand) -> bool:
    x = _unmoved(x)
    return isinstance(x, (int, float)) and x == 1.0


def _node(x: Operand) -> Node | None:
    return x if isinstance(x, Node) else None


def _text(x: Operand, letter: str) -> str:
    """Return an operand as text, or the letter of the textbook for an array without a name."""
    if isinstance(x, Node) and (x.name or x.op is not None):
        return called(x)
    data = x.raw if isinstance(x, Node) else x
    return letter if getattr(data, "shape", ()) else exact(data)
