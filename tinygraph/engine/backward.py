"""The fast backward pass. It applies the same rule as `autodiff.propagate`, so you can skip this file at first.

Gradients are summed in the slot `grad` of each node. A test checks that `propagate` computes bit-identical gradients.
If only leaves have several consumers, as in most losses, one traversal is enough. Otherwise, a first traversal counts
consumers, and a second traversal follows Kahn's order.
"""

from __future__ import annotations

from itertools import count
from operator import attrgetter, neg

from tinygraph.engine.graph import MANY, Node, check_fresh, order
from tinygraph.support import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_owned = clock.owned
_unfinished: list[Node] = []  # the root of the pass that is running or was interrupted
_grad = attrgetter("raw_grad")
_marks = map(neg, count(1))  # negative numbers, two for each pass


def backward(
    root: Node, seed: Any, accumulate: Callable[[Node], None] | None = None, nodes: Sequence[Node] | None = None
) -> list[Any] | None:
    """Set `.grad` on every node that a gradient from the root reaches. Each gradient starts from zero.

    If the values are not floats, the consumers are counted first, and `accumulate(root)` then passes the gradients on.
    If `nodes` (all nodes that a gradient reaches) is given, return their gradients, and restore every `.grad`.

    A lock serializes passes and edits, because a pass stores counts in the nodes, and threads can share leaves. If an
    exception or Ctrl-C interrupts a pass, the counts are reset, so that the next pass is correct. An edit during the
    pass can only come from the same thread, or be made in place. It is noticed at the end of the pass.
    """
    inside = _owned()
    with clock.lock:
        if _unfinished:
            begin(inside)
        kept = None if nodes is None else list(map(_grad, nodes))
        now = clock.edits
        try:
            _unfinished.append(root)
            if accumulate is not None or not _accumulate_at_once(root, seed):
                if _count_consumers(root):
                    check_fresh(order(root) if nodes is None else nodes)
                root.raw_grad = seed
                (accumulate or _accumulate)(root)
                if clock.changed > now:
                    check_fresh(order(root) if nodes is None else nodes)
            _unfinished.clear()
            return None if nodes is None else list(map(_grad, nodes))
        finally:
            if _unfinished:
                _clean_up()
            if nodes is not None and kept is not None:
                for node, gradient in zip(nodes, kept, strict=True):
                    node.raw_grad = gradient


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
        for node in order(root):
            node.awaited = 0
            node.raw_grad = None  # instead of a partial sum
    _unfinished.clear()


def _clean_up_in_child() -> None:
    if not _owned():  # the thread that could finish the pass does not exist in the child
        _clean_up()


clock.at_fork(_clean_up_in_child)


def _accumulate_at_once(root: Node, seed: Any) -> bool:
    """Pass gradients on in a single traversal, which is correct if only leaves have several consumers.

    If the traversal reaches an inner node that has several consumers or may be stale, return False. The pass must then
    start again and count the consumers first. A successful single traversal takes two thirds of the time of two
    traversals.

    In this file, the code for each of the two operands is written out, because a loop over the operands takes twice as
    long. The traversal continues directly with the last operand instead of pushing it onto the stack, which saves a
    quarter of the time. Python 3.11 specializes a `while True` loop while the loop runs, so this loop is four times as
    fast as `while stack`.
    """
    leaf, inner = next(_marks), next(_marks)  # marks for the nodes that this pass has reached
    changed = clock.changed
    root.raw_grad = seed
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        if node.version < changed:
            return False
        upstream = node.raw_grad
        onward = None
        local = node.x_partial
        if local is not None:
            operand = node.x
            mark = operand.awaited
            if mark is leaf:
                operand.raw_grad += upstream * local
            elif mark is inner:
                return False
            else:
                operand.raw_grad = upstream * local
                if operand.op is None:
                    operand.awaited = leaf
                else:
                    operand.awaited = inner
                    onward = operand
        local = node.y_partial
        if local is not None:
            if local is MANY:
                for operand, local in zip(node.x, node.y):  # noqa: B905  (there can be fewer derivatives than operands)
                    if local is not None:
                        mark = operand.awaited
                        if mark is leaf:
                            operand.raw_grad += upstream * local
                        elif mark is inner:
                            return False
                        else:
                            operand.raw_grad = upstream * local
                            if operand.op is None:
                                operand.awaited = leaf
                            else:
                                operand.awaited = inner
                                push(operand)
            else:
                operand = node.y
                mark = operand.awaited
                if mark is leaf:
                    operand.raw_grad += upstream * local
                elif mark is inner:
                    return False
                else:
                    operand.raw_grad = upstream * local
                    if operand.op is None:
                        operand.awaited = leaf
                    else:
                        operand.awaited = inner
                        if onward is not None:
                            push(onward)
                        onward = operand
        if onward is not None:
            node = onward
        elif stack:
            node = pop()
        else:
            return True


def _count_consumers(root: Node) -> bool:
    """Count the contributions that each gradient waits for, and return whether any node may be stale.

    Each sum starts at -0.0, which does not change what is added. 0.0 would turn -0.0 into 0.0.
    """
    changed, suspicious = clock.changed, False
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        if node.version < changed and node.op is not None:
            suspicious = True
        onward = None
        if node.x_partial is not None:
            operand = node.x
            awaited = operand.awaited
            if awaited > 0:
                operand.awaited = awaited + 1
            else:
                operand.awaited = 1
                operand.raw_grad = -0.0
                onward = operand
        local = node.y_partial
        if local is not None:
            if local is MANY:
                for operand, local in zip(node.x, node.y):  # noqa: B905
                    if local is not None:
                        awaited = operand.awaited
                        if awaited > 0:
                            operand.awaited = awaited + 1
                        else:
                            operand.awaited = 1
                            operand.raw_grad = -0.0
                            push(operand)
            else:
                operand = node.y
                awaited = operand.awaited
                if awaited > 0:
                    operand.awaited = awaited + 1
                else:
                    operand.awaited = 1
                    operand.raw_grad = -0.0
                    if onward is not None:
                        push(onward)
                    onward = operand
        if onward is not None:
            node = onward
        elif stack:
            node = pop()
        else:
            return suspicious


def _accumulate(root: Node) -> None:
    """Pass gradients on in Kahn's order: a node's turn comes after all of its consumers have contributed."""
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        upstream = node.raw_grad
        onward = None
        local = node.x_partial
        if local is not None:
            operand = node.x
            operand.raw_grad += upstream * local
            left = operand.awaited - 1
            operand.awaited = left
            if not left:
                onward = operand
        local = node.y_partial
        if local is not None:
            if local is MANY:
                for operand, local in zip(node.x, node.y):  # noqa: B905
                    if local is not None:
                        operand.raw_grad += upstream * local
                        left = operand.awaited - 1
                        operand.awaited = left
                        if not left:
                            push(operand)
            else:
                operand = node.y
                operand.raw_grad += upstream * local
                left = operand.awaited - 1
                operand.awaited = left
                if not left:
                    if onward is not None:
                        push(onward)
                    onward = operand
        if onward is not None:
            node = onward
        elif stack:
            node = pop()
        else:
            return


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


def final_gradients(root: Node, seed: Any, nodes: Sequence[Node]) -> list[Any]:
    """Return the gradients of `nodes` without changing any `.grad`. `nodes` contains all nodes that a pass reaches."""
    found = root._backpropagate(seed, nodes)
    assert found is not None
    return found
