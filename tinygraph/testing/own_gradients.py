"""Assertions about gradients that someone else computes: NumPy code, or a function of another framework."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.comparison import agree
from tinygraph.checking.flat import FlatFunction, cotangent, elements_of
from tinygraph.checking.slopes import best_slope, is_limit, is_sure, kink_at
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import counted, described, one_of
from tinygraph.testing.examining.differentiated import Differentiated, of_pairs, title_of
from tinygraph.testing.examining.examination import Examination
from tinygraph.testing.examining.linearity import nonlinearity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.checking.slopes import Curve
    from tinygraph.functional import Function, Tree
    from tinygraph.kernels.arrays import Array


def assert_value_and_grad(f: Function, *at: Tree, order: int = 1, tolerance: float = 1e-7) -> None:
    """Assert that a function that returns its value and its gradients returns the right gradients.

    The function may use NumPy, another framework, or C. It is called at moved points, and the gradient must agree with
    the extrapolated central differences. The assertion also checks shapes and dtypes, and that the function does not
    change its inputs, does not accumulate over calls, and does not reuse the arrays that it returned.

    Args:
        f: Function of floats and float64 arrays. It returns (value, gradients). The value is a scalar. The gradients
            are a sequence with one element per argument, each with the structure of the argument. If there is only one
            argument, they may also be its gradient itself. They may also be a dict whose keys are the names of the
            parameters, with or without the prefix "d" or "grad_".
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        order: Highest order of derivatives to check: 1, or 2 for the second derivatives along a random direction too.
            The second order needs a function from `from_torch`, `from_jax` or `from_autograd`. Defaults to 1.
        tolerance: Allowed error, relative to the derivative and to 1/1000 of the largest derivative with respect to the
            same input. Defaults to 1e-7. For the second derivatives, it is ten times as large.

    Raises:
        AssertionError: If a gradient is wrong. The message names the elements, both numbers, and the pattern of the
            errors.
        TypeError: If `f` does not return a pair of a scalar and gradients, if `at` contains something other than
            numbers, or if the framework cannot differentiate `f` twice.
        ValueError: If `tolerance` is negative, or if `order` is neither 1 nor 2, or 2 without second derivatives.

    Examples:
        >>> import numpy as np
        >>> def loss(w, X):
        ...     z = X @ w
        ...     return (z**2).sum(), (X.T @ z, 2.0 * np.outer(z, w))
        >>> assert_value_and_grad(loss, np.array([1.0, -2.0]), np.eye(2))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        AssertionError: loss: 1 problem
          the gradient of w is wrong in 2 of 2 elements
            w[1] = -2: the gradient is -2, central difference -4 (its own error: ...)
            w[0] = 1: the gradient is 1, central difference 2 (its own error: ...)
            every element is 0.5 times the right number: is a factor 2 missing?
    """
    __tracebackhide__ = True
    check_function("f", f)
    one_of("order", order, (1, 2))
    check_positive("tolerance", tolerance, zero=True)
    function = of_pairs(f)
    if order == 2 and function.second is None:
        raise ValueError(
            f"order=2 needs second derivatives, which {title_of(f)} does not return: "
            "pass a function from from_torch, from_jax or from_autograd"
        )
    _examine(function, at, tolerance)
    if order == 2:
        _examine(_along(function, at), at, 10.0 * tolerance, " in the derivative along a random direction (order 2)")


def _along(f: Differentiated, at: tuple[Tree, ...]) -> Differentiated:
    """Return the derivative of a function along a random direction, with its gradients."""
    function = FlatFunction(f.value, at, values=False)
    direction = function.grouped(np.random.default_rng(0).uniform(0.5, 1.5, len(function.numbers)).tolist())
    second = f.second
    assert second is not None
    return Differentiated(f, lambda *args: second(direction, *args))


def _examine(f: Differentiated, at: tuple[Tree, ...], tolerance: float, where: str = "") -> None:
    """Raise an error if a check of a function reports a problem."""
    __tracebackhide__ = True
    if problems := Examination(f, at, tolerance).problems():
        note = [f.projection] if f.projection else []
        raise AssertionError(
            "\n  ".join([f"{title_of(f)}: {counted(len(problems), 'problem')}{where}", *problems, *note])
        )


def assert_vjp(f: Function, vjp: Function, *at: Tree, tolerance: float = 1e-7) -> None:
    """Assert that a hand-written vector-Jacobian product (VJP, pullback, backward pass) is right.

    Args:
        f: Function of floats and float64 arrays. It returns a number or an array.
        vjp: Function of (cotangent, *at) that returns the gradients, as in `assert_value_and_grad`. The cotangent, also
            called upstream gradient, has the shape of the result of `f`.
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed error, as in `assert_value_and_grad`. Defaults to 1e-7.

    Raises:
        AssertionError: If a gradient is wrong for a random cotangent, or if the gradients are not linear in the
            cotangent.

    Examples:
        >>> import numpy as np
        >>> assert_vjp(np.tanh, lambda g, x: g * (1.0 - np.tanh(x) ** 2), np.array([0.5, -1.0]))
    """
    __tracebackhide__ = True
    check_function("f", f)
    check_function("vjp", vjp)

    check_positive("tolerance", tolerance, zero=True)

    def value(*args: Tree) -> object:
        y = _result(f, args)
        return (y * cotangent(projected.note_shape(y.shape), 0)).sum()

    def both(*args: Tree, factor: float = 1.0) -> tuple[object, object]:
        y = _result(f, args)
        if y.dtype.kind == "f" and y.dtype.itemsize < 8:
            raise AssertionError(f"{title_of(f)}: the result has dtype {y.dtype}: compute with float64")
        weights = factor * cotangent(projected.note_shape(y.shape), 0)
        given = np.array(weights)
        gradients = vjp(given if y.ndim else float(given), *args)
        if not np.array_equal(given, weights):
            raise AssertionError(f"{title_of(f)}: vjp changes the cotangent, which its caller still needs")
        return (y * weights).sum(), gradients

    projected = Differentiated(f, both, value)
    projected.pullback = lambda *args: lambda factor: both(*args, factor=factor)[1]
    _examine(projected, at, tolerance)


def assert_jvp(f: Function, jvp: Function, *at: Tree, tolerance: float = 1e-7) -> None:
    """Assert that a hand-written Jacobian-vector product (JVP, forward mode) is right.

    Args:
        f: Function of floats and float64 arrays. It returns a number or an array.
        jvp: Function of (at, tangents), two tuples of the same structure. It returns the derivative of the result of
            `f` along the tangents.
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed error, as in `assert_value_and_grad`. Defaults to 1e-7.

    Raises:
        AssertionError: If the derivative along a random tangent is wrong, or if it is not linear in the tangents.

    Examples:
        >>> import numpy as np
        >>> assert_jvp(np.tanh, lambda at, tangents: tangents[0] * (1.0 - np.tanh(at[0]) ** 2), np.array([0.5, -1.0]))
    """
    __tracebackhide__ = True
    check_function("f", f)
    check_function("jvp", jvp)
    check_positive("tolerance", tolerance, zero=True)
    function = FlatFunction(f, at, values=False)
    direction = np.random.default_rng(0).uniform(0.5, 1.5, len(function.numbers)).tolist()

    def along(t: float) -> Array:
        return _result(f, function.restore([x + t * v for x, v in zip(function.numbers, direction, strict=True)]))

    ours = _tangent(f, jvp, function, direction)
    if ours.shape != along(0.0).shape:
        raise AssertionError(
            f"{title_of(f)}: the JVP has shape {ours.shape}, but the result of f has shape {along(0.0).shape}"
        )
    largest = float(np.abs(ours[np.isfinite(ours)]).max(initial=0.0))
    for index in np.ndindex(ours.shape):

        def curve(t: float, index: tuple[int, ...] = index) -> float:
            return float(along(t)[index])

        def beside(t: float, index: tuple[int, ...] = index) -> float:
            point = function.restore([x + t * v for x, v in zip(function.numbers, direction, strict=True)])
            return float(np.asarray(jvp(tuple(point), tuple(function.restore(direction))))[index])

        if problem := _wrong_tangent(curve, beside, float(ours[index]), tolerance, largest):
            element = f"element {list(index)} of the JVP" if index else "the JVP"
            raise AssertionError(f"{title_of(f)}: {element} {problem}")
    if text := _nonlinear(jvp, function, direction):
        raise AssertionError(f"{title_of(f)}: {text}")


def _wrong_tangent(curve: Curve, beside: Curve, ours: float, tolerance: float, largest: float) -> str:
    """Describe one wrong element of a JVP, or return "". `beside` returns this element at other points of the curve."""
    with np.errstate(all="ignore"):
        here = curve(0.0)
        if not math.isfinite(here):
            if math.isnan(ours) or is_limit(curve, 0.0, ours, beside):
                return ""
            return f"is {ours:.10g}, but f is {here} here: this is outside its domain; pass a point where f is finite"
        method, found = best_slope(curve, 0.0)
        allowed = tolerance * max(abs(found.derivative), 1e-3 * largest) + found.error
        if agree(ours, found.derivative, allowed) or kink_at(curve, 0.0, ours):
            return ""
        if math.isnan(found.derivative) and not math.isfinite(ours):
            return ""
        if not is_sure(found) and is_limit(curve, 0.0, ours, beside):
            return ""
    text = f"{method} {found.derivative:.10g} (its own error: {found.error:.0e})"
    return f"along np.random.default_rng(0).uniform(0.5, 1.5) is {ours:.10g}, {text}"


def _nonlinear(jvp: Function, function: FlatFunction, direction: list[float]) -> str:
    """Describe how a JVP is not linear in the tangents, or return ""."""

    def scaled(factor: float) -> list[Tree]:
        tangents = function.restore([factor * v for v in direction])
        return [jvp(tuple(function.restore(function.numbers)), tuple(tangents))]

    return nonlinearity(scaled, ["the JVP"], "tangents")


def _result(f: Function, args: Sequence[Tree]) -> Array:
    """Return the result of a function as an array."""
    y = f(*args)
    if isinstance(y, (tuple, list, dict)) or y is None:
        raise TypeError(f"{title_of(f)} must return a number or one array, not {described(y)}")
    return np.asarray(y)


def _tangent(f: Function, jvp: Function, function: FlatFunction, direction: list[float]) -> Array:
    """Return the JVP along a direction, and check everything about it except its numbers."""
    __tracebackhide__ = True
    found = []
    for _ in range(2):
        point, tangents = function.restore(function.numbers), function.restore(direction)
        found.append(np.array(jvp(tuple(point), tuple(tangents))))
        if not np.array_equal(elements_of([point, tangents]), [*function.numbers, *direction], equal_nan=True):
            raise AssertionError(f"{title_of(f)}: the JVP function changes its inputs")
    first, second = found
    if first.dtype.kind not in "fiu" or (first.dtype.kind == "f" and first.dtype.itemsize < 8):
        raise AssertionError(f"{title_of(f)}: the JVP has dtype {first.dtype}: compute with float64")
    if first.shape == second.shape and not np.allclose(first, second, rtol=1e-12, atol=0.0, equal_nan=True):
        raise AssertionError(f"{title_of(f)}: a second call at the same point gives another JVP")
    return first
