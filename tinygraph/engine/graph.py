"""The graph: nodes, their reverse topological order, and edits of leaves.

A node is plain data. Its op defines its computation, and its class (`Value` or `Tensor`) defines the type of its value.
"""

from __future__ import annotations

from tinygraph.engine.acceleration import accelerated
from tinygraph.engine.clock import clock
from tinygraph.engine.logits import ActivationOp, LogitPair, plain
from tinygraph.engine.metadata import Metadata, owned
from tinygraph.engine.op import Traced
from tinygraph.engine.variadic import MANY as MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Self

    from tinygraph.engine.op import Op


class StaleGraphError(RuntimeError):
    """A leaf was edited after the graph was recorded, so the graph's values no longer match its leaves."""


@accelerated
class Slots:
    """The slots of a node."""

    __slots__ = (
        "awaited", "is_constant", "metadata", "op", "raw", "raw_grad", "version", "x", "x_partial", "y", "y_partial",
    )  # fmt: skip


class Node(Slots, Traced):
    """A value, with the op and operands that computed it. A node is plain data, without closures or reference cycles.

    `op` is an op, or None for a leaf. `x` and `y` are the operands (nodes or plain numbers). `x_partial` and
    `y_partial` are the operands' local derivatives, or None where no gradient flows. `raw` is the value behind `data`.
    """

    __slots__ = ()

    raw: Any
    raw_grad: Any  # behind `grad`, without its check
    grad: Any = property(lambda node: node.raw_grad, lambda node, gradient: node._set_grad(gradient))
    """The gradient that the last backward pass set, or None before the first pass."""
    op: Op | None
    """The op that computed the node, or None for a leaf."""
    x: Any
    y: Any
    x_partial: Any
    y_partial: Any
    awaited: int  # number of consumers that must still contribute to the gradient; 0 outside a pass
    is_constant: bool  # behind `constant`, which is read-only
    version: int  # the edit clock when the node was computed, or when the leaf was last edited
    metadata: Metadata | None
    _editable = False  # whether values are arrays, which can be edited in place

    @property
    def args(self) -> tuple[Any, ...]:
        """The operands in order: nodes or plain numbers."""
        if self.y_partial is MANY:
            return self.x  # type: ignore[no-any-return]
        return () if self.op is None else (self.x,) if self.y is None else (self.x, self.y)

    @property
    def numbers(self) -> list[Any]:
        """The values of the operands in order."""
        return [arg.raw if isinstance(arg, Node) else arg for arg in self.args]

    @property
    def partials(self) -> tuple[Any, ...]:
        """The local derivative for each operand, or None where no gradient flows."""
        return self.stored_partials

    @property
    def stored_partials(self) -> tuple[Any, ...]:
        """The content of the slot for each operand's local derivative, or None where no gradient flows."""
        if self.y_partial is MANY:
            return (*self.y, *[None] * (len(self.x) - len(self.y)))
        if self.op is None:
            return ()
        return (plain(self.x_partial),) if self.y is None else (plain(self.x_partial), self.y_partial)

    @property
    def multipliers(self) -> tuple[Any, ...]:
        """The local derivatives as the chain rule uses them: like `partials`, but with each `LogitPair`."""
        local = self.x_partial
        return (LogitPair(local.activation, local.logit), self.y_partial) if type(local) is LogitPair else self.partials

    @property
    def operands(self) -> list[Node]:
        """The operands that are nodes."""
        return [arg for arg in self.args if isinstance(arg, Node)]

    @property
    def constant(self) -> bool:
        """True if the node is a constant, which has no gradient."""
        return self.is_constant

    @property
    def name(self) -> str:
        """The name of the node, or "" for an unnamed node. You can assign a new name."""
        return self.metadata.name if self.metadata else ""

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a name must be a str, not {name!r}")
        self.annotate().name = name

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the scopes in which the node was recorded, outermost first."""
        return self.metadata.scope if self.metadata else ()

    @property
    def line(self) -> str:
        """The source line that recorded the node, as "file:line", or "" if `trace_lines` was not active."""
        return self.metadata.line if self.metadata else ""

    def annotate(self) -> Metadata:
        """Return the node's own metadata. The first call creates the metadata."""
        if self.metadata is None or self.metadata.shared:
            with clock.guard_lock:  # two threads must not create it twice
                self.metadata = owned(self.metadata)
        return self.metadata

    def _link(self, op: Op | None, args: Sequence[Any], partials: Sequence[Any]) -> None:
        """Fill the slots for the op, the operands and the local derivatives."""
        self.op = op
        self.x = self.y = self.x_partial = self.y_partial = None
        if op is None:
            return
        if op.variadic:
            self.x, self.y, self.y_partial = tuple(args), tuple(partials), MANY
        else:
            self.x, self.y, *_ = *args, None  # one or two operands
            self.x_partial, self.y_partial, *_ = *partials, None
            if type(op) is ActivationOp and type(self.x_partial) is float:
                self.x_partial = op.paired(self.x_partial, self.raw, args)

    # Methods that differ between backends: a `Value` contains a float, and a `Tensor` contains an array.

    def __copy__(self) -> Self:
        raise NotImplementedError

    def _snapshot(self) -> Any:
        """Return the value in a form that later edits of this node do not change."""
        return self.raw

    def _portable(self) -> Any:
        """Return the value in a form whose copy or pickle gives the same bits in later computations."""
        return self.raw

    def _recompute(self) -> None:
        """Recompute the value and the local derivatives from the operands."""
        raise NotImplementedError

    def _edited(self) -> bool:
        """Notice edits in place. Return whether a constant array that this node uses was edited."""
        return False

    def _renew(self) -> None:
        """Forget what is known of edits in place. A copy has its own arrays."""

    @classmethod
    def _constant(cls, raw: Any) -> Self:
        """Return a constant leaf."""
        raise NotImplementedError

    def _seed(self, seed: Any, what: str = "seed") -> Any:
        """Return a seed or a tangent for this node. If `seed` is None, return 1."""
        raise NotImplementedError

    def _gradient(self, adjoint: Any) -> Any:
        """Return a sum of contributions as the gradient of this node. None (no contribution) gives zero."""
        return 0.0 if adjoint is None else adjoint

    def _units(self) -> Iterator[Any]:
        """Yield one seed per element of this node: 1 for that element, and 0 for the others."""
        yield 1.0

    def _stacked(self, rows: list[Any], x: Node) -> Any:  # noqa: ARG002
        """Join the derivatives of all elements of this node with respect to x."""
        (row,) = rows
        return row

    @staticmethod
    def _run(function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that computes with values of this backend."""
        return function(*args)

    def _backpropagate(self, seed: Any) -> None:
        """Run a backward pass. After an interrupted pass, gradients are None instead of partial sums."""
        raise NotImplementedError


def write(node: Node, raw: Any) -> None:
    """Write the value of a node, and update the comparisons in which the node took part."""
    node.raw = raw
    if node.metadata:
        with clock.guard_lock:
            node.metadata.update(raw, clock.edits + 1 if node.op is None else None)  # after each of the comparisons


def edit(leaf: Node, raw: Any) -> None:
    """Write the value of a leaf. Graphs that were recorded with the old value become stale.

    Raises:
        AttributeError: If the node is not a leaf.
    """
    if leaf.op is not None:
        raise AttributeError(
            f"data of a computed node is read-only ({leaf!r}): edit the leaves it came from, "
            "then recompute it with .forward()"
        )
    if raw is leaf.raw:  # an array that was edited in place, perhaps during a pass of another thread, which notices it
        leaf.version = clock.tick()
    with clock.lock:
        leaf.version = clock.tick()  # first, so that an interrupted edit is noticed
        write(leaf, raw)
        leaf.version = clock.tick()  # last, because another thread may have read the old value
        if leaf.constant:
            clock.constant_edits = leaf.version


def complete(node: Node, now: int) -> None:
    """Fill the remaining slots of a new node whose operands were read at the time `now`, and call the contexts."""
    node.raw_grad = node.metadata = None
    node.awaited = 0
    node.version = now
    if clock.constant_edits:
        check_constants(node)
    if clock.watch is not None:
        clock.watch(node)


def adopt(nodes: Sequence[Node]) -> None:
    """Set the edit clock to the time of new nodes that were loaded, because another process's clock may be ahead."""
    latest = max([max(node.version, node.metadata.latest() if node.metadata else 0) for node in nodes])
    clock.catch_up(latest)
    for node in nodes:
        if node.constant and any(operand.version > node.version for operand in node.operands):
            clock.constant_edits = max(clock.constant_edits, latest)  # its operand was edited in the other process


@accelerated
def order(root: Node) -> list[Node]:
    """Return the nodes of a graph in reverse topological order: the root first, and every node before its operands.

    Args:
        root: Output of the graph.

    Returns:
        The root, and all nodes from which the root was computed.

    References:
        A. B. Kahn, "Topological sorting of large networks", Communications of the ACM 5(11), 558-562, 1962.

    Examples:
        >>> from tinygraph import Value
        >>> b = Value(2.0, name="b"); c = b + b; J = c * b
        >>> [node.name or node.op.name for node in order(J)]
        ['mul', 'add', 'b']
    """
    consumers: dict[Node, int] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        for operand in node.x if node.y_partial is MANY else (node.x, node.y):  # `args` would take twice as long
            if isinstance(operand, Node):
                if operand in consumers:
                    consumers[operand] += 1
                else:
                    consumers[operand] = 1
                    stack.append(operand)
    nodes = []
    stack = [root]
    while stack:
        node = stack.pop()
        nodes.append(node)
        for operand in node.x if node.y_partial is MANY else (node.x, node.y):
            if isinstance(operand, Node):
                left = consumers[operand] = consumers[operand] - 1
                if not left:
                    stack.append(operand)
    return nodes


def check_fresh(nodes: Sequence[Node]) -> None:
    """Raise StaleGraphError if one of the given nodes is older than one of its operands."""
    changed = edited(nodes)
    for node in older(nodes, clock.changed):
        for operand in node.operands:
            if operand.version > node.version:
                leaf = operand
                while leaf.op is not None:
                    leaf = max(leaf.operands, key=lambda node: node.version)
                leaf = leaf.__copy__()
                leaf.raw_grad = None  # the gradient is outdated, or a partial sum
                raise StaleGraphError(
                    f"the leaf {leaf!r} was edited after this graph was recorded, so its values are "
                    "stale: recompute them with root.forward(), or record the graph again"
                )
    if changed:
        raise edited_array(changed[0])


@accelerated
def older(nodes: Sequence[Node], time: int) -> list[Node]:
    """Return the nodes that were computed, or last edited, before the given time of the edit clock."""
    return [node for node in nodes if node.version < time]


def edited(nodes: Sequence[Node]) -> list[Node]:
    """Notice edits of arrays in place. Return the nodes that use a constant array which was edited."""
    # All nodes of a graph have one backend, and looking at a million Values takes half of the time of a backward pass.
    return [node for node in nodes if node._edited()] if nodes and nodes[0]._editable else []


def edited_array(node: Node) -> StaleGraphError:
    """Return the error for a node that uses a constant array which was edited."""
    what = f"the operation {node.op.name!r}" if node.op else "a node"
    return StaleGraphError(
        f"a constant array was edited in place after {what} used it, so the values of the graph are "
        "stale: recompute them with root.forward(), or record the graph again"
    )


def check_constants(node: Node) -> None:
    """Raise StaleGraphError if a new node uses a constant whose operands were edited after the constant was computed.

    A backward pass does not reach constants, so a constant is checked when a new node uses it.
    """
    for operand in node.operands:
        if operand.version < clock.constant_edits and operand.op is not None and operand.constant:
            check_fresh(order(operand))


def require_node(node: Any, what: str) -> Node:
    """Return the given node, or raise TypeError if it is not a node. `what` names the node in the message."""
    if not isinstance(node, Node):
        hint = ": value_and_grad(f) differentiates a function" if what == "grad: y" and callable(node) else ""
        raise TypeError(f"{what} must be a node of a graph (a Value or a Tensor), not {node!r}{hint}")
    return node
