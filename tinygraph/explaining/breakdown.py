"""`explain`: the breakdown of a gradient into its contributions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from tinygraph.engine import ops
from tinygraph.engine.backward import seed_of
from tinygraph.engine.graph import Node, require_node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Quantity, called
from tinygraph.explaining.step import Step, Steps
from tinygraph.explaining.tex import tex
from tinygraph.explaining.textbook.derivatives import (
    UPSTREAM,
    derivative_of,
    formula,
    formula_of_logit,
    local,
    seed_factor,
    times,
)
from tinygraph.explaining.textbook.remembering import remembered_texts
from tinygraph.explaining.walk import Walk
from tinygraph.support.messages import counted


@dataclass(frozen=True)
class Explanation:
    """The breakdown of a gradient into its contributions.

    `explain` and `Stepper.explain` return an `Explanation`. You can `print` it, or call its `table()` or `latex()`.

    Attributes:
        root: Node that the backward pass starts from.
        node: Node whose gradient is explained.
        contributions: Steps that add to the gradient, in the order of the pass.
        happened: Number of contributions that have been added so far.
        paths: Number of paths along which a gradient flows from the root to the node.
        total: Gradient so far, or None before the first contribution.
        seed: Upstream gradient that the pass starts with. Defaults to 1.
        together: The product along the way through an activation in its simplest form, such as "dz = dL/dz = a - y",
            or "".
    """

    root: Node
    node: Node
    contributions: tuple[Step, ...]
    happened: int
    paths: int
    total: Quantity  # None before the first contribution
    seed: Quantity = 1.0  # upstream gradient of the root
    together: str = ""

    @remembered_texts()
    def __str__(self) -> str:
        if self.node is self.root or not self.contributions:
            return self.heading
        lines = [self.heading]
        for k, step in enumerate(self.contributions):
            lines.append(f"  {'+' if k < self.happened else '·'} {contribution(step)}")
        left = len(self.contributions) - self.happened
        if left:
            lines.append(f"  not arrived yet (·): {left} of {counted(len(self.contributions), 'contribution')}")
        lines += [f"  {line}" for line in (self.way, self.together) if line]
        return "\n".join(lines)

    @property
    def heading(self) -> str:
        """The first line of the breakdown: the gradient so far, or the reason why no gradient reaches the node."""
        name = derivative_of(self.root, self.node, self.seed)
        so_far = "· (nothing has arrived yet)" if self.total is None else notation.in_line(self.total)
        if self.node is self.root:
            return f"{name} = {so_far}: the backward pass starts here"
        if not self.contributions:
            return f"{name} is 0: no gradient reaches {called(self.node)} from {called(self.root)}"
        return f"{name} = {so_far}"

    @property
    def way(self) -> str:
        """The number of paths that the gradient takes, as a sentence."""
        several = f"{self.paths:,} paths lead" if self.paths > 1 else "one path leads"
        return f"{several} from {called(self.node)} to {called(self.root)}"

    def __repr__(self) -> str:
        return str(self)

    def table(self) -> list[dict[str, object]]:
        """Return the contributions as a table.

        Returns:
            One dictionary per contribution, with the keys "through", "upstream", "local", "contribution" and
            "happened".
        """
        return [
            {
                "through": called(step.result),
                "upstream": step.upstream,
                "local": local(step.result, step.local) if hasattr(step.local, "text") else step.local,
                "contribution": step.contribution,
                "happened": k < self.happened,
            }
            for k, step in enumerate(self.contributions)
        ]

    def latex(self) -> str:
        r"""Return the sum of the contributions as LaTeX code.

        Returns:
            The sum in symbols, followed by the sum in numbers if all contributions have been added.

        Examples:
            >>> from tinygraph import Value
            >>> x = Value(2.0, "x")
            >>> y = x * x
            >>> y.name = "y"
            >>> print(explain(y, x).latex())
            \frac{dy}{dx} = \frac{dy}{dy} \cdot \frac{\partial y}{\partial x}\Big|_{1} ...
        """
        symbols, numbers = (
            zip(*map(self._as_latex, self.contributions), strict=True) if self.contributions else ((), ())
        )
        left = self._derivative_as_latex(self.node)
        if not symbols:
            return f"{left} = {tex(notation.in_line(self.total)) if self.total is not None else '0'}"
        if self.happened < len(symbols):  # the sum is not complete yet
            return f"{left} = {' + '.join(symbols)}"
        parts = [left, " + ".join(symbols), " + ".join(numbers), tex(notation.in_line(self.total))]
        return " = ".join(dict.fromkeys(parts))  # the only contribution can be the total

    def _derivative_as_latex(self, node: Node) -> str:
        factor = rf"{tex(seed_factor(self.seed))} \cdot " if seed_factor(self.seed) else ""
        return rf"{factor}\frac{{d{tex(called(self.root))}}}{{d{tex(called(node))}}}"

    def _as_latex(self, step: Step) -> tuple[str, str]:
        """Return a contribution in symbols and in numbers."""
        result, upstream = step.result, self._derivative_as_latex(step.result)
        if hasattr(step.local, "text"):  # a linear map, which is not a factor
            text = local(result, step.local, upstream=UPSTREAM)
            if len(self.contributions) > 1 and re.search("^-|, | [-+] | where ", text):
                text = f"({text})"
            code = tex(text).replace(f"({UPSTREAM})", rf"\left({UPSTREAM}\right)").replace(UPSTREAM, upstream)
            return code, tex(notation.factor(notation.in_line(step.contribution)))
        place = rf"\Big|_{{{step.slot + 1}}}" if result.operands.count(self.node) > 1 else ""
        sign = r"\odot" if notation.is_array(result) else r"\cdot"
        part = rf"\frac{{\partial {tex(called(result))}}}{{\partial {tex(called(self.node))}}}{place}"
        symbols = f"{upstream} {sign} {part}"
        numbers = step.factors.replace("×", "·") or notation.factor(notation.in_line(step.contribution))
        return symbols, tex(numbers)


def explain(root: Node, node: Node | str) -> Explanation:
    """Return the breakdown of a gradient into its contributions.

    Each contribution is a product upstream × local, and comes from an op that uses `node` as an operand.

    Args:
        root: Scalar that the backward pass starts from.
        node: Node whose gradient is explained, or the node's name.

    Returns:
        An `Explanation`. You can `print` it, or call its `table()` or `latex()`.

    Raises:
        TypeError: If `root` is not a node.
        ValueError: If `node` is not in the graph of `root`, or if `root` is not a scalar.
        KeyError: If no node has this name.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> x = Value(2.0, "x")
        >>> s, t = x * x, 3 * x
        >>> y = s + t
        >>> s.name, t.name, y.name = "s", "t", "y"
        >>> explain(y, x)
        dy/dx = 7
          + dy/dt · ∂t/∂x = 1 × 3 = 3   through t = 3 × x
          + dy/ds · ∂s/∂x = 1 × 2 = 2   through s = x × x (operand 1; ∂s/∂x = x)
          + dy/ds · ∂s/∂x = 1 × 2 = 2   through s = x × x (operand 2; ∂s/∂x = x)
          3 paths lead from x to y
    """
    root = require_node(root, "explain: root")
    steps = Steps(Walk(root, seed_of(root)))
    return breakdown(steps, len(steps), node)


def breakdown(steps: Steps, k: int, node: Node | str) -> Explanation:
    """Return the explanation of a gradient after the first `k` steps of a pass.

    Args:
        steps: Steps of the pass.
        k: Number of steps that have happened.
        node: Node whose gradient is explained, or the node's name.

    Returns:
        The explanation.

    Raises:
        ValueError: If `node` is not in the graph.
        KeyError: If no node has this name.
    """
    walk = steps.walk
    node = walk.node(node)
    contributions = tuple(steps.into(node))
    happened = sum(step.index <= k for step in contributions)
    total = copy(steps.gradient(node, k))
    paths = walk.paths.get(node, 0)
    together = _together(steps, contributions, total) if happened == len(contributions) == 1 else ""
    return Explanation(walk.root, node, contributions, happened, paths, total, walk.seed, together)


def _together(steps: Steps, contributions: Sequence[Step], total: Quantity) -> str:
    """Return the derivative with respect to a logit in its simplest form, or "" for another node.

    The denominators of dL/da and the factors of da/dz cancel: for the cross-entropy of a = σ(z), dL/dz is a - y.
    """
    (inner,) = contributions
    outer = steps.into(inner.result)
    if inner.op is not ops.sigmoid or len(outer) != 1 or outer[0].slot != 0 or inner.operand is None:
        return ""
    (loss,) = outer
    formulas = formula_of_logit(loss.result, inner.result), formula(loss.result, 0), formula(inner.result, 0)
    if not all(formulas):
        return ""
    (simplest, first, second), notes = zip(*[text.partition(", where ")[::2] for text in formulas], strict=True)
    walk, operand = steps.walk, inner.operand
    whole = simplest
    if loss.result is not walk.root or seed_factor(walk.seed):
        whole = times(derivative_of(walk.root, loss.result, walk.seed), f"({simplest})", operand)
    name = derivative_of(walk.root, operand, walk.seed)
    product = times(f"({first})", second.partition(" = ")[0], operand)
    where = " and ".join(dict.fromkeys(note for text in notes for note in text.split(" and ") if note))
    explained = f"because {product} = {simplest}{where and f', where {where}'}"
    return f"d{called(operand)} = {name} = {whole} = {notation.in_line(total)}, {explained}"


def contribution(step: Step) -> str:
    """Return a step as one line of a breakdown.

    Args:
        step: Backward step.

    Returns:
        The product upstream × local in symbols and numbers, followed by the node that the contribution comes through.
    """
    result, operand = step.result, step.operand
    notes = [f"operand {step.slot + 1}"] if sum(arg is operand for arg in result.args) > 1 else []
    if why := step.why(with_number=False):
        notes.append(why)
    through = f"{notation.headline(result)} ({'; '.join(notes)})" if notes else notation.headline(result)
    return f"{step.equation.partition(' += ')[2]}   through {through}"
