"""The content of a diagram before layout: one box per node, and the arrows between boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tinygraph.drawing.arrows import Arrow, Style, backward_arrow
from tinygraph.drawing.rendering.heatmap import Levels, levels
from tinygraph.engine.graph import Node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Operand, Quantity
from tinygraph.explaining.walk import Edge, Walk


class Box(NamedTuple):
    """A box for a node, a literal number, or a group of nodes."""

    id: str
    role: str  # input, parameter, constant, operation, output or scope
    name: str  # the full name, or ""
    expression: str = ""
    data: str = ""
    spread: str = ""  # minimum, maximum and mean of a longer array
    grad: str | None = None  # None if the node cannot have a gradient
    grad_spread: str = ""
    terms: tuple[str, ...] = ()  # the contributions, if there are several
    stored: str = ""  # `.grad`, if it differs from the sum of the red arrows
    scope: tuple[str, ...] = ()
    times: int = 1
    line: str = ""
    symbol: str = ""  # the op as a symbol
    levels: Levels = ()  # the array as a grid
    grad_levels: Levels = ()


@dataclass(frozen=True)
class Diagram:
    """Boxes (in topological order, inputs first) and their arrows."""

    boxes: list[Box]
    arrows: list[Arrow]
    root: str  # name of the root, or ""
    backward: bool  # true if there are red arrows
    before: list[str] = field(default_factory=list)  # ids of boxes with operands outside the diagram
    after: list[str] = field(default_factory=list)  # ids of boxes with consumers outside the diagram
    ids: dict[Node, str] = field(default_factory=dict)  # ids of boxes, by node
    arrow_ids: dict[tuple[Node, int], str] = field(default_factory=dict)  # ids of arrows, by result and slot
    aligned: list[tuple[str, str]] = field(default_factory=list)  # ids of boxes on the same rank


def role(node: Node, root: Node, style: Style) -> str:
    """Return a node's role in a diagram.

    Args:
        node: Node to classify.
        root: Root of the diagram.
        style: Format of the diagram, including the nodes to draw as parameters.

    Returns:
        "output", "parameter", "operation", "constant" or "input".
    """
    if node is root and node.op is not None:
        return "output"
    if node in style.parameters:
        return "parameter"
    if node.op is not None:
        return "operation"
    return "constant" if node.constant else "input"


def diagram(
    walk: Walk,
    style: Style,
    shown: Collection[Node] | None = None,
    within: Mapping[Node, Node] | None = None,
) -> Diagram:
    """Return the diagram of a backward pass: one box per node, and the arrows between boxes.

    Args:
        walk: Backward pass that gives the gradients.
        style: Format of numbers and derivatives.
        shown: Nodes to draw. Defaults to all nodes.
        within: Additions that are drawn as part of a longer sum, each with the last addition of the sum.

    Returns:
        The boxes (in topological order, inputs first) and the arrows.

    Examples:
        >>> from tinygraph import Value
        >>> b = Value(3.0, "b")
        >>> J = 2.0 * b
        >>> drawn = diagram(Walk(J, 1.0), Style())
        >>> [(box.name, box.data, box.grad) for box in drawn.boxes]
        [('b', '3', '2'), ('', '2', None), ('', '6', '1')]
        >>> [(arrow.tail, arrow.value, arrow.back and arrow.back.product) for arrow in drawn.arrows]
        [('c1', '2', None), ('n0', '3', '1 × 2')]
    """
    return _Builder(walk, style, within or {}).build(shown)


class _Builder:
    """A builder that adds the boxes and arrows of a diagram node by node."""

    def __init__(self, walk: Walk, style: Style, within: Mapping[Node, Node]) -> None:
        self.walk, self.style, self.within = walk, style, within
        self.sums = set(within.values())
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.ids: dict[Node, str] = {}
        self.arrow_ids: dict[tuple[Node, int], str] = {}
        self.before: dict[str, None] = {}
        self.values: dict[Node, str] = {}  # the value of each node as text
        self.edges: dict[tuple[Node, int], Edge] = {}  # by node and slot
        self.contributions: dict[Node, list[Quantity]] = {}  # of each node, in the order of the pass

    def build(self, only: Collection[Node] | None) -> Diagram:
        whole = self.walk.nodes[::-1]
        shown = [node for node in whole if (only is None or node in only) and node not in self.within]
        self.ids = {node: f"n{i}" for i, node in enumerate(shown)}
        self._read_edges(only)
        for node in shown:
            self._add_arrows(node)
            self.boxes.append(self._box(node))
        after: dict[str, None] = {}
        for node in whole if only is not None else ():
            if node not in self.ids:
                after.update((self.ids[operand], None) for operand in node.operands if operand in self.ids)
        name, backward = self.walk.root.name, self.walk.seed is not None
        found = Diagram(
            self.boxes, self.arrows, name, backward, list(self.before), list(after), self.ids, self.arrow_ids
        )
        return found if self.style.constants else without_constants(found)

    def _read_edges(self, only: Collection[Node] | None) -> None:
        """Read the edges from and to the nodes that are drawn."""
        nodes: list[Node] = self.walk.nodes
        if only is not None:
            nodes = [node for node in nodes if node in only or any(operand in only for operand in node.operands)]
        for edge in self.walk.edges_from(nodes):
            self.edges[edge.node, edge.slot] = edge
            self.contributions.setdefault(edge.operand, []).append(edge.contribution)

    def _add_arrows(self, node: Node) -> None:
        """Add the arrows that lead to a node, and the boxes of the literal numbers among its operands."""
        spec = self.style.spec
        terms = self._terms_of(node)
        counts = Counter(operand for *_, operand in terms if isinstance(operand, Node))
        for owner, slot, operand in terms:
            if not isinstance(operand, Node):
                tail, value = f"c{len(self.boxes)}", notation.exact(operand, spec)
                spread = notation.spread(operand, spec)
                self.boxes.append(Box(tail, "constant", "", data=value, scope=node.scope, spread=spread))
            elif operand in self.ids:
                tail, value = self.ids[operand], self.values[operand]
            else:
                self.before[self.ids[node]] = None
                continue
            key = self.arrow_ids[owner, slot] = f"e{len(self.arrows)}"
            back, edge = None, self.edges.get((owner, slot))
            if edge is not None:
                edge = edge if owner is node else edge._replace(node=node)
                back = backward_arrow(self.walk, edge, self.style, once=counts[operand] == 1)
            self.arrows.append(Arrow(key, tail, self.ids[node], value, back))

    def _terms_of(self, node: Node) -> list[tuple[Node, int, Operand]]:
        """Return the operands of a node, each with the node that uses it and its slot. A sum includes its terms."""
        found: list[tuple[Node, int, Operand]] = []
        stack: list[tuple[Node, int, Operand]] = [(node, slot, x) for slot, x in enumerate(node.args)][::-1]
        while stack:
            owner, slot, operand = stack.pop()
            if isinstance(operand, Node) and operand in self.within:
                stack += [(operand, i, x) for i, x in enumerate(operand.args)][::-1]
            else:
                found.append((owner, slot, operand))
        return found

    def _expression(self, node: Node) -> str:
        if node in self.sums:
            return notation.sum_of([operand for *_, operand in self._terms_of(node)], self.style.spec)
        return notation.expression(node, self.style.spec)

    def _box(self, node: Node) -> Box:
        walk, spec = self.walk, self.style.spec
        gradient = walk.gradient(node)
        self.values[node] = value = notation.quantity(node.raw, spec)
        return Box(
            self.ids[node],
            role(node, walk.root, self.style),
            node.name,
            self._expression(node),
            value,
            notation.spread(node.raw, spec),
            None if node.constant else "·" if gradient is None else notation.quantity(gradient, spec),
            "" if gradient is None else notation.spread(gradient, spec),
            self._terms(node),
            stored(node, gradient, spec),
            node.scope,
            line=node.line,
            symbol=notation.symbol(node),
            levels=levels(node.raw) if self.style.heatmap else (),
            grad_levels=levels(gradient) if self.style.heatmap else (),
        )

    def _terms(self, node: Node) -> tuple[str, ...]:
        """Return the contributions to a node, as text. If there are fewer than two, return an empty tuple."""
        found = self.contributions.get(node, ())
        return tuple([notation.quantity(x, self.style.spec) for x in found]) if len(found) > 1 else ()


def without_constants(diagram: Diagram) -> Diagram:
    """Return a diagram without literals and constant nodes. Parameters and the root stay.

    Args:
        diagram: Boxes and arrows.

    Returns:
        The other boxes, and the arrows between them.
    """
    tails = {arrow.tail for arrow in diagram.arrows}
    boxes = [
        box
        for box in diagram.boxes
        if box.grad is not None or box.role in ("parameter", "scope") or box.id not in tails
    ]
    kept = {box.id for box in boxes}
    return replace(
        diagram,
        boxes=boxes,
        arrows=[arrow for arrow in diagram.arrows if arrow.tail in kept and arrow.head in kept],
        before=[key for key in diagram.before if key in kept],
        after=[key for key in diagram.after if key in kept],
        ids={node: key for node, key in diagram.ids.items() if key in kept},
    )


def stored(node: Node, gradient: Quantity | None, spec: str) -> str:
    """Return a node's stored `.grad` as text if the stored value differs from the gradient of the pass.

    Args:
        node: Node whose `.grad` is compared.
        gradient: Gradient of the node in the pass, or None.
        spec: Format of numbers, as for `format`.

    Returns:
        The text, or "" if the two gradients are equal or no gradient is stored.
    """
    if node.grad is None or (gradient is not None and _same(node.grad, gradient)):
        return ""
    text = notation.quantity(node.grad, spec)
    if gradient is not None and text == notation.quantity(gradient, spec):
        return notation.spread(node.grad, ".17g") or repr(node.grad)
    return text


def _same(x: Quantity, y: Quantity) -> bool:
    """Return whether two values are equal.

    NaN counts as equal to NaN. Arrays that are not computed yet count as equal if their shapes are equal.
    """
    if notation.shape(x) != notation.shape(y):
        return False
    same = (x == y) | ((x != x) & (y != y))
    return bool(same) if isinstance(same, bool) else bool(same.all()) if notation.is_here(same) else True


def neighborhood(nodes: Sequence[Node], center: Node, depth: int) -> set[Node]:
    """Return the nodes within `depth` arrows of a node, in either direction.

    Args:
        nodes: Nodes of a graph, the root first.
        center: Node to start from.
        depth: Maximum number of arrows between `center` and a returned node.

    Returns:
        The nodes, including `center`.

    Raises:
        ValueError: If `center` is not in the graph.
    """
    if center not in set(nodes):
        raise ValueError(f"around={center!r} is not a node of the graph of {nodes[0]!r}")
    near: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for operand in node.operands:
            near[node].append(operand)
            near[operand].append(node)
    found = {center}
    border = [center]
    for _ in range(depth):
        border = list(dict.fromkeys(other for node in border for other in near[node] if other not in found))
        found.update(border)
    return found


def ranks_crossed(nodes: Sequence[Node], shown: Collection[Node]) -> int:
    """Return how many ranks all arrows of a diagram cross. Graphviz takes at least one place for each of them.

    Args:
        nodes: Nodes of a graph, the root first.
        shown: Nodes to draw.

    Returns:
        The number, if each leaf is just before its first consumer.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.engine.graph import order
        >>> x = Value(2.0)
        >>> nodes = order(x.exp().sin() * x)
        >>> ranks_crossed(nodes, nodes)  # x → exp → sin → ×, and x → ×
        6
    """
    members = set(shown)
    ranks: dict[Node, int] = {}
    for node in reversed(nodes):
        ranks[node] = 1 + max([ranks[operand] for operand in node.operands], default=-1)
    first: dict[Node, int] = {}
    for node in nodes:
        for operand in node.operands:
            if operand.op is None:
                first[operand] = min(ranks[node] - 1, first.get(operand, ranks[node]))
    ranks.update(first)
    return sum(
        ranks[node] - ranks[operand]
        for node in nodes
        if node in members
        for operand in node.operands
        if operand in members
    )
