"""`op_test`: a complete test of an op in one line of code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nextafter

import numpy as np
from hypothesis import given, settings

from tinygraph.checking.comparison import absolute_terms, agree, same
from tinygraph.checking.flat import FlatFunction
from tinygraph.checking.numeric import digits, evaluate, step_of
from tinygraph.engine.autodiff import grad
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.kernels import arrays as array_kernels
from tinygraph.kernels.arrays import Array
from tinygraph.kernels.quiet import quietly
from tinygraph.support.arguments import check_function, check_integer, check_positive
from tinygraph.testing.oracles import Oracle
from tinygraph.testing.strategies import LANDMARKS, LETTERS, points

_LENGTH = 9  # NumPy computes the last elements, which do not fill a vector register, by other code


def op_test(
    op: Op,
    *,
    limit: float = 1000.0,
    ulps: float = 8.0,
    terms: Callable[..., float] | None = None,
    max_examples: int = 200,
) -> Callable[[], None]:
    """Return a complete test of an op, so that a test file needs only one line per op.

    The test draws points from the op's domain, including extreme values up to `limit`. It checks that floats and nodes
    give bit-identical values, and that values and local derivatives agree with mpmath. For an op without `analytic`,
    the reference is the six-point difference, which is less accurate and can check only derivatives. The kernels for
    arrays must agree with the same references, and their values with those of floats. The test also checks the second
    derivatives and, at some points, the third derivatives.

    Args:
        op: Op to test.
        limit: Maximum absolute value of an operand. Defaults to 1000.
        ulps: Allowed error, in units in the last place (ULP). Defaults to 8.
        terms: Function of the operands that returns the scale of the error. Pass such a function if the op or a local
            derivative subtracts terms that almost cancel.
        max_examples: Maximum number of points that the test draws. Defaults to 200.

    Returns:
        The test, a function without arguments.

    Examples:
        >>> from tinygraph.engine.ops import log
        >>> test_log = op_test(log)
        >>> test_log()
    """
    check_positive("ulps", ulps)
    if terms is not None:
        check_function("terms", terms)
    check_integer("max_examples", max_examples, least=1)

    @settings(max_examples=max_examples, deadline=None, report_multiple_bugs=False)  # report one error, not a group
    @given(point=points(op, limit=limit, sizes=(1, 2)))
    def test(point: tuple[float, ...]) -> None:
        check_op(op, point, ulps, terms)

    test.__name__ = test.__qualname__ = f"test_{op.name}"
    test.__doc__ = f"Test the values, local derivatives and higher derivatives of {op.name}."
    return test


def check_op(op: Op, point: tuple[float, ...], ulps: float, terms: Callable[..., float] | None) -> None:
    """Assert that an op is correct at one point.

    Args:
        op: Op to test.
        point: Operands.
        ulps: Allowed error, in ULP.
        terms: Function of the operands that returns the scale of the error, or None.

    Raises:
        AssertionError: If a value or a derivative is wrong.
    """
    nodes = [Value(x, name) for x, name in zip(point, "xyzuvw" if len(point) < 7 else LETTERS, strict=False)]
    y = op.on(nodes)
    where = f"{op!r} at {point}"
    if not same(y.data, op.floats(*point)):
        raise AssertionError(f"{where}\n  the value of the node is {y.data!r}, but floats give {op.floats(*point)!r}")
    size = terms(*point) if terms is not None else 0.0
    function = FlatFunction(lambda *xs: op.on(xs), point, values=True)
    oracle = Oracle(function, y, nodes)
    kernels = _ArrayKernels(op, point, f"{where}\n  for arrays,", ulps, size) if not op.variadic else None
    if kernels is not None:
        kernels.check_value(y.data)
    if oracle.name == "mpmath":
        from mpmath import mp

        with mp.workdps(digits(point)):
            value = float(mp.mpc(evaluate(y, {node: mp.mpf(node.data) for node in nodes}, mp)).real)
        _within(f"{where}\n  the value", y.data, value, ulps, size, 0.0, oracle.name)
    firsts = []
    for i, node in enumerate(nodes):
        if not _room(op, point, i):
            continue
        exact, blur = oracle.derivative(i)
        _within(
            f"{where}\n  the local derivative with respect to {node.name}",
            grad(y, node),
            exact,
            ulps,
            size,
            blur,
            oracle.name,
        )
        if kernels is not None:
            kernels.check_partial(i, exact, blur, oracle.name)
        firsts.append((i, node, grad(y, node, create_graph=True)))
    for i, node, first in firsts:
        if all(x == 0 or abs(x) > 1e-3 for x in point):  # closer to 0, mpmath needs thousands of digits
            _check_higher(op, where, oracle, i, node, first, nodes)


class _ArrayKernels:
    """The value and the local derivatives that an op's kernels for arrays compute at one point."""

    def __init__(self, op: Op, point: Sequence[float], where: str, ulps: float, size: float) -> None:
        arrays = [np.full(_LENGTH, x) for x in point]
        self.where, self.ulps, self.size = where, ulps, size
        self.values = [quietly(op.arrays, *arrays)]
        self.partials = quietly(op.array_partials, self.values[0], arrays, [True] * len(point))
        self.others: list[Array] = []  # the first local derivative from the kernel that computes it with the value
        if op.with_partial:
            value, partial = quietly(getattr(array_kernels, op.with_partial), *arrays)
            self.values.append(value)
            self.others.append(partial)

    def check_value(self, exact: float) -> None:
        """Compare the values with the value that floats give."""
        for value in self.values:
            if np.shape(value) != (_LENGTH,):
                raise AssertionError(f"{self.where} the value has shape {np.shape(value)}, not {(_LENGTH,)}")
            self._compare("the value", value, exact, 0.0, "the kernel for floats")

    def check_partial(self, i: int, exact: float, blur: float, oracle: str) -> None:
        """Compare the local derivatives with respect to operand `i` with a reference."""
        for partial in (self.partials[i], *(self.others if i == 0 else ())):
            self._compare(f"the local derivative with respect to operand {i + 1}", partial, exact, blur, oracle)

    def _compare(self, what: str, array: Array | float, exact: float, blur: float, oracle: str) -> None:
        for number in set(np.ravel(array).tolist()):
            _within(f"{self.where} {what}", number, exact, self.ulps, self.size, blur, oracle)


def _check_higher(op: Op, where: str, oracle: Oracle, i: int, node: Value, first: Value, nodes: list[Value]) -> None:
    """Check second and third derivatives. The allowed error is relative to the sum of the terms' absolute values."""
    for j, other in enumerate(nodes):
        if _room(op, oracle.function.numbers, j):
            exact, blur = oracle.second(i, j)
            size = max(absolute_terms(first).get(other, 0.0) + abs(first.data), abs(exact))
            what = f"{where}\n  the second derivative with respect to {node.name} and {other.name}"
            oracle.compare(what, j, grad(first, other), exact, _loose(size) + 10 * blur, blur)
    truth = oracle.third(i) if all(node.data in LANDMARKS for node in nodes) else None
    if truth is not None:
        second = grad(first, node, create_graph=True)
        size = max(absolute_terms(second).get(node, 0.0) + abs(second.data) + abs(first.data), abs(truth))
        what = f"{where}\n  the third derivative with respect to {node.name}"
        oracle.compare(what, i, grad(second, node), truth, _loose(size), 0.0)


def _loose(size: float) -> float:
    return 1e-8 * size + 1e-320  # the second term allows for the rounding of subnormal numbers


def _room(op: Op, point: Sequence[float], i: int) -> bool:
    """Return whether operand `i` can change slightly.

    For example, an exponent that must be an integer cannot change slightly.
    """
    by = 3.3 * step_of("six-point", point[i]) if op.analytic is None else abs(point[i]) * 2.0**-40 or 2.0**-40
    around = [[x + s * by * (k == i) for k, x in enumerate(point)] for s in (-1, 1)]
    return op.domain.holds(point, *around)


def _within(what: str, ours: float, exact: float, ulps: float, size: float, blur: float, oracle: str) -> None:
    spacing = nextafter(max(abs(exact), size), inf) - max(abs(exact), size)
    if agree(ours, exact, ulps * spacing + blur) or exact != exact:  # NaN means that there is no reference
        return
    error = abs(ours - exact) / abs(exact) if exact else inf
    raise AssertionError(
        f"{what}\n  is {ours!r}\n  {oracle} gives {exact!r} (its own error: {blur:.1e})\n"
        f"  relative error {error:.1e}, {abs(ours - exact) / spacing:.3g} ULP, {ulps:g} allowed"
    )
