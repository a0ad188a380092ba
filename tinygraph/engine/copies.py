"""Copies and pickles of nodes, which keep the identity of nodes in any container.

Nodes are copied in topological order, because recursion would exceed Python's limit in a deep graph.

A pickle stores its nodes in *batches*. A batch contains all nodes below the pickled node that the same pickle does not
contain yet, and an operand is the position of an earlier node. So each node is stored once, no matter which containers
refer to it.

For this, a node must know what the current pickler has stored before, but Python does not tell an object which pickler
calls it. A *marker* finds out. A pickler calls an object's `__reduce__` only once, because it remembers the object. So
the first part of a pickled node offers the marker that another node left behind. If the pickler does not ask for the
marker's content, then it has stored that marker before, so it belongs to the marker's *session*.
"""

from __future__ import annotations

from _thread import _local
from collections import deque
from itertools import count
from weakref import WeakValueDictionary, ref

from tinygraph.engine.acceleration import TWINS
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, Slots, adopt, edited, edited_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Self, SupportsIndex

    from tinygraph.engine.op import Op

    Attributes = tuple[dict[str, Any], dict[str, Any]]  # the content of `__dict__`, and the content of slots

_ALL_SLOTS = {name: vars(Slots)[name] for name in TWINS["Slots"].__slots__}
SLOTS = {name: slot for name, slot in _ALL_SLOTS.items() if name not in ("awaited", "is_constant")}  # see `blank`

# The methods with which a class changes how it is copied. A node is copied with its graph, so each would be used for
# some copies (a node in a list) and not for others (the same node below a root).
_COPY_METHODS = (
    "__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__",
    "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__",
)  # fmt: skip


class Copyable(Node):
    """A node that can be copied and pickled, alone, with its graph, and in containers."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ours = [vars(kind) for kind in cls.__mro__[1:] if kind.__module__.startswith("tinygraph.")]
        slots = {name: content[name] for content in ours for name in content.get("__slots__", ())}
        slots |= {**_ALL_SLOTS, "grad": Node.__dict__["grad"]}
        for name, member in slots.items():
            if getattr(cls, name, None) is not member:
                raise TypeError(f"class {cls.__name__} must not define {name}, which every node has: use another name")
        for name in _COPY_METHODS:
            if getattr(cls, name, None) is not getattr(Copyable, name, None):
                raise TypeError(
                    f"class {cls.__name__} must not define {name}: a copy or pickle of a node keeps its class and all "
                    "its attributes, so store what you need in attributes"
                )

    def __copy__(self) -> Self:
        copy: Any = blank(type(self), self.is_constant)
        with clock.lock:  # here and below, the values and the versions must fit together
            _check_unedited([self])
            for member in SLOTS.values():
                member.__set__(copy, member.__get__(self))
            copy.raw = self._snapshot()
        copy._renew()
        copy.metadata = self.metadata and self.metadata.__copy__()
        found = _attributes(self)
        if found is not None:
            _set_attributes(copy, found)
        return copy  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        def copied(value: Any) -> Any:
            return deepcopy(value, memo)

        with clock.lock:
            for node in unknown(self, memo):
                _check_unedited([node])
                memo[id(node)] = copy = blank(type(node), node.is_constant)
                for name, member in SLOTS.items():
                    value = node._portable() if name == "raw" else member.__get__(node)
                    member.__set__(copy, value if name == "op" else _replaced(value, memo, copied))
                copy._renew()
                found = _attributes(node)
                if found is not None:
                    _set_attributes(copy, copied(found))
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Return the pickled form: a function and its arguments.

        A pickler stores the arguments in order: first the marker, which finds the session of the pickler, then the
        reference, which needs the session.
        """
        marker = Marker()
        return _second, (marker, Reference(self, marker))


# --- the content of a node ---------------------------------------------------------------------------


def _check_unedited(nodes: Sequence[Node]) -> None:
    """Raise StaleGraphError if one of the given nodes uses a constant array that was edited in place."""
    if changed := edited(nodes):
        raise edited_array(changed[0])


def unknown(root: Node, known: Mapping[int, object]) -> Iterator[Node]:
    """Yield the nodes of a graph that are not known yet, each after its operands.

    The traversal does not enter the graph of a known node. Therefore, a list of linked nodes takes linear time.

    Args:
        root: Output of the graph.
        known: Mapping whose keys are the `id()` of the known nodes. The caller adds each node before it takes the
            next one.

    Yields:
        Each unknown node once.
    """
    stack = [root]
    while stack:
        node = stack[-1]
        if id(node) in known:
            stack.pop()
            continue
        missing = [operand for operand in node.operands if id(operand) not in known]
        if missing:
            stack.extend(reversed(missing))
        else:
            yield stack.pop()


def blank(kind: type[Node], constant: bool) -> Node:
    """Return a node of the given class whose other slots are still empty. It takes part in no pass."""
    node = kind.__new__(kind)
    node.awaited, node.is_constant = 0, constant
    return node


def restore(
    kind: type[Node], op: Op | None, raw: Any, grad: Any, constant: bool, args: Sequence[Any], partials: Sequence[Any]
) -> Node:
    """Return a node with the given content, without metadata."""
    node = blank(kind, constant)
    node.raw, node.raw_grad, node.version, node.metadata = raw, grad, 0, None
    node._link(op, args, partials)
    return node


def _replaced(value: Any, known: Mapping[int, Any], other: Callable[[Any], Any]) -> Any:
    """Return the content of a slot, in which nodes are replaced by what is known of them, and arrays by `other`."""
    if value is None or type(value) in (float, int, bool) or isinstance(value, type):
        return value
    if isinstance(value, Node):
        return known[id(value)]
    if type(value) is tuple:
        return tuple([_replaced(x, known, other) for x in value])
    return other(value)


def _attributes(node: Node) -> Attributes | None:
    """Return the attributes that a subclass adds to a node, or None if the class adds none."""
    kind: Any = type(node)
    ours = kind.family
    if kind.__basicsize__ == ours.__basicsize__ and not kind.__dictoffset__:
        return None
    state = object.__getstate__(node)
    inner, slots = state if isinstance(state, tuple) else (state, {})
    known = {name for base in ours.__mro__ for name in vars(base).get("__slots__", ())}
    return dict(inner or {}), {name: value for name, value in slots.items() if name not in known}


def _set_attributes(node: Node, found: Attributes) -> None:
    inner, slots = found
    if inner:
        node.__dict__.update(inner)
    for name, value in slots.items():
        object.__setattr__(node, name, value)


# --- which pickler calls -----------------------------------------------------------------------------


class Session:
    """The nodes that one pickler has stored. A session lives as long as the pickler remembers its markers."""

    __slots__ = ("__weakref__", "archive", "latest", "nodes", "places")
    latest: tuple[int, ref[Marker]]  # the newest marker, after the time when it became the newest

    def __init__(self) -> None:
        self.archive = Archive()
        self.nodes: list[Node] = []  # keeps the nodes alive, because `places` contains only their ids
        self.places: dict[int, int] = {}

    def refer(self, node: Node) -> tuple[Any, ...]:
        """Return the pickled form of a reference to a node, with a new batch if the node is not stored yet."""
        if id(node) in self.places:
            return _stored, (self.archive, self.places[id(node)])
        start = len(self.nodes)
        for new in unknown(node, self.places):
            self.places[id(new)] = len(self.nodes)
            self.nodes.append(new)
        return _stored, (Batch(self.archive, self.nodes[start:], self.places), self.places[id(node)])


class Marker:
    """An object that shows whether a pickler has stored it before.

    Each stored node leaves a new marker behind, and only its own pickler has seen that marker. Each session offers its
    newest marker, and the session that was used last comes first. A pickler has never seen the markers of sessions
    that were used after its own, because these markers are younger than its last visit. So the first marker that the
    pickler knows belongs to its session.
    """

    __slots__ = ("__weakref__", "session")
    session: Session | None  # None until the search that starts with this marker has ended

    def __init__(self) -> None:
        self.session = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self.session is None:
            _here.search = _Search(self)
            return _nothing, tuple(_here.search.offered[:1])  # usually the pickler knows the first one
        search: _Search | None = getattr(_here, "search", None)
        if search is None:
            return _nothing, ()
        search.unseen.add(self)
        # All others are offered at once, because asking for one inside another would need recursion.
        return _nothing, tuple(search.offered[1:] if self is search.offered[0] else ())


class _Search:
    """A search for the session of the pickler that runs in this thread. It needs no lock, so it survives a fork."""

    def __init__(self, start: Marker, offer: bool = True) -> None:
        self.start = start
        living = [session.latest for found in _sessions.valuerefs() if (session := found()) is not None]
        living = sorted(living, key=lambda latest: -latest[0]) if offer else []
        self.offered = [marker for _, found in living if (marker := found()) is not None]
        self.unseen: set[Marker] = set()  # the offered markers that the pickler had not stored before

    def end(self) -> Session:
        """Return the session, and make the first marker of this search its newest marker."""
        known = next((marker for marker in self.offered if marker not in self.unseen), None)
        session = (known and known.session) or Session()
        self.start.session = session
        session.latest = next(_clock), ref(self.start)
        if known is None:
            _sessions[id(session)] = session
        return session


_here: Any = _local()
_clock = count()
_sessions: WeakValueDictionary[int, Session] = WeakValueDictionary()


class Reference:
    """A reference to a node, which is resolved after the marker has found the session."""

    __slots__ = ("marker", "node")

    def __init__(self, node: Node, marker: Marker) -> None:
        self.node, self.marker = node, marker

    def __reduce__(self) -> tuple[Any, ...]:
        search: _Search | None = getattr(_here, "search", None)
        if search is None or search.start is not self.marker:  # a pickler that stores arguments in another order
            search = _Search(self.marker, offer=False)
        _here.search = None
        return search.end().refer(self.node)


# --- what a pickle contains --------------------------------------------------------------------------


class Archive:
    """The nodes of one pickle, in the order in which they were stored."""

    __slots__ = ("nodes",)

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return Archive, ()


class Batch:
    """Nodes that a pickle stores together."""

    __slots__ = ("archive", "nodes", "places")

    def __init__(self, archive: Archive, nodes: list[Node], places: dict[int, int]) -> None:
        self.archive, self.nodes, self.places = archive, nodes, places

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the classes, from which the nodes are created, and their content, which is filled in afterwards.

        An attribute of a subclass can therefore refer to any node, also to the node that has the attribute.
        """
        content: list[Any] = []
        with clock.lock:
            _check_unedited(self.nodes)
            for name, member in SLOTS.items():
                column = [node._portable() for node in self.nodes] if name == "raw" else map(member.__get__, self.nodes)
                content += [_replaced(x, self.places, _same) for x in column] if name in ("x", "y") else column
        own = {i: found for i, node in enumerate(self.nodes) if (found := _attributes(node)) is not None}
        start = self.places[id(self.nodes[0])]
        kinds, constants = [type(node) for node in self.nodes], [node.is_constant for node in self.nodes]
        return _new_batch, (self.archive, start, kinds, constants), (content, own)

    def __setstate__(self, state: tuple[list[Any], dict[int, Attributes]]) -> None:
        content, own = state
        for i, found in own.items():
            _set_attributes(self.nodes[i], found)
        n = len(self.nodes)
        for i, (name, member) in enumerate(SLOTS.items()):
            column = content[n * i : n * (i + 1)]
            deque(map(member.__set__, self.nodes, map(self._decoded, column) if name in ("x", "y") else column), 0)
        for node in self.nodes:
            if node._editable:
                node._renew()
        adopt(self.nodes)

    def _decoded(self, value: Any) -> Any:
        if type(value) is int:
            return self.archive.nodes[value]
        return tuple(map(self._decoded, value)) if type(value) is tuple else value


def _same(value: Any) -> Any:
    return value


def _nothing(*markers: None) -> None:
    """Rebuild a marker, which has no use in a loaded graph."""


def _second(_: None, node: Node) -> Node:
    return node


def _stored(found: Archive | Batch, place: int) -> Node:
    return (found.archive if isinstance(found, Batch) else found).nodes[place]


def _new_batch(archive: Archive, start: int, kinds: list[type[Node]], constants: list[bool]) -> Batch:
    if start != len(archive.nodes):
        raise ValueError(f"this pickle of a graph is damaged: node {len(archive.nodes)} must come before node {start}")
    batch = Batch(archive, list(map(blank, kinds, constants)), {})
    archive.nodes += batch.nodes
    return batch
