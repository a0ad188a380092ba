"""The chain rule as readable code that adds one contribution at a time, and functions that use this code.

In code, the chain rule is `operand.grad += upstream × local`. `propagate` yields every contribution and does not change
any node, so `grad`, derivative graphs and explaining tools all use it. `backward` computes the same gradients faster.
"""

from __future__ import annotations

from itertools import compress

from tinygraph.engine.backward import gradients
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, check_fresh, complete, edited, order, require_node
from tinygraph.engine.logits import LogitPair, plain
from tinygraph.support.arguments import like, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


BLOCK = 65_536  # number of nodes that are searched together. Ctrl-C has to wait for the end of a search.


def propagate(
    root: Node, seed: Any, adjoints: dict[Node, Any], create_graph: bool = False
) -> Iterator[tuple[Node, int, Node, Any, Any, Any]]:
    """Apply the chain rule from the root to the leaves. Yield each contribution after adding it to `adjoints`.

    Args:
        root: Node to start from.
        seed: Gradient of the root.
        adjoints: Dict that receives the gradient of each node that the pass reaches. Each `.grad` stays unchanged.
        create_graph: If true, all gradients are nodes, so that they can be differentiated again.

    Yields:
        A tuple (node, slot, operand, upstream, local, contribution) for each edge along which a gradient flows, right
        after the contribution is added.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> b, c = Value(3.0, name="b"), Value(2.0, name="c")
        >>> for node, slot, operand, *numbers in propagate(b * c, 1.0, {}):
        ...     print(operand.name, numbers)
        b [1.0, 2.0, 2.0]
        c [1.0, 3.0, 3.0]
    """
    nodes, now = order(root), clock.edits
    check_fresh(nodes)
    adjoints[root] = seed
    for node in nodes:
        if node.op is None or node not in adjoints:
            continue
        upstream = adjoints[node]
        shown = upstream
        if type(upstream) is LogitPair:  # it also contains the gradient that an activation passes on
            shown = adjoints[node] = upstream.activation
        if create_graph:
            partials = node.op.partials_at(node, node.args, [local is not None for local in node.stored_partials])
        else:
            partials = node.multipliers
        # A variadic op can have fewer local derivatives than operands.
        for slot, (operand, local) in enumerate(zip(node.args, partials, strict=False)):
            if local is not None:
                if create_graph:
                    contribution = _times(upstream, local)
                    adjoints[operand] = adjoints[operand] + contribution if operand in adjoints else contribution
                else:
                    contribution = upstream * local
                    adjoints[operand] = adjoints.get(operand, -0.0) + contribution
                yield node, slot, operand, shown, plain(local), plain(contribution)
    if edited(nodes) or clock.changed > now:  # an array or a leaf was edited meanwhile
        check_fresh(nodes)


def exhaust(steps: Iterator[Any]) -> None:
    """Run all steps of an iterator, and discard their results."""
    for _ in steps:
        pass


def _times(upstream: Any, local: Any) -> Any:
    """Return upstream × local without factors of 1, which would only clutter a derivative graph."""
    if type(local) is LogitPair:
        return LogitPair(_times(upstream, local.activation), _times(upstream, local.logit))
    if type(local) is float and local == 1.0:
        return upstream
    return local if type(upstream) is float and upstream == 1.0 else upstream * local


def grad(y: Node, xs: Any, *, seed: Any = None, create_graph: bool = False) -> Any:
    """Return the derivative of `y` with respect to one or more nodes.

    Stored `.grad` values do not change. To set `.grad`, use `backward`.

    Args:
        y: Output to differentiate: a scalar, unless `seed` is given.
        xs: Node, or sequence of nodes, to differentiate with respect to.
        seed: Upstream gradient (cotangent), with the shape of `y`. Defaults to 1.
        create_graph: If true, return nodes, so that the result can be differentiated again.

    Returns:
        The derivative as a float, or as an array with the node's shape for Tensors. If `create_graph` is true, the
        derivative is a new node. If `xs` is a sequence, the result is a list (or a namedtuple like `xs`) with one
        derivative per node. The derivative is zero for a node that `y` does not depend on.

    Raises:
        TypeError: If `y` is not a node, or `xs` is neither a node nor a sequence of nodes.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    References:
        Reverse mode: A. Griewank and A. Walther, Evaluating Derivatives: Principles and Techniques of Algorithmic
        Differentiation, 2nd edition, SIAM, 2008.

    Examples:
        >>> from tinygraph import Value
        >>> x = Value(3.0)
        >>> grad(x**3, x)
        27.0
        >>> first = grad(x**3, x, create_graph=True)
        >>> grad(first, x)
        18.0
    """
    require_node(y, "grad: y")
    nodes = listed("xs", xs, Node, "a node of a graph")
    start = y._seed(seed)
    found: dict[Node, Any] = {}
    taken: set[Node] = set()
    if create_graph:
        with clock.lock:  # no other thread may edit a leaf meanwhile
            exhaust(propagate(y, start, found, create_graph))
        taken.update(order(y))
    else:
        graph, wanted = order(y), set(nodes)
        adjoints = gradients(y, start, graph)
        for k in range(0, len(graph), BLOCK):
            block = graph[k : k + BLOCK]
            found.update(compress(zip(block, adjoints[k : k + BLOCK], strict=True), map(wanted.__contains__, block)))

    def result(x: Node) -> Any:
        adjoint = found.get(x)
        if isinstance(adjoint, Node):
            own = _separate(adjoint) if adjoint in taken else adjoint
            taken.add(own)
            return own
        gradient = x._gradient(adjoint)
        return type(y)._constant(gradient) if create_graph else gradient

    return result(xs) if isinstance(xs, Node) else like(xs, map(result, nodes))


def _separate(node: Any) -> Any:
    """Return a new node with the same value and derivatives, so that its name is not the name of an existing node."""
    if node.op is None:
        return 1.0 * node
    copy = node.__copy__()
    complete(copy, copy.version)
    return copy


def hessian(y: Node, xs: Any) -> Any:
    """Return the second derivatives of a scalar. The gradient's graph is differentiated in reverse mode.

    Args:
        y: Scalar to differentiate twice.
        xs: Node, or sequence of nodes, to differentiate with respect to.

    Returns:
        A float, or a list of rows if `xs` is a sequence. Each row is a list of floats. For Tensors, each element is an
        array whose shape is the shape of one node followed by the shape of the other node.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0), Value(3.0)
        >>> hessian(a * a * b, [a, b])
        [[6.0, 4.0], [4.0, 0.0]]
    """
    nodes = listed("xs", xs, Node, "a node of a graph")
    rows = [_jacobian(row, nodes) for row in grad(y, nodes, create_graph=True)]
    return rows[0][0] if isinstance(xs, Node) else like(xs, [like(xs, row) for row in rows])


def _jacobian(y: Node, xs: list[Node]) -> list[Any]:
    """Return the derivative of every element of y with respect to each x."""
    rows = [grad(y, xs, seed=unit) for unit in y._units()]
    return [y._stacked([row[i] for row in rows], x) for i, x in enumerate(xs)]
