"""diagnose: the autopsy of a nan, of an infinite number, and of a gradient that did not arrive, vanished or exploded.

The forward pass is looked at first, in the order in which it was computed: the first number that is not finite is where
it began. Then the backward pass, event by event. What is found comes with its operands and their numbers, the smallest
graph that shows it, and what usually mends it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinygraph.engine import ops
from tinygraph.engine.backward import compute
from tinygraph.engine.contexts import finite
from tinygraph.engine.graph import Node, require_node
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import element, not_finite, ones, place_of_not_finite, size
from tinygraph.explaining.code import call_code, leaf_code
from tinygraph.explaining.notation import Quantity, called, derivative_of
from tinygraph.explaining.walk import Edge, Walk

Ways = dict[Node, tuple[float, Node]]  # for each node the size of its largest contribution, and from whom it is
SMALL, LARGE = 1e-8, 1e8  # by how much a gradient shrinks or grows on its way before it is worth a word


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, where, with which numbers, and what usually mends it.

    `slice` is the smallest graph that shows it, its inputs the numbers that stood there; None where there is none to
    show. `line` is where the node was recorded, under `trace_lines`.
    """

    kind: str
    node: Node
    message: str
    fix: str = ""
    slice: Node | None = None

    @property
    def line(self) -> str:
        """Where the node was recorded; "" unless `trace_lines` was active."""
        return self.node.line

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.message}"]
        if self.line:
            lines.append(f"  recorded at {self.line}")
        if self.slice is not None:
            lines.append(f"  the smallest graph that shows it: {_code(self.slice)}")
        if self.fix:
            lines.append(f"  what usually mends it: {self.fix}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found, the forward pass first; `print` it."""

    root: Node
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __str__(self) -> str:
        if self.healthy:
            return f"{called(self.root)}: every number and every gradient is finite, and a gradient reaches every input"
        return "\n".join(map(str, self.findings))

    def __repr__(self) -> str:
        return str(self)


def diagnose(root: Node, parameters: Iterable[Node] = ()) -> Diagnosis:
    """Say where a nan, an infinite number, or a missing, vanishing or exploding gradient comes from.

    `parameters` are leaves that a gradient should reach; without them, all inputs that are no constants. A pass of its
    own is run, from a gradient of 1: no node is written to. Raises StaleGraphError like `backward`.

    >>> from tinygraph import Value, log, sigmoid
    >>> z = Value(-800.0, "z")
    >>> a = sigmoid(z)
    >>> a.name = "a"
    >>> print(diagnose(log(a)))
    log of 0: log(a) = -inf, where a = 0
      the smallest graph that shows it: tinygraph.log(Value(0.0, 'a'))
      what usually mends it: log_sigmoid(z), which does not go through a number that rounds to 0
    """
    wanted = [parameters] if isinstance(parameters, Node) else list(parameters)
    walk = Walk(root, ones(require_node(root, "diagnose: root")))
    findings = compute(root, _forward, walk.nodes) or compute(root, _listed, walk, wanted)
    return Diagnosis(root, tuple(findings))


# --- forward ----------------------------------------------------------------------------------------


def _forward(nodes: Sequence[Node]) -> list[Finding]:
    """The first number of the forward pass that is not finite."""
    for node in reversed(nodes):
        if finite(node.raw):
            continue
        if node.op is None:
            message = f"{called(node)} is {not_finite(node.raw)} already"
            return [Finding("bad input", node, message, "look where it was read or computed")]
        numbers, entry = _operands(node)
        kind = _kind(node.op, numbers, not_finite(node.raw))
        text = f"{_said(node)} = {notation.number(not_finite(node.raw))}{_where(node, numbers)}{_place(entry)}"
        return [Finding(kind, node, text, _fix(node, kind), _slice(node, numbers))]
    return []


def _operands(node: Node) -> tuple[list[float], tuple[int, ...]]:
    """The numbers that a bad number was made of, and at which entry it stands; none where entries are mixed."""
    place = place_of_not_finite(node.raw)
    if _mixes(node):
        return [], place
    return [element(x, place, node.raw) for x in node.numbers], place


def _mixes(node: Node) -> bool:
    """Whether an element of the result has no single element of each operand that it was computed from."""
    return hasattr(node.raw, "shape") and not (node.op is not None and node.op.elementwise)


def _kind(op: Op, numbers: Sequence[float], result: float) -> str:
    """What kind of accident it was."""
    if not numbers:
        return "overflow of a sum" if math.isinf(result) else "inf - inf in a sum"
    if any(math.isnan(x) for x in numbers):
        return "nan before"
    x, y = (*numbers, math.nan)[:2]
    if op is ops.div and y == 0:
        return "0 / 0" if x == 0 else "division by 0"
    if op is ops.mul and 0.0 in (x, y):
        return "0 · inf"
    if op.name in ("add", "sub", "total", "dot") and math.isnan(result):
        return "inf - inf"
    if op is ops.binary_cross_entropy and x in (0.0, 1.0):
        return "log of 0"
    if op.name in ("log", "log1p", "log_partial", "logit"):
        return "log of 0" if math.isinf(result) else "log of a negative number"
    if (op is ops.sqrt or _is_power(op)) and x < 0:
        return "negative base"
    if _is_power(op) and x == 0:
        return "0 to a negative power"
    if all(map(math.isfinite, numbers)) and not op.domain.holds(numbers):
        return "outside the domain"
    return "overflow" if math.isinf(result) else "not a number"


def _is_power(op: Op) -> bool:
    return op is ops.pow or op.maker in (ops.power, ops.power_partial)


def _fix(node: Node, kind: str) -> str:
    """What usually mends it, from the op and what it was fed."""
    op, args = node.op, node.args
    fed = args[0].op if args and isinstance(args[0], Node) else None
    z = called(args[0].args[0]) if fed is ops.sigmoid else "z"
    if op is ops.binary_cross_entropy and kind == "log of 0":
        return f"binary_cross_entropy_with_logits({z}, y), the same loss from {z} itself"
    if op is ops.log and fed is ops.sigmoid:
        return f"log_sigmoid({z}), which does not go through a number that rounds to 0"
    if op is ops.log and fed is not None and fed.name in ("exp", "add", "total"):
        return "logaddexp or softplus, which take the exponents and not the exponentials"
    if kind.startswith("log of"):
        return "take the logarithm of what is above 0 by how it was made, such as exp or softplus of a parameter"
    if op in (ops.exp, ops.expm1, ops.cosh, ops.sinh):
        return "subtract the largest exponent before, or stay with the logarithm (logaddexp, softplus, log_sigmoid)"
    if kind in ("division by 0", "0 / 0"):
        return "a divisor that cannot be 0; to a norm or a variance add a small number, in plain sight"
    if kind == "negative base":
        return "a whole exponent, or a base that is above 0 by how it was made"
    if kind.startswith("inf - inf") or kind == "0 · inf":
        return "look at the infinite operand: it came in from outside"
    if kind.startswith("overflow"):
        return "a smaller learning rate, inputs on one scale (datasets.Scaler), or the logarithm of the product"
    return ""


# --- backward ---------------------------------------------------------------------------------------


def _listed(walk: Walk, wanted: Sequence[Node]) -> list[Finding]:
    return list(_backward(walk, wanted))


def _backward(walk: Walk, wanted: Sequence[Node]) -> Iterator[Finding]:
    """The first contribution that is not finite; else gradients that did not arrive, vanished or exploded."""
    root = walk.root
    ways: Ways = {}
    for edge in walk.edges:
        if not finite(edge.contribution):
            yield _bad_contribution(root, edge)
            return
        weight = size(edge.contribution)
        if edge.operand not in ways or weight > ways[edge.operand][0]:
            ways[edge.operand] = (weight, edge.node)
    for node in walk.nodes:
        gradient = walk.gradient(node)
        if gradient is not None and not finite(gradient):
            message = f"{derivative_of(root, node)} = {not_finite(gradient)}, of finite contributions"
            yield Finding("overflow of a sum", node, message, "smaller numbers: scale the cost, or the inputs")
            return
    inputs = [node for node in walk.nodes if node.op is None and not node.constant and node is not root]
    for leaf in wanted or inputs:
        yield from _arrival(walk, leaf, ways)


def _arrival(walk: Walk, leaf: Node, ways: Ways) -> Iterator[Finding]:
    """Whether a gradient arrives at a leaf, in a size that can be used."""
    nothing = f"no gradient reached {called(leaf)}"
    gradient = walk.gradient(leaf)
    if leaf not in walk:
        fix = "use the node itself, not its .data, a detached copy, or a leaf of before"
        yield Finding("no gradient", leaf, f"{nothing}: it is not in the graph of {called(walk.root)}", fix)
    elif leaf.constant:
        yield Finding("no gradient", leaf, f"{nothing}: it is a constant", "make it without constant=True")
    elif gradient is None or not size(gradient):
        yield _nothing_arrived(walk, leaf)
    else:
        yield from _out_of_proportion(walk, leaf, ways)


def _bad_contribution(root: Node, edge: Edge) -> Finding:
    """Where a gradient stops being finite, though every value was."""
    node, _, operand, upstream, local, contribution = edge
    factors = [x for x in (upstream, local) if not hasattr(x, "text")]
    infinite = [x for x in factors if not finite(x)]
    zero = any(not size(x) for x in factors if finite(x))
    kind = "0 · inf" if infinite and zero else "infinite slope" if infinite else "overflow"
    sum_up = notation.number(not_finite(contribution))
    if len(factors) == 2:
        sum_up = f"{_in_a_factor(upstream)} × {_in_a_factor(local)} = {sum_up}"
    name = f"d{called(node)}/d{called(operand)}"
    message = f"{derivative_of(root, operand)} gets {derivative_of(root, node)} · {name} = {sum_up}"
    if not hasattr(node.raw, "shape"):
        message += _where(node, node.numbers)
    return Finding(kind, node, message, _fix_of_slope(node, kind, bool(infinite)), _own_slice(node))


def _fix_of_slope(node: Node, kind: str, infinite: bool) -> str:
    """What usually fixes a contribution that is not finite."""
    if infinite and node.op is not None and (node.op is ops.sqrt or _is_power(node.op)):
        return "the root has an infinite slope at 0: stay above 0, or leave the root out (compare squares)"
    if node.op is ops.binary_cross_entropy:
        return "binary_cross_entropy_with_logits, whose slope a - y is always finite"
    if infinite:
        return "stay clear of the border of the op's domain"
    return "smaller numbers: scale the inputs, or take the logarithm of the product" if kind == "overflow" else ""


_FLAT = {
    "relu": "a relu below 0 passes nothing on: other first weights, a smaller learning rate, or softplus",
    "sign": "sign is flat: use tanh",
    "heaviside": "a step is flat: use sigmoid",
}


def _nothing_arrived(walk: Walk, leaf: Node) -> Finding:
    """Why the gradient of a leaf is nothing or 0: the edges, nearest to the leaf, at which it stopped."""
    stops = _stops(walk, leaf)
    nothing = f"no gradient reached {called(leaf)}"
    if not stops:
        return Finding("no gradient", leaf, f"{nothing}: the contributions that arrive add up to 0")
    node, operand, local = stops[0]
    more = f", and at {len(stops) - 1} more" if len(stops) > 1 else ""
    if local is not None and not hasattr(local, "text") and size(local):
        product = f"{size(walk.gradient(node)):.1e} × {size(local):.1e}"
        message = f"{nothing}: it shrinks on its way until, at {_said(node)}, {product} is 0"
        return Finding("vanishing gradient", leaf, message + more, _TOO_SMALL)
    message = (
        f"{nothing}: it stops at {_said(node)}, whose slope in {called(operand)} is 0{_where(node, node.numbers)}{more}"
    )
    fix = _FLAT.get(node.op.name if node.op else "", "the slope is 0 here: bring the input to where it is not")
    return Finding("no gradient", leaf, message, fix, _own_slice(node))


def _stops(walk: Walk, leaf: Node) -> list[tuple[Node, Node, Quantity]]:
    """The edges on the way to a leaf at which a gradient stops, the nearest first: node, operand, local derivative."""
    above = _above(leaf, walk.nodes)
    stops = []
    for node in reversed(walk.nodes):
        gradient = walk.gradient(node)
        if node in above and gradient is not None and size(gradient):
            for operand, local in zip(node.args, node.partials, strict=False):
                towards = isinstance(operand, Node) and (operand in above or operand is leaf)
                if towards and (local is None or not size(gradient * local)):
                    stops.append((node, operand, local))
    return stops


def _above(leaf: Node, nodes: Sequence[Node]) -> set[Node]:
    """The nodes that were computed from a leaf."""
    found = {leaf}
    for node in reversed(nodes):
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found - {leaf}


_TOO_SMALL = "activations that do not saturate (relu), inputs on one scale, other first weights, or a shorter path"
_TOO_LARGE = "smaller first weights, inputs on one scale, or a bound on the gradient"


def _out_of_proportion(walk: Walk, leaf: Node, ways: Ways) -> Iterator[Finding]:
    """Whether the gradient shrinks or grows beyond measure on its way to a leaf, and where most of it happens."""
    weight = size(walk.gradient(leaf))
    if SMALL <= weight <= LARGE:
        return
    path = [leaf]
    while path[-1] in ways:
        path.append(ways[path[-1]][1])
    sizes = [size(walk.gradient(node)) for node in path]
    shares = [(x / (y or math.inf), *pair) for x, y, pair in zip(sizes, sizes[1:], pairwise(path), strict=False)]
    small = weight < SMALL
    factor, lower, upper = (min if small else max)(shares, key=lambda share: share[0])
    changes = f"the gradient {'shrinks' if small else 'grows'} from 1 to {weight:.1e}"
    message = (
        f"from {called(walk.root)} to {called(leaf)} {changes} on a path of {len(shares):,} edges; "
        f"the steepest is {_said(upper)}, which passes {factor:.1e} of it on to {called(lower)}"
    )
    kind = "vanishing gradient" if small else "exploding gradient"
    yield Finding(kind, leaf, message, _TOO_SMALL if small else _TOO_LARGE)


# --- words ------------------------------------------------------------------------------------------


def _said(node: Node) -> str:
    """The op of a node in the names of its operands."""
    return notation.expression(node) or called(node)


def _where(node: Node, numbers: Sequence[Quantity]) -> str:
    """Which numbers the operands were, where they have a name; ", where a = 0"."""
    pairs = [
        f"{called(x)} = {notation.quantity(number)}"
        for x, number in zip(node.args, numbers, strict=False)
        if isinstance(x, Node)
    ]
    return f", where {', '.join(dict.fromkeys(pairs))}" if pairs else ""


def _place(entry: Sequence[int]) -> str:
    return f", at entry {list(entry)}" if entry else ""


def _in_a_factor(x: Quantity) -> str:
    return notation.factor(notation.quantity(x) if finite(x) else notation.number(not_finite(x)))


def _slice(node: Node, numbers: Sequence[Quantity]) -> Node | None:
    """The op once more, on inputs that have the numbers and names of its operands."""
    op, kind = node.op, type(node)
    if op is None or not numbers:
        return None
    make: Callable[..., Node] = kind if not node.constant else kind.__mro__[1]
    twins: dict[Node, Node] = {}
    args: list[Quantity] = []
    for x, number in zip(node.args, numbers, strict=True):
        if not isinstance(x, Node):
            args.append(number)
            continue
        if x not in twins:
            twins[x] = make(number, x.name)
        args.append(twins[x])
    return op.on(args)  # type: ignore[no-any-return]


def _own_slice(node: Node) -> Node | None:
    """The op of a number on the numbers it has; of an array there is no single entry to show."""
    return None if hasattr(node.raw, "shape") else _slice(node, node.numbers)


def _code(node: Node) -> str:
    """A node of one op as code to paste."""
    assert node.op is not None
    return call_code(node.op, *[leaf_code(x) if isinstance(x, Node) else repr(x) for x in node.args])
