"""Comparisons between nodes in a compiled function, which raises an error if an outcome changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.metadata import Guard, flipped_guard
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.codegen import Writer
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.vectorized import Vectorized

Compare = Callable[[Array, Array], object]


@dataclass(frozen=True)
class Side:
    """One side of a group of comparisons: elements of a tensor, or plain numbers.

    Attributes:
        tensor: The tensor, or None for plain numbers.
        elements: Positions in the flattened tensor, or the numbers.
    """

    tensor: Tensor | None
    elements: Array  # positions, or the numbers


@dataclass
class Comparisons:
    """Comparisons of one kind, between elements of the same two tensors.

    Attributes:
        compare: The comparison, a function of two arrays.
        sides: The left and the right side.
        guards: The recorded comparisons.
        lines: The program lines that compute the sides. The list is empty before `add_to`.
    """

    compare: Compare
    sides: tuple[Side, Side]
    guards: Sequence[Guard]
    lines: list[Line | None] = field(default_factory=list)  # set by `add_to`

    def add_to(self, program: Program) -> None:
        """Extend a program with lines that compute the two sides of the comparisons.

        Args:
            program: Program to extend.
        """
        self.lines = [program.add_result(side.tensor, {}) if side.tensor is not None else None for side in self.sides]

    def text(self, writer: Writer) -> str:
        """Return the line of source text that checks the outcomes.

        Args:
            writer: Writer of the program.

        Returns:
            A call to `check`, as source text.
        """
        compare, operands = writer.constant(self.compare, "compare"), []
        for side, line in zip(self.sides, self.lines, strict=True):
            constant = writer.constant(side.elements, "c" if line is None else "k")
            operands.append(constant if line is None else f"np.ravel({writer.name(line)})[{constant}]")
        outcomes = writer.constant(np.array([guard.outcome for guard in self.guards]), "outcome")
        texts = writer.constant([guard.trace.text for guard in self.guards], "texts")
        return f"check({', '.join([compare, *operands, outcomes, texts])})"


def comparisons(found: Vectorized) -> Iterator[Comparisons]:
    """Yield the comparisons that a graph depends on, grouped by kind.

    Args:
        found: Vectorized graph.

    Yields:
        Groups of comparisons.
    """
    kinds: dict[tuple[object, ...], list[tuple[Guard, list[tuple[Tensor | None, float]]]]] = {}
    for guard, nodes in found.guards().items():
        sides = [_place(found, nodes.get(k), guard.numbers[k]) for k in (0, 1)]
        kinds.setdefault((guard.compare, *[tensor for tensor, _ in sides]), []).append((guard, sides))
    for members in kinds.values():
        guards = [guard for guard, _ in members]
        left, right = (Side(members[0][1][k][0], np.array([sides[k][1] for _, sides in members])) for k in (0, 1))
        yield Comparisons(guards[0].compare, (left, right), guards)


def _place(found: Vectorized, node: Node | None, number: float) -> tuple[Tensor | None, float]:
    """Return the tensor that contains a node, and the node's position in the flattened tensor.

    For a plain number, return None and the number.
    """
    if node is None:
        return None, number
    tensor, index = found.where(node)
    return tensor, int(np.ravel_multi_index(index, tensor.shape)) if index else 0


def check(compare: Compare, left: Array, right: Array, outcomes: Array, texts: list[str]) -> None:
    """Raise an error for the first comparison whose outcome differs from the recorded outcome.

    Args:
        compare: Comparison, a function of two arrays.
        left: Left sides.
        right: Right sides.
        outcomes: Recorded outcomes.
        texts: The comparisons as text, for the message.

    Raises:
        FrozenBranchError: If an outcome differs.
    """
    flipped = np.flatnonzero(compare(left, right) != outcomes)
    if len(flipped):
        k = int(flipped[0])
        raise flipped_guard(texts[k], bool(outcomes[k]))
