"""Compare backpropagation with numerical derivatives: `check_grad`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tinygraph.checking.cuts import cut_of
from tinygraph.checking.flat import FlatFunction, elements_and_sizes
from tinygraph.checking.kinks import kink_near
from tinygraph.checking.numeric import complex_step, refined, step_of
from tinygraph.checking.slopes import Slope, best_slope, kink_at, slope_of
from tinygraph.engine.autodiff import grad
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op
from tinygraph.explaining.walk import Walk
from tinygraph.functional import named_numbers
from tinygraph.support.arguments import check_positive

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

_ROUNDING = 2.0**-52
_MANY = 4  # with more inputs, one direction first shows whether the graph is cut


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
        fault: Fault of `f` that explains the difference, such as a cut in the graph, or "".
    """

    name: str
    at: float
    backward: float
    numeric: float
    method: str
    step: float
    allowed: float
    note: str
    fault: str = ""

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
        verdict = (self.note or "agrees") if self.ok else " ".join(filter(None, ("DIFFERS", self.note, self.fault)))
        return (
            f"{self.name} = {self.at:g}: backpropagation {self.backward:.10g}, {self.method} {self.numeric:.10g} "
            f"(step {self.step:.1e}), error {self.error:.1e} of {self.allowed:.1e} allowed: {verdict}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """The result of `check_grad`. `bool(result)` is True if all inputs pass, and `print(result)` shows a report.

    Attributes:
        inputs: One check per element of the inputs, in their order.
        projection: If the result is an array, the random weights that turn it into a scalar; otherwise "".
    """

    inputs: tuple[InputCheck, ...]
    projection: str = ""

    @property
    def ok(self) -> bool:
        """True if all inputs pass the check."""
        return all(check.ok for check in self.inputs)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join([str(check) for check in self.inputs] + [self.projection] * bool(self.projection))


def check_grad(f: Function, *at: Tree, tolerance: float = 1e-9) -> GradientCheck:
    """Compare backpropagation with numerical derivatives at a point.

    The check calls `f` itself at moved points and computes central differences, which it extrapolates to step size 0.
    These differences do not use the recorded graph. Where all ops of a scalar graph are analytic, the check also
    computes the complex step over the graph, which is accurate to rounding, and reports it. If the two disagree, the
    graph does not contain all of `f`: *the graph is cut*, for example by `.data`, `.item()` or `.detach()`.

    At a non-differentiable point (a *kink*), the check passes only if the result of backpropagation lies between the
    two one-sided derivatives.

    Args:
        f: Function of Values, or of Tensors if an argument contains an array. The result is a scalar or an array. An
            array is multiplied by random weights and summed.
        *at: Arguments of `f`: numbers, arrays or nodes, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed difference, relative to the sum of the absolute values of the gradient's terms (one term per
            path), or relative to the largest derivative if the inputs are arrays. Defaults to 1e-9.

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
        >>> import math
        >>> print(check_grad(lambda x: x * math.exp(x.data), 0.7))  # doctest: +ELLIPSIS
        x = 0.7: ... DIFFERS the graph is cut: the constant 2.01375 in mul changes with x, at <doctest ...
    """
    check_positive("tolerance", tolerance, zero=True)
    function = FlatFunction(f, at, values=True, seed=0)
    comparison = _Comparison(function, list(input_names(f, function.args)), tolerance)
    return GradientCheck(tuple([comparison.check(i) for i in range(len(function.numbers))]), function.projection)


class _Comparison:
    """The gradient of a recorded function, and the oracles that it is compared with."""

    def __init__(self, function: FlatFunction, names: list[str], tolerance: float) -> None:
        self.function, self.tolerance = function, tolerance
        self.root, self.leaves = root, leaves = function.record(function.numbers)
        for leaf, name in zip(leaves, names, strict=True):
            leaf.name = name
        self.names = list(function.element_names(names))
        self.nodes = order(root)
        self.value = float(root.raw)
        self.noise, self.analytic = 0.0, False
        if function.arrays:
            self.gradient, self.sizes = elements_and_sizes(grad(root, leaves))
        else:
            walk = Walk(root, 1.0)
            terms = absolute_terms(walk)
            self.gradient = [float(walk.gradients.get(leaf, 0.0)) for leaf in leaves]
            self.sizes = [terms.get(leaf, 0.0) for leaf in leaves]
            # Rounding errors of all intermediate values, as the result sees them.
            self.noise = _ROUNDING * sum(abs(node.raw) * terms.get(node, 0.0) for node in self.nodes)
            self.analytic = all(node.op is None or node.op.analytic is not None for node in self.nodes)
        self.whole = self.analytic and len(self.gradient) > _MANY and self._is_whole()

    def check(self, i: int) -> InputCheck:
        """Check one element of the inputs."""
        x, ours = self.function.numbers[i], self.gradient[i]
        found = self._numeric(i, x, ours, self.tolerance * max(self.sizes[i], abs(ours)))
        allowed = self.tolerance * max(self.sizes[i], abs(ours)) + found.blur
        return InputCheck(
            self.names[i], x, ours, found.derivative, found.method, found.step, allowed, found.note, found.fault
        )

    def _is_whole(self) -> bool:
        """Return whether the graph surely contains all of f, because f has the same derivative along a direction.

        The error of this derivative must be so small that a cut at one input is not hidden.
        """
        numbers = self.function.numbers
        direction = [1.0 + 0.5 * math.sin(i) for i in range(len(numbers))]  # different for each input

        def curve(t: float) -> float:
            try:
                return self.function([x + t * v for x, v in zip(numbers, direction, strict=True)])
            except (ArithmeticError, ValueError):  # outside the domain of a function of `math`
                return math.nan

        enough = self.tolerance * min(filter(None, self.sizes), default=0.0)
        slope = slope_of(curve, 0.0, enough / 2.0)
        error = slope.error + (16.0 * self.noise / slope.step if slope.step else 0.0)
        ours = math.fsum([x * v for x, v in zip(self.gradient, direction, strict=True)])
        return error <= enough and agree(ours, slope.derivative, error)

    def _numeric(self, i: int, x: float, ours: float, allowed: float) -> _Numeric:
        """Return the derivative with respect to one element, by the best method that explains what is found."""

        def curve(moved: float) -> float:
            return self.function.along(i, moved)

        # At the end of a domain, such as 0 for sqrt, the complex step gives a finite number that means nothing.
        analytic = self.analytic and math.isfinite(self.value + ours)
        complex_ = self._by_complex_step(i) if analytic else None
        if complex_ and self.whole and self.sizes[i] and agree(ours, complex_.derivative, allowed + complex_.blur):
            return complex_
        direct = self._by_differences(curve, i, x)
        if direct.note:
            return direct
        named = ""
        if not self.function.arrays and not analytic:
            named = kink_near(self.function, self.nodes, i, min(2.0**-20 * max(1.0, abs(x)), direct.step or 1.0))
        if agree(ours, direct.derivative, allowed + direct.blur):
            return complex_ or direct._replace(note=f"kink: {named}" if named else "")
        if kink := kink_at(curve, x, ours, Slope(direct.derivative, direct.blur, direct.step)):
            return direct._replace(note=f"kink: {named or kink}")
        if named:
            return direct._replace(fault=f"kink: {named}, but no one-sided derivative explains the difference")
        if place := cut_of(self.function, i, self.names[i]):
            return direct._replace(fault=f"the graph is cut: {place}")
        if complex_ and agree(ours, complex_.derivative, allowed + complex_.blur):
            return direct._replace(fault="the graph is cut: f, called at moved points, differs from its graph")
        return complex_ or direct

    def _by_differences(self, curve: Callable[[float], float], i: int, x: float) -> _Numeric:
        """Return the derivative from values of the function, from both sides or from the side where f is finite."""
        if not math.isfinite(self.value):
            return _Numeric(math.nan, "central difference", 0.0, 0.0, "not checked, because f is not finite here")
        method, slope = best_slope(curve, x)
        if math.isnan(slope.derivative):
            note = "not checked, because f is not finite within the step"
            return _Numeric(math.nan, "central difference", 0.0, 0.0, note)
        if slope.error > self.tolerance * abs(slope.derivative):
            method, slope = refined(self.function, self.function.numbers, i, method, slope)
        noise = 16.0 * self.noise / slope.step if slope.step else 0.0
        return _Numeric(slope.derivative, method, slope.step, slope.error + noise)

    def _by_complex_step(self, i: int) -> _Numeric | None:
        """Return the derivative computed with the complex step, or None if the computation fails or is not finite."""
        step = step_of("complex", self.function.numbers[i])
        try:
            derivative = complex_step(self.function, i, step, (self.root, self.leaves))
        except (ArithmeticError, ValueError):  # an overflow, or an op that `cmath` does not have
            return None
        return _Numeric(derivative, "complex step", step, blur=step) if math.isfinite(derivative) else None


class _Numeric(NamedTuple):
    """A numerical derivative, with its method, step size and error.

    If the derivative is meaningless, `note` gives the reason. If the function breaks the gradient, `fault` explains it.
    """

    derivative: float
    method: str
    step: float
    blur: float
    note: str = ""
    fault: str = ""


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

    A named node keeps its name. Any other input gets the name of its parameter, with an index if the input is an
    element of a nested argument.

    Args:
        f: Function that takes the inputs.
        args: Arguments of the function.

    Yields:
        The names, in the order of the inputs.
    """
    parameters = _parameters(f)
    for i, arg in enumerate(args):
        for name, number in named_numbers(parameters[i] if i < len(parameters) else f"argument {i + 1}", arg):
            yield (number.name if isinstance(number, Node) else "") or name


def _parameters(f: Function) -> list[str]:
    """Return the names of the parameters that take one positional argument each."""
    if isinstance(f, Op):
        return ["x", "y"][: f.arity]  # the accelerator calls it, so Python knows no names
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in found if parameter.kind in positional]
