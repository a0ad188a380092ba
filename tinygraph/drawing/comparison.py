"""`compare`: the first node or step at which two graphs differ, as text and as a diagram."""

from __future__ import annotations

from tinygraph.drawing.drawing import Drawing
from tinygraph.drawing.marked_graphs import marked_graphs
from tinygraph.drawing.options import DrawOptions
from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining.arrays import ones
from tinygraph.explaining.comparing.differences import Difference, alone, first_difference, rows
from tinygraph.explaining.comparing.entries import Entry, Tolerance, entries_of
from tinygraph.explaining.walk import Walk
from tinygraph.support.arguments import check_positive


class GraphComparison:
    """A comparison of two graphs, from `compare`. You can `print` it or draw it. It is true if the graphs agree.

    Args:
        first: Root of the first graph.
        second: Root of the second graph.
        tolerance: Largest difference of two numbers that count as equal.

    Attributes:
        entries: Common nodes in forward order, each with its values and gradients in both graphs.
        difference: First difference, or None if the graphs agree.
    """

    def __init__(self, first: Node, second: Node, tolerance: Tolerance) -> None:
        self._walks = Walk(first, ones(first)), Walk(second, ones(second))
        found, self._matched = entries_of(*self._walks, tolerance)
        self.entries: tuple[Entry, ...] = tuple(found)
        self.difference: Difference | None = first_difference(found, self._matched, *self._walks)

    def __bool__(self) -> bool:
        return self.difference is None

    def __str__(self) -> str:
        return "\n".join([self._verdict, *self._steps, *rows(self.entries), *self._rest])

    def __repr__(self) -> str:
        return str(self)

    @property
    def _verdict(self) -> str:
        first, second = (walk.root.name for walk in self._walks)
        names = f"{first} and {second}" if first and second and first != second else "the graphs"
        if self.difference is not None:
            return f"{names} differ first in {self.difference}"
        compared = "" if self._matched is not None else " of the nodes that both graphs name"
        return f"{names} agree in every value and every gradient{compared}"

    @property
    def _steps(self) -> list[str]:
        steps = self.difference.steps if self.difference is not None else (None, None)
        pairs = zip(("first", "second"), steps, strict=True)
        return [
            f"  step {step.index} in the {which} graph: {step.equation}" for which, step in pairs if step is not None
        ]

    @property
    def _rest(self) -> list[str]:
        """The nodes that only one graph has, and whether different graphs have equal results."""
        if self._matched is None:
            return []
        first, second = self._walks
        lines = alone(first.nodes, [node for entry in self.entries for node in entry.first], "first")
        lines += alone(second.nodes, [node for entry in self.entries for node in entry.second], "second")
        if self.difference is not None and self.difference.kind == "structure":
            root = next(entry for entry in self.entries if entry.first[0] is first.root)
            inputs = [entry for entry in self.entries if entry.first[0].op is None and entry is not root]
            values = "differ" if "value" in root.differences else "agree"
            gradients = "differ" if any("gradient" in entry.differences for entry in inputs) else "agree"
            lines.append(f"    the results {values}, and the gradients of the common inputs {gradients}")
        return lines

    def draw(self, **options: object) -> Drawing:
        """Draw both graphs side by side, with matching nodes aligned. A node that differs has a double border.

        The border of the first difference is thick. If the graphs have more than 600 nodes, only the nodes near the
        first difference are drawn.

        Args:
            **options: Options of `draw`, such as `theme`, `direction` and `title`.

        Returns:
            The drawing.

        Raises:
            TypeError: If an option is unknown or has the wrong type.
            ValueError: If an option has an invalid value.

        Examples:
            >>> from tinygraph import Value
            >>> x = Value(2.0, "x")
            >>> compare(x * x, x + x).draw()
            <drawing: 4 nodes, 4 edges>
        """
        found = self.difference
        title = "the graphs agree" if found is None else f"the first difference is in {found}"
        roots = tuple(walk.root for walk in self._walks)
        centers = roots if found is None else (found.first[0], found.second[0])
        chosen = DrawOptions(**{"title": title, **options})  # type: ignore[arg-type]
        if chosen.detail in ("folded", "scopes"):
            raise ValueError(f"detail={chosen.detail!r} cannot show which node differs: leave out detail=")
        return marked_graphs(self._walks, self.entries, centers, chosen)


def compare(first: Node, second: Node, *, rtol: float = 1e-9, atol: float = 1e-12) -> GraphComparison:
    """Compare two graphs, and find the first node or step at which they differ.

    The values and the structure are compared in the order of the forward pass. If they agree, the gradients are
    compared in the order of the backward pass. The gradients come from separate passes with seed 1, so `.grad` is
    neither read nor written.

    The roots match, and so do two nodes whose name occurs once in each graph, and operands at the same position of
    nodes that match. The operands of a sum or a product can change places. If one graph consists of scalars, and the
    other contains arrays, then scalars such as w[0], w[1] or w1, w2 match the Tensor w, and several scalars with the
    name z match the Tensor z or Z.

    Args:
        first: Root of the first graph.
        second: Root of the second graph.
        rtol: Allowed difference of two numbers, relative to the larger absolute value. Defaults to 1e-9.
        atol: Allowed difference of two numbers, which is added to the relative one. Defaults to 1e-12.

    Returns:
        A `GraphComparison`, which you can `print` or draw. It is true if the graphs agree.

    Raises:
        TypeError: If `first` or `second` is not a node, or a tolerance is not a number.
        ValueError: If a tolerance is negative.
        StaleGraphError: If a leaf was edited after its graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(5.0, "a"), Value(3.0, "b")
        >>> u, v = a * b, a * (b + 1)
        >>> u.name = v.name = "u"
        >>> compare(u + a, v + a)
        the graphs differ first in the structure of u: operand 2 is b in the first graph, but (b + 1) in the second
          ≠ a                             data 5         grad 4 ≠ 5
            b                             data 3         grad 5
          ≠ u = a × b | u = a × (b + 1)   data 15 ≠ 20   grad 1
          ≠ u + a                         data 20 ≠ 25   grad 1
            only in the second graph: b + 1 (1 node)
            the results differ, and the gradients of the common inputs differ
    """
    require_node(first, "compare: first")
    require_node(second, "compare: second")
    check_positive("rtol", rtol, zero=True)
    check_positive("atol", atol, zero=True)
    return GraphComparison(first, second, Tolerance(float(rtol), float(atol)))
