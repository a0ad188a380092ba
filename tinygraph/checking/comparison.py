"""Compare backpropagation with numerical derivatives: `check_grad`."""

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
from tinygraph.support.arguments import check_positive

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

_ROUNDING = 2.0**-52


def same(x: float, y: float) -> bool:
    """Return whether two numbers are equal or both NaN.

    Args:
        x: First number.
        y: Second number.

    Returns:
        True if the numbers are equal or both NaN.
    """
    return x == y or (x != x and y != y)


def agree(x: float, y: float, allowed: float) -> bool:
    """Return whether two numbers agree. An infinite or NaN number never agrees with a finite one.

    Args:
        x: First number.
        y: Second number.
        allowed: Maximum allowed absolute difference. If it is not finite, the numbers must be equal.

    Returns:
        True if the numbers are equal or both NaN, or if both are finite and close enough.
    """
    return same(x, y) or abs(x - y) <= allowed < math.inf


@dataclass(frozen=True)
class InputCheck:
    """The check of one input: the derivative by backpropagation, the numerical derivative, and their comparison.

    Attributes:
        name: Name of the input: the parameter's name, plus an index if the input is an element of a nested
            argument.
        at: Value of the input.
        backward: Derivative by backpropagation.
        numeric: Numerical derivative.
        method: Method that computed the numerical derivative.
        step: Step size of the numerical derivative.
        allowed: Maximum allowed absolute difference.
        note: Reason why the two derivatives are not compared, or "" if they are compared.
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
        """The absolute difference between the derivatives, or 0 if both are NaN or the same infinity."""
        return 0.0 if same(self.backward, self.numeric) else abs(self.backward - self.numeric)

    @property
    def ok(self) -> bool:
        """True if the derivatives agree, or if `note` gives a reason not to compare them.

        One such reason is a non-differentiable point, where neither derivative is correct. No reason excuses an
        infinite or NaN derivative where the numerical derivative is finite.
        """
        if self.note and (math.isfinite(self.backward) or not math.isfinite(self.numeric)):
            return True
        return agree(self.backward, self.numeric, self.allowed)

    def __str__(self) -> str:
        verdict = (self.note or "agrees") if self.ok else " ".join(filter(None, ("DIFFERS", self.note)))
        return (
            f"{self.name} = {self.at:g}: backpropagation {self.backward:.10g}, {self.method} {self.numeric:.10g} "
            f"(step {self.step:.1e}), error {self.error:.1e} of {self.allowed:.1e} allowed: {verdict}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """The result of `check_grad`. `bool(result)` is True if all inputs pass, and `print(result)` shows a report.

    Attributes:
        inputs: One check per input, in the order of the inputs.
    """

    inputs: tuple[InputCheck, ...]

    @property
    def ok(self) -> bool:
        """True if all inputs pass the check."""
        return all(check.ok for check in self.inputs)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.inputs)


def check_grad(f: Function, *at: Tree, tolerance: float = 1e-9) -> GradientCheck:
    """Compare backpropagation with numerical derivatives at a point.

    If all ops are analytic, the check uses the complex step. Otherwise it computes central differences with two step
    sizes, extrapolates them to step size 0, and estimates the error from the disagreement between the two differences.
    If a non-differentiable point (a *kink*) lies within the step, the check reports the kink and does not fail.

    Args:
        f: Function of Values.
        *at: Arguments of `f`: numbers, or nested lists, tuples or dicts of numbers.
        tolerance: Allowed difference, relative to the sum of the absolute values of the gradient's terms (one term per
            path). Defaults to 1e-9.

    Returns:
        The result. `bool(result)` is True if all inputs pass, and `print(result)` shows a report.

    Raises:
        TypeError: If `f` is not a function, if `at` contains something other than numbers, or if `tolerance` is not a
            number.
        ValueError: If `tolerance` is negative.

    References:
        - Complex step: W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions",
          SIAM Review 40(1), 110-112, 1998.
        - Extrapolation to step size 0: L. F. Richardson, "The approximate arithmetical solution by finite differences
          of physical problems involving differential equations, with an application to the stresses in a masonry dam",
          Philosophical Transactions of the Royal Society A 210, 307-357, 1911.

    Examples:
        >>> print(check_grad(lambda a, b, c: 3 * (a + b * c), 5, 3, 2))  # doctest: +ELLIPSIS
        a = 5: backpropagation 3, complex step 3 (step 5.0e-20), error 0.0e+00 of 3.0e-09 allowed: agrees
        b = 3: ...
        c = 2: ...
        >>> print(check_grad(lambda x: x.relu(), 0.0))  # doctest: +ELLIPSIS
        x = 0: ... kink: relu(x) is at a kink, at 0
    """
    check_positive("tolerance", tolerance, zero=True)
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
        gradient = gradients.get(leaf, 0.0)
        # At the end of a domain, such as 0 for sqrt, the complex step gives a finite number that means nothing.
        numeric = _by_complex_step(function, i) if analytic and math.isfinite(root.data + gradient) else None
        found = numeric or _by_differences(function, walk, i)
        allowed = tolerance * max(terms.get(leaf, 0.0), abs(gradient)) + found.blur
        checks.append(
            InputCheck(names[i], x, gradient, found.derivative, found.method, found.step, allowed, found.note)
        )
    return GradientCheck(tuple(checks))


class _Numeric(NamedTuple):
    """A numerical derivative, with its method, step size and error.

    If the derivative is meaningless, `note` gives the reason.
    """

    derivative: float
    method: str
    step: float
    blur: float
    note: str = ""


def _by_complex_step(function: FlatFunction, i: int) -> _Numeric | None:
    """Return the derivative computed with the complex step, or None if the computation fails or is not finite."""
    step = step_of("complex", function.numbers[i])
    try:
        derivative = complex_step(function, i, step)
    except ArithmeticError:
        return None
    return _Numeric(derivative, "complex step", step, blur=step) if math.isfinite(derivative) else None


def _by_differences(function: FlatFunction, walk: Walk, i: int) -> _Numeric:
    """Return the derivative computed from two central differences."""
    x = function.numbers[i]
    for reach in (max(1.0, abs(x)), abs(x), 2.0**-20 * abs(x)):  # smaller if f is not finite within the step
        step = 2.0**-10 * (reach or 1.0)
        near, far = central_difference(function, i, step / 2), central_difference(function, i, step)
        derivative = near + (near - far) / 3.0
        if math.isfinite(derivative):
            break
    size = max(abs(walk.root.raw), abs(x * derivative), 1e-300)
    note = ""
    if not math.isfinite(derivative):
        note = "not checked, because f is not finite within the step"
    elif kink := kink_near(function, walk.nodes, i, step):
        note = f"kink: {kink}"
    return _Numeric(derivative, "central difference", step, abs(near - far) + 8 * _ROUNDING * size / step, note)


def absolute_terms(root: Node | Walk) -> dict[Node, float]:
    """Return a dictionary that maps each node to the sum of the absolute values of its gradient's terms.

    A gradient has one term per path from the root to the node: the product of the local derivatives along the path. The
    rounding error of the gradient is roughly proportional to this sum.

    Args:
        root: Root of the graph, or a `Walk` from the root with a seed of 1.

    Returns:
        The dictionary of sums.
    """
    walk = root if isinstance(root, Walk) else Walk(root, 1.0)
    terms: dict[Node, float] = {walk.root: 1.0}
    for edge in walk.edges:
        terms[edge.operand] = terms.get(edge.operand, 0.0) + terms[edge.node] * abs(edge.local)
    return terms


def input_names(f: Function, args: Sequence[Tree]) -> Iterator[str]:
    """Yield a name for each input.

    A named Value keeps its name. Any other input gets the name of its parameter, with an index if the input is an
    element of a nested argument.

    Args:
        f: Function that takes the inputs.
        args: Arguments of the function.

    Yields:
        The names, in the order of the inputs.
    """
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for i, arg in enumerate(args):
        known = i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL
        for name, number in named_numbers(parameters[i].name if known else f"argument {i + 1}", arg):
            yield (number.name if isinstance(number, Value) else "") or name


def kink_near(function: FlatFunction, nodes: Sequence[Node], i: int, step: float) -> str:
    """Describe why a function is not differentiable within the step of a numerical derivative.

    Args:
        function: Function to examine.
        nodes: Nodes of the function's graph, in reverse topological order.
        i: Index of the input that the step changes.
        step: Step size of the numerical derivative.

    Returns:
        The description, or "" if no reason is found.
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
    """Describe a kink or an edge of the op's domain between the operands of `node` and those of `moved`.

    Return "" if there is neither.
    """
    domain, points = op.domain, [node.numbers, moved.numbers]
    text = op.text(*[x.name if isinstance(x, Node) and x.name else f"{x:g}" for x in node.args])
    if domain.holds(points[0]) and not domain.holds(*points):
        return f"{text} leaves its domain, {domain.text}, within the step"
    if domain.kink is not None:
        at, after = (domain.kink(*point) for point in points)
        if at == 0 and after != 0:  # if both are 0, the operand did not move, as in relu(0 * x)
            return f"{text} is at a kink, at {', '.join(f'{x:g}' for x in points[0])}"
        if at * after < 0:
            return f"{text} has a kink or a pole within the step"
    return ""
