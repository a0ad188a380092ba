"""The backward pass, fast: a first reader may skip this file. It is `autodiff.propagate` again, and no other rule.

Gradients are summed in the slots of the nodes, and a test holds the two to the same bits. Where only leaves are shared,
as in most losses, one traversal does it; else a first one counts consumers, and a second follows Kahn's order.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident
from itertools import count
from operator import attrgetter, neg

from tinygraph.engine import graph
from tinygraph.engine.graph import MANY, Node, check_fresh, order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_pass_lock = allocate_lock()
_passing: int | None = None  # the thread that holds the pass lock
_unfinished: list[Node] = []  # the root of the pass that runs, or that was interrupted
_grad = attrgetter("grad")
_marks = map(neg, count(1))  # numbers below 0, of which each pass takes two


def backward(
    root: Node, seed: Any, accumulate: Callable[[Node], None] | None = None, nodes: Sequence[Node] | None = None
) -> list[Any] | None:
    """Set `.grad` on every node a gradient reaches from the root, each starting from zero.

    `accumulate(root)` passes gradients on where the numbers are no floats; consumers are counted by then.
    With `nodes`, all that a gradient reaches, return their gradients instead, and leave `.grad` as it was.

    Passes are serialised by a lock: they count in the nodes, and threads may share leaves. A pass
    left by an exception or Ctrl-C puts the counts back, so that the next one is right.
    """
    global _passing
    if _passing == get_ident() and _pass_lock.locked():  # the lock is let go whatever interrupts, the name may stay
        raise RuntimeError("backward() was called from within a backward pass of the same thread")
    with _pass_lock:
        _passing = get_ident()
        kept = None if nodes is None else list(map(_grad, nodes))
        try:
            if _unfinished:
                _clean_up()
            _unfinished.append(root)
            if accumulate is not None or not _accumulate_at_once(root, seed):
                if _count_consumers(root) and nodes is None:  # who has the nodes has checked them
                    check_fresh(order(root))
                root.grad = seed
                (accumulate or _accumulate)(root)
            _unfinished.clear()
            return None if nodes is None else list(map(_grad, nodes))
        finally:
            if _unfinished:
                _clean_up()
            if nodes is not None and kept is not None:
                for node, gradient in zip(nodes, kept, strict=True):
                    node.grad = gradient
            _passing = None


def _clean_up() -> None:
    """Undo a pass that was left; if even this is interrupted, the next pass does it."""
    for root in _unfinished:
        for node in order(root):
            node.awaited = 0
            node.grad = None  # rather than half a sum
    _unfinished.clear()


def _accumulate_at_once(root: Node, seed: Any) -> bool:
    """Pass gradients on along the first walk, which is right as long as only leaves are shared.

    False where it meets a shared inner node, or one that may be stale: the walk must then be done
    again, counting. Where nothing is in its way it takes two thirds of the time of counting first.

    Here and below the two operands are written out, which halves the time of a loop over them; the
    walk goes straight on to the last operand, which takes a quarter off that of stacking each; and
    `while True` is a loop that Python 3.11 specialises while it runs, four times as fast as `while stack`.
    """
    leaf, inner = next(_marks), next(_marks)  # what marks the nodes that this pass has reached
    now = graph.edits
    root.grad = seed
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        if node.version != now:
            return False
        upstream = node.grad
        onward = None
        local = node.x_partial
        if local is not None:
            operand = node.x
            mark = operand.awaited
            if mark is leaf:
                operand.grad += upstream * local
            elif mark is inner:
                return False
            else:
                operand.grad = 0.0 + upstream * local
                if operand.op is None:
                    operand.awaited = leaf
                else:
                    operand.awaited = inner
                    onward = operand
        local = node.y_partial
        if local is not None:
            if local is MANY:
                for operand, local in zip(node.x, node.y):  # noqa: B905  (local derivatives may end before operands)
                    if local is not None:
                        mark = operand.awaited
                        if mark is leaf:
                            operand.grad += upstream * local
                        elif mark is inner:
                            return False
                        else:
                            operand.grad = 0.0 + upstream * local
                            if operand.op is None:
                                operand.awaited = leaf
                            else:
                                operand.awaited = inner
                                push(operand)
            else:
                operand = node.y
                mark = operand.awaited
                if mark is leaf:
                    operand.grad += upstream * local
                elif mark is inner:
                    return False
                else:
                    operand.grad = 0.0 + upstream * local
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
    """Count how many contributions each gradient awaits; say whether edits must be looked for."""
    now, suspicious = graph.edits, False
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        if node.version != now and node.op is not None:
            suspicious = True
        onward = None
        if node.x_partial is not None:
            operand = node.x
            awaited = operand.awaited
            if awaited > 0:
                operand.awaited = awaited + 1
            else:
                operand.awaited = 1
                operand.grad = 0.0
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
                            operand.grad = 0.0
                            push(operand)
            else:
                operand = node.y
                awaited = operand.awaited
                if awaited > 0:
                    operand.awaited = awaited + 1
                else:
                    operand.awaited = 1
                    operand.grad = 0.0
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
    """Kahn's order: a node passes its gradient on once the last of its consumers has added to it."""
    stack: list[Node] = []
    pop, push = stack.pop, stack.append
    node = root
    while True:
        upstream = node.grad
        onward = None
        local = node.x_partial
        if local is not None:
            operand = node.x
            operand.grad += upstream * local
            left = operand.awaited - 1
            operand.awaited = left
            if not left:
                onward = operand
        local = node.y_partial
        if local is not None:
            if local is MANY:
                for operand, local in zip(node.x, node.y):  # noqa: B905
                    if local is not None:
                        operand.grad += upstream * local
                        left = operand.awaited - 1
                        operand.awaited = left
                        if not left:
                            push(operand)
            else:
                operand = node.y
                operand.grad += upstream * local
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


# --- what readers of a pass ask for; each backend has its own answer


def seed_of(root: Node, seed: Any = None, what: str = "seed") -> Any:
    """Return the gradient that a pass from this node starts with; None stands for 1. Errors name it `what`."""
    return root._seed(seed, what)


def as_gradient(node: Node, adjoint: Any) -> Any:
    """Return a sum of contributions as the gradient of a node: of its type and shape, zero for None."""
    return node._gradient(adjoint)


def compute(root: Node, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that computes with values of the root's backend; for arrays, NumPy's warnings are off."""
    return root._run(function, *args)


def final_gradients(root: Node, seed: Any, nodes: Sequence[Node]) -> list[Any]:
    """Return the gradients of all nodes that one backward pass reaches, and leave every `.grad` as it was."""
    found = root._backpropagate(seed, nodes)
    assert found is not None
    return found
