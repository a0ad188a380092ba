"""diagnose: the autopsy of a nan, of an infinite number, and of a gradient that did not arrive, vanished or exploded.

The forward pass is looked at first, in the order in which it was computed: the first number that is not finite is where
it began. Then the backward pass, event by event. What is found comes with its operands and their numbers, the smallest
graph that shows it, and what usually mends it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tinygraph.engine import ops
from tinygraph.engine.autodiff import propagate
from tinygraph.engine.contexts import finite
from tinygraph.engine.graph import Node, check_fresh, order, require_node
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.code import call_code
from tinygraph.explaining.notation import called, derivative_of
from tinygraph.tensor.array_ops import ArrayOp

SMALL, LARGE = 1e-8, 1e8  # by how much a gradient shrinks or grows on its way before it is worth a word


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what kind, where, with which numbers, and what usually mends it.

    `slice` is the smallest graph that shows it, its inputs the numbers that stood there; None where there is none to
    show. `line` is where the node was recorded, under `trace_lines`.
    """

    kind: str
    node: Node
    says: str
    mend: str = ""
    slice: Node | None = None

    @property
    def line(self) -> str:
        """Where the node was recorded; "" unless `trace_lines` was active."""
        return self.node.line

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.says}"]
        if self.line:
            lines.append(f"  recorded at {self.line}")
        if self.slice is not None:
            lines.append(f"  the smallest graph that shows it: {_code(self.slice)}")
        if self.mend:
            lines.append(f"  what usually mends it: {self.mend}")
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
    nodes = order(require_node(root, "diagnose: root"))
    check_fresh(nodes)
    findings = list(root._run(_forward, nodes))
    if not findings:
        findings = list(root._run(_backward, root, nodes, wanted))
    return Diagnosis(root, tuple(findings))


# --- forward ----------------------------------------------------------------------------------------


def _forward(nodes: Sequence[Node]) -> list[Finding]:
    """The first number of the forward pass that is not finite."""
    for node in reversed(nodes):
        if finite(node.raw):
            continue
        if node.op is None:
            says = f"{called(node)} is {_bad(node.raw)} already"
            return [Finding("bad input", node, says, "look where it was read or computed")]
        numbers, entry = _operands(node)
        kind = _kind(node.op, numbers, _bad(node.raw))
        text = f"{_said(node)} = {notation.number(_bad(node.raw))}{_where(node, numbers)}{_place(entry)}"
        return [Finding(kind, node, text, _mend(node, kind), _slice(node, numbers))]
    return []


def _operands(node: Node) -> tuple[list[float], tuple[int, ...]]:
    """The numbers that a bad number was made of, and at which entry it stands; none where entries are mixed."""
    data = node.raw
    if not hasattr(data, "shape"):
        return node.numbers, ()
    entry = tuple(int(i) for i in np.argwhere(~np.isfinite(data))[0])
    if isinstance(node.op, ArrayOp):
        return [], entry
    return [float(np.broadcast_to(x, data.shape)[entry]) for x in node.numbers], entry


def _kind(op: Op, numbers: Sequence[float], result: float) -> str:
    """What kind of accident it was."""
    if isinstance(op, ArrayOp) or not numbers:
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


def _mend(node: Node, kind: str) -> str:
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


def _backward(root: Node, nodes: Sequence[Node], wanted: Sequence[Node]) -> Iterator[Finding]:
    """The first contribution that is not finite; else gradients that did not arrive, vanished or exploded."""
    adjoints: dict[Node, Any] = {}
    seed = np.ones_like(root.raw) if hasattr(root.raw, "shape") else 1.0
    ways: dict[Node, tuple[float, Node]] = {}  # for each node its largest contribution, and from whom
    for node, _, operand, upstream, local, contribution in propagate(root, seed, adjoints):
        if not finite(contribution):
            yield _bad_contribution(root, node, operand, upstream, local, contribution)
            return
        size = _size(contribution)
        if operand not in ways or size > ways[operand][0]:
            ways[operand] = (size, node)
    for node in nodes:
        if node in adjoints and not finite(adjoints[node]):
            says = f"{derivative_of(root, node)} = {_bad(adjoints[node])}, of finite contributions"
            yield Finding("overflow of a sum", node, says, "smaller numbers: scale the cost, or the inputs")
            return
    inside = set(nodes)
    leaves = list(wanted) or [node for node in nodes if node.op is None and not node.constant and node is not root]
    for leaf in leaves:
        nothing = f"no gradient reached {called(leaf)}"
        if leaf not in inside:
            mend = "use the node itself, not its .data, a detached copy, or a leaf of before"
            yield Finding("no gradient", leaf, f"{nothing}: it is not in the graph of {called(root)}", mend)
        elif leaf.constant:
            yield Finding("no gradient", leaf, f"{nothing}: it is a constant", "make it without constant=True")
        elif leaf not in adjoints or not _size(adjoints[leaf]):
            yield _nothing_arrived(leaf, nodes, adjoints)
        else:
            yield from _out_of_proportion(root, leaf, adjoints, ways)


def _bad_contribution(root: Node, node: Node, operand: Node, upstream: Any, local: Any, contribution: Any) -> Finding:
    """Where a gradient stops being finite, though every number was."""
    factors = [x for x in (upstream, local) if not hasattr(x, "text")]
    infinite = [x for x in factors if not finite(x)]
    zero = any(not _size(x) for x in factors if finite(x))
    kind = "0 · inf" if infinite and zero else "infinite slope" if infinite else "overflow"
    name = f"d{called(node)}/d{called(operand)}"
    if len(factors) == 2:
        sum_up = f"{_in_a_factor(upstream)} × {_in_a_factor(local)} = {notation.number(_bad(contribution))}"
    else:
        sum_up = notation.number(_bad(contribution))
    says = f"{derivative_of(root, operand)} gets {derivative_of(root, node)} · {name} = {sum_up}"
    if not hasattr(node.raw, "shape"):
        says += _where(node, node.numbers)
    mend = ""
    if infinite and (node.op is ops.sqrt or (node.op is not None and _is_power(node.op))):
        mend = "the root has an infinite slope at 0: stay above 0, or leave the root out (compare squares)"
    elif node.op is ops.binary_cross_entropy:
        mend = "binary_cross_entropy_with_logits, whose slope a - y is always finite"
    elif infinite:
        mend = "stay clear of the border of the op's domain"
    elif kind == "overflow":
        mend = "smaller numbers: scale the inputs, or take the logarithm of the product"
    return Finding(kind, node, says, mend, _own_slice(node))


_FLAT = {
    "relu": "a relu below 0 passes nothing on: other first weights, a smaller learning rate, or softplus",
    "sign": "sign is flat: use tanh",
    "heaviside": "a step is flat: use sigmoid",
}


def _nothing_arrived(leaf: Node, nodes: Sequence[Node], adjoints: dict[Node, Any]) -> Finding:
    """Why the gradient of a leaf is nothing or 0: the edges, nearest to the leaf, at which it stopped."""
    above = _above(leaf, nodes)
    stops = []
    for node in reversed(nodes):
        if node in above and node in adjoints and _size(adjoints[node]):
            for operand, local in zip(node.args, node.partials, strict=False):
                towards = isinstance(operand, Node) and (operand in above or operand is leaf)
                if towards and (local is None or not _size(adjoints[node] * local)):
                    stops.append((node, operand, local))
    nothing = f"no gradient reached {called(leaf)}"
    if not stops:
        return Finding("no gradient", leaf, f"{nothing}: the contributions that arrive add up to 0")
    node, operand, local = stops[0]
    more = f", and at {len(stops) - 1} more" if len(stops) > 1 else ""
    if local is not None and not hasattr(local, "text") and _size(local):
        product = f"{_size(adjoints[node]):.1e} × {_size(local):.1e}"
        says = f"{nothing}: it shrinks on its way until, at {_said(node)}, {product} is 0"
        return Finding("vanishing gradient", leaf, says + more, _TOO_SMALL)
    says = (
        f"{nothing}: it stops at {_said(node)}, whose slope in {called(operand)} is 0{_where(node, node.numbers)}{more}"
    )
    mend = _FLAT.get(node.op.name if node.op else "", "the slope is 0 here: bring the input to where it is not")
    return Finding("no gradient", leaf, says, mend, _own_slice(node))


def _above(leaf: Node, nodes: Sequence[Node]) -> set[Node]:
    """The nodes that were computed from a leaf."""
    found = {leaf}
    for node in reversed(nodes):
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found - {leaf}


_TOO_SMALL = "activations that do not saturate (relu), inputs on one scale, other first weights, or a shorter path"
_TOO_LARGE = "smaller first weights, inputs on one scale, or a bound on the gradient"


def _out_of_proportion(
    root: Node, leaf: Node, adjoints: dict[Node, Any], ways: dict[Node, tuple[float, Node]]
) -> Iterator[Finding]:
    """Whether the gradient shrinks or grows beyond measure on its way to a leaf, and where most of it happens."""
    size = _size(adjoints[leaf])
    if SMALL <= size <= LARGE:
        return
    path = [leaf]
    while path[-1] in ways:
        path.append(ways[path[-1]][1])
    steps = [(_size(adjoints[x]) / (_size(adjoints[y]) or math.inf), x, y) for x, y in pairwise(path)]
    small = size < SMALL
    factor, lower, upper = (min if small else max)(steps, key=lambda step: step[0])
    says = (
        f"from {called(root)} to {called(leaf)} the gradient {'shrinks' if small else 'grows'} from 1 to {size:.1e} on "
        f"a path of {len(steps):,} edges; the steepest is {_said(upper)}, which passes {factor:.1e} of it on to "
        f"{called(lower)}"
    )
    kind = "vanishing gradient" if small else "exploding gradient"
    yield Finding(kind, leaf, says, _TOO_SMALL if small else _TOO_LARGE)


# --- words ------------------------------------------------------------------------------------------


def _bad(x: Any) -> float:
    """The number that is not finite; of an array the first."""
    return float(np.asarray(x)[~np.isfinite(x)].flat[0])


def _size(x: Any) -> float:
    """The largest absolute entry."""
    return float(np.max(np.abs(x), initial=0.0)) if isinstance(x, np.ndarray) else abs(float(x))


def _said(node: Node) -> str:
    """The op of a node in the names of its operands."""
    return notation.expression(node) or called(node)


def _where(node: Node, numbers: Sequence[Any]) -> str:
    """Which numbers the operands were, where they have a name; ", where a = 0"."""
    pairs = [
        f"{called(x)} = {notation.quantity(number)}"
        for x, number in zip(node.args, numbers, strict=False)
        if isinstance(x, Node)
    ]
    return f", where {', '.join(dict.fromkeys(pairs))}" if pairs else ""


def _place(entry: Sequence[int]) -> str:
    return f", at entry {list(entry)}" if entry else ""


def _in_a_factor(x: Any) -> str:
    return notation.factor(notation.quantity(x) if finite(x) else notation.number(_bad(x)))


def _slice(node: Node, numbers: Sequence[Any]) -> Node | None:
    """The op once more, on inputs that have the numbers and names of its operands."""
    op, kind = node.op, type(node)
    if op is None or not numbers:
        return None
    make: Any = kind if not node.constant else kind.__mro__[1]
    twins: dict[Node, Node] = {}
    args: list[Any] = []
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
    return call_code(node.op, *[_input(x) if isinstance(x, Node) else repr(x) for x in node.args])


def _input(node: Node) -> str:
    number = node.raw
    kind = "Value" if isinstance(number, float) else "Tensor"
    number = float(number)
    text = repr(number) if math.isfinite(number) else f"float('{number}')"
    return f"{kind}({text}{f', {node.name!r}' if node.name else ''})"
