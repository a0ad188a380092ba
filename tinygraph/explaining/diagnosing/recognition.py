"""Recognize the cross-entropy loss, and the sigmoid function, where a program writes their formulas out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.explaining.notation import Operand, called, exact

MOVES = ("transpose", "reshape", "expand")  # ops of Tensors that only move or repeat elements
PRODUCTS = ("mul", "matmul", "dot")
REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True)
class CrossEntropy:
    """The operands of a loss y log(a) + (1 - y) log(1 - a): the logit or activation, and the label.

    Attributes:
        activation: Operand a.
        logit: Node z with a = σ(z), or None if `activation` is not the result of a sigmoid function.
        label: Factor of log(a).
        factor: Number that the program multiplies the loss by. The call does not contain it.
    """

    activation: Operand
    logit: Node | None
    label: Operand
    factor: float

    @property
    def call(self) -> str:
        """The call of the op that computes this loss for every logit, as text."""
        label, z = _text(self.label, "y"), "z" if self.logit is None else _text(self.logit, "z")
        return f"binary_cross_entropy_with_logits({z}, {label})"

    @property
    def reason(self) -> str:
        """What the call computes, as text."""
        kept = "" if self.factor == 1.0 else f", and keep the factor {exact(self.factor)}"
        if self.logit is None:
            return f"the same loss computed from z, where {_text(self.activation, 'a')} = sigmoid(z){kept}"
        return f"the same loss computed from {_text(self.logit, 'z')}{kept}"


def cross_entropy_around(log: Node, nodes: Sequence[Node]) -> CrossEntropy | None:
    """Return the cross-entropy loss that a logarithm is a part of.

    The loss consists of two products, of log(a) and log(1 - a), whose other factors add up to 1. The products are added
    with equal negative factors.

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
    products = [found for node in nodes for found in _products(node)]
    consumers: dict[Node, list[tuple[Node, int]]] = {}
    for node in nodes:
        for slot, operand in enumerate(node.args):
            if isinstance(operand, Node):
                consumers.setdefault(operand, []).append((node, slot))
    for first in [product for product in products if product.log is log]:
        for second in products:
            for of_a, of_complement in ((first, second), (second, first)):
                if _is_of_complement(of_complement.log, of_a.log) and _add_up_to_one(first.label, second.label):
                    a = _inside(of_a.log)
                    factor = _factor_of_loss(_climb(of_a.node, consumers), _climb(of_complement.node, consumers))
                    if factor and all(_pairs_elements(product, a) for product in (first, second)):
                        return CrossEntropy(a, logit_of(a), of_a.label, factor)
    return None


class _Product(NamedTuple):
    """A product of a logarithm and another factor."""

    node: Node
    log: Node
    label: Operand


class _Rung(NamedTuple):
    """A node that a product is a term of, with the factor of the term, and the ops that summed or moved elements."""

    node: Node
    factor: float
    array_ops: tuple[Op, ...]


def _climb(product: Node, consumers: Mapping[Node, Sequence[tuple[Node, int]]]) -> list[_Rung]:
    """Return the nodes from a product upward, as long as the product is a term with a known factor.

    The path ends where a node is used twice, because its two terms can have different signs.
    """
    path = [_Rung(product, 1.0, ())]
    while len(uses := consumers.get(path[-1].node, ())) == 1:
        (node, slot), (_, factor, array_ops) = uses[0], path[-1]
        assert node.op is not None
        if node.op is ops.neg or (node.op is ops.sub and slot == 1):
            factor = -factor
        elif node.op.name in (*MOVES, *REDUCTIONS):
            array_ops = (*array_ops, node.op)
        elif node.op is ops.mul or (node.op is ops.div and slot == 0):
            number = _number(node.args[1 - slot])
            if number is None or (node.op is ops.div and number == 0.0):
                break
            factor = factor * number if node.op is ops.mul else factor / number
        elif node.op not in (ops.add, ops.sub, ops.total):
            break
        path.append(_Rung(node, factor, array_ops))
    return path


def _factor_of_loss(first: Sequence[_Rung], second: Sequence[_Rung]) -> float | None:
    """Return the absolute value of the negative factor of a sum of two products, or None if there is no such sum."""
    if first[0].node is second[0].node:
        return None
    others = {rung.node: rung for rung in second}
    shared = [(rung, others[rung.node]) for rung in first if rung.node in others]
    if any(x.factor != y.factor or x.array_ops != y.array_ops for x, y in shared[:1]):
        return None
    return next((-rung.factor for rung, _ in shared if rung.factor < 0.0), None)


def _number(x: Operand) -> float | None:
    """Return a factor that is one number for every element, or None."""
    x = _unmoved(x)
    if isinstance(x, Node):
        x = x.raw if x.constant and x.op is None else None
    return float(x) if hasattr(x, "__float__") and not getattr(x, "shape", ()) else None


def _pairs_elements(product: _Product, a: Operand) -> bool:
    """Return whether a product multiplies each label by the logarithm of the same element of an activation.

    The product is computed once more with other numbers in place of the logarithms. `Y.T * log(A)`, for example, also
    has products of a label and the logarithm of another element.
    """
    if not isinstance(a, Node) or not hasattr(product.node.raw, "shape"):
        return True
    import numpy as np

    numbers = np.sqrt(np.arange(2.0, 2.0 + np.size(a.raw))).reshape(np.shape(a.raw))
    assert product.node.op is not None
    operands = [_with_numbers(x, a, numbers) if _unmoved(x) is product.log else _raw(x) for x in product.node.args]
    found = product.node.op.on(operands)
    try:
        expected = _raw(product.label) * numbers
    except ValueError:  # the shapes do not match without the moves
        return False
    return bool(abs(np.sum(found) - np.sum(expected)) <= 1e-9 * np.sum(abs(expected)))


def _with_numbers(x: Operand, a: Node, numbers: Operand) -> Operand:
    """Return log(a) or log(1 - a) with its elements moved, but with other numbers in place of its values."""
    if x is a:
        return numbers
    moved = _with_numbers(x.args[1 if x.op is ops.sub else 0], a, numbers)
    return x.op.on([moved, *map(_raw, x.args[1:])]) if x.op.name in MOVES else moved


def _raw(x: Operand) -> Operand:
    return x.raw if isinstance(x, Node) else x


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


def _products(node: Node) -> list[_Product]:
    """Return a node as a product of a logarithm and another factor: for two logarithms, in both ways."""
    if node.op is None or node.op.name not in PRODUCTS or len(node.args) != 2:
        return []
    left, right = map(_unmoved, node.args)
    pairs = ((left, right), (right, left))
    return [_Product(node, x, label) for x, label in pairs if isinstance(x, Node) and x.op in (ops.log, ops.log1p)]


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
    x, y = _raw(x), _raw(y)
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
    data = _raw(x)
    return letter if getattr(data, "shape", ()) else exact(data)
