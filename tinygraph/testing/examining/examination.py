"""All checks of a function that returns its value and its gradients, at one point."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.comparison import agree, input_names, same
from tinygraph.checking.flat import FlatFunction
from tinygraph.checking.kink_choices import is_choice, is_kink, points_around
from tinygraph.checking.numeric import refined
from tinygraph.checking.slopes import best_slope, is_limit, is_sure, kink_at
from tinygraph.functional import numbers_of
from tinygraph.testing.examining.differentiated import of_pairs
from tinygraph.testing.examining.linearity import cotangent_problems
from tinygraph.testing.examining.precision import single_precision
from tinygraph.testing.examining.structure import gradient_arrays
from tinygraph.testing.examining.wrong_gradients import ComparedGradient, note_exchanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tinygraph.checking.slopes import Curve
    from tinygraph.functional import Function, Tree
    from tinygraph.kernels.arrays import Array

_MANY = 16  # an input with more elements is first checked along a random direction
_BLOCK = 16  # of an input that is wrong along a direction, so many elements are then checked along another one
_COMPILED = 4  # a faster function pays for its compilation from about 20 calls on, 6 for each block
_SURELY = 1e-3  # part of the tolerance along a direction that must be right without an excuse
_ENOUGH = 1000  # so many wrong elements of one input show the pattern
_SHOWN = 3
_OUTSIDE = (ArithmeticError, ValueError, RuntimeError, AssertionError)  # what functions raise outside their domains


class Examination:
    """All checks of one function at one point.

    Args:
        f: Function that returns its value and its gradients.
        at: Arguments of `f`.
        tolerance: Allowed error, as in `assert_value_and_grad`.
        function: Function that returns only the value, if it is faster than that of `f`. Defaults to none.

    Attributes:
        state_problems: The problems of a function that keeps something between calls or changes its inputs.
        patterns: The pattern of the errors of each input with a wrong gradient, or "", by the name of the input.
        show_patterns: If true, the problems contain the patterns.
        many: An input with more elements is first checked along one random direction, and element by element only if
            the derivative along this direction is not surely right.
        other_shapes: Shapes of further inputs, by name, whose lengths can explain a wrong factor.
        needs_reference: If true, it is a problem if a gradient cannot be checked, because f is not finite.
        pullback: Function of the arguments that returns a function of a factor of the cotangent, whose result is the
            gradients, which must be linear in the factor, or None.
        compared: Names of the inputs with an element whose gradient was compared with a difference.
    """

    def __init__(self, f: Function, at: Sequence[Tree], tolerance: float, function: FlatFunction | None = None) -> None:
        self.f, self.tolerance = of_pairs(f), tolerance
        self.state_problems: list[str] = []
        self.patterns: dict[str, str] = {}
        self.compared: set[str] = set()
        self.pullback = self.f.pullback
        self.show_patterns = self.needs_reference = True
        self.many = _MANY
        self.other_shapes: dict[str, tuple[int, ...]] = {}
        self.function = function or FlatFunction(self.f.value, at, values=False)
        self.names = list(input_names(f, at))
        self.elements = list(self.function.element_names(self.names))
        self.random = np.random.default_rng(0)

    def problems(self, second_point: bool = True) -> list[str]:
        """Return one text for each problem.

        Args:
            second_point: If true, the gradient at a random point close to `at` is checked too, which finds a function
                that keeps numbers from an earlier call.

        Returns:
            The texts.
        """
        numbers = self.function.numbers
        given = self.function.restore(numbers)
        value, raw = self.f.both(*given)
        self.state_problems += self._mutations(given)
        gradients, wrong = gradient_arrays(raw, self.function, self.names)
        if wrong:
            return self.state_problems + self._coarse(value) + wrong
        kept = [gradient.copy() for gradient in gradients]
        self.state_problems += self._repeated(value, kept)  # before any other call, so that what accumulates is doubled
        coarse = self._coarse(value)
        moved, elsewhere = self._second_point()
        if not all(np.array_equal(x, y, equal_nan=True) for x, y in zip(gradients, kept, strict=True)):
            self.state_problems.append(
                "f reuses the arrays of its gradients: a call at another point changes the earlier gradients"
            )
        wrong = self._wrong(float(value), kept)  # type: ignore[arg-type]
        if second_point and not wrong:
            wrong = self._at_second_point(moved, kept, elsewhere, checked=math.isfinite(float(value)))  # type: ignore[arg-type]
        found = self.state_problems + coarse + wrong + [shared for shared in self._shared(gradients) if wrong]
        return found or self._nonlinear(kept)

    def _nonlinear(self, kept: list[Array]) -> list[str]:
        """Report gradients that are not linear in the cotangent."""
        if self.pullback is None:
            return []
        found = self.pullback(*self.function.restore(self.function.numbers))
        return cotangent_problems(lambda k: gradient_arrays(found(k), self.function, self.names), kept, self.names)

    def _wrong(self, value: float, kept: list[Array]) -> list[str]:
        """Report the wrong gradients at the point."""
        if not math.isfinite(value):  # no number is right here, even if differences across the point are finite
            return self._outside(value, kept) if self.needs_reference else []
        numbers = self.function.numbers
        wrong = self._compared(numbers, kept)
        if wrong:
            return [] if self._is_choice_at_kink(kept) else wrong
        if (
            numbers
            and all(np.isfinite(gradient).all() for gradient in kept)
            and not self._agrees_along(numbers, kept, range(len(numbers)))
            and self._is_choice_at_kink(kept) is False
        ):
            return ["each element is right, but not their sum along a direction: is a tied element counted twice?"]
        return []

    def _outside(self, value: float, kept: list[Array]) -> list[str]:
        """Report a gradient outside the domain of f that is neither NaN nor the infinite limit of the derivative."""
        point = self.function.numbers
        flat = [float(x) for gradient in kept for x in np.ravel(gradient)]
        for i, ours in enumerate(flat):
            if not math.isnan(ours) and not is_limit(self._curve(point, i), point[i], ours, self._ours(point, i)):
                return [
                    f"f is {value} here: the point is outside its domain, so the gradient cannot be checked; "
                    f"pass a point where f is finite\n"
                    f"    {self.elements[i]} = {point[i]:.6g}: the gradient is {ours:.10g}"
                ]
        return []

    def _curve(self, point: Sequence[float], i: int) -> Curve:
        """Return the value of f as a function of one element."""
        return lambda moved: self._value([moved if j == i else y for j, y in enumerate(point)])

    def _ours(self, point: Sequence[float], i: int) -> Curve:
        """Return our derivative with respect to one element as a function of this element."""

        def derivative(moved: float) -> float:
            gradients = self._gradients_at([moved if j == i else y for j, y in enumerate(point)])
            return float(np.concatenate([np.ravel(gradient) for gradient in gradients])[i]) if gradients else math.nan

        return derivative

    def _gradients_at(self, point: Sequence[float]) -> list[Array]:
        """Return the gradients at a moved point, or none if f raises an error there or returns something else."""
        try:
            with np.errstate(all="ignore"):
                gradients, problems = gradient_arrays(
                    self.f.both(*self.function.restore(point))[1], self.function, self.names
                )
        except _OUTSIDE:
            return []
        return [] if problems else gradients

    def _at_second_point(
        self, moved: list[float], kept: list[Array], elsewhere: list[Array], checked: bool
    ) -> list[str]:
        """Describe a gradient that is right at `at`, or was not `checked` there, and is wrong at another point."""
        wrong = self._compared(moved, elsewhere, 0) if elsewhere else []
        if wrong and all(np.array_equal(x, y) for x, y in zip(kept, elsewhere, strict=True)):
            text = "the gradient at a second point is that of the first: does f keep numbers from an earlier call?"
            self.state_problems.append(text)
            return []
        guess = "\n    does f keep numbers from an earlier call?" * checked
        return [f"at a second point, {text}{guess}" for text in wrong]

    def _is_choice_at_kink(self, gradients: list[Array]) -> bool | None:
        """Return whether the gradient is a valid choice at a kink, or None if the gradients around it are wrong too."""
        far, close = points_around(self.function.numbers)
        rows: list[list[Array]] = [[], []]
        for k, point in enumerate([*far, *close]):
            found = self._gradients_at(point)
            # The close points are too close to the kink for accurate differences.
            if not found or (k < len(far) and not self._agrees_along(point, found, range(len(point)))):
                return None
            rows[k >= len(far)].append(np.concatenate([np.ravel(gradient) for gradient in found]))
        around, closer = map(np.array, rows)
        if not is_kink(around, closer):
            return None
        return is_choice(np.concatenate([np.ravel(gradient) for gradient in gradients]), around, closer)

    def _mutations(self, given: list[Tree]) -> list[str]:
        """Report the elements of the arguments that a call changed."""
        flat = np.concatenate([np.ravel(x) for x in numbers_of(given)] or [np.zeros(0)])
        changed = [
            f"{name} from {old:.6g} to {new:.6g}"
            for name, old, new in zip(self.elements, self.function.numbers, flat.tolist(), strict=True)
            if not same(old, new)
        ]
        return [f"f changes its input: {', '.join(changed[:_SHOWN])}"] if changed else []

    def _coarse(self, value: object) -> list[str]:
        return single_precision(value, self._value, self.function.numbers, self.random)

    def _repeated(self, value: object, kept: list[Array]) -> list[str]:
        """Report a value and gradients that later calls at the same point change."""
        again, second, problems = self._repeat()
        equal = [np.allclose(x, y, rtol=1e-12, atol=0.0, equal_nan=True) for x, y in zip(kept, second, strict=False)]
        third = second if all(equal) else self._repeat()[1]  # a call of a gradient can be slow
        for name, is_equal, *gradients in zip(self.names, equal, kept, second, third, strict=False):
            if is_equal:
                continue
            first, found, later = gradients
            if np.allclose(found, 2.0 * first, rtol=1e-9):
                guess = "twice the gradient: it accumulates over calls"
            elif np.allclose(later - found, found - first, rtol=1e-9):  # an earlier call has added to it, too
                guess = "a larger gradient, and a third call adds as much again: it accumulates over calls"
            else:
                guess = "another gradient: is f random?"
            problems.append(f"a second call at the same point gives {name} {guess}")
        if not problems and not np.allclose(again, value, rtol=1e-12, atol=0.0, equal_nan=True):  # type: ignore[arg-type]
            problems.append(f"a second call at the same point gives the value {again}, not {value}: is f random?")
        if not problems:
            alone = self.function(self.function.numbers)
            if not np.allclose(alone, value, rtol=1e-12, atol=0.0, equal_nan=True):  # type: ignore[arg-type]
                problems.append(f"without gradients, f returns another value, {alone:.10g} instead of {value}")
        return problems

    def _repeat(self) -> tuple[object, list[Array], list[str]]:
        """Return the value, copies of the gradients, and the problems of another call at the point."""
        value, raw = self.f.both(*self.function.restore(self.function.numbers))
        gradients, problems = gradient_arrays(raw, self.function, self.names)
        return value, [gradient.copy() for gradient in gradients], problems

    def _second_point(self) -> tuple[list[float], list[Array]]:
        """Return a point nearby and the gradients there, or no gradients if f raises an error at each such point."""
        for by in (0.1, 1e-3, 1e-5):
            steps = [float(self.random.uniform(-by, by)) * max(1.0, abs(x)) for x in self.function.numbers]
            for side in (1.0, -1.0):  # the domain may end at this point
                moved = [x + side * step for x, step in zip(self.function.numbers, steps, strict=True)]
                try:
                    with np.errstate(all="ignore"):
                        value, raw = self.f.both(*self.function.restore(moved))
                except _OUTSIDE:
                    continue
                gradients, problems = gradient_arrays(raw, self.function, self.names)
                if not problems and math.isfinite(float(value)):  # type: ignore[arg-type]
                    return moved, [gradient.copy() for gradient in gradients]
        return [], []

    def _shared(self, gradients: list[Array]) -> list[str]:
        return [
            f"the gradients of {name} and {other} share their memory: does one overwrite the other?"
            for (name, x), (other, y) in itertools.combinations(zip(self.names, gradients, strict=True), 2)
            if np.shares_memory(x, y)
        ]

    def _value(self, numbers: Sequence[float]) -> float:
        """Return the value of f, or NaN outside its domain."""
        try:
            with np.errstate(all="ignore"):
                return self.function(numbers)
        except _OUTSIDE:
            return math.nan

    def _agrees_along(
        self, point: Sequence[float], gradients: Sequence[Array], chosen: Sequence[int], surely: float = 0.0
    ) -> bool:
        """Return whether the derivative along one random direction over the chosen elements is right.

        If it must be surely right, no kink is an excuse, and `surely` is a small part of the tolerance of an element,
        so that one wrong element among many is not hidden.
        """
        weights = self.random.uniform(0.5, 1.5, len(chosen)) / math.sqrt(len(chosen))  # of about the length of one step
        direction = dict(zip(chosen, weights.tolist(), strict=True))
        flat = np.concatenate([np.ravel(gradient) for gradient in gradients]).tolist()
        terms = [flat[i] * by for i, by in direction.items()]
        if surely and not all(map(math.isfinite, terms)):
            return False

        def curve(t: float) -> float:
            return self._value([x + t * direction.get(i, 0.0) for i, x in enumerate(point)])

        ours, size = sum(terms), sum(map(abs, terms))
        enough = surely * self.tolerance * size
        found = best_slope(curve, 0.0, enough if surely else None)[1]
        if surely:
            return agree(ours, found.derivative, found.error + 1e-12 * size) and found.error <= enough
        close = agree(ours, found.derivative, self.tolerance * size + found.error)
        return close or math.isnan(found.derivative) or bool(kink_at(curve, 0.0, ours))

    def _compared(self, point: Sequence[float], gradients: list[Array], many: int | None = None) -> list[str]:
        """Compare the gradients with differences, input by input. If it has many elements, try one direction first."""
        found: list[ComparedGradient] = []
        start = 0
        for name, gradient in zip(self.names, gradients, strict=False):
            found.append(ComparedGradient(name, gradient))
            chosen = range(start, start + gradient.size)
            start += gradient.size
            blocks = [chosen]
            if gradient.size > (self.many if many is None else many):
                if self._agrees_along(point, gradients, chosen, _SURELY):
                    self.compared.add(name)
                    continue
                blocks = [chosen[k : k + _BLOCK] for k in range(0, gradient.size, _BLOCK)]
            if len(blocks) > _COMPILED:
                self._speed_up()
            # A block that is right along a direction has no wrong element. One block alone was tried already.
            wrong = (b for b in blocks if b == chosen or not self._agrees_along(point, gradients, b, 10.0 * _SURELY))
            self._elements(found[-1], point, chosen.start, itertools.chain.from_iterable(wrong))
        note_exchanged(found)
        self.patterns |= {one.name: one.pattern for one in found if one.lines}
        return [one.text(self.show_patterns) for one in found if one.lines]

    def _speed_up(self) -> None:
        """Call a faster function for the value from now on, if there is one. A function with state is not replaced."""
        if self.f.faster is not None and self.function.f is self.f.value and not self.state_problems:
            self.function.f = self.f.faster(*self.function.restore(self.function.numbers)) or self.f.value

    def _elements(self, compared: ComparedGradient, point: Sequence[float], start: int, chosen: Iterable[int]) -> None:
        """Compare the chosen elements of one gradient, until enough of them are wrong."""
        largest = compared.largest()
        for i in chosen:
            ours = float(compared.ours[i - start])
            reference, text = self._reference(point, i, ours, largest)
            if not math.isnan(reference):
                self.compared.add(compared.name)
            if text:
                line = f"    {self.elements[i]} = {point[i]:.6g}: the gradient is {ours:.10g}, {text}"
                compared.add(i - start, reference, line)
            if len(compared.lines) == _ENOUGH:
                compared.seen = i - start + 1
                break
        if compared.lines:
            compared.guess(self._sizes())

    def _sizes(self) -> dict[str, int]:
        """Return the lengths of the axes of the inputs, with their descriptions."""
        named = [*zip(self.names, self.function.shapes, strict=True), *self.other_shapes.items()]
        return {f"the length of axis {axis} of {name}": n for name, shape in named for axis, n in enumerate(shape)}

    def _reference(self, point: Sequence[float], i: int, ours: float, largest: float) -> tuple[float, str]:
        """Return the derivative with respect to one element, and its description if the gradient disagrees with it."""
        x, curve = point[i], self._curve(point, i)
        method, found = best_slope(curve, x)
        if math.isnan(found.derivative):
            hidden = self.needs_reference and math.isfinite(ours) and math.isfinite(x) and math.isfinite(curve(x))
            return math.nan, "but f is not finite on either side, so it cannot be checked" if hidden else ""
        scale = max(abs(ours), abs(found.derivative), 1e-3 * largest)
        if agree(ours, found.derivative, self.tolerance * scale + found.error):
            if found.error <= self.tolerance * scale:
                return found.derivative, ""
            method, found = refined(self.function, point, i, method, found)
            if agree(ours, found.derivative, self.tolerance * scale + found.error):
                return found.derivative, ""
        elif kink_at(curve, x, ours, found) or (not is_sure(found) and is_limit(curve, x, ours, self._ours(point, i))):
            return found.derivative, ""
        return found.derivative, f"{method} {found.derivative:.10g} (its own error: {found.error:.0e})"
