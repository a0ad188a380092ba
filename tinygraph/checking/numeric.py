"""Numerical derivatives: change an input by a small step, and measure how much the result changes."""

from __future__ import annotations

import cmath
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tinygraph.checking.flat import FlatFunction
from tinygraph.checking.slopes import Slope
from tinygraph.engine.graph import Node, order
from tinygraph.engine.value import Value
from tinygraph.functional import numbers_of, refilled
from tinygraph.support.arguments import check_positive
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
        f: Function of plain numbers and arrays, or of Values or Tensors if `at` contains one. The methods "complex"
            and "mpmath" always pass Values. The result is a scalar.
        at: Argument, or a list or tuple of arguments. Each argument is a number, an array or a node, or a nested list,
            tuple, namedtuple or dict of them.
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
        TypeError: If `f` is not a function, if `at` contains something other than numbers, or if the result is not a
            scalar.
        ValueError: If the method is unknown, needs scalar inputs but gets an array, or needs analytic ops that `f`
            does not use, or if `step` is not positive.

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
    values = any(isinstance(x, Node) for x in numbers_of(args))
    function = FlatFunction(f, args, values=values)
    partials = [_METHODS[method](function, i, step or step_of(method, x)) for i, x in enumerate(function.numbers)]
    if hasattr(at, "_fields"):
        return refilled(at, function.grouped(partials))
    tree = function.restore(partials)
    return tree if several else tree[0]


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


def complex_step(
    function: FlatFunction, i: int, step: float, recorded: tuple[Value, list[Value]] | None = None
) -> float:
    """Return the complex-step derivative with respect to one input.

    Args:
        function: Function of Values that uses only analytic ops.
        i: Index of the input.
        step: Size of the imaginary step.
        recorded: Root and leaves of the graph of the function. Defaults to None, to record it.

    Returns:
        The derivative.
    """
    function.require_scalars("complex")
    root, leaves = recorded or function.record(function.numbers)
    moved = {leaf: complex(leaf.data, step if j == i else 0.0) for j, leaf in enumerate(leaves)}
    return float(evaluate(root, moved, cmath).imag / step)


def called_with_complex(function: FlatFunction, point: Sequence[float], i: int) -> float:
    """Return the complex step with respect to one element, from a call of the function itself with complex numbers.

    Args:
        function: Function of numbers and arrays that may take complex numbers.
        point: The elements of all inputs.
        i: Index of the element.

    Returns:
        The derivative, or NaN if the function does not take complex numbers. It is wrong if the function is not
        analytic, for example because it calls `abs`.
    """
    step = step_of("complex", point[i])
    numbers = [complex(x, step if j == i else 0.0) for j, x in enumerate(point)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns where a program drops the imaginary part
            y = function.projected(function.f(*function.restore(numbers)))
        return float(complex(y).imag / step)
    except Exception:  # whatever the program of a user raises for a complex number
        return math.nan


def refined(function: FlatFunction, point: Sequence[float], i: int, method: str, found: Slope) -> tuple[str, Slope]:
    """Return a more accurate derivative than a difference, if the function takes complex numbers.

    The complex step counts only if it agrees with the difference, because it is wrong if the function is not analytic.

    Args:
        function: Function of numbers and arrays.
        point: The elements of all inputs.
        i: Index of the element.
        method: Method that gave the difference.
        found: The difference.

    Returns:
        The name of the method, and the derivative.
    """
    if found.error < 1e-2 * abs(found.derivative):
        exact = called_with_complex(function, point, i)
        if abs(exact - found.derivative) <= found.error:
            return "complex step", Slope(exact, 1e-14 * abs(exact), step_of("complex", point[i]))
    return method, found


def _mpmath_step(function: FlatFunction, i: int, step: float) -> float:
    del step  # `exact_partial` chooses a step that suits the number of digits
    try:
        from mpmath import mp
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"method='mpmath' needs mpmath: {install_command('test')}", name=error.name) from None

    function.require_scalars("mpmath")
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
        ValueError: If an op is not analytic, or if the module has no function for it.
    """
    known: dict[Node, Number] = dict(leaves)
    for node in reversed(order(root)):
        if node.op is None:
            known.setdefault(node, node.raw)
            continue
        if node.op.analytic is None:
            raise ValueError(f"{node.op.name} is not analytic, so the complex step would be wrong: use 'central'")
        try:
            known[node] = node.op.analytic(module, *[known[x] if isinstance(x, Node) else x for x in node.args])
        except AttributeError as error:
            if error.obj is not module:  # an error in a user's function
                raise
            raise ValueError(f"cmath has no complex {node.op.name}: use 'mpmath' or 'central'") from None
    return known[root]


_METHODS: dict[str, Callable[[FlatFunction, int, float], float]] = {
    "two-point": _two_point,
    "central": central_difference,
    "six-point": _six_point,
    "complex": complex_step,
    "mpmath": _mpmath_step,
}
