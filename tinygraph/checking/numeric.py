"""Numerical derivatives: change an input by a small step, and measure how much the result changes."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tinygraph.engine.graph import Node, order
from tinygraph.engine.value import Value
from tinygraph.functional import numbers_of, refilled
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import install_command, one_of

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

Number = Any  # a float, complex, Fraction, or mpmath number
Method = Literal["two-point", "central", "six-point", "complex", "mpmath"]

NUDGE = 0.001  # step size in the lecture


def numeric_grad(f: Function, at: Tree, *, method: Method = "central", step: float | None = None) -> Tree:
    """Return the derivative of a function, computed numerically by changing each input slightly.

    The default method suits a quick check. If all ops are analytic, use "complex" for a derivative that is accurate to
    rounding. Otherwise, the most accurate method is "six-point". Use "mpmath" for reference values, and "two-point" for
    the lecture's formula.

    Args:
        f: Function of plain numbers, or of Values if `at` contains a Value. The methods "complex" and "mpmath" always
            pass Values.
        at: Argument, or a list or tuple of arguments. Each argument is a number, or a nested list, tuple or dict of
            numbers.
        method: Method of differentiation. Defaults to "central". With the step size h, the methods are:

            - "two-point": the *forward difference* of the lecture, (f(x + h) - f(x)) / h, with an error of order h (by
              default, h is 0.001);
            - "central": the *central difference* (f(x + h) - f(x - h)) / 2h, with an error of order h²;
            - "six-point": a difference formula with six points, with an error of order h⁶;
            - "complex": the *complex step* Im f(x + ih) / h, which is accurate to rounding and needs analytic ops;
            - "mpmath": the complex step with 400 digits, which needs analytic ops.
        step: Step size h. Defaults to a size that suits the method.

    Returns:
        The derivative, nested like `at`.

    Raises:
        TypeError: If `f` is not a function, or if `at` contains something other than numbers.
        ValueError: If the method is unknown or needs analytic ops that `f` does not use, or if `step` is not positive.

    References:
        - Differences: B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
          Mathematics of Computation 51(184), 699-706, 1988.
        - Complex step: W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions",
          SIAM Review 40(1), 110-112, 1998.
        - Accuracy of the complex step: J. R. R. A. Martins, P. Sturdza and J. J. Alonso, "The complex-step derivative
          approximation", ACM Transactions on Mathematical Software 29(3), 245-262, 2003.

    Examples:
        >>> f = lambda a, b, c: 3 * (a + b * c)
        >>> [round(derivative, 6) for derivative in numeric_grad(f, [5, 3, 2])]
        [3.0, 6.0, 9.0]
        >>> round(numeric_grad(lambda a: a**2, 2, method="two-point"), 6)
        4.001
        >>> from tinygraph.engine.ops import sigmoid
        >>> numeric_grad(sigmoid, 0, method="complex")
        0.25
    """
    one_of("method", method, _METHODS)
    if step is not None:
        check_positive("step", step)
    several = isinstance(at, (list, tuple))
    args = list(at) if several else [at]
    values = any(isinstance(x, Value) for x in numbers_of(args))
    function = FlatFunction(f, args, values=values)
    partials = [_METHODS[method](function, i, step or step_of(method, x)) for i, x in enumerate(function.numbers)]
    if hasattr(at, "_fields"):
        return refilled(at, partials)
    tree = function.restore(partials)
    return tree if several else tree[0]


class FlatFunction:
    """A wrapper that turns a function of nested arguments into a function of one flat list of numbers.

    Args:
        f: Function to wrap.
        args: Arguments of `f`: numbers, or nested lists, tuples or dicts of numbers.
        values: If true, call `f` with Values instead of plain numbers.

    Attributes:
        numbers: The numbers in `args`, as a flat list.
    """

    def __init__(self, f: Function, args: Sequence[Tree], values: bool) -> None:
        check_function("f", f)
        self.f, self.args, self.values = f, list(args), values
        self.numbers = [x.data if isinstance(x, Value) else plain_number(x, "at") for x in numbers_of(self.args)]

    def restore(self, numbers: Sequence[object]) -> list[Tree]:
        """Return the elements of a flat list, nested like the arguments.

        Args:
            numbers: One object per input of the function.

        Returns:
            The nested list.
        """
        form: list[Tree] = refilled(self.args, numbers)
        return form

    def __call__(self, numbers: Sequence[float]) -> float:
        """Return the value of the function as a float.

        Args:
            numbers: Flat list of inputs.

        Returns:
            The value.
        """
        given = [Value(x, constant=True) for x in numbers] if self.values else numbers
        return _plain(self.f(*self.restore(given)))

    def record(self, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """Record the function, and return the root and the leaves of its graph.

        Args:
            numbers: Flat list of inputs.

        Returns:
            The root, and one leaf per input.
        """
        leaves = [Value(x) for x in numbers]
        y = self.f(*self.restore(leaves))
        return (y if isinstance(y, Value) else Value(y, constant=True)), leaves

    def moved(self, i: int, by: float) -> list[float]:
        """Return a copy of `numbers` with one input changed.

        Args:
            i: Index of the input.
            by: Amount to add to the input.

        Returns:
            A new flat list.
        """
        return [x + by if j == i else x for j, x in enumerate(self.numbers)]


def _plain(x: Number | Value) -> float:
    return x.data if isinstance(x, Value) else Value(x).data


def step_of(method: str, x: float) -> float:
    """Return the default step size of the given method.

    Args:
        method: Name of the method, as in `numeric_grad`.
        x: Value of the input.

    Returns:
        The step size.
    """
    if method == "two-point":
        return NUDGE
    if method == "complex":
        return max(1e-20 * abs(x), 1e-300) if x else 1e-20
    if method == "six-point":
        return float(2.0**-9 * max(1.0, abs(x)))
    return float(2.0**-17 * max(1.0, abs(x)))  # about the cube root of the machine epsilon


def _two_point(function: FlatFunction, i: int, step: float) -> float:
    return (function(function.moved(i, step)) - function(function.numbers)) / step


def central_difference(function: FlatFunction, i: int, step: float) -> float:
    """Return the central difference with respect to one input.

    Args:
        function: Function to differentiate.
        i: Index of the input.
        step: Step size on each side of the input.

    Returns:
        The derivative.
    """
    right, left = function.moved(i, step), function.moved(i, -step)
    return (function(right) - function(left)) / (right[i] - left[i])  # divide by the step after rounding


def _six_point(function: FlatFunction, i: int, step: float) -> float:
    x = function.numbers[i]
    h = (x + step) - x
    near, middle, far = (function(function.moved(i, k * h)) - function(function.moved(i, -k * h)) for k in (1, 2, 3))
    return (45.0 * near - 9.0 * middle + far) / (60.0 * h)


def complex_step(function: FlatFunction, i: int, step: float) -> float:
    """Return the complex-step derivative with respect to one input.

    Args:
        function: Function of Values that uses only analytic ops.
        i: Index of the input.
        step: Size of the imaginary step.

    Returns:
        The derivative.
    """
    root, leaves = function.record(function.numbers)
    moved = {leaf: complex(leaf.data, step if j == i else 0.0) for j, leaf in enumerate(leaves)}
    return float(evaluate(root, moved, cmath).imag / step)


def _mpmath_step(function: FlatFunction, i: int, step: float) -> float:
    del step  # `exact_partial` chooses a step that suits the number of digits
    try:
        from mpmath import mp
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"method='mpmath' needs mpmath: {install_command('test')}", name=error.name) from None

    with mp.workdps(digits(function.numbers)):
        root, leaves = function.record(function.numbers)
        return float(exact_partial(root, leaves, i))


def digits(numbers: Sequence[float], order: int = 1) -> int:
    """Return the number of decimal digits that mpmath must use.

    With this number of digits, 1 + exp(-700) differs from 1, and asin(x + ih) keeps a tiny imaginary step h.

    Args:
        numbers: Values of the inputs.
        order: Order of the derivative, from 1 to 3.

    Returns:
        The number of decimal digits.
    """
    smallest = min((abs(x) for x in numbers if x), default=1.0)
    return (400, 1200, 2400)[order - 1] + (4 * order - 2) * max(0, -int(math.log10(smallest)))


def exact_partial(root: Value, leaves: Sequence[Value], i: int, at: Sequence[Number] | None = None) -> Number:
    """Return the derivative with respect to one leaf, as an mpmath number.

    Args:
        root: Root of the graph.
        leaves: Leaves of the graph.
        i: Index of the leaf.
        at: Values of the leaves. Defaults to their current values.

    Returns:
        The derivative, with the precision of the active mpmath context.
    """
    from mpmath import mp

    points = [mp.mpf(leaf.data) for leaf in leaves] if at is None else at
    step = mp.mpf(10) ** (-mp.dps // 2) * (abs(points[i]) or 1)
    moved = {leaf: mp.mpc(x, step if j == i else 0) for j, (leaf, x) in enumerate(zip(leaves, points, strict=True))}
    return mp.mpc(evaluate(root, moved, mp)).imag / step


def evaluate(root: Value, leaves: Mapping[Any, Number], module: object) -> Number:
    """Return the value of the root for the given values of the leaves.

    Args:
        root: Root of the graph.
        leaves: Mapping from leaves to values. A leaf that is not in the mapping keeps its current value.
        module: Module whose functions are used (`cmath` or `mpmath.mp`), or None if the ops need only arithmetic.

    Returns:
        The value.

    Raises:
        ValueError: If an op is not analytic.
    """
    known: dict[Node, Number] = dict(leaves)
    for node in reversed(order(root)):
        if node.op is None:
            known.setdefault(node, node.raw)
            continue
        if node.op.analytic is None:
            raise ValueError(f"{node.op.name} is not analytic, so the complex step would be wrong: use 'central'")
        known[node] = node.op.analytic(module, *[known[x] if isinstance(x, Node) else x for x in node.args])
    return known[root]


_METHODS: dict[str, Callable[[FlatFunction, int, float], float]] = {
    "two-point": _two_point,
    "central": central_difference,
    "six-point": _six_point,
    "complex": complex_step,
    "mpmath": _mpmath_step,
}
