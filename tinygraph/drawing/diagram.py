"""What a picture says, before anything is drawn: a card for each node, an arrow for each operand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.graph import Node, check_fresh, order
from tinygraph.explaining import notation
from tinygraph.explaining.notation import derivative


@dataclass(frozen=True)
class Card:
    """One box: a node, a bare number, or a group of nodes."""

    id: str
    role: str  # input, parameter, constant, operation or output
    name: str  # the whole name, or ""
    expression: str = ""
    data: str = ""
    spread: str = ""  # smallest … largest, mean, of many numbers
    grad: str | None = None  # None where no gradient belongs
    grad_spread: str = ""
    terms: tuple[str, ...] = ()  # the contributions, where there are several
    stored: str = ""  # `.grad`, where it is not the sum of the red arrows
    scope: tuple[str, ...] = ()
    times: int = 1
    line: str = ""


@dataclass(frozen=True)
class Pull:
    """What a red arrow says: upstream × local = contribution."""

    symbol: str
    product: str
    contribution: str
    ahead: bool = False  # it has not come back yet
    now: bool = False


@dataclass(frozen=True)
class Arrow:
    """From an operand to a result, and the derivative that comes back."""

    id: str
    tail: str
    head: str
    value: str
    back: Pull | None = None
    times: int = 1
    ahead: bool = False  # its result is not computed yet
    now: bool = False


@dataclass(frozen=True)
class Picture:
    """Cards in topological order, inputs first, and their arrows."""

    cards: list[Card]
    arrows: list[Arrow]
    root: str  # how the root is called, or ""
    backward: bool  # whether there is red
    before: list[str] = field(default_factory=list)  # ids of cards with operands that are not drawn
    after: list[str] = field(default_factory=list)  # and with consumers that are not
    ids: dict[Node, str] = field(default_factory=dict)  # of the cards
    arrow_ids: dict[tuple[Node, int], str] = field(default_factory=dict)  # of the arrows into a node


@dataclass(frozen=True)
class Moment:
    """Where a walk stands: what has happened, and what happens now. A picture of it shows no more."""

    grads: Mapping[Node, Any]
    computed: Collection[Node]
    happened: Collection[tuple[Node, int]]  # contributions, each by node and slot
    contribution: tuple[Node, int] | None = None  # what happens now
    result: Node | None = None  # or the node that is computed now


class Numbers:
    """The numbers of one pass from the root, with its seed; none without one.

    The seed is the gradient that stands there. A walk has its own, and a moment.
    """

    def __init__(self, root: Node, seed: Any = None, moment: Moment | None = None) -> None:
        self.root, self.moment = root, moment
        self.seed = root.grad if moment is None else seed
        self.adjoints: dict[Node, Any] = {}
        self.pulls: dict[tuple[Node, int], tuple[Any, Any, Any]] = {}
        self.counts: dict[Node, int] = {}
        self.terms: dict[Node, list[Any]] = {}  # contributions that have happened
        if self.seed is None:
            check_fresh(order(root))
        else:
            root._run(exhaust, self._events(root))

    def count(self, node: Node) -> int:
        """How many contributions its gradient has in the end."""
        return self.counts.get(node, 0)

    def _events(self, root: Node) -> Iterable[None]:
        for node, slot, operand, upstream, local, contribution in propagate(root, self.seed, self.adjoints):
            self.pulls[node, slot] = upstream, local, contribution
            self.counts[operand] = self.counts.get(operand, 0) + 1
            if self.moment is None or (node, slot) in self.moment.happened:
                self.terms.setdefault(operand, []).append(contribution)
            yield

    def gradient(self, node: Node) -> Any:
        """Its gradient at this moment; None where nothing has arrived."""
        return (self.adjoints if self.moment is None else self.moment.grads).get(node)

    @property
    def backward(self) -> bool:
        """Whether there is a gradient to show."""
        return bool(self.adjoints)


@dataclass
class Style:
    """How numbers and derivatives are written."""

    spec: str = ".4g"
    notation: str = "dJ/dv"  # or "dv"
    parameters: Collection[Node] = ()


def role(node: Node, root: Node, style: Style) -> str:
    """What a node is in this picture."""
    if node is root and node.op is not None:
        return "output"
    if node in style.parameters:
        return "parameter"
    if node.op is not None:
        return "operation"
    return "constant" if node.constant else "input"


def picture(root: Node, style: Style, nodes: Collection[Node] | None = None, numbers: Numbers | None = None) -> Picture:
    """One card a node, of the whole graph or of some nodes, with the numbers of a pass.

    >>> from tinygraph import Value
    >>> b = Value(3.0, "b")
    >>> J = 2.0 * b
    >>> J.backward()
    >>> drawn = picture(J, Style())
    >>> [(card.name, card.data, card.grad) for card in drawn.cards]
    [('b', '3', '2'), ('', '2', None), ('', '6', '1')]
    >>> [(arrow.tail, arrow.value, arrow.back and arrow.back.product) for arrow in drawn.arrows]
    [('c1', '2', None), ('n0', '3', '1 × 2')]
    """
    numbers = numbers or Numbers(root)
    moment = numbers.moment
    whole = order(root)[::-1]
    shown = whole if nodes is None else [node for node in whole if node in nodes]
    ids = {node: f"n{i}" for i, node in enumerate(shown)}
    cards: list[Card] = []
    arrows: list[Arrow] = []
    arrow_ids: dict[tuple[Node, int], str] = {}
    before: dict[str, None] = {}
    after: dict[str, None] = {}
    for node in shown:
        for slot, operand in enumerate(node.args):
            if isinstance(operand, Node):
                if operand not in ids:
                    before[ids[node]] = None
                    continue
                tail, data = ids[operand], operand.raw
            else:
                tail, data = f"c{len(cards)}", operand
                cards.append(Card(tail, "constant", "", data=notation.exact(data, style.spec), scope=node.scope,
                                  spread=notation.spread(data, style.spec)))  # fmt: skip
            back = _pull(node, slot, operand, numbers, style) if (node, slot) in numbers.pulls else None
            value = (notation.quantity if isinstance(operand, Node) else notation.exact)(data, style.spec)
            key = arrow_ids[node, slot] = f"e{len(arrows)}"
            ahead = moment is not None and node not in moment.computed
            now = moment is not None and node is moment.result
            arrows.append(Arrow(key, tail, ids[node], value, back, ahead=ahead, now=now))
        cards.append(_card(node, ids[node], numbers, style))
    if len(shown) < len(whole):
        for node in whole:
            if node not in ids:
                after.update((ids[operand], None) for operand in node.operands if operand in ids)
    return Picture(cards, arrows, root.name, numbers.backward, list(before), list(after), ids, arrow_ids)


def _card(node: Node, key: str, numbers: Numbers, style: Style) -> Card:
    adjoint, moment = numbers.gradient(node), numbers.moment
    computed = moment is None or node in moment.computed
    terms = numbers.terms.get(node, ())
    return Card(
        key,
        role(node, numbers.root, style),
        node.name,
        notation.expression(node, style.spec),
        notation.quantity(node.raw, style.spec) if computed else "·",
        notation.spread(node.raw, style.spec) if computed else "",
        None if node.constant else "·" if adjoint is None else notation.quantity(adjoint, style.spec),
        "" if adjoint is None else notation.spread(adjoint, style.spec),
        tuple(notation.quantity(x, style.spec) for x in terms) if len(terms) > 1 else (),
        stored(node, adjoint, style.spec) if moment is None else "",
        node.scope,
        line=node.line,
    )


def stored(node: Node, adjoint: Any, spec: str) -> str:
    """What `.grad` holds, where that is not the adjoint; "" where it is, or holds nothing."""
    if node.grad is None or (adjoint is not None and _same(node.grad, adjoint)):
        return ""
    text = notation.quantity(node.grad, spec)
    if adjoint is not None and text == notation.quantity(adjoint, spec):
        return notation.spread(node.grad, ".17g") or repr(node.grad)
    return text


def _same(x: Any, y: Any) -> bool:
    """Whether they are the same numbers, nan being nan; arrays that would have to be computed count as the same."""
    if notation.shape(x) != notation.shape(y):
        return False
    same = (x == y) | ((x != x) & (y != y))
    return bool(same) if isinstance(same, bool) else bool(same.all()) if notation.is_here(same) else True


def _pull(node: Node, slot: int, operand: Node, numbers: Numbers, style: Style) -> Pull:
    """What stands on the red arrow. With a seed other than 1 every derivative is multiplied by it, and says so."""
    upstream, local, contribution = numbers.pulls[node, slot]
    moment = numbers.moment
    ahead = moment is not None and (node, slot) not in moment.happened
    now = moment is not None and (node, slot) == moment.contribution
    root, spec = numbers.root, style.spec
    final = notation.quantity(contribution, spec)
    named = bool(node.name and operand.name and (root.name or style.notation == "dv"))
    named = named and notation.shape(numbers.seed) is None and node.args.count(operand) == 1
    seed = "" if not named or numbers.seed == 1 else notation.factor(notation.quantity(numbers.seed, spec))
    total = derivative(root, node, style.notation)
    if node is root:
        total = seed or "1"
    elif seed:
        total = f"{seed} · {total}"
    if hasattr(local, "text"):  # wiring: a linear map, in words
        before = total if named else notation.quantity(upstream, spec)
        return Pull("", notation.mapped(notation.local(node, local, spec), before), final, ahead, now)
    alone = numbers.count(operand) == 1
    if node is root and named and not seed and alone:
        return Pull(derivative(root, operand, style.notation), "", final, ahead, now)  # d root / d root is 1
    product = " × ".join(notation.factor(notation.quantity(x, spec)) for x in (upstream, local))
    sign = "d" if alone and style.notation != "dv" else "∂"  # where there are other paths, this is a part of it
    local = f"{sign}{notation.mention(node.name)}/{sign}{notation.mention(operand.name)}"
    return Pull(f"{total} · {local}" if named else "", product, final, ahead, now)


def neighbourhood(root: Node, centre: Node, depth: int) -> set[Node]:
    """The nodes of the graph within so many steps of one of them, along arrows in either direction."""
    nodes = order(root)
    if centre not in set(nodes):
        raise ValueError(f"around={centre!r} is no node of the graph of {root!r}")
    near: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for operand in node.operands:
            near[node].append(operand)
            near[operand].append(node)
    found = {centre}
    edge = [centre]
    for _ in range(depth):
        edge = [other for node in edge for other in near[node] if other not in found and not found.add(other)]  # type: ignore[func-returns-value]
    return found
