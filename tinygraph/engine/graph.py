"""The graph: nodes, their topological order, and the chain rule along it.

What a node computes stands in the table (`ops`), what its numbers are in its class (`Value`). Here
is only the rule "operand.grad += upstream × slope". `propagate` yields every contribution and keeps
the sums to itself, so it serves `grad`, derivative graphs and whoever wants to look.
"""

from __future__ import annotations

from _thread import allocate_lock

from tinygraph.engine.metadata import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Self

    from tinygraph.engine.op import Op

clock = 0  # the edit clock: advanced whenever the number of a leaf is written
watch: Callable[[Node], None] | None = None  # called with each new node while a context is active

constant_clock = 0  # when a constant was last edited: no pass comes by there
_edit_lock = allocate_lock()


class StaleGraphError(RuntimeError):
    """A leaf was edited after the graph was recorded, so its numbers no longer belong together."""


class FrozenBranchError(RuntimeError):
    """A comparison between nodes of a recorded graph now comes out the other way."""


def flipped_branch(text: str, outcome: bool) -> FrozenBranchError:
    """The error for a comparison that comes out the other way than when it was recorded."""
    return FrozenBranchError(
        f"{text} was {outcome} when it was recorded and no longer is: "
        "record the graph again, or compare .data where no branch hangs on it"
    )


class _Many:
    """In slot `dy`, the mark of a node with any number of operands: in `x`, their slopes in `y`.

    The slopes end with the last operand that has one: a dot product with data has only half.
    """

    def __reduce__(self) -> str:
        return "MANY"


MANY = _Many()


class Node:
    """A value with how it came about: plain data, no closure, no reference cycle.

    `op` is a row of the table, or None for a leaf. `x` and `y` are the operands (nodes or plain
    numbers), `dx` and `dy` their slopes; where a slope is None, no gradient flows.
    """

    __slots__ = ("_data", "dx", "dy", "grad", "notes", "op", "pending", "stamp", "x", "y")

    _data: Any
    grad: Any
    op: Op | None
    x: Any
    y: Any
    dx: Any
    dy: Any
    pending: int  # consumers that have yet to contribute to the gradient; outside a pass 0, or a mark below 0
    stamp: int  # the clock when it was computed, or when the leaf was last edited
    notes: Notes | None

    @property
    def args(self) -> tuple[Any, ...]:
        """The operands in order: nodes or plain numbers."""
        if self.dy is MANY:
            return self.x  # type: ignore[no-any-return]
        return () if self.op is None else (self.x,) if self.y is None else (self.x, self.y)

    @property
    def numbers(self) -> list[Any]:
        """The numbers of the operands in order."""
        return [arg._data if isinstance(arg, Node) else arg for arg in self.args]

    @property
    def slopes(self) -> tuple[Any, ...]:
        """The local derivative for each operand; None where no gradient flows."""
        return self._flow

    @property
    def _flow(self) -> tuple[Any, ...]:
        """What the slots hold for each operand: None where no gradient flows."""
        if self.dy is MANY:
            return (*self.y, *[None] * (len(self.x) - len(self.y)))
        return () if self.op is None else (self.dx,) if self.y is None else (self.dx, self.dy)

    @property
    def operands(self) -> list[Node]:
        """The operands that are nodes."""
        return [arg for arg in self.args if isinstance(arg, Node)]

    @property
    def constant(self) -> bool:
        """Whether no gradient ever flows to this node."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The name of the node, or ""; assign to it to give one."""
        return self.notes.name if self.notes else ""

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a name is a str, not {name!r}")
        self.note().name = name

    @property
    def scope(self) -> tuple[str, ...]:
        """The names of the scopes the node was recorded in, outermost first."""
        return self.notes.scope if self.notes else ()

    @property
    def line(self) -> str:
        """Where the node was recorded, as "file:line"; "" unless `trace_lines` was active."""
        return self.notes.line if self.notes else ""

    def note(self) -> Notes:
        """The node's notes, made when first needed."""
        if self.notes is None:
            self.notes = Notes()
        return self.notes

    def _link(self, op: Op | None, args: Sequence[Any], slopes: Sequence[Any]) -> None:
        """Fill the slots that say how the node came about."""
        self.op = op
        self.x = self.y = self.dx = self.dy = None
        if op is None:
            return
        if op.variadic:
            self.x, self.y, self.dy = tuple(args), tuple(slopes), MANY
        else:
            self.x, self.y, *_ = *args, None  # one operand or two
            self.dx, self.dy, *_ = *slopes, None

    # What differs between backends.

    def _recompute(self) -> None:
        """Compute number and slopes anew from the operands."""
        raise NotImplementedError

    @classmethod
    def _constant(cls, number: Any) -> Self:
        """A constant leaf."""
        raise NotImplementedError

    def _seed(self, seed: Any, what: str = "seed") -> Any:
        """A gradient of this node to begin a pass with, or a tangent; None stands for 1."""
        raise NotImplementedError

    def _gradient(self, adjoint: Any) -> Any:
        """An adjoint as the gradient of this node; None, where it is not reached, as zero."""
        return 0.0 if adjoint is None else adjoint

    def _units(self) -> Iterator[Any]:
        """For each entry of this node the seed that picks it out."""
        yield 1.0

    def _stacked(self, rows: list[Any], x: Node) -> Any:  # noqa: ARG002
        """The gradients of x for each entry of this node, put together."""
        (row,) = rows
        return row

    @staticmethod
    def _run(function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that computes with numbers of this backend."""
        return function(*args)

    def _write(self, number: Any) -> None:
        self._data = number
        if self.notes:
            self.notes.update(number)

    def _edit(self, number: Any) -> None:
        """Write the number of a leaf; graphs recorded before are known to be stale from here on."""
        global constant_clock
        if self.op is not None:
            raise AttributeError(
                f"data of a computed node is read-only ({self!r}): edit the leaves it came from, "
                "then recompute it with .forward()"
            )
        self.stamp = _tick()
        if self.constant:
            constant_clock = self.stamp
        self._write(number)

    def forward(self) -> Self:
        """Recompute the graph of this node in place, after its leaves were edited; return the node.

        Raises FrozenBranchError where a comparison of nodes in the graph comes out the other way:
        the program would now record another graph. (The root's own comparisons shape nothing.)
        """
        nodes = order(self)
        now = 0
        for node in reversed(nodes):
            if any(operand.stamp > node.stamp for operand in node.operands):
                node._recompute()
                now = now or _tick()
                node.stamp = now  # written last: a node that an interrupt left out stays stale
        for node in nodes[1:]:
            for branch, _ in node.notes.branches.values() if node.notes else ():
                if branch.flipped():
                    self.stamp = -1
                    raise flipped_branch(branch.text, branch.outcome)
        return self

    # Copies work along the topological order, so that depth costs no recursion.

    def _state(self, stand_in: Callable[[Node], Any]) -> tuple[Any, ...]:
        args = tuple(stand_in(arg) if isinstance(arg, Node) else arg for arg in self.args)
        return type(self), self.op, self._data, self.grad, args, self._flow, self.stamp, self.notes

    def __copy__(self) -> Node:
        return _revive(*self._state(lambda operand: operand))

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        from copy import deepcopy

        for node in reversed(order(self)):
            if id(node) not in memo:
                state = node._state(lambda operand: memo[id(operand)])
                kind, op, *numbers = state[:4]
                memo[id(node)] = _revive(kind, op, *map(deepcopy, numbers), *state[4:-1], deepcopy(node.notes, memo))
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        index: dict[Node, int] = {}
        states = []
        for node in reversed(order(self)):
            states.append(node._state(index.__getitem__))
            index[node] = len(index)
        return _revive_all, (states,)


def _tick() -> int:
    """Advance the edit clock."""
    global clock
    with _edit_lock:
        clock += 1
        return clock


def _revive(kind: type[Node], op: Op | None, data: Any, grad: Any, *rest: Any) -> Node:
    global clock
    args, slopes, stamp, notes = rest
    node = object.__new__(kind)
    node._data, node.grad, node.pending, node.stamp, node.notes = data, grad, 0, stamp, notes
    node._link(op, args, slopes)
    with _edit_lock:
        clock = max(clock, stamp)  # a node from another process, where more was edited
    return node


def _revive_all(states: list[tuple[Any, ...]]) -> Node:
    """Rebuild a pickled graph; an int among the operands is the index of an earlier node."""
    nodes: list[Node] = []
    for *head, args, slopes, stamp, notes in states:
        args = tuple(nodes[arg] if type(arg) is int else arg for arg in args)
        nodes.append(_revive(*head, args, slopes, stamp, notes))
    return nodes[-1]


def order(root: Node) -> list[Node]:
    """Topological order by Kahn's algorithm: the root first, every node before its operands.

    >>> from tinygraph import Value
    >>> b = Value(2.0, name="b"); c = b + b; J = c * b
    >>> [node.name or node.op.name for node in order(J)]
    ['mul', 'add', 'b']
    """
    consumers: dict[Node, int] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        for operand in node.x if node.dy is MANY else (node.x, node.y):  # half the time of going by `args`
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
        for operand in node.x if node.dy is MANY else (node.x, node.y):
            if isinstance(operand, Node):
                left = consumers[operand] = consumers[operand] - 1
                if not left:
                    stack.append(operand)
    return nodes


def check_fresh(nodes: Sequence[Node]) -> None:
    """Raise StaleGraphError if one of these nodes is older than one of its operands."""
    for node in nodes:
        if node.stamp == clock:
            continue
        for operand in node.operands:
            if operand.stamp > node.stamp:
                leaf = operand
                while leaf.op is not None:
                    leaf = max(leaf.operands, key=lambda node: node.stamp)
                leaf = leaf.__copy__()
                leaf.grad = None  # it is no longer one, or half written
                raise StaleGraphError(
                    f"the leaf {leaf!r} was edited after this graph was recorded, so its numbers are "
                    "stale: recompute it with root.forward(), or record it again"
                )


def check_constants(node: Node) -> None:
    """Raise StaleGraphError if a new node uses a constant whose own operands were edited since.

    A backward pass does not come by constants, so this is looked at when one is used.
    """
    for operand in node.operands:
        if operand.stamp < constant_clock and operand.op is not None and operand.constant:
            check_fresh(order(operand))


# --- the chain rule, one contribution at a time ---------------------------------------------------


def propagate(
    root: Node, seed: Any, adjoints: dict[Node, Any], create_graph: bool = False
) -> Iterator[tuple[Node, int, Node, Any, Any, Any]]:
    """Run the chain rule from the root, summing into `adjoints`; no node is written to.

    Yields (node, slot, operand, upstream, slope, contribution) for each edge that a gradient
    flows along, just after the contribution was added. With `create_graph` all of these are nodes.

    >>> from tinygraph import Value
    >>> b, c = Value(3.0, name="b"), Value(2.0, name="c")
    >>> for node, slot, operand, *numbers in propagate(b * c, 1.0, {}):
    ...     print(operand.name, numbers)
    b [1.0, 2.0, 2.0]
    c [1.0, 3.0, 3.0]
    """
    nodes = order(root)
    check_fresh(nodes)
    adjoints[root] = seed
    for node in nodes:
        if node.op is None or node not in adjoints:
            continue
        upstream = adjoints[node]
        if create_graph:
            slopes = node.op.slopes(node, node.args, [slope is not None for slope in node._flow])
        else:
            slopes = node.slopes
        for slot, (operand, slope) in enumerate(zip(node.args, slopes, strict=False)):  # slopes may end before operands
            if slope is not None:
                if create_graph:
                    contribution = _times(upstream, slope)
                    seen = operand in adjoints
                    adjoints[operand] = adjoints[operand] + contribution if seen else contribution
                else:
                    contribution = upstream * slope
                    adjoints[operand] = adjoints.get(operand, 0.0) + contribution
                yield node, slot, operand, upstream, slope, contribution


def exhaust(events: Iterator[Any]) -> None:
    """Run all events, for what they do."""
    for _ in events:
        pass


def _times(upstream: Any, slope: Any) -> Any:
    """Their product, leaving out the factor 1 that would only clutter a derivative graph."""
    if type(slope) is float and slope == 1.0:
        return upstream
    return slope if type(upstream) is float and upstream == 1.0 else upstream * slope


def grad(y: Node, xs: Any, *, seed: Any = None, create_graph: bool = False) -> Any:
    """Derivatives of y with respect to one node, or a list of them for several; no `.grad` changes.

    With `create_graph` they are nodes, so that they can be differentiated again. A node that y
    does not depend on gives 0. `seed` is what they are multiplied by: 1, unless y is a Tensor of many
    entries. Raises StaleGraphError like `backward`.

    >>> from tinygraph import Value
    >>> x = Value(3.0)
    >>> grad(x**3, x)
    27.0
    >>> first = grad(x**3, x, create_graph=True)
    >>> grad(first, x)
    18.0
    """
    require_node(y, "grad: y")
    adjoints: dict[Node, Any] = {}
    start = y._seed(seed)
    if create_graph:
        exhaust(propagate(y, start, adjoints, create_graph))
    else:
        y._run(exhaust, propagate(y, start, adjoints))

    def result(x: Node) -> Any:
        adjoint = adjoints.get(require_node(x, "grad: x"))
        if isinstance(adjoint, Node):
            return adjoint
        gradient = x._gradient(adjoint)
        return type(y)._constant(gradient) if create_graph else gradient

    several = hasattr(xs, "__iter__") and not isinstance(xs, Node)  # a Tensor can be iterated over, but is one node
    return [result(x) for x in xs] if several else result(xs)


def hessian(y: Node, xs: Any) -> Any:
    """Second derivatives of y: a list of lists of floats, row by row; for a single node one float.

    Of Tensors they are arrays, whose shape is that of the one node followed by that of the other.

    >>> from tinygraph import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> hessian(a * a * b, [a, b])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    first = grad(y, xs, create_graph=True)
    if isinstance(xs, Node):
        (second,) = _jacobian(first, [xs])
        return second
    xs = list(xs)
    return [_jacobian(row, xs) for row in first]


def _jacobian(y: Node, xs: list[Node]) -> list[Any]:
    """The derivative of every entry of y with respect to each x."""
    rows = [grad(y, xs, seed=unit) for unit in y._units()]
    return [y._stacked([row[i] for row in rows], x) for i, x in enumerate(xs)]


def jvp(y: Node, tangents: Mapping[Any, Any]) -> Any:
    """Forward mode: the derivative of y along the direction {node: tangent}, a tangent having the node's shape.

    >>> from tinygraph import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> jvp(a * b, {a: 1.0, b: 10.0})
    23.0
    """
    nodes = order(require_node(y, "jvp: y"))
    check_fresh(nodes)
    known: dict[Node, Any] = {x: require_node(x, "jvp: x")._seed(t, "tangent") for x, t in tangents.items()}

    def push() -> None:
        for node in reversed(nodes):
            if any(operand in known for operand in node.operands) and node not in tangents:
                moved = [
                    slope * known[operand]
                    for operand, slope in zip(node.args, node.slopes, strict=True)
                    if slope is not None and operand in known
                ]
                if moved:
                    known[node] = sum(moved)

    y._run(push)
    return y._gradient(known.get(y))


def require_node(node: Any, what: str) -> Node:
    """The node itself; TypeError for what is none."""
    if not isinstance(node, Node):
        raise TypeError(f"{what} must be a node of a graph (a Value or a Tensor), not {node!r}")
    return node
