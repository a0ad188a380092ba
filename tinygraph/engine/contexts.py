"""Contexts that watch the recording of nodes (scope, trace_lines, strict), and `name_from`, which names nodes.

Each context affects only its own thread or task. In a generator or a coroutine, a context is active only while that
generator or coroutine runs. While no context is active anywhere, recording only checks one global variable.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from math import isfinite

from tinygraph.engine import graph
from tinygraph.engine.clock import clock, fork_safe_lock
from tinygraph.engine.metadata import Metadata
from tinygraph.support.arguments import check_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any, Self

    from tinygraph.engine.graph import Node

_entered: ContextVar[tuple[Watcher, ...]] = ContextVar("tinygraph contexts", default=())
_SUSPENDS = 0x20 | 0x80 | 0x200  # code flags of generators, coroutines and async generators, as in `inspect`
_PACKAGE = __file__.rpartition("engine")[0]
_count_lock = fork_safe_lock()
_count = 0  # number of active contexts in all threads


def _watch(node: Node) -> None:
    for watcher in _entered.get():
        watcher.watch(node)


class Watcher:
    """A reusable context that checks or annotates every node that is recorded inside it."""

    def watch(self, node: Node) -> None:
        """Check or annotate a node that was just recorded.

        Args:
            node: Node to check or annotate.
        """
        raise NotImplementedError

    def active(self) -> Watcher | None:
        """Return the context that is active in the running code, or None.

        Returns:
            This context, unless a suspended generator entered it.
        """
        return self

    def __enter__(self) -> Self:
        # An interrupt between the two steps must not leave a context that a later one would bring back. In this order,
        # as in `__exit__`, it only costs time.
        frame = sys._getframe(1)
        _activate(+1)
        _entered.set((*_entered.get(), _Suspendable(self, frame) if _is_suspendable(frame) else self))
        return self

    def __exit__(self, *exception: object) -> None:
        entered = list(_entered.get())
        places = [i for i, watcher in enumerate(entered) if self in (watcher, getattr(watcher, "inner", None))]
        if places:  # a generator can be closed in another task, where its context was never active
            del entered[places[-1]]
            _entered.set(tuple(entered))
        _activate(-1)


class _Suspendable(Watcher):
    """A context that a generator or a coroutine entered. It is active only while the generator or coroutine runs."""

    def __init__(self, inner: Watcher, frame: FrameType) -> None:
        self.inner, self.frame = inner, frame

    def active(self) -> Watcher | None:
        running: FrameType | None = sys._getframe(1)
        while running is not None and running is not self.frame:
            running = running.f_back
        return None if running is None else self.inner

    def watch(self, node: Node) -> None:
        if active := self.active():
            active.watch(node)


def _is_suspendable(frame: FrameType) -> bool:
    """Return whether a frame that enters a context can be suspended inside the context.

    The generator of a `contextlib.contextmanager` does not count. It is suspended during the body of its `with`
    statement, where the context must be active.
    """
    caller = frame.f_back
    manager = caller is not None and caller.f_globals.get("__name__") == "contextlib"
    return bool(frame.f_code.co_flags & _SUSPENDS) and not manager


def _activate(change: int) -> None:
    global _count
    with _count_lock:
        _count += change
        clock.watch = _watch if _count else None


class scope(Watcher):  # noqa: N801  (used like a function)
    """Put all nodes that are recorded inside the context into a named scope. Scopes can be nested.

    Args:
        name: Name of the scope, such as the name of a layer.

    Examples:
        >>> from tinygraph import Value
        >>> with scope("layer"):
        ...     with scope("neuron"):
        ...         w = Value(2.0)
        >>> w.scope
        ('layer', 'neuron')
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a scope must be a str, not {name!r}")
        self.name = name
        self._last: tuple[Metadata | None, Metadata] | None = None  # metadata outside and inside this scope

    def watch(self, node: Node) -> None:
        """Add the scope to the node. Nested contexts run from the outermost to the innermost.

        Args:
            node: Node that was just recorded.
        """
        outer, last = node.metadata, self._last
        if outer is not None and not outer.shared:
            outer.scope = (*outer.scope, self.name)
            return
        if last is None or last[0] is not outer or last[1].scope[-1] != self.name:
            self._last = last = outer, self._inside(outer)
        node.metadata = last[1]

    def _inside(self, outer: Metadata | None) -> Metadata:
        """Return metadata that all nodes can share that have the given metadata outside this scope."""
        inner = Metadata()
        inner.scope, inner.shared = (*(outer.scope if outer else ()), self.name), True
        return inner


class trace_lines(Watcher):  # noqa: N801
    """Record the source line that creates each node inside the context, as "file:line".

    Examples:
        >>> from tinygraph import Value
        >>> with trace_lines():
        ...     x = Value(2.0)
        >>> x.line
        '<doctest tinygraph.engine.contexts.trace_lines[1]>:2'
    """

    def watch(self, node: Node) -> None:
        """Store the source line of the innermost stack frame outside this package.

        Args:
            node: Node that was just recorded.
        """
        frame = calling_frame()
        node.annotate().line = f"{frame.f_code.co_filename}:{frame.f_lineno}"


def calling_frame() -> FrameType:
    """Return the innermost stack frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


class strict(Watcher):  # noqa: N801
    """Raise FloatingPointError if an op inside the context turns finite numbers into NaN or infinity.

    A non-finite local derivative, or a non-finite contribution in `backward()`, also raises the error.

    Examples:
        >>> import tinygraph
        >>> with strict():
        ...     tinygraph.log(tinygraph.Value(0.0, name="p"))
        Traceback (most recent call last):
        FloatingPointError: log(p) = -inf, where p = 0.0
    """

    def watch(self, node: Node) -> None:
        """Raise FloatingPointError if all operands are finite, but the value or a local derivative is not.

        Args:
            node: Node that was just recorded.

        Raises:
            FloatingPointError: If the value or a local derivative is NaN or infinite.
        """
        if node.op is None:
            return
        numbers = node.numbers
        if not all(map(finite, numbers)):
            return
        texts = [arg.name if isinstance(arg, graph.Node) else "" for arg in node.args]
        texts = [text or _text(number) for text, number in zip(texts, numbers, strict=True)]
        where = ", ".join(
            f"{text} = {_text(number)}" for text, number in zip(texts, numbers, strict=True) if text != _text(number)
        )
        what = node.op.text(*texts)
        where = f", where {where}" if where else ""
        if not finite(node.raw):
            raise FloatingPointError(f"{what} = {_text(node.raw)}{where}")
        for text, local in zip(texts, node.partials, strict=True):
            if local is not None and not finite(local):
                raise FloatingPointError(
                    f"the local derivative of {what} with respect to {text} is {_text(local)}{where}"
                )


def finite(number: Any) -> bool:
    """Return whether a number, or every element of an array, is finite. Lazy arrays and linear maps count as finite."""
    if isinstance(number, float):
        return isfinite(number)
    numpy = sys.modules["numpy"]
    return type(number) is not numpy.ndarray or bool(numpy.isfinite(number).all())


def _text(number: Any) -> str:
    """Return a number as text. For an array, return its shape, and its first non-finite element if one exists."""
    if isinstance(number, float):
        return repr(number)
    shape = getattr(number, "shape", None)
    if shape is None or finite(number):
        return f"{number}" if shape is None else f"an array {shape}"
    bad = number[~sys.modules["numpy"].isfinite(number)].flat[0]
    return f"an array {shape} with {bad}"


def is_strict() -> bool:
    """Return whether `strict` is active in this thread or task."""
    return any(isinstance(watcher.active(), strict) for watcher in _entered.get())


def check_gradients(root: Node, seed: Any) -> None:
    """If `strict` is active, raise FloatingPointError at the first contribution that is not finite."""
    if is_strict():
        root._run(_check_contributions, root, seed)


def _check_contributions(root: Node, seed: Any) -> None:
    from tinygraph.engine.autodiff import propagate  # imported when first needed

    for node, _, operand, upstream, local, contribution in propagate(root, seed, {}):
        if not finite(contribution):
            raise FloatingPointError(
                f"backward of {node.op.name if node.op else ''}: the contribution to the gradient of "
                f"{operand!r} is {_text(upstream)} × {_text(local)} = {_text(contribution)}"
            )


def name_from(namespace: Mapping[str, Any]) -> None:
    """Name every unnamed node in a namespace after its variable. In a list or tuple, names include the index (`w[1]`).

    Args:
        namespace: Mapping from names of variables to their values, such as `globals()` or `locals()`. Names that begin
            with an underscore are skipped.

    Raises:
        TypeError: If the namespace is not a mapping.

    Examples:
        >>> from tinygraph import Value
        >>> a = Value(1.0); w = [Value(2.0), Value(3.0)]
        >>> name_from({"a": a, "w": w})
        >>> a.name, w[1].name
        ('a', 'w[1]')
    """
    check_mapping("namespace", namespace, "a mapping of names to values, for example globals()")
    for name, value in list(namespace.items()):
        if not name.startswith("_"):
            _name(name, value)


def _name(name: str, value: Any) -> None:
    if isinstance(value, graph.Node):
        value.name = value.name or name
    elif isinstance(value, (list, tuple)):
        for i, entry in enumerate(value):
            _name(f"{name}[{i}]", entry)
