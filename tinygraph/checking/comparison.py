"""check_grad: backpropagation compared with derivatives that are found by nudging."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tinygraph.checking.numeric import FlatFunction, central_difference, complex_step, step_of
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.explaining.walk import Walk
from tinygraph.functional import named_numbers

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

_ROUNDING = 2.0**-52


@dataclass(frozen=True)
class InputCheck:
    """One input of a checked function: both derivatives, and how they compare.

    Attributes:
        name: The name of the parameter, with an index into lists.
        at: The value of the input.
        backward: The derivative by backpropagation.
        numeric: The derivative by nudging.
        method: How the latter was found.
        step: The step that it took.
        allowed: The difference that is allowed.
        note: Why the two are not compared, or "".
    """

    name: str
    at: float
    backward: float
    numeric: float
    method: str
    step: float
    allowed: float
    note: str

    @property
    def error(self) -> float:
        """The absolute difference; 0 if both are the same infinity or NaN."""
        same = self.backward == self.numeric or (self.backward != self.backward and self.numeric != self.numeric)
        return 0.0 if same else abs(self.backward - self.numeric)

    @property
    def ok(self) -> bool:
        """Whether they agree, or there is a note: at a kink no derivative is right."""
        return bool(self.note) or self.error <= self.allowed

    def __str__(self) -> str:
        verdict = self.note or ("agrees" if self.ok else "DIFFERS")
        return (
            f"{self.name} = {self.at:g}: backpropagation {self.backward:.10g}, {self.method} {self.numeric:.10g} "
            f"(step {self.step:.1e}), error {self.error:.1e} of {self.allowed:.1e} allowed: {verdict}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """The result of `check_grad`: true if every input agrees, and readable when printed.

    Attributes:
        inputs: The inputs, one after the other.
    """

    inputs: tuple[InputCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether no input differs."""
        return all(check.ok for check in self.inputs)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.inputs)


def check_grad(f: Function, *at: Tree, tolerance: float = 1e-9) -> GradientCheck:
    """Compare backpropagation through f, at these arguments, with derivatives that are found by nudging.

    Where all ops are analytic this uses the complex step, elsewhere the central difference, extrapolated from two
    steps, whose disagreement shows its own error. If a non-differentiable point (a *kink*) lies within the step,
    the check names it and does not fail.

    Args:
        f: A function that is called with Values.
        *at: Its arguments: numbers, or nested lists, tuples or dicts of them.
        tolerance: The difference that is allowed, relative to the absolute terms that backpropagation sums.

    Returns:
        The result: true if all inputs agree, and readable when printed.

    Examples:
        >>> print(check_grad(lambda a, b, c: 3 * (a + b * c), 5, 3, 2))  # doctest: +ELLIPSIS
        a = 5: backpropagation 3, complex step 3 (step 5.0e-20), error 0.0e+00 of 3.0e-09 allowed: agrees
        b = 3: ...
        c = 2: ...
        >>> print(check_grad(lambda x: x.relu(), 0.0))  # doctest: +ELLIPSIS
        x = 0: ... kink: relu(x) stands on its kink, at 0
    """
    function = FlatFunction(f, at, values=True)
    root, leaves = function.record(function.numbers)
    walk = Walk(root, 1.0)
    gradients, terms = walk.gradients, absolute_terms(walk)
    analytic = all(node.op is None or node.op.analytic is not None for node in walk.nodes)
    names = list(input_names(f, function.args))
    for leaf, name in zip(leaves, names, strict=True):
        leaf.name = name
    checks = []
    for i, (leaf, x) in enumerate(zip(leaves, function.numbers, strict=True)):
        numeric = _by_complex_step(function, i) if analytic else None
        found = numeric or _by_differences(function, walk, i)
        gradient = gradients.get(leaf, 0.0)
        allowed = tolerance * max(terms.get(leaf, 0.0), abs(gradient)) + found.blur
        checks.append(
            InputCheck(names[i], x, gradient, found.derivative, found.method, found.step, allowed, found.note)
        )
    return GradientCheck(tuple(checks))


class _Numeric(NamedTuple):
    """A numeric derivative: what it is, how it was found, its own error, and why it means nothing, if so."""

    derivative: float
    method: str
    step: float
    blur: float
    note: str = ""


def _by_complex_step(function: FlatFunction, i: int) -> _Numeric | None:
    """The derivative by the complex step; None past the range of complex functions."""
    step = step_of("complex", function.numbers[i])
    try:
        derivative = complex_step(function, i, step)
    except ArithmeticError:
        return None
    return _Numeric(derivative, "complex step", step, blur=step) if math.isfinite(derivative) else None


def _by_differences(function: FlatFunction, walk: Walk, i: int) -> _Numeric:
    """The derivative by two central differences."""
    x = function.numbers[i]
    step = 2.0**-10 * max(1.0, abs(x))
    near, far = central_difference(function, i, step / 2), central_difference(function, i, step)
    derivative = near + (near - far) / 3.0
    size = max(abs(walk.root.raw), abs(x * derivative), 1e-300)
    note = ""
    if not math.isfinite(derivative):
        note = "not checked, because f is not finite within the step"
    elif kink := kink_near(function, walk.nodes, i, step):
        note = f"kink: {kink}"
    return _Numeric(derivative, "central difference", step, abs(near - far) + 8 * _ROUNDING * size / step, note)


def absolute_terms(root: Node | Walk) -> dict[Node, float]:
    """Return for each node what its gradient is summed from: Σ over all paths of |product of local derivatives|."""
    walk = root if isinstance(root, Walk) else Walk(root, 1.0)
    terms: dict[Node, float] = {walk.root: 1.0}
    for edge in walk.edges:
        terms[edge.operand] = terms.get(edge.operand, 0.0) + terms[edge.node] * abs(edge.local)
    return terms


def input_names(f: Function, args: Sequence[Tree]) -> Iterator[str]:
    """Yield what to call the inputs: by the parameters of the function, with an index into lists."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for i, arg in enumerate(args):
        known = i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL
        for name, number in named_numbers(parameters[i].name if known else f"argument {i + 1}", arg):
            yield (number.name if isinstance(number, Value) else "") or name


def kink_near(function: FlatFunction, nodes: Sequence[Node], i: int, step: float) -> str:
    """Describe a non-differentiable point between the points that a difference looks at, or return "".

    Args:
        function: The function.
        nodes: The nodes of its graph, in reverse topological order.
        i: The input that the difference moves.
        step: By how much.
    """
    for by in (-step, step):
        there = order(function.record(function.moved(i, by))[0])
        if [node.op for node in nodes] != [node.op for node in there]:
            return "the program takes another branch within the step"
        for node, moved in zip(nodes, there, strict=True):
            if node.op is not None and (kink := _kink_of(node.op, node, moved)):
                return kink
    return ""


def _kink_of(op: Op, node: Node, moved: Node) -> str:
    """What is not differentiable between the operands of a node and those of the moved one."""
    domain, points = op.domain, [node.numbers, moved.numbers]
    text = op.text(*[x.name if isinstance(x, Node) and x.name else f"{x:g}" for x in node.args])
    if domain.holds(points[0]) and not domain.holds(*points):
        return f"{text} leaves its domain, {domain.text}, within the step"
    if domain.kink is not None:
        at, after = (domain.kink(*point) for point in points)
        if at == 0 and after != 0:  # 0 at both: no move, as in relu(0 * x)
            return f"{text} stands on its kink, at {', '.join(f'{x:g}' for x in points[0])}"
        if at * after < 0:
            return f"{text} has a kink or a pole within the step"
    return ""
