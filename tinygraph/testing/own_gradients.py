"""Assertions about gradients that someone else computes: NumPy code, or a function of another framework."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.comparison import agree, input_names
from tinygraph.checking.flat import FlatFunction, cotangent
from tinygraph.checking.kink_choices import is_choice, is_kink, points_around
from tinygraph.checking.slopes import best_slope, kink_at
from tinygraph.functional import named_numbers
from tinygraph.support.arguments import check_function, check_positive
from tinygraph.support.messages import counted, described
from tinygraph.testing.patterns import error_pattern, shape_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinygraph.functional import Function, Tree
    from tinygraph.kernels.arrays import Array

_MANY = 64
_SHOWN = 3


def assert_value_and_grad(f: Function, *at: Tree, tolerance: float = 1e-7) -> None:
    """Assert that a function that returns its value and its gradients returns the right gradients.

    The function may use NumPy, another framework, or C. It is called at moved points, and the gradient must agree with
    the extrapolated central differences. The assertion also checks shapes and dtypes, and that the function does not
    change its inputs, does not accumulate over calls, and does not reuse the arrays that it returned.

    Args:
        f: Function of floats and float64 arrays. It returns (value, gradients). The value is a scalar. The gradients
            are a sequence with one element per argument, each with the structure of the argument. If there is only one
            argument, they may also be its gradient itself.
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed error, relative to the derivative and to 1/1000 of the largest derivative with respect to the
            same input. Defaults to 1e-7.

    Raises:
        AssertionError: If a gradient is wrong. The message names the elements, both numbers, and the pattern of the
            errors.
        TypeError: If `f` does not return a pair of a scalar and gradients, or if `at` contains something other than
            numbers.
        ValueError: If `tolerance` is negative.

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
    check_positive("tolerance", tolerance, zero=True)
    problems = Examination(f, at, tolerance).problems()
    if problems:
        title = getattr(f, "__qualname__", repr(f))
        raise AssertionError("\n  ".join([f"{title}: {counted(len(problems), 'problem')}", *problems]))


def assert_vjp(f: Function, vjp: Function, *at: Tree, tolerance: float = 1e-7) -> None:
    """Assert that a hand-written vector-Jacobian product (VJP, pullback, backward pass) is right.

    Args:
        f: Function of floats and float64 arrays. It returns a number or an array.
        vjp: Function of (cotangent, *at) that returns the gradients, as in `assert_value_and_grad`. The cotangent, also
            called upstream gradient, has the shape of the result of `f`.
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed error, as in `assert_value_and_grad`. Defaults to 1e-7.

    Raises:
        AssertionError: If a gradient is wrong for a random cotangent.

    Examples:
        >>> import numpy as np
        >>> assert_vjp(np.tanh, lambda g, x: g * (1.0 - np.tanh(x) ** 2), np.array([0.5, -1.0]))
    """
    __tracebackhide__ = True
    check_function("f", f)
    check_function("vjp", vjp)

    def projected(*args: Tree) -> tuple[object, object]:
        y = f(*args)
        weights = cotangent(np.shape(y), 0)
        return np.sum(y * weights), vjp(weights, *args)

    assert_value_and_grad(update_wrapper(projected, f), *at, tolerance=tolerance)


def assert_jvp(f: Function, jvp: Function, *at: Tree, tolerance: float = 1e-7) -> None:
    """Assert that a hand-written Jacobian-vector product (JVP, forward mode) is right.

    Args:
        f: Function of floats and float64 arrays. It returns a number or an array.
        jvp: Function of (at, tangents), two tuples of the same structure. It returns the derivative of the result of
            `f` along the tangents.
        *at: Arguments of `f`: numbers or arrays, or nested lists, tuples, namedtuples or dicts of them.
        tolerance: Allowed error, as in `assert_value_and_grad`. Defaults to 1e-7.

    Raises:
        AssertionError: If the derivative along a random tangent is wrong.

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
        return np.asarray(f(*function.restore([x + t * v for x, v in zip(function.numbers, direction, strict=True)])))

    ours = np.asarray(jvp(tuple(function.restore(function.numbers)), tuple(function.restore(direction))))
    title, wanted = getattr(f, "__qualname__", repr(f)), along(0.0).shape
    if ours.shape != wanted:
        raise AssertionError(f"{title}: the JVP has shape {ours.shape}, but the result of f has shape {wanted}")
    for index in np.ndindex(wanted):

        def curve(t: float, index: tuple[int, ...] = index) -> float:
            return float(along(t)[index])

        method, found = best_slope(curve, 0.0)
        allowed = tolerance * max(abs(found.derivative), 1e-3 * float(np.abs(ours).max())) + found.error
        if agree(float(ours[index]), found.derivative, allowed) or math.isnan(found.derivative):
            continue
        if not kink_at(curve, 0.0, float(ours[index])):
            element = f"element {list(index)} of the JVP" if index else "the JVP"
            text = f"{method} {found.derivative:.10g} (its own error: {found.error:.0e})"
            raise AssertionError(
                f"{title}: {element} along np.random.default_rng(0).uniform(0.5, 1.5) is {ours[index]:.10g}, {text}"
            )


def with_gradient(f: Function, grad: Function) -> Callable[..., tuple[object, object]]:
    """Return a function that returns the value of one function and the gradients of another one.

    Args:
        f: Function that returns the value.
        grad: Function of the same arguments that returns the gradients.

    Returns:
        The function, with the name and the parameters of `f`.
    """

    def value_and_grad(*args: Tree) -> tuple[object, object]:
        return f(*args), grad(*args)

    return update_wrapper(value_and_grad, f)


class Examination:
    """All checks of one function at one point.

    Args:
        f: Function that returns its value and its gradients.
        at: Arguments of `f`.
        tolerance: Allowed error, as in `assert_value_and_grad`.
        function: Function that returns only the value, if it is faster than `f`. Defaults to none.

    Attributes:
        state_problems: The problems of a function that keeps something between calls or changes its inputs.
        patterns: The pattern of the errors of each input with a wrong gradient, or "", by the name of the input.
        show_patterns: If true, the problems contain the patterns.
        many: An input with more elements is first checked along one random direction, and element by element only if
            the derivative along this direction is wrong.
        other_shapes: Shapes of further inputs, by name, whose lengths can explain a wrong factor.
    """

    def __init__(self, f: Function, at: Sequence[Tree], tolerance: float, function: FlatFunction | None = None) -> None:
        self.f, self.tolerance = f, tolerance
        self.state_problems: list[str] = []
        self.patterns: dict[str, str] = {}
        self.show_patterns = True
        self.many = _MANY
        self.other_shapes: dict[str, tuple[int, ...]] = {}
        self.function = function or FlatFunction(lambda *args: _pair(f, f(*args))[0], at, values=False)
        self.names = list(input_names(f, at))
        self.elements = list(self.function.element_names(self.names))
        self.random = np.random.default_rng(0)

    def problems(self, second_point: bool = True) -> list[str]:
        """Return one text for each problem.

        Args:
            second_point: If true, the gradient at a random point close to `at` is checked too, which finds a function
                that keeps numbers from an earlier call.

        Returns:
            The problems.
        """
        numbers = self.function.numbers
        given = self.function.restore(numbers)
        value, raw = _pair(self.f, self.f(*given))
        self.state_problems += self._mutations(given)
        gradients, wrong = self._gradients(raw)
        if wrong:
            return self.state_problems + self._coarse(value) + wrong
        kept = [gradient.copy() for gradient in gradients]
        self.state_problems += self._repeated(value, kept)
        coarse = self._coarse(value)
        moved = [x + float(self.random.uniform(-0.1, 0.1)) * max(1.0, abs(x)) for x in numbers]
        elsewhere = self._gradients(_pair(self.f, self.f(*self.function.restore(moved)))[1])[0]
        if not all(np.array_equal(x, y, equal_nan=True) for x, y in zip(gradients, kept, strict=True)):
            self.state_problems.append(
                "f reuses the arrays of its gradients: a call at another point changes the earlier gradients"
            )
        wrong = self._compared(kept)
        if wrong:
            wrong = [] if self._is_choice_at_kink(kept) else wrong
        elif not self._agrees_along(numbers, kept, range(len(numbers))) and self._is_choice_at_kink(kept) is False:
            wrong = ["each element is right, but not their sum along a direction: is a tied element counted twice?"]
        if second_point and not wrong and elsewhere and not self._agrees_along(moved, elsewhere, range(len(numbers))):
            wrong = self._at_second_point(moved, kept, elsewhere)
        return self.state_problems + coarse + wrong

    def _at_second_point(self, moved: list[float], kept: list[Array], elsewhere: list[Array]) -> list[str]:
        """Describe a gradient that is right at `at` and wrong at another point."""
        if all(np.array_equal(x, y) for x, y in zip(kept, elsewhere, strict=True)):
            text = "the gradient at a second point is that of the first: does f keep numbers from an earlier call?"
            self.state_problems.append(text)
            return []
        other = Examination(self.f, self.function.restore(moved), self.tolerance)
        other.names, other.elements = self.names, self.elements
        return [f"at a second point, {text}" for text in other._compared(elsewhere)] or [
            "the gradient at a second point is wrong: does f keep numbers from an earlier call?"
        ]

    def _is_choice_at_kink(self, gradients: list[Array]) -> bool | None:
        """Return whether the gradient is a valid choice at a kink, or None if the gradients around it are wrong too."""
        around = []
        for point in points_around(self.function.numbers):
            found = self._gradients(_pair(self.f, self.f(*self.function.restore(point)))[1])[0]
            if not found or not self._agrees_along(point, found, range(len(point))):
                return None
            around.append(np.concatenate([np.ravel(gradient) for gradient in found]))
        rows = np.array(around)
        if not is_kink(rows):
            return None
        return is_choice(np.concatenate([np.ravel(gradient) for gradient in gradients]), rows)

    def _mutations(self, given: list[Tree]) -> list[str]:
        after = [x for _, tree in enumerate(given) for _, x in named_numbers("", tree)]
        flat = np.concatenate([np.ravel(x) for x in after]) if after else np.zeros(0)
        changed = [
            f"{name} from {old:.6g} to {new:.6g}"
            for name, old, new in zip(self.elements, self.function.numbers, flat.tolist(), strict=True)
            if not (old == new or (old != old and new != new))
        ]
        return [f"f changes its input: {', '.join(changed[:_SHOWN])}"] if changed else []

    def _coarse(self, value: object) -> list[str]:
        """Report values that were computed in single precision."""
        if getattr(value, "dtype", np.dtype(float)) in (np.float32, np.float16):
            return [f"the value has dtype {np.asarray(value).dtype}: compute with float64"]
        points = [[x + float(self.random.uniform(-0.01, 0.01)) for x in self.function.numbers] for _ in range(6)]
        values = [self.function(point) for point in points]
        if len(set(values)) > 3 and all(float(np.float32(x)) == x and x != round(x) for x in values):
            return ["every value has only 24 bits: f computes with float32 inside"]
        return []

    def _gradients(self, raw: object) -> tuple[list[Array], list[str]]:
        """Return the gradients as one array per input, and the problems with their structure, shape and dtype."""
        leaves = [x for _, x in named_numbers("", raw)]
        if len(leaves) != len(self.names):
            inputs = f"{counted(len(self.names), 'input')} ({', '.join(self.names)})"
            return [], [f"f returns {counted(len(leaves), 'gradient')} for {inputs}"]
        arrays, problems = [], []
        for name, leaf, shape in zip(self.names, leaves, self.function.shapes, strict=True):
            array = np.asarray(leaf)
            what = f"the gradient of {name}"
            if array.dtype.kind not in "fiu":
                problems.append(f"{what} is not a real number or array: {described(leaf)}")
            elif array.shape != shape:
                hint = shape_pattern(array.shape, shape)
                problems.append(
                    f"{what} has shape {array.shape}, but {name} has shape {shape}{': ' * bool(hint)}{hint}"
                )
            elif array.dtype.kind == "f" and array.dtype.itemsize < 8:
                problems.append(f"{what} has dtype {array.dtype}: compute with float64")
            elif array.dtype.kind != "f" and shape:
                problems.append(f"{what} has dtype {array.dtype}, so it was rounded to integers or is a constant")
            arrays.append(array)
        return arrays, problems

    def _repeated(self, value: object, kept: list[Array]) -> list[str]:
        """Report a value and gradients that later calls at the same point change."""
        values: list[object] = []
        copies: list[list[Array]] = []
        problems: list[str] = []
        for _ in range(2):
            y, raw = _pair(self.f, self.f(*self.function.restore(self.function.numbers)))
            gradients, problems = self._gradients(raw)
            values.append(y)
            copies.append([gradient.copy() for gradient in gradients])  # before the next call, which can change them
        for name, first, second, third in zip(self.names, kept, *copies, strict=False):
            if np.allclose(first, second, rtol=1e-12, atol=0.0, equal_nan=True):
                continue
            if np.allclose(second, 2.0 * first, rtol=1e-9):
                guess = "twice the gradient: it accumulates over calls"
            elif np.allclose(third - second, second - first, rtol=1e-9):  # an earlier call has added to it, too
                guess = "a larger gradient, and a third call adds as much again: it accumulates over calls"
            else:
                guess = "another gradient: is f random?"
            problems.append(f"a second call at the same point gives {name} {guess}")
        if not problems and not np.allclose(values, value, rtol=1e-12, atol=0.0, equal_nan=True):  # type: ignore[arg-type]
            problems.append(f"a second call at the same point gives the value {values[0]}, not {value}: is f random?")
        return problems

    def _agrees_along(self, point: Sequence[float], gradients: Sequence[Array], chosen: Sequence[int]) -> bool:
        """Return whether the derivative along one random direction over the chosen elements is right."""
        direction = dict(zip(chosen, self.random.uniform(0.5, 1.5, len(chosen)).tolist(), strict=True))
        flat = np.concatenate([np.ravel(gradient) for gradient in gradients]).tolist()

        def curve(t: float) -> float:
            return self.function([x + t * direction.get(i, 0.0) for i, x in enumerate(point)])

        ours = math.fsum(flat[i] * by for i, by in direction.items())
        size = math.fsum(abs(flat[i]) * by for i, by in direction.items())
        found = best_slope(curve, 0.0)[1]
        allowed = self.tolerance * size + found.error
        return agree(ours, found.derivative, allowed) or math.isnan(found.derivative) or bool(kink_at(curve, 0.0, ours))

    def _compared(self, gradients: list[Array]) -> list[str]:
        """Compare the gradients with differences, input by input."""
        problems, start = [], 0
        for name, gradient in zip(self.names, gradients, strict=True):
            chosen = range(start, start + gradient.size)
            start += gradient.size
            if gradient.size > self.many and self._agrees_along(self.function.numbers, gradients, chosen):
                continue
            problems += self._elements(name, gradient, chosen)
        return problems

    def _elements(self, name: str, gradient: Array, chosen: Sequence[int]) -> list[str]:
        """Compare the elements of one gradient."""
        right, lines = np.array(gradient, dtype=float).ravel(), []
        largest = float(np.abs(right[np.isfinite(right)]).max(initial=0.0))
        for k, i in enumerate(chosen):
            x, ours = self.function.numbers[i], float(gradient.flat[k])

            def curve(moved: float, i: int = i) -> float:
                return self.function.along(i, moved)

            method, found = best_slope(curve, x)
            allowed = self.tolerance * max(abs(ours), abs(found.derivative), 1e-3 * largest) + found.error
            if math.isnan(found.derivative) or agree(ours, found.derivative, allowed):
                continue
            if kink_at(curve, x, ours, found.step / 4.0 if found.step else math.inf):
                continue
            right[k] = found.derivative
            text = f"{method} {found.derivative:.10g} (its own error: {found.error:.0e})"
            gap = abs(ours - found.derivative)
            lines.append(
                (
                    -gap if gap == gap else -math.inf,
                    f"    {self.elements[i]} = {x:.6g}: the gradient is {ours:.10g}, {text}",
                )
            )
        if not lines:
            return []
        worst = [text for _, text in sorted(lines, key=lambda line: line[0])[:_SHOWN]]
        pattern = error_pattern(np.asarray(gradient, dtype=float), right.reshape(gradient.shape), self._sizes())
        self.patterns[name] = pattern
        counts = f"{len(lines)} of {counted(gradient.size, 'element')}"
        return [
            "\n".join(
                [
                    f"the gradient of {name} is wrong in {counts}",
                    *worst,
                    *[f"    {pattern}"] * bool(pattern and self.show_patterns),
                ]
            )
        ]

    def _sizes(self) -> dict[str, int]:
        """Return the lengths of the axes of the inputs, with their descriptions."""
        named = [*zip(self.names, self.function.shapes, strict=True), *self.other_shapes.items()]
        return {f"the length of axis {axis} of {name}": n for name, shape in named for axis, n in enumerate(shape)}


def _pair(f: Callable[..., object], result: object) -> tuple[object, object]:
    """Return the value and the gradients that a function returned."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"{getattr(f, '__qualname__', f)} must return (value, gradients), not {described(result)}")
    if np.shape(result[0]):
        raise TypeError(
            f"{getattr(f, '__qualname__', f)} must return a scalar value, but it has shape {np.shape(result[0])}: "
            "sum it, or use assert_vjp"
        )
    return result[0], result[1]
