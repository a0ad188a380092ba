"""The backward pass: the rule of `autodiff.propagate`, with the gradients in the nodes or in a list.

For gradients in the nodes, a first traversal counts the contributions that each gradient waits for, and a second one
adds them in Kahn's order. A test checks that `propagate` computes bit-identical gradients.
"""

from __future__ import annotations

from tinygraph.engine.acceleration import accelerated
from tinygraph.engine.clock import at_fork, clock
from tinygraph.engine.graph import MANY, Node, check_fresh, edited, order
from tinygraph.engine.logits import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_owned = clock.owned
_unfinished: list[Node] = []  # the root of the pass that is running or was interrupted


def backward(root: Node, seed: Any, accumulate: Callable[[Node], None] | None = None) -> None:
    """Set `.grad` on every node that a gradient from the root reaches. Each gradient starts from zero.

    If the values are not floats, the consumers are counted first, and `accumulate(root)` then passes the gradients on.

    A lock serializes passes and edits, because a pass stores counts in the nodes, and threads can share leaves. If an
    exception or Ctrl-C interrupts a pass, the counts are reset, so that the next pass is correct. An edit during the
    pass can only come from the same thread, or be made in place. It is noticed at the end of the pass.
    """
    inside = _owned()
    with clock.lock:
        if _unfinished:
            begin(inside)
        now = clock.edits
        try:
            _unfinished.append(root)
            if count_consumers(root):
                check_fresh(order(root))
            root.raw_grad = seed
            (accumulate or add_contributions)(root)
            if clock.changed > now:
                check_fresh(order(root))
            _unfinished.clear()
        finally:
            if _unfinished:
                _clean_up()


def backward_and_add(root: Node, seed: Any) -> None:
    """Run a pass, and add to the gradients that leaves already have. If the pass is interrupted, restore them.

    The lock covers the whole sum, so that no contribution is lost if threads share leaves.
    """
    inside = _owned()
    with clock.lock:
        if _unfinished:
            begin(inside)
        leaves = [node for node in order(root) if node.op is None]
        held = [leaf.raw_grad for leaf in leaves]
        try:
            root._backpropagate(seed)
        except BaseException:
            for leaf, old in zip(leaves, held, strict=True):
                leaf.raw_grad = old
            raise
        for leaf, old in zip(leaves, held, strict=True):
            if old is not None and not leaf.constant:
                leaf.raw_grad = leaf._gradient(leaf.raw_grad + old)


def begin(inside: bool) -> None:
    """Undo a pass whose own cleanup was interrupted. Call this function after acquiring `clock.lock`.

    Args:
        inside: Whether this thread had the lock already.

    Raises:
        RuntimeError: If a pass of this thread is still running.
    """
    if inside and _unfinished:
        raise RuntimeError(
            "backward() was called from within a backward pass of the same thread: call it after that pass has ended"
        )
    _clean_up()


def _clean_up() -> None:
    """Undo an interrupted pass. If the cleanup is interrupted too, the next pass repeats it."""
    for root in _unfinished:
        reset(root)
    _unfinished.clear()


@accelerated
def reset(root: Node) -> None:
    """Set the counts to zero, and the gradients to None instead of partial sums."""
    for node in order(root):
        node.awaited = 0
        node.raw_grad = None


def _clean_up_in_child() -> None:
    if not _owned():  # the thread that could finish the pass does not exist in the child
        _clean_up()


at_fork(_clean_up_in_child)


@accelerated
def count_consumers(root: Node) -> bool:
    """Count the contributions that each gradient waits for, and return whether any node may be stale."""
    changed, suspicious = clock.changed, False
    stack = [root]
    while stack:
        node = stack.pop()
        if node.version < changed and node.op is not None:
            suspicious = True
        if node.y_partial is MANY:
            for operand, local in zip(node.x, node.y):  # noqa: B905  (there can be fewer derivatives than operands)
                if local is not None:
                    _await(operand, stack)
        else:
            if node.x_partial is not None:
                _await(node.x, stack)
            if node.y_partial is not None:
                _await(node.y, stack)
    return suspicious


def _await(operand: Node, stack: list[Node]) -> None:
    """Count one more contribution. Each sum starts at -0.0, because 0.0 would turn a contribution of -0.0 into 0.0."""
    if not operand.awaited:
        operand.raw_grad = -0.0
        stack.append(operand)
    operand.awaited += 1


@accelerated
def schedule(root: Node) -> list[Node]:
    """Return the nodes that a gradient reaches, in Kahn's order: each node after all of its consumers.

    Call `count_consumers` first. The counts are 0 afterwards.
    """
    nodes, stack = [], [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        edges = zip(node.x, node.y) if node.y_partial is MANY else ((node.x, node.x_partial), (node.y, node.y_partial))  # noqa: B905
        for operand, local in edges:
            if local is not None:
                operand.awaited -= 1
                if not operand.awaited:
                    stack.append(operand)
    return nodes


@accelerated
def add_contributions(root: Node) -> None:
    """Pass gradients on in Kahn's order: a node's turn comes after all of its consumers have contributed."""
    stack = [root]
    while stack:
        node = stack.pop()
        upstream = node.raw_grad
        if node.y_partial is MANY:
            for operand, local in zip(node.x, node.y):  # noqa: B905
                if local is not None:
                    _add(operand, upstream * local, stack)
        else:
            if node.x_partial is not None:
                _add(node.x, upstream * node.x_partial, stack)
            if node.y_partial is not None:
                _add(node.y, upstream * node.y_partial, stack)


def _add(operand: Node, contribution: Any, stack: list[Node]) -> None:
    """Add a contribution to a gradient. After the last one, it is the operand's turn."""
    operand.raw_grad += contribution
    operand.awaited -= 1
    if not operand.awaited:
        stack.append(operand)


# --- the same rule, with the gradients in a list


@accelerated
def adjoints(nodes: list[Node], seed: Any) -> list[Any]:
    """Apply the chain rule from the root to the leaves, without changing any `.grad`.

    Args:
        nodes: Nodes of the graph, as `order` returns them.
        seed: Gradient of the root.

    Returns:
        The gradient of each node, or None for a node that no gradient reaches.

    Examples:
        >>> from tinygraph import Value
        >>> b, c = Value(3.0), Value(2.0)
        >>> adjoints([b * c, c, b], 1.0)
        [1.0, 3.0, 2.0]
    """
    found: dict[Node, Any] = dict.fromkeys(nodes)
    found[nodes[0]] = seed
    for node, upstream in found.items():  # each node after all of its consumers
        if upstream is not None:
            # A variadic op can have fewer local derivatives than operands.
            for operand, local in zip(node.args, node.multipliers, strict=False):
                if local is not None:
                    old = found[operand]
                    found[operand] = (-0.0 if old is None else old) + upstream * local
    return [None if gradient is None else node._gradient(plain(gradient)) for node, gradient in found.items()]


def gradients(root: Node, seed: Any, nodes: list[Node]) -> list[Any]:
    """Return the gradient of each node of a graph, without changing any `.grad`.

    Args:
        root: Node to start from.
        seed: Gradient of the root.
        nodes: Nodes of the graph, as `order` returns them.

    Returns:
        The gradients, or None for a node that no gradient reaches.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.
    """
    with clock.lock:  # no other thread may edit a leaf meanwhile
        now = clock.edits
        check_fresh(nodes)
        found: list[Any] = root._run(adjoints, nodes, seed)
        if edited(nodes) or clock.changed > now:  # an array or a leaf was edited meanwhile
            check_fresh(nodes)
    return found


# --- functions for other packages, which call methods that each backend implements


def seed_of(root: Node, seed: Any = None, what: str = "seed") -> Any:
    """Return the seed of a pass from the root, or 1 if `seed` is None. `what` names the seed in messages."""
    return root._seed(seed, what)


def as_gradient(node: Node, adjoint: Any) -> Any:
    """Return a sum of contributions as a gradient with the node's type and shape. If `adjoint` is None, return zero."""
    return node._gradient(adjoint)


def compute(root: Node, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that computes with values of the root's backend. For arrays, NumPy's warnings are off."""
    return root._run(function, *args)
