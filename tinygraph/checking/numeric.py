"""Derivatives without calculus: nudge an input, and look at what the function does."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tinygraph.engine.graph import Node, order
from tinygraph.engine.value import Value
from tinygraph.functional import numbers_of, refilled

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

Number = Any  # a float, a complex number, a Fraction, or one of mpmath
Method = Literal["two-point", "central", "six-point", "complex", "mpmath"]

NUDGE = 0.001  # the lecture's step


def numeric_grad(f: Function, at: Tree, *, method: Method = "central", step: float | None = None) -> Tree:
    """Return the derivative of f, found by nudging its input.

    Args:
        f: A function that is called with plain numbers, or with Values where `at` holds Values.
        at: The argument, or a list or tuple of arguments; each is a number, or a nested list, tuple or dict of them.
        method: The difference to take:

            - "two-point", the lecture's (f(x + 0.001) - f(x)) / 0.001, with an error of order step;
            - "central", (f(x + h) - f(x - h)) / 2h, with an error of order step²;
            - "six-point", with an error of order step⁶;
            - "complex", Im f(x + ih) / h in floats, exact to rounding, for analytic ops only;
            - "mpmath", the same with 400 digits.
        step: The step. Defaults to one that suits the method.

    Returns:
        The derivative, in the form of `at`.

    Raises:
        ValueError: If the method is unknown, or needs analytic ops and f uses another.

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
    if method not in _METHODS:
        raise ValueError(f"method is one of {', '.join(map(repr, _METHODS))}, not {method!r}")
    several = isinstance(at, (list, tuple))
    args = list(at) if several else [at]
    values = any(isinstance(x, Value) for x in numbers_of(args))
    function = FlatFunction(f, args, values=values)
    partials = [_METHODS[method](function, i, step or step_of(method, x)) for i, x in enumerate(function.numbers)]
    tree = function.restore(partials)
    return tree if several else tree[0]


class FlatFunction:
    """A function of nested arguments, seen as a function of one flat list of numbers.

    Args:
        f: The function.
        args: Its arguments: numbers, or nested lists, tuples or dicts of them.
        values: Whether it is called with Values, else with plain numbers.
    """

    def __init__(self, f: Function, args: Sequence[Tree], values: bool) -> None:
        self.f, self.args, self.values = f, list(args), values
        self.numbers = [_plain(x) for x in numbers_of(self.args)]

    def restore(self, numbers: Sequence[object]) -> list[Tree]:
        """Return a flat list in the form of the arguments."""
        form: list[Tree] = refilled(self.args, numbers)
        return form

    def __call__(self, numbers: Sequence[float]) -> float:
        """Return the number that f gives."""
        given = [Value(x, constant=True) for x in numbers] if self.values else numbers
        return _plain(self.f(*self.restore(given)))

    def record(self, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """Return the graph that f records, and its leaves."""
        leaves = [Value(x) for x in numbers]
        y = self.f(*self.restore(leaves))
        return (y if isinstance(y, Value) else Value(y, constant=True)), leaves

    def moved(self, i: int, by: float) -> list[float]:
        """Return the point with its element i moved."""
        return [x + by if j == i else x for j, x in enumerate(self.numbers)]


def _plain(x: Number | Value) -> float:
    return x.data if isinstance(x, Value) else Value(x).data


def step_of(method: str, x: float) -> float:
    """Return the step that a method takes at x."""
    if method == "two-point":
        return NUDGE
    if method == "complex":
        return max(1e-20 * abs(x), 1e-300) if x else 1e-20
    if method == "six-point":
        return float(2.0**-9 * max(1.0, abs(x)))
    return float(2.0**-17 * max(1.0, abs(x)))  # about the cube root of the rounding error


def _two_point(function: FlatFunction, i: int, step: float) -> float:
    return (function(function.moved(i, step)) - function(function.numbers)) / step


def central_difference(function: FlatFunction, i: int, step: float) -> float:
    """Return the central difference along input i."""
    right, left = function.moved(i, step), function.moved(i, -step)
    return (function(right) - function(left)) / (right[i] - left[i])  # the step that was really taken


def _six_point(function: FlatFunction, i: int, step: float) -> float:
    x = function.numbers[i]
    h = (x + step) - x
    near, middle, far = (function(function.moved(i, k * h)) - function(function.moved(i, -k * h)) for k in (1, 2, 3))
    return (45.0 * near - 9.0 * middle + far) / (60.0 * h)


def complex_step(function: FlatFunction, i: int, step: float) -> float:
    """Return the complex-step derivative by input i."""
    root, leaves = function.record(function.numbers)
    moved = {leaf: complex(leaf.data, step if j == i else 0.0) for j, leaf in enumerate(leaves)}
    return float(evaluate(root, moved, cmath).imag / step)


def _mpmath_step(function: FlatFunction, i: int, step: float) -> float:
    del step  # it hardly matters with so many digits
    from mpmath import mp

    with mp.workdps(digits(function.numbers)):
        root, leaves = function.record(function.numbers)
        return float(exact_partial(root, leaves, i))


def digits(numbers: Sequence[float], order: int = 1) -> int:
    """Return how many decimals mpmath needs: 1 + exp(-700) must not be 1, and asin(x + ih) must not lose its h."""
    smallest = min((abs(x) for x in numbers if x), default=1.0)
    return (400, 1200, 2400)[order - 1] + (4 * order - 2) * max(0, -int(math.log10(smallest)))


def exact_partial(root: Value, leaves: Sequence[Value], i: int, at: Sequence[Number] | None = None) -> Number:
    """Return the derivative by a leaf as an mpmath number; `at` moves the leaves to another point."""
    from mpmath import mp

    points = [mp.mpf(leaf.data) for leaf in leaves] if at is None else at
    step = mp.mpf(10) ** (-mp.dps // 2) * (abs(points[i]) or 1)
    moved = {leaf: mp.mpc(x, step if j == i else 0) for j, (leaf, x) in enumerate(zip(leaves, points, strict=True))}
    return mp.mpc(evaluate(root, moved, mp)).imag / step


def evaluate(root: Value, leaves: Mapping[Any, Number], module: object) -> Number:
    """Return the value of the root at other leaves, with the functions of `cmath` or `mpmath`."""
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
