"""Assertions about gradients, with messages that explain each failure."""

from __future__ import annotations

import random
from math import isfinite, nan
from typing import TYPE_CHECKING

from tinygraph.checking.comparison import GradientCheck, absolute_terms, agree, check_grad, input_names, same
from tinygraph.checking.flat import FlatFunction, elements_and_sizes, elements_of
from tinygraph.engine.autodiff import grad as derivatives
from tinygraph.engine.autodiff import hessian
from tinygraph.engine.graph import Node, order
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.functional import refilled
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import one_of
from tinygraph.testing.examining.differentiated import Differentiated, title_of, with_gradient
from tinygraph.testing.oracles import Oracle
from tinygraph.testing.own_gradients import assert_value_and_grad
from tinygraph.testing.strategies import OpSequence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tinygraph.functional import Function, Tree


def assert_gradient(
    f: Function, *at: Tree, grad: Function | None = None, order: int = 1, tolerance: float = 1e-10
) -> None:
    """Assert that backpropagation through a function is correct at a point.

    The reference is computed by the most accurate method that the function allows. This is exact arithmetic for linear
    functions, mpmath with at least 400 digits for functions of analytic ops, and the six-point difference for all other
    functions.

    The assertion also runs the backward pass twice, with a random upstream gradient other than 1. Both runs must give
    the same correct gradients and must not change the value of any input.

    If an argument contains an array, `f` gets Tensors, and the reference is the extrapolated central difference of `f`.
    Pass `grad` to test a separate function that computes the gradient. `assert_value_and_grad` then does the check.

    Args:
        f: Function of Values or Tensors, or, with `grad`, of numbers and arrays.
        *at: Arguments of `f`: numbers, arrays or nodes, or nested lists, tuples, namedtuples or dicts of them.
        grad: Function of the same arguments that returns the gradients, as in `assert_value_and_grad`. Defaults to
            None, for the gradient from backpropagation.
        order: Highest order of derivatives to check: 1 for the gradient, or 2 for the gradient and the Hessian.
            Defaults to 1.
        tolerance: Allowed error, relative to the sum of the absolute values of the gradient's terms (one term per
            path). Defaults to 1e-10. For arrays and with `grad`, it is at least 1e-7.

    Raises:
        AssertionError: If a derivative is wrong, or if the graph is cut, for example by `.data`. The message shows the
            function, the point, the input, the two derivatives, the reference method and the error of the reference. It
            also reports any kink near the point.
        ValueError: If `order` is neither 1 nor 2, or if it is 2 and `grad` is given.

    Examples:
        >>> assert_gradient(lambda x, y: x * x.exp() / y, 1.5, 2.0, order=2)
        >>> import numpy as np
        >>> assert_gradient(lambda x: (x**3).sum(), np.array([1.0, -2.0]), order=2)
        >>> assert_gradient(lambda x: (x**3).sum(), np.array([1.0, -2.0]), grad=lambda x: 3.0 * x**2)
    """
    __tracebackhide__ = True
    one_of("order", order, (1, 2))
    check_positive("tolerance", tolerance, zero=True)
    if grad is not None:
        check_function("grad", grad)
        if order == 2:
            raise ValueError(
                "order=2 needs the gradient from backpropagation: leave out grad, or pass the gradient as f"
            )
        assert_value_and_grad(with_gradient(f, grad), *at, tolerance=max(tolerance, 1e-7))
        return
    function = FlatFunction(f, at, values=True, seed=0)
    if function.arrays:
        _assert_arrays(function, order, max(tolerance, 1e-7))
        return
    check = check_grad(f, *at)
    _assert_uncut(f, check)
    _assert_scalars(function, order, tolerance)
    if not check:  # the graph is right, but it is not the graph of f
        raise AssertionError(f"{_title(f)}\n  {check}")


def _assert_uncut(f: Function, check: GradientCheck) -> None:
    """Assert that the graph of a function contains all of it."""
    __tracebackhide__ = True
    faults = [entry for entry in check.inputs if entry.fault.startswith("the graph is cut")]
    if faults:
        raise AssertionError("\n  ".join([_title(f), *map(str, faults)]))


def _assert_scalars(function: FlatFunction, order: int, tolerance: float) -> None:
    """Assert that the derivatives with respect to scalars are right, by the most accurate reference."""
    __tracebackhide__ = True
    f = function.f
    root, leaves = function.record(function.numbers)
    names = list(input_names(f, function.args))
    for leaf, name in zip(leaves, names, strict=True):
        leaf.name = name
    partials, terms = derivatives(root, leaves), absolute_terms(root)
    oracle = Oracle(function, root, leaves)
    where = f"{_title(f)} at ({', '.join(f'{n} = {x!r}' for n, x in zip(names, function.numbers, strict=True))})"
    for i, (leaf, local) in enumerate(zip(leaves, partials, strict=True)):
        exact, blur = oracle.derivative(i)
        allowed = tolerance * max(terms.get(leaf, 0.0), abs(exact)) + blur
        oracle.compare(f"{where}\n  the derivative with respect to {names[i]}", i, local, exact, allowed, blur)
    _check_the_pass(where, root, leaves, partials, terms, function.numbers)
    if order == 2:
        second = hessian(root, leaves)
        scale = [absolute_terms(row) for row in derivatives(root, leaves, create_graph=True)]
        for i, row in enumerate(second):
            for j, entry in enumerate(row):
                exact, blur = oracle.second(i, j)
                size = scale[i].get(leaves[j], 0.0) + scale[j].get(leaves[i], 0.0)
                allowed = 10 * tolerance * max(size, abs(exact)) + blur
                what = f"{where}\n  the second derivative with respect to {names[i]} and {names[j]}"
                oracle.compare(what, j, entry, exact, allowed, blur)


def _assert_arrays(function: FlatFunction, order: int, tolerance: float) -> None:
    """Assert that the derivatives with respect to arrays are right, up to the second order along a random direction."""
    __tracebackhide__ = True

    def value(*args: Tree) -> float:
        return function(elements_of(args))

    def first(*args: Tree) -> tuple[float, Tree]:
        root, leaves = function.record(elements_of(args))
        return root.item(), refilled(list(args), derivatives(root, leaves))

    def second(direction: Sequence[Any], *args: Tree) -> tuple[float, Tree]:
        root, leaves = function.record(elements_of(args))
        partials = derivatives(root, leaves, create_graph=True)
        along = sum([(partial * v).sum() for partial, v in zip(partials, direction, strict=True)])
        return along.item(), refilled(list(args), derivatives(along, leaves))

    differentiated = Differentiated(function.f, first, value, second)
    failure = None
    try:
        assert_value_and_grad(differentiated, *function.args, order=order, tolerance=tolerance)
    except AssertionError as error:
        failure = error
    if failure is not None:
        _assert_uncut(function.f, check_grad(function.f, *function.args))  # the place of a cut is the better message
        raise failure


def assert_same_gradient(f: Function, g: Function, *at: Tree, tolerance: float = 1e-12) -> None:
    """Assert that two implementations have the same value and gradient at a point.

    Args:
        f: Function of Values, or of Tensors if an argument contains an array. An array as the result is multiplied by
            random weights and summed.
        g: Another implementation of the same function.
        *at: Arguments of `f` and `g`: numbers, arrays or nodes, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed difference, relative to the sum of the absolute values of the gradient's terms (one term per
            path), or relative to the largest derivative with respect to the same input if the inputs are arrays.
            Defaults to 1e-12.

    Raises:
        AssertionError: If the values or the gradients differ.

    Examples:
        >>> assert_same_gradient(lambda x: (x * x).log(), lambda x: 2.0 * x.log(), 3.0)
    """
    __tracebackhide__ = True
    check_positive("tolerance", tolerance, zero=True)
    check_function("g", g)
    flat = [FlatFunction(function, at, values=True, seed=0) for function in (f, g)]
    (y, partials, sizes), (other, others, more) = map(_value_and_sizes, flat)
    if flat[0].result != flat[1].result:
        shapes = f"{flat[0].result} and {flat[1].result}"
        raise AssertionError(f"{_title(f)} and {_title(g)} differ at {at}\n  the results have the shapes {shapes}")
    names = ["", *flat[0].element_names(list(input_names(f, at)))]
    pairs = zip([y, *partials], [other, *others], [abs(y), *sizes], [abs(other), *more], names, strict=True)
    for ours, theirs, size, size2, name in pairs:
        what = f"the derivative with respect to {name}" if name else "the value"
        if not agree(ours, theirs, tolerance * max(size, size2)):
            raise AssertionError(
                f"{_title(f)} and {_title(g)} differ at {at}\n  {what}: {ours!r} and {theirs!r}, "
                f"{abs(ours - theirs):.1e} apart, {tolerance * max(size, size2):.1e} allowed"
            )


def _value_and_sizes(function: FlatFunction) -> tuple[float, list[float], list[float]]:
    """Return the value of a function, its derivatives, and the sizes that the tolerances are relative to."""
    root, leaves = function.record(function.numbers)
    gradients = derivatives(root, leaves)
    if function.arrays:
        return root.item(), *elements_and_sizes(gradients)
    sizes = absolute_terms(root)
    return root.item(), gradients, [sizes.get(leaf, 0.0) for leaf in leaves]


def _title(f: Function) -> str:
    return repr(f) if isinstance(f, (OpSequence, Op)) else title_of(f)


def _check_the_pass(
    where: str, root: Value, leaves: list[Value], partials: list[float], terms: dict[Node, float], at: list[float]
) -> None:
    """Run the backward pass twice with a seed other than 1.

    Assert that the gradients are correct, and that the pass does not change the inputs.
    """
    __tracebackhide__ = True
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
        right, allowed = seed * local, 1e-9 * max(abs(seed * local), terms.get(leaf, 0.0))
        if (isfinite(right) or not isfinite(local)) and not agree(got, right, allowed):
            raise AssertionError(f"{where}\n  with the seed {seed}, {leaf.name}.grad must be {right}, not {got}")
        if not same(leaf.data, x):
            raise AssertionError(f"{where}\n  the pass changed {leaf.name} from {x} to {leaf.data}")
