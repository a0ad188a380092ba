"""`diagnose`: find the source of a NaN or an infinite value, or of a missing, vanishing or exploding gradient.

The function first checks the forward pass, in the order of computation, and reports the first value that is not finite.
If every value is finite, it then checks the backward pass step by step. A finding describes a problem, usually with the
values of the operands. If possible, a finding also contains a common fix and the smallest graph that reproduces the
problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from tinygraph.engine.backward import compute
from tinygraph.engine.contexts import finite
from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining import notation
from tinygraph.explaining.arrays import element, has_nan, not_finite, ones, place_of_not_finite, size
from tinygraph.explaining.diagnosing.findings import Diagnosis, Finding, own_smallest_graph, said, smallest_graph, where
from tinygraph.explaining.diagnosing.fixes import (
    FLAT,
    SELECTED,
    SELECTIONS,
    TOO_LARGE,
    TOO_SMALL,
    fix_of,
    fix_of_derivative,
    kind_of,
)
from tinygraph.explaining.diagnosing.stops import MOST_STOPS, Stop, stops_of
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.textbook.derivatives import derivative_of, partial, times
from tinygraph.explaining.textbook.remembering import remembered_texts
from tinygraph.explaining.walk import Edge, Walk
from tinygraph.support.arguments import listed
from tinygraph.support.collector import collector_paused
from tinygraph.support.messages import counted

Ways = dict[Node, tuple[float, Node]]  # size and source of each node's largest contribution
Change = tuple[float, Node, Node]  # factor by which a gradient changes on an edge, and the lower and the upper node
Paths = dict[Node, tuple[int, Change, Change]]  # length of a path, and its smallest and its largest change
SMALL, LARGE = 1e-8, 1e8  # a smaller gradient counts as vanishing, and a larger gradient as exploding


def diagnose(root: Node, parameters: Iterable[Node] = ()) -> Diagnosis:
    """Find the source of a NaN, an infinite value, or a missing, vanishing or exploding gradient.

    The function runs a separate backward pass with seed 1 and does not write to any node.

    Args:
        root: Node to diagnose, usually the cost.
        parameters: Leaves that a gradient should reach. Defaults to all inputs that are not constants.

    Returns:
        A `Diagnosis`, which you can `print`. Its property `healthy` is true if no problems were found.

    Raises:
        TypeError: If `root` or one of `parameters` is not a node.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value, log, sigmoid
        >>> z = Value(-800.0, "z")
        >>> a = sigmoid(z)
        >>> a.name = "a"
        >>> print(diagnose(log(a)))
        log of 0: log(a) = -inf, where a = 0
          the smallest graph that reproduces the problem: tinygraph.log(Value(0.0, 'a'))
          suggestion: use log_sigmoid(z), which avoids a value that rounds to 0
    """
    wanted = listed("parameters", parameters, Node, "a node of a graph")
    walk = Walk(root, ones(require_node(root, "diagnose: root")))
    with remembered_texts(), collector_paused():
        findings = compute(root, _forward, walk.nodes) or compute(root, _listed, walk, wanted)
    return Diagnosis(root, tuple(findings))


# --- forward ----------------------------------------------------------------------------------------


def _forward(nodes: Sequence[Node]) -> list[Finding]:
    """Return a finding for the first forward value that is not finite, or an empty list."""
    for node in reversed(nodes):
        if finite(node.raw):
            continue
        if node.op is None:
            message = f"{called(node)} is {not_finite(node.raw)}"
            return [Finding("bad input", node, message, "check where this value was read or computed")]
        numbers, entry = _operands(node)
        kind = kind_of(node.op, numbers, not_finite(node.raw))
        text = f"{said(node)} = {notation.number(not_finite(node.raw))}{where(node, numbers)}{_place(entry)}"
        text += _consequence(node, nodes)
        dropped = any(finite(selection.raw) for selection in _selections(node, nodes))
        fix = SELECTED if dropped else fix_of(node, kind, nodes)
        return [Finding(kind, node, text, fix, smallest_graph(node, numbers))]
    return []


def _selections(node: Node, nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes that select elements by a mask, among the nodes that were computed from the given node."""
    return [x for x in _above(node, nodes) if x.op is not None and x.op.name in SELECTIONS]


def _consequence(bad: Node, nodes: Sequence[Node]) -> str:
    """Return how an infinite value turns into NaN at a later node, such as `, so y × log(a) = 0 × (-inf) = nan`."""
    if has_nan(bad.raw):
        return ""
    reached = {bad}
    for node in reversed(nodes):
        if finite(node.raw) or reached.isdisjoint(node.operands):
            continue
        reached.add(node)
        if has_nan(node.raw):
            numbers = "" if _mixes(node) or node.op is None else f" = {_in_numbers(node)}"
            return f", so {notation.expression(node, by_name=True)}{numbers} = nan"
    return ""


def _in_numbers(node: Node) -> str:
    assert node.op is not None
    place = place_of_not_finite(node.raw, nan=True)
    numbers = [element(x, place, node.raw) for x in node.numbers]
    return node.op.text(*[notation.factor(notation.number(x)) for x in numbers])


def _operands(node: Node) -> tuple[list[float], tuple[int, ...]]:
    """Return the values of the operands at the first element that is not finite, and the index of this element.

    If an element of the result depends on several elements of an operand, the list of values is empty.
    """
    place = place_of_not_finite(node.raw)
    if _mixes(node):
        return [], place
    return [element(x, place, node.raw) for x in node.numbers], place


def _mixes(node: Node) -> bool:
    """Return whether an element of the result depends on more than one element of an operand."""
    return hasattr(node.raw, "shape") and not (node.op is not None and node.op.elementwise)


# --- backward ---------------------------------------------------------------------------------------


def _listed(walk: Walk, wanted: Sequence[Node]) -> list[Finding]:
    return list(_backward(walk, wanted))


def _backward(walk: Walk, wanted: Sequence[Node]) -> Iterator[Finding]:
    """Yield a finding for the first contribution that is not finite.

    If every contribution is finite, yield the findings for gradients that overflow, are missing, vanish or explode.
    """
    root = walk.root
    ways: Ways = {}
    for edge in walk.edges:
        if not finite(edge.contribution):
            yield _bad_contribution(walk, edge)
            return
        weight = size(edge.contribution)
        if edge.operand not in ways or weight > ways[edge.operand][0]:
            ways[edge.operand] = (weight, edge.node)
    for node in walk.nodes:
        gradient = walk.gradient(node)
        if gradient is not None and not finite(gradient):
            message = f"{derivative_of(root, node)} = {not_finite(gradient)}, from finite contributions"
            yield Finding("overflow in a sum", node, message, "use smaller values: scale the cost or the inputs")
            return
    inputs = [node for node in walk.nodes if node.op is None and not node.constant and node is not root]
    paths: Paths = {}
    leaves = wanted or inputs
    stops = {} if all(_arrives(walk, leaf) for leaf in leaves) else stops_of(walk)
    describe = cache(_described)  # many gradients can stop at one node, which can have many operands
    for leaf in leaves:
        if leaf in walk and not leaf.constant and not _arrives(walk, leaf):
            yield _nothing_arrived(walk, leaf, stops.get(leaf, ()), describe)
        else:
            yield from _arrival(walk, leaf, ways, paths)


def _arrival(walk: Walk, leaf: Node, ways: Ways, paths: Paths) -> Iterator[Finding]:
    """Yield a finding if a leaf cannot get a gradient, or if its gradient vanishes or explodes."""
    nothing = f"no gradient reached {called(leaf)}"
    if leaf not in walk:
        fix = "use the node itself, not its .data, a detached copy, or a leaf of an earlier graph"
        yield Finding("no gradient", leaf, f"{nothing}, which is not in the graph of {called(walk.root)}", fix)
    elif leaf.constant:
        yield Finding("no gradient", leaf, f"{nothing}, which is a constant", "create it without constant=True")
    else:
        yield from _out_of_proportion(walk, leaf, ways, paths)


def _arrives(walk: Walk, node: Node) -> bool:
    gradient = walk.gradient(node)
    return gradient is not None and size(gradient) != 0.0


def _bad_contribution(walk: Walk, edge: Edge) -> Finding:
    """Return the finding for a contribution that is not finite although every value is finite."""
    root, (node, _, operand, upstream, local, contribution) = walk.root, edge
    factors = [x for x in (upstream, local) if not hasattr(x, "text")]
    infinite = [x for x in factors if not finite(x)]
    if _mixes(node):
        zero = any(not size(x) for x in factors if finite(x))
    else:
        place = place_of_not_finite(contribution)
        zero = any(element(x, place, contribution) == 0.0 for x in factors)
    kind = "0 · inf" if infinite and zero else "infinite derivative" if infinite else "overflow"
    sum_up = notation.number(not_finite(contribution))
    if len(factors) == 2:
        sum_up = f"{_in_a_factor(upstream)} × {_in_a_factor(local)} = {sum_up}"
    product = times(derivative_of(root, node), partial(node, operand), node)
    message = f"{derivative_of(root, operand)} gets {product} = {sum_up}"
    if not hasattr(node.raw, "shape"):
        message += where(node, node.numbers)
    dropped = kind == "0 · inf" and _selections(node, walk.nodes)
    fix = SELECTED if dropped else fix_of_derivative(node, kind, bool(infinite))
    return Finding(kind, node, message, fix, own_smallest_graph(node))


def _described(node: Node) -> tuple[str, Node | None]:
    """Return the values of a node's operands as text, and the smallest graph that reproduces the node."""
    return where(node, node.numbers), own_smallest_graph(node)


def _nothing_arrived(
    walk: Walk, leaf: Node, stops: Sequence[Stop], describe: Callable[[Node], tuple[str, Node | None]]
) -> Finding:
    """Return the finding for a leaf whose gradient is missing or 0.

    If the gradient stops at several edges, the message shows the edge nearest to the leaf and counts the others.
    """
    nothing = f"no gradient reached {called(leaf)}"
    if not stops:
        return Finding("no gradient", leaf, f"{nothing}: its contributions add up to 0")
    node, operand, local = stops[0]
    others = len(stops) - 1
    more = f", and at {counted(others, 'other edge')}{' or more' * (len(stops) == MOST_STOPS)}" if others else ""
    if local is not None and not hasattr(local, "text") and size(local):
        product = f"{size(walk.gradient(node)):.1e} × {size(local):.1e}"
        message = f"{nothing}: the gradient shrinks along the path until {product} is 0 at {said(node)}"
        return Finding("vanishing gradient", leaf, message + more, TOO_SMALL)
    values, reproduced = describe(node)
    message = (
        f"{nothing}: the gradient stops at {said(node)}, whose local derivative with respect to {called(operand)} is 0"
        f"{values}{more}"
    )
    fix = FLAT.get(node.op, "the local derivative is 0 at this point: move the input away from this point")
    return Finding("no gradient", leaf, message, fix, reproduced)


def _above(leaf: Node, nodes: Sequence[Node]) -> set[Node]:
    """Return the nodes that were computed from the given leaf."""
    found = {leaf}
    for node in reversed(nodes):
        if any(operand in found for operand in node.operands):
            found.add(node)
    return found - {leaf}


def _out_of_proportion(walk: Walk, leaf: Node, ways: Ways, paths: Paths) -> Iterator[Finding]:
    """Yield a finding if the gradient vanishes or explodes on its way to a leaf.

    The finding shows the node that changes the gradient most.
    """
    weight = size(walk.gradient(leaf))
    if SMALL <= weight <= LARGE:
        return
    if not paths:
        paths |= _paths(walk, ways)
    small = weight < SMALL
    length, *extremes = paths[leaf]
    factor, lower, upper = extremes[0 if small else 1]
    changes = f"the gradient {'shrinks' if small else 'grows'} from 1 to {weight:.1e}"
    message = (
        f"from {called(walk.root)} to {called(leaf)}, {changes} on a path of {length:,} edges; the largest change "
        f"is at {said(upper)}, which multiplies the gradient by {factor:.1e} on the way to {called(lower)}"
    )
    kind = "vanishing gradient" if small else "exploding gradient"
    yield Finding(kind, leaf, message, TOO_SMALL if small else TOO_LARGE)


def _paths(walk: Walk, ways: Ways) -> Paths:
    """Return, for each node, the length of its path to the root, and the smallest and the largest change on it."""
    paths: Paths = {}
    sizes = {walk.root: size(walk.gradient(walk.root))}
    for node in walk.nodes:  # the root comes first, and each node comes after the nodes above it
        if node in ways:
            above = ways[node][1]
            sizes[node] = size(walk.gradient(node))
            share = sizes[node] / (sizes[above] or math.inf), node, above
            length, smallest, largest = paths.get(above, (0, share, share))
            paths[node] = (
                length + 1,
                share if share[0] <= smallest[0] else smallest,
                share if share[0] >= largest[0] else largest,
            )
    return paths


def _place(entry: Sequence[int]) -> str:
    return f", at element {list(entry)}" if entry else ""


def _in_a_factor(x: Quantity) -> str:
    return notation.factor(notation.quantity(x) if finite(x) else notation.number(not_finite(x)))
