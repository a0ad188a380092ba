"""Property-based gradient tests, for your functions and ops as for ours.

The strategies of `tinygraph.strategies` draw points and programs, assertions compare with an oracle that is
not backpropagation, and `op_test(row)` is a whole test for an op. Needs Hypothesis:
`pip install tinygraph-autodiff[test]`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import inf, isfinite, nan, nextafter, ulp
from typing import Any

from hypothesis import given, settings

from tinygraph.checking.comparison import Program as Flat
from tinygraph.checking.comparison import (
    digits,
    evaluate,
    exact_partial,
    input_names,
    kink_near,
    masses,
    numeric_grad,
    step_of,
)
from tinygraph.engine.autodiff import grad, hessian
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.testing.strategies import LANDMARKS, LETTERS
from tinygraph.testing.strategies import Program as Program
from tinygraph.testing.strategies import TensorProgram as TensorProgram
from tinygraph.testing.strategies import arrays as arrays
from tinygraph.testing.strategies import expressions as expressions
from tinygraph.testing.strategies import graphs as graphs
from tinygraph.testing.strategies import points as points
from tinygraph.testing.strategies import public_rows as public_rows
from tinygraph.testing.strategies import shapes as shapes
from tinygraph.testing.strategies import tensor_programs as tensor_programs
from tinygraph.testing.strategies import tensors as tensors

# --- assertions -----------------------------------------------------------------------------------


def assert_gradient(f: Callable[..., Any], *at: Any, order: int = 1, tolerance: float = 1e-10) -> None:
    """Assert that backpropagation through f is right at these arguments; with order=2 the Hessian too.

    The oracle is the best that the program admits: exact arithmetic where it is linear, mpmath with
    400 digits where all ops are analytic, the six-point difference elsewhere. Errors are relative to
    the absolute terms that backpropagation sums. The pass is seeded with a random number other than
    1, run twice, and must change nothing but gradients. AssertionError names function, point and input,
    both numbers, the oracle and its own error, and a kink if the point stands on one.

    >>> assert_gradient(lambda x, y: x * x.exp() / y, 1.5, 2.0, order=2)
    """
    if order not in (1, 2):
        raise ValueError(f"order is 1 or 2, not {order!r}")
    program = Flat(f, at, values=True)
    root, leaves = program.record(program.numbers)
    names = list(input_names(f, program.args))
    for leaf, name in zip(leaves, names, strict=True):
        leaf.name = name
    partials, terms = grad(root, leaves), masses(root)
    oracle = _Oracle(program, root, leaves)
    where = f"{_title(f)} at ({', '.join(f'{n} = {x!r}' for n, x in zip(names, program.numbers, strict=True))})"
    for i, (leaf, local) in enumerate(zip(leaves, partials, strict=True)):
        exact, blur = oracle.derivative(i)
        allowed = tolerance * max(terms.get(leaf, 0.0), abs(exact)) + blur
        oracle.compare(f"{where}\n  the derivative by {names[i]}", i, local, exact, allowed, blur)
    _check_the_pass(where, root, leaves, partials, terms, program.numbers)
    if order == 2:
        second = hessian(root, leaves)
        scale = [masses(row) for row in grad(root, leaves, create_graph=True)]
        for i, row in enumerate(second):
            for j, entry in enumerate(row):
                exact, blur = oracle.second(i, j)
                size = scale[i].get(leaves[j], 0.0) + scale[j].get(leaves[i], 0.0)
                allowed = 10 * tolerance * max(size, abs(exact)) + blur
                what = f"{where}\n  the second derivative by {names[i]} and {names[j]}"
                oracle.compare(what, j, entry, exact, allowed, blur)


def assert_same_gradient(f: Callable[..., Any], g: Callable[..., Any], *at: Any, tolerance: float = 1e-12) -> None:
    """Assert that two implementations have the same value and gradient at these arguments.

    >>> assert_same_gradient(lambda x: (x * x).log(), lambda x: 2.0 * x.log(), 3.0)
    """
    results = []
    for function in (f, g):
        program = Flat(function, at, values=True)
        root, leaves = program.record(program.numbers)
        sizes = masses(root)
        results.append((root.data, grad(root, leaves), [sizes.get(leaf, 0.0) for leaf in leaves]))
    names = ["", *input_names(f, at)]
    (y, partials, terms), (other, others, more) = results
    pairs = zip([y, *partials], [other, *others], [abs(y), *terms], [abs(other), *more], names, strict=True)
    for ours, theirs, size, size2, name in pairs:
        what = f"the derivative by {name}" if name else "the value"
        if not (_same(ours, theirs) or abs(ours - theirs) <= tolerance * max(size, size2)):
            raise AssertionError(
                f"{_title(f)} and {_title(g)} differ at {at}\n  {what}: {ours!r} and {theirs!r}, "
                f"{abs(ours - theirs):.1e} apart, {tolerance * max(size, size2):.1e} allowed"
            )


def _title(f: Callable[..., Any]) -> str:
    return repr(f) if isinstance(f, (Program, Op)) else getattr(f, "__qualname__", repr(f))


def _same(x: float, y: float) -> bool:
    return x == y or (x != x and y != y)


def _check_the_pass(
    where: str, root: Value, leaves: list[Value], partials: list[float], terms: dict[Node, float], at: list[float]
) -> None:
    """Seeded with a number of its own, twice, and touching nothing else."""
    seed = random.Random(repr(at)).uniform(1.5, 3.5)
    reached = set(order(root))
    passes = []
    for _ in range(2):
        root.backward(seed=seed)
        passes.append([leaf.grad for leaf in leaves])
    if repr(passes[0]) != repr(passes[1]):
        raise AssertionError(f"{where}\n  two passes differ: {passes[0]} and {passes[1]}")
    for leaf, local, x in zip(leaves, partials, at, strict=True):
        got = (leaf.grad if leaf.grad is not None else nan) if leaf in reached and not root.constant else 0.0
        if isfinite(seed * local) and abs(got - seed * local) > 1e-9 * max(abs(got), terms.get(leaf, 0.0)):
            raise AssertionError(f"{where}\n  seeded with {seed}, {leaf.name}.grad is {got}, not {seed * local}")
        if not _same(leaf.data, x):
            raise AssertionError(f"{where}\n  the pass changed {leaf.name} from {x} to {leaf.data}")


class _Oracle:
    """The truth about a program's derivatives, by the best way that is open for it."""

    def __init__(self, program: Flat, root: Value, leaves: list[Value]) -> None:
        self.program, self.root, self.leaves = program, root, leaves
        rows = [node.op for node in order(root) if node.op is not None]
        self.name = "six-point difference"
        if all(row.linear for row in rows):
            self.name = "exact arithmetic"
        elif all(row.analytic is not None for row in rows):
            self.name = "mpmath"

    def derivative(self, i: int) -> tuple[float, float]:
        """The derivative by input i, and how wrong it may be itself."""
        if self.name == "exact arithmetic":
            # Linear ops only: every path contributes 1 or -1, and small integers are exact in floats.
            return self._paths(i), 0.0
        if self.name == "mpmath":
            from mpmath import mp

            try:
                with mp.workdps(digits(self.program.numbers)):
                    return float(exact_partial(self.root, self.leaves, i)), 0.0
            except (ArithmeticError, ValueError):  # at a pole of the complex function
                pass
        return self._difference(i, lambda at: self.program(at))

    def _paths(self, i: int) -> float:
        from fractions import Fraction

        points = [{leaf: Fraction(int(k == i) * by) for k, leaf in enumerate(self.leaves)} for by in (0, 1)]
        constants = {node: Fraction(0) for node in order(self.root) if node.op is None}
        low, high = (evaluate(self.root, constants | point, None) for point in points)
        return float(high - low)

    def _difference(self, i: int, f: Callable[[list[float]], float]) -> tuple[float, float]:
        numbers = self.program.numbers
        step = step_of("six-point", numbers[i])

        def moved(x: float) -> float:
            return f([x if k == i else y for k, y in enumerate(numbers)])

        fine, coarse = (numeric_grad(moved, numbers[i], method="six-point", step=s) for s in (step / 2, step))
        size = max(abs(moved(numbers[i] + by)) for by in (-3 * step, 0.0, 3 * step))
        blur = abs(fine - coarse) + (1e-14 * size + 4 * ulp(0.0)) / step  # subnormals have few bits to differ in
        return (fine, blur) if isfinite(blur) else (nan, blur)  # out of the range of floats: nothing to compare with

    def second(self, i: int, j: int) -> tuple[float, float]:
        """The second derivative by inputs i and j, and how wrong it may be itself."""
        exact = self._stencil(i, j, (-0.5, 0.0, 0.5), 1)
        if exact is not None:
            return exact, 0.0

        def first(at: list[float]) -> float:
            root, leaves = self.program.record(at)
            return float(grad(root, leaves[i]))

        return self._difference(j, first)

    def third(self, i: int) -> float | None:
        """The third derivative by input i, or None where only differences are to be had."""
        return self._stencil(i, i, (1.0, -2.0, 1.0), 2)

    def _stencil(self, i: int, j: int, weights: Sequence[float], order: int) -> float | None:
        """A difference of exact slopes by input i along input j, over a step that hundreds of digits allow."""
        if self.name != "mpmath":
            return None
        from mpmath import mp

        with mp.workdps(digits(self.program.numbers, order=order + 1)):
            points = [mp.mpf(x) for x in self.program.numbers]
            step = mp.mpf(10) ** -200 * (abs(points[j]) or 1)  # its square is below the smallest float
            try:
                partials = [
                    exact_partial(self.root, self.leaves, i, [x + k * step * (n == j) for n, x in enumerate(points)])
                    for k in (-1, 0, 1)
                ]
            except (ArithmeticError, ValueError):  # at a pole of the complex function
                return None
            return float(sum(weight * local for weight, local in zip(weights, partials, strict=True)) / step**order)

    def compare(self, what: str, i: int, ours: float, exact: float, allowed: float, blur: float) -> None:
        """Raise AssertionError unless the two agree within what is allowed."""
        if _same(ours, exact) or abs(ours - exact) <= allowed or not isfinite(exact):
            return
        step = 3 * step_of("six-point", self.program.numbers[i])
        kink = kink_near(self.program, self.root, i, step) if self.name == "six-point difference" else ""
        error = abs(ours - exact) / abs(exact) if exact else inf
        raise AssertionError(
            f"{what}\n  backpropagation      {ours!r}\n  {self.name:<20} {exact!r}   (its own error: {blur:.1e})\n"
            f"  relative error {error:.1e}, difference {abs(ours - exact):.1e}, allowed {allowed:.1e}"
            + (f"\n  the point is at a kink: {kink}" if kink else "")
        )


# --- a whole test for an op -----------------------------------------------------------------------


def op_test(
    row: Op,
    *,
    limit: float = 1000.0,
    ulps: float = 8.0,
    terms: Callable[..., float] | None = None,
    max_examples: int = 200,
) -> Callable[[], None]:
    """Make a whole test of a row, to stand in one line of a test file.

    At points drawn over its domain up to `limit`, tails included: floats and nodes give the same bits;
    value and slopes are within `ulps` units in the last place of mpmath (rows without `analytic`: of
    the six-point difference, less precisely); the second and third derivatives are right; outside the
    domain nothing raises. `terms(*operands)` gives the size to measure errors against, where the
    true value or slope is a difference that cancels.

    >>> from tinygraph.engine import ops
    >>> test_log = op_test(ops.log)
    >>> test_log()
    """

    @settings(max_examples=max_examples, deadline=None, report_multiple_bugs=False)  # one error, and not a group
    @given(point=points(row, limit=limit, sizes=(1, 2)))
    def test(point: tuple[float, ...]) -> None:
        _check_row(row, point, ulps, terms)

    test.__name__ = test.__qualname__ = f"test_{row.name}"
    test.__doc__ = f"The op {row.name}: values, slopes, higher derivatives."
    return test


def _check_row(row: Op, point: tuple[float, ...], ulps: float, terms: Callable[..., float] | None) -> None:
    nodes = [Value(x, name) for x, name in zip(point, "xyzuvw" if len(point) < 7 else LETTERS, strict=False)]
    y = row.on(nodes)
    where = f"{row!r} at {point}"
    if not _same(y.data, row.floats(*point)):
        raise AssertionError(f"{where}\n  the node has {y.data!r}, the float {row.floats(*point)!r}")
    size = terms(*point) if terms is not None else 0.0
    program = Flat(lambda *xs: row.on(xs), point, values=True)
    oracle = _Oracle(program, y, nodes)
    if oracle.name == "mpmath":
        from mpmath import mp

        with mp.workdps(digits(point)):
            value = float(mp.mpc(evaluate(y, {node: mp.mpf(node.data) for node in nodes}, mp)).real)
        _within(f"{where}\n  the value", y.data, value, ulps, size, 0.0, oracle.name)
    firsts = []
    for i, node in enumerate(nodes):
        if not _room(row, point, i):
            continue
        exact, blur = oracle.derivative(i)
        _within(f"{where}\n  the slope by {node.name}", grad(y, node), exact, ulps, size, blur, oracle.name)
        firsts.append((i, node, grad(y, node, create_graph=True)))
    for i, node, first in firsts:
        if all(x == 0 or abs(x) > 1e-3 for x in point):  # nearer to 0, mpmath needs thousands of digits
            _check_higher(row, where, oracle, i, node, first, nodes)


def _check_higher(row: Op, where: str, oracle: _Oracle, i: int, node: Value, first: Value, nodes: list[Value]) -> None:
    """Orders 2 and 3, relative to the absolute terms they are summed from."""
    for j, other in enumerate(nodes):
        if _room(row, oracle.program.numbers, j):
            exact, blur = oracle.second(i, j)
            size = max(masses(first).get(other, 0.0) + abs(first.data), abs(exact))
            what = f"{where}\n  the second derivative by {node.name} and {other.name}"
            oracle.compare(what, j, grad(first, other), exact, _loose(size) + 10 * blur, blur)
    truth = oracle.third(i) if all(node.data in LANDMARKS for node in nodes) else None
    if truth is not None:
        second = grad(first, node, create_graph=True)
        size = max(masses(second).get(node, 0.0) + abs(second.data) + abs(first.data), abs(truth))
        what = f"{where}\n  the third derivative by {node.name}"
        oracle.compare(what, i, grad(second, node), truth, _loose(size), 0.0)


def _loose(size: float) -> float:
    return 1e-8 * size + 1e-320  # and a few subnormals


def _room(row: Op, point: Sequence[float], i: int) -> bool:
    """Whether operand i can be moved a little: not an exponent that must be whole."""
    by = 3.3 * step_of("six-point", point[i]) if row.analytic is None else abs(point[i]) * 2.0**-40 or 2.0**-40
    around = [[x + s * by * (k == i) for k, x in enumerate(point)] for s in (-1, 1)]
    return row.domain.holds(point, *around)


def _within(what: str, ours: float, exact: float, ulps: float, size: float, blur: float, oracle: str) -> None:
    spacing = nextafter(max(abs(exact), size), inf) - max(abs(exact), size)
    if _same(ours, exact) or not isfinite(exact) or abs(ours - exact) <= ulps * spacing + blur:
        return
    error = abs(ours - exact) / abs(exact) if exact else inf
    raise AssertionError(
        f"{what}\n  is {ours!r}\n  {oracle} says {exact!r} (its own error: {blur:.1e})\n"
        f"  relative error {error:.1e}, {abs(ours - exact) / spacing:.3g} ULP, {ulps:g} allowed"
    )
