"""Stepper: backpropagation one event at a time, forwards and back.

The events are those of `graph.propagate`, in its order. Every gradient downstream of an event is complete by then, so
one backward pass says all factors, and each event can be made by itself: going to any of them costs nothing, and going
back restores the numbers that stood there, to the bit. The gradients are the stepper's own: the graph is left as it
was, until `apply()`.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, overload

from tinygraph.engine import graph
from tinygraph.engine.graph import Node, StaleGraphError, check_fresh, order
from tinygraph.engine.op import Op
from tinygraph.explaining import notation
from tinygraph.explaining.step import Step
from tinygraph.support.messages import one_of

PAGES = (".html", ".htm")
Target = Any  # a node, the name of one, an op, or a function of a Step


class Events(Sequence[Step]):
    """All events, each made when it is looked at."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper

    def __len__(self) -> int:
        return self._stepper._total

    @overload
    def __getitem__(self, k: int) -> Step: ...
    @overload
    def __getitem__(self, k: slice) -> list[Step]: ...
    def __getitem__(self, k: int | slice) -> Step | list[Step]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"there are {len(self)} events")
        return self._stepper._step(k % len(self) + 1)

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


class Stepper:
    """Walk through the backward pass of a graph, one event at a time, in both directions.

    `index` is how many events have happened. `phase` adds the events of the forward pass, or shows those only;
    `granularity="node"` moves on by all contributions of a node at once. Raises StaleGraphError like `backward`.

    >>> from tinygraph import Value
    >>> a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
    >>> u = b * c; v = a + u; J = 3 * v
    >>> u.name, v.name, J.name = "u", "v", "J"
    >>> stepper = Stepper(J)
    >>> print(stepper.step(5))
    step 5/6  u = b × c
      dJ/db += dJ/du · du/db = 3 × 2 = 6   (du/db = c = 2)
      b.grad 0 → 6
    >>> stepper.back(2).symbol, stepper.grad(b), stepper.grad(a)
    ('dJ/da += dJ/dv · dv/da', None, 3.0)
    >>> b.grad is None
    True
    >>> stepper.events[4]
    <step 5/6: dJ/db += dJ/du · du/db = 3 × 2 = 6>
    """

    def __init__(
        self,
        root: Node,
        *,
        seed: Any = None,
        phase: Literal["backward", "forward", "both"] = "backward",
        granularity: Literal["edge", "node"] = "edge",
    ) -> None:
        if not isinstance(root, Node):
            raise TypeError(f"Stepper takes a node of a graph (a Value or a Tensor), not {root!r}")
        one_of("phase", phase, ("backward", "forward", "both"))
        one_of("granularity", granularity, ("edge", "node"))
        self.root, self.granularity = root, granularity
        self._nodes = order(root)
        check_fresh(self._nodes)
        self._computed = [x for x in reversed(self._nodes) if x.op is not None] if phase != "backward" else []
        self.seed = root._seed(seed) if phase != "forward" else None
        # The edges in the order of the events; no object for each, which the garbage collector would go through.
        self._results: list[Node] = []
        self._slots: list[int] = []
        self._operands: list[Node] = []
        self._places: dict[Node, int] = {root: 0}  # of the nodes that a gradient reaches
        self._first: list[int] = [-1]  # by place: which edge is the first to the node
        self._several: dict[Node, list[int]] = {}  # all edges to it, where there are several
        for i, (node, slot, operand) in enumerate(flowing(self._nodes) if phase != "forward" else ()):
            self._results.append(node)
            self._slots.append(slot)
            self._operands.append(operand)
            place = self._places.setdefault(operand, len(self._first))
            if place == len(self._first):
                self._first.append(i)
            else:
                self._several.setdefault(operand, [self._first[place]]).append(i)
        self._total = len(self._computed) + (1 + len(self._results) if phase != "forward" else 0)
        self._clock = graph.edits
        self._pulling: tuple[Node | None, Any, tuple[Any, ...]] = None, None, ()  # its gradient and its slopes
        self._sums: dict[Node, list[Any]] = {}  # the gradient of an operand after each of its contributions
        self.index = 0
        self.breakpoints: dict[int, tuple[str, Target]] = {}
        self._next_breakpoint = 1

    # --- events

    def __len__(self) -> int:
        return self._total

    @property
    def events(self) -> Events:
        """All events, before and after where we stand."""
        return Events(self)

    @property
    def current(self) -> Step | None:
        """The event that happened last; None at the start."""
        return self._step(self.index) if self.index else None

    def _step(self, k: int) -> Step:
        """Event number k, counted from 1."""
        kind, node, i = self._event(k)
        if kind == "forward":
            return Step(k, self._total, kind, node, after=node.raw, root=self.root)
        if kind == "seed":
            return Step(k, self._total, kind, node, after=self.seed, root=self.root, seed=self.seed)
        slot = self._slots[i]
        operand = self._operands[i]
        before, after = self._gradient(operand, k - 1), self._gradient(operand, k)
        upstream, local, contribution = self.root._run(self._pull, i)
        numbers = local, upstream, contribution, before, after
        return Step(k, self._total, kind, node, operand, slot, *numbers, self.root, self.seed)

    def _event(self, k: int) -> tuple[Literal["forward", "seed", "backward"], Node, int]:
        """What event number k is, without its numbers: its kind, its result, and which edge it goes along."""
        i = k - self._first_edge
        if k <= len(self._computed):
            return "forward", self._computed[k - 1], i
        return ("seed", self.root, i) if i < 0 else ("backward", self._results[i], i)

    @property
    def _first_edge(self) -> int:
        """The event that is the contribution along edge number 0."""
        return len(self._computed) + 2

    def _pull(self, i: int) -> tuple[Any, Any, Any]:
        """The upstream gradient, the slope and the contribution along an edge."""
        node = self._results[i]
        if self._pulling[0] is not node:  # most often the next edge is of the same node
            self._pulling = node, self._final[self._places[node]], node.partials
        _, upstream, partials = self._pulling
        local = partials[self._slots[i]]
        return upstream, local, upstream * local

    def _check_unchanged(self) -> None:
        """Raise StaleGraphError if a number of the graph was written since the walk was prepared."""
        if graph.edits != self._clock:
            if any(node.version > self._clock for node in self._nodes):
                raise StaleGraphError("the numbers of the graph were changed during this walk: make a new Stepper")
            self._clock = graph.edits

    def _gradient(self, node: Node, k: int) -> Any:
        """The gradient of a node when k events have happened; None where nothing has arrived."""
        self._check_unchanged()
        if node is self.root:
            return self.seed if k > len(self._computed) else None
        edges = self._into(node)
        arrived = self._happened(edges, k)
        if arrived in (0, len(edges)):
            return self._final[self._places[node]] if arrived else None
        if node not in self._sums:
            self._sums[node] = self.root._run(self._add_up, edges)
        return self._sums[node][arrived]

    def _happened(self, edges: list[int], k: int) -> int:
        """Along how many of these edges a contribution has gone when k events have happened."""
        return bisect_left(edges, k - self._first_edge + 1)

    def _into(self, node: Node) -> list[int]:
        """The edges to an operand, by number."""
        place = self._places.get(node)
        if not place:  # no gradient reaches it, or it is the root
            return []
        return self._several.get(node) or [self._first[place]]

    def _add_up(self, edges: list[int]) -> list[Any]:
        # `_pull` written out: a third of a million edges to one leaf then take 0.26 s, not 0.54.
        final, places, slots = self._final, self._places, self._slots
        contributions, last = [], None
        for i in edges:
            node = self._results[i]
            if node is not last:
                last, upstream, partials = node, final[places[node]], node.partials
            contributions.append(upstream * partials[slots[i]])
        return self._guarded(list(accumulate(contributions, initial=0.0)))

    def _guarded(self, gradients: list[Any]) -> list[Any]:
        """The same, of which nobody can write into an array that events show."""
        if type(self.seed) is not float:
            for gradient in gradients:
                if notation.is_here(gradient) and gradient.shape:
                    gradient.flags.writeable = False
        return gradients

    @cached_property
    def _final(self) -> list[Any]:
        """The gradients at the end of the walk, by place, from a backward pass that leaves none behind."""
        root: Any = self.root  # each backend has its own pass
        return self._guarded(root._backpropagate(self.seed, list(self._places)))

    @property
    def final(self) -> dict[Node, Any]:
        """The gradients at the end of the walk, of all nodes that one reaches."""
        return {} if self.seed is None else dict(zip(self._places, self._final, strict=True))

    @property
    def computing(self) -> int:
        """How many events of the forward pass there are."""
        return len(self._computed)

    def contributions(self, node: Node) -> list[Step]:
        """All events that add to the gradient of a node, those to come, too."""
        return [self._step(i + self._first_edge) for i in self._into(node)]

    # --- moving

    def __iter__(self) -> Iterator[Step]:
        while self.index < self._total:
            self.index += 1
            yield self._step(self.index)

    def step(self, n: int = 1) -> Step | None:
        """Go on by n events (or nodes); returns the last that happened, None if there is none left."""
        moved = self.index < self._total
        for _ in range(min(n, self._total - self.index)):
            self.index = min(self.index + 1, self._total)
            while self.granularity == "node" and self.index < self._total and self._same_node(self.index):
                self.index += 1
        return self.current if moved else None

    def back(self, n: int = 1) -> Step | None:
        """Go back by n events (or nodes); returns the one that happened last before, None at the start."""
        for _ in range(min(n, self.index)):
            self.index = max(self.index - 1, 0)
            while self.granularity == "node" and self.index and self._same_node(self.index):
                self.index -= 1
        return self.current

    def _same_node(self, k: int) -> bool:
        """Whether events k and k + 1 belong to one node."""
        return self._event(k)[:2] == self._event(k + 1)[:2]

    def goto(self, k: int) -> Step | None:
        """Go to where k events have happened, forwards or back."""
        if not 0 <= k <= self._total:
            raise IndexError(f"there are {self._total} events: go to 0 up to {self._total}, not {k}")
        self.index = k
        return self.current

    def start(self) -> None:
        """Go back to where nothing has happened."""
        self.goto(0)

    def end(self) -> Step | None:
        """Go to where everything has happened."""
        return self.goto(self._total)

    def run_until(self, target: Target) -> Step | None:
        """Go on to the next event at a node, a name or an op, or where a function of the Step is true.

        None where there is none: everything has happened then.
        """
        test = self._test(target)
        return next(filter(test, self), None)

    def run_back_until(self, target: Target) -> Step | None:
        """Go back to the last event before this one at a node, a name or an op, or where a function is true.

        None where there is none: nothing has happened then.
        """
        test = self._test(target)
        while self.index:
            event = self.back()
            if event is not None and test(event):
                return event
        return None

    # --- breakpoints

    def break_on(self, target: Target) -> int:
        """Let `cont` stop at events of a node, a name or an op, or where a function of the Step is true; its number."""
        return self._add("break", target)

    def watch(self, target: Node | str) -> int:
        """Let `cont` stop where the gradient of a node is written; its number."""
        return self._add("watch", target)

    def _add(self, kind: str, target: Target) -> int:
        self._test(target)
        number = self._next_breakpoint
        self.breakpoints[number] = (kind, target)
        self._next_breakpoint += 1
        return number

    def delete(self, number: int) -> None:
        """Take a breakpoint away."""
        if number not in self.breakpoints:
            raise KeyError(f"there is no breakpoint {number}")
        del self.breakpoints[number]

    def cont(self) -> Step | None:
        """Go on to the next breakpoint; None where the end came first."""
        return self.run_until(self._stop())

    def cont_back(self) -> Step | None:
        """Go back to the last breakpoint; None where the start came first."""
        return self.run_back_until(self._stop())

    def _stop(self) -> Callable[[Step], bool]:
        tests = [(kind, self._test(target)) for kind, target in self.breakpoints.values()]
        return lambda event: any(test(event) and (kind == "break" or event.kind != "forward") for kind, test in tests)

    def _test(self, target: Target) -> Callable[[Step], bool]:
        """What is true of the events that a target means: those that write the number or gradient of its node."""
        if isinstance(target, str):
            node = self.find(target)
            return lambda event: event.node is node
        if isinstance(target, Node):
            if target not in set(self._nodes):
                raise ValueError(f"{target!r} is no node of this graph")
            return lambda event: event.node is target
        if isinstance(target, Op):
            return lambda event: event.op is target
        if callable(target):
            return lambda event: bool(target(event))
        raise TypeError(f"a node, a name, an op or a function of a Step is meant, not {target!r}")

    def find(self, name: str) -> Node:
        """The node of this name; KeyError says which names there are."""
        names = {node.name: node for node in self._nodes if node.name}
        if name not in names:
            raise KeyError(f"no node is called {name!r}; there are {', '.join(sorted(names)) or 'no names'}")
        return names[name]

    # --- looking

    def grad(self, node: Node | str) -> Any:
        """The gradient so far; None where nothing has arrived."""
        return copy(self._gradient(self.find(node) if isinstance(node, str) else node, self.index))

    def last_write(self, node: Node | str) -> Step | None:
        """The event, of those that happened, that last added to the gradient of this node."""
        if isinstance(node, str):
            node = self.find(node)
        if node is self.root:
            return self._step(self._first_edge - 1) if self.grad(node) is not None else None
        edges = self._into(node)
        arrived = self._happened(edges, self.index)
        return self._step(edges[arrived - 1] + self._first_edge) if arrived else None

    def apply(self) -> None:
        """Write the gradients as they are now into `.grad`; where nothing has arrived it becomes None."""
        for node in self._nodes:
            gradient = self.grad(node)
            node.grad = None if gradient is None else node._gradient(gradient)

    def explain(self, node: Node | str) -> Any:
        """The ledger of a gradient as it stands here: see `tinygraph.explain`."""
        from tinygraph.explaining.breakdown import explained

        return explained(self, node)

    def repl(self) -> None:
        """Walk by commands in the terminal, in the words of pdb and rr: s, b, c, rc, u NODE, h for help."""
        from tinygraph.stepping.debugger import Debugger

        Debugger(self).cmdloop()

    def save(self, path: str | os.PathLike[str], *, theme: Literal["auto", "light", "dark"] = "auto") -> Path:
        """Write the page that plays this walk: one HTML file, which needs no network and nothing else.

        The file is written whole or not at all. Raises EngineNotFoundError where there is no Graphviz, ValueError for
        another suffix and for a graph of more than 600 cards.
        """
        from tinygraph.stepping.player import page
        from tinygraph.support.files import write_whole

        path = Path(path)
        if path.suffix.lower() not in PAGES:
            raise ValueError(f"{path.name!r} is not the name of a page: it must end in .html")
        write_whole(path, page(self, theme=theme))
        return path

    def player(self, height: int = 640) -> Any:
        """The page in a cell of a notebook, so many pixels high."""
        from tinygraph.stepping.player import Player

        return Player(self, height)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """What a notebook shows: the picture of this moment, with the event in words below."""
        from tinygraph.stepping.player import shown_in_a_cell

        return shown_in_a_cell(self)

    def __str__(self) -> str:
        if not self.index:
            text = f"at the start of {self._total} events"
        else:
            text = str(self.current)
        following = self._step(self.index + 1).symbol if self.index < self._total else ""
        return f"{text}\n  next: {following}" if following else f"{text}\n  this was the last"

    def __repr__(self) -> str:
        name = f" of {self.root.name}" if self.root.name else ""
        return f"<stepper{name}: {self.index} of {self._total} events>"


def flowing(nodes: list[Node]) -> Iterator[tuple[Node, int, Node]]:
    """The edges that a gradient flows along from the first node: (node, slot, operand), in the order of events."""
    reached = {nodes[0]}
    for node in nodes:
        if node in reached:
            for slot, (operand, flow) in enumerate(zip(node.args, node.stored_partials, strict=True)):
                if flow is not None:
                    reached.add(operand)
                    yield node, slot, operand
