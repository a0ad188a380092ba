"""Match the nodes of two graphs of one kind: by their names, and by their positions below nodes that match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tinygraph.engine import ops
from tinygraph.engine.graph import Node
from tinygraph.explaining.notation import Operand, Quantity, called, exact, expression, shape

COMMUTATIVE = (ops.add, ops.mul, ops.maximum, ops.minimum)


@dataclass(frozen=True)
class Match:
    """The nodes of two graphs that have the same part in both.

    Attributes:
        partner: Node of the second graph, by the matching node of the first graph.
        places: For a node of the first graph, the position in its partner of each of its operands.
    """

    partner: dict[Node, Node] = field(default_factory=dict)
    places: dict[Node, tuple[int, ...]] = field(default_factory=dict)

    def structure(self, node: Node) -> str:
        """Return how a node's op or operands differ from those of its partner.

        Args:
            node: Node of the first graph that has a partner.

        Returns:
            The difference as text, or "" if there is none.
        """
        other = self.partner[node]
        if _op(node) != _op(other) or len(node.args) != len(other.args):
            return _but(_computed(node), _computed(other))
        for slot, place in enumerate(self.places[node]):
            x, y = node.args[slot], other.args[place]
            if isinstance(x, Node) and isinstance(y, Node) and self.partner.get(x) is y:
                continue
            if isinstance(x, Node) or isinstance(y, Node) or not _same(x, y):
                return f"operand {slot + 1} is {_but(*_texts(x, y))}"
        if shape(node.raw) != shape(other.raw):
            return f"the shape is {_but(*[str(shape(x.raw) or ()) for x in (node, other)])}"
        return "" if node.constant == other.constant else f"a constant in the {_which(node.constant)} graph only"

    def replaced(self, node: Node) -> bool:
        """Return whether a node's partner computes the same value from the same operands with another op.

        Args:
            node: Node of the first graph that has a partner.

        Returns:
            True if only the op differs, for example if a custom op replaces an op.
        """
        other = self.partner[node]
        return _op(node) != _op(other) and node in self.places


def match(first: Sequence[Node], second: Sequence[Node], equal: Callable[[Quantity, Quantity], bool]) -> Match:
    """Match the nodes of two graphs.

    The roots match, and so do two nodes whose name occurs once in each graph. The operands of two nodes with the same
    op match if they are at the same position. The operands of a sum or a product can change places. If one op replaces
    another op, and computes the same value, its operands match too.

    Args:
        first: Nodes of the first graph, in reverse topological order.
        second: Nodes of the second graph, in reverse topological order.
        equal: Function that returns whether two values count as equal.

    Returns:
        The match.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.engine.graph import order
        >>> graphs = []
        >>> for number in (2.0, 3.0):
        ...     x = Value(number, "x")
        ...     graphs.append(order(x * x + 1.0))
        >>> [(node.raw, other.raw) for node, other in match(*graphs, lambda x, y: x == y).partner.items()]
        [(5.0, 10.0), (2.0, 3.0), (4.0, 9.0)]
    """
    found = Match()
    taken: set[Node] = set()

    def pair(x: Node, y: Node) -> None:
        if x not in found.partner and y not in taken:
            found.partner[x] = y
            taken.add(y)
            waiting.append(x)

    waiting: list[Node] = []
    pair(first[0], second[0])
    names = _unique(second)
    for name, node in _unique(first).items():
        if name in names:
            pair(node, names[name])
    for node in waiting:  # the list grows
        other = found.partner[node]
        if len(node.args) != len(other.args) or (node.op is None) != (other.op is None):
            continue
        places = _places(node, other, found)
        pairs = [(x, other.args[place]) for x, place in zip(node.args, places, strict=True)]
        if _op(node) != _op(other) and not (equal(node.raw, other.raw) and all(_fit(*pair, found) for pair in pairs)):
            continue
        found.places[node] = places
        for x, y in pairs:
            if not isinstance(x, Node) or not isinstance(y, Node) or (x.op is None) != (y.op is None):
                continue
            other_input = x.op is None and x.name and y.name and x.name != y.name
            if not other_input or equal(x.raw, y.raw):  # the same input can have another name
                pair(x, y)
    return found


def _unique(nodes: Sequence[Node]) -> dict[str, Node]:
    """Return the nodes whose name occurs once, by name."""
    count = Counter(node.name for node in nodes)
    return {node.name: node for node in nodes if node.name and count[node.name] == 1}


def _places(node: Node, other: Node, found: Match) -> tuple[int, ...]:
    """Return the positions in `other` of the operands of `node`."""
    straight = tuple(range(len(node.args)))
    if len(straight) != 2 or node.op is not other.op or node.op not in COMMUTATIVE:
        return straight

    def fit(places: tuple[int, ...]) -> int:
        return sum(_fit(x, other.args[place], found) for x, place in zip(node.args, places, strict=True))

    return max(straight, straight[::-1], key=fit)


def _fit(x: Operand, y: Operand, found: Match) -> int:
    """Return how well two operands fit: 2 if they match, 1 if they may match, 0 if they cannot match."""
    if isinstance(x, Node) and isinstance(y, Node):
        if x in found.partner:
            return 2 * (found.partner[x] is y)
        names = {x.name, y.name}
        return int(x.op is y.op and (len(names) == 1 or "" in names))
    return 2 * (not isinstance(x, Node) and not isinstance(y, Node) and _same(x, y))


def _same(x: Operand, y: Operand) -> bool:
    """Return whether two literals are equal. Arrays of one shape count as equal: their values are compared later."""
    if shape(x) is None and shape(y) is None:
        return bool(float(x) == float(y)) or (x != x and y != y)
    return shape(x) == shape(y)


def _text(x: Operand) -> str:
    return called(x) if isinstance(x, Node) else exact(x)


def _texts(x: Operand, y: Operand) -> tuple[str, str]:
    """Return two operands as text, with all digits if they would otherwise look the same."""
    if _text(x) != _text(y):
        return _text(x), _text(y)
    return repr(x), repr(y)


def _but(first: str, second: str) -> str:
    return f"{first} in the first graph, but {second} in the second"


def _which(first: bool) -> str:
    return "first" if first else "second"


def _op(node: Node) -> str:
    return "" if node.op is None else node.op.name


def _computed(node: Node) -> str:
    return expression(node) or "an input"
