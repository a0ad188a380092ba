"""Several diagrams in one drawing, with matching boxes aligned."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tinygraph.drawing.diagram import Box, Diagram


def side_by_side(diagrams: Sequence[Diagram], direction: str) -> Diagram:
    """Return one diagram that contains several diagrams, each in a frame with the name of its root.

    Boxes match if they have the same name, or the same expression if they have no name.

    Args:
        diagrams: Diagrams to combine.
        direction: "TB" for the first diagram on the left, or "LR" for the first diagram on top.

    Returns:
        The boxes and arrows of all diagrams, and the pairs of boxes to align.
    """
    frames = _frames([shown.root for shown in diagrams])
    parts = [_renamed(shown, prefix(k), frame) for k, (shown, frame) in enumerate(zip(diagrams, frames, strict=True))]
    aligned = [pair for first, second in pairwise(parts) for pair in matches(first, second)]
    upward = parts[::-1] if direction == "LR" else parts  # from left to right, dot starts with the lowest frame
    return Diagram(
        [box for part in upward for box in part.boxes],
        [arrow for part in parts for arrow in part.arrows],
        ", ".join(filter(None, (part.root for part in parts))),
        all(part.backward for part in parts),
        [key for part in parts for key in part.before],
        [key for part in parts for key in part.after],
        aligned=aligned,
    )


def prefix(k: int) -> str:
    """Return the beginning of the ids of a diagram in a drawing of several diagrams.

    Args:
        k: Index of the diagram.

    Returns:
        The text.
    """
    return f"g{k}" if k else ""


def _frames(names: Sequence[str]) -> list[str]:
    """Return different names for the frames."""
    count, used = Counter(names), Counter[str]()
    found = []
    for k, name in enumerate(names, 1):
        used[name] += 1
        found.append(f"{name} ({used[name]})" if name and count[name] > 1 else name or f"graph {k}")
    return found


def _renamed(shown: Diagram, start: str, frame: str) -> Diagram:
    """Return a diagram with other ids, and in a frame."""
    return replace(
        shown,
        boxes=[box._replace(id=start + box.id, scope=(frame, *box.scope)) for box in shown.boxes],
        arrows=[
            arrow._replace(id=start + arrow.id, tail=start + arrow.tail, head=start + arrow.head)
            for arrow in shown.arrows
        ],
        before=[start + key for key in shown.before],
        after=[start + key for key in shown.after],
    )


def matches(first: Diagram, second: Diagram) -> list[tuple[str, str]]:
    """Return the pairs of matching boxes that can be aligned together.

    Two pairs whose order differs between the diagrams cannot both be aligned. The result is the longest list in which
    the ranks of both diagrams increase.

    Args:
        first: Diagram.
        second: Diagram.

    Returns:
        The pairs of ids.
    """
    left, right = _unique(first), _unique(second)
    ranks, others = _ranks(first), _ranks(second)
    pairs = sorted(
        (ranks[left[key].id], others[right[key].id], left[key].id, right[key].id)
        for key in left.keys() & right.keys()
        if left[key].id in ranks and right[key].id in others
    )
    ends: list[int] = []  # smallest last rank of a chain, by the length of the chain
    chains: list[list[tuple[str, str]]] = []
    for _, rank, key, other in pairs:
        place = bisect_right(ends, rank)
        chain = [*(chains[place - 1] if place else []), (key, other)]
        ends[place : place + 1], chains[place : place + 1] = [rank], [chain]
    return chains[-1] if chains else []


def _unique(shown: Diagram) -> dict[str, Box]:
    """Return the boxes by name or expression, without those that occur several times."""
    keys = [box.name or box.expression for box in shown.boxes]
    count = Counter(keys)
    return {key: box for key, box in zip(keys, shown.boxes, strict=True) if key and count[key] == 1}


def _ranks(shown: Diagram) -> dict[str, int]:
    """Return the length of the longest path to each box. Boxes on a cycle, which folding can cause, have no rank."""
    waiting = Counter(arrow.head for arrow in shown.arrows)
    heads: dict[str, list[str]] = {}
    for arrow in shown.arrows:
        heads.setdefault(arrow.tail, []).append(arrow.head)
    ready = [box.id for box in shown.boxes if not waiting[box.id]]
    ranks = dict.fromkeys(ready, 0)
    found: dict[str, int] = {}
    while ready:
        key = ready.pop()
        found[key] = ranks[key]
        for head in heads.get(key, ()):
            ranks[head] = max(ranks.get(head, 0), ranks[key] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return found
